"""Schedules: one for each school, in its own time zone."""

from typing import Any

import dagster as dg

from vx_pipeline.settings import Settings


def school_schedules(settings: Settings, job: Any, cron: str, told: str) -> list[dg.ScheduleDefinition]:
    """A schedule ``<job>_<school>`` for each school.

    Args:
        settings: which schools there are.
        job: what is launched, with the school as its partition; of a type that Dagster does not name publicly.
        cron: when, on the school's own clock.
        told: the same in words; the time zone is added.
    """
    return [_schedule(key, settings.timezone(key), job, cron, told) for key in settings.school_keys()]


def _schedule(key: str, timezone: str, job: Any, cron: str, told: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{job.name}_{key.replace('-', '_')}",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=f"{told} {timezone}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=key)

    return schedule
