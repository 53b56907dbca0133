"""A change: one thing to do to one record in Orah, with what every field was and will be, and why."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Entity(StrEnum):
    """What kind of record in Orah a change is about."""

    HOUSE = "house"
    STUDENT = "student"
    CONTACT = "contact"


class Action(StrEnum):
    """What happens to the record.

    ``LINK`` and ``UNLINK`` tie one contact to one student, or end that. ``SKIP`` writes nothing: it says, with its
    reason, what a person has to look at.
    """

    CREATE = "create"
    UPDATE = "update"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    DELETE = "delete"
    LINK = "link"
    UNLINK = "unlink"
    SKIP = "skip"

    @property
    def removes(self) -> bool:
        """Whether somebody disappears from Orah's roll calls by it."""
        return self in (Action.DEACTIVATE, Action.DELETE)


@dataclass(frozen=True)
class Difference:
    """What a field is in Orah and what it should be. A value is text, a number, a flag or None."""

    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """One step of a plan.

    Args:
        entity: kind of record.
        action: what happens to it.
        key: the Veracross id behind it: a person's, or a dorm's for a house.
        target_id: the Orah id, None for a record that does not exist yet.
        fields: the differences by Orah field name. A house is named by ``{"dorm_id": N}``, a student of a contact
            by ``{"student_id": N}``: ids of Veracross, because the record in Orah may be made by the same plan.
        reason: in plain words, without names.
        cause: what brought it about: ``veracross``, ``settings``, ``decision``, ``orah`` or ``undo``.
        urgent: whether waiting does harm, as with a parent who lost custody. It is never held nor postponed.
    """

    entity: Entity
    action: Action
    key: int
    target_id: int | None
    fields: Mapping[str, Difference]
    reason: str
    cause: str = "veracross"
    urgent: bool = False

    @property
    def writes(self) -> bool:
        """Whether the change is sent to Orah at all."""
        return self.action is not Action.SKIP

    @property
    def values(self) -> dict[str, Any]:
        """The new value of each field that changes."""
        return {name: difference.after for name, difference in self.fields.items()}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Difference]:
    """Fields that Veracross knows and Orah has otherwise. What Veracross does not know stays as it is."""
    return {
        name: Difference(before[name], value)
        for name, value in after.items()
        if value is not None and before[name] != value
    }


def without_fields(fields: Mapping[str, Difference], names: Collection[str]) -> dict[str, Difference]:
    """The differences without some fields. Where a student's house stays, room and bed are not emptied either."""
    kept = {name: pair for name, pair in fields.items() if name not in names}
    if "house" in fields and "house" not in kept:
        kept = {
            name: pair
            for name, pair in kept.items()
            if name not in ("room_number", "bed_number") or pair.after is not None
        }
    return kept


def fingerprint(change: Change) -> str:
    """A hash over what a change does: to which record, and from which values to which.

    The reason is left out: it may tell numbers that move while the change stays the same. Not so of a removal: who
    said no when somebody had vanished from a list did not speak of the day when they really leave.
    """
    told = json.dumps(
        [
            change.entity,
            change.action,
            change.key,
            change.target_id,
            {name: [pair.before, pair.after] for name, pair in sorted(change.fields.items())},
            *([change.reason] if change.action.removes else []),
        ],
        default=str,
        sort_keys=True,
    )
    return hashlib.sha256(told.encode()).hexdigest()
