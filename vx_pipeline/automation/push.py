"""The push: a job that carries marks from Orah to Veracross, and the sensor that launches it."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import dagster as dg

from vx_pipeline.assets.catalog import OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.attendance.absences import away_locations
from vx_pipeline.attendance.days import Days, find_missed, write_planned_updates
from vx_pipeline.attendance.missed import student_meetings
from vx_pipeline.attendance.push import Pusher, Update, push_marks
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import ServiceError, VxError
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import parse_moment
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import load_settings

PLANNED_UPDATES = dg.AssetKey(["attendance", "planned_updates"])

SENSOR_INTERVAL_SECONDS = 60
LOOK_SECONDS = 10.0
"""How long a look at one school may take. Dagster gives a tick, with all its schools, one minute."""

PUSH_AGAIN_MINUTES = 15
"""How often the marks of a day are pushed again once somebody left on it. When a student goes, the meetings
that will be missed are still to come, and coming back or staying away is no departure."""

OVERLAP = timedelta(minutes=10)
"""How far each tick looks back behind its cursor: movements may be entered a little late. The first tick of
each quarter of an hour looks back to the start of the school's day, for those entered later than that; a look
at every tick would cost a large school dozens of requests a minute."""


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
    with plain_failures():
        tell_failures(updates)


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


def tell_failures(updates: Sequence[Update]) -> None:
    """A push that left marks out must not look like one that went well.

    Raises:
        VxError: some marks were not written.
    """
    failed = [update for update in updates if update.result == "failed"]
    if failed:
        raise VxError(
            f"{len(failed)} of {len(updates)} marks were not written. The first: {failed[0].reason}",
            kept="The others are done; nobody's own mark was changed.",
            remedy="attendance.planned_updates has the reason of each; the next push tries them again.",
        )


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

    Args:
        first_day: the first day to push, None when there is no reason to push.
        reason: names why; equal looks have equal reasons.
        cursor: JSON for the next look: ``until``, the moment looked up to; ``ids`` of the movements seen,
            none from before the last look at the whole day; ``looked``, the quarter of an hour of that look;
            ``pushed``, the quarter in which a push was last asked for.
    """

    first_day: date | None
    reason: str
    cursor: str


def look(session: SchoolSession, cursor: str | None) -> Tick:
    """Looks at what is new in Orah since the cursor. Costs one request, and one more when something is new.

    Once in a quarter of an hour it looks at the whole day, which costs two requests for each page of movements
    if there is more than one.

    The reason to push is a new departure; and after it, every quarter of an hour until its day is over.

    Raises:
        ServiceError: Orah did not answer within ``LOOK_SECONDS``.
    """
    now = session.now()
    seen: dict[str, Any] = json.loads(cursor) if cursor else {"until": now.isoformat(), "ids": []}
    this = quarter(now)
    whole_day = seen.get("looked") != this
    since = (datetime.fromisoformat(seen["until"]) - OVERLAP).astimezone(now.tzinfo)
    if whole_day:
        since = datetime.combine(since.date(), time.min, tzinfo=now.tzinfo)
    policy = session.school.policies.attendance
    movements, away = session.run(
        _whats_new(session.orah, since, now, seen=frozenset(seen["ids"]), policy=policy)
    )
    left = [record for record in movements if record["id"] not in seen["ids"] and _is_departure(record, away)]
    first_day, reason, pushed = _reason(left, seen.get("pushed", ""), now)
    ids = {record["id"] for record in movements}.union(() if whole_day else seen["ids"])
    after = {"until": now.isoformat(), "ids": sorted(ids), "looked": this, "pushed": pushed}
    return Tick(first_day, reason, json.dumps(after))


def quarter(now: datetime) -> str:
    """The quarter of an hour in which a moment lies, named by its start."""
    minute = now.minute - now.minute % PUSH_AGAIN_MINUTES
    return now.replace(minute=minute, second=0, microsecond=0).isoformat()


def _reason(left: Sequence[Mapping[str, Any]], pushed: str, now: datetime) -> tuple[date | None, str, str]:
    """First day and reason of a push, and the quarter of an hour that now counts as pushed.

    Args:
        left: new departures.
        pushed: the quarter in which the last push was asked for, as an ISO moment; empty
            when no day is to be pushed again.
        now: this moment in the school's time zone.
    """
    this = quarter(now)
    if left:
        first = min(parse_moment(record["record_time"]) for record in left)
        newest = max(record["id"] for record in left)
        return first.astimezone(now.tzinfo).date(), str(newest), this
    if pushed and pushed != this:
        day = datetime.fromisoformat(pushed).date()
        # Once more when the day is over, and then no more.
        return day, this, this if day == now.date() else ""
    return None, "", pushed


async def _whats_new(
    orah: OrahClient, since: datetime, now: datetime, *, seen: frozenset[int], policy: AttendancePolicy
) -> tuple[list[dict[str, Any]], frozenset[int]]:
    """The movements, and the places that mean away if there is a movement that was not seen before."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            movements = await orah.movements(since, now)
            if seen.issuperset(record["id"] for record in movements):
                return movements, frozenset()
            return movements, away_locations(await orah.locations(), policy)
    except TimeoutError:
        raise ServiceError(
            f"Orah did not answer within {LOOK_SECONDS:.0f} s.",
            kept="Nothing is lost: the next tick looks from the same moment on.",
        ) from None


def _is_departure(record: Mapping[str, Any], away: frozenset[int]) -> bool:
    return record["type"] == "in" and (record["location"] or {}).get("id") in away


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
            context.log.warning(skipped[-1])
            continue
        cursors[key] = tick.cursor
        if tick.first_day:
            requests.append(push_request(key, tick.first_day, f"{key}:{tick.reason}"))
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason("; ".join(skipped) or "Nothing new."),
        cursor=json.dumps(cursors),
    )


def push_request(
    key: str, first_day: date, run_key: str, tags: Mapping[str, str] | None = None
) -> dg.RunRequest:
    """Asks for a push of one school from a day on. The same run key asks for the same run, however often."""
    return dg.RunRequest(
        run_key=run_key,
        tags=dict(tags or {}),
        partition_key=key,
        job_name=push_attendance_job.name,
        run_config=dg.RunConfig(ops={"push_attendance_op": PushConfig(first_day=first_day.isoformat())}),
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
