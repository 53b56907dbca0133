"""Schedules: one for each school, in its own time zone; for the school, for its day before, or for several days."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from vx_pipeline.assets.partitions import school_day_key
from vx_pipeline.settings import Settings

Requests = Callable[[str, datetime], Sequence[dg.RunRequest]]
"""What a tick launches, by the school and the moment of the tick on the school's own clock."""


def whole_school(school: str, tick: datetime) -> list[dg.RunRequest]:
    """One run for the school, whatever day it is."""
    return [dg.RunRequest(partition_key=school)]


def day_before(school: str, tick: datetime) -> list[dg.RunRequest]:
    """One run for the school's yesterday."""
    return [dg.RunRequest(partition_key=school_day_key(school, tick.date() - timedelta(days=1)))]


def school_schedules(
    settings: Settings,
    job: Any,
    cron: str | Sequence[str],
    told: str,
    requests: Requests = whole_school,
) -> list[dg.ScheduleDefinition]:
    """A schedule ``<job>_<school>`` for each school.

    Args:
        settings: which schools there are.
        job: what is launched; of a type that Dagster does not name publicly.
        cron: when, on the school's own clock.
        told: the same in words; the time zone is added.
        requests: what it is launched for.
    """
    return [
        _schedule(key, settings.timezone(key), job, cron, told, requests) for key in settings.school_keys()
    ]


def _schedule(
    key: str, timezone: str, job: Any, cron: str | Sequence[str], told: str, requests: Requests
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{job.name}_{key.replace('-', '_')}",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=f"{told} {timezone}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Sequence[dg.RunRequest]:
        return requests(key, _tick(context, timezone))

    return schedule


def _tick(context: dg.ScheduleEvaluationContext, timezone: str) -> datetime:
    """The moment of the tick. One that Dagster makes up for belongs to its own day, not to that of the making."""
    return context.scheduled_execution_time.astimezone(ZoneInfo(timezone))
