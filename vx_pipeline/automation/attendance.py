"""The daily job of attendance, school by school and day by day, and its schedule in each school's own time zone."""

from zoneinfo import ZoneInfo

import dagster as dg

from vx_pipeline import clock
from vx_pipeline.assets.attendance_delivery import ATTENDANCE_FILES
from vx_pipeline.assets.class_attendance import CLASS_ATTENDANCE
from vx_pipeline.assets.insights import ALERTS, ATTENDANCE, ATTENDANCE_RUN, INSIGHTS, SESSIONS
from vx_pipeline.assets.partitions import is_newest, school_and_day
from vx_pipeline.automation.push import LOW, PRIORITY
from vx_pipeline.automation.red import tell_failure
from vx_pipeline.automation.schedules import day_before, school_schedules
from vx_pipeline.settings import Settings, load_settings

ATTENDANCE_CRON = "30 3 * * *"

BY_DAY = [CLASS_ATTENDANCE, SESSIONS, INSIGHTS, ALERTS, ATTENDANCE_FILES]
"""The assets of the daily job: all of them have a partition for each school and day, so no other job holds them."""


@dg.failure_hook(name="tell_attendance_red", required_resource_keys=set())
def tell_attendance_red(context: dg.HookContext) -> None:
    """The newest day's insights that stopped; it is over when a run of one comes as far as the files.

    A run of an older day that stops is red in Dagster alone: no later night would end the trouble.
    """
    run = context.instance.get_run_by_id(context.run_id)
    if run is None or not (partition := run.tags.get("dagster/partition")):
        return
    school, day = school_and_day(partition)
    if is_newest(day, today=clock.now(ZoneInfo(load_settings().timezone(school))).date()):
        tell_failure(context, ATTENDANCE_RUN, ATTENDANCE)


attendance_job = dg.define_asset_job(
    name="attendance",
    selection=dg.AssetSelection.assets(*BY_DAY),
    executor_def=dg.in_process_executor,
    hooks={tell_attendance_red},
    tags={PRIORITY: str(LOW)},
    description="Reads the attendance of the classes that met on a day, and works out insights and alerts as of "
    "that day, and brings them to files and to the review page.",
)


def attendance_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """One for each school, at half past three for the day before: after the night's reads of classes and roster."""
    return school_schedules(
        settings, attendance_job, ATTENDANCE_CRON, "Every night at 3:30, for the day before,", day_before
    )
