"""Held changes approved, refused and written from the shell; one person brought over; a run taken back; pins."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline_tests.commands.conftest import SyncedSchool, bring_over
from vx_pipeline_tests.conftest import fresh_school

Record = dict[str, Any]

pytestmark = pytest.mark.slow

BY = ("--by", "R. Quill", "--note", "asked the registrar")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncedSchool]:
    """A school of its own after its first sync. Each test leaves it as settled as it found it."""
    with Sandbox(school=fresh_school(40, seed=11)) as sandbox:
        synced = SyncedSchool(sandbox, tmp_path_factory.mktemp("town") / "home")
        bring_over(synced)
        yield synced


def linked(town: SyncedSchool, number: int) -> list[tuple[Record, Record]]:
    """Students in Veracross with their active records in Orah, which carry their ids after a sync."""
    records = {row["sis_id"]: row for row in town.sandbox.school.orah["student"] if not row["deactivated"]}
    students = [
        (row, records[str(row["id"])])
        for row in town.sandbox.school.veracross["list_students"]
        if row["roles"] == "Student" and row["exit_date"] is None and str(row["id"]) in records
    ]
    assert len(students) >= number
    return students[:number]


def writes(town: SyncedSchool, since: int) -> list[tuple[str, str, int]]:
    entries = town.sandbox.journal.writes[since:]
    return [(entry.entity, entry.action, entry.target_id) for entry in entries]


def told(town: SyncedSchool, *arguments: str, code: int = 0, **changes: str) -> dict[str, Any]:
    """A command's JSON, and its exit code as it should be."""
    ended = town.vx(*arguments, "--json", **changes)
    assert ended.code == code, ended
    found = json.loads(ended.out)
    assert isinstance(found, dict)
    return found


def held_steps(town: SyncedSchool) -> dict[int, int]:
    """The held steps of the newest plan, by the Veracross id that they are about."""
    rows = told(town, "plan", code=3)["rows"]
    return {row["key"]: row["step"] for row in rows if row["verdict"] == "held"}


def test_held_removals_are_written_one_by_one_as_a_named_person_says(town: SyncedSchool) -> None:
    leavers = linked(town, 5)
    before = len(town.sandbox.journal.writes)
    for student, _ in leavers:
        student["exit_date"] = (town.sandbox.school.today - timedelta(days=1)).isoformat()
    town.vx("sync").failed(3, "5 of", "would be removed by one run", "vx approve")
    assert writes(town, before) == []
    steps = held_steps(town)
    assert set(steps) == {student["id"] for student, _ in leavers}
    go, stay, later = (student["id"] for student, _ in leavers[:3])
    assert told(town, "approve", "--step", str(steps[go]), *BY)["changes"] == 1
    assert told(town, "refuse", "--step", str(steps[stay]), *BY)["changes"] == 1
    told(town, "apply", code=3)
    records = {student["id"]: record for student, record in leavers}
    assert writes(town, before) == [("student", "update", records[go]["id"])]
    assert [records[one]["deactivated"] for one in (go, stay, later)] == [True, False, False]
    # Of those nobody has answered four are left, and one is refused: three remain, and that is not too many.
    still = told(town, "plan", code=3)["rows"]
    assert {row["key"]: row["verdict"] for row in still}[stay] == "refused"
    for student, _ in leavers[1:]:
        student["exit_date"] = None
    assert told(town, "sync")["held"] == []
    leavers[0][0]["exit_date"] = None
    assert told(town, "sync")["held"] == []
    assert records[go]["deactivated"] is False, "who returns gets the same record back"


def test_an_approval_counts_for_the_plan_and_the_settings_that_were_seen(town: SyncedSchool) -> None:
    leavers = linked(town, 5)
    for student, _ in leavers:
        student["exit_date"] = (town.sandbox.school.today - timedelta(days=1)).isoformat()
    first = told(town, "sync", code=3)["plan"]
    told(town, "sync", code=3)
    before = len(town.sandbox.journal.writes)
    town.vx("approve", first, *BY).failed(1, "is not the newest any more", "Nothing was recorded")
    waiting = held_steps(town)
    assert told(town, "approve", *BY)["changes"] == len(waiting) >= 4
    other = {"VX_POLICIES__GRADES": '["8th Grade", "9th Grade", "10th Grade", "11th Grade", "12th Grade"]'}
    moved = told(town, "apply", code=1, **other)["moved"]
    assert len(moved) == len(waiting)
    assert "the settings moved" in moved[0]
    assert writes(town, before) == []
    for student, _ in leavers:
        student["exit_date"] = None
    assert told(town, "sync")["held"] == []


def test_one_person_is_brought_over_and_nobody_else(town: SyncedSchool) -> None:
    (student, record), (other, others_record) = linked(town, 2)
    asked, before = len(town.sandbox.journal.requests), len(town.sandbox.journal.writes)
    student["preferred_name"], other["preferred_name"] = "Junebug", "Skylark"
    told(town, "sync", "--person", str(student["id"]))
    assert record["first_name"] == "Junebug"
    assert others_record["first_name"] != "Skylark"
    assert writes(town, before) == [("student", "update", record["id"])]
    read = [
        one
        for one in town.sandbox.journal.requests[asked:]
        if one.system == "veracross" and "/v3/" in one.path
    ]
    assert len(read) <= 20
    told(town, "sync", "--person", str(student["id"]))
    assert len(writes(town, before)) == 1
    town.vx("sync", "--person", "1").failed(1, "Veracross lists no student 1", "Nothing was changed")
    town.vx("sync", "--person", "1", "--plan-only").failed(2, "choose one of")
    assert told(town, "sync")["held"] == []
    assert others_record["first_name"] == "Skylark"


def test_a_run_is_taken_back_and_the_next_night_asks_before_it_does_it_again(town: SyncedSchool) -> None:
    ((student, record),) = linked(town, 1)
    name = record["first_name"]
    student["preferred_name"] = "Robinette"
    run = told(town, "sync", "--person", str(student["id"]))["run_id"]
    assert record["first_name"] == "Robinette"
    told(town, "undo", run[:13], "--by", "R. Quill")
    assert record["first_name"] == name
    before = len(town.sandbox.journal.writes)
    town.vx("sync").failed(3, "R. Quill took this back")
    assert writes(town, before) == []
    told(town, "refuse", *BY)
    assert told(town, "sync")["held"] == []
    assert record["first_name"] == name
    town.vx("undo", "no-such-run").failed(1, "There is no plan or run", "Nothing was changed")
    student["preferred_name"] = name
    assert told(town, "sync")["held"] == []


def test_a_pinned_field_stays_and_the_others_flow(town: SyncedSchool) -> None:
    ((student, record),) = linked(town, 1)
    name = record["first_name"]
    last_name = student["last_name"]
    pin = told(
        town, "pin", "add", "student", str(student["id"]), "--field", "first_name", "--reason", "hers"
    )["pin"]
    student["preferred_name"], student["last_name"] = "Wrenfield", "Overhill"
    assert told(town, "sync")["held"] == []
    assert (record["first_name"], record["last_name"]) == (name, "Overhill")
    town.vx("pin", "list").failed(0, f"student {student['id']}", "first_name", "hers")
    town.vx("pin", "end", str(pin)).failed(0, "may change the record again")
    town.vx("pin", "end", str(pin)).failed(1, f"There is no pin {pin}")
    town.vx("pin", "add", "student", "1", "--reason", "x", "--until", "soon").failed(2, "YYYY-MM-DD")
    student["last_name"] = last_name
    assert told(town, "sync")["held"] == []
    assert (record["first_name"], record["last_name"]) == ("Wrenfield", last_name)
