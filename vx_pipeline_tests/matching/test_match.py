"""Links: what is certain, and everything that must not be."""

import random
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.matching.fold import fold
from vx_pipeline.matching.match import match_students
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.world import READ_AT, build_roster, land_rows, rows, school

AMY = {
    "id": 1,
    "first_name": "Amelia",
    "preferred_name": "Amy",
    "last_name": "Stone",
    "email_1": "as@s.example.edu",
}
POINTS_ELSEWHERE = "an e-mail or a sis_id points to a different record"
TOM = {"id": 2, "first_name": "Thomas", "last_name": "Reed", "email_1": "tr@s.example.edu"}


def record(number: int, first: str, last: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "first_name": first, "last_name": last, **more}


def match(connection: duckdb.DuckDBPyConnection, days: int = 0) -> dict[int, tuple[int, str]]:
    """Builds roster and links; the links by Veracross id."""
    build_roster(connection)
    with transaction(connection):
        match_students(connection, now=READ_AT + timedelta(days=days))
    found = rows(connection, "FROM matching.student_links")
    return {one["veracross_id"]: (one["orah_id"], one["rule"]) for one in found}


def waiting(connection: duckdb.DuckDBPyConnection) -> set[tuple[int | None, int | None, str]]:
    found = rows(connection, "FROM matching.review_queue")
    return {(one["veracross_id"], one["orah_id"], one["reason"]) for one in found}


@pytest.mark.parametrize(
    ("orah", "rule"),
    [
        (record(501, "Amy", "Stone", sis_id="1"), "sis_id"),
        (record(501, "Amelia", "Stone-Hill", sis_id=" 1 "), "sis_id"),
        (record(501, "Ámelia", "Other", sis_id="1"), "sis_id"),
        (record(501, "Amy", "Stone", email="AS@S.example.edu "), "email"),
        (record(501, "Mia", "Stone-Hill", alt_name="Amelia", email="as@s.example.edu"), "email"),
        (record(501, "Stone", "Amelia", email="as@s.example.edu"), "email"),
    ],
)
def test_an_identifier_with_an_agreeing_name_links(
    connection: duckdb.DuckDBPyConnection, orah: dict[str, Any], rule: str
) -> None:
    school(connection, students=[AMY, TOM], orah_students=[orah])
    assert match(connection) == {1: (501, rule)}


def links_nobody(connection: duckdb.DuckDBPyConnection, reason: str, **tables: Any) -> None:
    school(connection, **tables)
    assert match(connection) == {}
    assert reason in {why for _, _, why in waiting(connection)}


def test_a_sis_id_whose_name_contradicts_is_not_believed(connection: duckdb.DuckDBPyConnection) -> None:
    links_nobody(
        connection,
        "the sis_id agrees, the name does not",
        students=[AMY],
        orah_students=[record(501, "Karl", "Berg", sis_id="1")],
    )


def test_a_sis_id_pasted_onto_the_sibling_is_not_believed(connection: duckdb.DuckDBPyConnection) -> None:
    """The last name agrees, but another student has exactly the record's name."""
    sister = {"id": 3, "first_name": "Beth", "last_name": "Stone"}
    links_nobody(
        connection,
        "another student has exactly the name of this record",
        students=[AMY, sister],
        orah_students=[record(501, "Beth", "Stone", sis_id="1")],
    )


def test_a_sis_id_is_not_believed_where_another_record_has_the_students_name(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    links_nobody(
        connection,
        "another record in Orah has exactly the name of this student",
        students=[AMY],
        orah_students=[record(501, "Ada", "Stone", sis_id="1"), record(502, "Amy", "Stone")],
    )


def test_an_email_never_plants_a_second_sis_id(connection: duckdb.DuckDBPyConnection) -> None:
    """Another record already carries the student's id, though its name contradicts."""
    records = [
        record(501, "Karl", "Berg", sis_id="1"),
        record(502, "Amy", "Stone", email="as@s.example.edu"),
    ]
    links_nobody(connection, POINTS_ELSEWHERE, students=[AMY], orah_students=records)


def test_a_link_that_is_there_is_not_broken_by_a_second_record(connection: duckdb.DuckDBPyConnection) -> None:
    own = record(501, "Amy", "Stone", sis_id="1")
    school(connection, students=[AMY], orah_students=[own])
    assert match(connection) == {1: (501, "sis_id")}
    land_rows(connection, "orah.students", own, record(502, "Amy", "Stone", email="as@s.example.edu"))
    assert match(connection) == {1: (501, "sis_id")}


def test_a_record_that_one_read_missed_is_still_its_students(connection: duckdb.DuckDBPyConnection) -> None:
    own = record(501, "Amy", "Stone", sis_id="1")
    school(connection, students=[AMY], orah_students=[own, record(502, "Karl", "Berg")])
    land_rows(connection, "orah.students", record(502, "Karl", "Berg"))
    assert match(connection) == {1: (501, "sis_id")}


def test_two_records_of_one_student_are_a_finding_not_a_choice(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    links_nobody(
        connection,
        "another record in Orah has exactly this name",
        students=[AMY],
        orah_students=[
            record(501, "Amy", "Stone", email="as@s.example.edu"),
            record(502, "Amelia", "Stone"),
        ],
    )


def test_a_namesake_with_a_record_of_their_own_does_not_hold_up_a_link(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    namesake = {**AMY, "id": 3, "email_1": "as2@s.example.edu"}
    records = [
        record(501, "Amy", "Stone", email="as@s.example.edu"),
        record(502, "Amy", "Stone", email="as2@s.example.edu"),
    ]
    school(connection, students=[AMY, namesake], orah_students=records)
    assert match(connection) == {1: (501, "email"), 3: (502, "email")}


def test_a_sis_id_on_two_records_links_neither(connection: duckdb.DuckDBPyConnection) -> None:
    links_nobody(
        connection,
        "several records in Orah carry this sis_id",
        students=[AMY],
        orah_students=[record(501, "Amy", "Stone", sis_id="1"), record(502, "Amy", "Stone", sis_id="1")],
    )


def test_two_identifiers_that_point_to_two_records_link_neither(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    links_nobody(
        connection,
        POINTS_ELSEWHERE,
        students=[AMY],
        orah_students=[
            record(501, "Amy", "Stone", sis_id="1"),
            record(502, "Amelia", "Stone", email="as@s.example.edu"),
        ],
    )


@pytest.mark.parametrize(
    "tables",
    [
        {"parents": [{"id": 9, "first_name": "Una", "last_name": "Stone", "email_1": "AS@s.example.edu"}]},
        {"students": [AMY, {**TOM, "email_1": "as@s.example.edu"}]},
        {"orah_students": [
            record(501, "Amy", "Stone", email="as@s.example.edu"),
            record(502, "Ben", "Stone", email="as@s.example.edu"),
        ]},
    ],
)  # fmt: skip
def test_an_email_that_is_not_ones_own_links_nobody(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, Any]
) -> None:
    given = {"students": [AMY], "orah_students": [record(501, "Amy", "Stone", email="as@s.example.edu")]}
    links_nobody(connection, "the e-mail is not one person's own", **{**given, **tables})


def test_a_siblings_email_typed_in_links_nobody(connection: duckdb.DuckDBPyConnection) -> None:
    sister = {"id": 3, "first_name": "Beth", "last_name": "Stone"}
    links_nobody(
        connection,
        "the e-mail agrees, the name does not",
        students=[AMY, sister],
        orah_students=[record(501, "Beth", "Stone", email="as@s.example.edu")],
    )


def test_an_email_on_a_record_with_another_sis_id_links_nobody(connection: duckdb.DuckDBPyConnection) -> None:
    links_nobody(
        connection,
        "the record in Orah carries another sis_id",
        students=[AMY],
        orah_students=[record(501, "Amy", "Stone", sis_id="777", email="as@s.example.edu")],
    )


def test_a_name_alone_never_links(connection: duckdb.DuckDBPyConnection) -> None:
    links_nobody(
        connection,
        "same name and year level, nothing that proves it",
        students=[AMY],
        orah_students=[record(501, "Amy", "Stone", year_level="9th Grade")],
    )


def test_who_could_be_nobody_is_said_on_both_sides(connection: duckdb.DuckDBPyConnection) -> None:
    school(connection, students=[AMY], orah_students=[record(501, "Karl", "Berg")])
    assert match(connection) == {}
    assert waiting(connection) == {
        (1, None, "nobody in Orah could be this student"),
        (None, 501, "nobody in Veracross could be this record"),
    }


def test_a_link_once_made_survives_a_new_name(connection: duckdb.DuckDBPyConnection) -> None:
    school(connection, students=[AMY], orah_students=[record(501, "Amy", "Stone", sis_id="1")])
    assert match(connection) == {1: (501, "sis_id")}
    land_rows(
        connection, "students", {**AMY, "first_name": "Zoe", "preferred_name": None, "last_name": "Quill"}
    )
    assert match(connection, days=1) == {1: (501, "sis_id")}
    (link,) = rows(connection, "FROM matching.student_links")
    assert link["linked_at"] == READ_AT.replace(tzinfo=None)


def test_a_name_without_letters_or_without_anything_links_nobody(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    strange = {"id": 1, "first_name": "—", "last_name": None, "email_1": "as@s.example.edu"}
    school(connection, students=[strange], orah_students=[record(501, "…", "!", email="as@s.example.edu")])
    assert match(connection) == {}


def test_leavers_are_linked_too_so_that_they_can_be_deactivated(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    school(
        connection,
        students=[{**AMY, "roles": "Alumni"}],
        orah_students=[record(501, "Amy", "Stone", sis_id="1")],
    )
    assert match(connection) == {1: (501, "sis_id")}


def test_the_order_of_rows_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    students = [
        {"id": n, "first_name": f"Kim{n % 7}", "last_name": f"Lee{n % 5}", "email_1": f"k{n}@s.example.edu"}
        for n in range(1, 60)
    ]
    records = [
        record(500 + n, f"Kim{n % 7}", f"Lee{n % 5}", email=f"k{n}@s.example.edu" if n % 3 else None)
        for n in range(1, 60)
    ]
    results = []
    for seed in (1, 2):
        random.Random(seed).shuffle(students)
        random.Random(seed).shuffle(records)
        school(connection, students=students, orah_students=records)
        links = match(connection)
        results.append((links, sorted(waiting(connection), key=str)))
    assert results[0] == results[1]
    assert results[0][0]


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Łukasz", "lukasz"),
        ("Müller-Östberg", "muller ostberg"),
        ("O\u2019Brien", "obrien"),
        ("李小明", "lixiaoming"),
        ("  Anna  Maria ", "anna maria"),
        ("—", ""),
    ],
)  # fmt: skip
def test_names_are_folded_to_plain_letters(name: str, folded: str) -> None:
    assert fold(name) == folded
