"""Endpoints as data: complete, with the kinds that the warehouse and the joins rest on."""

import pytest

from vx_pipeline.schema import Kind
from vx_pipeline.veracross import ENDPOINTS, UPDATE_CLASS_ATTENDANCE, Area, scopes

GRANTED_BY_ORAHS_INTEGRATION = {
    "academics.enrollments:list",
    "academics.classes.meeting_times:list",
    "athletics.rosters:list",
    "boarding.dorms:list",
    "boarding.dorms.students:list",
    "classes:list",
    "classes.attendance:list",
    "households:list",
    "parents:list",
    "relationships:list",
    "staff_faculty:list",
    "students:list",
    "contact_info:list",
    "classes.attendance:update",
}


def kind(table: str, field: str) -> Kind:
    return ENDPOINTS[table].collection.field(field).kind


def test_the_scopes_are_exactly_those_that_the_school_grants() -> None:
    assert {scope for area in Area for scope in scopes(area)} == GRANTED_BY_ORAHS_INTEGRATION


def test_the_write_scope_stands_alone_so_that_no_reading_token_can_write() -> None:
    assert scopes(Area.ATTENDANCE_WRITE) == ("classes.attendance:update",)
    assert all(endpoint.area is not Area.ATTENDANCE_WRITE for endpoint in ENDPOINTS.values())


def test_one_application_never_needs_more_than_the_ten_tokens_that_live_at_a_time() -> None:
    assert len(Area) <= 10


@pytest.mark.parametrize("table", ENDPOINTS)
def test_every_used_field_exists_and_the_id_is_used(table: str) -> None:
    from vx_pipeline.veracross.contract import _TABLES

    endpoint = ENDPOINTS[table]
    used = {".".join(field.path) for field in endpoint.collection.fields if field.used}
    assert used == set(_TABLES[table].used.split())
    assert endpoint.collection.field("id").kind is Kind.ID
    assert endpoint.collection.name == f"veracross.{table}"


@pytest.mark.parametrize(
    ("table", "field", "expected"),
    [
        ("students", "grade_level", Kind.CODE),
        ("students", "campus__id", Kind.CODE),
        ("students", "household_id", Kind.ID),
        ("students", "advisor__id", Kind.ID),
        ("students", "graduation_year", Kind.NUMBER),
        ("students", "exit_date", Kind.DATE),
        ("students", "last_modified_date", Kind.TIMESTAMP),
        ("students", "roles", Kind.TEXT),
        ("relationships", "legal_custody", Kind.FLAG),
        ("dorm_students", "bed_number", Kind.NUMBER),
        ("dorm_students", "dorm_id", Kind.ID),
        ("dorms", "dorm_head_id", Kind.ID),
        ("classes", "campus_id", Kind.CODE),
        ("classes", "course__id", Kind.ID),
        ("class_attendance", "status", Kind.CODE),
    ],
)
def test_kinds(table: str, field: str, expected: Kind) -> None:
    assert kind(table, field) is expected


def test_a_code_is_a_code_wherever_it_is_joined() -> None:
    assert kind("meeting_times", "block__id") is kind("class_attendance", "block__id") is Kind.CODE
    assert kind("enrollments", "grade_level_id") is kind("athletics_rosters", "grade_level_id") is Kind.CODE


def test_fan_out_endpoints_name_their_parent() -> None:
    fan_out = {name: (e.path_param, e.parent_field) for name, e in ENDPOINTS.items() if e.path_param}
    assert fan_out == {
        "dorm_students": ("internal_dorm_id", "dorm_id"),
        "meeting_times": ("internal_class_id", "internal_class_id"),
        "class_attendance": ("internal_class_id", "internal_class_id"),
    }
    for name, (_, parent_field) in fan_out.items():
        assert parent_field is not None
        assert ENDPOINTS[name].collection.field(parent_field).kind is Kind.ID


def test_the_write_may_touch_status_and_notes_but_not_whose_row_it_is() -> None:
    assert {"status", "notes"} <= UPDATE_CLASS_ATTENDANCE.writable
    assert not {"id", "student_id", "internal_class_id"} & UPDATE_CLASS_ATTENDANCE.writable
