"""What people said about changes that the gate held.

An answer is about one change, known by its fingerprint: which record, from which values to which. It holds for a
later plan, too, as long as that plan wants the very same; when anything about the change has moved, a person is
asked anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from sqlalchemy import Connection, func, insert, select

from vx_pipeline.errors import VxError
from vx_pipeline.journal.audit import add_view
from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.intents import LANDED
from vx_pipeline.journal.plans import StoredPlan, current_plans, replaced_by
from vx_pipeline.journal.sync_tables import approvals
from vx_pipeline.journal.tables import intents, outcomes

Via = Literal["page", "shell"]


class Answer(StrEnum):
    """What a person said about a held change: it may be written, or it may not."""

    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Approval:
    """One answer of one person to one held change.

    Args:
        number: the order of answers over all schools.
        plan_id: the plan in which the change was seen.
        step: its step there.
        fingerprint: of the change.
        settings_hash: of the rules under which it was seen.
        answer: approved or refused.
        actor: who said so.
        note: why, in the person's own words; may hold names.
        at: when.
        used_at: when a write that rests on an approval landed; None while it has not.
    """

    number: int
    plan_id: str
    step: int
    fingerprint: str
    settings_hash: str
    answer: Answer
    actor: str
    via: str
    note: str = field(repr=False)
    at: datetime
    used_at: datetime | None


def answer_held(
    journal: Journal,
    plan: StoredPlan,
    *,
    answer: Answer,
    actor: str,
    note: str,
    via: Via,
    at: datetime,
    steps: Sequence[int] | None = None,
) -> int:
    """Records an answer to held steps of a plan, and who gave it; returns to how many.

    Args:
        journal: the open journal.
        plan: the plan as it was shown.
        answer: approve or refuse.
        actor: who says so; a name is needed.
        note: why.
        via: page or shell.
        at: now.
        steps: which of the held or refused steps; without it all that wait, and none that was refused before.

    Raises:
        VxError: nobody's name was given, a newer plan was made since, the gate is closed, or a step is not held.
    """
    if not actor.strip():
        raise VxError("A held change needs a named person's word.", kept="Nothing was recorded.")
    held = {row.step: row.change for row in plan.rows if row.verdict in ("held", "refused")}
    # All that waits: what a person refused before is answered again by its step only.
    wanted = sorted(plan.held_steps if steps is None else set(steps))
    _refuse_nonsense(plan, wanted, held)
    with journal.begin_alone() as connection:
        _refuse_stale(connection, plan)
        connection.execute(
            insert(approvals),
            [
                {
                    "school": plan.school,
                    "plan_id": plan.plan_id,
                    "step": step,
                    "fingerprint": held[step],
                    "settings_hash": plan.inputs.get("settings", ""),
                    "answer": answer.value,
                    "actor": actor.strip(),
                    "via": via,
                    "note": note,
                    "at": at,
                }
                for step in wanted
            ],
        )
        told = ", ".join(str(step) for step in wanted)
        add_view(
            connection,
            school=plan.school,
            actor=actor.strip(),
            action=answer.value,
            subject=f"plan {plan.plan_id} steps {told}",
            at=at,
        )
    return len(wanted)


def standing_answers(journal: Journal, school: str) -> dict[str, Approval]:
    """The newest answer about each change, by its fingerprint."""
    used = (
        select(intents.c.approval, func.min(outcomes.c.at).label("used_at"))
        .join(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(intents.c.school == school, outcomes.c.result.in_(LANDED))
        .group_by(intents.c.approval)
        .subquery()
    )
    query = (
        select(approvals, used.c.used_at)
        .outerjoin(used, used.c.approval == approvals.c.number)
        .where(approvals.c.school == school)
        .order_by(approvals.c.number)
    )
    with journal.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return {
        row["fingerprint"]: Approval(
            **{
                name: row[name] for name in Approval.__dataclass_fields__ if name not in ("answer", "used_at")
            },
            answer=Answer(row["answer"]),
            used_at=row["used_at"],
        )
        for row in rows
    }


def waiting_approval(journal: Journal, school: str) -> Approval | None:
    """The newest approval that nothing came of yet, if it was given to a plan that is still in force.

    Approvals of an older plan were taken in by the run that took its place.
    """
    in_force = {plan.plan_id for plan in current_plans(journal, school)}
    waiting = [
        answer
        for answer in standing_answers(journal, school).values()
        if answer.answer is Answer.APPROVE and answer.used_at is None and answer.plan_id in in_force
    ]
    return max(waiting, key=lambda answer: answer.number, default=None)


def _refuse_nonsense(plan: StoredPlan, wanted: Sequence[int], held: dict[int, str]) -> None:
    if plan.hold_reason:
        raise VxError(
            f"The gate is closed for plan {plan.plan_id}: {plan.hold_reason}.",
            kept="Nothing was recorded. Nobody can open it; only a sound read does.",
            remedy="Mend the cause and run `vx sync`.",
        )
    unknown = [step for step in wanted if step not in held]
    if unknown or not wanted:
        raise VxError(
            f"Plan {plan.plan_id} holds no step {', '.join(map(str, unknown))}."
            if unknown
            else f"Plan {plan.plan_id} holds nothing.",
            kept="Nothing was recorded.",
            remedy="See what is held: `vx plan`.",
        )


def _refuse_stale(connection: Connection, plan: StoredPlan) -> None:
    """A person must not answer to a picture that a newer run has replaced."""
    newer = replaced_by(connection, plan)
    if newer is not None:
        raise VxError(
            f"Plan {plan.plan_id} is not the newest any more; plan {newer} took its place.",
            kept="Nothing was recorded.",
            remedy="Look at the new one: `vx plan`.",
        )
