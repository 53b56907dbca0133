"""The weekly job that looks for records nobody stands behind, and its schedule in each school's own time zone."""

import dagster as dg

from vx_pipeline.assets.orphans import ORPHANS
from vx_pipeline.automation.schedules import school_schedules
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
    return school_schedules(settings, orphans_job, WEEKLY_CRON, "Every Sunday at 4:00")
