"""Values of Orah's JSON: ids, references, moments, words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def parse_moment(text: str) -> datetime:
    """An ISO-8601 moment as Orah writes it, aware, UTC (assumed: one without an offset is meant as UTC).

    Raises:
        ValueError: it is no moment.
        OverflowError: in UTC it lies outside the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_moment(value: Any) -> datetime | None:
    """A moment with its time of day, UTC; None if the value is none. A date alone does not tell when."""
    try:
        return parse_moment(value) if isinstance(value, str) and "T" in value else None
    except (ValueError, OverflowError):
        return None


def is_whole_number(value: Any) -> bool:
    """Whether a value of Orah's JSON can be an id."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_moment(value: Any) -> bool:
    """Whether a value is a moment, or the midnight of a date."""
    try:
        return isinstance(value, str) and bool(parse_moment(value))
    except (ValueError, OverflowError):
        return False


def is_reference(value: Any) -> bool:
    """Whether a value names another record, or none."""
    return value is None or (isinstance(value, Mapping) and is_whole_number(value.get("id")))


def referred_id(value: Any) -> int | None:
    """The id of the record that a value names; None if it names none."""
    if isinstance(value, Mapping) and is_whole_number(value.get("id")):
        return int(value["id"])
    return None


def folded(value: Any) -> str | None:
    """A word without regard to case, blanks and underscores; None if it is no word (assumed: none matters)."""
    return " ".join(value.replace("_", " ").split()).lower() or None if isinstance(value, str) else None


def text(value: Any) -> str | None:
    """A text without blanks around it; None if there is nothing left."""
    return value.strip() or None if isinstance(value, str) else None
