"""What one push of a day notes for those after it, and what a table and the page show of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vx_pipeline.assets.attendance_push import push_metadata
from vx_pipeline.journal.decisions import Kind
from vx_pipeline.journal.due_pushes import pushes_due
from vx_pipeline.journal.mark_questions import open_questions
from vx_pipeline.journal.push_memory import days_without_match
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.attendance.school_day import WEDNESDAY, SchoolDay, minutes, results
from vx_pipeline_tests.world import rows


def takes_roll(day: SchoolDay, status: str) -> None:
    given = {"student_id": day.orah_id, "status": status}
    day.sandbox.hands.take_roll({"students": [given], "start_time": day.starts(0).isoformat()})


def table(day: SchoolDay, name: str) -> list[dict[str, Any]]:
    with day.session.reading() as connection:
        return rows(connection, f"FROM attendance.{name} ORDER BY ALL")


def due(day: SchoolDay) -> dict[int, datetime]:
    return pushes_due(day.session.journal, SANDBOX, now=datetime(2099, 1, 1, tzinfo=UTC)).get(WEDNESDAY, {})


@pytest.mark.parametrize("status", ["Absent", "Late", "Present"])
def test_what_a_roll_says_of_a_record_that_is_nobodys_waits_for_a_link(day: SchoolDay, status: str) -> None:
    orah_id = day.orah_id
    day.link({})
    takes_roll(day, status)
    waits = status != "Present"
    assert day.push().unmatched == ([orah_id] if waits else [])
    found = days_without_match(day.session.journal, SANDBOX, first=WEDNESDAY)
    assert found == ({orah_id: (WEDNESDAY,)} if waits else {})
    day.link({day.student_id: orah_id})
    day.push(orah_ids=[orah_id])
    assert days_without_match(day.session.journal, SANDBOX, first=WEDNESDAY) == {}
    assert len(day.writes()) == waits


def test_rows_of_a_record_that_the_student_was_taken_for_are_told_once(day: SchoolDay) -> None:
    wrong = day.orah_id
    right = next(one["id"] for one in day.sandbox.school.orah["student"] if one["id"] != wrong)
    day.moves("Town", day.starts(0) - minutes(1))
    day.moves("Academic Building", day.ends(0) + minutes(1))
    day.push()
    day.link({day.student_id: right})
    day.decides(Kind.UNLINK, wrong)
    assert results(day.push(orah_ids=[right])) == ["restored"]
    for _ in range(2):
        day.push(orah_ids=[right])
    assert len(table(day, "planned_updates")) <= 1
    assert len(table(day, "absences")) <= 1


def test_a_day_outside_the_edit_window_keeps_its_rows(day: SchoolDay) -> None:
    day.misses(0)
    day.push()
    before = table(day, "planned_updates"), table(day, "absences")
    day.at(day.clock.moment + timedelta(days=8))
    pushed = day.push()
    assert not pushed.in_window
    assert (table(day, "planned_updates"), table(day, "absences")) == before
    for values in push_metadata(day.session, pushed).values():
        assert values["outside the edit window"] == "the day was not looked at"


def test_the_due_moment_of_a_lesson_is_noted_and_that_push_finds_it_missed(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) - minutes(10))
    day.at(day.starts(0) - minutes(5))
    assert results(day.push()) == []
    middle = day.starts(0) + (day.ends(0) - day.starts(0)) / 2
    assert due(day) == {day.orah_id: middle}
    day.at(middle - minutes(1))
    assert results(day.push()) == []
    day.at(middle)
    assert results(day.push()) == ["written"]
    assert due(day)[day.orah_id] > day.ends(0)


def test_the_planned_end_of_a_pass_is_a_due_moment(day: SchoolDay) -> None:
    end = day.starts(0) + minutes(10)
    leave = day.gets_pass(day.starts(0) - minutes(60), end)
    moved = day.moves("Town", day.starts(0) - minutes(60), leave_id=leave)
    day.at(day.starts(0) - minutes(5))
    day.push()
    day.sandbox.hands.delete_move(moved)  # only the pass is left to tell
    day.push()
    assert due(day) == {day.orah_id: end}
    # Nobody has said that the student is back, who is overdue from now on.
    day.at(end)
    assert results(day.push()) == []
    middle = day.starts(0) + (day.ends(0) - day.starts(0)) / 2
    assert due(day) == {day.orah_id: middle}
    day.at(middle)
    assert results(day.push()) == ["written"]
    assert day.marks()[0][0] == "Absent - Excused"
    day.ends_pass(leave, end)
    assert results(day.push()) == ["written"]
    assert day.marks()[0][0] == "Late"


def test_a_question_that_orah_has_taken_back_is_closed_but_not_by_a_push_of_others(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    moved = day.moves("Town", day.starts(0) - minutes(1))
    day.moves("Academic Building", day.ends(0) + minutes(1))
    assert results(day.push()) == ["conflict"]
    day.sandbox.hands.delete_move(moved)
    day.push(orah_ids=[day.orah_id + 1])
    assert len(open_questions(day.session.journal, SANDBOX)) == 1
    assert results(day.push(orah_ids=[day.orah_id])) == []
    assert open_questions(day.session.journal, SANDBOX) == []


def test_a_question_about_a_day_that_is_not_written_any_more_is_closed(day: SchoolDay) -> None:
    day.teacher_marks(0, "Late")
    day.moves("Town", day.starts(0) - minutes(1))
    day.moves("Academic Building", day.ends(0) + minutes(1))
    assert results(day.push()) == ["conflict"]
    later = day.clock.moment
    for passed, waiting in ((7, 1), (8, 0)):
        day.at(later + timedelta(days=passed))
        day.push()
        assert len(open_questions(day.session.journal, SANDBOX)) == waiting
