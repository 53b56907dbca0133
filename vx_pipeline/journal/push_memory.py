"""What one push leaves to the next: marks in doubt, days without a match, ids of passes, and when to look again."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, insert, select, update

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.mark_tables import due_pushes, known_passes, mark_doubts, unmatched_days

_MAY_GROW = timedelta(days=2)
"""How long after the end that was read last a pass is read again, in case somebody has prolonged it."""


_FORGOTTEN = timedelta(days=30)
"""How long before the edit window a pass must have been seen last, by its id or read, to be forgotten."""


def doubted_since(journal: Journal, school: str, attendance_id: int, *, at: datetime) -> datetime:
    """Since when the evidence of a mark of ours has been missing; noted as now where it was there before."""
    key = (mark_doubts.c.school == school, mark_doubts.c.attendance_id == attendance_id)
    with journal.begin_alone() as connection:
        since: datetime | None = connection.execute(select(mark_doubts.c.since).where(*key)).scalar()
        if since is None:
            connection.execute(
                insert(mark_doubts).values(school=school, attendance_id=attendance_id, since=at)
            )
    return since or at


def trust_again(journal: Journal, school: str, attendance_ids: Collection[int]) -> None:
    """Forgets the doubts about these rows: their evidence is there again, or they are not ours any more."""
    with journal.begin() as connection:
        connection.execute(
            delete(mark_doubts).where(
                mark_doubts.c.school == school, mark_doubts.c.attendance_id.in_(attendance_ids)
            )
        )


def note_unmatched(
    journal: Journal, school: str, day: date, orah_ids: Iterable[int], *, at: datetime
) -> None:
    """Remembers whose time away on a day could not be pushed, because the record is nobody's yet."""
    rows = [{"school": school, "orah_id": one, "day": day, "seen_at": at} for one in sorted(set(orah_ids))]
    with journal.begin_alone() as connection:
        known = connection.execute(
            select(unmatched_days.c.orah_id).where(
                unmatched_days.c.school == school, unmatched_days.c.day == day
            )
        ).scalars()
        seen = set(known)
        if new := [row for row in rows if row["orah_id"] not in seen]:
            connection.execute(insert(unmatched_days), new)


def forget_unmatched(journal: Journal, school: str, day: date, orah_ids: Collection[int]) -> None:
    """Takes out students whose day was pushed with a link."""
    with journal.begin() as connection:
        connection.execute(
            delete(unmatched_days).where(
                unmatched_days.c.school == school,
                unmatched_days.c.day == day,
                unmatched_days.c.orah_id.in_(orah_ids),
            )
        )


def days_without_match(journal: Journal, school: str, *, first: date) -> dict[int, tuple[date, ...]]:
    """By Orah id, the days from ``first`` on that wait for a link."""
    query = (
        select(unmatched_days.c.orah_id, unmatched_days.c.day)
        .where(unmatched_days.c.school == school, unmatched_days.c.day >= first)
        .order_by(unmatched_days.c.orah_id, unmatched_days.c.day)
    )
    found: dict[int, tuple[date, ...]] = {}
    with journal.begin() as connection:
        for orah_id, day in connection.execute(query):
            found[orah_id] = (*found.get(orah_id, ()), day)
    return found


def note_pass(
    journal: Journal,
    school: str,
    leave_id: int,
    *,
    at: datetime,
    orah_id: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> None:
    """Remembers a pass by its id, with what was read of it; what is not known leaves what was known before."""
    key = (known_passes.c.school == school, known_passes.c.leave_id == leave_id)
    read = {"orah_id": orah_id, "starts_at": starts_at, "ends_at": ends_at} if orah_id is not None else {}
    with journal.begin_alone() as connection:
        if connection.execute(select(known_passes.c.leave_id).where(*key)).first() is None:
            connection.execute(
                insert(known_passes).values(school=school, leave_id=leave_id, seen_at=at, **read)
            )
        else:
            connection.execute(update(known_passes).where(*key).values(seen_at=at, **read))


def passes_to_read(
    journal: Journal,
    school: str,
    *,
    first: datetime,
    last: datetime,
    orah_ids: Collection[int] | None = None,
) -> dict[int, int | None]:
    """The known passes that may reach into a time, or may have been prolonged into it: whose, by id of the pass.

    Args:
        journal: the open journal.
        school: the school's key.
        first: its begin.
        last: its end.
        orah_ids: only passes of these students, and those of whom it is not known yet; all without it.
    """
    query = select(known_passes).where(known_passes.c.school == school).order_by(known_passes.c.leave_id)
    with journal.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return {
        row["leave_id"]: row["orah_id"]
        for row in rows
        if (row["starts_at"] is None or row["starts_at"] <= last)
        and (row["ends_at"] is None or row["ends_at"] >= first - _MAY_GROW)
        and (orah_ids is None or row["orah_id"] is None or row["orah_id"] in orah_ids)
    }


def plan_push(
    journal: Journal,
    school: str,
    day: date,
    due: Mapping[int, datetime],
    *,
    looked_at: Collection[int] | None,
) -> None:
    """Notes when the day of which students is to be pushed again, instead of what was noted before.

    Args:
        journal: the open journal.
        school: the school's key.
        day: the day.
        due: the moment by Orah id.
        looked_at: the students that the push covered; all without it. Of others nothing changes.
    """
    before = delete(due_pushes).where(due_pushes.c.school == school, due_pushes.c.day == day)
    if looked_at is not None:
        before = before.where(due_pushes.c.orah_id.in_(looked_at))
    rows = [
        {"school": school, "day": day, "orah_id": one, "due_at": moment}
        for one, moment in sorted(due.items())
    ]
    with journal.begin_alone() as connection:
        connection.execute(before)
        if rows:
            connection.execute(insert(due_pushes), rows)


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


def forget_days_before(journal: Journal, school: str, day: date) -> None:
    """Drops what is remembered of days that lie outside every edit window, and of passes not seen for a month."""
    with journal.begin() as connection:
        for table in (unmatched_days, due_pushes):
            connection.execute(delete(table).where(table.c.school == school, table.c.day < day))
        # A pass that is gone or malformed would otherwise be asked for in every push for ever.
        long_ago = datetime.combine(day, time.min, tzinfo=UTC) - _FORGOTTEN
        connection.execute(
            delete(known_passes).where(known_passes.c.school == school, known_passes.c.seen_at < long_ago)
        )
