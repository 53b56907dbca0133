"""The tables that tell what a push found and what became of it, and what of the warehouse a push needs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from vx_pipeline.attendance.absences import Away, reason_type
from vx_pipeline.attendance.day import PushedDay, SchoolDay
from vx_pipeline.attendance.items import place_of, read_links
from vx_pipeline.attendance.looked_at import Update
from vx_pipeline.attendance.missed import Meeting, student_meetings
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.clock import stored

_ABSENCES = """
CREATE TABLE IF NOT EXISTS attendance.absences (
    day DATE,
    orah_id BIGINT,
    student_id BIGINT,
    starts_at TIMESTAMP,
    ends_at TIMESTAMP,
    place VARCHAR,
    pass_type VARCHAR,
    reason_type VARCHAR,
    evidence VARCHAR[],
    updated_at TIMESTAMP
)
"""

_UPDATES = """
CREATE TABLE IF NOT EXISTS attendance.planned_updates (
    student_id BIGINT,
    orah_id BIGINT,
    class_id BIGINT,
    attendance_date DATE,
    block_id VARCHAR,
    attendance_id BIGINT,
    outcome VARCHAR,
    source VARCHAR,
    name VARCHAR,
    reason_type VARCHAR,
    share_missed DOUBLE,
    status_before VARCHAR,
    status_after VARCHAR,
    label_before VARCHAR,
    label_after VARCHAR,
    result VARCHAR,
    reason VARCHAR,
    updated_at TIMESTAMP
)
"""


def read_school_day(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    *,
    zone: ZoneInfo,
    orah_ids: Collection[int] | None = None,
) -> SchoolDay:
    """What the warehouse knows of a day; builds ``attendance.student_meetings`` for it.

    Args:
        connection: the warehouse, in a transaction.
        day: the day.
        zone: the school's time zone.
        orah_ids: whose meetings; everybody's without it.
    """
    meetings = student_meetings(connection, first=day, last=day, zone=zone, orah_ids=orah_ids)
    classes = {
        class_id: {"class": description or "", "teacher": teacher or ""}
        for class_id, description, teacher in connection.execute(
            "SELECT id, description, primary_teacher__name FROM veracross.classes"
        ).fetchall()
    }
    words = {
        place_of(meeting): {**classes.get(meeting.class_id, {}), "at": _hours(meeting, zone)}
        for meeting in meetings
    }
    return SchoolDay(day, meetings, read_links(connection), words)


def write_day(
    connection: duckdb.DuckDBPyConnection,
    pushed: PushedDay,
    *,
    known: SchoolDay,
    policy: AttendancePolicy,
    at: datetime,
    orah_ids: Collection[int] | None = None,
) -> None:
    """Replaces a day's rows in ``attendance.absences`` and ``attendance.planned_updates``.

    Grain of the one: a period away that reaches into the day; key: day, orah_id, starts_at; the student is null
    where the record is nobody's yet. Grain of the other: one row that was looked at; key: student_id, class_id,
    attendance_date, block_id. Moments are UTC. A day outside the edit window was not looked at, and keeps its rows.

    Args:
        connection: the warehouse, in a transaction.
        pushed: what the push found and did.
        known: the day.
        policy: the school's rules.
        at: when.
        orah_ids: the students that the push covered; everybody without it. Others' rows stay, but for those of
            records that a student of these was taken for.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS attendance")
    for ddl in (_ABSENCES, _UPDATES):
        connection.execute(ddl)
    if not pushed.in_window:
        return
    if orah_ids is not None:
        looked_at = {one.orah_id for one in pushed.periods} | {
            one.item.place.orah_id for one in pushed.updates
        }
        orah_ids = looked_at.union(orah_ids)
    periods = [_period(one, known, policy, at) for one in pushed.periods]
    updates = [_update(one, at) for one in pushed.updates]
    _replace(connection, "attendance.absences", "day", periods, known.day, orah_ids)
    _replace(connection, "attendance.planned_updates", "attendance_date", updates, known.day, orah_ids)


def _replace(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    column: str,
    rows: Sequence[Mapping[str, Any]],
    day: date,
    orah_ids: Collection[int] | None,
) -> None:
    where, parameters = f"{column} = $day", {"day": day, "ids": [*orah_ids] if orah_ids is not None else None}
    connection.execute(
        f"DELETE FROM {table} WHERE {where} AND ($ids::BIGINT[] IS NULL OR list_contains($ids, orah_id))",
        parameters,
    )
    if rows:
        # As objects: an id that is missing in one row must not make floats of the others.
        connection.register("fresh", pd.DataFrame(rows, dtype="object"))
        columns = ", ".join(
            f"{name}::{kind} AS {name}"
            for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()
        )
        connection.execute(f"INSERT INTO {table} BY NAME SELECT {columns} FROM fresh")
        connection.unregister("fresh")


def _period(one: Away, known: SchoolDay, policy: AttendancePolicy, at: datetime) -> dict[str, Any]:
    return {
        "day": known.day,
        "orah_id": one.orah_id,
        "student_id": known.links.students.get(one.orah_id),
        "starts_at": stored(one.start),
        "ends_at": stored(one.end) if one.end else None,
        "place": one.place,
        "pass_type": one.pass_type,
        "reason_type": reason_type(one.name, policy),
        "evidence": list(one.evidence),
        "updated_at": stored(at),
    }


def _update(update: Update, at: datetime) -> dict[str, Any]:
    place, wanted = update.item.place, update.item.wanted
    return {
        **vars(place),
        "attendance_id": update.attendance_id,
        "outcome": wanted.outcome.value if wanted else None,
        "source": wanted.source if wanted else None,
        "name": wanted.name if wanted else None,
        "reason_type": wanted.reason_type if wanted else None,
        "share_missed": round(wanted.share, 3) if wanted else None,
        "status_before": update.before.status if update.before else None,
        "status_after": update.after.status if update.after else None,
        "label_before": update.label_before,
        "label_after": update.label_after,
        "result": update.result,
        "reason": update.reason,
        "updated_at": stored(at),
    }


def _hours(meeting: Meeting, zone: ZoneInfo) -> str:
    starts, ends = meeting.starts_at.astimezone(zone), meeting.ends_at.astimezone(zone)
    return f"{starts:%H:%M} to {ends:%H:%M}"
