"""Jobs between two nights: one person, one class, or taking back what a plan wrote."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.assets.single_sync import Single, sync_class, sync_person, undo
from vx_pipeline.assets.sync import applied_metadata, plan_metadata
from vx_pipeline.journal.plans import StoredPlan
from vx_pipeline.session import SchoolSession

REMATCH = "rematch"
"""The job that plans for the whole school again, with Orah read anew."""


class PersonConfig(dg.Config):
    """Whom to bring over: the Veracross id, and who asks for it."""

    person_id: int
    actor: str = "somebody"


class ClassConfig(dg.Config):
    """Which class or team to bring over: the internal id of Veracross, and who asks for it."""

    class_id: int
    actor: str = "somebody"


class UndoConfig(dg.Config):
    """What to take back: the id of a plan or of a run, or the beginning of one; and who asks for it."""

    plan_or_run: str
    actor: str = "somebody"


@dg.op(description="Reads one student from Veracross and brings just this one over to Orah.")
def sync_person_op(context: dg.OpExecutionContext, schools: Schools, config: PersonConfig) -> None:
    """Through the same plan, gate and journal as every night."""
    _run(
        context, schools, lambda session: sync_person(session, config.person_id, context.run_id, config.actor)
    )


@dg.op(description="Reads one class or team from Veracross and brings its students over to Orah.")
def sync_class_op(context: dg.OpExecutionContext, schools: Schools, config: ClassConfig) -> None:
    """Through the same plan, gate and journal as every night."""
    _run(context, schools, lambda session: sync_class(session, config.class_id, context.run_id, config.actor))


@dg.op(description="Takes back what a plan wrote, where it still is as the plan left it.")
def undo_op(context: dg.OpExecutionContext, schools: Schools, config: UndoConfig) -> None:
    """Through the same gate: taking back many changes waits for a person, too."""
    _run(context, schools, lambda session: undo(session, config.plan_or_run, context.run_id, config.actor))


def _run(context: dg.OpExecutionContext, schools: Schools, work: Callable[[SchoolSession], Single]) -> None:
    with plain_failures():
        session = schools.open(context.partition_key)
        done = work(session)
    context.add_output_metadata(
        plan_metadata(session, done.plan)
        | applied_metadata(done.plan, done.applied)
        | {"requests to Veracross": sum(done.requests.values())}
    )


@dg.job(
    name="sync_person",
    partitions_def=SCHOOLS,
    executor_def=dg.in_process_executor,
    description="Reads one student from Veracross and brings just this one over to Orah. Needs the student's id.",
)
def sync_person_job() -> None:
    """One op."""
    sync_person_op()


@dg.job(
    name="sync_class",
    partitions_def=SCHOOLS,
    executor_def=dg.in_process_executor,
    description="Reads one class or team and brings its students over to Orah. Needs the class's id.",
)
def sync_class_job() -> None:
    """One op."""
    sync_class_op()


@dg.job(
    name="undo",
    partitions_def=SCHOOLS,
    executor_def=dg.in_process_executor,
    description="Takes back what a plan wrote, through the same gate. Needs the id of the plan or its run.",
)
def undo_job() -> None:
    """One op."""
    undo_op()


def job_for(plan: StoredPlan) -> tuple[str, dict[str, Any]]:
    """The job that makes a plan like this one again, with Orah read anew, and its configuration."""
    actor = plan.actor or ""
    configs: dict[str, tuple[str, dict[str, Any]]] = {
        "person": ("sync_person", {"person_id": plan.subject, "actor": actor}),
        "class": ("sync_class", {"class_id": plan.subject, "actor": actor}),
        "undo": ("undo", {"plan_or_run": plan.subject, "actor": actor}),
    }
    if plan.purpose not in configs:
        return REMATCH, {}
    job, config = configs[plan.purpose]
    if plan.purpose != "undo":
        config = {name: int(value) if name.endswith("_id") else value for name, value in config.items()}
    return job, {"ops": {f"{job}_op": {"config": config}}}
