"""The command itself: its help, its JSON, and the installed script."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vx_pipeline.assets.veracross import plan_ask
from vx_pipeline.attendance.day import PushedDay, SchoolDay
from vx_pipeline.attendance.items import Links
from vx_pipeline.attendance.looked_at import Item, Update
from vx_pipeline.attendance.tables import write_day
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.journal.marks import Place
from vx_pipeline.policies import Policies
from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline_tests.commands.conftest import SyncedSchool

COMMANDS = (
    *(
        "sync",
        "plan",
        "approve",
        "refuse",
        "apply",
        "undo",
        "why",
        "pin",
        "review",
        "match",
        "push",
        "marks",
        "attendance",
        "doctor",
    ),
    *("status", "sandbox", "ui", "demo"),
)


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
        ("status", {"school", "tables", "plan", "looked_at_utc"}),
        ("doctor", {"findings", "environment"}),
        ("attendance", {"as_of", "alerts", "houses"}),
        ("push", {"run_ids", "failures", "marks", "exit_code"}),
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


def test_a_table_is_as_old_as_its_last_whole_read(school: SyncedSchool) -> None:
    with open_warehouse(school.warehouse) as connection:
        connection.execute("DELETE FROM veracross.athletics_rosters")
        connection.execute("DELETE FROM veracross.reads WHERE collection = 'classes'")
    tables = {one["table"]: one for one in one_object(school.vx("status", "--json").out)["tables"]}
    empty, unread = tables["veracross.athletics_rosters"], tables["veracross.classes"]
    assert (empty["rows"], empty["read_at_utc"] is None) == (0, False), "it was read, and nobody was in it"
    assert unread["read_at_utc"] is None
    school.vx("status").failed(0, f"veracross.classes {unread['rows']} not read yet")


def test_a_push_that_finds_nobody_does_not_tell_what_the_last_one_found(school: SyncedSchool) -> None:
    marked_before(school, datetime.now(UTC))
    nobody = {
        "VX_POLICIES__ATTENDANCE__AWAY_STATES": '["nowhere"]',
        "VX_POLICIES__ATTENDANCE__ROLLS": "false",
    }
    school.sandbox.orah_forbidden = {"leave"}
    assert one_object(school.vx("push", "--json", **nobody).out)["marks"] == []
    school.vx("push", **nobody).failed(0, "Nobody was away from a class.")


def test_meetings_are_read_as_far_back_as_attendance_may_be_written(school: SyncedSchool) -> None:
    policies = Policies(meetings_days_back=3, attendance=AttendancePolicy(days_back=30))
    with open_warehouse(school.warehouse, read_only=True) as connection:
        ask = plan_ask("meeting_times", connection, policies, date(2026, 10, 31))
    assert ask.parameters["on_or_after_date"] == "2026-10-01"
    assert ask.scope.parameters["first"] == date(2026, 10, 1)


def marked_before(school: SyncedSchool, moment: datetime) -> None:
    """A row of today that a push left a minute before the moment."""
    at = moment - timedelta(minutes=1)
    day = at.astimezone(ZoneInfo("America/New_York")).date()
    item = Item(Place(student_id=1, orah_id=2, class_id=100, attendance_date=day, block_id="A"), None, None)
    pushed = PushedDay((), [Update(item, "written", "away", attendance_id=3)], (), 0, None)
    known = SchoolDay(day, (), Links({}, {}, frozenset()), {})
    with open_warehouse(school.warehouse) as connection:
        write_day(connection, pushed, known=known, policy=AttendancePolicy(), at=at)


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
