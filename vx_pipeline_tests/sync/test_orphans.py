"""Our records that nobody stands behind any more, leavers overdue, and what is a school's own."""

from collections.abc import Collection
from typing import Any

import duckdb

from vx_pipeline.matching.contacts import match_contacts
from vx_pipeline.sync.contact_reading import prepare
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.derive import derive
from vx_pipeline_tests.sync.planned import AMY, AMYS_RECORD, DORM, HOUSE, STRANGER, plan
from vx_pipeline_tests.world import TODAY

ENDED = {
    **DORM,
    "id": 90,
    "school_year": 2025,
    "status": 2,
    "begin_date": "2025-09-01",
    "end_date": "2026-06-15",
}


def orphans(
    connection: duckdb.DuckDBPyConnection,
    *,
    made_students: Collection[int] = (),
    made_houses: Collection[int] = (),
    our_contacts: Collection[int] = (),
    **tables: Any,
) -> list[tuple[Any, ...]]:
    plan(connection, **tables)
    with transaction(connection):
        prepare(connection)
        match_contacts(connection, written={})
        parameters = {
            "made_students": sorted(made_students),
            "made_houses": sorted(made_houses),
            "our_contacts": sorted(our_contacts),
            "today": TODAY,
            "overdue_days": 7,
        }
        derive(connection, "vx_pipeline.sync", "orphans", parameters)
    return connection.execute("SELECT entity, orah_id, veracross_id, why FROM sync.orphans").fetchall()


def test_a_record_that_we_made_and_nobody_is_linked_to(connection: duckdb.DuckDBPyConnection) -> None:
    tables: dict[str, Any] = {"students": [AMY], "orah_students": [AMYS_RECORD, STRANGER]}
    assert orphans(connection, made_students=[501, 900], **tables) == [
        ("student", 900, None, "made by us, and linked to nobody")
    ]
    assert orphans(connection, made_students=[501], **tables) == [], "a record by hand is the school's own"


def test_a_leaver_is_overdue_after_a_week(connection: duckdb.DuckDBPyConnection) -> None:
    late = {**AMY, "exit_date": "2026-11-16"}
    told = orphans(connection, students=[late], orah_students=[AMYS_RECORD])
    assert told == [
        ("student", 501, 1, "left, but still active in Orah: the exit date 2026-11-16 is reached")
    ]
    recent = {**AMY, "exit_date": "2026-11-17"}
    assert orphans(connection, students=[recent], orah_students=[AMYS_RECORD]) == []
    done = {**AMYS_RECORD, "deactivated": True}
    assert orphans(connection, students=[late], orah_students=[done]) == []


def test_a_house_of_ours_without_a_dorm_in_use(connection: duckdb.DuckDBPyConnection) -> None:
    old = {"id": 8, "name": "Old House", "sis_id": "90"}
    tables: dict[str, Any] = {"students": [AMY], "dorms": [DORM, ENDED], "orah_houses": [HOUSE, old]}
    assert orphans(connection, made_houses=[7, 8], **tables) == [
        ("house", 8, 90, "made by us; its dorm: its status is Past")
    ]
    assert orphans(connection, **tables) == []
