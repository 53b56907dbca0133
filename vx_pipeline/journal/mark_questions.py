"""Questions about marks that only a person may answer: keep theirs, or use ours.

A push asks when a person has marked the row, or when it would write too many marks at once. An answer is about
what was seen: ``use_ours`` holds while the row and Orah still say the same, and for one write; ``keep_theirs`` as
long as Orah says the same. ``mark_answers`` gives and looks up answers.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.mark_tables import mark_answers, mark_questions
from vx_pipeline.journal.marks import Mark, Place

Kind = Literal["conflict", "budget"]


NEWEST_ANSWERS = (
    select(mark_answers)
    .where(
        mark_answers.c.number.in_(select(func.max(mark_answers.c.number)).group_by(mark_answers.c.question))
    )
    .subquery()
)
"""The newest answer to each question."""


class Answer(StrEnum):
    """What a person said: the row stays as it is, or Orah's word is written."""

    KEEP_THEIRS = "keep_theirs"
    USE_OURS = "use_ours"


@dataclass(frozen=True)
class Question:
    """One row about which a person is asked.

    Args:
        kind: ``conflict`` where a person marked the row, ``budget`` where too many marks were to be written.
        place: which student in which meeting.
        theirs: the row as it was read.
        ours: what Orah's word would make of it.
        changed_at: when the row was last modified, as Veracross says; it does not say by whom.
        told: labels and words for the page: ``theirs``, ``ours``, ``class``, ``teacher``, ``starts_at``, ``cause``;
            may hold names.
        reason: why it was not written, in plain words.
        cause: what Orah says, as ``Wanted.cause`` words it, so that an answer counts for just this; None where an
            earlier version asked.
    """

    kind: Kind
    place: Place
    theirs: Mark
    ours: Mark
    changed_at: datetime | None
    told: Mapping[str, str] = field(repr=False)
    reason: str = ""
    cause: str | None = None


@dataclass(frozen=True)
class OpenQuestion:
    """A question in time. ``answer`` is the newest one; the question closes when a push has taken it in."""

    number: int
    question: Question
    opened_at: datetime
    seen_at: datetime
    answer: Answer | None
    answer_number: int | None
    actor: str | None
    answered_at: datetime | None


def ask(
    journal: Journal, school: str, questions: Iterable[Question], *, covered: Collection[int], at: datetime
) -> list[int]:
    """Takes in all questions of a push: opens, keeps, and closes those it does not ask any more.

    Args:
        journal: the open journal.
        school: the school's key.
        questions: all that the push asks.
        covered: the attendance rows that the push looked at; questions about others stay.
        at: now.

    Returns:
        The numbers of the questions that are new.
    """
    wanted = {question.theirs.attendance_id: question for question in questions}
    new = []
    with journal.begin_alone() as connection:
        rows = set(covered) | set(wanted)
        for number, before, answered in _open(connection, school, rows):
            question = wanted.get(before.theirs.attendance_id)
            if question is not None and _same(before, question):
                # One that an earlier version asked has no cause yet.
                _change(connection, number, seen_at=at, cause=question.cause or before.cause)
                del wanted[before.theirs.attendance_id]
            else:
                closed_as = "answered" if answered else "replaced" if question else "settled"
                _change(connection, number, closed_at=at, closed_as=closed_as)
        for question in wanted.values():
            inserted = connection.execute(
                insert(mark_questions).values(_values(school, question, at))
            ).inserted_primary_key
            assert inserted is not None
            new.append(int(inserted[0]))
    return new


def close_days_before(journal: Journal, school: str, day: date, *, at: datetime) -> None:
    """Closes questions about days that lie outside every edit window, where no answer is carried out any more."""
    with journal.begin_alone() as connection:
        connection.execute(
            update(mark_questions)
            .where(
                mark_questions.c.school == school,
                mark_questions.c.attendance_date < day,
                mark_questions.c.closed_at.is_(None),
            )
            .values(closed_at=at, closed_as="expired")
        )


def open_questions(journal: Journal, school: str) -> list[OpenQuestion]:
    """The questions that no push has closed, newest day first, then by class and student."""
    query = (
        with_answers(school)
        .where(mark_questions.c.closed_at.is_(None))
        .order_by(
            mark_questions.c.attendance_date.desc(), mark_questions.c.class_id, mark_questions.c.student_id
        )
    )
    with journal.begin() as connection:
        return [question_in_time(row) for row in connection.execute(query).mappings()]


def answered_days(journal: Journal, school: str) -> dict[date, tuple[tuple[int, int], ...]]:
    """Days with answers that no push has taken in: of each the student's id in Orah, and the answer's number."""
    days: dict[date, list[tuple[int, int]]] = {}
    for one in open_questions(journal, school):
        if one.answer_number is not None:
            place = one.question.place
            days.setdefault(place.attendance_date, []).append((place.orah_id, one.answer_number))
    return {day: tuple(sorted(found)) for day, found in sorted(days.items())}


def with_answers(school: str) -> Select[Any]:
    """Every question of a school with its newest answer, if it has one."""
    return (
        select(
            mark_questions,
            NEWEST_ANSWERS.c.number.label("answer_number"),
            NEWEST_ANSWERS.c.answer,
            NEWEST_ANSWERS.c.actor,
            NEWEST_ANSWERS.c.at.label("answered_at"),
        )
        .outerjoin(NEWEST_ANSWERS, NEWEST_ANSWERS.c.question == mark_questions.c.number)
        .where(mark_questions.c.school == school)
    )


def _open(
    connection: Connection, school: str, attendance_ids: Collection[int]
) -> list[tuple[int, Question, bool]]:
    query = with_answers(school).where(mark_questions.c.closed_at.is_(None))
    return [
        (row["number"], _question(row), row["answer"] is not None)
        for row in connection.execute(query).mappings()
        if row["attendance_id"] in attendance_ids
    ]


def _same(before: Question, after: Question) -> bool:
    """Whether a person who saw the one has seen the other."""
    if None not in (before.cause, after.cause) and before.cause != after.cause:
        return False
    return (before.kind, before.theirs, before.ours.status) == (after.kind, after.theirs, after.ours.status)


def _change(connection: Connection, number: int, **values: object) -> None:
    connection.execute(update(mark_questions).where(mark_questions.c.number == number).values(**values))


def _values(school: str, question: Question, at: datetime) -> dict[str, Any]:
    return {
        "school": school,
        "kind": question.kind,
        "attendance_id": question.theirs.attendance_id,
        **vars(question.place),
        "theirs_status": question.theirs.status,
        "theirs_notes": question.theirs.notes,
        "ours_status": question.ours.status,
        "ours_notes": question.ours.notes,
        "cause": question.cause,
        "changed_at": question.changed_at,
        "told": dict(question.told),
        "reason": question.reason,
        "opened_at": at,
        "seen_at": at,
    }


def _question(row: RowMapping) -> Question:
    attendance_id = row["attendance_id"]
    return Question(
        kind=row["kind"],
        place=Place(**{name: row[name] for name in Place.__dataclass_fields__}),
        theirs=Mark(attendance_id, row["theirs_status"], row["theirs_notes"], ours=False),
        ours=Mark(attendance_id, row["ours_status"], row["ours_notes"], ours=True),
        changed_at=row["changed_at"],
        told=row["told"],
        reason=row["reason"],
        cause=row["cause"],
    )


def question_in_time(row: RowMapping) -> OpenQuestion:
    """A row of ``with_answers``."""
    return OpenQuestion(
        number=row["number"],
        question=_question(row),
        opened_at=row["opened_at"],
        seen_at=row["seen_at"],
        answer=Answer(row["answer"]) if row["answer"] else None,
        answer_number=row["answer_number"],
        actor=row["actor"],
        answered_at=row["answered_at"],
    )
