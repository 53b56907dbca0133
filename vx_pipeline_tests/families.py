"""A family in a few rows: students with records in Orah, parents, and the contacts that Orah has of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb

from vx_pipeline.matching.contacts import match_contacts
from vx_pipeline.matching.rulings import Rulings
from vx_pipeline.orah.collections import CONTACTS
from vx_pipeline.policies import Policies
from vx_pipeline.roster.derive import build
from vx_pipeline.sync.contact_reading import Answers, known_ties, prepare, store
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.world import READ_AT, TODAY, land_rows, rows, school

Row = dict[str, Any]

ANA = {"id": 10, "first_name": "Ana", "last_name": "Roy", "email_1": "ana@example.org"}
BEN = {
    "id": 11,
    "first_name": "Benjamin",
    "preferred_name": "Ben",
    "last_name": "Roy",
    "email_1": "ben@example.org",
}
STUDENTS = (1, 2, 3)
RECORDS = {1: 501, 2: 502}
"""The records in Orah of the students who have one."""


def related(student: int, parent: int, **flags: Any) -> Row:
    """A relationship with custody, unless it is said otherwise."""
    return {
        "id": 1000 * student + parent,
        "person_id": student,
        "related_person_id": parent,
        "relationship": 1,
        "resident": False,
        "legal_custody": True,
        "parent_portal_access": False,
        "emergency": False,
        **flags,
    }


def contact(number: int, *students: int, **fields: Any) -> Row:
    """A contact in Orah of these students of Orah."""
    empty = {field.name: None for field in CONTACTS.fields}
    return {**empty, "id": number, "students": [{"id": one, "sis_id": None} for one in students], **fields}


def family(
    connection: duckdb.DuckDBPyConnection,
    relationships: Sequence[Row],
    contacts: Sequence[Row] = (),
    *,
    parents: Sequence[Mapping[str, Any]] = (ANA, BEN),
    night: int = 0,
    **tables: Sequence[Mapping[str, Any]],
) -> None:
    """One night at the family: what Veracross says, and what every linked student's contacts are in Orah."""
    read_at = READ_AT + timedelta(days=night)
    if not night:
        students = [{"id": one, "first_name": f"S{one}", "last_name": "Roy"} for one in STUDENTS]
        records = [{"id": one, "first_name": "S", "last_name": "Roy"} for one in RECORDS.values()]
        school(connection, **{"students": students, "parents": parents, "orah_students": records, **tables})
        links(connection)
    land_rows(connection, "relationships", *relationships, read_at=read_at)
    for table in ("leavers", "students", "contacts"):
        with transaction(connection):
            build(connection, table, Policies(), TODAY)
    read(connection, contacts, read_at)


def links(connection: duckdb.DuckDBPyConnection, contested: Collection[int] = ()) -> None:
    """The students' links, as matching leaves them."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    connection.execute(
        "CREATE OR REPLACE TABLE matching.student_links "
        "(veracross_id BIGINT, orah_id BIGINT, rule VARCHAR, contested VARCHAR)"
    )
    for student, record in RECORDS.items():
        why = "in doubt" if student in contested else None
        connection.execute(
            "INSERT INTO matching.student_links VALUES (?, ?, 'sis_id', ?)", [student, record, why]
        )


def read(
    connection: duckdb.DuckDBPyConnection,
    contacts: Sequence[Row],
    read_at: datetime = READ_AT,
    failed: Collection[int] = (),
) -> None:
    """Lands what Orah says of the contacts of all linked students, but for those whose read failed."""
    answers = Answers(failed=dict.fromkeys(failed, "in vain"))
    answers.read = set(RECORDS.values()) - set(failed)
    for one in contacts:
        whose = {student["id"] for student in one["students"]} & answers.read
        if whose:
            answers.contacts[one["id"]] = one
            answers.came_for[one["id"]] = whose
    with transaction(connection):
        prepare(connection)
        ties = known_ties(connection)
    store(connection, answers, asked=dict.fromkeys(RECORDS.values(), "hash"), ties=ties, read_at=read_at)


def match(
    connection: duckdb.DuckDBPyConnection,
    written: Mapping[int, int] | None = None,
    rulings: Rulings = Rulings(),  # noqa: B008 - frozen
) -> dict[int, tuple[int, str]]:
    """Matches the contacts; the links by person."""
    with transaction(connection):
        match_contacts(connection, written=written or {}, rulings=rulings)
    found = rows(connection, "FROM matching.contact_links")
    return {link["person_id"]: (link["orah_id"], link["rule"]) for link in found}


def questions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[int, int], str]:
    """The questions that are left, by person and contact."""
    found = rows(connection, "FROM matching.contact_questions")
    return {(one["person_id"], one["orah_id"]): one["why"] for one in found}
