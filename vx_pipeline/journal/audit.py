"""Who looked at whom, and who did what, on the way to a decision. Rows are only ever added."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.matching_tables import audit


@dataclass(frozen=True)
class View:
    """One look or deed.

    Args:
        number: the order over all schools.
        at: when.
        actor: who.
        action: ``view``, ``search``, ``decide``, ``undo``, ``login``, ``login refused``, ``export``, ...
        subject: a case or ids; never a name, never a text that somebody typed.
    """

    number: int
    school: str
    at: datetime
    actor: str
    action: str
    subject: str


def record_view(
    journal: Journal, *, school: str, actor: str, action: str, subject: str, at: datetime
) -> None:
    """Notes a look or deed; see ``View`` for what may stand in it."""
    with journal.begin() as connection:
        add_view(connection, school=school, actor=actor, action=action, subject=subject, at=at)


def add_view(
    connection: Connection, *, school: str, actor: str, action: str, subject: str, at: datetime
) -> None:
    """Notes a look or deed in a transaction that is under way, so that both are kept or neither."""
    values = {"school": school, "actor": actor, "action": action, "subject": subject, "at": at}
    connection.execute(insert(audit).values(**values))


def audit_trail(journal: Journal, school: str, limit: int = 200, before: int | None = None) -> list[View]:
    """The newest looks and deeds first; with ``before``, those with a smaller number, for the next page."""
    query = select(audit).where(audit.c.school == school).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    with journal.begin() as connection:
        return [
            View(**{name: row[name] for name in View.__dataclass_fields__})
            for row in connection.execute(query).mappings()
        ]
