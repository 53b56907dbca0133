"""Periods away from movements, and the meetings that they cover."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.attendance.absences import Away, away_locations, periods_away
from vx_pipeline.attendance.days import Days
from vx_pipeline.attendance.missed import Meeting, missed_meetings
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.orah.assumed import parse_moment

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DORM, TOWN, HOME = 1, 2, 3
LOCATIONS = [
    {"id": DORM, "name": "North House", "state": "on_grounds"},
    {"id": TOWN, "name": "Town", "state": "off_grounds"},
    {"id": HOME, "name": "Home", "state": "home"},
    {"id": 4, "name": "Health Centre", "state": "on_grounds"},
]
AWAY = frozenset({TOWN, HOME})


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def move(
    number: int, minutes: int, location: int | None, *, student: int = 7, kind: str = "in"
) -> dict[str, Any]:
    return {
        "id": number,
        "type": kind,
        "record_time": at(minutes).isoformat().replace("+00:00", ".000Z"),
        "location": None if location is None else {"id": location, "name": "x"},
        "student": {"id": student, "sis_id": None},
    }


def test_places_are_away_by_state_or_by_name() -> None:
    assert away_locations(LOCATIONS, AttendancePolicy()) == AWAY
    assert away_locations(LOCATIONS, AttendancePolicy(away_places=("health centre ",))) == AWAY | {4}


@pytest.mark.parametrize(
    ("moves", "periods"),
    [
        ([], []),
        ([move(1, 0, DORM)], []),
        ([move(1, 0, TOWN)], [(0, None)]),
        ([move(1, 0, TOWN), move(2, 30, DORM)], [(0, 30)]),
        ([move(1, 0, TOWN), move(2, 10, HOME), move(3, 30, DORM)], [(0, 30)]),
        ([move(1, 0, TOWN), move(2, 10, TOWN, kind="out"), move(3, 30, DORM)], [(0, 10)]),
        ([move(1, 0, TOWN), move(2, 10, TOWN, kind="out"), move(3, 10, HOME)], [(0, 10), (10, None)]),
        ([move(1, 0, TOWN), move(2, 10, HOME), move(3, 10, TOWN, kind="out")], [(0, None)]),
        ([move(1, 0, TOWN), move(2, 10, HOME), move(3, 20, HOME, kind="out")], [(0, 20)]),
        ([move(1, 0, TOWN), move(2, 1, DORM, kind="out")], [(0, None)]),
        ([move(1, 0, TOWN), move(2, 10, None), move(3, 30, DORM)], [(0, 10)]),
        ([move(1, 0, TOWN), move(2, 10, None, kind="out")], [(0, 10)]),
        ([move(1, 0, TOWN), move(2, 10, None), move(3, 30, HOME)], [(0, 10), (30, None)]),
        ([move(1, 0, TOWN, kind="out"), move(2, 10, None, kind="out")], []),
        ([move(1, 0, TOWN), move(2, 10, None, kind="seen")], [(0, None)]),
        ([move(1, 0, TOWN), move(2, 5, DORM), move(3, 9, HOME)], [(0, 5), (9, None)]),
        ([move(2, 0, DORM), move(1, 0, TOWN)], []),
    ],
)
def test_what_begins_and_what_ends_a_period(
    moves: list[dict[str, Any]], periods: list[tuple[int, int | None]]
) -> None:
    expected = [Away(7, at(first), None if last is None else at(last)) for first, last in periods]
    assert periods_away(moves, AWAY) == expected


movements = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.sampled_from([None, DORM, TOWN, HOME]),
        st.integers(1, 3),
        st.sampled_from(["in", "out"]),
    ),
    max_size=30,
)


@given(movements, st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing_and_periods_are_apart(
    given_moves: list[tuple[int, int | None, int, str]], shuffler: random.Random
) -> None:
    records = [
        move(number, minutes, location, student=student, kind=kind)
        for number, (minutes, location, student, kind) in enumerate(given_moves, start=1)
    ]
    periods = periods_away(records, AWAY)
    shuffler.shuffle(records)
    assert periods_away(records, AWAY) == periods
    for student in (1, 2, 3):
        own = [period for period in periods if period.orah_id == student]
        for earlier, later in pairwise(own):
            assert earlier.end is not None
            assert earlier.start < earlier.end <= later.start


def meeting(first: int, last: int, *, orah_id: int = 7) -> Meeting:
    return Meeting(200, date(2026, 11, 23), "4", 1, orah_id, at(first), at(last))


@pytest.mark.parametrize(
    ("period", "now", "share"),
    [
        ((0, 60), 90, 1.0),
        ((30, 60), 90, 0.5),
        ((31, 60), 90, None),
        ((-50, 30), 90, 0.5),
        ((70, 90), 90, None),
        ((0, None), 90, 1.0),
        ((0, None), 20, None),
        ((0, None), 30, 0.5),
        ((0, 60), -5, None),
    ],
)
def test_a_meeting_is_missed_by_its_share_and_never_in_advance(
    period: tuple[int, int | None], now: int, share: float | None
) -> None:
    away = Away(7, at(period[0]), None if period[1] is None else at(period[1]))
    found = missed_meetings([away], [meeting(0, 60)], now=at(now), least_share=0.5)
    assert [one.share for one in found] == ([] if share is None else [share])


def test_two_short_absences_add_up_and_other_students_do_not_count() -> None:
    periods = [Away(7, at(0), at(20)), Away(7, at(40), at(60)), Away(8, at(0), at(60))]
    (found,) = missed_meetings(periods, [meeting(0, 60)], now=at(90), least_share=0.5)
    assert found.share == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T08:00:00.000Z", START),
        ("2026-11-23T03:00:00-05:00", START),
        ("2026-11-23T08:00:00", START),
    ],
)
def test_moments_are_read_as_utc(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    ("first", "expected"),
    [(None, 23), (date(2026, 11, 20), 20), (date(2026, 11, 1), 16), (date(2026, 12, 1), 23)],
)
def test_a_push_stays_inside_the_edit_window(first: date | None, expected: int) -> None:
    days = Days.within_window(first, today=date(2026, 11, 23), days_back=7)
    assert days == Days(date(2026, 11, expected), date(2026, 11, 23))
