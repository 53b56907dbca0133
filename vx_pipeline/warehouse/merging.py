"""Merging a staged read into its table: what became of every row, the history of it, and the new state.

All functions run inside the landing's transaction, on the temporary tables that staging made.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from vx_pipeline.errors import WarehouseError
from vx_pipeline.schema import Collection
from vx_pipeline.warehouse.staging import STAGED_REJECTED, STAGED_ROWS
from vx_pipeline.warehouse.tables import content_columns, label_columns, quoted

OF_A_PART = "part: "
"""How the scope of a rejected row begins, when a read of only a part set it aside."""

_OUTCOMES = "temp.landing_outcomes"


def judge_stored_rows(
    connection: duckdb.DuckDBPyConnection, collection: Collection, where: str, parameters: Mapping[str, Any]
) -> dict[str, int]:
    """Work out what became of each stored row that the read covers or has, and count it.

    Outcomes: ``unchanged``, ``changed``, ``returned`` (was missing), ``kept`` (came back unusable, so the
        stored content stays), ``vanished``, ``still missing``, and ``unproven`` (not in the read, but some
        row's id could not be told, so it may be this one). ``added`` counts the rows that are not stored
        yet.
    """
    table = quoted(collection.schema, collection.table)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE landing_scope AS SELECT id FROM {table} WHERE ({where})",
        dict(parameters),
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE landing_outcomes AS
        WITH present AS (
            SELECT id, _row_hash, TRUE AS usable FROM {STAGED_ROWS}
            UNION ALL
            SELECT DISTINCT id, NULL, FALSE FROM {STAGED_REJECTED} WHERE id IS NOT NULL
        ),
        doubt AS (SELECT count(*) > 0 AS suspended FROM {STAGED_REJECTED} WHERE id IS NULL)
        SELECT stored.id, CASE
            WHEN present.id IS NULL AND doubt.suspended THEN 'unproven'
            WHEN present.id IS NULL AND stored._missing_since IS NULL THEN 'vanished'
            WHEN present.id IS NULL THEN 'still missing'
            WHEN stored._missing_since IS NOT NULL THEN 'returned'
            WHEN NOT present.usable THEN 'kept'
            WHEN stored._row_hash = present._row_hash THEN 'unchanged'
            ELSE 'changed'
        END AS outcome
        FROM {table} AS stored
        LEFT JOIN present ON present.id = stored.id
        CROSS JOIN doubt
        WHERE present.id IS NOT NULL OR stored.id IN (SELECT id FROM temp.landing_scope)
        """
    )
    counts = dict(
        connection.execute(f"SELECT outcome, count(*) FROM {_OUTCOMES} GROUP BY outcome").fetchall()
    )
    added = (
        f"SELECT count(*) FROM {STAGED_ROWS} AS staged ANTI JOIN {table} AS stored ON stored.id = staged.id"
    )
    counts["added"] = _count(connection, added)
    return counts


def current_rows(
    connection: duckdb.DuckDBPyConnection, collection: Collection, where: str, parameters: Mapping[str, Any]
) -> int:
    """How many rows in scope are not missing."""
    table = quoted(collection.schema, collection.table)
    sql = f"SELECT count(*) FROM {table} WHERE ({where}) AND _missing_since IS NULL"
    return _count(connection, sql, parameters)


def write_history(connection: duckdb.DuckDBPyConnection, collection: Collection, now: datetime) -> None:
    """Add what changed, vanished and returned, with the content before."""
    content = ", ".join(f"{quoted(name)} := stored.{quoted(name)}" for name in content_columns(collection))
    connection.execute(
        f"""
        INSERT INTO {quoted(collection.schema, "history")} (collection, id, change, "at", before)
        SELECT $collection, stored.id, outcome, $now, to_json(struct_pack({content}))
        FROM {quoted(collection.schema, collection.table)} AS stored
        JOIN {_OUTCOMES} AS judged ON judged.id = stored.id
        WHERE outcome IN ('changed', 'vanished', 'returned')
        ORDER BY stored.id
        """,
        {"collection": collection.table, "now": now},
    )


def write_rows(
    connection: duckdb.DuckDBPyConnection, collection: Collection, now: datetime, *, part: bool
) -> None:
    """Bring the stored rows to the state that the outcomes call for, and add the new ones.

    Args:
        connection: the landing's connection.
        collection: what was read.
        now: when, in UTC.
        part: whether less was read than what keeps the collection fresh. A part can be read twice within a
            minute, which proves no more than once: what is missing already is not counted again.
    """
    table = quoted(collection.schema, collection.table)
    labels = [quoted(name) for name in label_columns(collection)]
    columns = [quoted(name) for name in content_columns(collection) if name != "id"] + labels + ["_row_hash"]
    relabelled = " OR ".join(f"stored.{label} IS DISTINCT FROM staged.{label}" for label in labels)
    connection.execute(
        f"""
        UPDATE {table} AS stored SET {", ".join(f"{column} = staged.{column}" for column in columns)}
        FROM {STAGED_ROWS} AS staged
        WHERE staged.id = stored.id AND (staged._row_hash <> stored._row_hash OR {relabelled or "FALSE"})
        """
    )
    connection.execute(
        f"""
        UPDATE {table} AS stored SET _last_seen_at = $now, _missing_since = NULL, _missing_reads = 0
        FROM {_OUTCOMES} AS judged
        WHERE judged.id = stored.id AND outcome IN ('unchanged', 'changed', 'returned', 'kept')
        """,
        {"now": now},
    )
    connection.execute(
        f"""
        UPDATE {table} AS stored
        SET _missing_since = coalesce(_missing_since, $now), _missing_reads = _missing_reads + 1
        FROM {_OUTCOMES} AS judged
        WHERE judged.id = stored.id AND (outcome = 'vanished' OR (outcome = 'still missing' AND NOT $part))
        """,
        {"now": now, "part": part},
    )
    connection.execute(
        f"""
        INSERT INTO {table} BY NAME
        SELECT staged.*, $now AS _first_seen_at, $now AS _last_seen_at, 0 AS _missing_reads
        FROM {STAGED_ROWS} AS staged ANTI JOIN {table} AS stored ON stored.id = staged.id
        ORDER BY staged.id
        """,
        {"now": now},
    )
    if _count(connection, f"SELECT count(*) - count(DISTINCT id) FROM {table}"):
        raise WarehouseError(
            f"{collection.name} would hold an id twice, which is a fault of this program.",
            kept="Nothing of this read was stored; the last good table is kept.",
            remedy="Please report it, with the log of this run.",
        )


def write_rejected(
    connection: duckdb.DuckDBPyConnection, collection: Collection, now: datetime, scope: str | None
) -> None:
    """Replace the collection's rejected rows: all of them, or those of this scope and of ids that came now.

    A read of all that is asked for also replaces what reads of parts have set aside.

    Args:
        connection: the landing's connection.
        collection: what was read.
        now: when, in UTC.
        scope: tells one scope from another; ``None`` for a read of the whole collection.
    """
    table = quoted(collection.schema, "rejected_rows")
    connection.execute(
        f"""
        DELETE FROM {table} WHERE collection = $collection AND (
            $scope IS NULL OR scope IS NOT DISTINCT FROM $scope
            OR id IN (SELECT id FROM {STAGED_ROWS}) OR id IN (SELECT id FROM {STAGED_REJECTED})
            OR (starts_with(scope, $of_a_part) AND NOT starts_with($scope, $of_a_part))
        )
        """,
        {"collection": collection.table, "scope": scope, "of_a_part": OF_A_PART},
    )
    connection.execute(
        f"""
        INSERT INTO {table} BY NAME
        SELECT $collection AS collection, staged.*, $scope AS scope, $now AS read_at FROM {STAGED_REJECTED}
        AS staged
        """,
        {"collection": collection.table, "scope": scope, "now": now},
    )


def unlabelled_rows(connection: duckdb.DuckDBPyConnection, collection: Collection) -> dict[str, int]:
    """For each code field (dotted), how many rows of the read have a code that no value list explains."""
    fields = label_columns(collection)
    if not fields:
        return {}
    counts = ", ".join(
        f"count(*) FILTER ({quoted(label.removesuffix('_label'))} IS NOT NULL AND {quoted(label)} IS NULL)"
        for label in fields
    )
    found = connection.execute(f"SELECT {counts} FROM {STAGED_ROWS}").fetchall()[0]
    return {field: count for field, count in zip(fields.values(), found, strict=True) if count}


def drop_staged(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the landing's temporary tables, which hold people's data."""
    for table in (STAGED_ROWS, STAGED_REJECTED, _OUTCOMES, "temp.landing_scope"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def _count(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None
) -> int:
    return int(connection.execute(sql, dict(parameters or {})).fetchall()[0][0])
