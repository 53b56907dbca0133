"""The push: a job that carries marks from Orah to Veracross, and the sensor that launches it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from vx_pipeline.assets.catalog import OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.attendance.absences import away_locations, parse_moment
from vx_pipeline.attendance.days import Days, find_missed, write_planned_updates
from vx_pipeline.attendance.missed import student_meetings
from vx_pipeline.attendance.push import Pusher, Update, push_marks
from vx_pipeline.errors import VxError
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import load_settings

PLANNED_UPDATES = dg.AssetKey(["attendance", "planned_updates"])

SENSOR_INTERVAL_SECONDS = 60
OVERLAP = timedelta(minutes=10)
"""How far each tick looks back behind its cursor: movements may be entered a little late."""


class PushConfig(dg.Config):
    """What a push covers.

    ``first_day`` is an ISO date in the school's calendar, or empty for today. Days before the edit window
    (``policies.attendance.days_back``) are left out.
    """

    first_day: str = ""


@dg.op(
    description="Finds class meetings that students were away from, and marks those rows that nobody marked.",
    retry_policy=dg.RetryPolicy(
        max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
    ),
)
def push_attendance_op(context: dg.OpExecutionContext, schools: Schools, config: PushConfig) -> None:
    """Compares, writes the intent, patches, reads back; the outcome is ``attendance.planned_updates``."""
    with plain_failures():
        session = schools.open(context.partition_key)
        updates = push_school(session, _day(config.first_day), cause=context.run_id)
        with session.reading() as connection:
            metadata = table_metadata(connection, "attendance.planned_updates", count_results(updates))
    context.log_event(
        dg.AssetMaterialization(asset_key=PLANNED_UPDATES, partition=context.partition_key, metadata=metadata)
    )


def push_school(session: SchoolSession, first: date | None, *, cause: str) -> list[Update]:
    """Pushes one school's marks from ``first`` (today when None) to today."""
    policy = session.school.policies.attendance
    now = session.now()
    days = Days.within_window(first, today=now.date(), days_back=policy.days_back)
    with session.writing() as connection:
        meetings = student_meetings(connection, first=days.first, last=days.last, zone=session.school.zone)
    missed = session.run(
        find_missed(session.orah, meetings, days=days, zone=session.school.zone, now=now, policy=policy)
    )
    pusher = Pusher(session.veracross, session.journal, session.key, cause, policy, session.now)
    updates = session.run(push_marks(pusher, missed))
    with session.writing() as connection:
        write_planned_updates(connection, updates, days=days, at=now)
    return updates


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def count_results(updates: Sequence[Update]) -> dict[str, int]:
    """How many updates ended how."""
    return dict(Counter(update.result for update in updates))


@dg.job(
    name="push_attendance",
    partitions_def=SCHOOLS,
    executor_def=dg.in_process_executor,
    description="Carries time away in Orah into Veracross class attendance, for one school.",
)
def push_attendance_job() -> None:
    """One op, so that its retries and its run are the push's own."""
    push_attendance_op()


@dataclass(frozen=True)
class Tick:
    """What one look at Orah's movements found.

    ``first_day`` is the day of the earliest new movement to a place that means away, None when there is none.
    ``cursor`` is where the next look starts.
    """

    first_day: date | None
    newest: str
    cursor: str


def look(session: SchoolSession, cursor: str | None) -> Tick:
    """Looks at what is new in Orah since the cursor. Costs one request, and one more when something is new."""
    now = session.now()
    seen: dict[str, Any] = json.loads(cursor) if cursor else {"until": now.isoformat(), "ids": []}
    since = datetime.fromisoformat(seen["until"]) - OVERLAP
    movements = session.run(session.orah.movements(since, now))
    new = [record for record in movements if record["id"] not in seen["ids"]]
    next_cursor = json.dumps({"until": now.isoformat(), "ids": sorted(record["id"] for record in movements)})
    if not new:
        return Tick(None, "", next_cursor)
    away = away_locations(session.run(session.orah.locations()), session.school.policies.attendance)
    left = [record for record in new if _is_departure(record, away)]
    if not left:
        return Tick(None, "", next_cursor)
    first = min(parse_moment(record["record_time"]) for record in left)
    newest = str(max(record["id"] for record in left))
    return Tick(first.astimezone(session.school.zone).date(), newest, next_cursor)


def _is_departure(record: Mapping[str, Any], away: frozenset[int]) -> bool:
    return record.get("type") == "in" and (record.get("location") or {}).get("id") in away


@dg.sensor(
    job_name=push_attendance_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Watches Orah for students who went somewhere that means away, and pushes their school's marks.",
)
def movements_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """One cursor for each school, so that a school that cannot be reached does not hold up the others."""
    settings = load_settings()
    cursors: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    requests, skipped = [], []
    for key in settings.school_keys():
        try:
            with SchoolSession(settings, key) as session:
                tick = look(session, cursors.get(key))
        except VxError as error:
            skipped.append(f"{key}: {error}")
            continue
        cursors[key] = tick.cursor
        if tick.first_day:
            requests.append(_run_request(key, tick))
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason("; ".join(skipped) or "Nobody left."),
        cursor=json.dumps(cursors),
    )


def _run_request(key: str, tick: Tick) -> dg.RunRequest:
    config = PushConfig(first_day=tick.first_day.isoformat() if tick.first_day else "")
    return dg.RunRequest(
        # The same movement asks for the same run, however often a tick is repeated.
        run_key=f"{key}:{tick.newest}",
        partition_key=key,
        run_config=dg.RunConfig(ops={"push_attendance_op": config}),
    )


PUSHED = dg.AssetSpec(
    PLANNED_UPDATES,
    deps=[
        dg.AssetKey(["matching", "student_links"]),
        dg.AssetKey(["veracross", "meeting_times"]),
        dg.AssetKey(["veracross", "enrollments"]),
    ],
    group_name="attendance",
    kinds={"duckdb", "python"},
    owners=OWNERS,
    partitions_def=SCHOOLS,
    description="Class meetings that students were away from, and what became of each mark. "
    "Written by the job push_attendance.",
)
