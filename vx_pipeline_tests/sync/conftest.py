"""A school that many tests look at and none changes."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from vx_pipeline_tests.sync.planned import crowd, land_contacts, plan
from vx_pipeline_tests.world import open_school

STUDENTS = 100


@pytest.fixture(scope="session")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of 100 students with records in Orah, and one contact each. For reading only.

    Students 1 to 12 have the class 400, 1 to 4 the class 401; student 100 alone boards.
    """
    with open_school(Path(tmp_path_factory.mktemp("hundred"))) as connection:
        tables = crowd(STUDENTS)
        members = [(400, n) for n in range(1, 13)] + [(401, n) for n in range(1, 5)]
        plan(
            connection,
            **tables,
            classes=[{"id": 400, "description": "Algebra"}, {"id": 401, "description": "Latin"}],
            enrollments=[
                {"id": place, "internal_class_id": group, "person_id": person}
                for place, (group, person) in enumerate(members, start=1)
            ],
        )
        land_contacts(connection, STUDENTS)
        yield connection
