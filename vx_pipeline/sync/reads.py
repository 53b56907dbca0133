"""Whether the reads that a plan rests on can be trusted; where they cannot, the gate is closed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.warehouse.reads import last_whole_read

OLDEST_READ = timedelta(hours=36)
"""A plan must not rest on a read older than this: a night that failed, and the day before it."""

LARGEST_LOSS = 0.05
"""Share of Orah's student records that may be missing from one read; more, and the read was not whole."""

_RESTS_ON = (
    "veracross.students",
    "veracross.dorms",
    "veracross.dorm_students",
    "orah.students",
    "orah.houses",
)
_WRITTEN_TO = ("orah.students", "orah.houses")


def why_closed(
    connection: duckdb.DuckDBPyConnection,
    *,
    now: datetime,
    last_write: datetime | None,
    baseline: str | None = None,
    of_a_part: bool = False,
) -> str | None:
    """Why nothing of a plan may be written, or None when its reads are sound.

    Args:
        connection: the school's warehouse.
        now: the moment of planning, aware.
        last_write: when we last meant to write to Orah, aware; None before the first time.
        baseline: why warehouse and journal do not belong together; None when they do.
        of_a_part: whether the plan is about a part of Veracross that was read just now, however old the rest is.
    """
    reasons = [*([baseline] if baseline else []), *_untrue_reads(connection, now, last_write, of_a_part)]
    return "; ".join(reasons) or None


def _untrue_reads(
    connection: duckdb.DuckDBPyConnection, now: datetime, last_write: datetime | None, of_a_part: bool
) -> Iterator[str]:
    """Reads that are missing, old, overtaken by our own writes, or plainly short."""
    for table in _RESTS_ON:
        newest = last_whole_read(connection, table)
        # A tenant into which nobody was entered yet is empty; one that we wrote to is not.
        never_empty = table == "veracross.students" or (table == "orah.students" and last_write is not None)
        if never_empty and _one(connection, f"SELECT count(*) FROM {table}") == 0:
            yield f"{table} is empty: there is nothing to compare with"
        elif newest is None:
            yield f"{table} was never read as a whole: read it first"
        elif stored(now) - newest > OLDEST_READ and not (of_a_part and table.startswith("veracross.")):
            yield f"{table} was last read on {newest:%Y-%m-%d}: read it again first"
        elif table in _WRITTEN_TO and last_write is not None and stored(last_write) >= newest:
            yield f"Orah was written to since {table} was read: read it again first"
    known = _one(connection, "SELECT count(*) FROM orah.students WHERE _missing_reads <= 1")
    lost = _one(connection, "SELECT count(*) FROM orah.students WHERE _missing_reads = 1")
    if lost > known * LARGEST_LOSS:
        yield f"{lost} of {known} records are missing from the last read of Orah's students"


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
