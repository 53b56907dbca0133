"""One list, read whole: every page, ids unique, and the id set proven stable; or an error, never a part.

Veracross gives no total count, promises no order, and holds nothing still between two pages. So a list that
spans pages is read until two passes in a row hold the same records.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.veracross.contract import Endpoint
from vx_pipeline.veracross.exchange import Exchange
from vx_pipeline.veracross.failures import FailedRequestError
from vx_pipeline.veracross.transport import Tally

log = logging.getLogger(__name__)

Row = dict[str, Any]

MAX_PASSES = 4
KEPT = "The last good table stays as it is."

_ROUND_SIZE = 50
"""Page sizes of servers are multiples of it; Veracross's own default is 100."""


@dataclass(frozen=True, repr=False)
class Page:
    """One answer."""

    rows: list[Row]
    value_lists: list[Any]


@dataclass(repr=False)
class Pass:
    """One walk over the pages of one list."""

    rows: list[Row] = field(default_factory=list)
    value_lists: list[Any] = field(default_factory=list)
    pages: int = 0
    ids: dict[int, Row] = field(default_factory=dict)
    without_id: Counter[str] = field(default_factory=Counter)
    passes: int = 1

    def same_records(self, other: "Pass") -> bool:
        """Whether both walks met the same records, whatever their order or content."""
        return self.ids.keys() == other.ids.keys() and self.without_id == other.without_id

    def add(self, page: Page) -> bool:
        """Takes a page in; False if it shows that records moved between pages.

        A record that stands twice on one page, alike, was not moved: it is kept once.
        """
        self.pages += 1
        self.value_lists += page.value_lists
        on_this_page: set[int] = set()
        for row in page.rows:
            key = usable_id(row)
            if key is None:
                self.without_id[json.dumps(row, sort_keys=True)] += 1
            elif key in self.ids:
                if key in on_this_page and self.ids[key] == row:
                    continue
                return False
            else:
                self.ids[key] = row
                on_this_page.add(key)
            self.rows.append(row)
        return True


@dataclass
class RecordList:
    """One list: an endpoint's, or of a fan-out one parent's. Knows how to fetch its pages."""

    exchange: Exchange
    endpoint: Endpoint
    query: Mapping[str, str]
    page_size: int
    tally: Tally
    arrived: Callable[[int], None]
    parent: int | None = None

    @property
    def name(self) -> str:
        """What is read, for messages."""
        of_parent = f" of {self.endpoint.path_param} {self.parent}" if self.parent is not None else ""
        return f"{self.endpoint.collection.name}{of_parent}"

    async def whole(self) -> Pass:
        """Reads until the records are proven.

        Raises:
            IncompleteReadError: a page failed for good, or the records never held still.
        """
        before: Pass | None = None
        for passes in range(1, MAX_PASSES + 1):
            now = await self._walk()
            if now is not None:
                now.passes = passes
                # One answer holds its rows together; only between pages can records slip through.
                if now.pages == 1 or (before is not None and now.same_records(before)):
                    return now
            before = now
            log.info("%s: pass %d is not proven yet.", self.name, passes)
        raise IncompleteReadError(
            f"{self.name} changed during every one of {MAX_PASSES} passes, so it could not be read whole.",
            kept=KEPT,
            remedy="Run again when nobody is importing into Veracross.",
        )

    async def _walk(self) -> Pass | None:
        """All pages once; None if records moved meanwhile."""
        walk = Pass()
        before: list[Row] | None = None
        while True:
            page = await self._fetch(walk.pages + 1)
            # A server that repeats a page of rows without ids would otherwise be asked for ever.
            if not walk.add(page) or (page.rows and page.rows == before):
                return None
            self.arrived(len(page.rows))
            if self._ends(page.rows):
                return walk
            before = page.rows

    def _ends(self, rows: Sequence[Row]) -> bool:
        # A short page ends the list, unless it looks like a full page of a server that did not take our size.
        return len(rows) < self.page_size and (not rows or len(rows) % _ROUND_SIZE != 0)

    async def _fetch(self, number: int) -> Page:
        path = self.endpoint.path
        if self.endpoint.path_param is not None:
            path = path.format(**{self.endpoint.path_param: self.parent})
        headers = {"X-Page-Number": str(number), "X-Page-Size": str(self.page_size)}
        if number == 1:
            headers["X-API-Value-Lists"] = "include"
        try:
            body = await self.exchange.get(
                self.endpoint.area, path, query=self.query, headers=headers, tally=self.tally
            )
        except FailedRequestError as failure:
            raise self._incomplete(number, f"could not be read: {failure}") from None
        rows = body.get("data") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self._incomplete(number, 'is not a list of records under "data"')
        self._check_parents(number, rows)
        value_lists = body.get("value_lists")
        return Page(rows, value_lists if isinstance(value_lists, list) else [])

    def _check_parents(self, number: int, rows: Iterable[Row]) -> None:
        if self.parent is None or self.endpoint.parent_field is None:
            return
        for row in rows:
            parent = row.get(self.endpoint.parent_field)
            if isinstance(parent, int) and parent != self.parent:
                raise self._incomplete(number, f"holds a record of another one, {parent}")

    def _incomplete(self, number: int, what: str) -> IncompleteReadError:
        return IncompleteReadError(
            f"{self.name} is incomplete: page {number} (GET {self.endpoint.path}) {what}.",
            kept=KEPT,
            remedy="Run again; if it stays, `vx doctor` tells what Veracross grants and answers.",
        )


def usable_id(row: Row) -> int | None:
    """The record's id if it is a positive whole number."""
    key = row.get("id")
    return key if isinstance(key, int) and not isinstance(key, bool) and key > 0 else None
