"""The gate: when a plan may not be applied without a person.

It stands in the code that writes, not only in an asset check: a check stops its own run, never the next one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Change

OLDEST_READ = timedelta(hours=36)
"""A plan must not rest on a read older than this: a night that failed, and the day before it."""

_NEVER_EMPTY = ("veracross.students", "orah.students")
_RESTS_ON = (*_NEVER_EMPTY, "veracross.dorms", "veracross.dorm_students", "orah.houses")


def hold_reason(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], policies: Policies, now: datetime
) -> str | None:
    """Why the plan has to wait for a person, or None when it may be applied.

    Args:
        connection: the school's warehouse.
        changes: the plan.
        policies: ``removal_budget`` is the share of Orah's active students that one run may remove.
        now: the moment of planning, aware.
    """
    for table in _RESTS_ON:
        newest = _one(connection, f"SELECT max(_last_seen_at) FROM {table}")
        if newest is None and table in _NEVER_EMPTY:
            return f"{table} is empty: there is nothing to compare with"
        if newest is not None and stored(now) - newest > OLDEST_READ:
            return f"{table} was last read on {newest:%Y-%m-%d}: read it again first"
    active = _one(
        connection, "SELECT count(*) FROM orah.students WHERE NOT deactivated AND _missing_since IS NULL"
    )
    removals = sum(change.action.removes for change in changes)
    if removals > active * policies.removal_budget:
        share = removals / active if active else 1
        return (
            f"{removals} of {active} active students in Orah would be removed ({share:.1%}); "
            f"one run may remove {policies.removal_budget:.0%}"
        )
    return None


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
