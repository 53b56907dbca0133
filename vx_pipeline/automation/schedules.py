"""Schedules: one for each school, in its own time zone; for the school, or for the school's day before."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from vx_pipeline.assets.partitions import school_day_key
from vx_pipeline.settings import Settings

Partition = Callable[[str, date], str]
"""The partition that a tick launches, by the school and the date of the tick on the school's own calendar."""


def whole_school(school: str, today: date) -> str:
    """The school, whatever day it is."""
    return school


def day_before(school: str, today: date) -> str:
    """The school's yesterday."""
    return school_day_key(school, today - timedelta(days=1))


def school_schedules(
    settings: Settings, job: Any, cron: str, told: str, partition: Partition = whole_school
) -> list[dg.ScheduleDefinition]:
    """A schedule ``<job>_<school>`` for each school.

    Args:
        settings: which schools there are.
        job: what is launched; of a type that Dagster does not name publicly.
        cron: when, on the school's own clock.
        told: the same in words; the time zone is added.
        partition: what it is launched for.
    """
    return [
        _schedule(key, settings.timezone(key), job, cron, told, partition) for key in settings.school_keys()
    ]


def _schedule(
    key: str, timezone: str, job: Any, cron: str, told: str, partition: Partition
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{job.name}_{key.replace('-', '_')}",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=f"{told} {timezone}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=partition(key, _tick(context, timezone).date()))

    return schedule


def _tick(context: dg.ScheduleEvaluationContext, timezone: str) -> datetime:
    """The moment of the tick. One that Dagster makes up for belongs to its own day, not to that of the making."""
    return context.scheduled_execution_time.astimezone(ZoneInfo(timezone))
