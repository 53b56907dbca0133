"""Which meetings a student belonged in, from landed rows; and when they were, when the clocks change."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from vx_pipeline.attendance.absences import Away
from vx_pipeline.attendance.missed import Meeting, missed_meetings, student_meetings
from vx_pipeline_tests.world import link, open_school, school

ZONE = ZoneInfo("America/New_York")
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
"""The Sundays on which New York's clocks go from 2:00 to 3:00, and from 2:00 back to 1:00."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_school(tmp_path) as opened:
        link(opened, {1: 501})
        yield opened


def meeting(number: int, day: date, start: str, end: str, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "internal_class_id": 40,
        "date": day.isoformat(),
        "start_time": f"{day}T{start}:00",
        "end_time": f"{day}T{end}:00",
        "block__id": 4,
        **values,
    }


def land(connection: duckdb.DuckDBPyConnection, *meetings: dict[str, Any]) -> None:
    """One student in one class with these meetings."""
    school(
        connection,
        classes=[{"id": 40}],
        enrollments=[{"id": 9, "internal_class_id": 40, "person_id": 1}],
        meeting_times=list(meetings),
    )


def found(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> list[Meeting]:
    return student_meetings(connection, first=first, last=last, zone=ZONE)


def utc(day: date, time: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}:00+00:00")


AROUND_THE_CHANGES = [
    (SPRING - timedelta(days=1), ("08:00", "08:55"), "13:00", "13:55"),
    (SPRING, ("01:30", "03:30"), "06:30", "07:30"),
    (SPRING, ("08:00", "08:55"), "12:00", "12:55"),
    (AUTUMN - timedelta(days=1), ("08:00", "08:55"), "12:00", "12:55"),
    (AUTUMN, ("00:30", "02:30"), "04:30", "07:30"),
    (AUTUMN, ("08:00", "08:55"), "13:00", "13:55"),
]
"""Day, local times, and the same in UTC."""


@pytest.mark.parametrize("host_zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_meetings_around_the_days_the_clocks_change(
    connection: duckdb.DuckDBPyConnection, host_zone: str
) -> None:
    connection.execute(f"SET TimeZone = '{host_zone}'")
    land(
        connection,
        *(
            meeting(number, day, *local, block__id=number)
            for number, (day, local, _, _) in enumerate(AROUND_THE_CHANGES, start=1)
        ),
    )
    meetings = found(connection, SPRING - timedelta(days=1), AUTUMN)
    assert [(one.date, one.starts_at, one.ends_at) for one in meetings] == [
        (day, utc(day, starts), utc(day, ends)) for day, _, starts, ends in AROUND_THE_CHANGES
    ]
    assert {(one.student_id, one.orah_id, one.class_id) for one in meetings} == {(1, 501, 40)}


@pytest.mark.parametrize(("day", "start", "end"), [(SPRING, "02:15", "02:45"), (AUTUMN, "01:15", "01:45")])
def test_a_time_that_there_is_not_or_twice_keeps_its_length(
    connection: duckdb.DuckDBPyConnection, day: date, start: str, end: str
) -> None:
    land(connection, meeting(1, day, start, end))
    (one,) = found(connection, day, day)
    assert one.ends_at - one.starts_at == timedelta(minutes=30)


def test_who_left_in_the_hour_that_comes_twice_missed_the_morning(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    land(connection, meeting(1, AUTUMN, "00:00", "00:50"), meeting(2, AUTUMN, "08:00", "08:50", block__id=5))
    away = Away(501, utc(AUTUMN, "05:30"), None)  # 1:30 at night, before the clocks go back
    missed = missed_meetings([away], found(connection, AUTUMN, AUTUMN), now=utc(AUTUMN, "20:00"))
    assert [(one.meeting.block_id, one.share) for one in missed] == [("5", 1.0)]


DAY = date(2026, 11, 18)


def test_only_the_days_that_are_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    days = [DAY + timedelta(days=shift) for shift in range(-2, 3)]
    land(connection, *(meeting(n, day, "08:00", "08:55") for n, day in enumerate(days, start=1)))
    assert [one.date for one in found(connection, days[1], days[3])] == days[1:4]


ENROLMENTS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"late_date_enrolled": "2026-11-18"}, True),
    ({"late_date_enrolled": "2026-11-19"}, False),
    ({"date_withdrawn": "2026-11-19"}, True),
    ({"date_withdrawn": "2026-11-18"}, False),
    ({"date_withdrawn": "2026-12-01", "currently_enrolled": False}, True),
    ({"internal_class_id": 41}, True),
    ({"internal_class_id": 42}, True),
    ({"person_id": 999}, False),
]
"""Enrolments, and whether their student belonged in the meeting of their class."""


def test_who_belongs_in_a_meeting(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "INSERT INTO matching.student_links SELECT n, 500 + n, NULL FROM range(2, 100) AS t(n)"
    )
    school(
        connection,
        classes=[
            {"id": 40},
            {"id": 41, "track_class_attendance": False},
            {"id": 42, "track_class_attendance": None},
        ],
        enrollments=[
            {"id": n, "internal_class_id": 40, "person_id": n, **enrolment}
            for n, (enrolment, _) in enumerate(ENROLMENTS, start=1)
        ],
        meeting_times=[meeting(n, DAY, "08:00", "08:55", internal_class_id=n) for n in (40, 41, 42)],
    )
    belong = [n for n, (_, belongs) in enumerate(ENROLMENTS, start=1) if belongs]
    meetings = found(connection, DAY, DAY)
    assert sorted(one.student_id for one in meetings) == belong
    # A roll may be taken there, but there is nothing to mark.
    assert {one.class_id for one in meetings if not one.is_tracked} == {41}


def test_moments_are_utc_and_aware(connection: duckdb.DuckDBPyConnection) -> None:
    land(connection, meeting(1, DAY, "08:00", "08:55"), meeting(2, DAY, "09:00", "09:00", block__id=5))
    (one,) = found(connection, DAY, DAY)  # a meeting without a length is none
    assert one.starts_at.tzinfo is UTC


def test_only_the_students_that_are_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    land(connection, meeting(1, DAY, "08:00", "08:55"))
    for orah_ids, count in (({501}, 1), ({502}, 0), ((), 0), (None, 1)):
        meetings = student_meetings(connection, first=DAY, last=DAY, zone=ZONE, orah_ids=orah_ids)
        assert len(meetings) == count


def test_a_link_in_doubt_carries_no_marks(connection: duckdb.DuckDBPyConnection) -> None:
    land(connection, meeting(1, AUTUMN, "09:00", "10:00"))
    assert len(found(connection, AUTUMN, AUTUMN)) == 1
    connection.execute("UPDATE matching.student_links SET contested = 'another record carries the sis_id'")
    assert found(connection, AUTUMN, AUTUMN) == []
