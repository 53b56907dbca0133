"""Linking the records of one school: identifiers first, each checked against the names."""

from datetime import datetime

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.matching.fold import fold
from vx_pipeline.warehouse.derive import derive

_PACKAGE = "vx_pipeline.matching"


def match_students(connection: duckdb.DuckDBPyConnection, *, now: datetime) -> None:
    """Builds ``matching.student_links`` and ``matching.review_queue``.

    A link of an earlier run stays as long as Orah's record still carries the student's id, whatever happens
    to the names: a person's new name is no new person.

    Args:
        connection: the school's warehouse, in a transaction, with ``roster.students`` and ``orah.students``.
        now: the moment that new links are dated with.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    connection.create_function("fold", fold, ["VARCHAR"], "VARCHAR")
    derive(connection, _PACKAGE, "people")
    connection.remove_function("fold")
    _remember_links(connection)
    for table in ("pairs", "claims", "student_links", "review_queue"):
        derive(connection, _PACKAGE, table, {"now": stored(now)})


def match_houses(connection: duckdb.DuckDBPyConnection) -> None:
    """Builds ``matching.house_links`` from ``roster.houses`` and ``orah.houses``."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    derive(connection, _PACKAGE, "house_links")


def _remember_links(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS matching.student_links (
            veracross_id BIGINT, orah_id BIGINT, rule VARCHAR, score DOUBLE, linked_at TIMESTAMP
        )
        """
    )
    connection.execute(
        "CREATE OR REPLACE TEMPORARY TABLE linked_before AS SELECT * FROM matching.student_links"
    )
