"""The base of every attendance row that we may touch: what was there at first, then what we wrote."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.tables import marks


@dataclass(frozen=True)
class Mark:
    """A state of one class attendance row. ``ours`` tells whether we wrote it."""

    attendance_id: int
    status: str | None
    notes: str | None
    ours: bool


def record_mark(journal: Journal, school: str, mark: Mark, *, at: datetime) -> None:
    """Notes a state as the new base of its row."""
    with journal.begin() as connection:
        connection.execute(insert(marks).values(school=school, at=at, **vars(mark)))


def last_mark(journal: Journal, school: str, attendance_id: int) -> Mark | None:
    """The row's base: what we last wrote, or first saw. None if we never saw it."""
    query = (
        select(marks)
        .where(marks.c.school == school, marks.c.attendance_id == attendance_id)
        .order_by(marks.c.mark_id.desc())
        .limit(1)
    )
    with journal.begin() as connection:
        row = connection.execute(query).mappings().first()
    return Mark(row["attendance_id"], row["status"], row["notes"], row["ours"]) if row else None
