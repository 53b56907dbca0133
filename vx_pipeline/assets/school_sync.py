"""One school's plan made, judged, noted and written: what the assets, the jobs for one person, and undo share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import duckdb

from vx_pipeline.errors import HeldError, VxError
from vx_pipeline.journal.approvals import Answer, standing_answers
from vx_pipeline.journal.contacts import contact_memory
from vx_pipeline.journal.explanations import record_explanations
from vx_pipeline.journal.intents import count_outcomes, last_write
from vx_pipeline.journal.plans import StoredPlan, get_plan, latest_plan, record_plan
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync import memory
from vx_pipeline.sync.apply import Applied, Writer, apply_changes
from vx_pipeline.sync.changes import Action, Change, Entity
from vx_pipeline.sync.contacts import contact_changes
from vx_pipeline.sync.explaining import explanations
from vx_pipeline.sync.gate import Verdict, holds, judge
from vx_pipeline.sync.inputs import moved, plan_inputs
from vx_pipeline.sync.passes import students_on_pass
from vx_pipeline.sync.pinning import without_pinned
from vx_pipeline.sync.planning import make_plan
from vx_pipeline.sync.stored import plan_fingerprint, to_changes, to_rows

OLDEST_PLAN = timedelta(hours=1)
"""A plan older than this is made again instead of being written."""


@dataclass(frozen=True)
class Purpose:
    """Why a plan is made: ``sync``, ``person``, ``class`` or ``undo``; of whom or what; and who asked for it."""

    kind: str = "sync"
    subject: str | None = None
    actor: str | None = None


SYNC = Purpose()

Select = Callable[[Sequence[Change]], list[Change]]
"""Which changes of a school's plan are meant."""


def plan_school(
    session: SchoolSession,
    run_id: str | None,
    *,
    purpose: Purpose = SYNC,
    select: Select = list,
) -> StoredPlan:
    """Works out what changes in Orah, lets the gate judge it, and notes all of it in the journal.

    Args:
        session: the school at work; roster, matching and Orah are fresh in its warehouse.
        run_id: Dagster's run.
        purpose: what the plan is for.
        select: which of the changes are meant; all by default.

    Raises:
        ConfigurationError: a setting names what is not there.
    """
    policies = session.school.policies
    baseline = memory.baseline(session.journal, session.key, policies, session.now())
    contacts = contact_memory(session.journal, session.key)
    with session.writing() as connection:
        changes = make_plan(connection, baseline)
        if policies.contacts.synced:
            children = _children(connection, changes)
            found = contact_changes(connection, policies, children=children, memory=contacts)
            changes += without_pinned(found, baseline.pins)
        told = explanations(connection)
    plan = record_judged(session, select(changes), run_id, purpose)
    if purpose.kind == "sync":
        record_explanations(session.journal, session.key, told, at=plan.created_at)
    return plan


def record_judged(
    session: SchoolSession, changes: Sequence[Change], run_id: str | None, purpose: Purpose
) -> StoredPlan:
    """Lets the gate judge changes, and notes them with its verdicts as the school's newest plan."""
    policies = session.school.policies
    on_pass: frozenset[int] | None = frozenset()
    if any(change.entity is Entity.STUDENT and change.action.removes for change in changes):
        on_pass = session.run(students_on_pass(session.orah, policies.gate, session.now()))
    with session.writing() as connection:
        now = session.now()
        known = memory.recollection(
            session.journal,
            session.key,
            connection,
            now=now,
            on_pass=on_pass,
            of_a_part=purpose.kind != "sync",
        )
        judgement = judge(connection, changes, policies, known)
        rows = to_rows(judgement.changes)
        plan_id = record_plan(
            session.journal,
            school=session.key,
            at=now,
            run_id=run_id,
            fingerprint=plan_fingerprint(rows),
            hold_reason=judgement.closed,
            rows=rows,
            purpose=purpose.kind,
            subject=purpose.subject,
            actor=purpose.actor,
            inputs=plan_inputs(connection, policies),
        )
        memory.remember_plan(connection, plan_id)
    plan = get_plan(session.journal, session.key, plan_id)
    assert plan is not None
    return plan


def _children(connection: duckdb.DuckDBPyConnection, changes: Sequence[Change]) -> frozenset[int]:
    """Students in scope who have a record in Orah, or get one by these changes."""
    linked = connection.execute(
        """
        SELECT veracross_id FROM sync.scope JOIN matching.student_links AS link USING (veracross_id)
        WHERE in_scope AND link.contested IS NULL
        """
    ).fetchall()
    made = (one.key for one in changes if one.entity is Entity.STUDENT and one.action is Action.CREATE)
    return frozenset(row[0] for row in linked) | frozenset(made)


def apply_plan(session: SchoolSession, plan: StoredPlan) -> Applied:
    """Writes what the gate lets through, exactly as it was planned.

    Raises:
        HeldError: the gate is closed.
        VxError: the plan is not true any more.
    """
    if plan.hold_reason:
        raise HeldError(
            f"The gate is closed for plan {plan.plan_id}: {plan.hold_reason}.",
            kept="Nothing of it was written to Orah.",
            remedy="Nobody can open it: mend the cause, and run `vx sync`.",
        )
    # An old word about the very same change lets nothing pass, and is no word for this write.
    approvals = {
        mark: one.number
        for mark, one in standing_answers(session.journal, session.key).items()
        if one.answer is Answer.APPROVE and holds(one, session.school.policies, session.now())
    }
    with session.reading() as connection:
        _refuse_moved(session, connection, plan)
        houses = dict(connection.execute("SELECT dorm_id, orah_id FROM matching.house_links").fetchall())
        students = dict(
            connection.execute("SELECT veracross_id, orah_id FROM matching.student_links").fetchall()
        )
    writer = Writer(
        session.orah,
        session.journal,
        session.key,
        cause=plan.plan_id,
        now=session.now,
        approvals=approvals,
    )
    changes = to_changes(plan.rows, Verdict.WRITE)
    return session.run(apply_changes(writer, changes, houses, students))


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
    elif plan_fingerprint(stored.rows) != stored.fingerprint:
        trouble = f"Plan {stored.plan_id} is not what was planned: its rows were changed."
    elif session.now() - stored.created_at > OLDEST_PLAN:
        trouble = (
            f"Plan {stored.plan_id} is from {stored.created_at:%Y-%m-%d %H:%M} UTC; things have moved since."
        )
    if stored is None or trouble:
        raise _not_true(trouble or "")
    return stored


def _refuse_moved(session: SchoolSession, connection: duckdb.DuckDBPyConnection, plan: StoredPlan) -> None:
    """Raises VxError when Veracross, Orah or the settings are not those that the plan was made for."""
    changed = moved(plan.inputs, plan_inputs(connection, session.school.policies))
    if changed:
        raise _not_true(f"Plan {plan.plan_id} is not true any more: {', '.join(changed)}.")


def _not_true(trouble: str) -> VxError:
    return VxError(
        trouble, kept="Nothing was written to Orah.", remedy="Make a new plan: `vx sync`, or sync/plan."
    )
