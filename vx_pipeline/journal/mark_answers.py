"""Answers to questions about marks: who gave them, what stands, and that ``use_ours`` counts for one write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from vx_pipeline.errors import VxError
from vx_pipeline.journal.audit import add_view
from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.mark_questions import (
    NEWEST_ANSWERS,
    Answer,
    OpenQuestion,
    question_in_time,
    with_answers,
)
from vx_pipeline.journal.mark_tables import mark_answers, mark_questions
from vx_pipeline.journal.marks import Mark

Via = Literal["page", "shell"]


@dataclass(frozen=True)
class Word:
    """What a person said about a row, and the number of the question to which they said it."""

    answer: Answer
    question: int


def answer_questions(
    journal: Journal,
    school: str,
    numbers: Sequence[int],
    *,
    answer: Answer,
    actor: str,
    via: Via,
    first: date,
    at: datetime,
) -> int:
    """Records one answer to questions, and who gave it; returns to how many.

    ``use_ours`` may also be said to what ``kept_marks`` lists: the question is open again until a push takes it in.

    Args:
        journal: the open journal.
        school: the school's key.
        numbers: of the questions.
        answer: the word.
        actor: whose it is.
        via: by page or shell.
        first: the first day of the edit window; no push would carry out a word about a kept row of an earlier one.
        at: now.

    Raises:
        VxError: nobody's name was given, or a question is not open any more.
    """
    if not actor.strip():
        raise VxError("A mark needs a named person's word.", kept="Nothing was recorded.")
    wanted = sorted(set(numbers))
    with journal.begin_alone() as connection:
        found = connection.execute(
            select(mark_questions.c.number).where(
                mark_questions.c.school == school,
                mark_questions.c.closed_at.is_(None),
                mark_questions.c.number.in_(wanted),
            )
        ).scalars()
        still_open = set(found)
        again = set(wanted) - still_open if answer is Answer.USE_OURS else set[int]()
        again &= {one.number for one in _kept(connection, school, first)}
        if missing := sorted(set(wanted) - still_open - again):
            raise VxError(
                f"Question {', '.join(map(str, missing))} is not open any more: the row or Orah has changed, "
                "or its day lies before the edit window.",
                kept="Nothing was recorded.",
                remedy="Look at the open questions again.",
            )
        if not wanted:
            return 0
        connection.execute(
            update(mark_questions)
            .where(mark_questions.c.number.in_(again))
            .values(closed_at=None, closed_as=None)
        )
        word = {"answer": answer.value, "actor": actor.strip(), "via": via, "at": at, "school": school}
        connection.execute(insert(mark_answers), [{**word, "question": number} for number in wanted])
        subject = f"marks {', '.join(map(str, wanted))}"
        add_view(connection, school=school, actor=actor.strip(), action=answer.value, subject=subject, at=at)
    return len(wanted)


def standing_answer(journal: Journal, school: str, theirs: Mark, ours: Mark, *, cause: str) -> Word | None:
    """What a person said about just this: Orah's word against the row as it is now.

    ``keep_theirs`` stands against the same word of Orah's, said for the same cause, until another answer is given,
    whatever the row says by then; ``use_ours`` only for the row as it was seen, and until it has been used.

    Args:
        journal: the open journal.
        school: the school's key.
        theirs: the row as it is now.
        ours: what Orah's word would make of it.
        cause: why Orah says so. What an earlier version asked stands against any.
    """
    query = (
        with_answers(school)
        .where(
            mark_questions.c.attendance_id == theirs.attendance_id,
            mark_questions.c.ours_status == ours.status,
            or_(mark_questions.c.cause == cause, mark_questions.c.cause.is_(None)),
            NEWEST_ANSWERS.c.number.is_not(None),
        )
        .order_by(NEWEST_ANSWERS.c.number.desc())
        .limit(1)
    )
    with journal.begin() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    answer = Answer(row["answer"])
    seen = (row["theirs_status"], row["theirs_notes"]) == theirs.values
    if answer is Answer.USE_OURS and (not seen or row["closed_at"] is not None):
        return None
    return Word(answer, row["number"])


def kept_marks(journal: Journal, school: str, *, first: date) -> list[OpenQuestion]:
    """Rows of days from ``first`` on that a person keeps, after a push has taken that in; newest answer first."""
    with journal.begin() as connection:
        return _kept(connection, school, first)


def _kept(connection: Connection, school: str, first: date) -> list[OpenQuestion]:
    """The questions whose answer is the last that was said about their row, and keeps it; those not open again."""
    open_rows = select(mark_questions.c.attendance_id).where(
        mark_questions.c.school == school, mark_questions.c.closed_at.is_(None)
    )
    query = (
        with_answers(school)
        .where(
            NEWEST_ANSWERS.c.number.is_not(None),
            mark_questions.c.attendance_date >= first,
            mark_questions.c.attendance_id.not_in(open_rows),
        )
        .order_by(NEWEST_ANSWERS.c.number.desc())
    )
    newest: dict[int, RowMapping] = {}
    for row in connection.execute(query).mappings():
        newest.setdefault(row["attendance_id"], row)
    return [question_in_time(row) for row in newest.values() if row["answer"] == Answer.KEEP_THEIRS.value]


def use_up(connection: Connection, school: str, question: int, *, at: datetime) -> None:
    """An answer has been carried out, or nobody can tell any more whether it was: it counts for no second write."""
    connection.execute(
        update(mark_questions)
        .where(
            mark_questions.c.school == school,
            mark_questions.c.number == question,
            mark_questions.c.closed_at.is_(None),
        )
        .values(closed_at=at, closed_as="answered")
    )
