"""Attendance of the small school, as a run would have published it."""

import random
from datetime import UTC, date, datetime, timedelta

from vx_pipeline.insights.legend import rate
from vx_pipeline.journal import Journal
from vx_pipeline.journal.attendance_views import (
    Alert,
    Mark,
    Marks,
    Published,
    Standing,
    publish_attendance,
)
from vx_pipeline_tests.review.school import HOUSES, SCHOOL

AS_OF = date(2026, 11, 25)
TERM = date(2026, 9, 1)
STARTS = ("08:00", "09:10", "10:20", "11:30", "13:15", "14:25")

JONATHAN = 101
"""Of North House: his marks of the last day are made by hand, and two alerts are about him."""

NOBODY_KNOWS = 90_001
"""A day student whom the newest matching did not see."""

OF_THE_DAY: Marks = (
    Mark("08:00", 8905, "late"),
    Mark("09:10", 8906, "unexcused"),
    Mark("10:20", 8907, "present"),
    Mark("11:30", 8908, "present"),
)
ALERTS = (
    Alert(JONATHAN, "Unexcused absences", "7_days", "unexcused", 3, 2, date(2026, 11, 20)),
    Alert(JONATHAN, "Low attendance", "30_days", "rate", 0.849, 0.9, date(2026, 11, 23)),
    Alert(20_002, "Often late", "30_days", "late", 6, 5, date(2026, 11, 24)),
    Alert(NOBODY_KNOWS, "Often late", "30_days", "late", 5, 5, date(2026, 11, 25)),
)


def record_attendance(journal: Journal, school: str = SCHOOL, at: datetime | None = None) -> None:
    """Publishes a term of the linked students, of Jonathan, and of somebody whom nobody knows."""
    chance = random.Random(7)
    students = [*range(20_000, 20_040), JONATHAN, NOBODY_KNOWS]
    days: dict[date, dict[int, Marks]] = {
        day: {one: tuple(_mark(chance, number) for number in range(len(STARTS))) for one in students}
        for day in (TERM + timedelta(days=number) for number in range((AS_OF - TERM).days + 1))
        if day.weekday() < 5
    }
    days[AS_OF][JONATHAN] = OF_THE_DAY
    publish_attendance(
        journal,
        school,
        Published(AS_OF, TERM, at or datetime.now(UTC) - timedelta(hours=3)),
        days=days,
        standing=[_standing(one, days) for one in students],
        alerts=ALERTS,
    )


def _mark(chance: random.Random, number: int) -> Mark:
    (kind,) = chance.choices(
        ("present", "late", "excused", "unexcused", "not_expected", "untaken"), (88, 3, 4, 2, 2, 1)
    )
    return Mark(STARTS[number], 8905 + number, kind)


def _standing(student_id: int, days: dict[date, dict[int, Marks]]) -> Standing:
    windows = {}
    for window, first_day in (
        ("7_days", AS_OF - timedelta(days=6)),
        ("30_days", AS_OF - timedelta(days=29)),
        ("term", TERM),
    ):
        kinds = [mark.kind for day, marks in days.items() if day >= first_day for mark in marks[student_id]]
        windows[window] = {
            "sessions": len(kinds),
            "rate": rate(kinds),
            "rate_before": None,
            **{kind: kinds.count(kind) for kind in ("late", "excused", "unexcused", "not_expected")},
            "untaken": 0,
            "unknown": 0,
            "absent_streak": 0,
            "longest_absent_streak": 2,
            "present_streak": 2,
            "last_missed_at": "2026-11-25T09:10:00",
        }
    boards = student_id != NOBODY_KNOWS
    house = "North House" if student_id == JONATHAN else HOUSES[student_id % 4]
    return Standing(student_id, house if boards else None, "Grade 10" if boards else None, boards, windows)
