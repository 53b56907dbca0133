"""Which field of Orah comes from which column of Veracross: the usual way, a school's own, and fields Orah owns."""

from typing import Any

import duckdb
import pytest

from vx_pipeline.errors import ConfigurationError
from vx_pipeline.orah.collections import STUDENTS
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Difference
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.sync.planned import AMY, AMYS_RECORD, one, plan
from vx_pipeline_tests.world import READ_AT, land_rows, rows


def test_without_a_preferred_name_the_first_name_counts(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "preferred_name": "  "}
    change = one(plan(connection, students=[amy], orah_students=[AMYS_RECORD]))
    assert change.values == {"first_name": "Amelia"}


def test_a_school_maps_a_field_its_own_way(connection: duckdb.DuckDBPyConnection) -> None:
    policies = Policies(student_fields={"first_name": "first_name", "year_level": "grade_level"})
    change = one(plan(connection, students=[AMY], orah_students=[AMYS_RECORD], policies=policies))
    assert change.values == {"first_name": "Amelia", "year_level": "9"}


def test_an_empty_mapping_leaves_a_field_alone(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "first_name": "Amalia", "last_name": "Hill"}
    policies = Policies(student_fields={"alt_name": ""})
    change = one(plan(connection, students=[amy], orah_students=[AMYS_RECORD], policies=policies))
    assert change.values == {"last_name": "Hill"}


def land_custom(connection: duckdb.DuckDBPyConnection, **custom: Any) -> None:
    """Amy's record as Orah shows it when the tenant has fields of its own."""
    names = [field.name for field in STUDENTS.fields if field.name != "house__id"]
    record = {name: AMYS_RECORD.get(name) for name in names} | {"house": None, "deactivated": False}
    land(connection, STUDENTS, [{**record, **custom}], read_at=READ_AT)


CUSTOM = Policies(student_fields={"custom_1": "gender", "custom_2": "preferred_name, first_name"})


def test_fields_that_a_tenant_added_are_compared_and_written(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "gender": 2}
    land_custom(connection, custom_1="1")
    change = one(plan(connection, students=[amy], policies=CUSTOM))
    assert change.fields == {"custom_1": Difference("1", "2"), "custom_2": Difference(None, "Amy")}
    land_custom(connection, custom_1="2", custom_2="Amy")
    assert plan(connection, students=[amy], policies=CUSTOM) == []
    assert plan(connection, students=[{**amy, "gender": None}], policies=CUSTOM) == [], (
        "a null empties nothing"
    )


def test_a_new_record_has_the_added_fields_too(connection: duckdb.DuckDBPyConnection) -> None:
    change = one(plan(connection, students=[AMY], orah_students=[], policies=CUSTOM))
    assert (change.action, change.values["custom_2"]) == (Action.CREATE, "Amy")
    assert "custom_1" not in change.values


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"deactivated": "gender"}, "'deactivated'"),
        ({"sis_id": "id"}, "'sis_id'"),
        ({"house": "house"}, "'house'"),
        ({"Custom 1": "gender"}, "'Custom 1'"),
        ({"a') --": "gender"}, "cannot be filled"),
        ({"custom_1": "shoe_size"}, "shoe_size"),
        ({"custom_1": "first_name, shoe_size"}, "shoe_size"),
        ({"custom_1": "_row_hash"}, "_row_hash"),
        ({"custom_1": 'first_name") --'}, "does not have"),
    ],
)
def test_what_cannot_be_mapped_is_refused_by_name(
    connection: duckdb.DuckDBPyConnection, mapping: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigurationError, match="student_fields") as refused:
        plan(connection, students=[AMY], policies=Policies(student_fields=mapping))
    assert told in str(refused.value)


# --- what Orah owns


OWNED = Policies(orah_owns=("first_name", "email"))


def test_what_orah_owns_is_written_to_new_records_only(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "email_1": "amy@s.example.edu", "grade_level": 10}
    record = {**AMYS_RECORD, "first_name": "Mimi"}
    change = one(plan(connection, students=[amy], orah_students=[record], policies=OWNED))
    assert change.values == {"year_level": "10th Grade"}
    tom = {"id": 2, "first_name": "Tom", "last_name": "Reed", "email_1": "tom@s.example.edu"}
    (made,) = (one for one in plan(connection, students=[amy, tom], policies=OWNED) if one.key == 2)
    assert (made.values["first_name"], made.values["email"]) == ("Tom", "tom@s.example.edu")


def test_who_comes_back_keeps_what_orah_owns(connection: duckdb.DuckDBPyConnection) -> None:
    record = {**AMYS_RECORD, "first_name": "Mimi", "deactivated": True, "last_name": "Old"}
    back = one(
        plan(
            connection,
            students=[AMY],
            orah_students=[record],
            policies=OWNED,
            deactivated_by_us={501: READ_AT},
        )
    )
    assert back.values == {"deactivated": False, "last_name": "Stone"}


def test_the_mapped_table_holds_one_row_for_each_student(connection: duckdb.DuckDBPyConnection) -> None:
    land_rows(connection, "students", AMY, {"id": 2})
    plan(connection, policies=CUSTOM)
    found = rows(connection, "FROM sync.mapped_students")
    assert [row["veracross_id"] for row in found] == [1, 2]
    assert found[1]["first_name"] is None
