"""Missed meetings: which class meetings time away covers, and how much of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from vx_pipeline.attendance.absences import Away
from vx_pipeline.warehouse.derive import derive


@dataclass(frozen=True, order=True)
class Meeting:
    """A class meeting that a student belonged in. Moments are aware, UTC; ``block_id`` is a code."""

    class_id: int
    date: date
    block_id: str | None
    student_id: int
    orah_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Missed:
    """A meeting of which a student was away for some time until now.

    Args:
        meeting: the meeting.
        share: the share of it, 0 to 1.
        share_on_pass: the share that a pass covers.
        came_late: whether the student was away when it began, and came before it ended.
        longest: the period that covers most of it.
    """

    meeting: Meeting
    share: float
    share_on_pass: float
    came_late: bool
    longest: Away


def student_meetings(
    connection: duckdb.DuckDBPyConnection,
    *,
    first: date,
    last: date,
    zone: ZoneInfo,
    orah_ids: Collection[int] | None = None,
) -> list[Meeting]:
    """Builds ``attendance.student_meetings`` for the days from ``first`` to ``last`` and returns its rows.

    Args:
        connection: the warehouse, in a transaction.
        first: the first day.
        last: the last day.
        zone: the school's time zone.
        orah_ids: whose meetings are returned; all without it.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS attendance")
    derive(
        connection,
        "vx_pipeline.attendance",
        "student_meetings",
        {"first": first, "last": last, "zone": zone.key},
    )
    rows = connection.execute(
        """
        SELECT class_id, date, block_id, student_id, orah_id, starts_at, ends_at
        FROM attendance.student_meetings
        WHERE starts_at < ends_at
        """
    ).fetchall()
    return sorted(
        Meeting(class_id, day, block, student, orah_id, starts.replace(tzinfo=UTC), ends.replace(tzinfo=UTC))
        for class_id, day, block, student, orah_id, starts, ends in rows
        if orah_ids is None or orah_id in orah_ids
    )


def missed_meetings(periods: Iterable[Away], meetings: Iterable[Meeting], *, now: datetime) -> list[Missed]:
    """The meetings of which a student was away for any time.

    Somebody who is still away is known to be away until ``now`` only: a meeting that has not taken place is not
    missed yet.
    """
    by_student = _by_student(periods)
    missed = []
    for meeting in sorted(meetings, key=_order):
        parts = [(one, _overlap(one, meeting, now)) for one in by_student[meeting.orah_id]]
        parts = [(one, part) for one, part in parts if part]
        if not parts:
            continue
        length = meeting.ends_at - meeting.starts_at
        away = sum((part for _, part in parts), start=timedelta())
        on_pass = sum((part for one, part in parts if one.pass_type), start=timedelta())
        longest = max(parts, key=lambda one: (one[1], one[0].start))[0]
        missed.append(
            Missed(meeting, away / length, on_pass / length, _came_late(parts, meeting, now), longest)
        )
    return missed


def next_due(
    periods: Iterable[Away], meetings: Iterable[Meeting], *, now: datetime, absent_share: float
) -> dict[int, datetime]:
    """By Orah id, the next moment at which somebody who is away will have missed enough of a meeting.

    Until then there is nothing to write about it, and no new movement will say when there is.
    """
    by_student = _by_student(periods)
    due: dict[int, datetime] = {}
    for meeting in meetings:
        needed = absent_share * (meeting.ends_at - meeting.starts_at)
        lasting = [one for one in by_student[meeting.orah_id] if one.end is None or one.end > now]
        if not lasting or meeting.ends_at <= now:
            continue
        gone = sum((_overlap(one, meeting, now) for one in by_student[meeting.orah_id]), start=timedelta())
        moment = max(now, meeting.starts_at, *(one.start for one in lasting)) + (needed - gone)
        if now < moment <= meeting.ends_at and moment < due.get(meeting.orah_id, moment + timedelta(1)):
            due[meeting.orah_id] = moment
    return due


def _by_student(periods: Iterable[Away]) -> dict[int, list[Away]]:
    found: dict[int, list[Away]] = defaultdict(list)
    for period in periods:
        found[period.orah_id].append(period)
    return found


def _order(meeting: Meeting) -> tuple[int, date, str, int, datetime]:
    # A block may be unknown, and None has no order.
    return meeting.class_id, meeting.date, meeting.block_id or "", meeting.student_id, meeting.starts_at


def _came_late(parts: Sequence[tuple[Away, timedelta]], meeting: Meeting, now: datetime) -> bool:
    """Away from the very start, and back since: who is still away has not come."""
    until = meeting.starts_at
    for period, _ in sorted(parts, key=lambda one: one[0].start):
        if period.start > until:
            break
        if period.end is None or period.end > now:
            return False
        until = max(until, period.end)
    return meeting.starts_at < until < meeting.ends_at


def _overlap(period: Away, meeting: Meeting, now: datetime) -> timedelta:
    end = min(period.end or now, now, meeting.ends_at)
    return max(end - max(period.start, meeting.starts_at), timedelta())
