"""What one push leaves to the next: marks in doubt, days without a match, and ids of passes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, insert, select, update

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.mark_tables import due_pushes, known_passes, mark_doubts, unmatched_days

_MAY_GROW = timedelta(days=2)
"""How long after the end that was read last a pass is read again, in case somebody has prolonged it."""


_FORGOTTEN = timedelta(days=30)
"""How long before the edit window a pass must have been seen last, by its id or read, to be forgotten."""


@dataclass(frozen=True)
class KnownPass:
    """A pass as it was read last; all but its id is None until it was, and the end where it has none."""

    leave_id: int
    orah_id: int | None
    starts_at: datetime | None
    ends_at: datetime | None


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
    return {
        one.leave_id: one.orah_id
        for one in passes_known(journal, school, first=first, last=last)
        if orah_ids is None or one.orah_id is None or one.orah_id in orah_ids
    }


def passes_known(journal: Journal, school: str, *, first: datetime, last: datetime) -> list[KnownPass]:
    """The known passes that may reach into a time, as they were read last, in the order of their ids."""
    query = select(known_passes).where(known_passes.c.school == school).order_by(known_passes.c.leave_id)
    with journal.begin() as connection:
        rows = connection.execute(query).mappings().all()
    found = [KnownPass(**{name: row[name] for name in KnownPass.__dataclass_fields__}) for row in rows]
    return [
        one
        for one in found
        if (one.starts_at is None or one.starts_at <= last)
        and (one.ends_at is None or one.ends_at >= first - _MAY_GROW)
    ]


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
