"""Stories by name: what a school asks for first, and what once went wrong in a random life."""

import copy
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline.commands import runs
from vx_pipeline.journal.approvals import Answer, answer_held
from vx_pipeline.journal.plans import StoredPlan, latest_plan
from vx_pipeline.policies import RolloverPolicy
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.faults import FaultKind
from vx_pipeline.sandbox.journal import WriteEntry
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.life import events, family_events, hand_events
from vx_pipeline_tests.life.living import School
from vx_pipeline_tests.life.night import UNREAD, run_night
from vx_pipeline_tests.life.records import STUDENTS
from vx_pipeline_tests.life.session import QuickSession
from vx_pipeline_tests.life.writing import plan_and_apply
from vx_pipeline_tests.running import point_at, running


@pytest.fixture
def school() -> Iterator[School]:
    """The little school after two quiet nights, with somebody who watches it."""
    with School.living() as school:
        yield school
        school.comes_to_rest()


def deactivated(writes: list[WriteEntry]) -> set[int]:
    """The records that these writes deactivated."""
    return {write.target_id for write in writes if write.after.get("deactivated") is True}


def held(plan: StoredPlan | None) -> set[tuple[str, str, int]]:
    """Action, entity and key of what a plan holds."""
    assert plan is not None
    return {(row.action, row.entity, row.key) for row in plan.rows if row.verdict == "held"}


# 420 students.


def read_and_write(session: SchoolSession) -> None:
    """A night without Dagster; what is held after it, somebody approves."""
    endpoints = [one for name, one in ENDPOINTS.items() if name not in UNREAD]
    assert not run_night(session, plan_and_apply, endpoints).failed
    plan = latest_plan(session.journal, session.key)
    assert plan is not None
    if plan.held_steps:
        answer_held(
            session.journal,
            plan,
            answer=Answer.APPROVE,
            actor="Registrar",
            note="seen",
            via="page",
            at=session.now(),
        )


def somebody_new(sandbox: Sandbox, like: Record, first: str, last: str) -> int:
    """A new student, in every other respect as somebody who is there."""
    rows = sandbox.school.veracross[STUDENTS]
    new = copy.deepcopy(like)
    new["id"] = max(row["id"] for row in rows) + 1
    new |= {"first_name": first, "last_name": last, "preferred_name": None, "household_id": None}
    new |= {"email_1": f"{first}.{last}@new.example.edu".lower(), "username": f"{first}.{last}"}
    rows.append(new)
    return int(new["id"])


@pytest.mark.slow
def test_sixty_who_vanish_from_a_feed_of_420_are_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(school=fresh_school(420)) as sandbox:
        point_at(sandbox, tmp_path / "home", monkeypatch)
        rows = sandbox.school.veracross[STUDENTS]
        with QuickSession(load_settings(), SANDBOX) as session:
            read_and_write(session)
            read_and_write(session)
            with session.reading() as connection:
                linked = connection.execute(
                    "SELECT veracross_id FROM matching.student_links JOIN sync.scope USING (veracross_id) "
                    "WHERE in_scope AND contested IS NULL ORDER BY veracross_id"
                ).fetchall()
            here = [row[0] for row in linked]
            assert len(here) > 300
            vanished, renamed = set(here[:60]), here[60:63]
            rows[:] = [row for row in rows if row["id"] not in vanished]
            read_and_write(session)
        by_id = {row["id"]: row for row in rows}
        new = [
            somebody_new(sandbox, by_id[here[70 + number]], first, last)
            for number, (first, last) in enumerate((("Noor", "Quillfeather"), ("Tove", "Zabriskie")))
        ]
        for student in renamed:
            by_id[student] |= {"last_name": "Featherstonehaugh"}
        written_before = len(sandbox.journal.writes)
        with running(sandbox, tmp_path / "home", monkeypatch) as pipeline:
            outcome = pipeline.nightly()
            assert pipeline.exit_code(outcome) == 3
            with pipeline.session() as session:
                plan = runs.plan_of_run(session.journal, SANDBOX, outcome.run_id)
                records = pipeline.rows("SELECT veracross_id, orah_id FROM matching.student_links")
        writes = [write for write in sandbox.journal.writes[written_before:] if write.entity == "student"]
        assert held(plan) == {("deactivate", "student", student) for student in vanished}
        assert not deactivated(writes)
        assert all(write.action != "delete" for write in writes)
        made = {int(write.after["sis_id"]) for write in writes if write.action == "create"}
        assert made == set(new)
        name_of = {write.target_id: write.after.get("last_name") for write in writes}
        assert [name_of.get(dict(records)[student]) for student in renamed] == ["Featherstonehaugh"] * 3


# The little school.


def test_one_leaver_with_an_exit_date_is_deactivated_the_same_night_without_anyone_asked(
    school: School,
) -> None:
    student = school.current()[0]
    events.leave_by_exit_date(school.life.sandbox, student)
    writes = school.night()
    assert deactivated(writes) == {school.memory.records[student]}
    assert not school.held_steps()
    events.come_back(school.life.sandbox, student)
    (back,) = (write for write in school.night() if "deactivated" in write.after)
    assert (back.target_id, back.after["deactivated"]) == (school.memory.records[student], False)


def test_a_drip_of_two_percent_a_night_is_stopped_by_the_rolling_window(school: School) -> None:
    """Of forty students one leaves each night: each run is within its budget, the week is not."""
    leaving = school.current()[::5]
    gone = []
    for student in leaving[:6]:
        events.leave_by_exit_date(school.life.sandbox, student)
        gone.append(len(deactivated(school.night())))
    assert gone == [1, 1, 1, 0, 0, 0]
    assert held(school.plan) == {("deactivate", "student", student) for student in leaving[3:6]}
    assert school.plan is not None
    (why,) = {row.verdict_reason for row in school.plan.rows if row.verdict == "held"}
    assert "within seven days" in why
    school.life.clock.moment += timedelta(days=7)
    assert len(deactivated(school.night())) == 3, "a week later as many more are let go"


def test_undo_of_an_applied_plan_restores_every_reversible_field(school: School) -> None:
    sandbox = school.life.sandbox
    before = as_held(school)
    leaver, renamed, mover, back_home, raised = school.current()[2:7]
    new = events.enrol(sandbox, "Noor", "Ferrer", dorm="Oak House")
    events.leave_by_exit_date(sandbox, leaver)
    events.change_name(sandbox, renamed, last="Silva", preferred="Al")
    events.change_email(sandbox, renamed, "alma@example.org")
    events.move_dorm(sandbox, mover, "Birch House")
    events.stop_boarding(sandbox, back_home)
    events.change_grade(sandbox, raised, "12th Grade")
    parent = next(parent for child, parent in school.families() if child == raised)
    family_events.change_parent_phone(sandbox, parent, "+1 603 555 0101")
    writes = school.night()
    touched = {name for write in writes if write.action == "update" for name in write.after}
    assert {
        "last_name",
        "email",
        "year_level",
        "student_type",
        "house",
        "deactivated",
        "mobile_phone",
    } <= touched
    assert before != as_held(school)
    school.undo()
    after = as_held(school)
    made = after.pop(("student", school.memory.records[new]))
    assert made["deactivated"], "a record that was made is deactivated, for deleting is for good"
    assert after == before


def as_held(school: School) -> dict[tuple[str, int], Record]:
    """Students and contacts in Orah, without the times of their changes; a house by its id."""
    students = {
        ("student", record["id"]): timeless(record) | {"house": (record["house"] or {}).get("id")}
        for record in school.live.orah["student"]
    }
    contacts = {("contact", record["id"]): timeless(record) for record in school.live.orah["contact"]}
    return students | contacts


def timeless(record: Mapping[str, Any]) -> Record:
    """A copy without the times of making and changing it."""
    return {name: copy.copy(value) for name, value in record.items() if not name.endswith("_at")}


def test_one_bad_record_changes_nothing_for_the_others() -> None:
    """The same night with and without a record that cannot be understood: the others get the very same."""

    def a_night(bad: int | None) -> list[tuple[str, str, str]]:
        with School.living() as school:
            sandbox = school.life.sandbox
            first, second, third = school.current()[3:6]
            events.change_name(sandbox, first, last="Silva")
            events.leave_by_exit_date(sandbox, second)
            events.move_dorm(sandbox, third, "Birch House")
            events.enrol(sandbox, "Noor", "Ferrer", dorm="Oak House")
            if bad is not None:
                school.poison(school.current()[bad])
            written = school.night() + school.night() + school.night()
            # Those who are made in one go get their ids in any order.
            return sorted(
                (
                    one.entity,
                    one.action,
                    json.dumps(timeless(one.after) | {"id": one.before and one.target_id}),
                )
                for one in written
            )

    assert a_night(bad=10) == a_night(bad=None)


def test_a_lost_custody_ends_the_tie_though_all_else_is_frozen_and_the_contact_is_pinned(
    school: School,
) -> None:
    student, parent = school.families()[0]
    school.set_policies(rollover=RolloverPolicy(mode="frozen"))
    school.pin("contact", parent, "", None)
    events.change_name(school.life.sandbox, student, last="Silva")
    school.lose_custody(student, parent)
    assert {write.entity for write in school.night()} == {"contact"}
    school.restore_custody(student, parent, legal=False)
    assert not school.night()


def test_who_is_pinned_stays_though_the_exit_date_is_reached(school: School) -> None:
    student, other = school.current()[:2]
    school.pin("student", student, "", 0)
    school.pin("student", other, "deactivated", None)
    for one in (student, other):
        events.leave_by_exit_date(school.life.sandbox, one)
    school.life.clock.moment -= timedelta(days=1)
    assert not school.night()
    assert deactivated(school.night()) == {school.memory.records[student]}, "the other pin has no last day"


# What once went wrong.


def test_removals_whose_answers_were_lost_count_within_the_week(school: School) -> None:
    """Three are removed, but the answers are lost and nothing can be read back: three more are too many."""
    leaving = school.current()[::5]
    for student in leaving[:3]:
        events.leave_by_exit_date(school.life.sandbox, student)
    school.break_writes("student/update", FaultKind.ANSWER_LOST, 3)
    school.break_orah("records", "fail")
    assert len(deactivated(school.night())) == 3
    school.mend()
    for student in leaving[3:6]:
        events.leave_by_exit_date(school.life.sandbox, student)
    assert not deactivated(school.night())


def test_an_undo_leaves_alone_what_is_pinned(school: School) -> None:
    student, other = school.current()[2:4]
    for one in (student, other):
        events.change_name(school.life.sandbox, one, last="Silva")
    assert len(school.night()) == 2
    school.pin("student", student, "", None)
    school.undo()
    changed = {write.target_id for write in school.written[-1][1]}
    assert changed == {school.memory.records[other]}


def test_a_record_that_two_reads_of_orah_did_not_bring_is_not_made_again(school: School) -> None:
    """It is right as it is, so that we never wrote to it, and it is missing among too few to be noticed."""
    sandbox = school.life.sandbox
    student = events.enrol(sandbox, "Noor", "Ferrer", grade="11th Grade")
    row = school.live.row(STUDENTS, student)
    school.memory.records[student] = hand_events.add_student(
        sandbox,
        "Noor",
        "Ferrer",
        alt_name="Noor",
        sis_id=str(student),
        email=row["email_1"],
        year_level="11th Grade",
        student_type="Day",
    )
    assert {write.entity for write in school.night()} == {"contact"}
    school.break_orah("student", "few")
    for _ in range(3):
        assert not [write for write in school.night() if write.entity == "student"]
