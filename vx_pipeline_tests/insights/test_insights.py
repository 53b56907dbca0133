"""Insights of a few students, by hand: what counts, in which window, and what does not."""

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from vx_pipeline.attendance_policy import InsightsPolicy
from vx_pipeline_tests.insights.marks import (
    Connection,
    build,
    insight,
    land_marks,
    mark,
    students,
    term_named_late,
)
from vx_pipeline_tests.world import TODAY, build_roster, school

NUMBERS = (
    *("sessions", "present", "late", "excused", "unexcused", "not_expected", "untaken", "unknown", "absent"),
)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def land(connection: Connection, *kinds_by_day: tuple[int, str], student: int = 1) -> None:
    """Marks of a student, each so many days ago."""
    number = count(1)
    land_marks(connection, [mark(next(number), student, ago(days), kind) for days, kind in kinds_by_day])


def numbers(connection: Connection, window: str = "7_days") -> dict[str, int]:
    found = insight(connection, 1, window)
    return {name: found[name] for name in NUMBERS if found[name]}


def test_each_kind_is_counted_as_its_own(connection: Connection) -> None:
    students(connection, 1)
    land(
        connection,
        *[(0, "present"), (1, "late"), (2, "excused"), (3, "unexcused"), (4, "unexcused")],
        *[(5, "not_expected"), (6, "untaken")],
    )
    build(connection)
    assert numbers(connection) == {
        "sessions": 7,
        "present": 1,
        "late": 1,
        "excused": 1,
        "unexcused": 2,
        "not_expected": 1,
        "untaken": 1,
        "absent": 3,
    }
    found = insight(connection, 1, "7_days")
    assert found["rate"] == 0.4
    assert (found["is_boarder"], found["house"], found["grade"]) == (True, "Maple House", "9th Grade")


def test_an_unknown_label_counts_neither_way_and_is_told(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (0, "present"), (1, "unknown"), (2, "unknown"))
    assert build(connection) == {"Code Blue": 2}
    assert numbers(connection) == {"sessions": 3, "present": 1, "unknown": 2}
    assert insight(connection, 1, "7_days")["rate"] == 1


def test_a_code_without_a_label_is_unknown_and_told_as_its_code(connection: Connection) -> None:
    students(connection, 1)
    land_marks(connection, [mark(1, 1, TODAY, "present") | {"status": 99}])
    assert build(connection) == {"code 99": 1}


def test_a_meeting_at_which_nobody_took_attendance_is_no_absence(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (0, "untaken"), (1, "untaken"))
    assert build(connection) == {}
    found = insight(connection, 1, "7_days")
    assert (found["sessions"], found["untaken"], found["absent"], found["rate"]) == (2, 2, 0, None)


def test_not_expected_does_not_count_against_the_rate(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (0, "present"), (1, "not_expected"), (2, "excused"))
    build(connection)
    assert insight(connection, 1, "7_days")["rate"] == 0.5


def test_an_absence_without_a_known_reason_counts_as_one(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (0, "no_reason"), (1, "no_reason"), (2, "excused"), (3, "present"))
    assert build(connection) == {}
    assert numbers(connection) == {"sessions": 4, "present": 1, "excused": 1, "absent": 3}
    found = insight(connection, 1, "7_days")
    assert (found["no_reason"], found["rate"], found["absent_streak"]) == (2, 0.25, 3)


def test_a_table_of_insights_from_before_gains_the_new_column(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (0, "no_reason"))
    build(connection, as_of=ago(1))
    connection.execute("ALTER TABLE attendance.insights DROP COLUMN no_reason")
    build(connection)
    assert insight(connection, 1, "7_days", ago(1))["no_reason"] == 0
    assert insight(connection, 1, "7_days")["no_reason"] == 1


def test_a_row_that_was_deleted_and_made_anew_counts_once_as_changed_last(connection: Connection) -> None:
    students(connection, 1)
    moments = ("2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z", None)
    changed = zip((5, 1, 9), ("unexcused", "excused", "unexcused"), moments, strict=True)
    rows = [mark(one, 1, TODAY, kind) | {"last_modified_date": moment} for one, kind, moment in changed]
    other = mark(10, 1, TODAY, "present", at="09:30")
    land_marks(connection, [*rows, other, mark(11, 1, TODAY, "late", class_id=101)])
    build(connection)
    assert numbers(connection) == {"sessions": 3, "present": 1, "late": 1, "excused": 1, "absent": 1}


def test_a_row_that_veracross_no_longer_lists_is_no_session(connection: Connection) -> None:
    students(connection, 1)
    rows = [mark(1, 1, TODAY, "present"), mark(2, 1, ago(1), "unexcused")]
    land_marks(connection, rows)
    land_marks(connection, rows[:1])
    build(connection)
    assert numbers(connection) == {"sessions": 1, "present": 1}


def test_who_enrolled_late_is_judged_by_the_meetings_since(connection: Connection) -> None:
    students(connection, 1, 2)
    early = [mark(one, 1, ago(one), "present") for one in range(1, 20)]
    land_marks(connection, [*early, mark(50, 2, ago(1), "excused"), mark(51, 2, TODAY, "present")])
    build(connection)
    found = insight(connection, 2, "30_days")
    assert (found["sessions"], found["rate"], found["rate_before"], found["rate_change"]) == (
        2,
        0.5,
        None,
        None,
    )


def test_an_empty_window_has_a_row_without_a_rate(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (10, "excused"))
    build(connection)
    found = insight(connection, 1, "7_days")
    assert (found["sessions"], found["rate"], found["rate_before"], found["rate_change"]) == (
        0,
        None,
        0,
        None,
    )
    assert (found["first_missed_at"], found["last_missed_class_id"]) == (None, None)
    assert (found["longest_absent_streak"], found["absent_streak"]) == (0, 1)


def test_two_rows_at_the_same_time_both_count_in_the_order_of_their_classes(connection: Connection) -> None:
    students(connection, 1)
    rows = [
        mark(1, 1, TODAY, "present", class_id=20),
        mark(2, 1, TODAY, "excused", class_id=30),
        mark(3, 1, TODAY, "unexcused", class_id=10),
    ]
    land_marks(connection, rows)
    build(connection)
    found = insight(connection, 1, "7_days")
    assert (found["sessions"], found["absent"], found["absent_streak"]) == (3, 2, 1)
    assert (found["first_missed_class_id"], found["last_missed_class_id"]) == (10, 30)


def test_the_windows_begin_and_end_with_their_days(connection: Connection) -> None:
    students(connection, 1)
    land(connection, *[(days, "present") for days in (-1, 0, 6, 7, 13, 14, 29, 30, 59, 60)])
    build(connection)
    assert [insight(connection, 1, window)["sessions"] for window in ("7_days", "30_days", "term")] == [
        2,
        6,
        9,
    ]
    found = insight(connection, 1, "term")
    assert (found["first_day"], found["last_day"]) == (date(2026, 9, 1), TODAY)
    assert (insight(connection, 1, "30_days")["first_day"]) == ago(29)


def test_the_window_before_is_as_long_and_ends_the_day_before(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (0, "present"), (6, "excused"), (7, "present"), (13, "late"), (14, "unexcused"))
    build(connection)
    found = insight(connection, 1, "7_days")
    assert (found["rate"], found["rate_before"], found["rate_change"]) == (0.5, 1, -0.5)


@pytest.mark.parametrize(
    ("starts", "first_day", "sessions", "before"),
    [
        ((), date(2026, 9, 1), 3, None),
        ((ago(5),), ago(5), 1, None),
        ((ago(20), ago(5), ago(-1)), ago(5), 1, 0.0),
        ((ago(-1),), date(2026, 9, 1), 3, None),
    ],
)
def test_the_term_is_the_last_that_began_and_without_any_the_school_year(
    connection: Connection, starts: tuple[date, ...], first_day: date, sessions: int, before: float | None
) -> None:
    students(connection, 1)
    land(connection, (0, "present"), (6, "excused"), (40, "present"))
    build(connection, policy=InsightsPolicy(term_starts=starts))
    found = insight(connection, 1, "term")
    assert (found["first_day"], found["sessions"], found["rate_before"]) == (first_day, sessions, before)


OLD_DORM = {"id": 1, "description": "Old House", "begin_date": "2019-08-01", "end_date": "2030-06-30"}
DORM_WITHOUT_DATES: dict[str, Any] = {
    "id": 7,
    "description": "Maple House",
    "begin_date": None,
    "end_date": None,
    "school_year": None,
}


def test_without_dates_of_dorms_the_year_begins_with_its_first_attendance(connection: Connection) -> None:
    students(connection, 1)
    school(connection, dorms=[DORM_WITHOUT_DATES])
    build_roster(connection)
    land(connection, (0, "present"), (100, "present"), (170, "unexcused"), (500, "unexcused"))
    build(connection)
    assert insight(connection, 1, "term")["first_day"] == ago(100), "the days before July are last year's"


def test_the_year_is_that_of_most_dorms_and_never_years_long(connection: Connection) -> None:
    students(connection, 1)
    odd = {"id": 2, "description": "Summer House", "begin_date": "2026-06-20"}
    usual = [{"id": one, "description": f"House {one}", "begin_date": "2026-09-03"} for one in (7, 8)]
    school(connection, dorms=[OLD_DORM, odd, *usual])
    build_roster(connection)
    land(connection, (0, "present"), (400, "unexcused"))
    build(connection)
    found = insight(connection, 1, "term")
    assert (found["first_day"], found["sessions"]) == (date(2026, 9, 3), 1)


def test_a_dorm_of_years_ago_tells_of_no_school_year(connection: Connection) -> None:
    school(connection, students=[{"id": 1, "first_name": "Kit", "last_name": "Moss"}], dorms=[OLD_DORM])
    build_roster(connection)
    land(connection, (0, "present"), (400, "unexcused"))
    build(connection)
    assert insight(connection, 1, "term")["first_day"] == TODAY


def test_terms_that_nobody_named_for_this_year_do_not_go_on_from_the_last(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (0, "present"), (300, "unexcused"))
    last_year = InsightsPolicy(term_starts=(date(2025, 9, 1), date(2026, 1, 6)))
    assert term_named_late(connection, last_year) == date(2026, 9, 1)
    found = insight(connection, 1, "term")
    assert (found["first_day"], found["sessions"], found["rate_before"]) == (date(2026, 9, 1), 1, None)
    a_week_before_the_dorms = InsightsPolicy(term_starts=(date(2026, 1, 6), date(2026, 8, 25)))
    assert term_named_late(connection, a_week_before_the_dorms) is None
    assert insight(connection, 1, "term")["first_day"] == date(2026, 8, 25)
    assert term_named_late(connection, InsightsPolicy()) is None


def test_a_streak_goes_on_over_the_first_day_of_a_term(connection: Connection) -> None:
    students(connection, 1)
    land(connection, *((back, "unexcused") for back in range(12)), (40, "unexcused"))
    build(connection, policy=InsightsPolicy(term_starts=(ago(60), TODAY)))
    found = insight(connection, 1, "30_days")
    assert found["absent_streak"] == 12, "the thirty days, whatever the term"
    assert [one[0] for one in connection.execute("SELECT rule FROM attendance.alerts").fetchall()].count(
        "Away for long"
    ) == 1


def test_a_meeting_that_has_not_begun_does_not_count(connection: Connection) -> None:
    students(connection, 1)
    rows = [mark(1, 1, TODAY, "present", at="09:00"), mark(2, 1, TODAY, "present", at="13:00")]
    land_marks(connection, rows)
    build(connection, now=datetime.combine(TODAY, datetime.min.time()).replace(hour=12))
    assert numbers(connection) == {"sessions": 1, "present": 1}


def test_a_streak_is_neither_broken_nor_made_longer_by_what_says_nothing(connection: Connection) -> None:
    students(connection, 1)
    land(
        connection,
        *[
            (0, "untaken"),
            (1, "excused"),
            (2, "unknown"),
            (3, "not_expected"),
            (4, "unexcused"),
            (8, "excused"),
        ],
        *[(9, "present"), (10, "excused"), (11, "excused"), (12, "excused"), (13, "excused")],
    )
    build(connection)
    week, month = insight(connection, 1, "7_days"), insight(connection, 1, "30_days")
    assert (week["absent_streak"], month["absent_streak"], month["present_streak"]) == (3, 3, 0)
    assert (week["longest_absent_streak"], month["longest_absent_streak"]) == (2, 4)


def test_students_who_are_not_at_the_school_are_not_in(connection: Connection) -> None:
    students(connection, 1)
    school(connection, students=[{"id": 1}, {"id": 2, "enrollment_status": 2, "exit_date": "2026-10-01"}])
    build_roster(connection)
    land_marks(connection, [mark(1, 2, TODAY, "excused")])
    build(connection)
    assert connection.execute("SELECT DISTINCT student_id FROM attendance.insights").fetchall() == [(1,)]


def test_asking_again_replaces_the_rows_of_that_day_and_no_others(connection: Connection) -> None:
    students(connection, 1)
    land(connection, (1, "present"), (0, "excused"))
    build(connection, as_of=ago(1))
    build(connection)
    land(connection, (1, "present"), (0, "present"))
    build(connection)
    rates = connection.execute(
        """SELECT as_of, rate FROM attendance.insights WHERE "window" = '7_days' ORDER BY as_of"""
    ).fetchall()
    assert rates == [(ago(1), 1), (TODAY, 1)]
