"""Undo: what a plan wrote, turned round into a new plan that goes through the same gate.

Only what still is as we left it is turned back: who edited a record since then is not overruled.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vx_pipeline.orah import assumed
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, fingerprint

UNDO = "undo"
"""Cause of a change that takes another one back."""

_TURNED = {
    Action.UPDATE: Action.UPDATE,
    Action.DEACTIVATE: Action.REACTIVATE,
    Action.REACTIVATE: Action.DEACTIVATE,
}


@dataclass(frozen=True)
class Orah:
    """Orah as it is now.

    Args:
        records: every record by entity and id, with the fields as a plan names them; a house by ``{"id": N}``.
        houses: the house of each dorm that has one.
        students: the record of each student who has one.
    """

    records: Mapping[tuple[Entity, int], Mapping[str, Any]]
    houses: Mapping[int, int]
    students: Mapping[int, int]


def undo_changes(changes: Sequence[Change], landed: Mapping[str, int | None], orah: Orah) -> list[Change]:
    """The changes that take a plan back, in the plan's order.

    Args:
        changes: of the plan.
        landed: fingerprints of those that were written, with the record's id in Orah.
        orah: Orah as it is now.

    Returns:
        One change for each that was written; a ``SKIP`` with its reason where it cannot be turned back.
    """
    return [
        _turned(change, record_id, orah)
        for change in changes
        if (record_id := landed.get(fingerprint(change))) is not None
    ]


def _turned(change: Change, record_id: int, orah: Orah) -> Change:
    base = replace(change, target_id=record_id, cause=UNDO, urgent=False, fields={})
    record = orah.records.get((change.entity, record_id))
    if change.action is Action.DELETE:
        return _skip(base, "it was deleted for good; a new record is all that could be made")
    if record is None:
        return _skip(base, "the record is not in Orah any more")
    if change.action is Action.CREATE:
        return _unmade(base, change, record, orah)
    if change.action in (Action.LINK, Action.UNLINK):
        return _untied(base, change, record, orah)
    fields, edited = {}, []
    for name, pair in change.fields.items():
        if _still(record, name, pair.after, orah):
            # As the plan named it: only so is it known again when a later plan wants it back.
            fields[name] = Difference(pair.after, pair.before)
        else:
            edited.append(name)
    if not fields or ("deactivated" in change.fields and "deactivated" not in fields):
        return _skip(base, "it was changed since, by somebody else or by a later run")
    left = f"; changed since and left as it is: {', '.join(sorted(edited))}" if edited else ""
    return replace(
        base, action=_TURNED[change.action], fields=fields, reason=f"takes back: {change.reason}{left}"
    )


def _unmade(base: Change, change: Change, record: Mapping[str, Any], orah: Orah) -> Change:
    """A student's record is deactivated, for deleting is for good; a house or contact goes if nobody uses it."""
    reason = f"takes back: {change.reason}"
    if change.entity is Entity.STUDENT:
        if record["deactivated"]:
            return _skip(base, "the record is deactivated already")
        fields = {"deactivated": Difference(False, True)}
        return replace(base, action=Action.DEACTIVATE, fields=fields, reason=reason)
    if change.entity is Entity.HOUSE:
        if base.target_id in set(_houses_in_use(orah)):
            return _skip(base, "students are in the house")
        return replace(base, action=Action.DELETE, reason=reason)
    given = {orah.students.get(child["student_id"]) for child in change.fields["students"].after}
    if not set(record["students"]) <= given:
        return _skip(base, "the contact was tied to other students since")
    return replace(base, action=Action.DELETE, reason=reason)


def _houses_in_use(orah: Orah) -> Iterator[int]:
    for (entity, _), record in orah.records.items():
        if entity is Entity.STUDENT and record["house"] is not None:
            yield record["house"]["id"]


def _untied(base: Change, change: Change, record: Mapping[str, Any], orah: Orah) -> Change:
    pair = change.fields["students"]
    if change.urgent:
        return _skip(
            base, "the tie ended because waiting would have done harm; only Veracross can bring it back"
        )
    child = (pair.after or pair.before)["student_id"]
    tied = orah.students.get(child) in record["students"]
    if tied is (change.action is Action.UNLINK):
        return _skip(base, "it was changed since, by somebody else or by a later run")
    action = Action.UNLINK if change.action is Action.LINK else Action.LINK
    fields = {"students": Difference(pair.after, pair.before)}
    return replace(base, action=action, fields=fields, reason=f"takes back: {change.reason}")


def _still(record: Mapping[str, Any], name: str, value: Any, orah: Orah) -> bool:
    """Whether a field holds what we wrote."""
    if name == "house":
        house_id = None if value is None else value.get("id", orah.houses.get(value.get("dorm_id")))
        return assumed.same_value(record, "house_id", house_id)
    return assumed.same_value(record, name, value)


def _skip(base: Change, why: str) -> Change:
    return replace(base, action=Action.SKIP, reason=f"cannot be taken back: {why}")
