"""The push: a job that carries a school's day from Orah to Veracross, by the sensors and by the button."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg
from pydantic import Field

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.attendance_push import push_metadata, push_school_day, refuse_failures
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOL_DAYS, school_and_day, school_day_key
from vx_pipeline.assets.resources import Schools
from vx_pipeline.automation.red import tell_failure

WAIT_SECONDS = 900.0
"""How long a push waits for another run of its school: a night takes minutes, and a mark must not be lost to it."""


class PushConfig(dg.Config):
    """What a push covers: the students with these ids in Orah, or everybody where there are none.

    Days before the edit window (``policies.attendance.days_back``) are not touched.
    """

    orah_ids: list[int] = Field(default_factory=list)


@dg.failure_hook(name="tell_red_push", required_resource_keys=set())
def tell_red_push(context: dg.HookContext) -> None:
    """A push that stopped; it is over when one comes through."""
    tell_failure(context, "push", "push")


@dg.op(
    description="Finds class meetings that students were away from, and marks those rows that nobody marked.",
    retry_policy=dg.RetryPolicy(
        max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
    ),
)
def push_attendance_op(context: dg.OpExecutionContext, schools: Schools, config: PushConfig) -> None:
    """Compares, writes the intent, patches, reads back; tells in two tables what it found and did."""
    with plain_failures():
        key, day = school_and_day(context.partition_key)
        session = schools.open(key, wait_seconds=WAIT_SECONDS)
        pushed = push_school_day(session, day, cause=context.run_id, orah_ids=config.orah_ids or None)
        metadata = push_metadata(session, pushed)
    for asset, values in metadata.items():
        context.log_event(
            dg.AssetMaterialization(asset_key=asset, partition=context.partition_key, metadata=values)
        )
    with plain_failures():
        refuse_failures(pushed)
        tell_troubles(session, "push", ())


@dg.job(
    name="push_attendance",
    partitions_def=SCHOOL_DAYS,
    executor_def=dg.in_process_executor,
    hooks={tell_red_push},
    description="Carries time away in Orah into Veracross class attendance, for one day of one school.",
)
def push_attendance_job() -> None:
    """One op, so that its retries and its run are the push's own."""
    push_attendance_op()


def push_request(
    school: str,
    day: date,
    orah_ids: Sequence[int],
    run_key: str,
    tags: Mapping[str, str] | None = None,
) -> dg.RunRequest:
    """Asks for a push of some students' day. The same run key asks for the same run, however often."""
    return dg.RunRequest(
        run_key=run_key,
        tags=dict(tags or {}),
        partition_key=school_day_key(school, day),
        job_name=push_attendance_job.name,
        run_config=dg.RunConfig(ops={"push_attendance_op": PushConfig(orah_ids=sorted(orah_ids))}),
    )
