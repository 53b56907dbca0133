"""`vx why`: what it prints, for whom, and what never leaves a terminal."""

import fcntl
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.cases import ORAH
from vx_pipeline.journal.explanations import record_explanations
from vx_pipeline.journal.plans import PlanRow, record_plan
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.commands.here import own_home, vx_here
from vx_pipeline_tests.commands.shell import Ended
from vx_pipeline_tests.journal.people import NAMES, NOW, case, person, record


@dataclass
class Office:
    """A school with a plan, and a shell in this process."""

    home: Path
    journal: Journal
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def vx(self, *arguments: str) -> Ended:
        """Runs `vx`, and looks that no value of anybody's record came out."""
        ended = vx_here(self.monkeypatch, self.capsys, *arguments)
        for name in NAMES:
            assert name.lower() not in (ended.out + ended.err).lower()
        return ended

    def json(self, *arguments: str) -> dict[str, Any]:
        found = json.loads(self.vx("why", *arguments, "--json").out)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Office]:
    home = tmp_path / "home"
    with own_home(monkeypatch, home) as journal:
        record(
            journal,
            case(None, (), kind="orphan", orah_id=509),
            people=[person(81, linked_to=501), person(501, ORAH, linked_to=81), person(509, ORAH)],
            school=SANDBOX,
        )
        told = {
            "veracross": ["Listed as a student."],
            "scope": ["Not brought to Orah: the setting grades [9]."],
        }
        record_explanations(journal, SANDBOX, {81: told}, NOW)
        values: dict[str, Any] = {"before": "Old", "after": NAMES[1], "reason": "Veracross says otherwise"}
        rows = [PlanRow(1, "student", "update", 81, 501, "last_name", **values)]
        record_plan(
            journal, school=SANDBOX, at=NOW, run_id="run-1", fingerprint="f", hold_reason=None, rows=rows
        )
        yield Office(home, journal, monkeypatch, capsys)


def test_a_person_is_told_topic_by_topic(office: Office) -> None:
    ended = office.vx("why", "81")
    ended.failed(
        0,
        "Veracross 81, Orah 501, as the plan of 2026-11-23 07:00 UTC saw them",
        "What Veracross says Listed as a student.",
        "Not brought to Orah: the setting grades [9].",
        "the student record 501 is changed (last_name)",
        "Nothing was ever written about them.",
    )


def test_by_the_id_of_orah_it_is_the_same_person(office: Office) -> None:
    assert office.json("501", "--orah") == office.json("81")
    orphan = office.json("509", "--orah")
    assert (orphan["found"], orphan["veracross_id"], orphan["orah_id"]) == (True, None, 509)


def test_json_holds_topics_in_their_order(office: Office) -> None:
    found = office.json("81", "--school", SANDBOX)
    assert (found["school"], found["veracross_id"], found["orah_id"]) == (SANDBOX, 81, 501)
    assert found["told_at"] == NOW.isoformat()
    assert [topic["name"] for topic in found["topics"]] == [
        "veracross",
        "scope",
        "match",
        "planned",
        "written",
    ]
    assert found["topics"][0] == {
        "name": "veracross",
        "title": "What Veracross says",
        "sentences": ["Listed as a student."],
    }


def test_somebody_unknown_is_a_plain_word_and_exit_code_1(office: Office) -> None:
    office.vx("why", "4711").failed(1, "Nobody with the id 4711 in Veracross is known here.", "Look there")
    office.vx("why", "4711", "--orah").failed(1, "Nobody with the id 4711 in Orah is known here.", "--orah")
    assert office.json("4711")["found"] is False
    office.vx("why", "somebody").failed(2)
    office.vx("why", "0").failed(2)
    office.vx("why", "81", "--school", "elsewhere").failed(2, "--school")


def test_each_look_is_noted_with_the_id_alone(office: Office) -> None:
    office.vx("why", "81")
    office.vx("why", "509", "--orah")
    looks = [(view.action, view.subject) for view in audit_trail(office.journal, SANDBOX)]
    assert looks == [("why", "orah 509"), ("why", "veracross 81")]


def test_values_are_shown_on_a_terminal_only(office: Office) -> None:
    ours, theirs = pty.openpty()
    script = Path(sys.executable).with_name("vx")
    environment = {**os.environ, "COLUMNS": "200"}
    with subprocess.Popen(
        [script, "why", "81"], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert process.returncode == 0, shown
    assert f"last_name: Old becomes {NAMES[1]}.".encode() in shown
    assert office.vx("why", "81").code == 0


def test_it_answers_while_a_run_has_the_school_and_its_warehouse(office: Office) -> None:
    """A run holds the lock and the file; there is no network and no credential either."""
    folder = office.home / "schools" / SANDBOX
    folder.mkdir(parents=True)
    (folder / "warehouse.duckdb").write_bytes(b"not to be opened")
    (folder / "warehouse.duckdb").chmod(0)
    with (folder / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        office.vx("why", "81").failed(0, "Listed as a student.")
