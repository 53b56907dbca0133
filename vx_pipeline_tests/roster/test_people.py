"""Contacts, houses, groups with their members, and staff."""

import duckdb

from vx_pipeline_tests.world import build_roster, rows, school


def test_contacts_come_from_relationships_with_the_parents_own_home(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    school(
        connection,
        students=[{"id": 1, "household_id": 50}, {"id": 2, "household_id": 50}],
        parents=[
            {
                "id": 10,
                "first_name": "Ana",
                "last_name": "Roy",
                "email_1": " Ana@Example.org ",
                "household_id": 50,
            },
            {"id": 11, "first_name": "Ben", "last_name": "Roy", "household_id": 51},
        ],
        households=[
            {"id": 50, "address_line_1": "1 Elm St", "city": "Avon"},
            {"id": 51, "address_line_1": "2 Oak St", "city": "Bath"},
        ],
        contact_info=[{"id": 10, "mobile_phone": "555-0100"}],
        relationships=[
            {"id": 1, "person_id": 1, "related_person_id": 10, "relationship": 1, "legal_custody": True},
            {
                "id": 2,
                "person_id": 1,
                "related_person_id": 11,
                "relationship": 2,
                "related_person_is_deceased": True,
            },
            {"id": 3, "person_id": 1, "related_person_id": 2, "relationship": 3},
        ],
    )
    build_roster(connection)
    mother, father = rows(connection, "FROM roster.contacts")
    assert (mother["email"], mother["address"], mother["mobile_phone"], mother["legal_custody"]) == (
        "ana@example.org",
        "1 Elm St, Avon",
        "555-0100",
        True,
    )
    assert (father["address"], father["is_deceased"], father["relationship"]) == (
        "2 Oak St, Bath",
        True,
        "Father",
    )


def test_groups_are_this_years_classes_and_teams_but_no_dorms(connection: duckdb.DuckDBPyConnection) -> None:
    school(
        connection,
        students=[{"id": 1}, {"id": 2}, {"id": 3, "roles": "Alumni"}],
        dorms=[{"id": 100, "description": "North House"}],
        classes=[
            {"id": 200, "description": "Biology", "primary_teacher__id": 70},
            {"id": 201, "description": "Rowing"},
            {"id": 202, "description": "Old Biology", "school_year": 2025},
            {"id": 203, "description": "Closed", "status": 2},
            {"id": 100, "description": "North House"},
        ],
        enrollments=[
            {"id": 1, "internal_class_id": 200, "person_id": 1},
            {"id": 2, "internal_class_id": 200, "person_id": 2, "date_withdrawn": "2026-11-23"},
            {"id": 3, "internal_class_id": 200, "person_id": 3},
            {"id": 4, "internal_class_id": 202, "person_id": 1},
        ],
        athletics_rosters=[
            {"id": 1, "internal_class_id": 201, "person_id": 2},
            {"id": 2, "internal_class_id": 201, "person_id": 1, "late_date_enrolled": "2026-11-24"},
        ],
    )
    build_roster(connection)
    groups = {row["group_id"]: row["kind"] for row in rows(connection, "FROM roster.groups")}
    assert groups == {200: "class", 201: "team"}
    members = rows(connection, "FROM roster.group_members")
    assert [(one["group_id"], one["person_id"], one["role"]) for one in members] == [
        (200, 70, "staff"),
        (200, 1, "student"),
        (201, 2, "student"),
    ]


def test_staff_without_an_email_of_their_own_are_set_aside(connection: duckdb.DuckDBPyConnection) -> None:
    school(
        connection,
        staff_faculty=[
            {"id": 1, "first_name": "Ada", "last_name": "Ito", "email_1": "ada@example.org"},
            {"id": 2, "first_name": "Bo", "last_name": "Lund"},
            {"id": 3, "first_name": "Cy", "last_name": "Omar", "email_1": "Office@example.org"},
            {"id": 4, "first_name": "Di", "last_name": "Pak", "email_1": "office@example.org"},
            {"id": 5, "first_name": "Ed", "last_name": "Que", "date_terminated": "2026-11-01"},
        ],
    )
    build_roster(connection)
    problems = {row["person_id"]: row["problem"] for row in rows(connection, "FROM roster.staff")}
    shared = "e-mail shared with another member of staff"
    assert problems == {1: None, 2: "no e-mail", 3: shared, 4: shared}
