from datetime import date
from typing import Any

import duckdb
import pytest

from vx_pipeline.errors import WarehouseError
from vx_pipeline.schema import Collection, Field, Kind, ValueList
from vx_pipeline.warehouse.landing import land
from vx_pipeline.warehouse.parents import attended_classes, dorm_ids, meeting_classes
from vx_pipeline_tests.warehouse.people import moment

ID = Field(("id",), Kind.ID, used=True)
DORMS = Collection(
    "veracross",
    "dorms",
    (
        ID,
        Field(("school_year",), Kind.CODE),
        Field(("begin_date",), Kind.DATE),
        Field(("end_date",), Kind.DATE),
    ),
)
CLASSES = Collection(
    "veracross",
    "classes",
    (
        ID,
        Field(("status",), Kind.CODE),
        Field(("school_year",), Kind.CODE),
        Field(("track_class_attendance",), Kind.FLAG),
    ),
)
MEETINGS = Collection(
    "veracross",
    "meeting_times",
    (ID, Field(("internal_class_id",), Kind.ID, used=True), Field(("date",), Kind.DATE, used=True)),
)
STATUSES = ValueList(("status",), [{"id": 1, "description": "Active"}, {"id": 2, "description": "Cancelled"}])
WEEK = {"first": date(2026, 9, 7), "last": date(2026, 9, 13)}

Connection = duckdb.DuckDBPyConnection


def dorm(identity: int, year: int, begin: str | None, end: str | None) -> dict[str, Any]:
    return {"id": identity, "school_year": year, "begin_date": begin, "end_date": end}


def school_class(
    identity: int, year: int = 2026, status: int | None = 1, track: bool | None = True
) -> dict[str, Any]:
    return {"id": identity, "school_year": year, "status": status, "track_class_attendance": track}


def land_dorms(connection: Connection, *dorms: dict[str, Any], reads: int = 0) -> None:
    land(connection, DORMS, dorms, read_at=moment(reads))


def land_classes(connection: Connection, *classes: dict[str, Any], reads: int = 0) -> None:
    land(connection, CLASSES, classes, read_at=moment(reads), value_lists=[STATUSES])


def ask(connection: Connection) -> list[int]:
    return meeting_classes(connection, **WEEK, inactive_labels={"cancelled", "Future"})


def test_dorms_of_every_year_but_missing_ones(connection: Connection) -> None:
    land_dorms(connection, dorm(3, 2025, None, None), dorm(2, 2026, None, None), dorm(1, 2027, None, None))
    land_dorms(connection, dorm(1, 2027, None, None), dorm(3, 2025, None, None), reads=1)
    assert dorm_ids(connection) == [1, 3]


def test_only_running_classes_and_the_unknown_are_asked(connection: Connection) -> None:
    land_dorms(connection, dorm(1, 2026, "2026-08-20", "2027-06-10"))
    classes = [
        school_class(1),
        school_class(2, status=2),
        school_class(3, status=99),
        school_class(4, status=None),
        school_class(5),
    ]
    land_classes(connection, *classes)
    land_classes(connection, *classes[:-1], reads=1)
    assert ask(connection) == [1, 3, 4]


@pytest.mark.parametrize(
    ("dorms", "asked"),
    [
        ([(2025, "2025-08-20", "2026-06-10"), (2026, "2026-08-20", "2027-06-10")], [2026]),
        ([(2025, "2025-08-20", "2026-09-07"), (2026, "2026-09-13", None)], [2025, 2026]),
        ([(2025, "2025-08-20", "2026-09-06"), (2026, "2026-09-14", None)], []),
        ([(2026, None, "2027-06-10"), (2027, None, None)], [2026]),
        ([(2026, None, None), (2027, None, None)], [2025, 2026, 2027]),
    ],
)
def test_the_years_of_dorms_that_are_open_decide(
    connection: Connection, dorms: list[tuple[int, str | None, str | None]], asked: list[int]
) -> None:
    land_dorms(connection, *(dorm(number, *given) for number, given in enumerate(dorms, start=1)))
    land_classes(connection, *(school_class(year, year) for year in (2025, 2026, 2027)))
    assert ask(connection) == asked


def test_attendance_is_asked_where_a_listed_class_meets_in_the_period(connection: Connection) -> None:
    classes = [*(school_class(number) for number in (1, 2, 3, 4)), school_class(5, track=False)]
    land_classes(connection, *classes, school_class(6, track=None))
    land_classes(
        connection, *(one for one in classes if one["id"] != 4), school_class(6, track=None), reads=1
    )
    days = [(1, "2026-09-07"), (1, "2026-09-08"), (2, "2026-09-06"), (3, "2026-09-13"), (4, "2026-09-08")]
    days += [(5, "2026-09-08"), (6, "2026-09-08")]
    meetings = [{"id": n, "internal_class_id": c, "date": day} for n, (c, day) in enumerate(days, start=1)]
    land(connection, MEETINGS, meetings, read_at=moment())
    assert attended_classes(connection, **WEEK) == [1, 3, 6]
    land(connection, MEETINGS, meetings[:3], read_at=moment(1))
    assert attended_classes(connection, **WEEK) == [1]


def test_asking_before_the_parents_were_read(connection: Connection) -> None:
    with pytest.raises(WarehouseError, match="have not been read yet"):
        dorm_ids(connection)
