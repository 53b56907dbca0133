"""How the pages about plans say things: verdicts, actions, fields with their values, and names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vx_pipeline.journal.decisions import Entity
from vx_pipeline.journal.plans import PlanRow
from vx_pipeline.review import words
from vx_pipeline.review.directory import Directory

HELD, REFUSED, SKIP, POSTPONED, WRITE = "held", "refused", "skip", "postponed", "write"

VERDICTS: Mapping[str, str] = {
    HELD: "Held for a person",
    REFUSED: "Refused by a person",
    SKIP: "Left alone",
    POSTPONED: "Postponed",
    WRITE: "Let pass by the gate",
}
"""What the gate says of a step, in the order of the page."""

PURPOSES: Mapping[str, str] = {
    "sync": "the whole school",
    "person": "one person",
    "class": "one class",
    "undo": "undoing a plan",
}

TO_DO: Mapping[str, str] = {
    "create": "to make anew",
    "update": "to change",
    "deactivate": "to deactivate",
    "reactivate": "to make active again",
    "delete": "to delete",
    "link": "to tie to a student",
    "unlink": "to untie from a student",
    "skip": "to look at",
}

DOES: Mapping[str, str] = {
    "create": "Made anew",
    "update": "Changed",
    "deactivate": "Deactivated",
    "reactivate": "Active again",
    "delete": "Deleted",
    "link": "Tied to a student",
    "unlink": "Untied from a student",
    "skip": "Left alone",
}

WILL: Mapping[str, str] = {
    "create": "gets a new record in Orah",
    "update": "changes in Orah",
    "deactivate": "is deactivated in Orah, and stands on no roll call any more",
    "reactivate": "is active again in Orah",
    "delete": "is deleted in Orah",
    "link": "becomes a contact of a student in Orah",
    "unlink": "is no contact of a student in Orah any more",
}


@dataclass(frozen=True)
class Line:
    """One field of a step, in words; an empty text is nothing."""

    label: str
    before: str
    after: str


def known_name(directory: Directory, entity: str, system: str, number: int | None) -> str:
    """The name of a record of either system; empty when the newest run saw none."""
    return directory.name(Entity(entity), system, number) if entity in set(Entity) else ""


def own_name(rows: Iterable[PlanRow]) -> str:
    """The name that the step itself brings, for somebody whom no run has matched yet."""
    told = {row.field: row.after or row.before for row in rows}
    return " ".join(str(told[name]) for name in ("first_name", "last_name", "name") if told.get(name))


def line_of(row: PlanRow, directory: Directory) -> Line:
    """One field of a step in words."""
    return Line(
        words.field(row.field),
        _value(row.before, row.field, directory),
        _value(row.after, row.field, directory),
    )


def _value(content: Any, field: str, directory: Directory) -> str:
    """A value in words; a house or a student is told by name."""
    if content is None or content == "":
        return ""
    if isinstance(content, list):
        return ", ".join(_value(each, field, directory) for each in content)
    if isinstance(content, Mapping) and len(content) == 1:
        ((kind, number),) = content.items()
        entity = Entity.HOUSE if kind == "dorm_id" or field == "house" else Entity.STUDENT
        system = "orah" if kind == "id" else "veracross"
        name = directory.name(entity, system, number) if isinstance(number, int) else ""
        told = f"{words.SYSTEMS[system]} {number}"
        return f"{name} ({told})" if name else told
    return words.value(content)
