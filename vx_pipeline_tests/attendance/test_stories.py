"""Stories of single days: right rows, right values, one write each, and no teacher's mark lost."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from vx_pipeline.journal.mark_questions import Answer, answer_questions, open_questions
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.attendance.school_day import MARKER, SchoolDay, minutes, school_day
from vx_pipeline_tests.conftest import SandboxFactory

WEDNESDAY = date(2026, 11, 18)
PRESENT, ABSENT, LATE = ("Present", None), ("Absent - Excused", MARKER), ("Late", MARKER)


@pytest.fixture
def day(
    make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SchoolDay]:
    with school_day(make_sandbox(20, today=WEDNESDAY), tmp_path / "vx", monkeypatch, WEDNESDAY) as found:
        yield found


def results(pushed: object) -> list[str]:
    return [update.result for update in pushed.updates]  # type: ignore[attr-defined]


def test_a_student_leaves_in_the_middle_of_a_lesson_and_comes_back(day: SchoolDay) -> None:
    day.session.rules = day.session.rules.model_copy(update={"away_places": ("Health Center",)})
    day.moves("Health Center", day.starts(1) + minutes(5))
    day.moves("Academic Building", day.ends(1) - minutes(5))
    assert results(day.push()) == ["written"]
    assert day.marks() == [PRESENT, ABSENT, PRESENT]
    assert results(day.push()) == ["nothing"]
    assert len(day.writes()) == 1


def test_a_short_way_out_in_the_middle_is_no_mark_and_coming_late_is_late(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) + minutes(20))
    day.moves("Academic Building", day.starts(0) + minutes(35))
    day.moves("Town", day.starts(1) - minutes(10))
    day.moves("Academic Building", day.starts(1) + minutes(10))
    assert results(day.push()) == ["written"]
    assert day.marks() == [PRESENT, LATE, PRESENT]


def test_a_pass_over_three_lessons_of_which_one_is_cancelled(day: SchoolDay) -> None:
    leave = day.gets_pass(day.starts(0) - minutes(10), day.ends(2) + minutes(10))
    day.moves("Town", day.starts(0) - minutes(10), leave_id=leave)
    day.sandbox.hands.cancel_class(
        {"internal_class_id": day.lessons[1]["internal_class_id"], "date": WEDNESDAY.isoformat()}
    )
    # What was landed in the morning still has the lesson.
    assert sorted(results(day.push())) == ["no_row", "written", "written"]
    assert day.marks() == [ABSENT, ABSENT]


def test_a_cancelled_pass_is_taken_back_and_the_row_is_as_it_was(day: SchoolDay) -> None:
    leave = day.gets_pass(day.starts(0), day.ends(1))
    moved = day.moves("Town", day.starts(0), leave_id=leave)
    day.moves("Academic Building", day.ends(1))
    day.push()
    assert day.marks() == [ABSENT, ABSENT, PRESENT]
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    day.sandbox.hands.delete_move(moved)
    assert results(day.push()) == ["waiting", "waiting"]
    assert day.marks() == [ABSENT, ABSENT, PRESENT]
    day.at(day.clock.moment + minutes(6))
    assert results(day.push()) == ["restored", "restored"]
    assert day.marks() == [PRESENT, PRESENT, PRESENT]
    assert results(day.push()) == []
    assert len(day.writes()) == 4


def test_a_teacher_who_edits_between_two_pushes_keeps_the_mark_and_a_person_decides(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) - minutes(1))
    day.moves("Academic Building", day.starts(0) + minutes(10))
    day.push()
    assert day.marks()[0] == LATE
    day.teacher_marks(0, "Absent - Unexcused", "not seen")
    day.moves("Town", day.starts(0) + minutes(11))
    assert "conflict" in results(day.push())
    assert day.marks()[0] == ("Absent - Unexcused", "not seen")
    (question,) = [
        one for one in open_questions(day.session.journal, SANDBOX) if one.question.kind == "conflict"
    ]
    assert question.question.told["theirs"] == "Absent - Unexcused"
    assert question.question.told["ours"] == "Absent - Excused"
    answer_questions(
        day.session.journal,
        SANDBOX,
        [question.number],
        answer=Answer.USE_OURS,
        actor="R. Quill",
        via="page",
        at=day.session.now(),
    )
    day.push()
    assert day.marks()[0] == ("Absent - Excused", f"not seen {MARKER}")
    assert open_questions(day.session.journal, SANDBOX) == []
    day.teacher_marks(0, "Absent - Unexcused", "not seen")
    day.push()
    # The answer was for one write: the teacher's newer mark is asked about anew.
    assert day.marks()[0] == ("Absent - Unexcused", "not seen")
