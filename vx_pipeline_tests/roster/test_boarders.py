"""Who boards: each clause of the rule, and what contradicts itself."""

from typing import Any, Literal

import duckdb
import pytest

from vx_pipeline.policies import Policies
from vx_pipeline_tests.world import build_roster, rows, school

Rule = Literal["dorm", "room", "dorm_and_room"]
THIS_YEAR = {"id": 100, "description": "North House"}
LAST_YEAR = {
    "id": 90,
    "description": "North House",
    "school_year": 2025,
    "status": 2,
    "begin_date": "2025-09-01",
    "end_date": "2026-06-15",
}
NEXT_YEAR = {"id": 110, "description": "North House", "begin_date": "2027-09-01", "end_date": "2028-06-15"}


def boarder(
    connection: duckdb.DuckDBPyConnection,
    *assignments: dict[str, Any],
    dorms: tuple[dict[str, Any], ...] = (THIS_YEAR, LAST_YEAR, NEXT_YEAR),
    student: dict[str, Any] | None = None,
    rule: Rule = "dorm",
) -> dict[str, Any]:
    """The boarder row of student 1 with these dorm enrolments."""
    school(
        connection,
        students=[{"id": 1, **(student or {})}],
        dorms=dorms,
        dorm_students=[
            {"id": number, "student_id": 1, "dorm_id": 100, **one}
            for number, one in enumerate(assignments, start=1)
        ],
    )
    build_roster(connection, Policies(boarder_rule=rule))
    (found,) = rows(connection, "FROM roster.boarders")
    return found


@pytest.mark.parametrize(
    ("assignment", "boards", "reason"),
    [
        ({}, True, "current enrolment in dorm 100"),
        ({"date_withdrawn": "2026-11-23"}, False, "withdrawn on 2026-11-23"),
        ({"date_withdrawn": "2026-11-24"}, True, "current enrolment in dorm 100"),
        ({"late_date_enrolled": "2026-11-23"}, True, "current enrolment in dorm 100"),
        ({"late_date_enrolled": "2026-11-24"}, False, "enrols on 2026-11-24"),
        ({"currently_enrolled": False}, False, "not flagged as currently enrolled"),
        ({"currently_enrolled": None}, True, "current enrolment in dorm 100"),
        ({"dorm_id": 90}, False, "dorm 90: its status is Past"),
        ({"dorm_id": 110}, False, "dorm 110: begins on 2027-09-01"),
        ({"dorm_id": 7}, False, "dorm 7 is not listed"),
    ],
)
def test_a_dorm_enrolment_that_holds_today_makes_a_boarder(
    connection: duckdb.DuckDBPyConnection, assignment: dict[str, Any], boards: bool, reason: str
) -> None:
    found = boarder(connection, assignment)
    assert (found["is_boarder"], found["reason"], found["rule"]) == (boards, reason, "dorm")
    assert found["dorm_id"] == (100 if boards else None)


def test_without_a_dorm_enrolment_a_student_is_a_day_student(connection: duckdb.DuckDBPyConnection) -> None:
    found = boarder(connection)
    assert (found["is_boarder"], found["reason"]) == (False, "no dorm enrolment")


@pytest.mark.parametrize(
    ("dorm", "boards"),
    [
        ({"begin_date": None, "end_date": None}, True),
        ({"begin_date": None, "end_date": "2026-11-22"}, False),
        ({"begin_date": None, "end_date": None, "school_year": 2025}, False),
        ({"status": None}, True),
        ({"end_date": "2026-11-23"}, True),
        ({"status": 2}, False),
    ],
)
def test_the_dorms_own_dates_status_and_year_decide(
    connection: duckdb.DuckDBPyConnection, dorm: dict[str, Any], boards: bool
) -> None:
    assert boarder(connection, {}, dorms=({**THIS_YEAR, **dorm},))["is_boarder"] is boards


@pytest.mark.parametrize(
    ("rule", "assignment", "boards"),
    [
        ("room", {"room_number": "12"}, True),
        ("room", {"room_number": "12", "currently_enrolled": False}, True),
        ("room", {"room_number": "12", "date_withdrawn": "2026-11-01"}, False),
        ("room", {"room_number": " "}, False),
        ("room", {}, False),
        ("dorm_and_room", {"room_number": "12"}, True),
        ("dorm_and_room", {}, False),
        ("dorm_and_room", {"room_number": "12", "currently_enrolled": False}, False),
    ],
)
def test_a_school_may_choose_the_room_or_both(
    connection: duckdb.DuckDBPyConnection, rule: Rule, assignment: dict[str, Any], boards: bool
) -> None:
    found = boarder(connection, assignment, rule=rule)
    assert (found["is_boarder"], found["rule"]) == (boards, rule)


def test_of_two_dorms_the_one_with_a_room_is_taken_and_said(connection: duckdb.DuckDBPyConnection) -> None:
    found = boarder(
        connection,
        {"late_date_enrolled": "2026-10-01"},
        {"dorm_id": 101, "room_number": "3"},
        dorms=(THIS_YEAR, {"id": 101, "description": "South House"}),
    )
    assert (found["dorm_id"], found["reason"]) == (101, "enrolled in 2 dorms; dorm 101 is taken")


def test_who_has_left_does_not_board(connection: duckdb.DuckDBPyConnection) -> None:
    found = boarder(connection, {}, student={"exit_date": "2026-11-01"})
    assert (found["is_boarder"], found["reason"]) == (False, "not at the school today")


def test_contradictions_are_listed_by_kind(connection: duckdb.DuckDBPyConnection) -> None:
    school(
        connection,
        students=[{"id": number} for number in range(1, 7)],
        dorms=[THIS_YEAR, LAST_YEAR, {"id": 101, "description": "South House"}],
        dorm_students=[
            {"id": 1, "student_id": 1, "dorm_id": 100},
            {"id": 2, "student_id": 1, "dorm_id": 101},
            {"id": 3, "student_id": 2, "dorm_id": 100, "date_withdrawn": "2026-11-01"},
            {"id": 4, "student_id": 3, "dorm_id": 100, "currently_enrolled": False, "room_number": "9"},
            {"id": 5, "student_id": 4, "dorm_id": 90},
            {"id": 6, "student_id": 5, "dorm_id": 100},
            {"id": 7, "student_id": 99, "dorm_id": 100},
        ],
    )
    build_roster(connection)
    found = rows(connection, "FROM roster.boarder_contradictions ORDER BY student_id")
    assert [(one["student_id"], one["contradiction"], one["assignment_ids"]) for one in found] == [
        (1, "two_dorms", [1, 2]),
        (2, "withdrawn_but_flagged_current", [3]),
        (3, "room_without_current_enrolment", [4]),
        (4, "last_years_dorm_flagged_current", [5]),
        (99, "dorm_but_not_at_the_school", [7]),
    ]
