"""Veracross's lists: which rows there are, in which order, and one page of them."""

import random
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from vx_pipeline.sandbox.faults import FaultKind
from vx_pipeline.sandbox.filters import compile_filters
from vx_pipeline.sandbox.messages import Incoming, Refusal
from vx_pipeline.sandbox.school import School
from vx_pipeline.sandbox.trouble import Trouble

Record = dict[str, Any]

PAGE_SIZE, LARGEST_PAGE = 100, 1000
PARENTS = {
    "internal_dorm_id": ("list_boarding_dorms", "dorm_id"),
    "internal_class_id": ("list_classes", "internal_class_id"),
}
"""Path parameter to the operation that lists the parents, and the row's field with the parent's id."""


def page_of(incoming: Incoming) -> tuple[int, int]:
    """Page number (from 1) and page size that a request asks for.

    Raises:
        Refusal: 400 for anything but whole numbers, of 1 to 1000 for the size.
    """
    number = _header(incoming, "X-Page-Number", 1)
    size = _header(incoming, "X-Page-Size", PAGE_SIZE)
    if number < 1:
        raise Refusal(400, "X-Page-Number counts from 1.")
    if not 1 <= size <= LARGEST_PAGE:
        raise Refusal(400, f"X-Page-Size is 1 to {LARGEST_PAGE}.")
    return number, size


def _header(incoming: Incoming, name: str, default: int) -> int:
    text = incoming.headers.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(400, f"{name} is not a whole number.")
    return int(text)


class Order:
    """An order that says nothing, as Veracross promises none; stable while the sandbox runs."""

    def __init__(self) -> None:
        self._rng = random.Random("order")
        self._ranks: dict[tuple[str, str], float] = {}

    def arrange(self, operation: str, rows: list[Record]) -> list[Record]:
        """The rows in the order served."""
        return sorted(rows, key=lambda row: self._rank(operation, row))

    def put_before(self, operation: str, row: Record, other: Record) -> None:
        """Places a new row directly before another, or at least before all that follow it."""
        self._ranks[operation, repr(row.get("id"))] = self._rank(operation, other) - 1e-9

    def _rank(self, operation: str, row: Record) -> float:
        return self._ranks.setdefault((operation, repr(row.get("id"))), self._rng.random())


class Lists:
    """The lists of a school.

    Args:
        school: the live records.
    """

    def __init__(self, school: School) -> None:
        self._school = school
        self._order = Order()

    def page(
        self,
        operation: str,
        described: Mapping[str, Any],
        parents: Mapping[str, int],
        query: QueryParams,
        page: tuple[int, int],
        trouble: Trouble,
    ) -> list[Record]:
        """One page of a list.

        Args:
            operation: its name in the contract.
            described: what the contract says of it.
            parents: path parameters.
            query: query parameters.
            page: number (from 1) and size.
            trouble: the faults of this request.

        Raises:
            Refusal: 404 for an unknown parent, 400 for a bad query.
        """
        passes = compile_filters(operation, described, query, self._school)
        rows = self._school.veracross[operation]
        for name, parent_id in parents.items():
            known, field = PARENTS[name]
            if not any(row["id"] == parent_id for row in self._school.veracross[known]):
                raise Refusal(404, f"There is no record with this {name}.")
            rows = [row for row in rows if row[field] == parent_id]
        rows = self._order.arrange(operation, [row for row in rows if all(ok(row) for ok in passes)])
        number, size = page
        served = trouble.list_as_served(rows)
        served = trouble.page_as_served(served[(number - 1) * size : number * size])
        if rows and (shift := trouble.shift_after_page()):
            self._shift(operation, rows[0], shift)
        return served

    def _shift(self, operation: str, first: Record, shift: FaultKind) -> None:
        rows = self._school.veracross[operation]
        if shift is FaultKind.ROW_REMOVED:
            rows[:] = [row for row in rows if row is not first]
            return
        new = {**first, "id": max(row["id"] for row in rows if isinstance(row["id"], int)) + 1}
        rows.append(new)
        self._order.put_before(operation, new, first)
