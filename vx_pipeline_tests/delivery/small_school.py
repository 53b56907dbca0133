"""A small school with everything that a delivery holds; the people in it are made up."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from vx_pipeline.delivery.collect import collect
from vx_pipeline.delivery.import_files import ImportFiles
from vx_pipeline.delivery.rows import Delivery
from vx_pipeline.matching.match import match_students
from vx_pipeline.policies import Policies
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.world import READ_AT, build_roster, school

Tables = Mapping[str, Sequence[Mapping[str, Any]]]

SMALL: Tables = {
    "students": [
        {
            "id": 1,
            "first_name": "Amelia",
            "preferred_name": "Amy",
            "last_name": "Stone",
            "email_1": "amy@s.example.edu",
            "birthday": "2010-05-04",
        },
        {"id": 2, "first_name": "Thomas", "last_name": "Reed"},
        {"id": 3, "first_name": "Olga", "last_name": "Past", "roles": "Alumni"},
    ],
    "contact_info": [
        {"id": 1, "mobile_phone": "+1 555 0101", "home_phone": "555-0102"},
        {"id": 10, "mobile_phone": "555-0110"},
    ],
    "parents": [
        {"id": 10, "first_name": "Ana", "last_name": "Stone", "email_1": "ana@example.org"},
        {"id": 11, "first_name": "Ben", "last_name": "Stone"},
    ],
    "relationships": [
        {"id": 1, "person_id": 1, "related_person_id": 11, "relationship": 2, "legal_custody": True},
        {
            "id": 2,
            "person_id": 1,
            "related_person_id": 10,
            "relationship": 1,
            "legal_custody": True,
            "resident": True,
        },
    ],
    "dorms": [{"id": 100, "description": "North House"}],
    "dorm_students": [{"id": 1, "student_id": 1, "dorm_id": 100}],
    "staff_faculty": [
        {
            "id": 70,
            "first_name": "Ada",
            "last_name": "Ito",
            "email_1": "Ada@example.org",
            "job_title": "Biologist",
        },
        {"id": 71, "first_name": "Bo", "last_name": "Lund"},
    ],
    "classes": [
        {"id": 200, "description": "Biology", "primary_teacher__id": 70},
        {"id": 201, "description": "Rowing", "primary_teacher__id": 71},
        {"id": 202, "description": "Old Biology", "school_year": 2025},
    ],
    "enrollments": [
        {"id": 1, "internal_class_id": 200, "person_id": 1},
        {"id": 2, "internal_class_id": 200, "person_id": 2},
        {"id": 3, "internal_class_id": 200, "person_id": 3},
    ],
    "athletics_rosters": [{"id": 1, "internal_class_id": 201, "person_id": 2}],
}


def derive_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Builds what a delivery rests on: roster and links."""
    build_roster(connection)
    with transaction(connection):
        match_students(connection, now=READ_AT)


def collected(
    connection: duckdb.DuckDBPyConnection,
    tables: Tables | None = None,
    before: Delivery | None = None,
    policies: Policies | None = None,
) -> Delivery:
    """The delivery of a school after these tables were read anew; a table that is not named stays as it was."""
    school(connection, **(tables or {}))
    derive_all(connection)
    with transaction(connection):
        return collect(connection, policies or Policies(), before)


def import_files(folder: Path, keep: int = 14) -> ImportFiles:
    """A writer whose clock goes on by a minute each time it is asked."""
    made = iter(range(1_000))
    return ImportFiles(
        folder,
        school="north",
        keep=keep,
        now=lambda: datetime(2026, 11, 23, 7, 0, tzinfo=UTC) + timedelta(minutes=next(made)),
    )
