"""Alerts: which rule applies, by how much, and since when."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from pydantic import ValidationError

from vx_pipeline.attendance_policy import AlertRule, InsightsPolicy
from vx_pipeline_tests.insights.marks import Connection, Row, build, land_marks, mark, students
from vx_pipeline_tests.world import TODAY


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def rules(*given: AlertRule) -> InsightsPolicy:
    return InsightsPolicy(alerts=given)


def found(connection: Connection, as_of: date = TODAY) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT student_id, rule, value, threshold, since FROM attendance.alerts WHERE as_of = $as_of ORDER BY ALL",
        {"as_of": as_of},
    ).fetchall()


def week_of(student: int, *kinds: str) -> list[Row]:
    """Marks of today, yesterday and so on."""
    return [mark(100 * student + n, student, ago(n), kind) for n, kind in enumerate(kinds)]


def test_a_figure_that_reaches_the_bound_is_an_alert(connection: Connection) -> None:
    students(connection, 1, 2, 3)
    land_marks(
        connection,
        [
            *week_of(1, "unexcused", "unexcused", "present"),
            *week_of(2, "unexcused", "excused", "present"),
            *week_of(3, "present"),
        ],
    )
    twice = AlertRule(name="Twice", measure="unexcused", at_least=2)
    away = AlertRule(name="Away", measure="absent_streak", at_least=2)
    build(connection, policy=rules(twice, away))
    assert found(connection) == [
        (1, "Away", 2, 2, TODAY),
        (1, "Twice", 2, 2, TODAY),
        (2, "Away", 2, 2, TODAY),
    ]


def test_a_low_rate_needs_enough_meetings_that_count(connection: Connection) -> None:
    """A rate of exactly the bound is one, none at all is not, and what counts neither way says nothing."""
    students(connection, 1, 2, 3)
    land_marks(
        connection,
        [
            *week_of(1, *["present"] * 3, "excused"),
            *week_of(2, "excused", *["untaken"] * 5),
            *week_of(3, *["not_expected"] * 4),
        ],
    )
    low = AlertRule(name="Low", measure="rate", at_most=0.75, fewest_sessions=4)
    build(connection, policy=rules(low))
    assert found(connection) == [(1, "Low", 0.75, 0.75, TODAY)]
    none_needed = AlertRule(name="Low", measure="rate", at_most=0.75)
    build(connection, policy=rules(none_needed))
    assert [row[:3] for row in found(connection)] == [(1, "Low", 0.75), (2, "Low", 0)]


def test_a_rule_looks_at_its_own_window(connection: Connection) -> None:
    students(connection, 1)
    land_marks(connection, [mark(1, 1, ago(10), "late")])
    week = AlertRule(name="Week", window="7_days", measure="late", at_least=1)
    month = AlertRule(name="Month", window="30_days", measure="late", at_least=1)
    build(connection, policy=rules(week, month))
    assert [row[1] for row in found(connection)] == ["Month"]


DAYS = [ago(9), ago(8), ago(3), ago(2), TODAY]
LATE = rules(AlertRule(name="Late", measure="late", at_least=2))


@pytest.mark.parametrize("order", [*permutations(range(5))][::17])
def test_since_is_the_first_day_of_the_run_in_whatever_order_days_are_asked(
    connection: Connection, order: tuple[int, ...]
) -> None:
    """The run of the 9th and 8th day ends with the 3rd; days that nobody asked about end none."""
    students(connection, 1)
    rows = [mark(n, 1, ago(days), "late") for n, days in enumerate((14, 13, 2, 2, 1), start=1)]
    land_marks(connection, [row | {"block": {**row["block"], "id": row["id"]}} for row in rows])
    for place in order:
        build(connection, as_of=DAYS[place], policy=LATE)
    expected = {ago(9): ago(9), ago(8): ago(9), ago(2): ago(2), TODAY: ago(2)}
    assert dict(connection.execute("SELECT as_of, since FROM attendance.alerts").fetchall()) == expected


def test_asking_again_takes_back_an_alert_that_no_longer_holds(connection: Connection) -> None:
    students(connection, 1)
    for day in (ago(1), TODAY):
        land_marks(connection, week_of(1, "late", "late", "late"))
        build(connection, as_of=day, policy=LATE)
    assert found(connection) == [(1, "Late", 3, 2, ago(1))]
    land_marks(connection, week_of(1, "present", "present", "late"))
    build(connection, policy=LATE)
    assert found(connection) == []
    assert len(found(connection, ago(1))) == 1


def test_two_rules_cannot_have_the_same_name() -> None:
    rule = AlertRule(name="Late", measure="late", at_least=2)
    with pytest.raises(ValidationError, match="same name"):
        InsightsPolicy(alerts=(rule, rule.model_copy(update={"at_least": 3})))
