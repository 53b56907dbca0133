"""Who has left: each signal, and what is none."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.policies import Policies
from vx_pipeline_tests.world import READ_AT, build_roster, land_rows, rows, school


def leavers(
    connection: duckdb.DuckDBPyConnection, *students: dict[str, Any], **policies: Any
) -> dict[int, Any]:
    school(connection, students=list(students))
    build_roster(connection, Policies(**policies))
    return {row["student_id"]: row for row in rows(connection, "FROM roster.leavers")}


@pytest.mark.parametrize(
    ("student", "signal"),
    [
        ({}, None),
        ({"exit_date": "2026-11-22"}, "exit_date"),
        ({"exit_date": "2026-11-23"}, "exit_date"),
        ({"exit_date": "2026-11-24"}, None),
        ({"exit_date": "2026-06-10", "entry_date": "2026-09-01"}, None),
        ({"exit_date": "2026-06-10", "entry_date": "2024-09-01"}, "exit_date"),
        ({"roles": "Alumni"}, "role"),
        ({"roles": "Former Student"}, "role"),
        ({"roles": "Parent, student "}, None),
        ({"roles": None}, None),
        ({"roles": " "}, None),
        ({"enrollment_status": 2}, "enrollment_status"),
        ({"enrollment_status": None}, None),
        ({"enrollment_status": 77}, None),
    ],
)
def test_a_leave_signal_is_positive_and_named(
    connection: duckdb.DuckDBPyConnection, student: dict[str, Any], signal: str | None
) -> None:
    found = leavers(connection, {"id": 1, **student})
    assert (found[1]["signal"] if found else None) == signal
    assert rows(connection, "FROM roster.students")[0]["is_current"] is (signal is None)


def test_the_action_is_the_schools_setting(connection: duckdb.DuckDBPyConnection) -> None:
    assert leavers(connection, {"id": 1, "roles": "Alumni"})[1]["action"] == "deactivate"
    assert leavers(connection, {"id": 1, "roles": "Alumni"}, removal="delete")[1]["action"] == "delete"


def test_one_read_without_a_student_is_no_signal_and_two_are(connection: duckdb.DuckDBPyConnection) -> None:
    assert leavers(connection, {"id": 1}, {"id": 2}) == {}
    for read, expected in ((1, {}), (2, {2: "missing"}), (3, {2: "missing"})):
        land_rows(connection, "students", {"id": 1}, read_at=READ_AT + timedelta(days=read))
        build_roster(connection)
        found = {row["student_id"]: row["signal"] for row in rows(connection, "FROM roster.leavers")}
        assert found == expected
    land_rows(connection, "students", {"id": 1}, {"id": 2}, read_at=READ_AT + timedelta(days=4))
    build_roster(connection)
    assert rows(connection, "FROM roster.leavers") == []


def test_somebody_who_begins_later_is_not_at_the_school_yet(connection: duckdb.DuckDBPyConnection) -> None:
    assert leavers(connection, {"id": 1, "entry_date": "2027-01-10"}) == {}
    assert rows(connection, "FROM roster.students")[0]["is_current"] is False
