"""A plan in the journal: one row for each field of each change, with what the gate says of it, and back."""

import hashlib
from collections.abc import Sequence
from itertools import groupby

from vx_pipeline.journal.plans import PlanRow
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, fingerprint
from vx_pipeline.sync.gate import Judged, Verdict


def to_rows(judged: Sequence[Judged]) -> list[PlanRow]:
    """The rows of a plan; a change is a step, numbered from 1."""
    return [
        PlanRow(
            step=step,
            entity=change.entity.value,
            action=change.action.value,
            key=change.key,
            target_id=change.target_id,
            field=field,
            before=difference.before,
            after=difference.after,
            reason=change.reason,
            cause=change.cause,
            urgent=change.urgent,
            change=fingerprint(change),
            verdict=one.verdict.value,
            verdict_reason=one.why,
        )
        for step, one in enumerate(judged, start=1)
        for change in (one.change,)
        for field, difference in (change.fields or {"": Difference(None, None)}).items()
    ]


def to_changes(rows: Sequence[PlanRow], *verdicts: Verdict) -> list[Change]:
    """The changes of a stored plan, in their order; only those of the named verdicts where some are named."""
    changes = []
    for _, fields in groupby(rows, key=lambda row: row.step):
        step = list(fields)
        first = step[0]
        if verdicts and first.verdict not in verdicts:
            continue
        changes.append(
            Change(
                entity=Entity(first.entity),
                action=Action(first.action),
                key=first.key,
                target_id=first.target_id,
                fields={row.field: Difference(row.before, row.after) for row in step if row.field},
                reason=first.reason,
                cause=first.cause,
                urgent=first.urgent,
            )
        )
    return changes


def plan_fingerprint(rows: Sequence[PlanRow]) -> str:
    """A hash over what a plan does and what the gate said of it: equal plans, in any order, have equal hashes.

    It is worked out from the values themselves, not from the fingerprints that stand beside them.
    """
    verdicts = {row.step: row.verdict for row in rows}
    lines = [
        f"{fingerprint(change)} {verdict}"
        for change, verdict in zip(to_changes(rows), verdicts.values(), strict=True)
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
