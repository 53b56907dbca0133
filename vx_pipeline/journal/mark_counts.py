"""How many questions about marks wait for a person."""

from sqlalchemy import exists, func, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.mark_tables import mark_answers, mark_questions


def count_waiting_marks(journal: Journal, school: str) -> int:
    """The number of open questions that nobody has answered; cheap enough for every page."""
    answered = exists().where(mark_answers.c.question == mark_questions.c.number)
    query = select(func.count()).where(
        mark_questions.c.school == school, mark_questions.c.closed_at.is_(None), ~answered
    )
    with journal.begin() as connection:
        return int(connection.execute(query).scalar_one())
