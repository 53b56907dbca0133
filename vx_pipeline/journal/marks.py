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


def first_mark(journal: Journal, school: str, attendance_id: int) -> Mark | None:
    """What the row held before we ever touched it, or None if we never saw it."""
    return _one(journal, school, attendance_id, newest=False)


def last_mark(journal: Journal, school: str, attendance_id: int) -> Mark | None:
    """The row's base: what we last wrote, or first saw. None if we never saw it."""
    return _one(journal, school, attendance_id, newest=True)


def _one(journal: Journal, school: str, attendance_id: int, *, newest: bool) -> Mark | None:
    order = marks.c.mark_id.desc() if newest else marks.c.mark_id.asc()
    query = (
        select(marks)
        .where(marks.c.school == school, marks.c.attendance_id == attendance_id)
        .order_by(order)
        .limit(1)
    )
    with journal.begin() as connection:
        row = connection.execute(query).mappings().first()
    return Mark(row["attendance_id"], row["status"], row["notes"], row["ours"]) if row else None
