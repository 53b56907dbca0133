"""Bodies of Orah requests: ``{"query": {...}, "data": {...}}``, read strictly. Everything else is refused with 400.

Seen on a live tenant: filters and paging stand inside ``query``, timelines need ``date_range.start_date``. That
unknown keys are refused is assumed: a client that relies on their being ignored would rest on nothing.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vx_pipeline.sandbox.messages import JSON_TYPE, Incoming, Refusal

PAGE_SIZE, LARGEST_PAGE = 50, 200
"""Page sizes that were seen to work; that there is no larger one is assumed."""

PAGING = frozenset({"page_index", "page_size"})


@dataclass(frozen=True)
class Body:
    """A request's body.

    Args:
        query: the filters.
        data: the record of a write; None if there is none.
    """

    query: Mapping[str, Any]
    data: Mapping[str, Any] | None

    def only(self, *query: str, data: bool = False) -> None:
        """Refuses other keys of ``query`` than these, and ``data`` where it has no place or is missing."""
        unknown = set(self.query) - set(query)
        if unknown:
            raise Refusal(400, f"Unknown in query: {', '.join(sorted(unknown))}.")
        if data != (self.data is not None):
            raise Refusal(400, "data is missing." if data else "data has no place here.")

    def record_id(self) -> int:
        """``query.id``."""
        return whole_number(self.query.get("id"), "query.id")


@dataclass(frozen=True)
class Period:
    """From `start` to `end`, both included; no end means until now and later."""

    start: datetime
    end: datetime | None

    def holds(self, text: str) -> bool:
        """Whether a time of Orah lies in it."""
        at = datetime.fromisoformat(text)
        return self.start <= at and (self.end is None or at <= self.end)


def read_body(incoming: Incoming) -> Body:
    """The body of a request.

    Raises:
        Refusal: 400.
    """
    if incoming.media_type != JSON_TYPE:
        raise Refusal(400, f"The body must be {JSON_TYPE}.")
    try:
        body = json.loads(incoming.body)
    except ValueError:
        raise Refusal(400, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be an object.")
    unknown = set(body) - {"query", "data"}
    if unknown:
        raise Refusal(400, f"Unknown in the body: {', '.join(sorted(unknown))}.")
    query, data = body.get("query", {}), body.get("data")
    if not isinstance(query, dict) or not isinstance(data, dict | None):
        raise Refusal(400, "query and data are objects.")
    return Body(query, data)


def page_of(query: Mapping[str, Any]) -> tuple[int, int]:
    """``page_index`` (from 0) and ``page_size`` (1 to 200)."""
    index = whole_number(query.get("page_index", 0), "query.page_index")
    size = whole_number(query.get("page_size", PAGE_SIZE), "query.page_size")
    if index < 0 or not 1 <= size <= LARGEST_PAGE:
        raise Refusal(400, f"page_index counts from 0; page_size is 1 to {LARGEST_PAGE}.")
    return index, size


def period_of(query: Mapping[str, Any]) -> Period:
    """``date_range`` with its ``start_date`` and, if it has one, its ``end_date``."""
    given = query.get("date_range")
    if not isinstance(given, dict) or "start_date" not in given:
        raise Refusal(400, "query.date_range.start_date is missing.")
    if set(given) - {"start_date", "end_date"}:
        raise Refusal(400, "Unknown in query.date_range.")
    end = given.get("end_date")
    return Period(moment(given["start_date"]), None if end is None else moment(end))


def moment(value: Any) -> datetime:
    """A date (its midnight in UTC) or a moment with its offset."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Refusal(400, "A date is not in ISO 8601.") from None
    if at.tzinfo is None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise Refusal(400, "A time has no offset.")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def whole_number(value: Any, name: str) -> int:
    """A JSON number without a fraction."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(400, f"{name} is not a whole number.")
    return value


def reference(value: Any, name: str, allowed: Collection[str] = ("id", "sis_id", "name")) -> int:
    """The id of ``{"id": 1}``; what else a reference of an answer holds may come along and is not looked at."""
    if not isinstance(value, dict) or set(value) - set(allowed):
        raise Refusal(400, f'{name} must be {{"id": ...}}.')
    return whole_number(value.get("id"), f"{name}.id")


def utc_milliseconds(at: datetime) -> str:
    """``2026-11-23T13:05:12.000Z``, the form of all times in Orah."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
