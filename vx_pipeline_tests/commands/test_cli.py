"""The command itself: its help, its JSON, and the installed script."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline_tests.commands.conftest import SyncedSchool

COMMANDS = ("sync", "plan", "push", "doctor", "status", "sandbox", "ui", "demo")


def one_object(text: str) -> dict[str, Any]:
    """The single JSON object of an output."""
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_help_names_every_command(school: SyncedSchool) -> None:
    ended = school.vx("--help")
    ended.failed(0, *COMMANDS)


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("plan", {"plan_id", "hold_reason", "rows"}),
        ("status", {"school", "tables", "plan"}),
        ("doctor", {"findings", "environment"}),
        ("push", {"run_id", "failures", "marks"}),
    ],
)
def test_json_is_one_object_and_nothing_else(school: SyncedSchool, command: str, keys: set[str]) -> None:
    ended = school.vx(command, "--json")
    assert keys <= set(one_object(ended.out))
    assert ended.err == ""


def test_before_the_first_sync_every_command_says_what_to_do(school: SyncedSchool, tmp_path: Path) -> None:
    empty = str(tmp_path / "empty")
    school.vx("status", VX_HOME=empty).failed(1, "nothing has been read", "Run a sync")
    school.vx("plan", VX_HOME=empty).failed(1, "no plan yet", "vx sync")
    school.vx("push", VX_HOME=empty).failed(1, "veracross.meeting_times", "Run a sync")


def test_a_table_is_shown_with_its_age(school: SyncedSchool) -> None:
    ended = school.vx("status")
    ended.failed(0, "veracross.students", "Last plan")


def test_the_installed_script_ends_with_the_same_code(school: SyncedSchool) -> None:
    script = Path(sys.executable).with_name("vx")
    ended = subprocess.run(
        [str(script), "sync", "--school", "elsewhere"],
        env=school.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "name one of: sandbox" in ended.stderr
