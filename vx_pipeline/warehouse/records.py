"""Finding a contract's fields in JSON records, and what the contract does not describe."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vx_pipeline.schema import Field
from vx_pipeline.warehouse.kinds import MISPLACED

Record = dict[str, Any]


def values_at(records: Sequence[Record], path: tuple[str, ...]) -> list[Any]:
    """What each record has at the path; ``None`` for null or nothing, ``MISPLACED`` below a non-object."""
    *parents, key = path
    holders: Sequence[Any] = records
    for parent in parents:
        holders = [_inside(holder, parent) for holder in holders]
    return [_inside(holder, key) for holder in holders]


def _inside(holder: Any, key: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(key)
    return None if holder is None else MISPLACED


def has_path(record: Record, path: tuple[str, ...]) -> bool:
    """Whether the record has the field; it has when a parent is null or something else than an object."""
    holder: Any = record
    for key in path:
        if not isinstance(holder, dict):
            return True
        if key not in holder:
            return False
        holder = holder[key]
    return True


def keep(extra: Record, record: Record, path: tuple[str, ...]) -> None:
    """Keep what the record has at the path, or at the parent that is not the object it should be."""
    value = record[path[0]]
    if len(path) == 1 or not isinstance(value, dict):
        extra[path[0]] = value
    else:
        keep(extra.setdefault(path[0], {}), value, path[1:])


@dataclass(frozen=True)
class Shape:
    """The names that the contract knows at one level of a record, and the objects among them."""

    prefix: str
    names: frozenset[str]
    nested: Mapping[str, "Shape"]

    @classmethod
    def of(cls, fields: Sequence[Field], depth: int = 0, prefix: str = "") -> "Shape":
        """The shape that these fields describe, from this depth of their paths on."""
        inner: dict[str, list[Field]] = defaultdict(list)
        for field in fields:
            if len(field.path) > depth + 1:
                inner[field.path[depth]].append(field)
        return cls(
            prefix,
            frozenset(field.path[depth] for field in fields),
            {name: cls.of(below, depth + 1, f"{prefix}{name}.") for name, below in inner.items()},
        )

    def unknown_part(self, record: Record, found: set[str]) -> Record:
        """What the contract does not describe, at any level; adds the dotted names to ``found``."""
        extra: Record = {}
        if not record.keys() <= self.names:
            extra = {key: value for key, value in record.items() if key not in self.names}
            found.update(self.prefix + key for key in extra)
        for name, shape in self.nested.items():
            inner = record.get(name)
            if isinstance(inner, dict) and (below := shape.unknown_part(inner, found)):
                extra[name] = below
        return extra
