"""Reads a collection whole: one list, or of a fan-out endpoint the list of every parent."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.schema import ValueList
from vx_pipeline.veracross.contract import Endpoint
from vx_pipeline.veracross.exchange import Exchange
from vx_pipeline.veracross.listing import KEPT, MAX_PASSES, Pass, RecordList, Row
from vx_pipeline.veracross.transport import Tally

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CompleteRead:
    """All records of a collection at one time.

    Args:
        endpoint: what was read.
        rows: as the API gave them; of a fan-out in the order of the parents.
        value_lists: codes and labels that came with them.
        requests: sent for this read, retries included, tokens not.
        seconds: it took, waiting included.
        passes: the most that any list in it was read.
        rate_remaining: requests left in the area's budget.
        unread: parents that were left out because their lists could not be read, and what went wrong, by ids.
    """

    endpoint: Endpoint
    # Not in the repr: rows are people, and reprs end up in logs.
    rows: list[Row] = field(repr=False)
    value_lists: tuple[ValueList, ...] = field(repr=False)
    requests: int
    seconds: float
    passes: int
    rate_remaining: int | None
    unread: Mapping[int, str] = field(default_factory=dict)


async def read_whole(
    exchange: Exchange,
    endpoint: Endpoint,
    *,
    page_size: int,
    concurrency: int,
    parameters: Mapping[str, str] | None = None,
    parents: Sequence[int] | None = None,
    may_fail: int = 0,
    progress: Callable[[int], None] | None = None,
) -> CompleteRead:
    """Reads a collection; the arguments are those of ``VeracrossClient.read``."""
    _check_arguments(endpoint, parameters, parents)
    started = time.monotonic()
    tally = Tally()
    rows_so_far = 0

    def arrived(rows: int) -> None:
        nonlocal rows_so_far
        rows_so_far += rows
        if progress is not None:
            progress(rows_so_far)

    def one_list(parent: int | None = None) -> RecordList:
        return RecordList(exchange, endpoint, parameters or {}, page_size, tally, arrived, parent)

    unread: dict[int, str] = {}
    if parents is None:
        passes = [await one_list().whole()]
    else:
        lists = {parent: one_list(parent) for parent in parents}
        passes, unread = await _fan_out(endpoint, lists, concurrency, may_fail)
    read = CompleteRead(
        endpoint=endpoint,
        rows=[row for one in passes for row in one.rows],
        value_lists=merge_value_lists(found for one in passes for found in one.value_lists),
        requests=tally.requests,
        seconds=time.monotonic() - started,
        passes=max((one.passes for one in passes), default=0),
        rate_remaining=exchange.budgets[endpoint.area].remaining,
        unread=unread,
    )
    log.info(
        "%s: %d rows, %d requests, %d passes, %d requests left.",
        endpoint.collection.name,
        len(read.rows),
        read.requests,
        read.passes,
        read.rate_remaining,
    )
    return read


async def _fan_out(
    endpoint: Endpoint, lists: Mapping[int, RecordList], concurrency: int, may_fail: int
) -> tuple[list[Pass], dict[int, str]]:
    """Reads the list of every parent; again those of two parents that hold the same record.

    Returns:
        What came, in the order of the parents; and the parents that failed, with what went wrong.

    Raises:
        IncompleteReadError: more lists than may fail are incomplete, or a record kept moving from parent to
            parent.
    """
    places = asyncio.Semaphore(concurrency)

    async def one(parent: int) -> None:
        async with places:
            try:
                passes[parent] = await lists[parent].whole()
            except IncompleteReadError as error:
                passes.pop(parent, None)
                unread[parent] = error.what
                if len(unread) > may_fail:
                    raise

    unread: dict[int, str] = {}
    passes: dict[int, Pass] = {}
    to_read: Iterable[int] = lists
    for _ in range(MAX_PASSES):
        await _all(one(parent) for parent in to_read)
        to_read = _sharing_a_record(passes)
        if not to_read:
            return [passes[parent] for parent in lists if parent in passes], unread
    raise IncompleteReadError(
        f"{endpoint.collection.name} could not be read whole: a record stands under several of "
        f"{endpoint.path_param} {', '.join(str(parent) for parent in to_read)}.",
        kept=KEPT,
        remedy="Run again when nobody is importing into Veracross.",
    )


async def _all(work: Iterable[Awaitable[None]]) -> None:
    """Waits for all of it; the first trouble stops the rest."""

    async def run(one: Awaitable[None]) -> None:
        await one

    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(run(one))
    except ExceptionGroup as troubles:
        raise troubles.exceptions[0] from None


def _sharing_a_record(passes: Mapping[int, Pass]) -> list[int]:
    """Parents with a record that another parent has too: it moved while we read."""
    holders: dict[int, list[int]] = {}
    for parent, one in passes.items():
        for key in one.ids:
            holders.setdefault(key, []).append(parent)
    return sorted({parent for found in holders.values() if len(found) > 1 for parent in found})


def _check_arguments(
    endpoint: Endpoint, parameters: Mapping[str, str] | None, parents: Sequence[int] | None
) -> None:
    """Mistakes of the calling code, found before anything is sent."""
    if (endpoint.path_param is None) != (parents is None):
        needs = "needs" if parents is None else "takes no"
        raise ValueError(f"{endpoint.collection.name} {needs} parents")
    unknown = set(parameters or {}) - endpoint.query
    if unknown:
        raise ValueError(f"{endpoint.collection.name} has no filter {', '.join(sorted(unknown))}")


def merge_value_lists(found: Iterable[Any]) -> tuple[ValueList, ...]:
    """Value lists out of the ``value_lists`` of answers; those for the same fields become one.

    What does not look like a value list is left out: then its labels are missing, which is told where they
    are needed.
    """
    merged: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {}
    for one in found:
        fields, items = (one.get("fields"), one.get("items")) if isinstance(one, dict) else (None, None)
        if not isinstance(fields, list) or not isinstance(items, list):
            continue
        codes = merged.setdefault(tuple(str(name) for name in fields), {})
        codes.update({str(item["id"]): item for item in items if isinstance(item, dict) and "id" in item})
    return tuple(ValueList(fields, tuple(codes.values())) for fields, codes in merged.items())
