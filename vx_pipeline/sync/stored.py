"""A plan in the journal: one row for each field of each change, and back."""

from collections.abc import Sequence
from itertools import groupby

from vx_pipeline.journal.plans import PlanRow
from vx_pipeline.sync.changes import Action, Change, Difference, Entity


def to_rows(changes: Sequence[Change]) -> list[PlanRow]:
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
        )
        for step, change in enumerate(changes, start=1)
        for field, difference in (change.fields or {"": Difference(None, None)}).items()
    ]


def to_changes(rows: Sequence[PlanRow]) -> list[Change]:
    """The changes of a stored plan, in their order."""
    changes = []
    for _, fields in groupby(rows, key=lambda row: row.step):
        step = list(fields)
        first = step[0]
        changes.append(
            Change(
                entity=Entity(first.entity),
                action=Action(first.action),
                key=first.key,
                target_id=first.target_id,
                fields={row.field: Difference(row.before, row.after) for row in step if row.field},
                reason=first.reason,
            )
        )
    return changes
