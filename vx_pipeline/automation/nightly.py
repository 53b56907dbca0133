"""The nightly job, and its schedule in each school's own time zone."""

import dagster as dg

from vx_pipeline.assets.attendance_push import ABSENCES, PLANNED_UPDATES
from vx_pipeline.assets.matching import CASES
from vx_pipeline.assets.orphans import ORPHANS
from vx_pipeline.assets.sync import PLAN
from vx_pipeline.automation.attendance import BY_DAY
from vx_pipeline.automation.red import tell_red
from vx_pipeline.automation.schedules import school_schedules
from vx_pipeline.settings import Settings

NIGHTLY_CRON = "0 2 * * *"

nightly_job = dg.define_asset_job(
    name="nightly",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(ABSENCES, PLANNED_UPDATES, ORPHANS, *BY_DAY),
    executor_def=dg.in_process_executor,
    hooks={tell_red},
    description="Reads Veracross and Orah whole, derives the roster, matches, plans, and brings Orah up to date.",
)

preview_job = dg.define_asset_job(
    name="preview",
    # The contradictions are nobody's source, but a check on the boarders looks at them.
    selection=dg.AssetSelection.assets(PLAN, CASES).upstream()
    | dg.AssetSelection.assets(["roster", "boarder_contradictions"]),
    executor_def=dg.in_process_executor,
    description="As the nightly job, up to plan and questions: reads, works out, writes nothing to Orah.",
)


def nightly_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """One schedule for each school, at two in the morning of its own time zone."""
    return school_schedules(settings, nightly_job, NIGHTLY_CRON, "Every night at 2:00")
