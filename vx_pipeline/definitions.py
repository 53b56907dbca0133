"""The Dagster entry point: assembles assets, checks, jobs, schedules, sensors and resources. Nothing else."""

import dagster as dg

from vx_pipeline.assets.attendance_delivery import attendance_files
from vx_pipeline.assets.attendance_push import PUSHED
from vx_pipeline.assets.checks import CHECKS
from vx_pipeline.assets.class_attendance import class_attendance
from vx_pipeline.assets.contacts import contact_links, orah_contacts
from vx_pipeline.assets.delivery import import_files
from vx_pipeline.assets.insights import alerts, insights, sessions
from vx_pipeline.assets.matching import cases, house_links, student_matches
from vx_pipeline.assets.orah import ORAH_ASSETS
from vx_pipeline.assets.orphans import orphans
from vx_pipeline.assets.resources import Schools, WarehouseResource
from vx_pipeline.assets.roster import ROSTER_ASSETS
from vx_pipeline.assets.sync import applied, plan, read_copy
from vx_pipeline.assets.veracross import ENDPOINT_ASSETS, value_lists
from vx_pipeline.automation.approvals import approvals_sensor, undo_approvals_sensor
from vx_pipeline.automation.attendance import attendance_job, attendance_schedules
from vx_pipeline.automation.backfill import backfill_sensor
from vx_pipeline.automation.decisions import decisions_sensor, rematch_job
from vx_pipeline.automation.movements import movements_sensors
from vx_pipeline.automation.nightly import nightly_job, nightly_schedules, preview_job
from vx_pipeline.automation.on_demand import sync_class_job, sync_person_job, undo_job
from vx_pipeline.automation.orphans import orphans_job, weekly_schedules
from vx_pipeline.automation.push import push_attendance_job
from vx_pipeline.automation.sweeps import sweep_schedules
from vx_pipeline.settings import load_settings

_settings = load_settings()

defs = dg.Definitions(
    assets=[
        *ENDPOINT_ASSETS,
        value_lists,
        class_attendance,
        sessions,
        insights,
        alerts,
        *ORAH_ASSETS,
        *ROSTER_ASSETS,
        student_matches,
        house_links,
        orah_contacts,
        contact_links,
        cases,
        plan,
        applied,
        read_copy,
        orphans,
        import_files,
        attendance_files,
        *PUSHED,
    ],
    asset_checks=CHECKS,
    jobs=[
        nightly_job,
        preview_job,
        rematch_job,
        sync_person_job,
        sync_class_job,
        undo_job,
        orphans_job,
        push_attendance_job,
        attendance_job,
    ],
    schedules=[
        *nightly_schedules(_settings),
        *attendance_schedules(_settings),
        *sweep_schedules(_settings),
        *weekly_schedules(_settings),
    ],
    sensors=[
        *movements_sensors(_settings),
        decisions_sensor,
        approvals_sensor,
        undo_approvals_sensor,
        backfill_sensor,
    ],
    resources={
        "schools": Schools(),
        "warehouse": WarehouseResource(
            database=str(_settings.home / "schools" / "{school}" / "warehouse.duckdb")
        ),
    },
    executor=dg.in_process_executor,
)
