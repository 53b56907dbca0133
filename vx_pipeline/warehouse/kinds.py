"""What a field's kind means for a value: how it is stored, and when it is of the wrong kind.

A column is read at a time, because a column's values repeat and are mostly of one type.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType, NoneType
from typing import Any, Final

from vx_pipeline.schema import Kind

SQL_TYPES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.ID: "BIGINT",
        Kind.NUMBER: "DOUBLE",
        Kind.TEXT: "VARCHAR",
        Kind.FLAG: "BOOLEAN",
        Kind.DATE: "DATE",
        Kind.TIMESTAMP: "TIMESTAMP",
        Kind.CODE: "VARCHAR",
        Kind.JSON: "JSON",
    }
)

IN_WORDS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.ID: "a whole number",
        Kind.NUMBER: "a number",
        Kind.TEXT: "text",
        Kind.FLAG: "true or false",
        Kind.DATE: "a date (YYYY-MM-DD)",
        Kind.TIMESTAMP: "a date with a time (ISO 8601)",
        Kind.CODE: "a code (text or a whole number)",
        Kind.JSON: "JSON",
    }
)

MISPLACED: Final = object()
"""Stands for a value whose parent is neither an object nor null; it is of the wrong kind for every field."""

_WRONG: Final = object()
_BIGGEST_ID = 2**63 - 1  # BIGINT
_BIGGEST_EXACT_FLOAT = 2.0**53
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].+)?", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)


def read_column(kind: Kind, values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Read the values of one field.

    Dates are given back as ``YYYY-MM-DD`` and timestamps as ISO 8601 without an offset, both as text. A
    date that comes with a time keeps its date part as written, without moving it to another time zone,
    because dates are days in the school's own calendar. A timestamp with ``Z`` or an offset is moved to
    UTC; one without stays as it is.

    Returns:
        The values as they are stored, ``None`` where the value is null or wrong; and the positions of the
        wrong.
    """
    read = _READERS[kind]
    types = set(map(type, values)) - {NoneType}
    # Text alone or whole numbers alone: as keys, Python takes 1, 1.0 and True for the same.
    if types in ({int}, {str}):
        stored_by_value = {value: read(value) for value in set(values) if value is not None}
        stored_by_value[None] = None
        stored = [stored_by_value[value] for value in values]
    else:
        stored = [None if value is None else read(value) for value in values]
    if not any(value is _WRONG for value in stored):
        return stored, []
    wrong = [position for position, value in enumerate(stored) if value is _WRONG]
    return [None if value is _WRONG else value for value in stored], wrong


def record_id(value: Any) -> int | None:
    """A record's id: a positive whole number that fits a BIGINT; ``None`` for anything else."""
    number = _whole_number(value)
    return number if isinstance(number, int) and number > 0 else None


def likely_record_id(value: Any) -> int | None:
    """The id that a badly typed value most likely means (``"123"``), to tell whose record cannot be used."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        return record_id(int(value))
    return record_id(value)


def code(value: Any) -> str | None:
    """A value-list code as text: ``5``, ``5.0`` and ``"5"`` are one code. ``None`` for anything else."""
    stored = _code(value)
    return stored if isinstance(stored, str) else None


def json_text(value: Any) -> str:
    """JSON with sorted keys that DuckDB takes: no lone surrogates, and NaN and infinities as text."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except ValueError:
        text = json.dumps(_without_nan(value), ensure_ascii=False, sort_keys=True)
    return _storable(text)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _storable(text: str) -> str:
    """The text, with ``?`` for lone surrogates (an emoji cut in half).

    DuckDB 1.5.6 gives up the whole database when it meets one in a frame.
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool):
        return _WRONG
    if isinstance(value, float):
        if not (value.is_integer() and abs(value) <= _BIGGEST_EXACT_FLOAT):
            return _WRONG
        return int(value)
    return value if isinstance(value, int) and -_BIGGEST_ID <= value <= _BIGGEST_ID else _WRONG


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _WRONG
    try:
        number = float(value)
    except OverflowError:
        return _WRONG
    return number if math.isfinite(number) else _WRONG


def _text(value: Any) -> Any:
    return _storable(value) if isinstance(value, str) else _WRONG


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool) else _WRONG


def _date(value: Any) -> Any:
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return _WRONG
    try:
        datetime.fromisoformat(value)
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        return _WRONG


def _timestamp(value: Any) -> Any:
    if not isinstance(value, str) or _TIMESTAMP.fullmatch(value) is None:
        return _WRONG
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return _WRONG
    return moment.isoformat()


def _code(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    number = _whole_number(value)
    return _WRONG if number is _WRONG else str(number)


def _json(value: Any) -> Any:
    return _WRONG if value is MISPLACED else json_text(value)


_READERS: Mapping[Kind, Callable[[Any], Any]] = MappingProxyType(
    {
        Kind.ID: _whole_number,
        Kind.NUMBER: _number,
        Kind.TEXT: _text,
        Kind.FLAG: _flag,
        Kind.DATE: _date,
        Kind.TIMESTAMP: _timestamp,
        Kind.CODE: _code,
        Kind.JSON: _json,
    }
)
