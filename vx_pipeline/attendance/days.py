"""A push for some days: from Orah's movements to the marks, and the table that tells what became of each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from vx_pipeline.attendance.absences import Away, away_locations, periods_away
from vx_pipeline.attendance.missed import Meeting, Missed, missed_meetings
from vx_pipeline.attendance.push import Update
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.clock import stored
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import parse_moment

LOOKBACK = timedelta(days=4)
"""How long before the first day movements are read: who left for a long weekend is still away on Monday.

Movements cost two requests for each 200, so this is short; ``STILL_AWAY`` covers who stays away for longer."""

STILL_AWAY = timedelta(days=14)
"""How old a student's latest movement may be and still say where the student is. Older ones say nothing: a
student who is not signed in and out any more must not count as away for ever."""


@dataclass(frozen=True)
class Days:
    """The days of one push, in the school's own calendar, both included."""

    first: date
    last: date

    @staticmethod
    def within_window(first: date | None, *, today: date, days_back: int) -> "Days":
        """From ``first`` (today when not given) to today, but never further back than the edit window."""
        oldest = today - timedelta(days=days_back)
        return Days(min(max(first or today, oldest), today), today)


async def find_missed(
    orah: OrahClient,
    meetings: Sequence[Meeting],
    *,
    days: Days,
    zone: ZoneInfo,
    now: datetime,
    policy: AttendancePolicy,
) -> list[Missed]:
    """The class meetings that students were away from, by Orah's movements.

    Costs three requests; with more than one page of movements, two and at least two for each page.
    """
    periods = await read_periods_away(orah, days=days, zone=zone, now=now, policy=policy)
    return missed_meetings(periods, meetings, now=now, least_share=policy.absent_share)


async def read_periods_away(
    orah: OrahClient, *, days: Days, zone: ZoneInfo, now: datetime, policy: AttendancePolicy
) -> list[Away]:
    """Every student's periods away that reach into the days; costs what ``find_missed`` says."""
    first = datetime.combine(days.first, time.min, tzinfo=zone)
    away = away_locations(await orah.locations(), policy)
    latest = [
        record
        for record in await orah.latest_movements()
        if parse_moment(record["record_time"]) >= first - STILL_AWAY
    ]
    # Read after the latest ones, so that who comes back in between is seen to be back.
    movements = {record["id"]: record for record in [*latest, *await orah.movements(first - LOOKBACK, now)]}
    return periods_away(movements.values(), away)


def days_away(periods: Iterable[Away], *, days: Days, zone: ZoneInfo) -> dict[int, tuple[date, ...]]:
    """By Orah id, the days on which a student was away at some time, in the school's own calendar."""
    found: dict[int, set[date]] = defaultdict(set)
    for period in periods:
        day = max(period.start.astimezone(zone).date(), days.first)
        last = min(period.end.astimezone(zone).date() if period.end else days.last, days.last)
        while day <= last:
            found[period.orah_id].add(day)
            day += timedelta(days=1)
    return {orah_id: tuple(sorted(dates)) for orah_id, dates in found.items()}


def write_planned_updates(
    connection: duckdb.DuckDBPyConnection, updates: Sequence[Update], *, days: Days, at: datetime
) -> None:
    """Replaces the rows of these days in ``attendance.planned_updates``.

    Grain: one class meeting that a student missed; key: student_id, class_id, attendance_date, block_id.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS attendance")
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS attendance.planned_updates (
            student_id BIGINT,
            class_id BIGINT,
            attendance_date DATE,
            block_id VARCHAR,
            attendance_id BIGINT,
            share_missed DOUBLE,
            status_before VARCHAR,
            status_after VARCHAR,
            result VARCHAR,
            reason VARCHAR,
            updated_at TIMESTAMP
        )
        """
    )
    connection.execute(
        "DELETE FROM attendance.planned_updates WHERE attendance_date BETWEEN $first AND $last",
        {"first": days.first, "last": days.last},
    )
    if not updates:
        return
    frame = pd.DataFrame([_row(update, at) for update in updates]).astype(
        {"attendance_id": "Int64", "block_id": "string", "status_before": "string", "status_after": "string"}
    )
    connection.register("updates", frame)
    connection.execute("INSERT INTO attendance.planned_updates BY NAME SELECT * FROM updates")
    connection.unregister("updates")


def _row(update: Update, at: datetime) -> dict[str, object]:
    meeting = update.missed.meeting
    return {
        "student_id": meeting.student_id,
        "class_id": meeting.class_id,
        "attendance_date": meeting.date,
        "block_id": meeting.block_id,
        "attendance_id": update.attendance_id,
        "share_missed": round(update.missed.share, 3),
        "status_before": update.status_before,
        "status_after": update.status_after,
        "result": update.result,
        "reason": update.reason,
        "updated_at": stored(at),
    }
