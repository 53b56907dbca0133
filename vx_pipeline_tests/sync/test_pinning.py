"""Pins: what a person said the sync leaves alone is left alone, and the plan says so."""

from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pytest

from vx_pipeline.journal.pins import Pin
from vx_pipeline.sync.changes import Action, Change, Entity
from vx_pipeline.sync.pinning import PINNED, without_pinned
from vx_pipeline_tests.sync.planned import AMY, AMYS_RECORD, BOARDS, DORM, HOUSE, LEFT, change, one, plan
from vx_pipeline_tests.world import READ_AT

UPDATE = Action.UPDATE


def pin(key: int = 1, field: str = "", entity: str = "student", last_day: date | None = None) -> Pin:
    return Pin(7, "one", entity, key, field, "the father asked", "Dana", READ_AT, last_day)


def test_a_pinned_person_is_left_alone_and_it_is_said(connection: duckdb.DuckDBPyConnection) -> None:
    pins = [pin(last_day=date(2026, 12, 31))]
    change = one(plan(connection, students=[LEFT], orah_students=[AMYS_RECORD], pins=pins))
    assert (change.action, change.fields, change.cause) == (Action.SKIP, {}, PINNED)
    assert change.reason == (
        "pin 7 keeps this record as it is until 2026-12-31; "
        "otherwise: deactivate, the exit date 2026-11-20 is reached"
    )
    assert "the father" not in change.reason, "an author's words may hold names"


def test_a_pinned_field_is_left_alone_and_the_others_are_not(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "last_name": "Stone-Hill", "grade_level": 10}
    tables: dict[str, Any] = {"students": [amy], "orah_students": [AMYS_RECORD]}
    assert one(plan(connection, **tables, pins=[pin(field="last_name")])).values == {
        "year_level": "10th Grade"
    }
    both = [pin(field="last_name"), pin(field="year_level")]
    change = one(plan(connection, **tables, pins=both))
    assert (change.action, change.cause) == (Action.SKIP, PINNED)


@pytest.mark.parametrize(
    "other", [pin(key=2), pin(field="email"), pin(entity="house"), pin(entity="contact")]
)
def test_a_pin_holds_for_nothing_else(connection: duckdb.DuckDBPyConnection, other: Pin) -> None:
    change = one(plan(connection, students=[LEFT], orah_students=[AMYS_RECORD], pins=[other]))
    assert change.action is Action.DEACTIVATE


def test_a_pinned_house_keeps_its_name(connection: duckdb.DuckDBPyConnection) -> None:
    named = {**HOUSE, "name": "The Old Mill"}
    pins = [pin(100, entity="house")]
    assert (
        one(plan(connection, students=[], dorms=[DORM], orah_houses=[named], pins=pins)).action is Action.SKIP
    )


def test_who_keeps_the_house_keeps_room_and_bed(connection: duckdb.DuckDBPyConnection) -> None:
    record = {
        **AMYS_RECORD,
        "student_type": "Boarding",
        "house__id": 8,
        "room_number": "12",
        "bed_number": "1",
    }
    tables: dict[str, Any] = {
        "students": [AMY],
        "dorms": [DORM],
        "dorm_students": [{**BOARDS, "bed_number": 2}],
        "orah_students": [record],
        "orah_houses": [HOUSE, {"id": 8, "name": "Day House"}],
    }
    assert one(plan(connection, **tables)).values["room_number"] is None
    assert one(plan(connection, **tables, pins=[pin(field="house")])).values == {"bed_number": "2"}


def test_somebody_new_has_no_field_to_be_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    made = one(plan(connection, students=[AMY], orah_students=[], pins=[pin(field="last_name")]))
    assert (made.action, made.values["last_name"]) == (Action.CREATE, "Stone")
    assert one(plan(connection, students=[AMY], orah_students=[], pins=[pin()])).action is Action.SKIP


def test_whoever_is_pinned_as_deactivated_does_not_come_back(connection: duckdb.DuckDBPyConnection) -> None:
    off = {**AMYS_RECORD, "deactivated": True, "last_name": "Old"}
    tables: dict[str, Any] = {"students": [AMY], "orah_students": [off], "deactivated_by_us": {501: READ_AT}}
    assert one(plan(connection, **tables, pins=[pin(field="deactivated")])).action is Action.SKIP
    back = one(plan(connection, **tables, pins=[pin(field="last_name")]))
    assert (back.action, back.values) == (Action.REACTIVATE, {"deactivated": False})


def test_what_is_urgent_is_not_kept_by_a_pin() -> None:
    tie: Change = change(Entity.CONTACT, Action.UNLINK, 5, 77, students=({"student_id": 1}, None))
    pins = [pin(5, entity="contact"), pin(5, "students", "contact")]
    assert one(without_pinned([tie], pins)).action is Action.SKIP
    urgent = replace(tie, urgent=True)
    assert without_pinned([urgent], pins) == [urgent]


def test_nothing_is_left_as_it_is_of_a_record_that_is_deleted() -> None:
    deletion = Change(Entity.STUDENT, Action.DELETE, 1, 501, {}, "left")
    (left,) = without_pinned([deletion], [pin(field="email")])
    assert left.action is Action.SKIP
    assert without_pinned([deletion], [pin(key=2, field="email")]) == [deletion]


def test_a_skip_stays_what_it_is() -> None:
    skip = change(Entity.STUDENT, Action.SKIP, 1, 501)
    assert without_pinned([skip], [pin()]) == [skip]
