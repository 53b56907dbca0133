"""What a plan rests on, as hashes: reading the same again changes none, and any difference changes its own."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.matching.contacts import match_contacts
from vx_pipeline.policies import GatePolicy, Policies
from vx_pipeline.sync.inputs import MATCHING, ORAH, SETTINGS, VERACROSS, moved, plan_inputs
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.sync.planned import AMY, AMYS_RECORD, BOARDS, DORM, HOUSE, land_contacts, plan
from vx_pipeline_tests.world import READ_AT, land_rows

TABLES: dict[str, Any] = {
    "students": [AMY, {"id": 2, "first_name": "Tom", "last_name": "Reed"}],
    "dorms": [DORM],
    "dorm_students": [BOARDS],
    "orah_students": [AMYS_RECORD],
    "orah_houses": [HOUSE],
}


@pytest.fixture
def before(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    land_contacts(connection, 1)
    plan(connection, **TABLES)
    with transaction(connection):
        match_contacts(connection, written={})
    return plan_inputs(connection, Policies())


def test_the_same_read_again_moves_nothing(
    connection: duckdb.DuckDBPyConnection, before: dict[str, str]
) -> None:
    for table, records in (("students", TABLES["students"]), ("orah.students", [AMYS_RECORD])):
        land_rows(connection, table, *reversed(records), read_at=READ_AT + timedelta(hours=1))
    plan(connection)
    assert plan_inputs(connection, Policies()) == before
    assert moved(before, before) == []


@pytest.mark.parametrize(
    ("tables", "name"),
    [
        ({"students": [{**AMY, "last_name": "Hill"}, TABLES["students"][1]]}, VERACROSS),
        ({"students": [{**AMY, "exit_date": "2026-11-20"}, TABLES["students"][1]]}, VERACROSS),
        ({"dorm_students": [{**BOARDS, "date_withdrawn": "2026-11-20"}]}, VERACROSS),
        ({"orah_students": [{**AMYS_RECORD, "email": "x@s.example.edu"}]}, ORAH),
        ({"orah_students": [AMYS_RECORD, {**AMYS_RECORD, "id": 502}]}, ORAH),
        ({"orah_students": []}, ORAH),
        ({"orah_houses": [{**HOUSE, "name": "East"}]}, ORAH),
    ],
)
def test_each_side_moves_by_itself(
    connection: duckdb.DuckDBPyConnection, before: dict[str, str], tables: dict[str, Any], name: str
) -> None:
    plan(connection, **tables)
    now = plan_inputs(connection, Policies())
    # A record more or less may change who is who, too.
    assert {one for one in before if before[one] != now[one]} - {MATCHING} == {name}
    assert 1 <= len(moved(before, now)) <= 2


def test_contacts_and_settings_move_it_too(
    connection: duckdb.DuckDBPyConnection, before: dict[str, str]
) -> None:
    stricter = plan_inputs(connection, Policies(gate=GatePolicy(removals_per_run=0.02)))
    assert moved(before, stricter) == ["the settings changed"]
    assert stricter[SETTINGS] != before[SETTINGS]
    land_contacts(connection, 2)
    assert moved(before, plan_inputs(connection, Policies())) == ["Orah says otherwise"]
