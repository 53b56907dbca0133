"""The days around both clock changes, at schools in the east, the middle and the south; on a host of any zone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from vx_pipeline.attendance.absences import Away, Places
from vx_pipeline.attendance.days import Days, days_away
from vx_pipeline.attendance.missed import Meeting, next_due, student_meetings
from vx_pipeline.attendance.periods import periods_away
from vx_pipeline.attendance.wanted import wanted_marks
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.orah.assumed import Pass
from vx_pipeline_tests.world import link, open_school, school

POLICY = AttendancePolicy(daily_resets=(time(7, 30),))
HOME = [{"id": 3, "name": "Home", "state": "home"}]

CHANGES = [
    ("America/New_York", date(2026, 3, 8), -1),
    ("America/New_York", date(2026, 11, 1), 1),
    ("Europe/London", date(2026, 3, 29), -1),
    ("Europe/London", date(2026, 10, 25), 1),
    ("Australia/Sydney", date(2026, 10, 4), -1),
    ("Australia/Sydney", date(2026, 4, 5), 1),
]
"""Zone, Sunday, and by how many hours the weekend is longer."""

HOSTS = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_school(tmp_path) as opened:
        link(opened, {1: 501})
        yield opened


def lessons(connection: duckdb.DuckDBPyConnection, zone: ZoneInfo, sunday: date) -> list[Meeting]:
    """Eight to half past nine, and eleven to noon, from Friday to Tuesday."""
    days = [sunday + timedelta(days=number) for number in range(-2, 3)]
    blocks = (("08:00", "09:30"), ("11:00", "12:00"))
    school(
        connection,
        classes=[{"id": 40}],
        enrollments=[{"id": 9, "internal_class_id": 40, "person_id": 1}],
        meeting_times=[
            {
                "id": number * 10 + block,
                "internal_class_id": 40,
                "date": day.isoformat(),
                "start_time": f"{day}T{first}:00",
                "end_time": f"{day}T{last}:00",
                "block__id": block,
            }
            for number, day in enumerate(days)
            for block, (first, last) in enumerate(blocks, start=1)
        ],
    )
    return student_meetings(connection, first=days[0], last=days[-1], zone=zone)


def local(day: date, hour: int, minute: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)


def clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %H:%M}"


def said(
    periods: list[Away], meetings: list[Meeting], zone: ZoneInfo, now: datetime
) -> list[tuple[str, str]]:
    found = wanted_marks(periods, [], meetings, now=now, policy=POLICY)
    starts = sorted((one.meeting.starts_at, one.outcome.value) for one in found)
    return [(clock(moment, zone), outcome) for moment, outcome in starts]


@pytest.mark.parametrize(("key", "sunday", "longer"), CHANGES)
@pytest.mark.parametrize("host", HOSTS)
def test_lessons_are_at_their_time_on_the_schools_clock(
    connection: duckdb.DuckDBPyConnection, key: str, sunday: date, longer: int, host: str
) -> None:
    zone = ZoneInfo(key)
    connection.execute(f"SET TimeZone = '{host}'")
    found = lessons(connection, zone, sunday)
    assert [clock(one.starts_at, zone) for one in sorted(found, key=lambda one: one.starts_at)] == [
        f"{day} {hour}" for day in ("Fri", "Sat", "Sun", "Mon", "Tue") for hour in ("08:00", "11:00")
    ]
    assert {one.ends_at - one.starts_at for one in found} == {timedelta(minutes=90), timedelta(minutes=60)}
    first = sorted(one.starts_at for one in found)[::2]
    assert [later - earlier for earlier, later in pairwise(first)] == [
        timedelta(days=1),
        timedelta(days=1, hours=longer),
        timedelta(days=1),
        timedelta(days=1),
    ]


@pytest.mark.parametrize(("key", "sunday", "longer"), CHANGES)
def test_a_weekend_pass_covers_just_its_lessons(
    connection: duckdb.DuckDBPyConnection, key: str, sunday: date, longer: int
) -> None:
    zone = ZoneInfo(key)
    meetings = lessons(connection, zone, sunday)
    friday, monday = sunday - timedelta(days=2), sunday + timedelta(days=1)
    start, end = local(friday, 10, 0, zone), local(monday, 8, 15, zone)
    on_pass = Pass(1, 501, "Ended", True, start, end, "Weekend", None)
    periods = periods_away([], [on_pass], Places.of(HOME, POLICY, zone))
    (period,) = periods
    assert period.end is not None
    assert period.end - period.start == timedelta(hours=70.25 + longer)
    marks = [
        ("Fri 11:00", "absent"),
        ("Sat 08:00", "absent"),
        ("Sat 11:00", "absent"),
        ("Sun 08:00", "absent"),
        ("Sun 11:00", "absent"),
        ("Mon 08:00", "late"),
    ]
    assert said(periods, meetings, zone, local(monday, 20, 0, zone)) == marks
    assert said(periods, meetings, zone, local(sunday, 8, 44, zone)) == marks[:3]
    assert said(periods, meetings, zone, local(sunday, 8, 45, zone)) == marks[:4]
    # Looked at in the night of the change, on either side of it.
    for night in (local(sunday, 0, 30, zone), local(sunday, 4, 30, zone)):
        due = next_due(periods, meetings, now=night, absent_share=POLICY.absent_share)
        assert due == {501: local(sunday, 8, 45, zone)}
    days = Days(friday - timedelta(days=3), monday + timedelta(days=3))
    assert days_away(periods, days=days, zone=zone) == {
        501: tuple(friday + timedelta(days=number) for number in range(4))
    }


@pytest.mark.parametrize(("key", "sunday", "longer"), CHANGES)
def test_a_reset_on_the_day_of_the_change_ends_what_no_pass_covers(
    connection: duckdb.DuckDBPyConnection, key: str, sunday: date, longer: int
) -> None:
    zone = ZoneInfo(key)
    meetings = lessons(connection, zone, sunday)
    moves = [
        {
            "id": number,
            "type": "in",
            "record_time": moment.isoformat(),
            "location": {"id": place},
            "student": {"id": 501},
        }
        for number, (moment, place) in enumerate(
            [(local(sunday - timedelta(days=1), 10, 0, zone), 3), (local(sunday, 7, 30, zone), 3)], start=1
        )
    ]
    periods = periods_away(moves, [], Places.of(HOME, POLICY, zone))
    (period,) = periods
    assert period.end is not None
    assert period.end - period.start == timedelta(hours=21.5 + longer)
    assert said(periods, meetings, zone, local(sunday, 20, 0, zone)) == [("Sat 11:00", "absent")]


_ONE_SCHOOL = """
import sys
from pathlib import Path
from zoneinfo import ZoneInfo
from vx_pipeline_tests.attendance.test_clock_changes import CHANGES, lessons
from vx_pipeline_tests.world import open_school

for key, sunday, _ in CHANGES[:2]:
    with open_school(Path(sys.argv[1])) as opened:
        opened.execute("CREATE SCHEMA matching")
        opened.execute("CREATE TABLE matching.student_links AS SELECT 1 veracross_id, 501 orah_id, NULL contested")
        for one in lessons(opened, ZoneInfo(key), sunday):
            print(one.starts_at.isoformat(), one.ends_at.isoformat(), one.date, one.block_id)
"""


def test_the_zone_of_the_host_changes_nothing(tmp_path: Path) -> None:
    """In processes of their own, because DuckDB and Python look at the host's zone as they begin."""
    running = []
    for host in ("America/Los_Angeles", "Pacific/Kiritimati"):
        home = tmp_path / host.replace("/", "-")
        home.mkdir()
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", _ONE_SCHOOL, str(home)],
                env={**os.environ, "TZ": host},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    found = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert found[0].count("\n") == 2 * 10
    assert found[0] == found[1]
