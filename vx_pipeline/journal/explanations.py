"""What the newest plan of a school saw of each person, in sentences: the answer to "why", without the warehouse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.ledger import LARGEST_ID
from vx_pipeline.journal.sync_tables import explanations


@dataclass(frozen=True)
class Explanation:
    """What one plan saw of one person.

    Args:
        at: the moment of that plan.
        told: topic -> sentences; with ids, days and the school's own labels, without names.
    """

    at: datetime
    told: Mapping[str, Sequence[str]] = field(repr=False)


def record_explanations(
    journal: Journal, school: str, told: Mapping[int, Mapping[str, Sequence[str]]], at: datetime
) -> None:
    """Replaces the explanations of a school, in one transaction.

    Args:
        journal: the open journal.
        school: the school's key.
        told: Veracross id -> topic -> sentences. Who is not among them is not known any more.
        at: the moment of the plan.
    """
    # Before the transaction: whoever decides meanwhile waits only for the writing.
    rows = [
        {
            "school": school,
            "veracross_id": person,
            "at": at,
            "told": {topic: list(sentences) for topic, sentences in topics.items()},
        }
        for person, topics in told.items()
    ]
    with journal.begin_alone() as connection:
        connection.execute(delete(explanations).where(explanations.c.school == school))
        if rows:
            connection.execute(insert(explanations), rows)


def get_explanation(journal: Journal, school: str, veracross_id: int) -> Explanation | None:
    """What the newest plan saw of a person; None when it saw nobody with this id."""
    if not 0 < veracross_id <= LARGEST_ID:
        return None
    query = select(explanations.c.at, explanations.c.told).where(
        explanations.c.school == school, explanations.c.veracross_id == veracross_id
    )
    with journal.begin() as connection:
        row = connection.execute(query).first()
    return Explanation(row.at, row.told) if row else None


def explained_at(journal: Journal, school: str) -> datetime | None:
    """The moment of the plan that the explanations of a school are from; None before the first one."""
    query = select(func.max(explanations.c.at)).where(explanations.c.school == school)
    with journal.begin() as connection:
        found: datetime | None = connection.execute(query).scalar()
    return found
