"""Approvals take effect: sensors see them, and launch the job that plans again and writes what was approved."""

import dagster as dg

from vx_pipeline.automation.decisions import SENSOR_INTERVAL_SECONDS, attempt, for_each_school, rematch_job
from vx_pipeline.automation.on_demand import job_for, undo_job
from vx_pipeline.journal.approvals import Approval, waiting_approval
from vx_pipeline.journal.plans import StoredPlan, get_plan
from vx_pipeline.session import SchoolSession


@dg.sensor(
    job_name=rematch_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Watches the journal for approvals of held changes, and has them written.",
)
def approvals_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Needs no cursor: an approval that nothing came of yet stands in the journal.

    What was held of one person or class is a part of the whole school's plan, too.
    """
    return for_each_school(context, _sync_request, "No approvals wait to be written.")


@dg.sensor(
    job_name=undo_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Watches the journal for approvals of what an undo held, and has it taken back.",
)
def undo_approvals_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """As ``approvals_sensor``, for plans that take another one back."""
    return for_each_school(context, _undo_request, "No approvals of an undo wait.")


def _sync_request(context: dg.SensorEvaluationContext, session: SchoolSession) -> list[dg.RunRequest]:
    found = _approved(session)
    if found is None or found[0].purpose == "undo":
        return []
    run_key = _run_key(session, found[1])
    return [dg.RunRequest(run_key=run_key, partition_key=session.key, job_name=rematch_job.name)]


def _undo_request(context: dg.SensorEvaluationContext, session: SchoolSession) -> list[dg.RunRequest]:
    found = _approved(session)
    if found is None or found[0].purpose != "undo":
        return []
    (job, config), run_key = job_for(found[0]), _run_key(session, found[1])
    return [dg.RunRequest(run_key=run_key, partition_key=session.key, job_name=job, run_config=config)]


def _approved(session: SchoolSession) -> tuple[StoredPlan, Approval] | None:
    """The approval that waits to be written, and the plan that it was given to."""
    answer = waiting_approval(session.journal, session.key)
    plan = get_plan(session.journal, session.key, answer.plan_id) if answer else None
    return (plan, answer) if plan and answer else None


def _run_key(session: SchoolSession, newest: Approval) -> str:
    return f"{session.key}:approvals:{newest.number}:{attempt(session)}"
