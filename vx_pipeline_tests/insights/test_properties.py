"""Insights and alerts against a plain reading of their rules, for any marks at all."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vx_pipeline.attendance_policy import AlertRule, InsightsPolicy
from vx_pipeline_tests.insights.marks import (
    STATUSES,
    Connection,
    Row,
    build,
    insight,
    land_marks,
    mark,
    students,
)
from vx_pipeline_tests.world import TODAY, open_school

STUDENTS = (1, 2)
HOURS = ("08:00", "09:00", "13:00")
YEAR_START = date(2026, 9, 1)

marks = st.lists(
    st.tuples(
        st.sampled_from(STUDENTS),
        st.integers(-1, 70),
        st.sampled_from(HOURS),
        st.sampled_from((None, 10, 20)),
        st.sampled_from([*STATUSES]),
    ),
    max_size=40,
)
"""Student, days before today, hour, class, kind."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    folder: Path = tmp_path_factory.mktemp("school")
    with open_school(folder) as connection:
        students(connection, *STUDENTS)
        yield connection


def rows_of(drawn: Sequence[tuple[int, int, str, int | None, str]]) -> list[Row]:
    return [
        mark(number, student, TODAY - timedelta(days=back), kind, at=hour, class_id=class_id)
        for number, (student, back, hour, class_id, kind) in enumerate(drawn, start=1)
    ]


def newest(rows: Sequence[Row]) -> list[Row]:
    """Of several rows of one student in one class meeting, the last."""
    place = ("student_id", "start_time", "internal_class_id")
    return [*{tuple(row[name] for name in place): row for row in rows}.values()]


def kind_of(row: Row) -> str:
    return next(kind for kind, (code, _) in STATUSES.items() if code == row["status"])


def in_order(rows: Sequence[Row], student: int, first: date, last: date, now: datetime) -> list[Row]:
    """A student's meetings of some days that have begun, one after the other."""
    held = [
        row
        for row in rows
        if row["student_id"] == student
        and first <= date.fromisoformat(row["attendance_date"]) <= last
        and datetime.fromisoformat(row["start_time"]) <= now
    ]
    return sorted(
        held,
        key=lambda row: (
            row["start_time"],
            row["internal_class_id"] is None,
            row["internal_class_id"] or 0,
            # Codes are text.
            str(row["block"]["id"]),
            kind_of(row),
        ),
    )


THERE, ABSENT = {"present", "late"}, {"excused", "unexcused", "no_reason"}


def rate_of(rows: Sequence[Row]) -> float | None:
    kinds = [kind_of(row) for row in rows]
    there = sum(kind in THERE for kind in kinds)
    counted = there + sum(kind in ABSENT for kind in kinds)
    return there / counted if counted else None


def runs_of(rows: Sequence[Row]) -> list[tuple[bool, int]]:
    """Whether each run of meetings that count was missed, and how long it is."""
    missed = [kind_of(row) in ABSENT for row in rows if kind_of(row) in THERE | ABSENT]
    return [(key, len([*found])) for key, found in groupby(missed)]


def expected(
    rows: Sequence[Row], student: int, as_of: date, now: datetime, starts: Sequence[date], window: str
) -> dict[str, Any]:
    """What the row of a student and window must say, worked out step by step."""
    begun = sorted(start for start in starts if start <= as_of)
    term = begun[-1] if begun else YEAR_START
    before: tuple[date, date] | None
    if window == "term":
        first = term
        before = (begun[-2], term - timedelta(days=1)) if len(begun) > 1 else None
    else:
        length = timedelta(days=int(window.partition("_")[0]))
        first = as_of - length + timedelta(days=1)
        before = (first - length, first - timedelta(days=1))
    held = in_order(rows, student, first, as_of, now)
    kinds = [kind_of(row) for row in held]
    missed = [row for row in held if kind_of(row) in ABSENT]
    rate_before = rate_of(in_order(rows, student, *before, now)) if before else None
    rate = rate_of(held)
    lately = min(term, as_of - timedelta(days=29))
    last_is_missed, length_of_last = ([(False, 0), *runs_of(in_order(rows, student, lately, as_of, now))])[-1]
    return {
        "first_day": first,
        "last_day": as_of,
        "sessions": len(held),
        **{kind: kinds.count(kind) for kind in STATUSES},
        "absent": len(missed),
        "rate": rate,
        "rate_before": rate_before,
        "rate_change": None if rate is None or rate_before is None else rate - rate_before,
        "absent_streak": length_of_last if last_is_missed else 0,
        "present_streak": 0 if last_is_missed else length_of_last,
        "longest_absent_streak": max((length for lost, length in runs_of(held) if lost), default=0),
        "first_missed_at": datetime.fromisoformat(missed[0]["start_time"]) if missed else None,
        "first_missed_class_id": missed[0]["internal_class_id"] if missed else None,
        "last_missed_at": datetime.fromisoformat(missed[-1]["start_time"]) if missed else None,
        "last_missed_class_id": missed[-1]["internal_class_id"] if missed else None,
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=marks,
    back=st.integers(0, 20),
    hour=st.sampled_from((7, 9, 23)),
    starts=st.lists(st.integers(-3, 60), max_size=3, unique=True),
)
def test_every_figure_is_what_a_plain_reading_gives(
    opened: Connection,
    drawn: list[tuple[int, int, str, int | None, str]],
    back: int,
    hour: int,
    starts: list[int],
) -> None:
    rows = rows_of(drawn)
    as_of, now = TODAY - timedelta(days=back), datetime.combine(TODAY, datetime.min.time()).replace(hour=hour)
    term_starts = tuple(TODAY - timedelta(days=one) for one in starts)
    land_marks(opened, rows)
    build(opened, as_of, InsightsPolicy(term_starts=term_starts), now)
    rows = newest(rows)
    for student in STUDENTS:
        for window in ("7_days", "30_days", "term"):
            wanted = expected(rows, student, as_of, now, term_starts, window)
            found = insight(opened, student, window, as_of)
            assert {name: found[name] for name in wanted} == wanted


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    missed=st.lists(st.tuples(st.sampled_from(STUDENTS), st.integers(0, 24)), min_size=1, max_size=5),
    asked=st.lists(st.integers(0, 20), min_size=4, max_size=9, unique=True),
    bound=st.integers(1, 2),
)
@example(missed=[(1, 20), (1, 2)], asked=[0, 10, 17, 18], bound=1)
def test_an_alert_lasts_since_its_unbroken_run_of_days_began(
    opened: Connection, missed: list[tuple[int, int]], asked: list[int], bound: int
) -> None:
    opened.execute("DROP TABLE IF EXISTS attendance.insights; DROP TABLE IF EXISTS attendance.alerts")
    land_marks(opened, rows_of([(student, back, "09:00", 10, "excused") for student, back in missed]))
    policy = InsightsPolicy(alerts=(AlertRule(name="Missed", measure="absent", at_least=bound),))
    days = [TODAY - timedelta(days=one) for one in asked]
    for day in days:
        build(opened, day, policy)
    wanted = {}
    for student in STUDENTS:
        since: date | None = None
        for day in sorted(days):
            applies = insight(opened, student, "7_days", day)["absent"] >= bound
            since = (since or day) if applies else None
            if since is not None:
                wanted[student, day] = since
    found = opened.execute("SELECT student_id, as_of, since FROM attendance.alerts").fetchall()
    assert {(student, day): since for student, day, since in found} == wanted
    assert len(found) == len(wanted)
