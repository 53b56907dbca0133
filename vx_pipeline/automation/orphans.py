"""The weekly job that looks for records nobody stands behind, and its schedule in each school's own time zone."""

import dagster as dg

from vx_pipeline.assets.orphans import ORPHANS
from vx_pipeline.settings import Settings

WEEKLY_CRON = "0 4 * * 0"

orphans_job = dg.define_asset_job(
    name="weekly",
    selection=dg.AssetSelection.assets(ORPHANS),
    executor_def=dg.in_process_executor,
    description="Looks for our records in Orah that nobody stands behind, and leavers overdue. Removes nothing.",
)


def weekly_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """One schedule for each school, on Sundays at four in its own time zone, after the night's reads."""
    return [_schedule(key, settings.timezone(key)) for key in settings.school_keys()]


def _schedule(key: str, timezone: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"weekly_{key.replace('-', '_')}",
        job=orphans_job,
        cron_schedule=WEEKLY_CRON,
        execution_timezone=timezone,
        description=f"Every Sunday at 4:00 {timezone}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=key)

    return schedule
