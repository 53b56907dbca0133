"""Marks whose row, link or landing is not where it was: they are found again, and nobody's mark is lost by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from vx_pipeline.assets.push_troubles import tell_labels
from vx_pipeline.journal.decisions import Kind
from vx_pipeline.journal.due_pushes import pushes_due
from vx_pipeline.journal.marks import our_marks
from vx_pipeline.journal.problems import open_problems
from vx_pipeline.journal.push_memory import note_pass
from vx_pipeline.sandbox import Fault, FaultKind
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline_tests.attendance.school_day import (
    MARKER,
    WEDNESDAY,
    Row,
    SchoolDay,
    later,
    minutes,
    results,
)

PRESENT, ABSENT = ("Present", None), ("Absent - Excused", MARKER)


def on_pass(day: SchoolDay) -> int:
    """On a pass over the first lesson that is over; returns its id."""
    leave = day.gets_pass(day.starts(0), day.ends(0), status="Ended")
    note_pass(day.session.journal, day.session.key, leave, at=day.session.now())
    return leave


def cancel(day: SchoolDay, leave: int) -> None:
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})


# --- another block


def meeting_of(day: SchoolDay, lesson: int) -> list[Row]:
    """The meeting time of a lesson, as Veracross holds it."""
    row = day.lessons[lesson]
    return [
        one
        for one in day.sandbox.school.veracross[ENDPOINTS["meeting_times"].operation]
        if one["internal_class_id"] == row["internal_class_id"]
        and one["date"] == WEDNESDAY.isoformat()
        and one["start_time"] == row["start_time"]
    ]


def gives_another_block(day: SchoolDay, *, landed: bool) -> None:
    """The school gives the first lesson's class another block; its rows stay what they are."""
    row = day.lessons[0]
    for one in meeting_of(day, 0):
        one["block"] = {**one["block"], "id": 999} if isinstance(one["block"], dict) else 999
    for one in day.sandbox.school.veracross["list_class_attendance"]:
        if (one["internal_class_id"], one["attendance_date"]) == (
            row["internal_class_id"],
            row["attendance_date"],
        ):
            one["block"] = {**one["block"], "id": type(one["block"]["id"])(999)}
    if landed:
        day.land()


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("pushed_between", [True, False])
def test_a_mark_goes_back_though_its_class_was_given_another_block(
    day: SchoolDay, *, landed: bool, pushed_between: bool
) -> None:
    leave = on_pass(day)
    assert results(day.push()) == ["written"]
    gives_another_block(day, landed=landed)
    if pushed_between:
        for _ in range(2):
            assert results(day.push()) == ["nothing"]
    cancel(day, leave)
    assert results(day.push()) == ["restored"]
    assert (day.marks()[0], len(day.writes())) == (PRESENT, 2)
    assert results(day.push()) == []


def test_a_meeting_without_a_block_is_not_written_into_the_row_of_another(day: SchoolDay) -> None:
    """Two meetings of a class that day, of which one has no block, and one row."""
    (meeting,) = meeting_of(day, 0)
    other = {**meeting, "id": 10_000_001, "block": None}
    other["start_time"], other["end_time"] = day.lessons[1]["start_time"], day.lessons[1]["end_time"]
    operation = ENDPOINTS["meeting_times"].operation
    day.sandbox.school.veracross[operation].append(other)
    day.land()
    day.takes_roll(day.starts(0) + minutes(2), "Late")
    leave = day.gets_pass(day.starts(1), day.ends(1), status="Ended")
    note_pass(day.session.journal, day.session.key, leave, at=day.session.now())
    for _ in range(2):
        pushed = day.push()
        found = {update.item.place.block_id: update.result for update in pushed.updates}
        assert found[None] == "no_row"
    assert (day.marks()[0][0], len(day.writes())) == ("Late", 2)


# --- another record


def test_a_mark_rests_on_the_record_that_is_the_students_now(day: SchoolDay) -> None:
    old, new = day.orah_id, day.spare_record()
    day.misses(0)
    day.push()
    day.misses(0, new)
    day.link({**day.links, day.student_id: new})
    assert results(day.push(orah_ids=[new])) == ["nothing"]
    (mark,) = our_marks(day.session.journal, day.session.key, WEDNESDAY)
    assert (mark.place.orah_id, mark.origin.values) == (new, (str(day.code("Present")), None))
    # Nothing of the old record brings it back, not even that a person denies it.
    day.decides(Kind.NEVER, old)
    assert results(day.push(orah_ids=[old])) == []
    assert (day.marks()[0], len(day.writes())) == (ABSENT, 1)


def test_a_push_for_the_old_record_alone_also_asks_the_new_one(day: SchoolDay) -> None:
    old, new = day.orah_id, day.spare_record()
    day.misses(0)
    day.push()
    day.misses(0, new)
    day.link({**day.links, day.student_id: new})
    day.decides(Kind.NEVER, old)
    assert results(day.push(orah_ids=[old])) == ["nothing"]
    assert (day.marks()[0], len(day.writes())) == (ABSENT, 1)


def test_what_a_second_record_of_the_same_student_said_stays_without_a_question(day: SchoolDay) -> None:
    old, new = day.orah_id, day.spare_record()
    day.misses(0)
    day.push()
    day.decides(Kind.MERGE, old)
    day.link({**day.links, day.student_id: new})
    for _ in range(2):
        assert results(day.push(orah_ids=[new])) == ["left"]
        later(day)
    assert (day.marks()[0], day.questions(), len(day.writes())) == (ABSENT, [], 1)


# --- a landing that was late


LOST = Fault(FaultKind.REQUEST_LOST, path="*/attendance/*", method="PATCH")


@contextmanager
def trouble(day: SchoolDay, fault: Fault) -> Iterator[None]:
    day.sandbox.add_fault(fault)
    yield
    day.sandbox.clear_faults()


@pytest.mark.parametrize("pushed_between", [True, False])
def test_a_mark_that_landed_late_is_ours(day: SchoolDay, *, pushed_between: bool) -> None:
    leave = on_pass(day)
    with trouble(day, LOST):
        assert results(day.push()) == ["failed"]
    assert day.marks()[0] == PRESENT
    day.teacher_marks(0, *ABSENT)  # what had been sent arrives
    if pushed_between:
        assert results(day.push()) == ["nothing"]
    cancel(day, leave)
    assert results(day.push()) == ["restored"]
    assert (day.marks()[0], len(day.writes())) == (PRESENT, 1)


def test_what_a_person_set_after_a_lost_mark_is_not_ours(day: SchoolDay) -> None:
    leave = on_pass(day)
    with trouble(day, LOST):
        day.push()
    day.teacher_marks(0, "Absent - Excused", "doctor")
    assert results(day.push()) == ["nothing"]
    cancel(day, leave)
    assert results(day.push()) == []
    assert (day.marks()[0], day.writes()) == (("Absent - Excused", "doctor"), [])


# --- when a row is looked at again


def due(day: SchoolDay) -> int | None:
    """Minutes until the student's day is pushed again; None where it is not."""
    found = pushes_due(day.session.journal, day.session.key, now=datetime(2099, 1, 1, tzinfo=UTC))
    moment = found.get(WEDNESDAY, {}).get(day.orah_id)
    return None if moment is None else round((moment - day.clock.moment).total_seconds() / 60)


def test_what_the_settings_block_is_tried_again(day: SchoolDay) -> None:
    on_pass(day)
    day.sets(absent_status="Away")
    assert results(day.push()) == ["blocked"]
    assert due(day) == 60
    day.sets(absent_status="Absent - Excused")
    later(day, 60)
    assert results(day.push()) == ["written"]
    assert due(day) is None


def test_what_was_blocked_on_an_earlier_day_is_still_told(day: SchoolDay) -> None:
    def told() -> list[str]:
        problems = open_problems(day.session.journal, day.session.key)
        return [one.reason for one in problems if "own list" in one.reason]

    day.takes_roll(day.starts(0) + minutes(2), "Absent", kind="Not Expected")
    assert results(day.push()) == ["blocked"]
    assert len(told()) == 1
    later(day, 24 * 60)
    # As a push does that has read the list for other rows.
    tell_labels(day.session, ())
    assert len(told()) == 1


def test_a_row_that_is_not_there_is_looked_for_until_the_next_day_is_over(day: SchoolDay) -> None:
    on_pass(day)
    held = day.sandbox.school.veracross["list_class_attendance"]
    held.remove(day.lessons[0])
    for days, wait in enumerate((15, 60, None)):
        later(day, 24 * 60 if days else 0)
        assert results(day.push()) == ["no_row"]
        assert due(day) == wait
        told = [one.reason for one in open_problems(day.session.journal, day.session.key)]
        assert [one for one in told if "no attendance row" in one] == told
        assert len(told) == (days > 0)
