"""The sensor that watches Orah, and pushes the days of students about whom something is new."""

import json

import dagster as dg

from vx_pipeline.automation.looking import look
from vx_pipeline.automation.news import Wish
from vx_pipeline.automation.push import push_attendance_job, push_request
from vx_pipeline.errors import VxError
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import load_settings

SENSOR_INTERVAL_SECONDS = 60


@dg.sensor(
    job_name=push_attendance_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Watches Orah for students who leave, come back, or are marked in a roll, and pushes their marks.",
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
        requests += [_request(key, wish) for wish in tick.wishes]
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason("; ".join(skipped) or "Nothing new."),
        cursor=json.dumps(cursors),
    )


def _request(school: str, wish: Wish) -> dg.RunRequest:
    return push_request(school, wish.day, wish.orah_ids, f"{school}:{wish.day}:{wish.reason}")
