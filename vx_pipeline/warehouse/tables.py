"""The tables of the warehouse: their columns, and making them or adding what a newer contract describes.

Beside each landed table, a schema has four tables about all of its collections: ``history``,
``rejected_rows``, ``value_list_items`` and ``reads``.
"""

from collections.abc import Mapping
from typing import Any

import duckdb

from vx_pipeline.errors import WarehouseError
from vx_pipeline.schema import Collection, Kind
from vx_pipeline.warehouse.kinds import SQL_TYPES

BOOKKEEPING: Mapping[str, str] = {
    "_first_seen_at": "TIMESTAMP",
    "_last_seen_at": "TIMESTAMP",
    "_missing_since": "TIMESTAMP",
    "_missing_reads": "INTEGER",
    "_row_hash": "VARCHAR",
}
"""How a row fared over the reads. Times are UTC; missing reads are complete reads in a row without it."""

_SIDE_TABLES: Mapping[str, Mapping[str, str]] = {
    "history": {
        "collection": "VARCHAR",
        "id": "BIGINT",
        "change": "VARCHAR",
        "at": "TIMESTAMP",
        "before": "JSON",
    },
    "rejected_rows": {
        "collection": "VARCHAR",
        "id": "BIGINT",
        "reason": "VARCHAR",
        "fields": "VARCHAR[]",
        "content": "JSON",
        "scope": "VARCHAR",
        "read_at": "TIMESTAMP",
    },
    "value_list_items": {
        "collection": "VARCHAR",
        "field": "VARCHAR",
        "code": "VARCHAR",
        "label": "VARCHAR",
        "category": "VARCHAR",
        "sort_key": "DOUBLE",
        "obsolete": "BOOLEAN",
    },
    "reads": {
        "collection": "VARCHAR",
        "whole": "BOOLEAN",
        "read_at": "TIMESTAMP",
    },
}


def quoted(*names: str) -> str:
    """An SQL identifier, e.g. ``"veracross"."students"``."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def label_columns(collection: Collection) -> dict[str, str]:
    """The columns for labels, and the dotted field whose code each explains."""
    return {
        f"{field.name}_label": ".".join(field.path) for field in collection.fields if field.kind is Kind.CODE
    }


def content_columns(collection: Collection) -> dict[str, str]:
    """The columns that hold what the record says, and their types: the fields, in order, and ``_extra``."""
    return {field.name: SQL_TYPES[field.kind] for field in collection.fields} | {"_extra": "JSON"}


def columns_of(collection: Collection) -> dict[str, str]:
    """All columns of the collection's table, and their types; a label follows its code."""
    columns: dict[str, str] = {}
    for field in collection.fields:
        columns[field.name] = SQL_TYPES[field.kind]
        if field.kind is Kind.CODE:
            columns[f"{field.name}_label"] = "VARCHAR"
    return columns | {"_extra": "JSON"} | dict(BOOKKEEPING)


def prepare_tables(connection: duckdb.DuckDBPyConnection, collection: Collection) -> None:
    """Make the collection's table and its schema's side tables, or add the columns they lack.

    Nothing is dropped.

    Raises:
        WarehouseError: a column is there with another type than the contract now gives it.
    """
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(collection.schema)}")
    for table, columns in {**_SIDE_TABLES, collection.table: columns_of(collection)}.items():
        _prepare(connection, collection.schema, table, columns)


def _prepare(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Mapping[str, Any]
) -> None:
    name = quoted(schema, table)
    described = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({described})")
    found = dict(
        connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = $schema AND table_name = $table",
            {"schema": schema, "table": table},
        ).fetchall()
    )
    for column, kind in columns.items():
        if column not in found:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {quoted(column)} {kind}")
        elif found[column] != kind:
            raise WarehouseError(
                f"{schema}.{table} holds {column} as {found[column]}, and the contract now says {kind}.",
                kept="Nothing was changed.",
                remedy="Move the warehouse file aside and run again; it is rebuilt with the new type.",
            )
