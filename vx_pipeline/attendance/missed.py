"""Missed meetings: which class meetings a period away covers."""

from collections import defaultdict
from collections.abc import Iterable
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
    """A meeting, and the share of it (0 to 1) that the student was away."""

    meeting: Meeting
    share: float


def student_meetings(
    connection: duckdb.DuckDBPyConnection, *, first: date, last: date, zone: ZoneInfo
) -> list[Meeting]:
    """Builds ``attendance.student_meetings`` for the days from ``first`` to ``last`` and returns its rows."""
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
    )


def missed_meetings(
    periods: Iterable[Away], meetings: Iterable[Meeting], *, now: datetime, least_share: float
) -> list[Missed]:
    """The meetings of which a student was away for at least ``least_share``.

    Somebody who is still away is known to be away until ``now`` only: a meeting that has not taken place, or
    of which too little has passed, is not missed yet.
    """
    by_student: dict[int, list[Away]] = defaultdict(list)
    for period in periods:
        by_student[period.orah_id].append(period)
    missed = []
    for meeting in sorted(meetings):
        away = sum(
            (_overlap(period, meeting, now) for period in by_student[meeting.orah_id]), start=timedelta()
        )
        share = away / (meeting.ends_at - meeting.starts_at)
        if away and share >= least_share:
            missed.append(Missed(meeting, share))
    return missed


def _overlap(period: Away, meeting: Meeting, now: datetime) -> timedelta:
    end = min(period.end or now, now, meeting.ends_at)
    return max(end - max(period.start, meeting.starts_at), timedelta())
