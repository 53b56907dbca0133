"""What is delivered: the rows, what is set aside, and what becomes of the groups of the last delivery."""

from dataclasses import replace
from typing import Any

import duckdb
import pytest

from vx_pipeline.delivery.collect import collect
from vx_pipeline.delivery.rows import ArchivedGroup, Delivery, Group, Member, SetAside, Staff
from vx_pipeline.errors import VxError
from vx_pipeline.policies import Policies
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.delivery.small_school import SMALL, collected
from vx_pipeline_tests.world import READ_AT, rows

BIOLOGY = Group(200, "class", "Biology", "2026-2027")
ROWING = Group(201, "team", "Rowing", "2026-2027")
NEXT_YEAR = {"id": 102, "description": "North House", "school_year": 2027, "begin_date": "2027-09-01"}


def with_classes(*changed: dict[str, Any]) -> list[dict[str, Any]]:
    ids = {one["id"] for one in changed}
    return [*(dict(one) for one in SMALL["classes"] if one["id"] not in ids), *changed]


def without_class(number: int) -> list[dict[str, Any]]:
    return [dict(one) for one in SMALL["classes"] if one["id"] != number]


def reasons(delivery: Delivery, entity: str) -> dict[str, str]:
    return {one.key: one.reason for one in delivery.set_aside if one.entity == entity}


def test_students_come_with_house_phones_and_contacts(connection: duckdb.DuckDBPyConnection) -> None:
    delivery = collected(connection, SMALL)
    amy, tom = delivery.students
    assert (amy.student_id, amy.first_name, amy.alternative_name, amy.house, amy.year) == (
        1,
        "Amy",
        "Amelia",
        "North House",
        "9th Grade",
    )
    assert (amy.mobile_phone, amy.home_phone, str(amy.birthday)) == ("+1 555 0101", "555-0102", "2010-05-04")
    assert [(one.first_name, one.relationship, one.mobile_phone) for one in amy.contacts] == [
        ("Ana", "Mother", "555-0110"),
        ("Ben", "Father", ""),
    ]
    assert (tom.first_name, tom.house, tom.birthday, tom.contacts) == ("Thomas", "", None, ())


def test_staff_groups_and_members_of_today(connection: duckdb.DuckDBPyConnection) -> None:
    delivery = collected(connection, SMALL)
    assert delivery.staff == (Staff(70, "ada@example.org", "", "Ada", "Ito", "", "Biologist"),)
    assert delivery.groups == (BIOLOGY, ROWING)
    assert delivery.members == (
        Member(200, "staff", None, "ada@example.org"),
        Member(200, "student", 1),
        Member(200, "student", 2),
        Member(201, "student", 2),
    )
    assert delivery.archived == ()
    assert (len(delivery.rests_on), set(delivery.rests_on.values())) == (11, {READ_AT})


def test_what_cannot_be_delivered_is_set_aside_with_a_reason(connection: duckdb.DuckDBPyConnection) -> None:
    delivery = collected(
        connection,
        {
            **SMALL,
            "staff_faculty": [
                {"id": 70, "first_name": "Ada", "email_1": "office@example.org"},
                {"id": 71, "first_name": "Bo", "last_name": "Lund"},
                {"id": 72, "first_name": "Cy", "email_1": " OFFICE@example.org "},
                {"id": 73, "first_name": "Di", "email_1": "di@example.org"},
                {"id": 74, "email_1": "nobody@example.org"},
            ],
            "classes": with_classes(
                {"id": 203, "description": " ", "primary_teacher__id": 73},
                {"id": 204, "description": "Art", "primary_teacher__id": 99},
            ),
            "enrollments": [{"id": 1, "internal_class_id": 203, "person_id": 1}],
        },
    )
    shared = "e-mail shared with another member of staff"
    assert reasons(delivery, "staff") == {"70": shared, "71": "no e-mail", "72": shared, "74": "no name"}
    assert reasons(delivery, "group") == {"203": "no name"}
    assert reasons(delivery, "staff_member") == {
        "200:70": "the member of staff is set aside",
        "201:71": "the member of staff is set aside",
        "203:73": "the group is set aside",
        "204:99": "not among the staff of today",
    }
    assert reasons(delivery, "student_member") == {"203:1": "the group is set aside"}
    assert [one.person_id for one in delivery.staff] == [73]
    assert {one.group_id for one in delivery.members} == {201}
    stored = [SetAside(**row) for row in rows(connection, "FROM delivery.set_aside ORDER BY entity, key")]
    assert tuple(stored) == delivery.set_aside


def test_a_student_whose_record_in_orah_is_an_open_question_waits(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    # The same name without anything else that agrees: never a link, so a question.
    hand_made = [{"id": 501, "first_name": "Thomas", "last_name": "Reed", "year_level": "9th Grade"}]
    delivery = collected(connection, {**SMALL, "orah_students": hand_made})
    assert reasons(delivery, "student") == {"2": "who this is in Orah is an open question"}
    assert [one.student_id for one in delivery.students] == [1]
    assert reasons(delivery, "student_member") == {
        "200:2": "the student is set aside",
        "201:2": "the student is set aside",
    }


def related(*adults: int, **flags: int) -> list[dict[str, Any]]:
    """Relationships of student 1 to these adults; a flag is set for the adult it names."""
    return [
        {
            "id": one,
            "person_id": 1,
            "related_person_id": one,
            "emergency": True,
            **{flag: adult == one for flag, adult in flags.items()},
        }
        for one in adults
    ]


def test_four_contacts_have_room_and_custody_comes_first(connection: duckdb.DuckDBPyConnection) -> None:
    adults = range(10, 17)
    delivery = collected(
        connection,
        {
            **SMALL,
            "parents": [{"id": one, "first_name": f"Adult {one}"} for one in adults],
            "relationships": related(*adults, legal_custody=15, resident=14),
        },
    )
    places = [one.first_name for one in delivery.students[0].contacts]
    assert places == ["Adult 15", "Adult 14", "Adult 10", "Adult 11"]
    full = "the import has room for 4 contacts"
    assert reasons(delivery, "contact") == {"1:12": full, "1:13": full, "1:16": full}


def test_who_may_not_stand_beside_a_student_or_has_no_name_is_no_contact(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    parents: list[dict[str, Any]] = [
        {"id": 10, "first_name": "Ana"},
        {"id": 11, "first_name": "Ben"},
        {"id": 12},
    ]
    people = related(10, 11, 12, related_person_is_deceased=11)
    delivery = collected(connection, {**SMALL, "parents": parents, "relationships": people})
    assert [one.first_name for one in delivery.students[0].contacts] == ["Ana"]
    assert reasons(delivery, "contact") == {"1:12": "no name"}
    none = collected(connection, policies=Policies.model_validate({"contacts": {"synced": False}}))
    assert (none.students[0].contacts, reasons(none, "contact")) == ((), {})


def test_who_is_not_in_scope_is_in_no_file(connection: duckdb.DuckDBPyConnection) -> None:
    delivery = collected(connection, SMALL, policies=Policies(synced="boarding"))
    assert [one.student_id for one in delivery.students] == [1]
    assert {one.student_id for one in delivery.members} == {None, 1}
    assert [one.entity for one in delivery.set_aside] == ["staff", "staff_member"]
    delivery = collected(connection, policies=Policies(grades=(" 9TH grade",)))
    assert len(delivery.students) == 2


@pytest.mark.parametrize(
    "class_now",
    [
        {"id": 200, "description": "Biology", "status": 2},
        {"id": 200, "description": "Biology", "school_year": 2025},
    ],
)
def test_a_delivered_group_that_is_over_is_archived_for_good(
    connection: duckdb.DuckDBPyConnection, class_now: dict[str, Any]
) -> None:
    first = collected(connection, SMALL)
    second = collected(connection, {"classes": with_classes(class_now)}, first)
    assert second.groups == (ROWING,)
    assert {one.group_id for one in second.members} == {201}
    # Old Biology was never delivered, so there is nothing to archive.
    assert second.archived == (ArchivedGroup(200, "Biology", "2026-2027"),)
    third = collected(connection, {"classes": without_class(200)}, second)
    assert third.archived == second.archived
    back = collected(connection, {"classes": with_classes()}, third)
    assert (back.groups, back.archived) == ((BIOLOGY, ROWING), ())


def test_one_read_without_a_class_ends_no_class(connection: duckdb.DuckDBPyConnection) -> None:
    first = collected(connection, SMALL)
    second = collected(connection, {"classes": without_class(200)}, first)
    assert (second.groups, second.members, second.archived) == (first.groups, first.members, ())
    assert second.kept_groups == (200,)
    third = collected(connection, {"classes": without_class(200)}, second)
    assert (third.groups, third.kept_groups) == ((ROWING,), ())
    assert third.archived == (ArchivedGroup(200, "Biology", "2026-2027"),)


def test_members_of_a_kept_group_are_those_who_are_still_there(connection: duckdb.DuckDBPyConnection) -> None:
    first = collected(connection, SMALL)
    students = [dict(one, roles="Alumni") if one["id"] == 2 else dict(one) for one in SMALL["students"]]
    second = collected(connection, {"classes": without_class(200), "students": students}, first)
    assert [one for one in second.members if one.group_id == 200] == [
        Member(200, "staff", None, "ada@example.org"),
        Member(200, "student", 1),
    ]


def test_a_group_that_lost_its_name_stays_as_it_was_delivered(connection: duckdb.DuckDBPyConnection) -> None:
    first = collected(connection, SMALL)
    second = collected(connection, {"classes": with_classes({"id": 200, "description": None})}, first)
    assert (second.groups, second.kept_groups) == (first.groups, (200,))
    assert reasons(second, "group") == {"200": "no name"}


def test_next_years_classes_do_not_leak_in(connection: duckdb.DuckDBPyConnection) -> None:
    first = collected(connection, SMALL)
    second = collected(
        connection,
        {
            "dorms": [*SMALL["dorms"], NEXT_YEAR],
            "classes": with_classes({"id": 300, "description": "Biology", "school_year": 2027}),
            "enrollments": [*SMALL["enrollments"], {"id": 9, "internal_class_id": 300, "person_id": 1}],
        },
        first,
    )
    assert replace(second, rests_on={}) == replace(first, rests_on={})


@pytest.mark.parametrize(
    "table", ["students", "boarders", "houses", "contacts", "staff", "groups", "group_members"]
)
def test_an_empty_or_missing_roster_table_stops_the_delivery(
    connection: duckdb.DuckDBPyConnection, table: str
) -> None:
    first = collected(connection, SMALL)
    connection.execute(f"DELETE FROM roster.{table}")
    if table == "houses":
        connection.execute("DELETE FROM roster.dorms")
    with pytest.raises(VxError, match=f"roster.{table} is empty") as caught, transaction(connection):
        collect(connection, Policies(), first)
    assert caught.value.kept
    connection.execute(f"DROP TABLE roster.{table}")
    with pytest.raises(VxError, match=f"roster.{table} is not there"), transaction(connection):
        collect(connection, Policies(), first)


def test_staff_who_all_lost_their_email_stop_the_delivery(connection: duckdb.DuckDBPyConnection) -> None:
    first = collected(connection, SMALL)
    with pytest.raises(VxError, match="no member of staff"):
        collected(connection, {"staff_faculty": [{"id": 70, "first_name": "Ada"}]}, first)


def test_a_summer_without_classes_and_dorms_is_believed(connection: duckdb.DuckDBPyConnection) -> None:
    first = collected(connection, SMALL)
    second = collected(
        connection,
        {
            "dorms": [{"id": 100, "description": "North House", "status": 2}],
            "classes": [dict(one, status=2) for one in SMALL["classes"]],
        },
        first,
    )
    assert (second.groups, second.members) == ((), ())
    assert [one.group_id for one in second.archived] == [200, 201]
    assert {one.house for one in second.students} == {""}


def test_a_school_without_teams_or_contacts_delivers_from_the_start(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    delivery = collected(connection, {"students": SMALL["students"]})
    assert len(delivery.students) == 2
    assert (delivery.staff, delivery.groups, delivery.members) == ((), (), ())
