"""A person's word about a mark: it counts for what was seen, for one write, and is not lost when that fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete

from vx_pipeline.journal.mark_answers import kept_marks
from vx_pipeline.journal.mark_questions import Answer
from vx_pipeline.journal.push_memory import note_pass
from vx_pipeline.journal.tables import outcomes
from vx_pipeline.sandbox import Fault, FaultKind
from vx_pipeline_tests.attendance.school_day import (
    MARKER,
    WEDNESDAY,
    SchoolDay,
    later,
    minutes,
    results,
)

PRESENT, ABSENT = ("Present", None), ("Absent - Excused", MARKER)
PATCH = "*/attendance/*"
LOST = Fault(FaultKind.REQUEST_LOST, path=PATCH, method="PATCH")


@contextmanager
def trouble(day: SchoolDay, fault: Fault) -> Iterator[None]:
    day.sandbox.add_fault(fault)
    yield
    day.sandbox.clear_faults()


def on_pass(day: SchoolDay, lesson: int = 0) -> int:
    """On a pass over a lesson that is over; returns its id."""
    leave = day.gets_pass(day.starts(lesson), day.ends(lesson), status="Ended")
    note_pass(day.session.journal, day.session.key, leave, at=day.session.now())
    return leave


def status(day: SchoolDay, label: str) -> dict[str, Any]:
    lists = day.sandbox.school.value_lists["list_class_attendance"]
    items = next(one["items"] for one in lists if "status" in one["fields"])
    found: dict[str, Any] = next(item for item in items if item["description"] == label)
    return found


# --- a present that a person chose


def teacher_says_present_and_a_person_uses_ours(day: SchoolDay) -> int:
    """Our mark, a teacher's present in its place, and a person who chose Orah's word; returns the pass."""
    leave = on_pass(day)
    assert results(day.push()) == ["written"]
    day.teacher_marks(0, "Present")
    assert results(day.push()) == ["conflict"]
    day.answers(Answer.USE_OURS)
    return leave


def test_a_present_is_kept_after_use_ours_failed_and_was_taken_back(day: SchoolDay) -> None:
    leave = teacher_says_present_and_a_person_uses_ours(day)
    with trouble(day, LOST):
        assert results(day.push()) == ["failed"]
    day.answers(Answer.KEEP_THEIRS)
    day.ends_pass(leave, day.starts(0) + minutes(15))  # Orah says late now
    assert results(day.push()) == ["conflict"]
    assert (day.marks()[0], len(day.writes())) == (PRESENT, 1)


def test_a_present_that_was_replaced_and_given_back_is_still_a_persons(day: SchoolDay) -> None:
    leave = teacher_says_present_and_a_person_uses_ours(day)
    assert results(day.push()) == ["written"]
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    assert results(day.push()) == ["restored"]
    assert day.marks()[0] == PRESENT
    day.takes_roll(day.starts(0) + minutes(2), "Absent")
    assert results(day.push()) == ["conflict"]
    assert (day.marks()[0], len(day.writes())) == (PRESENT, 3)


def forget_outcome(day: SchoolDay) -> None:
    """As if the last write's outcome had not been noted any more: the push was killed."""
    with day.session.journal.begin() as connection:
        newest = max(connection.execute(outcomes.select()).mappings(), key=lambda row: row["intent_id"])
        connection.execute(delete(outcomes).where(outcomes.c.intent_id == newest["intent_id"]))


def interrupted_write_of_an_answer(day: SchoolDay) -> None:
    """A person chose ours over a teacher's late, and the write had not landed when the push was killed."""
    day.teacher_marks(0, "Late")
    later(day)
    on_pass(day)
    assert results(day.push()) == ["conflict"]
    day.answers(Answer.USE_OURS)
    with trouble(day, LOST):
        assert results(day.push()) == ["failed"]
    forget_outcome(day)
    later(day)


def test_an_answer_of_an_interrupted_write_is_not_used_against_a_person_who_put_the_row_back(
    day: SchoolDay,
) -> None:
    interrupted_write_of_an_answer(day)
    # The mark may have been there in between.
    day.teacher_marks(0, "Late")
    assert results(day.push()) == ["conflict"]
    assert (day.marks()[0], day.writes()) == (("Late", None), [])
    (asked,) = day.questions()
    assert asked.answer is None


def test_an_answer_stands_after_an_interruption_where_nobody_touched_the_row(day: SchoolDay) -> None:
    interrupted_write_of_an_answer(day)
    assert results(day.push()) == ["written"]
    assert (day.marks()[0], day.questions(), len(day.writes())) == (ABSENT, [], 1)


def test_a_present_that_a_person_put_back_after_an_interrupted_write_is_theirs(day: SchoolDay) -> None:
    on_pass(day)
    with trouble(day, LOST):
        assert results(day.push()) == ["failed"]
    forget_outcome(day)
    later(day)
    day.teacher_marks(0, "Present")
    for _ in range(2):
        assert results(day.push()) == ["conflict"]
    assert (day.marks()[0], len(day.questions()), day.writes()) == (PRESENT, 1, [])


# --- answers that could not be carried out


def test_an_answer_waits_for_the_label_that_it_needs(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    on_pass(day)
    day.push()
    day.answers(Answer.USE_OURS)
    status(day, "Absent - Excused")["obsolete"] = True
    assert results(day.push()) == ["blocked"]
    assert [one.answer for one in day.questions()] == [Answer.USE_OURS]
    status(day, "Absent - Excused")["obsolete"] = False
    assert results(day.push()) == ["written"]
    assert (day.marks()[0], day.questions()) == (ABSENT, [])


def test_an_answer_waits_for_passes_that_could_not_be_read(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    on_pass(day)
    day.push()
    day.answers(Answer.USE_OURS)
    refused = Fault(FaultKind.STATUS, system="orah", path="*/leave/get-single", status=403, times=None)
    with trouble(day, refused):
        assert results(day.push()) == []
    assert [one.answer for one in day.questions()] == [Answer.USE_OURS]
    assert results(day.push()) == ["written"]
    assert (day.marks()[0], day.questions()) == (ABSENT, [])


def test_a_question_about_a_roll_ends_with_the_rolls_where_a_school_does_without(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    day.takes_roll(day.starts(0) + minutes(2), "Absent")
    assert results(day.push()) == ["conflict"]
    day.sets(rolls=False)
    day.push()
    assert day.questions() == []


def a_roll_still_open(day: SchoolDay) -> None:
    """A class roll of others that nobody has closed yet."""
    entry = {"student_id": day.spare_record(), "status": "Present"}
    day.sandbox.hands.take_roll(
        {"students": [entry], "start_time": day.starts(0).isoformat(), "status": "In Progress"}
    )


def test_a_roll_that_is_still_open_keeps_no_question_about_a_pass(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    leave = on_pass(day)
    assert results(day.push()) == ["conflict"]
    a_roll_still_open(day)
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    day.push()
    assert day.questions() == []


def test_a_roll_that_is_opened_again_keeps_the_question_about_it(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    roll = day.takes_roll(day.starts(0) + minutes(2), "Absent")
    assert results(day.push()) == ["conflict"]
    record = next(one for one in day.sandbox.school.orah["roll"] if one["id"] == roll)
    done = record["status"]
    record["status"] = "In Progress"
    day.push()
    assert len(day.questions()) == 1
    record["status"], record["students"] = done, []
    day.push()
    assert day.questions() == []


# --- a note in our mark


def test_a_note_behind_ours_is_a_question_when_orah_takes_its_word_back(day: SchoolDay) -> None:
    leave = on_pass(day)
    day.push()
    day.teacher_marks(0, "Absent - Excused", f"{MARKER} ok")
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    assert results(day.push()) == ["conflict"]
    (asked,) = day.questions()
    assert (asked.question.told["ours"], asked.question.ours.notes) == ("Present", "ok")
    day.answers(Answer.USE_OURS)
    assert results(day.push()) == ["restored"]
    assert (day.marks()[0], day.questions(), len(day.writes())) == (("Present", "ok"), [], 2)
    assert results(day.push()) == []


def test_a_note_behind_ours_may_be_kept_with_the_mark(day: SchoolDay) -> None:
    leave = on_pass(day)
    day.push()
    day.teacher_marks(0, "Absent - Excused", f"{MARKER} ok")
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    day.push()
    day.answers(Answer.KEEP_THEIRS)
    for _ in range(2):
        assert results(day.push()) == ["kept"]
    assert (day.marks()[0], day.questions()) == (("Absent - Excused", f"{MARKER} ok"), [])


def test_our_own_status_with_a_note_is_not_what_a_row_goes_back_to(day: SchoolDay) -> None:
    leave = on_pass(day)
    day.push()
    day.teacher_marks(0, "Absent - Excused", f"mum called {MARKER}")
    day.ends_pass(leave, day.starts(0) + minutes(15))  # Orah says late now
    assert results(day.push()) == ["conflict"]
    day.answers(Answer.USE_OURS)
    assert results(day.push()) == ["written"]
    assert day.marks()[0] == ("Late", f"mum called {MARKER}")
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    assert results(day.push()) == ["restored"]
    assert day.marks()[0] == ("Present", "mum called")


def test_a_note_behind_our_marker_comes_before_it_and_the_marker_goes_with_the_mark(day: SchoolDay) -> None:
    leave = on_pass(day)
    day.push()
    day.teacher_marks(0, "Absent - Excused", f"{MARKER} ok")
    day.ends_pass(leave, day.starts(0) + minutes(15))  # Orah says late now
    day.push()
    day.answers(Answer.USE_OURS)
    assert results(day.push()) == ["written"]
    assert day.marks()[0] == ("Late", f"ok {MARKER}")
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    assert results(day.push()) == ["restored"]
    assert day.marks()[0] == ("Present", "ok")


# --- thinking again


def test_who_kept_a_row_may_still_use_ours_while_row_and_orah_say_the_same(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    on_pass(day)
    day.push()
    day.answers(Answer.KEEP_THEIRS)
    assert results(day.push()) == ["kept"]
    (kept,) = kept_marks(day.session.journal, day.session.key, first=WEDNESDAY)
    day.answers(Answer.USE_OURS, kept.number)
    assert results(day.push()) == ["written"]
    assert (day.marks()[0], day.questions(), len(day.writes())) == (ABSENT, [], 1)
    assert kept_marks(day.session.journal, day.session.key, first=WEDNESDAY) == []


def test_who_thinks_again_about_a_row_that_has_changed_is_asked_anew(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    on_pass(day)
    day.push()
    day.answers(Answer.KEEP_THEIRS)
    day.push()
    (kept,) = kept_marks(day.session.journal, day.session.key, first=WEDNESDAY)
    day.teacher_marks(0, "Dismissed")
    day.answers(Answer.USE_OURS, kept.number)
    assert results(day.push()) == ["conflict"]
    (asked,) = day.questions()
    assert (asked.answer, asked.question.told["theirs"], day.writes()) == (None, "Dismissed", [])


# --- the cause


def test_another_cause_is_another_question(day: SchoolDay) -> None:
    day.sets(away_places=("Health Center",))
    day.teacher_marks(0, "Late")
    left = day.misses(0)
    assert results(day.push()) == ["conflict"]
    day.answers(Answer.KEEP_THEIRS)
    assert results(day.push()) == ["kept"]
    places = {one["name"]: one["id"] for one in day.sandbox.school.orah["location"]}
    day.sandbox.hands.change_move(left, {"location_id": places["Health Center"]})
    assert results(day.push()) == ["conflict"]
    (asked,) = day.questions()
    assert asked.question.told["cause"] == "Health Center"
    # And back: what was said of that stands.
    day.sandbox.hands.change_move(left, {"location_id": places["Town"]})
    assert results(day.push()) == ["kept"]
    assert (day.marks()[0], day.questions(), day.writes()) == (("Late", None), [], [])


def test_an_answer_about_one_cause_writes_nothing_for_another(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    left = day.misses(0)
    day.push()
    day.answers(Answer.USE_OURS)
    places = {one["name"]: one["id"] for one in day.sandbox.school.orah["location"]}
    day.sandbox.hands.change_move(left, {"location_id": places["Home"]})
    assert results(day.push()) == ["conflict"]
    (asked,) = day.questions()
    assert (asked.answer, asked.question.told["cause"], day.writes()) == (None, "Home", [])
