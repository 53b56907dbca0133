"""What a link would change in Orah, field by field: shown to a person before it is decided."""

from collections.abc import Mapping
from typing import Any

from vx_pipeline.orah import assumed

_SAME_MEANING = (assumed.BOARDING_TYPES, assumed.DAY_TYPES)


def would_change(wanted: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields that a sync would write into a record of Orah, as (now, then).

    What Veracross does not know stays as it is, an e-mail is compared without regard to case, and a student type
    that means the same is the school's own choice.

    Args:
        wanted: Orah fields as the sync would write them for the person.
        fields: the record's fields as they are now; one that is missing is empty.
    """
    changes = {}
    for name, then in wanted.items():
        now = fields.get(name)
        if then is None or then == "" or _same(name, now, then):
            continue
        changes[name] = (now, then)
    return changes


def _same(name: str, now: Any, then: Any) -> bool:
    if name == "email" and isinstance(now, str) and isinstance(then, str):
        return now.strip().lower() == then.strip().lower()
    if name == "student_type":
        return now == then or any(now in types and then in types for types in _SAME_MEANING)
    return bool(now == then)
