"""A change: one thing to do to one record in Orah, with what every field was and will be, and why."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Entity(StrEnum):
    """What kind of record in Orah a change is about."""

    HOUSE = "house"
    STUDENT = "student"


class Action(StrEnum):
    """What happens to the record.

    ``SKIP`` writes nothing: it says, with its reason, what a person has to look at.
    """

    CREATE = "create"
    UPDATE = "update"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    DELETE = "delete"
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
        fields: the differences by Orah field name.
        reason: in plain words, without names.
    """

    entity: Entity
    action: Action
    key: int
    target_id: int | None
    fields: Mapping[str, Difference]
    reason: str

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


def fingerprint(changes: Iterable[Change]) -> str:
    """A hash over the content of a plan: equal plans, in any order of their rows, have equal hashes."""
    rows = sorted(
        json.dumps(
            [
                change.entity,
                change.action,
                change.key,
                change.target_id,
                {name: [pair.before, pair.after] for name, pair in sorted(change.fields.items())},
            ],
            default=str,
        )
        for change in changes
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
