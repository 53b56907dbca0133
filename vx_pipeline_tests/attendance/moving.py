"""Movements and passes of a student, by the minute, for the tests of what follows from them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st

from vx_pipeline.attendance.absences import Places
from vx_pipeline.attendance.missed import Meeting
from vx_pipeline.orah.assumed import Pass

often = settings(max_examples=100, deadline=None)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
RESET = 240
"""The minute of the daily reset."""

DORM, TOWN, HOME = 1, 2, 3
LOCATIONS: list[dict[str, Any]] = [
    {"id": DORM, "name": "North House", "state": "on_grounds"},
    {"id": TOWN, "name": "Town", "state": "off_grounds"},
    {"id": HOME, "name": "Home", "state": "home"},
    {"id": 4, "name": "Health Centre", "state": "on_grounds"},
]
PLACES = Places({TOWN: "Town", HOME: "Home"}, (time(12),), ZoneInfo("UTC"))


def at(minutes: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


def move(
    number: int,
    minutes: float,
    location: int | None,
    *,
    student: int = 7,
    kind: str = "in",
    of_pass: int | None = None,
) -> dict[str, Any]:
    """A location record."""
    named = {} if of_pass is None else {"leave": {"id": of_pass}}
    return {
        "id": number,
        "type": kind,
        "record_time": at(minutes).isoformat().replace("+00:00", "Z"),
        "location": None if location is None else {"id": location, "name": "x"},
        "student": {"id": student, "sis_id": None},
        **named,
    }


def leave(
    number: int,
    first: float,
    last: float | None,
    *,
    student: int = 7,
    counts: bool = True,
    kind: str = "Day Leave",
    status: str = "Ended",
    place: int | None = None,
) -> Pass:
    """A pass, which is over where nothing else is said."""
    status = status if counts else "Scheduled"
    end = None if last is None else at(last)
    named = None if place is None else "x"
    return Pass(number, student, status, counts, at(first), end, kind, named, place)


def meeting(first: float, last: float, *, orah_id: int = 7, class_id: int = 200, block: str = "4") -> Meeting:
    """A class meeting of one student."""
    return Meeting(class_id, date(2026, 11, 23), block, orah_id - 6, orah_id, at(first), at(last))


# Few different minutes, so that things often happen at once; one of them is the reset's.
minutes = st.sampled_from([0, 10, 20, 30, 45, 60, 90, 120, 180, RESET, 241, 300])
moves = st.lists(
    st.builds(
        lambda when, place, student, kind: (when, place, student, kind),
        minutes,
        st.sampled_from([None, DORM, TOWN, HOME]),
        st.sampled_from([7, 7, 7, 8]),
        st.sampled_from(["in", "in", "out"]),
    ),
    max_size=10,
).map(
    lambda found: [
        move(number, when, place, student=student, kind=kind)
        for number, (when, place, student, kind) in enumerate(found, start=1)
    ]
)
passes = st.lists(
    st.tuples(
        minutes,
        st.none() | minutes,
        st.sampled_from([7, 7, 7, 8]),
        st.booleans(),
        st.sampled_from(["Day Leave", "Weekend"]),
    ),
    max_size=4,
).map(
    lambda found: [
        leave(number, first, last, student=student, counts=counts, kind=kind)
        for number, (first, last, student, counts, kind) in enumerate(found, start=1)
        if last is None or first <= last
    ]
)
