"""A small collection with a field of every kind, and rows for it; the people in it are made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from vx_pipeline.schema import Collection, Field, Kind, ValueList

PEOPLE = Collection(
    "veracross",
    "people",
    (
        Field(("id",), Kind.ID, used=True),
        Field(("name",), Kind.TEXT, used=True),
        Field(("grade",), Kind.CODE),
        Field(("birthday",), Kind.DATE),
        Field(("room", "id"), Kind.ID),
        Field(("room", "name"), Kind.TEXT),
        Field(("boards",), Kind.FLAG),
        Field(("height",), Kind.NUMBER),
        Field(("seen_at",), Kind.TIMESTAMP),
        Field(("tags",), Kind.JSON),
    ),
)
GRADES = ValueList(("grade",), [{"id": 7, "description": "Grade 7"}, {"id": "8", "description": "Grade 8"}])


def person(identity: Any, name: Any = "Ada", **fields: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "name": name,
        "grade": 7,
        "birthday": "2011-02-03",
        "room": {"id": 4, "name": "East 4"},
        "boards": True,
        "height": 1.5,
        "seen_at": "2026-09-01T08:00:00",
        "tags": ["a"],
        **fields,
    }


def moment(reads: int = 0) -> datetime:
    """When the first read began, or a later one."""
    return datetime(2026, 9, 1, 2, tzinfo=UTC) + timedelta(days=reads)


def stored(
    connection: duckdb.DuckDBPyConnection, columns: str = "id, name", where: str = "TRUE"
) -> list[Any]:
    return connection.execute(f"SELECT {columns} FROM veracross.people WHERE {where} ORDER BY id").fetchall()


def everything(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """The whole content of the schema, table by table."""
    tables = ("people", "history", "rejected_rows", "value_list_items")
    return {
        table: connection.execute(f"SELECT * FROM veracross.{table} ORDER BY ALL").fetchall()
        for table in tables
    }
