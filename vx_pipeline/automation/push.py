"""The push: a job that carries a school's day from Orah to Veracross, by the sensors and by the button."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import dagster as dg
from pydantic import Field

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.attendance_push import (
    is_left_undone,
    push_metadata,
    push_school_day,
    refuse_failures,
)
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOL_DAYS, school_and_day, school_day_key
from vx_pipeline.assets.resources import Schools
from vx_pipeline.automation.red import tell_failure
from vx_pipeline.journal.due_pushes import EVERYBODY, pushes_open
from vx_pipeline.journal.problems import open_problems
from vx_pipeline.session import SchoolSession

PRIORITY = "dagster/priority"
"""Run tag: which of the waiting runs begins first. Runs without it have 0."""

DUE = "vx/due"
"""Run tag: the push was asked for because it was due, and is needless if another one came through meanwhile."""

_SOURCE = "push:"
"""How the sources of troubles with pushes begin; the day follows."""

HIGH, MIDDLE, LOW = 10, 5, -10
"""Of a push that a movement asks for, of one of everybody or of days gone by, and of what may wait for both."""


class PushConfig(dg.Config):
    """What a push covers: the students with these ids in Orah, or everybody where there are none.

    Days before the edit window (``policies.attendance.days_back``) are not touched.
    """

    orah_ids: list[int] = Field(default_factory=list)


@dg.failure_hook(name="tell_red_push", required_resource_keys=set())
def tell_red_push(context: dg.HookContext) -> None:
    """A push that stopped; it is over when nothing of its day is left to do."""
    run = context.instance.get_run_by_id(context.run_id)
    if run is not None and (day := run.tags.get("dagster/partition/day")):
        tell_failure(context, _source(day), f"push of {day}")


def tell_over(session: SchoolSession, day: date) -> None:
    """Tells that pushes of a day come through again, once nobody's is left undone; and forgets earlier days.

    One student's push says nothing of another's that failed.
    """
    oldest = session.today() - timedelta(days=session.school.policies.attendance.days_back)
    troubled = {one.source for one in open_problems(session.journal, session.key)}
    over = [one for one in troubled if _SOURCE <= one < _source(str(oldest))]
    if _source(str(day)) in troubled and not is_left_undone(session, day):
        over.append(_source(str(day)))
    for source in over:
        tell_troubles(session, source, ())


def _source(day: str) -> str:
    return f"{_SOURCE}{day}"


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
        session = schools.open(key)
        if _is_needless(context, session, day, config.orah_ids):
            context.log.info("Another push came through meanwhile: nothing of this one is due any more.")
            return
        pushed = push_school_day(session, day, cause=context.run_id, orah_ids=config.orah_ids or None)
        metadata = push_metadata(session, pushed)
    for asset, values in metadata.items():
        context.log_event(
            dg.AssetMaterialization(asset_key=asset, partition=context.partition_key, metadata=values)
        )
    with plain_failures():
        refuse_failures(pushed)
        tell_over(session, day)


def _is_needless(
    context: dg.OpExecutionContext, session: SchoolSession, day: date, orah_ids: Sequence[int]
) -> bool:
    """Whether a push that was asked for as due has waited until others did all of it.

    One that failed itself, or that a person makes again, is never needless.
    """
    if not context.has_tag(DUE) or context.retry_number or context.run.parent_run_id:
        return False
    awaited = pushes_open(session.journal, session.key, day, now=session.now())
    return awaited.isdisjoint(orah_ids or (EVERYBODY,))


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
    priority: int = HIGH,
) -> dg.RunRequest:
    """Asks for a push of some students' day. The same run key asks for the same run, however often."""
    return dg.RunRequest(
        run_key=run_key,
        tags={PRIORITY: str(priority), **(tags or {})},
        partition_key=school_day_key(school, day),
        job_name=push_attendance_job.name,
        run_config=dg.RunConfig(ops={"push_attendance_op": PushConfig(orah_ids=sorted(orah_ids))}),
    )
