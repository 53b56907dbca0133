"""What a plan saw of each person, in sentences made from the warehouse."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.explanations import explained_at, get_explanation, record_explanations
from vx_pipeline.matching.match import match_houses, match_students
from vx_pipeline.matching.rulings import Rulings
from vx_pipeline.policies import Policies
from vx_pipeline.sync.explaining import TOPICS, explanations
from vx_pipeline.sync.planning import derive_desired
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.families import ANA, BEN, contact, family, match, related
from vx_pipeline_tests.world import READ_AT, build_roster, land_rows, school

Told = dict[int, dict[str, list[str]]]

AMY = {"id": 1, "first_name": "Amelia", "last_name": "Stone", "entry_date": "2024-09-01"}
RECORD = {"id": 501, "first_name": "Amelia", "last_name": "Stone"}
DORM = {"id": 100, "description": "North House"}
LAST_YEARS_DORM = {
    "id": 90,
    "description": "North House",
    "begin_date": "2025-09-01",
    "end_date": "2026-06-15",
}
NAMES = ("Amelia", "Stone", "Quillfeather", "2009-04-01", "amy@s.example.edu")


def explained(
    connection: duckdb.DuckDBPyConnection,
    *,
    policies: Policies | None = None,
    rulings: Rulings = Rulings(),  # noqa: B008 - frozen
    **tables: Any,
) -> Told:
    """What is told after everything that a plan rests on was built."""
    rules = policies or Policies()
    school(connection, **tables)
    build_roster(connection, rules)
    with transaction(connection):
        match_students(connection, now=READ_AT, rulings=rulings)
        match_houses(connection)
        derive_desired(connection, rules)
        return explanations(connection)


def test_a_boarder_who_is_linked_is_told_from_veracross_to_orah(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    told = explained(
        connection,
        students=[{**AMY, "email_1": NAMES[4], "birthday": NAMES[3]}],
        dorms=[DORM, LAST_YEARS_DORM],
        dorm_students=[
            {"id": 7, "student_id": 1, "dorm_id": 100, "room_number": "12", "bed_number": 2},
            {
                "id": 6,
                "student_id": 1,
                "dorm_id": 90,
                "date_withdrawn": "2026-06-15",
                "currently_enrolled": False,
            },
        ],
        orah_students=[{**RECORD, "sis_id": "1"}],
    )[1]
    assert list(told) == ["veracross", "scope", "boarder", "match"]
    assert told["veracross"] == [
        "Listed as a student.",
        "Roles: Student.",
        "Grade: 9th Grade; enrollment status: Attending.",
        "Entry date 2024-09-01; no exit date.",
        "Dorm enrolment 6: dorm 90, withdrawn on 2026-06-15, not flagged as currently enrolled. "
        "It does not hold today: dorm 90: ended on 2026-06-15.",
        "Dorm enrolment 7: dorm 100, room 12, bed 2, flagged as currently enrolled. It holds today.",
    ]
    assert told["scope"] == ["Brought to Orah: a current student."]
    assert told["boarder"] == [
        "A boarder: current enrolment in dorm 100, room 12, bed 2. Rule: the setting boarder_rule = dorm."
    ]
    (link,) = told["match"]
    assert link.startswith("Linked to Orah 501 by sis id, since 2026-11-23 07:00 UTC, with ")
    assert link.endswith(" bits of evidence.")


def test_nobodys_name_birthday_or_address_is_kept(connection: duckdb.DuckDBPyConnection) -> None:
    told = explained(
        connection,
        students=[{**AMY, "birthday": NAMES[3], "email_1": NAMES[4]}],
        staff_faculty=[{"id": 5, "first_name": NAMES[0], "last_name": NAMES[2], "email_1": NAMES[4]}],
        parents=[{"id": 8, "first_name": NAMES[0], "last_name": NAMES[2], "email_1": NAMES[4]}],
        relationships=[
            {"id": 1, "person_id": 1, "related_person_id": 8, "relationship": 1, "first_name": NAMES[0]}
        ],
        orah_students=[{**RECORD, "email": NAMES[4]}],
    )
    assert set(told) == {1, 5, 8}
    for name in NAMES:
        assert name not in str(told)


@pytest.mark.parametrize(
    ("student", "policies", "reason"),
    [
        (
            {"exit_date": "2026-06-15"},
            {},
            "because they left: the exit date 2026-06-15 is reached. Rule: an exit date that is reached.",
        ),
        ({"roles": "Alumni"}, {}, "Rule: the setting active_roles."),
        (
            {"enrollment_status": 2},
            {},
            "the enrollment status is Withdrawn. Rule: the setting left_enrollment_statuses.",
        ),
        (
            {"entry_date": "2027-09-01"},
            {},
            "comes to the school on 2027-09-01. Rule: the entry date has to be reached.",
        ),
        ({}, {"grades": ("10th Grade",)}, "Rule: the setting grades."),
        (
            {},
            {"synced": "boarding"},
            "only boarders are synced, and: no dorm enrolment. Rule: the setting synced.",
        ),
    ],
)
def test_who_is_not_synced_is_told_by_which_rule(
    connection: duckdb.DuckDBPyConnection, student: dict[str, Any], policies: dict[str, Any], reason: str
) -> None:
    told = explained(connection, students=[AMY | student], policies=Policies(**policies))[1]
    assert told["scope"][0].startswith("Not brought to Orah")
    assert reason in told["scope"][0]


def test_of_a_leaver_it_is_told_what_becomes_of_the_record(connection: duckdb.DuckDBPyConnection) -> None:
    told = explained(
        connection,
        students=[
            {**AMY, "id": number, "last_name": f"Stone{number}", "exit_date": "2026-06-15"}
            for number in (1, 2, 3)
        ],
        orah_students=[
            {**RECORD, "sis_id": "1", "last_name": "Stone1"},
            {**RECORD, "id": 502, "sis_id": "2", "last_name": "Stone2", "deactivated": True},
        ],
    )
    assert [told[number]["scope"][1] for number in (1, 2, 3)] == [
        "Their record in Orah is active; the rule is to deactivate it.",
        "Their record in Orah is deactivated.",
        "No record in Orah is linked, so nothing has to be taken away.",
    ]
    assert told[2]["match"][1] == "The record is deactivated in Orah."
    assert told[3]["match"] == ["Linked to no record, and nobody is asked: not at the school today."]


def test_who_is_missing_is_told_with_what_was_known_last(connection: duckdb.DuckDBPyConnection) -> None:
    land_rows(connection, "students", AMY, {**AMY, "id": 2})
    land_rows(connection, "students", {**AMY, "id": 2}, read_at=READ_AT + timedelta(hours=1))
    land_rows(connection, "students", {**AMY, "id": 2}, read_at=READ_AT + timedelta(hours=2))
    told = explained(connection)
    assert told[2]["veracross"][0] == "Listed as a student."
    assert told[1]["veracross"][:2] == [
        "Not listed as a student since 2026-11-23 08:00 UTC (2 complete reads without them). "
        "What follows is what was said last.",
        "Roles: Student.",
    ]
    assert told[1]["scope"][0].endswith(
        "not found in two complete reads. Rule: two complete reads without somebody."
    )


def test_whose_row_cannot_be_understood_counts_as_present(connection: duckdb.DuckDBPyConnection) -> None:
    collection = ENDPOINTS["students"].collection
    blank = {field.path[0]: None for field in collection.fields}
    bad = {**blank, "id": 3, "entry_date": "soon", "first_name": NAMES[0]}
    good = {**blank, "id": 1, "entry_date": "2024-09-01"}
    land(connection, collection, [bad, good], read_at=READ_AT, value_lists=())
    told = explained(connection)
    assert told[3]["veracross"] == [
        "Their row of veracross.students could not be understood (entry_date). "
        "They count as present, and what was known before stands."
    ]


def test_two_dorms_at_once_are_a_contradiction(connection: duckdb.DuckDBPyConnection) -> None:
    told = explained(
        connection,
        students=[AMY],
        dorms=[DORM, {"id": 101, "description": "South House"}],
        dorm_students=[{"id": number, "student_id": 1, "dorm_id": 93 + number} for number in (7, 8)],
    )[1]["boarder"]
    assert told == [
        "A boarder: enrolled in 2 dorms; dorm 101 is taken. Rule: the setting boarder_rule = dorm.",
        "Veracross says two things at once, for a person to mend there: two dorms (dorm enrolment 7, 8).",
    ]


def test_who_waits_for_a_person_is_told_with_the_candidates(connection: duckdb.DuckDBPyConnection) -> None:
    told = explained(connection, students=[AMY], orah_students=[RECORD, {**RECORD, "id": 502}])[1]["match"]
    (sentence,) = told
    assert sentence.startswith("Linked to no record; waits for a person: ")
    assert "Candidates in Orah: 501 with " in sentence
    assert ", 502 with " in sentence


def test_who_is_nobody_in_orah_is_told_by_the_evidence_or_by_a_person(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    other = {"id": 2, "first_name": "Bo", "last_name": "Quill"}
    told = explained(connection, students=[AMY, other], rulings=Rulings(new={2: READ_AT}))
    assert told[1]["match"] == ["Linked to no record: nobody in Orah could be this student."]
    assert told[2]["match"] == [
        "Linked to no record: on 2026-11-23 07:00 UTC a person said that nobody in Orah is this student."
    ]


def test_a_link_in_doubt_says_what_speaks_against_it(connection: duckdb.DuckDBPyConnection) -> None:
    explained(connection, students=[AMY], orah_students=[{**RECORD, "sis_id": "1"}])
    told = explained(connection, orah_students=[{**RECORD, "sis_id": "77"}])[1]["match"]
    assert told[0].startswith("Linked to Orah 501")
    assert told[1].startswith("In doubt: the linked record in Orah carries another sis_id now. ")


def test_adults_are_told_for_the_student_and_for_themselves(connection: duckdb.DuckDBPyConnection) -> None:
    told = explained(
        connection,
        students=[AMY, {**AMY, "id": 2, "exit_date": "2026-06-15"}],
        parents=[{"id": number, "last_name": "Stone"} for number in (8, 9, 10)],
        relationships=[
            {"id": 1, "person_id": 1, "related_person_id": 8, "relationship": 1, "legal_custody": True},
            {
                "id": 2,
                "person_id": 1,
                "related_person_id": 9,
                "relationship": 2,
                "custody_status": "No Custody",
            },
            {"id": 3, "person_id": 2, "related_person_id": 8, "relationship": 1, "legal_custody": True},
        ],
    )
    assert told[1]["contacts"] == [
        "Parent 8 (Mother): may stand there in Orah; legal custody is set.",
        "Parent 9 (Father): must not stand there in Orah, and is taken away at once; "
        "custody has ended: the custody status says so.",
    ]
    assert told[8]["contacts"] == [
        "Beside student 1 (Mother): may stand there in Orah; legal custody is set.",
        "Beside student 2 (Mother): not brought to Orah, because the student is not; legal custody is set.",
    ]
    assert told[8]["scope"] == [
        "May be a contact in Orah: stands beside a student who is synced, with the right to it."
    ]
    assert told[9]["scope"] == [
        "Not brought to Orah as a contact: may not stand beside any of their students."
    ]
    assert told[10] == {
        "veracross": ["Listed as a parent."],
        "scope": ["Not brought to Orah as a contact: stands beside no student."],
    }


def test_a_parents_contact_in_orah_is_told_by_its_rule_or_as_a_question(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    anas = {"first_name": "Ana", "last_name": "Roy", "email": ANA["email_1"]}
    bens = {"first_name": "Ben", "last_name": "Roy"}
    contacts = [contact(900, 501, **anas), contact(901, 501, **bens), contact(902, 501, **bens)]
    other = {"id": 12, "first_name": "Cy", "last_name": "Roy"}
    relationships = [related(1, 10), related(1, 11), related(1, 12)]
    family(connection, relationships, contacts, parents=(ANA, BEN, other))
    match(connection)
    connection.execute("DROP TABLE matching.student_links")
    with transaction(connection):
        told = explanations(connection)
    assert told[10]["match"] == ["As a contact linked to Orah 900 by e-mail and name."]
    assert told[11]["match"] == [
        "As a contact linked to none, and waits for a person: "
        "more than one contact in Orah fits this person (contacts in Orah: 901, 902)."
    ]
    assert told[12]["match"] == ["As a contact linked to none in Orah."]


def test_staff_are_told_what_keeps_them_from_orah(connection: duckdb.DuckDBPyConnection) -> None:
    told = explained(
        connection,
        staff_faculty=[
            {"id": 5, "email_1": "five@s.example.edu", "roles": "Faculty", "date_hired": "2020-08-01"},
            {"id": 6},
            {"id": 7, "email_1": "seven@s.example.edu", "date_terminated": "2026-01-31"},
        ],
    )
    assert told[5]["veracross"] == [
        "Listed as staff or faculty.",
        "Roles as staff: Faculty; hired on 2020-08-01; no termination date.",
    ]
    assert [told[number]["scope"] for number in (5, 6, 7)] == [
        ["Staff go to Orah by a file for its import: it has no route to write them."],
        ["Staff, but set aside: no e-mail; Orah knows staff by e-mail."],
        ["Not among today's staff."],
    ]


def test_who_is_several_things_is_told_as_each(connection: duckdb.DuckDBPyConnection) -> None:
    told = explained(connection, students=[AMY], staff_faculty=[{"id": 1}], parents=[{"id": 1}])[1]
    assert told["veracross"][:3] == [
        "Listed as a student.",
        "Listed as staff or faculty.",
        "Listed as a parent.",
    ]
    assert [topic for topic in TOPICS if topic in told] == list(told)


def test_a_table_that_was_never_built_takes_only_its_own_sentences(
    connection: duckdb.DuckDBPyConnection, caplog: pytest.LogCaptureFixture
) -> None:
    explained(connection, students=[AMY], staff_faculty=[{"id": 5}])
    connection.execute("DROP TABLE roster.staff")
    with transaction(connection):
        told = explanations(connection)
        connection.execute("CREATE TABLE roster.staff (person_id BIGINT)")
    assert told[1]["scope"] == ["Brought to Orah: a current student."]
    assert set(told[5]) == {"veracross"}
    assert "scope: staff" in caplog.text


def test_the_journal_keeps_the_newest_plans_explanations_and_no_others(journal: Journal) -> None:
    assert explained_at(journal, "north") is None
    record_explanations(journal, "north", {1: {"scope": ["Old."]}, 2: {"scope": ["Gone."]}}, READ_AT)
    record_explanations(journal, "south", {1: {"scope": ["Elsewhere."]}}, READ_AT)
    later = READ_AT + timedelta(days=1)
    record_explanations(journal, "north", {1: {"veracross": ["a", "b"], "scope": ["New."]}}, later)
    found = get_explanation(journal, "north", 1)
    assert found is not None
    assert (found.at, found.told) == (later, {"veracross": ["a", "b"], "scope": ["New."]})
    assert get_explanation(journal, "north", 2) is None
    elsewhere = get_explanation(journal, "south", 1)
    assert elsewhere is not None
    assert elsewhere.told == {"scope": ["Elsewhere."]}
    assert explained_at(journal, "north") == later
    assert get_explanation(journal, "north", 10**30) is None
    record_explanations(journal, "north", {}, later)
    assert explained_at(journal, "north") is None
