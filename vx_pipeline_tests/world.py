"""A school in a few rows: lands partial records as whole ones, through the real landing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from vx_pipeline.journal import open_journal
from vx_pipeline.orah.collections import HOUSES, STUDENTS
from vx_pipeline.policies import Policies
from vx_pipeline.roster.derive import DERIVATIONS, build
from vx_pipeline.schema import Collection, Field, ValueList
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.connection import open_warehouse, transaction
from vx_pipeline.warehouse.landing import land

READ_AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
TODAY = READ_AT.date()

LABELS = {
    "students": {
        "enrollment_status": {1: "Attending", 2: "Withdrawn"},
        "grade_level": {9: "9th Grade", 10: "10th Grade"},
    },
    "dorms": {"status": {1: "Active", 2: "Past"}, "school_year": {2025: "2025-2026", 2026: "2026-2027"}},
    "classes": {"status": {1: "Active", 2: "Past"}, "school_year": {2025: "2025-2026", 2026: "2026-2027"}},
    "relationships": {"relationship": {1: "Mother", 2: "Father", 3: "Sibling"}},
    "class_attendance": {"status": {1: "Present", 2: "Absent - Excused", 3: "Late"}},
}
"""Codes and labels of the school, by table and field."""

ORAH = {"students": STUDENTS, "houses": HOUSES}

DEFAULTS: dict[str, dict[str, Any]] = {
    "students": {"roles": "Student", "enrollment_status": 1, "grade_level": 9},
    "dorms": {"status": 1, "school_year": 2026, "begin_date": "2026-09-01", "end_date": "2027-06-15"},
    "dorm_students": {"currently_enrolled": True},
    "classes": {"status": 1, "school_year": 2026, "track_class_attendance": True},
    "enrollments": {"currently_enrolled": True},
    "athletics_rosters": {"currently_enrolled": True},
    "orah.students": {"deactivated": False},
}


def land_rows(
    connection: duckdb.DuckDBPyConnection, table: str, *rows: Mapping[str, Any], read_at: datetime = READ_AT
) -> None:
    """Lands rows of a Veracross table, or of ``orah.<table>``; fields that are not given are null.

    Fields are named by their columns, such as ``block__id``.
    """
    schema, _, name = table.rpartition(".")
    collection = ORAH[name] if schema == "orah" else ENDPOINTS[table].collection
    lists = [
        ValueList((field,), [{"id": code, "description": label} for code, label in items.items()])
        for field, items in LABELS.get(table, {}).items()
    ]
    whole = [_record(collection, {**DEFAULTS.get(table, {}), **row}) for row in rows]
    land(connection, collection, whole, read_at=read_at, value_lists=lists, may_be_empty=True)


def _record(collection: Collection, given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(given) - {field.name for field in collection.fields}
    assert not unknown, unknown
    record: dict[str, Any] = {}
    for field in collection.fields:
        _put(record, field, given.get(field.name))
    return record


def _put(record: dict[str, Any], field: Field, value: Any) -> None:
    for part in field.path[:-1]:
        record = record.setdefault(part, {})
    record[field.path[-1]] = value


@cache
def empty_school() -> bytes:
    """A warehouse file in which every table was landed without rows, so that derivations find them."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with open_warehouse(path) as connection:
            for table in (*ENDPOINTS, *(f"orah.{name}" for name in ORAH)):
                land_rows(connection, table)
        return path.read_bytes()


@cache
def _empty_journal() -> bytes:
    with TemporaryDirectory() as folder:
        open_journal(Path(folder)).close()
        return (Path(folder) / "journal.db").read_bytes()


def lay_journal(home: Path) -> None:
    """Puts a journal with all its tables into a home; making them takes longer than most tests."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "journal.db"
    path.touch(mode=0o600)
    path.write_bytes(_empty_journal())


@contextmanager
def open_school(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of its own for a test, with every table of a school in it, empty."""
    path = folder / "warehouse.duckdb"
    path.write_bytes(empty_school())
    with open_warehouse(path) as connection:
        yield connection


def school(connection: duckdb.DuckDBPyConnection, **tables: Sequence[Mapping[str, Any]]) -> None:
    """Lands a school; Orah's tables are given as ``orah_students`` and ``orah_houses``."""
    for name, given in tables.items():
        table = name.replace("orah_", "orah.", 1) if name.startswith("orah_") else name
        land_rows(connection, table, *given)


def link(connection: duckdb.DuckDBPyConnection, links: Mapping[int, int]) -> None:
    """Makes these the links of students, by Veracross id, to records in Orah; nobody doubts them."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    connection.execute(
        "CREATE OR REPLACE TABLE matching.student_links "
        "(veracross_id BIGINT, orah_id BIGINT, contested VARCHAR)"
    )
    if links:
        connection.executemany("INSERT INTO matching.student_links VALUES (?, ?, NULL)", [*links.items()])


def build_roster(
    connection: duckdb.DuckDBPyConnection, policies: Policies | None = None, **kwargs: Any
) -> None:
    """Builds every roster table for today, in the order of the derivations."""
    for derivation in DERIVATIONS:
        with transaction(connection):
            build(connection, derivation.table, policies or Policies(), kwargs.get("today", TODAY))


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """A query's rows as dictionaries."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
