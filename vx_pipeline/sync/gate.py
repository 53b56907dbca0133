"""The gate: when a plan may not be applied without a person.

It stands in the code that writes, not only in an asset check: a check stops its own run, never the next one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Entity

OLDEST_READ = timedelta(hours=36)
"""A plan must not rest on a read older than this: a night that failed, and the day before it."""

LARGEST_LOSS = 0.05
"""Share of Orah's student records that may be missing from one read; more, and the read was not whole."""

FEWEST_CREATED = 10
"""New records that one run may always make, however small the school."""

_NEVER_EMPTY = ("veracross.students", "orah.students")
_RESTS_ON = (*_NEVER_EMPTY, "veracross.dorms", "veracross.dorm_students", "orah.houses")
_WRITTEN_TO = ("orah.students", "orah.houses")


def hold_reason(
    connection: duckdb.DuckDBPyConnection,
    changes: Sequence[Change],
    policies: Policies,
    *,
    now: datetime,
    last_write: datetime | None,
) -> str | None:
    """Why the plan has to wait, or None when it may be applied.

    Args:
        connection: the school's warehouse.
        changes: the plan.
        policies: ``removal_budget`` and ``create_budget`` are shares of Orah's active students.
        now: the moment of planning, aware.
        last_write: when we last meant to write to Orah, aware; None before the first time.
    """
    reasons = [
        *_untrue_reads(connection, now, last_write),
        *_too_many(connection, changes, policies),
    ]
    return "; ".join(reasons) or None


def _untrue_reads(
    connection: duckdb.DuckDBPyConnection, now: datetime, last_write: datetime | None
) -> Iterator[str]:
    """Reads that are missing, old, overtaken by our own writes, or plainly short."""
    for table in _RESTS_ON:
        newest = _one(connection, f"SELECT max(_last_seen_at) FROM {table}")
        if newest is None:
            if table in _NEVER_EMPTY:
                yield f"{table} is empty: there is nothing to compare with"
        elif stored(now) - newest > OLDEST_READ:
            yield f"{table} was last read on {newest:%Y-%m-%d}: read it again first"
        elif table in _WRITTEN_TO and last_write is not None and stored(last_write) >= newest:
            yield f"Orah was written to since {table} was read: read it again first"
    known = _one(connection, "SELECT count(*) FROM orah.students WHERE _missing_reads <= 1")
    lost = _one(connection, "SELECT count(*) FROM orah.students WHERE _missing_reads = 1")
    if lost > known * LARGEST_LOSS:
        yield f"{lost} of {known} records are missing from the last read of Orah's students"


def _too_many(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], policies: Policies
) -> Iterator[str]:
    """More people removed or made anew than one run may."""
    active = _one(
        connection, "SELECT count(*) FROM orah.students WHERE NOT deactivated AND _missing_reads <= 1"
    )
    removed = sum(change.action.removes for change in changes)
    if removed > active * policies.removal_budget:
        yield (
            f"{removed} of {active} active students in Orah would be removed; "
            f"one run may remove {policies.removal_budget:.0%}"
        )
    created = sum(change.entity is Entity.STUDENT and change.action is Action.CREATE for change in changes)
    if created > max(FEWEST_CREATED, active * policies.create_budget):
        yield (
            f"{created} students would be made anew in Orah beside {active} active ones; "
            f"one run may make {policies.create_budget:.0%}"
        )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
