"""The plan for Orah, and writing it."""

from collections import Counter

import dagster as dg

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.catalog import OWNERS, markdown_table
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.assets.school_sync import apply_plan, plan_school, plan_to_apply
from vx_pipeline.assets.troubles import of_failures, of_plan
from vx_pipeline.journal.plans import StoredPlan
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync.apply import Applied
from vx_pipeline.sync.rollover import rollover_hint
from vx_pipeline.sync.stored import to_changes
from vx_pipeline.warehouse.connection import publish_read_copy

PLAN = dg.AssetKey(["sync", "plan"])
APPLIED = dg.AssetKey(["sync", "applied"])
READ_COPY = dg.AssetKey(["sync", "read_copy"])

MOST_ROWS = 50
"""Rows of a table in metadata; the review page has all."""


@dg.asset(
    key=PLAN,
    partitions_def=SCHOOLS,
    deps=[
        dg.AssetKey(["roster", "students"]),
        dg.AssetKey(["roster", "boarders"]),
        dg.AssetKey(["roster", "leavers"]),
        dg.AssetKey(["roster", "houses"]),
        dg.AssetKey(["roster", "contacts"]),
        dg.AssetKey(["roster", "group_members"]),
        dg.AssetKey(["roster", "staff"]),
        dg.AssetKey(["matching", "student_links"]),
        dg.AssetKey(["matching", "review_queue"]),
        dg.AssetKey(["matching", "house_links"]),
        dg.AssetKey(["matching", "contact_links"]),
        dg.AssetKey(["orah", "students"]),
        dg.AssetKey(["orah", "houses"]),
        dg.AssetKey(["orah", "contacts"]),
    ],
    group_name="sync",
    kinds={"sqlite", "sql"},
    owners=OWNERS,
    description="Every difference between Orah and what it should say, as rows with before, after, and a verdict.",
    check_specs=[
        dg.AssetCheckSpec(
            name="may_be_applied",
            asset=PLAN,
            blocking=True,
            description="The plan rests on fresh and whole reads. Where it does not, nothing of it is written.",
        ),
        dg.AssetCheckSpec(
            name="nothing_is_held",
            asset=PLAN,
            description="No change waits for a person. What waits is listed; the rest of the plan is written.",
        ),
    ],
)
def plan(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one field of one change; stored in the journal."""
    with plain_failures():
        session = schools.open(context.partition_key)
        stored = plan_school(session, context.run.run_id)
        tell_troubles(session, "run", [])
        tell_troubles(session, "plan", of_plan(stored))
        with session.reading() as connection:
            hint = rollover_hint(connection, session.school.policies, session.today())
    metadata = plan_metadata(session, stored)
    if hint:
        metadata["rollover"] = hint
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            dg.AssetCheckResult(
                check_name="may_be_applied",
                passed=stored.hold_reason is None,
                metadata={"closed because": stored.hold_reason} if stored.hold_reason else {},
            ),
            dg.AssetCheckResult(
                check_name="nothing_is_held",
                passed=not stored.held_steps,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata=_held(stored),
            ),
        ],
    )


def plan_metadata(session: SchoolSession, stored: StoredPlan) -> dict[str, dg.MetadataValue | str | int]:
    """What a plan says of itself in the UI: counts, and the first rows, by ids."""
    changes = to_changes(stored.rows)
    firsts = {row.step: row for row in stored.rows}
    counts = Counter((row.entity, row.action, row.verdict) for row in firsts.values())
    rows = [
        (row.step, f"{row.entity} {row.key}", row.action, row.field, row.verdict, row.reason)
        for row in stored.rows[:MOST_ROWS]
    ]
    return {
        "plan": stored.plan_id,
        "changes": len(changes),
        "held": len(stored.held_steps),
        "counts": dg.MetadataValue.md(
            markdown_table(
                ("what", "action", "verdict", "number"), [(*what, n) for what, n in sorted(counts.items())]
            )
        ),
        "first rows": dg.MetadataValue.md(
            markdown_table(("step", "what", "action", "field", "verdict", "reason"), rows)
        ),
        "review page": dg.MetadataValue.url(f"{session.settings.review_url}/{session.key}/plan"),
    }


def _held(stored: StoredPlan) -> dict[str, int | str]:
    held = {row.step: row for row in stored.rows if row.verdict == "held"}
    if not held:
        return {}
    reasons = Counter(row.verdict_reason for row in held.values())
    listed = [f"{row.action} {row.entity} {row.key}" for row in held.values()]
    more = f" and {len(listed) - MOST_ROWS} more" if len(listed) > MOST_ROWS else ""
    return {
        "waiting": len(held),
        "because": "; ".join(f"{reason} ({number})" for reason, number in reasons.most_common(MOST_ROWS)),
        "changes": ", ".join(listed[:MOST_ROWS]) + more,
    }


@dg.asset(
    key=APPLIED,
    partitions_def=SCHOOLS,
    deps=[PLAN],
    group_name="sync",
    kinds={"python"},
    owners=OWNERS,
    description="Writes what the gate lets through to Orah, each change through the journal.",
    check_specs=[
        dg.AssetCheckSpec(
            name="everything_was_written", asset=APPLIED, description="No change of the plan failed."
        )
    ],
)
def applied(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Writes exactly those rows of the newest plan that nobody has to look at."""
    with plain_failures():
        session = schools.open(context.partition_key)
        stored = plan_to_apply(session)
        result = apply_plan(session, stored)
        tell_troubles(session, "apply", of_failures(result.failed))
    return dg.MaterializeResult(
        metadata=applied_metadata(stored, result),
        check_results=[
            dg.AssetCheckResult(
                check_name="everything_was_written",
                passed=not result.failed,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"failed": len(result.failed), "failures": "; ".join(result.failures)},
            )
        ],
    )


def applied_metadata(stored: StoredPlan, result: Applied) -> dict[str, dg.MetadataValue | str | int]:
    """What was written, in numbers."""
    return {
        "plan": stored.plan_id,
        "written": sum(result.written.values()),
        "counts": dg.MetadataValue.md(markdown_table(("what", "number"), sorted(result.written.items()))),
    }


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
