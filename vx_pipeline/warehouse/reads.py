"""When a collection was last read, all of it or a part: a part makes some of its rows younger, not the whole."""

from datetime import datetime

import duckdb

from vx_pipeline.schema import Collection
from vx_pipeline.warehouse.tables import quoted


def note_read(
    connection: duckdb.DuckDBPyConnection, collection: Collection, now: datetime, *, whole: bool
) -> None:
    """Note a read, in place of the one before of the same extent.

    Args:
        connection: the landing's connection, in its transaction.
        collection: what was read.
        now: when, in UTC.
        whole: whether all was asked for that keeps the collection fresh.
    """
    table = quoted(collection.schema, "reads")
    key = {"collection": collection.table, "whole": whole}
    connection.execute(f"DELETE FROM {table} WHERE collection = $collection AND whole = $whole", key)
    connection.execute(
        f"INSERT INTO {table} BY NAME SELECT $collection AS collection, $whole AS whole, $now AS read_at",
        {**key, "now": now},
    )


def last_whole_read(connection: duckdb.DuckDBPyConnection, collection: str) -> datetime | None:
    """When the last read of all of a collection began.

    Args:
        connection: an open warehouse.
        collection: its full name, e.g. ``veracross.students``.

    Returns:
        As the warehouse keeps moments: in UTC, without saying so. None when it was never read as a whole, or
        only by a version that did not note it.
    """
    schema, _, table = collection.partition(".")
    noted = connection.execute(
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = $schema AND table_name = 'reads'",
        {"schema": schema},
    ).fetchall()
    if not noted[0][0]:
        return None
    found = connection.execute(
        f"SELECT max(read_at) FROM {quoted(schema, 'reads')} WHERE collection = $table AND whole",
        {"table": table},
    ).fetchall()
    newest: datetime | None = found[0][0]
    return newest
