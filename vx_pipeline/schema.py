"""The shared words for a collection of records: its fields, their kinds, and its value lists.

Both clients describe what they read with these, and the warehouse lands it, without either knowing the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a field holds, and so how the warehouse stores it.

    ``CODE`` is a value-list code: a name for something, not a quantity. It is stored as text, because the
    items of a value list are keyed by strings in one school and by numbers in another.
    """

    ID = "id"
    NUMBER = "number"
    TEXT = "text"
    FLAG = "flag"
    DATE = "date"
    TIMESTAMP = "timestamp"
    CODE = "code"
    JSON = "json"


@dataclass(frozen=True)
class Field:
    """One field of a record.

    Args:
        path: where it stands in the JSON record, e.g. ``("homeroom_teacher", "id")``.
        kind: what it holds.
        used: whether a derivation rests on it. A used field that is absent or of another type in every row
            stops the collection; an unused one is only reported.
    """

    path: tuple[str, ...]
    kind: Kind
    used: bool = False

    @property
    def name(self) -> str:
        """The column's name: the path joined by two underscores: ``course.id`` is not ``course_id``."""
        return "__".join(self.path)


@dataclass(frozen=True)
class Collection:
    """A list of records with unique positive ``id`` values, landed as the table ``schema.table``."""

    schema: str
    table: str
    fields: tuple[Field, ...]

    @property
    def name(self) -> str:
        """The table's full name, e.g. ``veracross.students``."""
        return f"{self.schema}.{self.table}"

    def field(self, name: str) -> Field:
        """The field with this column name.

        Raises:
            KeyError: there is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


@dataclass(frozen=True)
class ValueList:
    """Codes of a school and their labels, for the named fields.

    Args:
        fields: dotted field paths that the list explains, e.g. ``("campus.id",)``.
        items: the items as the API gave them: ``id`` (string or number), ``description``, and optionally
            ``category``, ``sort_key``, ``obsolete``.
    """

    fields: tuple[str, ...]
    items: Sequence[Mapping[str, Any]]
