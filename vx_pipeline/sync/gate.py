"""The gate: which changes may be written, and which wait for a person.

It stands in the code that writes, not only in an asset check: a check stops its own run, never the next one. Only
what is suspect is held; the rest flows. Where the reads themselves cannot be trusted the gate is closed, and
nobody can open it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

import duckdb

from vx_pipeline.journal.approvals import Answer, Approval
from vx_pipeline.policies import Policies
from vx_pipeline.sync.budgets import Budget, suspects
from vx_pipeline.sync.changes import Action, Change, Entity, fingerprint
from vx_pipeline.sync.inputs import settings_hash
from vx_pipeline.sync.reads import why_closed

_FRESH = timedelta(days=7)
"""A refusal so young still tells of the feed as it is, and what it refused counts in the budgets."""

_ADDS = frozenset({Action.CREATE, Action.LINK, Action.REACTIVATE})


class Verdict(StrEnum):
    """What the gate says of a change.

    ``HELD``: a person has to look. ``POSTPONED``: the rollover mode lets it wait. ``REFUSED``: a person said no.
    """

    WRITE = "write"
    HELD = "held"
    POSTPONED = "postponed"
    REFUSED = "refused"
    SKIP = "skip"


@dataclass(frozen=True)
class Judged:
    """A change and what the gate says of it, and why. ``approval`` is the person's word that let it pass."""

    change: Change
    verdict: Verdict
    why: str = ""
    approval: int | None = None


@dataclass(frozen=True)
class Objection:
    """A value that somebody did not want in Orah: ``actor`` took it back, or refused it, on ``day``."""

    value: object
    actor: str
    day: date
    did: str = "took this back"

    @property
    def told(self) -> str:
        """The objection in words."""
        return f"{self.actor} {self.did} on {self.day}"


Place = tuple[Entity, int, str]
"""Entity, key and field of a change; instead of a field the action that makes or deletes the record itself."""


def place_of(change: Change, name: str) -> Place:
    """Where a field of a change is written. A tie of a contact is one child's: others have ties of their own."""
    pair = change.fields[name]
    if change.action in (Action.LINK, Action.UNLINK):
        return change.entity, change.key, f"{name}/{(pair.after or pair.before)['student_id']}"
    return change.entity, change.key, name


@dataclass(frozen=True)
class Recollection:
    """What the gate knows from the journal and from Orah's movements.

    Args:
        now: the moment of planning, aware.
        last_write: when we last meant to write to Orah, aware; None before the first time.
        removed_this_week: students removed in the last seven days without a person's word.
        answers: what people said about held changes, by fingerprint.
        objections: what people took back or refused, the newest at each place.
        on_pass: the Orah ids of students on an active pass; None when that could not be read.
        baseline: why warehouse and journal do not belong together; None when they do.
        of_a_part: whether the plan is about a part of Veracross that was read just now.
    """

    now: datetime
    last_write: datetime | None = None
    removed_this_week: int = 0
    answers: Mapping[str, Approval] = field(default_factory=dict)
    objections: Mapping[Place, Objection] = field(default_factory=dict)
    on_pass: frozenset[int] | None = frozenset()
    baseline: str | None = None
    of_a_part: bool = False


@dataclass(frozen=True)
class Judgement:
    """What the gate says of a plan. ``closed`` tells why nothing of it may be written; None: the gate is open."""

    closed: str | None
    changes: tuple[Judged, ...]

    @property
    def held(self) -> tuple[Judged, ...]:
        """The changes that wait for a person."""
        return tuple(judged for judged in self.changes if judged.verdict is Verdict.HELD)


def judge(
    connection: duckdb.DuckDBPyConnection,
    changes: Sequence[Change],
    policies: Policies,
    recollection: Recollection,
) -> Judgement:
    """Judges every change of a plan.

    A change of which only one field is suspect is divided, so that the others flow.

    Args:
        connection: the school's warehouse.
        changes: the plan.
        policies: the school's rules.
        recollection: what is known besides.
    """
    closed = why_closed(
        connection,
        now=recollection.now,
        last_write=recollection.last_write,
        baseline=recollection.baseline,
        of_a_part=recollection.of_a_part,
    )
    answers = {
        mark: answer
        for mark, answer in recollection.answers.items()
        if holds(answer, policies, recollection.now)
    }
    settled = {
        mark
        for mark, answer in answers.items()
        if answer.answer is Answer.REFUSE and recollection.now - answer.at > _FRESH
    }
    unsettled = [change for change in changes if fingerprint(change) not in settled]
    budget = Budget(policies.gate, recollection.removed_this_week, recollection.on_pass)
    found = suspects(connection, unsettled, budget)
    mode = policies.rollover.mode_on(recollection.now.date())
    judged = []
    for change in changes:
        for part, doubts in found.divided(change, _objected(change, recollection.objections)):
            judged.append(_judge(part, doubts, answers.get(fingerprint(part)), mode))
    return Judgement(closed, tuple(judged))


def _judge(change: Change, doubts: Sequence[str], answer: Approval | None, mode: str) -> Judged:
    if not change.writes:
        return Judged(change, Verdict.SKIP)
    if change.urgent:
        return Judged(change, Verdict.WRITE, "waiting would do harm")
    if answer is not None and answer.answer is Answer.REFUSE:
        return Judged(change, Verdict.REFUSED, f"refused by {answer.actor} on {answer.at:%Y-%m-%d}")
    if mode == "frozen" or (mode == "adds_only" and change.action not in _ADDS):
        return Judged(change, Verdict.POSTPONED, f"the rollover mode is {mode}")
    if answer is not None:
        why = f"approved by {answer.actor} on {answer.at:%Y-%m-%d}"
        return Judged(change, Verdict.WRITE, why, answer.number)
    if doubts:
        return Judged(change, Verdict.HELD, "; ".join(doubts))
    return Judged(change, Verdict.WRITE)


def holds(answer: Approval, policies: Policies, now: datetime) -> bool:
    """Whether an answer still counts.

    A refusal lasts; an approval is for once, for some days, and for the rules under which it was given.
    """
    if answer.answer is Answer.REFUSE:
        return True
    return (
        answer.used_at is None
        and answer.settings_hash == settings_hash(policies)
        and now - answer.at <= timedelta(days=policies.gate.approval_days)
    )


def _objected(change: Change, objections: Mapping[Place, Objection]) -> dict[str, str]:
    """The fields by which a change does once more what somebody did not want, and why; ``""`` for all of it."""
    if change.action in (Action.CREATE, Action.DELETE):
        before = objections.get((change.entity, change.key, change.action.value))
        return {"": before.told} if before else {}
    return {
        name: before.told
        for name, pair in change.fields.items()
        if (before := objections.get(place_of(change, name))) is not None and before.value == pair.after
    }
