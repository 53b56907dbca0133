"""Who is brought to Orah, and what becomes of a record whose person is not."""

from typing import Any

import duckdb
import pytest

from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action
from vx_pipeline_tests.sync.planned import AMY, AMYS_RECORD, BOARDS, DORM, HOUSE, LEFT, one, plan
from vx_pipeline_tests.world import READ_AT, rows

TOM = {"id": 2, "first_name": "Tom", "last_name": "Reed", "grade_level": 10}
TABLES: dict[str, Any] = {
    "students": [AMY, TOM],
    "dorms": [DORM],
    "dorm_students": [BOARDS],
    "orah_houses": [HOUSE],
}


@pytest.mark.parametrize(
    ("policies", "created"),
    [
        (Policies(synced="both"), {1, 2}),
        (Policies(synced="boarding"), {1}),
        (Policies(synced="day"), {2}),
        (Policies(grades=(" 10th grade",)), {2}),
        (Policies(synced="boarding", grades=("10th Grade",)), set()),
    ],
)
def test_who_is_synced_is_the_schools_choice(
    connection: duckdb.DuckDBPyConnection, policies: Policies, created: set[int]
) -> None:
    changes = plan(connection, policies=policies, **TABLES)
    assert {change.key for change in changes} == created
    scope = rows(connection, "FROM sync.scope")
    assert {row["veracross_id"] for row in scope if row["in_scope"]} == created
    assert all(row["reason"] for row in scope)
    assert all((row["rule"] is None) is row["in_scope"] for row in scope)


def test_each_rule_is_named(connection: duckdb.DuckDBPyConnection) -> None:
    later = {**AMY, "id": 3, "entry_date": "2027-01-10"}
    unknown = {**TOM, "id": 4, "grade_level": None}
    plan(
        connection,
        policies=Policies(grades=("9th Grade",)),
        students=[AMY, TOM, later, unknown, {**LEFT, "id": 5}],
    )
    found = {row["veracross_id"]: (row["rule"], row["reason"]) for row in rows(connection, "FROM sync.scope")}
    assert {key: rule for key, (rule, _) in found.items()} == {
        1: None, 2: "grade", 3: "future", 4: "grade", 5: "leaver",
    }  # fmt: skip
    assert found[3][1] == "comes to the school on 2027-01-10"
    assert found[4][1] == "an unknown grade is not among those that are synced"


NO_TENTH = Policies(grades=("9th Grade",))
TOMS_RECORD = {
    "id": 502,
    "sis_id": "2",
    "first_name": "Tom",
    "alt_name": "Tom",
    "last_name": "Reed",
    "year_level": "8th Grade",
    "student_type": "Day",
}


@pytest.mark.parametrize("changed", [True, False])
def test_out_of_scope_only_a_record_that_we_wrote_is_deactivated(
    connection: duckdb.DuckDBPyConnection, changed: bool
) -> None:
    tables: dict[str, Any] = {"students": [TOM], "orah_students": [TOMS_RECORD], "policies": NO_TENTH}
    ours = one(plan(connection, **tables, known_students=frozenset({2}), settings_changed=changed))
    assert (ours.action, ours.cause) == (Action.DEACTIVATE, "settings" if changed else "veracross")
    assert ours.reason == "grade 10th Grade is not among those that are synced"
    assert plan(connection, **tables) == [], "a record that somebody else keeps there is theirs"


def test_who_comes_into_scope_again_comes_back(connection: duckdb.DuckDBPyConnection) -> None:
    off = {**TOMS_RECORD, "year_level": "10th Grade", "deactivated": True}
    memory: dict[str, Any] = {"deactivated_by_us": {502: READ_AT}, "known_students": frozenset({2})}
    tables: dict[str, Any] = {"students": [TOM], "orah_students": [off], **memory}
    assert plan(connection, **tables, policies=NO_TENTH) == []
    assert one(plan(connection, **tables)).action is Action.REACTIVATE


def test_who_stops_boarding_is_told_where_only_boarders_are_synced(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    record = {**AMYS_RECORD, "student_type": "Boarding"}
    change = one(
        plan(connection, students=[AMY], orah_students=[record], policies=Policies(synced="boarding"))
    )
    assert change.values == {"student_type": "Day"}


def test_a_leaver_is_deactivated_whatever_the_scope(connection: duckdb.DuckDBPyConnection) -> None:
    policies = Policies(synced="boarding", grades=("12th Grade",))
    change = one(plan(connection, students=[LEFT], orah_students=[AMYS_RECORD], policies=policies))
    assert change.action is Action.DEACTIVATE


def test_a_house_that_we_made_goes_when_its_dorm_has_ended_and_it_is_empty(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    ended = {**DORM, "end_date": "2026-11-01"}
    on = Policies(remove_empty_houses=True)
    tables: dict[str, Any] = {"dorms": [ended], "orah_houses": [HOUSE], "students": [AMY]}
    day = {**AMYS_RECORD}
    change = one(plan(connection, **tables, orah_students=[day], policies=on, made_houses=[7]))
    assert (change.action, change.target_id) == (Action.DELETE, 7)
    assert plan(connection, **tables, orah_students=[day], policies=on) == [], "not ours"
    assert plan(connection, **tables, orah_students=[day], made_houses=[7]) == [], "not asked for"
    past = {**ended, "status": 2, "begin_date": "2025-09-01", "end_date": "2026-06-15"}
    (change,) = plan(
        connection, **{**tables, "dorms": [past]}, orah_students=[day], policies=on, made_houses=[7]
    )
    assert change.action is Action.DELETE, "by its dates, whatever its status is called"
    inside = {**AMYS_RECORD, "house__id": 7, "deactivated": True}
    changes = plan(connection, **tables, orah_students=[inside], policies=on, made_houses=[7])
    assert Action.DELETE not in {change.action for change in changes}, "somebody is in it"
