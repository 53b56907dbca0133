"""A plan as people read it: each step with a name, what it does in words, and what became of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from vx_pipeline.journal.approvals import Answer, Approval
from vx_pipeline.journal.plans import PlanRow, StoredPlan
from vx_pipeline.review import words
from vx_pipeline.review.directory import Directory
from vx_pipeline.review.plan_words import (
    DOES,
    HELD,
    POSTPONED,
    REFUSED,
    SKIP,
    TO_DO,
    VERDICTS,
    WILL,
    WRITE,
    Line,
    known_name,
    line_of,
    own_name,
)


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Args:
        number: its number in the plan.
        entity: kind of record.
        action: what happens to it.
        key: the Veracross id.
        target_id: the Orah id, if there is a record.
        name: of the person or house; empty where nobody knows it.
        is_known: whether there is a page about it.
        lines: what changes, field by field.
        reason: why the plan wants it.
        urgent: whether waiting does harm.
        fingerprint: of the change.
        verdict: what the gate says.
        why: why the gate says so.
        answer: what a person said about the very same change: at this plan or after it, or why it is refused.
        tone: of ``told``: ``agree``, ``close``, ``differ`` or ``missing``.
        told: what became of it.
        is_open: whether it can be answered.
    """

    number: int
    entity: str
    action: str
    key: int
    target_id: int | None
    name: str
    is_known: bool
    lines: tuple[Line, ...]
    reason: str
    urgent: bool
    fingerprint: str
    verdict: str
    why: str
    answer: Approval | None
    tone: str
    told: str
    is_open: bool

    @property
    def waits(self) -> bool:
        """Whether nobody has answered it yet."""
        return self.is_open and self.verdict == HELD and self.answer is None

    @property
    def kind(self) -> str:
        """The kind of record in words."""
        return words.ENTITIES.get(self.entity, self.entity.capitalize())

    @property
    def does(self) -> str:
        """What happens, for a table."""
        return DOES.get(self.action, self.action)

    @property
    def will(self) -> str:
        """What happens, after somebody's name."""
        return WILL.get(self.action, self.action)


def steps_of(
    plan: StoredPlan,
    directory: Directory,
    *,
    answers: Mapping[str, Approval],
    landed: Mapping[str, int | None],
    is_newest: bool,
) -> list[Step]:
    """The steps of a plan in its order.

    Args:
        plan: the plan with its rows.
        directory: for names.
        answers: the newest answer about each change, by fingerprint.
        landed: what of the plan was written, by fingerprint.
        is_newest: whether no other plan took its place.
    """
    made = []
    for _, grouped in groupby(plan.rows, key=lambda row: row.step):
        rows = list(grouped)
        answer = answers.get(rows[0].change) if rows[0].change else None
        if answer is not None and answer.at < plan.created_at and rows[0].verdict != REFUSED:
            # Given before this plan, and still the gate asks.
            answer = None
        made.append(_step(rows, plan, directory, answer, rows[0].change in landed, is_newest))
    return made


def waiting_steps(plan: StoredPlan | None, answers: Mapping[str, Approval]) -> int:
    """How many held steps of the newest plan nobody has answered; none while the gate is closed."""
    if plan is None or plan.hold_reason:
        return 0
    held = {row.step: row.change for row in plan.rows if row.verdict == HELD}
    return sum(
        (answer := answers.get(change)) is None or answer.at < plan.created_at for change in held.values()
    )


def counts_of(steps: Iterable[Step]) -> list[tuple[str, int, list[str]]]:
    """Verdict in words, how many steps, and what they are: ``9 students to deactivate``."""
    counts: dict[str, Counter[tuple[str, str]]] = {verdict: Counter() for verdict in VERDICTS}
    for step in steps:
        counts.setdefault(step.verdict, Counter())[step.kind.lower(), step.action] += 1
    return [
        (VERDICTS.get(verdict, verdict), found.total(), [_counted(*each) for each in found.most_common()])
        for verdict, found in counts.items()
        if found
    ]


def held_groups(steps: Iterable[Step]) -> list[tuple[str, list[Step]]]:
    """The steps that a person can let pass or not, by the reason they are held for; as large as they are."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        if step.verdict in (HELD, REFUSED):
            reason = step.why or ("A person refused it before" if step.verdict == REFUSED else "Held")
            groups.setdefault(reason, []).append(step)
    # What waits comes before what a person has refused already.
    return sorted(groups.items(), key=lambda each: (each[1][0].verdict != HELD, -len(each[1])))


def headline(plan: StoredPlan, steps: Iterable[Step], *, is_newest: bool) -> str:
    """What the page says first."""
    if plan.hold_reason:
        return f"The gate is closed: {plan.hold_reason.rstrip('.')}"
    if not is_newest:
        return "A plan from before"
    waiting = sum(step.waits for step in steps)
    return f"{words.counted(waiting, 'change waits', 'changes wait')} for you" if waiting else "Nothing waits"


def _counted(what: tuple[str, str], number: int) -> str:
    kind, action = what
    return f"{words.counted(number, kind)} {TO_DO.get(action, action)}"


def _step(
    rows: list[PlanRow],
    plan: StoredPlan,
    directory: Directory,
    answer: Approval | None,
    has_landed: bool,
    is_newest: bool,
) -> Step:
    first = rows[0]
    tone, told = _became(first, plan, answer, has_landed, is_newest)
    answerable = first.verdict in (HELD, REFUSED) and is_newest and not plan.hold_reason
    known = known_name(directory, first.entity, "veracross", first.key)
    return Step(
        number=first.step,
        entity=first.entity,
        action=first.action,
        key=first.key,
        target_id=first.target_id,
        name=known or known_name(directory, first.entity, "orah", first.target_id) or own_name(rows),
        is_known=bool(known),
        lines=tuple(line_of(row, directory) for row in rows if row.field and not _is_plain(row)),
        reason=first.reason,
        urgent=first.urgent,
        fingerprint=first.change,
        verdict=first.verdict,
        why=first.verdict_reason,
        answer=answer,
        tone=tone,
        told=told,
        is_open=answerable and not has_landed and (answer is None or answer.used_at is None),
    )


def _is_plain(row: PlanRow) -> bool:
    """Whether the field says no more than the action does."""
    return row.field == "deactivated" and row.action in ("deactivate", "reactivate")


def _became(
    row: PlanRow, plan: StoredPlan, answer: Approval | None, has_landed: bool, is_newest: bool
) -> tuple[str, str]:
    """Tone and words of what became of a step."""
    if row.verdict == SKIP:
        return "close", "left alone"
    if has_landed or (answer is not None and answer.used_at is not None):
        return "agree", "written"
    if plan.hold_reason:
        return "missing", "not written"
    if row.verdict == POSTPONED:
        return "missing", "postponed"
    if row.verdict == WRITE:
        return ("missing", "to be written") if is_newest else ("missing", "not written")
    if answer is not None and answer.at >= plan.created_at:
        approved = answer.answer is Answer.APPROVE
        return ("agree", "approved, to be written") if approved else ("differ", "refused")
    if row.verdict == REFUSED:
        return "differ", "refused before"
    return ("close", "waits") if is_newest else ("missing", "nobody answered")
