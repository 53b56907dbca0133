"""What Dagster is told: every asset explains itself, and every school is a partition."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOL_DAYS, SCHOOLS, school_day_key
from vx_pipeline.definitions import defs
from vx_pipeline.errors import VxError
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.connection import open_warehouse

ASSETS = {
    *(f"veracross/{table}" for table in ENDPOINTS),
    "veracross/value_lists",
    "orah/students",
    "orah/houses",
    "orah/contacts",
    "roster/leavers",
    "roster/students",
    "roster/dorms",
    "roster/dorm_assignments",
    "roster/boarders",
    "roster/boarder_contradictions",
    "roster/contacts",
    "roster/houses",
    "roster/groups",
    "roster/group_members",
    "roster/staff",
    "matching/student_links",
    "matching/review_queue",
    "matching/evidence",
    "matching/cases",
    "matching/house_links",
    "matching/contact_links",
    "sync/plan",
    "sync/applied",
    "sync/read_copy",
    "sync/orphans",
    "delivery/import_files",
    "delivery/attendance_files",
    "attendance/absences",
    "attendance/planned_updates",
    "attendance/sessions",
    "attendance/insights",
    "attendance/alerts",
}
PUSHED = {"attendance/absences", "attendance/planned_updates"}
INSIGHTS = {
    "veracross/class_attendance",
    "attendance/sessions",
    "attendance/insights",
    "attendance/alerts",
    "delivery/attendance_files",
}
BY_DAY = PUSHED | INSIGHTS
"""What has a partition for each day of a school."""


def specs() -> list[dg.AssetSpec]:
    return sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key.to_user_string())


def test_the_assets_are_these() -> None:
    assert {spec.key.to_user_string() for spec in specs()} == ASSETS


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: spec.key.to_user_string())
def test_every_asset_explains_itself_and_is_partitioned_by_school_or_its_days(spec: dg.AssetSpec) -> None:
    assert spec.description
    assert spec.owners == ["team:school-data"]
    assert spec.kinds
    assert spec.group_name == spec.key.path[0]
    by_day = spec.key.to_user_string() in BY_DAY
    assert spec.partitions_def == (SCHOOL_DAYS if by_day else SCHOOLS)


def test_every_table_that_is_read_comes_from_an_asset() -> None:
    known = {spec.key for spec in specs()}
    for spec in specs():
        assert {dependency.asset_key for dependency in spec.deps} <= known


def test_the_nightly_job_holds_everything_but_the_push_and_what_is_by_day() -> None:
    job = defs.resolve_job_def("nightly")
    selected = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert selected == ASSETS - BY_DAY - {"sync/orphans"}
    daily = defs.resolve_job_def("attendance")
    assert {key.to_user_string() for key in daily.asset_layer.executable_asset_keys} == INSIGHTS
    assert daily.executor_def.name == "in_process"
    preview = defs.resolve_job_def("preview").asset_layer.executable_asset_keys
    bring_something = {"sync/plan", "sync/applied", "delivery/import_files"}
    assert {key.to_user_string() for key in preview} & bring_something == {"sync/plan"}
    assert job.executor_def.name == "in_process"
    assert defs.resolve_job_def("push_attendance").executor_def.name == "in_process"


def request_of(schedule: str, at: datetime) -> dg.RunRequest:
    """What a schedule launches at a tick."""
    context = dg.build_schedule_context(repository_def=defs.get_repository_def(), scheduled_execution_time=at)
    (request,) = defs.resolve_schedule_def(schedule).evaluate_tick(context).run_requests or []
    return request


def test_the_schedule_is_in_the_schools_own_time() -> None:
    schedule = defs.resolve_schedule_def("nightly_sandbox")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "America/New_York")
    assert request_of("nightly_sandbox", datetime(2026, 11, 24, 7, tzinfo=UTC)).partition_key == "sandbox"


@pytest.mark.filterwarnings("ignore:Non-compliant tag keys")  # Dagster's own, of two dimensions
@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 11, 24, 8, 30, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 24, 4, 59, tzinfo=UTC), date(2026, 11, 22)),
    ],
)
def test_attendance_is_of_the_day_before_on_the_schools_own_calendar(at: datetime, day: date) -> None:
    """Half past three on the 24th, and a minute before midnight of the 23rd, in New York."""
    schedule = defs.resolve_schedule_def("attendance_sandbox")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 3 * * *", "America/New_York")
    request = request_of("attendance_sandbox", at)
    assert request.partition_key == school_day_key("sandbox", day)
    assert request.partition_key in SCHOOL_DAYS.get_partition_keys()


def test_loading_warns_of_nothing() -> None:
    command = [sys.executable, "-W", "error", "-c", "import vx_pipeline.definitions"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_error_for_people_becomes_a_failure_that_is_not_tried_again() -> None:
    with pytest.raises(dg.Failure) as caught, plain_failures():
        raise VxError("It broke.", kept="All is kept.", remedy="Mend it.")
    assert caught.value.description == "It broke. All is kept. Mend it."
    assert not caught.value.allow_retries
    assert caught.value.__cause__ is None


def test_a_message_of_duckdb_that_quotes_a_value_is_not_passed_on(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as connection:
        with pytest.raises(dg.Failure) as caught, plain_failures():
            connection.execute("SELECT CAST('Amelia Stone' AS INTEGER)").fetchall()
        assert "Amelia" not in str(caught.value.description)
        with pytest.raises(dg.Failure) as caught, plain_failures():
            connection.execute("SELECT nothing FROM nowhere")
        assert "nowhere" in str(caught.value.description)
