"""Reading a timeline of Orah's whole: a range of time, pages inside ``query``, and proof that no record was missed.

Source: timelines seen on a live tenant; the end is a short page.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from vx_pipeline.errors import IncompleteReadError

PAGE_SIZE = 200
"""Largest page of a timeline that a live tenant was seen to accept."""

_MOST_PASSES = 4
"""How often a timeline of several pages is read until two passes in a row agree."""

Records = list[dict[str, Any]]
ReadList = Callable[[str, Mapping[str, Any]], Awaitable[Records]]
"""Takes a route and a body, and brings the list that is answered."""


async def read_timeline(
    read: ReadList, route: str, query: Mapping[str, Any], check: Callable[[Records], Records]
) -> Records:
    """All pages of a timeline.

    Records may come or go between two pages, so more than one page is read until two passes agree.

    Args:
        read: one page.
        route: e.g. ``roll/timeline``.
        query: the filters, without paging.
        check: returns the records of a pass as they are used, each with an ``id``; raises where one has none.

    Raises:
        IncompleteReadError: a record is malformed or came twice, or passes kept differing.
        ServiceError: a page failed.
    """
    before: list[Any] | None = None
    for _ in range(_MOST_PASSES):
        records = check(await _one_pass(read, route, query))
        ids = [record["id"] for record in records]
        if len(set(ids)) == len(ids) and (len(ids) < PAGE_SIZE or ids == before):
            return records
        before = ids
    raise IncompleteReadError(
        f"The records of Orah's {route} changed while they were read, {_MOST_PASSES} times in a row.",
        kept="No mark is derived from them.",
        remedy="Run the push again.",
    )


def date_range(start: datetime, end: datetime | None) -> dict[str, str]:
    """The range of a timeline, both ends included; without an end it lasts until now and later."""
    return {"start_date": _utc(start)} | ({} if end is None else {"end_date": _utc(end)})


async def _one_pass(read: ReadList, route: str, query: Mapping[str, Any]) -> Records:
    records: Records = []
    while True:
        page = {"page_size": PAGE_SIZE, "page_index": len(records) // PAGE_SIZE}
        rows = await read(route, {"query": {**query, **page}})
        records += rows
        if len(rows) < PAGE_SIZE:
            return records


def _utc(moment: datetime) -> str:
    """ISO-8601 in UTC with milliseconds and ``Z``, as Orah writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
