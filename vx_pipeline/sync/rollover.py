"""The turn of the school year: when to suggest a rollover mode."""

from datetime import date, timedelta

import duckdb

from vx_pipeline.policies import Policies

AHEAD = timedelta(days=30)
AFTER = timedelta(days=14)
"""A suggestion is made from so long before the first day of a school year's dorms until so long after it."""


def rollover_hint(connection: duckdb.DuckDBPyConnection, policies: Policies, today: date) -> str | None:
    """A suggestion while one school year turns into the next and no mode is set; None otherwise.

    Args:
        connection: the school's warehouse, with ``roster.dorms``.
        policies: the school's rules.
        today: the school's own date.
    """
    rollover = policies.rollover
    if rollover.mode != "normal" and (rollover.last_day is None or rollover.last_day >= today):
        return None
    turn = connection.execute(
        """
        SELECT school_year, min(begin_date) AS first_day FROM roster.dorms
        WHERE begin_date BETWEEN $first AND $last AND why_not IS DISTINCT FROM 'no longer listed'
        GROUP BY school_year ORDER BY first_day DESC LIMIT 1
        """,
        {"first": today - AFTER, "last": today + AHEAD},
    ).fetchone()
    if turn is None:
        return None
    year, first_day = turn
    begins = "began" if first_day <= today else "begins"
    return (
        f"School year {year} {begins} on {first_day}. While people enter it, rollover = "
        f'{{mode = "adds_only", last_day = "{first_day + AFTER}"}} keeps changes and removals back.'
    )
