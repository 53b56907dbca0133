"""The plan for Orah, and writing it."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from vx_pipeline.assets.catalog import OWNERS, markdown_table
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.errors import HeldError, VxError
from vx_pipeline.journal.intents import (
    count_outcomes,
    known_students,
    last_write,
    standing_deactivations,
    students_made,
)
from vx_pipeline.journal.plans import StoredPlan, latest_plan, record_plan
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync.apply import Applied, Writer, apply_changes
from vx_pipeline.sync.changes import Change, fingerprint
from vx_pipeline.sync.gate import hold_reason
from vx_pipeline.sync.planning import Baseline, make_plan
from vx_pipeline.sync.stored import to_changes, to_rows
from vx_pipeline.warehouse.connection import publish_read_copy

PLAN = dg.AssetKey(["sync", "plan"])
APPLIED = dg.AssetKey(["sync", "applied"])
READ_COPY = dg.AssetKey(["sync", "read_copy"])

OLDEST_PLAN = timedelta(hours=1)
"""A plan older than this is made again instead of being written."""


@dg.asset(
    key=PLAN,
    partitions_def=SCHOOLS,
    deps=[
        dg.AssetKey(["roster", "students"]),
        dg.AssetKey(["roster", "boarders"]),
        dg.AssetKey(["roster", "leavers"]),
        dg.AssetKey(["roster", "houses"]),
        dg.AssetKey(["matching", "student_links"]),
        dg.AssetKey(["matching", "review_queue"]),
        dg.AssetKey(["matching", "house_links"]),
        dg.AssetKey(["orah", "students"]),
        dg.AssetKey(["orah", "houses"]),
    ],
    group_name="sync",
    kinds={"sqlite", "sql"},
    owners=OWNERS,
    description="Every difference between Orah and what it should say, as rows with before and after.",
    check_specs=[
        dg.AssetCheckSpec(
            name="may_be_applied",
            asset=PLAN,
            blocking=True,
            description="The plan removes no more people than one run may, and rests on fresh reads.",
        )
    ],
)
def plan(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one field of one change; stored in the journal."""
    with plain_failures():
        session = schools.open(context.partition_key)
        changes, held = plan_school(session)
        plan_id = record_plan(
            session.journal,
            school=session.key,
            at=session.now(),
            run_id=context.run.run_id,
            fingerprint=fingerprint(changes),
            hold_reason=held,
            rows=to_rows(changes),
        )
    counts = Counter((change.entity.value, change.action.value) for change in changes)
    table = markdown_table(("what", "action", "number"), [(*what, n) for what, n in sorted(counts.items())])
    return dg.MaterializeResult(
        metadata={"plan": plan_id, "changes": len(changes), "counts": dg.MetadataValue.md(table)},
        check_results=[
            dg.AssetCheckResult(
                check_name="may_be_applied",
                passed=held is None,
                metadata={"held because": held, "removals": _removals(changes)} if held else {},
            )
        ],
    )


def plan_school(session: SchoolSession) -> tuple[list[Change], str | None]:
    """The school's changes, and why they have to wait for a person, if they have to."""
    baseline = Baseline(
        policies=session.school.policies,
        now=session.now(),
        deactivated_by_us=standing_deactivations(session.journal, session.key),
        known_students=known_students(session.journal, session.key),
        made_at=students_made(session.journal, session.key),
    )
    with session.writing() as connection:
        changes = make_plan(connection, baseline)
        held = hold_reason(
            connection,
            changes,
            baseline.policies,
            now=baseline.now,
            last_write=last_write(session.journal, session.key, "orah"),
        )
        return changes, held


@dg.asset(
    key=APPLIED,
    partitions_def=SCHOOLS,
    deps=[PLAN],
    group_name="sync",
    kinds={"python"},
    owners=OWNERS,
    description="Writes the plan to Orah, each change through the journal. With nothing to do it writes nothing.",
    check_specs=[
        dg.AssetCheckSpec(
            name="everything_was_written", asset=APPLIED, description="No change of the plan failed."
        )
    ],
)
def applied(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Writes exactly the rows of the newest plan."""
    with plain_failures():
        session = schools.open(context.partition_key)
        stored = plan_to_apply(session)
        result = apply_plan(session, stored)
    return dg.MaterializeResult(
        metadata={
            "plan": stored.plan_id,
            "written": sum(result.written.values()),
            "counts": dg.MetadataValue.md(markdown_table(("what", "number"), sorted(result.written.items()))),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="everything_was_written",
                passed=not result.failures,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"failed": len(result.failures), "failures": "; ".join(result.failures)},
            )
        ],
    )


def apply_plan(session: SchoolSession, stored: StoredPlan) -> Applied:
    """Writes a plan that is not held.

    Raises:
        HeldError: the plan waits for a person.
    """
    if stored.hold_reason:
        raise HeldError(
            f"Plan {stored.plan_id} is held: {stored.hold_reason}.",
            kept="Nothing of it was written to Orah.",
            remedy="Look at it with `vx plan`. If Veracross is wrong, correct it there and run again.",
        )
    with session.reading() as connection:
        houses = dict(connection.execute("SELECT dorm_id, orah_id FROM matching.house_links").fetchall())
    writer = Writer(session.orah, session.journal, session.key, cause=stored.plan_id, now=session.now)
    return session.run(apply_changes(writer, to_changes(stored.rows), houses))


def plan_to_apply(session: SchoolSession) -> StoredPlan:
    """The school's newest plan.

    Raises:
        VxError: there is none, it was written before, or it is too old to be true.
    """
    stored = latest_plan(session.journal, session.key)
    written_at = last_write(session.journal, session.key, "orah")
    trouble = None
    if stored is None:
        trouble = f"There is no plan for school {session.key!r} yet."
    elif count_outcomes(session.journal, stored.plan_id):
        trouble = f"Plan {stored.plan_id} was written already."
    elif written_at is not None and written_at >= stored.created_at:
        trouble = f"Orah was written to since plan {stored.plan_id} was made."
    elif fingerprint(to_changes(stored.rows)) != stored.fingerprint:
        trouble = f"Plan {stored.plan_id} is not what was planned: its rows were changed."
    elif session.now() - stored.created_at > OLDEST_PLAN:
        trouble = (
            f"Plan {stored.plan_id} is from {stored.created_at:%Y-%m-%d %H:%M} UTC; things have moved since."
        )
    if stored is None or trouble:
        raise VxError(
            trouble or "",
            kept="Nothing was written to Orah.",
            remedy="Make a new plan: `vx sync`, or sync/plan.",
        )
    return stored


def _removals(changes: Sequence[Change]) -> str:
    return ", ".join(str(change.key) for change in changes if change.action.removes)


@dg.asset(
    key=READ_COPY,
    partitions_def=SCHOOLS,
    deps=[APPLIED],
    group_name="sync",
    kinds={"duckdb"},
    owners=OWNERS,
    description="The copy of the warehouse for analysts and notebooks, replaced after a good run.",
)
def read_copy(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """``warehouse.read.duckdb`` beside the warehouse: open it as long as you like, no run waits for you."""
    with plain_failures():
        path = publish_read_copy(schools.open(context.partition_key).warehouse_path)
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(path))})
