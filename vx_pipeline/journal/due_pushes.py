"""When whose day is to be pushed: what time itself brings, what looks and schedules ask for, and what is owed."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, or_, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.mark_tables import due_pushes, last_looks

EVERYBODY = 0
"""In the place of a student's id: all students of a day. No record in Orah has this id."""


def wish_push(
    journal: Journal, school: str, day: date, orah_ids: Iterable[int], *, at: datetime, due_at: datetime
) -> None:
    """Notes that a day of these students is to be pushed now, so that it is even where its run never begins.

    Args:
        journal: the open journal.
        school: the school's key.
        day: the day.
        orah_ids: whose; ``EVERYBODY`` for all.
        at: this moment. A push that had read Orah before it does not take the wish out.
        due_at: when to ask again if no push came through; what was noted for an earlier moment stays so.
    """
    with journal.begin_alone() as connection:
        noted = _noted(connection, school, day)
        for one in sorted(set(orah_ids)):
            before = noted.get(one)
            _note(
                connection,
                school,
                day,
                one,
                due_at=min(due_at, before["due_at"]) if before else due_at,
                wished_at=at,
                owed_since=(before and before["owed_since"]) or at,
            )


def begin_push(
    journal: Journal, school: str, day: date, orah_ids: Iterable[int], *, at: datetime, due_at: datetime
) -> None:
    """Notes that a push has begun, so that these students are due again should it not come to its end."""
    with journal.begin_alone() as connection:
        noted = _noted(connection, school, day)
        for one in sorted(set(orah_ids)):
            before = noted.get(one)
            lies_ahead = before is not None and before["due_at"] > at
            _note(
                connection,
                school,
                day,
                one,
                due_at=min(due_at, before["due_at"]) if before and lies_ahead else due_at,
                wished_at=before and before["wished_at"],
                owed_since=(before and before["owed_since"]) or at,
            )


def plan_push(
    journal: Journal,
    school: str,
    day: date,
    due: Mapping[int, datetime],
    *,
    looked_at: Collection[int] | None,
    read_at: datetime | None = None,
) -> None:
    """Notes when the day of which students is to be pushed again, instead of what was noted before.

    Args:
        journal: the open journal.
        school: the school's key.
        day: the day.
        due: the moment by Orah id.
        looked_at: the students that the push covered; all without it. Of others nothing changes.
        read_at: when the push began to read Orah: what was wished after it stays.
    """
    with journal.begin_alone() as connection:
        noted = _noted(connection, school, day)
        for one, row in noted.items():
            newer = read_at is not None and row["wished_at"] is not None and row["wished_at"] > read_at
            if not newer and (looked_at is None or one in looked_at):
                _forget(connection, school, day, one)
        kept = _noted(connection, school, day)
        for one, moment in sorted(due.items()):
            before = kept.get(one)
            _note(
                connection,
                school,
                day,
                one,
                due_at=min(moment, before["due_at"]) if before else moment,
                wished_at=before and before["wished_at"],
                owed_since=before and before["owed_since"],
            )


def pushes_due(journal: Journal, school: str, *, now: datetime) -> dict[date, dict[int, datetime]]:
    """By day, the students whose push is due, with the moment."""
    query = (
        select(due_pushes.c.day, due_pushes.c.orah_id, due_pushes.c.due_at)
        .where(due_pushes.c.school == school, due_pushes.c.due_at <= now)
        .order_by(due_pushes.c.day, due_pushes.c.orah_id)
    )
    found: dict[date, dict[int, datetime]] = {}
    with journal.begin() as connection:
        for day, orah_id, due_at in connection.execute(query):
            found.setdefault(day, {})[orah_id] = due_at
    return found


def pushes_open(journal: Journal, school: str, day: date, *, now: datetime) -> set[int]:
    """Whose push of a day is due, or was wanted and has not come through."""
    is_open = or_(due_pushes.c.due_at <= now, due_pushes.c.owed_since.is_not(None))
    query = select(due_pushes.c.orah_id).where(
        due_pushes.c.school == school, due_pushes.c.day == day, is_open
    )
    with journal.begin() as connection:
        return set(connection.execute(query).scalars())


def pushes_owed(journal: Journal, school: str, *, before: datetime) -> dict[date, int]:
    """By day, how many pushes were wanted before a moment and have not come through; everybody's is one."""
    query = (
        select(due_pushes.c.day, func.count().label("pushes"))
        .where(due_pushes.c.school == school, due_pushes.c.owed_since < before)
        .group_by(due_pushes.c.day)
        .order_by(due_pushes.c.day)
    )
    with journal.begin() as connection:
        return {row.day: row.pushes for row in connection.execute(query)}


def note_look(journal: Journal, school: str, *, at: datetime) -> None:
    """Notes a look at Orah that went well."""
    with journal.begin_alone() as connection:
        connection.execute(delete(last_looks).where(last_looks.c.school == school))
        connection.execute(insert(last_looks).values(school=school, looked_at=at))


def last_look(journal: Journal, school: str) -> datetime | None:
    """When Orah was last looked at with success; None where it never was."""
    with journal.begin() as connection:
        found: datetime | None = connection.execute(
            select(last_looks.c.looked_at).where(last_looks.c.school == school)
        ).scalar()
    return found


def _noted(connection: Connection, school: str, day: date) -> dict[int, RowMapping]:
    query = select(due_pushes).where(due_pushes.c.school == school, due_pushes.c.day == day)
    return {row["orah_id"]: row for row in connection.execute(query).mappings()}


def _note(connection: Connection, school: str, day: date, orah_id: int, **values: Any) -> None:
    _forget(connection, school, day, orah_id)
    connection.execute(insert(due_pushes).values(school=school, day=day, orah_id=orah_id, **values))


def _forget(connection: Connection, school: str, day: date, orah_id: int) -> None:
    connection.execute(
        delete(due_pushes).where(
            due_pushes.c.school == school, due_pushes.c.day == day, due_pushes.c.orah_id == orah_id
        )
    )
