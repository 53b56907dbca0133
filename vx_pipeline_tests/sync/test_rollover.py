"""The turn of the school year: on which days a mode holds, and when one is suggested."""

from datetime import date
from typing import Any

import duckdb
import pytest

from vx_pipeline.policies import Policies, RolloverPolicy
from vx_pipeline.sync.rollover import rollover_hint
from vx_pipeline_tests.sync.planned import DORM
from vx_pipeline_tests.world import build_roster, school

FIRST, LAST = date(2026, 8, 20), date(2026, 9, 10)


@pytest.mark.parametrize(
    ("day", "mode"),
    [
        (date(2026, 8, 19), "normal"),
        (FIRST, "frozen"),
        (LAST, "frozen"),
        (date(2026, 9, 11), "normal"),
    ],
)
def test_both_days_belong_to_the_period(day: date, mode: str) -> None:
    assert RolloverPolicy(mode="frozen", first_day=FIRST, last_day=LAST).mode_on(day) == mode


def test_without_days_a_mode_holds_at_once_and_for_good() -> None:
    assert RolloverPolicy(mode="adds_only").mode_on(date(2020, 1, 1)) == "adds_only"
    assert RolloverPolicy(mode="adds_only", last_day=LAST).mode_on(FIRST) == "adds_only"
    assert RolloverPolicy(mode="adds_only", first_day=FIRST).mode_on(date(2030, 1, 1)) == "adds_only"
    assert RolloverPolicy().mode_on(FIRST) == "normal"


def hint(connection: duckdb.DuckDBPyConnection, today: date, **rollover: Any) -> str | None:
    school(connection, dorms=[{**DORM, "begin_date": "2026-09-01"}])
    build_roster(connection, today=today)
    return rollover_hint(connection, Policies(rollover=RolloverPolicy(**rollover)), today)


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2026, 8, 1), None),
        (date(2026, 8, 2), "begins on 2026-09-01"),
        (date(2026, 9, 1), "began on 2026-09-01"),
        (date(2026, 9, 15), "began on 2026-09-01"),
        (date(2026, 9, 16), None),
    ],
)
def test_a_mode_is_suggested_around_the_first_day(
    connection: duckdb.DuckDBPyConnection, today: date, told: str | None
) -> None:
    suggestion = hint(connection, today)
    assert (suggestion is None) if told is None else (told in str(suggestion))
    if suggestion:
        assert 'last_day = "2026-09-15"' in suggestion


def test_who_has_set_a_mode_needs_no_suggestion(connection: duckdb.DuckDBPyConnection) -> None:
    today = date(2026, 9, 1)
    assert hint(connection, today, mode="frozen") is None
    assert hint(connection, today, mode="adds_only", last_day=LAST) is None
    assert hint(connection, today, mode="adds_only", last_day=date(2025, 9, 10)) is not None, "last year's"
