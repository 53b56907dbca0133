"""Questions about marks of the small school, as pushes would have asked them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vx_pipeline.journal import Journal
from vx_pipeline.journal.mark_questions import Kind, Question, ask
from vx_pipeline.journal.marks import Mark, Place
from vx_pipeline_tests.review.planned import HOSTILE
from vx_pipeline_tests.review.school import SCHOOL

DAY = date(2026, 11, 24)
DAY_BEFORE = date(2026, 11, 23)
CHANGED_AT = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
TOO_MANY = "more than 100 marks would have been written within an hour; a person looks first"
CODES = {"Present": "1", "Absent - Excused": "2", "Absent - Unexcused": "3", "Late": "4", "": None}

NOBODY_KNOWS = 90_001
"""A student whom the newest matching did not see."""


def question(
    row: int,
    student_id: int,
    theirs: str,
    ours: str,
    *,
    kind: Kind = "conflict",
    day: date = DAY,
    notes: str | None = None,
    ours_notes: str | None = "[via Orah]",
    changed_at: datetime | None = CHANGED_AT,
    reason: str = "a teacher has marked the row",
    told: Mapping[str, str] | None = None,
) -> Question:
    """A question about the attendance row of this id; ``theirs`` and ``ours`` are labels."""
    said = {"class": "Algebra II", "teacher": "Olive Trask", "at": "08:00 to 08:45", "cause": "Town"}
    said |= told or {}
    return Question(
        kind=kind,
        place=Place(student_id, 60_000 + student_id % 1000, 8905, day, "1"),
        theirs=Mark(row, CODES[theirs], notes, ours=False),
        ours=Mark(row, CODES[ours], ours_notes, ours=True),
        changed_at=changed_at if kind == "conflict" else None,
        told={"theirs": theirs, "ours": ours, **said},
        reason=TOO_MANY if kind == "budget" else reason,
    )


def school_questions(held: int = 4) -> list[Question]:
    """Two conflicts, one of them with a note; held rows of two days; one that goes back to no mark."""
    common: dict[str, Any] = {"kind": "budget"}
    return [
        question(
            1,
            101,
            "Absent - Unexcused",
            "Absent - Excused",
            notes="not seen",
            ours_notes="not seen [via Orah]",
        ),
        question(
            2,
            20_001,
            "Late",
            "Absent - Excused",
            reason="a person changed the row since we first saw it",
            changed_at=None,
            told={"teacher": "", "cause": "roll"},
        ),
        *(question(10 + n, 20_002 + n, "Present", "Absent - Excused", **common) for n in range(held)),
        question(100, 102, "Present", "Late", day=DAY_BEFORE, told={"cause": "movement"}, **common),
        question(
            101,
            NOBODY_KNOWS,
            "Absent - Excused",
            "",
            day=DAY_BEFORE,
            notes="[via Orah]",
            ours_notes=None,
            told={"cause": "Orah no longer says so", "class": "", "teacher": "", "at": ""},
            **common,
        ),
    ]


def hostile_question() -> Question:
    """One whose every text is a script."""
    told = dict.fromkeys(("class", "teacher", "at", "cause"), HOSTILE)
    return question(1, 101, "Late", "Present", notes=HOSTILE, ours_notes=HOSTILE, reason=HOSTILE, told=told)


def record_questions(
    journal: Journal,
    questions: Sequence[Question] | None = None,
    *,
    school: str = SCHOOL,
    covered: Sequence[int] = (),
    at: datetime | None = None,
) -> list[int]:
    """A push asks these, those of `school_questions` if none are given; returns the numbers of the new ones."""
    return ask(
        journal,
        school,
        school_questions() if questions is None else questions,
        covered=covered,
        at=at or datetime.now(UTC) - timedelta(minutes=20),
    )
