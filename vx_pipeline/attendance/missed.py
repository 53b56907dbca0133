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
    """A class meeting that a student belonged in. Moments are aware, UTC; ``block_id`` is a code.

    Where attendance is not tracked there is no row to mark; a roll may be taken there all the same.
    """

    class_id: int
    date: date
    block_id: str | None
    student_id: int
    orah_id: int
    starts_at: datetime
    ends_at: datetime
    is_tracked: bool = True


@dataclass(frozen=True)
class Missed:
    """A meeting of which a student was away for some time until now.

    Args:
        meeting: the meeting.
        share: the share of it, 0 to 1.
        share_on_pass: the share that a pass allows.
        share_late: the share from its start until the student came; 0 for who was there, and who has not come.
        periods: those that cover some of it, from the one that covers most.
    """

    meeting: Meeting
    share: float
    share_on_pass: float
    share_late: float
    periods: tuple[Away, ...]


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
        SELECT class_id, date, block_id, student_id, orah_id, starts_at, ends_at, is_tracked
        FROM attendance.student_meetings
        WHERE starts_at < ends_at
        """
    ).fetchall()
    found = (
        Meeting(
            class_id,
            day,
            block,
            student,
            orah_id,
            starts.replace(tzinfo=UTC),
            ends.replace(tzinfo=UTC),
            is_tracked,
        )
        for class_id, day, block, student, orah_id, starts, ends, is_tracked in rows
        if orah_ids is None or orah_id in orah_ids
    )
    return sorted(found, key=_order)


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
        on_pass = sum((part for one, part in parts if one.on_pass), start=timedelta())
        late = _late(by_student[meeting.orah_id], meeting, now)
        parts.sort(key=lambda one: (one[1], one[0].start), reverse=True)
        longest_first = tuple(one for one, _ in parts)
        missed.append(Missed(meeting, away / length, on_pass / length, late / length, longest_first))
    return missed


def next_due(
    periods: Iterable[Away], meetings: Iterable[Meeting], *, now: datetime, absent_share: float
) -> dict[int, datetime]:
    """By Orah id, the next moment at which the time itself changes what there is to say.

    So it is when somebody who is away will have missed enough of a meeting, by all that is known, by passes alone
    or since leaving again, and at the planned end of a pass. Until then there is nothing to write, and no new
    movement will say when there is.
    """
    by_student = _by_student(periods)
    due: dict[int, datetime] = {}
    for meeting in meetings:
        own = by_student[meeting.orah_id]
        moments = [one.end for one in own if one.end and meeting.starts_at < one.end < meeting.ends_at]
        again = [left_after(own, one.end) for one in own if one.end]
        for some in (own, [one for one in own if one.on_pass], *again):
            moments += _reached(some, meeting, absent_share * (meeting.ends_at - meeting.starts_at))
        for moment in moments:
            if now < moment < due.get(meeting.orah_id, moment + timedelta(1)):
                due[meeting.orah_id] = moment
    return due


def left_after(periods: Iterable[Away], moment: datetime) -> list[Away]:
    """A student's periods that began by leaving after a moment, with what they went on as under another name."""
    found = []
    end: datetime | None = None
    has_left = False
    for period in sorted(periods, key=lambda one: one.start):
        if period.start != end:
            has_left = period.start > moment
        if has_left:
            found.append(period)
        end = period.end
    return found


def _reached(periods: Iterable[Away], meeting: Meeting, needed: timedelta) -> list[datetime]:
    """The moment at which so much of a meeting will have been missed; none where it never comes to that."""
    gone = timedelta()
    for period in sorted(periods, key=lambda one: one.start):
        part = _overlap(period, meeting, meeting.ends_at)
        if part and gone + part >= needed:
            return [max(period.start, meeting.starts_at) + needed - gone]
        gone += part
    return []


def _by_student(periods: Iterable[Away]) -> dict[int, list[Away]]:
    found: dict[int, list[Away]] = defaultdict(list)
    for period in periods:
        found[period.orah_id].append(period)
    return found


def _order(meeting: Meeting) -> tuple[int, date, str, int, datetime]:
    # A block may be unknown, and None has no order.
    return meeting.class_id, meeting.date, meeting.block_id or "", meeting.student_id, meeting.starts_at


def _late(periods: Sequence[Away], meeting: Meeting, now: datetime) -> timedelta:
    """How long after the very start the student came: who is still away has not come."""
    until = meeting.starts_at
    for period in sorted(periods, key=lambda one: one.start):
        if period.start > until:
            break
        if period.end is None or period.end > now:
            return timedelta()
        until = max(until, period.end)
    return until - meeting.starts_at if until < meeting.ends_at else timedelta()


def _overlap(period: Away, meeting: Meeting, now: datetime) -> timedelta:
    end = min(period.end or now, now, meeting.ends_at)
    return max(end - max(period.start, meeting.starts_at), timedelta())
