"""Periods away: what begins one, what ends it, and what it rests on."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.attendance.absences import Away, Places, reason_type
from vx_pipeline.attendance.days import Days, days_away
from vx_pipeline.attendance.periods import periods_away
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.orah.assumed import Pass, parse_moment
from vx_pipeline_tests.attendance.moving import (
    DORM,
    HOME,
    LOCATIONS,
    PLACES,
    RESET,
    START,
    TOWN,
    at,
    leave,
    move,
    moves,
    often,
    passes,
)

Spell = tuple[float, float | None, str, str]
"""Begin and end in minutes, place, pass type."""


def spells(found: Iterable[Away]) -> list[Spell]:
    def minute(moment: datetime) -> float:
        return (moment - START) / timedelta(minutes=1)

    return [(minute(a.start), minute(a.end) if a.end else None, a.place, a.pass_type) for a in found]


# --- places


def away_places(**policy: Any) -> set[int]:
    return set(Places.of(LOCATIONS, AttendancePolicy(**policy), ZoneInfo("UTC")).away)


def test_places_are_away_by_state_or_by_name() -> None:
    assert away_places() == {TOWN, HOME}
    assert away_places(away_places=("health centre ",)) == {TOWN, HOME, 4}
    assert away_places(away_states=("home",)) == {HOME}


def test_a_place_without_a_name_is_still_a_place() -> None:
    places = Places.of([{"id": 5, "state": "home", "name": " "}], AttendancePolicy(), ZoneInfo("UTC"))
    assert places.away == {5: "location 5"}


@pytest.mark.parametrize(
    "reset",
    [
        datetime(2026, 3, 7, 12, 30, tzinfo=UTC),
        datetime(2026, 3, 8, 11, 30, tzinfo=UTC),
        datetime(2026, 10, 31, 11, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 12, 30, tzinfo=UTC),
    ],
)
def test_a_reset_is_meant_on_the_schools_clock_and_lasts_a_minute(reset: datetime) -> None:
    places = Places({}, (time(7, 30),), ZoneInfo("America/New_York"))
    found = [places.is_reset(reset + timedelta(seconds=one)) for one in (-3600, -1, 0, 59, 60, 3600)]
    assert found == [False, False, True, True, False, False]


@pytest.mark.parametrize(
    ("name", "found"), [("Town", "Unexcused"), (" town", "Unexcused"), ("Home", "Excused"), ("", "Excused")]
)
def test_reason_types_are_named_without_case_and_blanks(name: str, found: str) -> None:
    assert reason_type(name, AttendancePolicy(reason_types={"TOWN ": "Unexcused"})) == found


# --- movements


@pytest.mark.parametrize(
    ("given_moves", "expected"),
    [
        ([], []),
        ([move(1, 0, DORM)], []),
        ([move(1, 0, TOWN)], [(0, None, "Town", "")]),
        ([move(1, 0, TOWN), move(2, 30, DORM)], [(0, 30, "Town", "")]),
        (
            [move(1, 0, TOWN), move(2, 10, HOME), move(3, 30, DORM)],
            [(0, 10, "Town", ""), (10, 30, "Home", "")],
        ),
        ([move(1, 0, TOWN), move(2, 10, TOWN), move(3, 30, DORM)], [(0, 30, "Town", "")]),
        ([move(1, 0, TOWN), move(2, 10, TOWN, kind="out"), move(3, 30, DORM)], [(0, 10, "Town", "")]),
        (
            [move(1, 0, TOWN), move(2, 10, TOWN, kind="out"), move(3, 10, HOME)],
            [(0, 10, "Town", ""), (10, None, "Home", "")],
        ),
        (
            [move(1, 0, TOWN), move(2, 10, HOME), move(3, 10, TOWN, kind="out")],
            [(0, 10, "Town", ""), (10, None, "Home", "")],
        ),
        (
            [move(1, 0, TOWN), move(2, 10, HOME), move(3, 20, HOME, kind="out")],
            [(0, 10, "Town", ""), (10, 20, "Home", "")],
        ),
        ([move(1, 0, TOWN), move(2, 1, DORM, kind="out")], [(0, None, "Town", "")]),
        ([move(1, 0, TOWN), move(2, 10, None), move(3, 30, DORM)], [(0, 10, "Town", "")]),
        ([move(1, 0, TOWN), move(2, 10, None, kind="out")], [(0, 10, "Town", "")]),
        (
            [move(1, 0, TOWN), move(2, 10, None), move(3, 30, HOME)],
            [(0, 10, "Town", ""), (30, None, "Home", "")],
        ),
        ([move(1, 0, TOWN, kind="out"), move(2, 10, None, kind="out")], []),
        ([move(1, 0, TOWN), move(2, 10, None, kind="seen")], [(0, None, "Town", "")]),
        ([move(2, 0, DORM), move(1, 0, TOWN)], []),
        ([move(1, RESET, TOWN)], []),
        ([move(1, 0, TOWN), move(2, RESET, DORM)], [(0, RESET, "Town", "")]),
        ([move(1, 0, TOWN), move(2, RESET, HOME)], [(0, RESET, "Town", "")]),
        ([move(1, 0, TOWN), move(2, RESET, TOWN, kind="out")], [(0, RESET, "Town", "")]),
    ],
)
def test_what_begins_and_what_ends_a_period(given_moves: list[dict[str, Any]], expected: list[Spell]) -> None:
    assert spells(periods_away(given_moves, [], PLACES)) == expected


# --- passes


@pytest.mark.parametrize(
    ("given_moves", "given_passes", "expected"),
    [
        ([], [leave(1, 0, 60)], [(0, 60, "", "Day Leave")]),
        ([], [leave(1, 0, 60, counts=False)], []),
        ([], [leave(1, 0, None)], [(0, None, "", "Day Leave")]),
        ([], [leave(1, 0, 0)], []),
        # Who has come back is back, whatever was planned; and who leaves again is on the pass again.
        ([move(1, 20, DORM)], [leave(1, 0, 60)], [(0, 20, "", "Day Leave")]),
        ([move(1, 20, None, kind="out")], [leave(1, 0, 60)], [(0, 20, "", "Day Leave")]),
        ([move(1, 10, DORM, kind="out")], [leave(1, 0, 60)], [(0, 60, "", "Day Leave")]),
        (
            [move(1, 20, DORM), move(2, 30, TOWN)],
            [leave(1, 0, 60)],
            [(0, 20, "", "Day Leave"), (30, 60, "Town", "Day Leave"), (60, None, "Town", "")],
        ),
        # Who is known to be out when the pass is over is still out, without a pass.
        (
            [move(1, 10, TOWN), move(2, 90, DORM)],
            [leave(1, 0, 60)],
            [(0, 10, "", "Day Leave"), (10, 60, "Town", "Day Leave"), (60, 90, "Town", "")],
        ),
        # Nor does a reset end a pass, but it ends a place.
        ([move(1, RESET, DORM)], [leave(1, 180, 300)], [(180, 300, "", "Day Leave")]),
        (
            [move(1, 200, TOWN), move(2, RESET, DORM)],
            [leave(1, 180, 300)],
            [(180, 200, "", "Day Leave"), (200, RESET, "Town", "Day Leave"), (RESET, 300, "", "Day Leave")],
        ),
        # A place that the student has left long ago does not end a later pass.
        (
            [move(1, 0, TOWN), move(2, 10, DORM), move(3, 40, TOWN, kind="out")],
            [leave(1, 30, 60)],
            [(0, 10, "Town", ""), (30, 60, "", "Day Leave")],
        ),
        # Who has come back from one pass is not on it again because another one is over.
        (
            [move(1, 20, DORM)],
            [leave(1, 0, 200), leave(2, 40, 60, kind="Weekend")],
            [(0, 20, "", "Day Leave"), (40, 60, "", "Weekend")],
        ),
        # Two passes at once: the newer one has the word.
        (
            [],
            [leave(1, 0, 60), leave(2, 20, 40, kind="Weekend")],
            [(0, 20, "", "Day Leave"), (20, 40, "", "Weekend"), (40, 60, "", "Day Leave")],
        ),
    ],
)
def test_a_pass_counts_until_movements_know_better(
    given_moves: list[dict[str, Any]], given_passes: list[Pass], expected: list[Spell]
) -> None:
    assert spells(periods_away(given_moves, given_passes, PLACES)) == expected


def test_what_a_period_rests_on_is_read_again_from_its_departure_on() -> None:
    given_moves = [move(1, 0, TOWN), move(2, 20, HOME), move(3, 30, HOME)]
    found = periods_away(given_moves, [leave(1, 10, 60), leave(2, 50, 60, kind="Weekend")], PLACES)
    assert [(one.place, one.pass_type, one.evidence) for one in found] == [
        ("Town", "", ("m1",)),
        ("Town", "Day Leave", ("p1", "m1")),
        ("Home", "Day Leave", ("p1", "m2")),
        ("Home", "Weekend", ("p2", "m2")),
        ("Home", "", ("m2",)),
    ]
    assert {one.known_from for one in found} == {at(0)}


# --- whatever happens


@often
@given(moves, passes, st.randoms(use_true_random=False))
def test_the_order_and_duplicates_of_the_records_change_nothing(
    given_moves: list[dict[str, Any]], given_passes: list[Pass], chance: random.Random
) -> None:
    found = periods_away(given_moves, given_passes, PLACES)
    again = [*given_moves, *chance.sample(given_moves, len(given_moves) // 2)]
    passes_again = [*given_passes, *given_passes[:1]]
    chance.shuffle(again)
    chance.shuffle(passes_again)
    assert periods_away(again, passes_again, PLACES) == found


@often
@given(moves, passes)
def test_periods_are_in_order_and_apart(given_moves: list[dict[str, Any]], given_passes: list[Pass]) -> None:
    found = periods_away(given_moves, given_passes, PLACES)
    assert [one.orah_id for one in found] == sorted(one.orah_id for one in found)
    for period in found:
        assert period.place or period.pass_type
        assert period.end is None or period.start < period.end
    for earlier, later in pairwise(found):
        if earlier.orah_id == later.orah_id:
            assert earlier.end is not None
            assert earlier.end <= later.start


@often
@given(moves, passes)
def test_evidence_is_of_the_student_and_reaches_back_to_known_from(
    given_moves: list[dict[str, Any]], given_passes: list[Pass]
) -> None:
    moved = {f"m{one['id']}": one for one in given_moves}
    counting = {f"p{one.leave_id}": one for one in given_passes if one.counts}
    for period in periods_away(given_moves, given_passes, PLACES):
        assert period.evidence
        assert period.known_from is not None
        assert period.known_from <= period.start
        assert bool(period.pass_type) == any(one in counting for one in period.evidence)
        for one in period.evidence:
            if one in counting:
                assert (counting[one].orah_id, counting[one].type_name) == (period.orah_id, period.pass_type)
                assert counting[one].start <= period.start
            else:
                assert moved[one]["student"]["id"] == period.orah_id
                # What a later read must go back to, to see this movement again.
                assert period.known_from <= parse_moment(moved[one]["record_time"]) <= period.start


@often
@given(moves, passes)
def test_a_pass_that_does_not_count_is_as_none_and_other_students_do_not_matter(
    given_moves: list[dict[str, Any]], given_passes: list[Pass]
) -> None:
    found = periods_away(given_moves, given_passes, PLACES)
    assert found == periods_away(given_moves, [one for one in given_passes if one.counts], PLACES)
    alone = periods_away(
        [one for one in given_moves if one["student"]["id"] == 7],
        [one for one in given_passes if one.orah_id == 7],
        PLACES,
    )
    assert [one for one in found if one.orah_id == 7] == alone


@often
@given(moves, passes)
def test_every_period_begins_with_a_departure_or_a_pass(
    given_moves: list[dict[str, Any]], given_passes: list[Pass]
) -> None:
    begins = {(one["student"]["id"], parse_moment(one["record_time"])) for one in given_moves}
    begins |= {(one.orah_id, one.start) for one in given_passes if one.counts}
    found = periods_away(given_moves, given_passes, PLACES)
    follows = {(one.orah_id, one.end) for one in found}
    for period in found:
        if (period.orah_id, period.start) in follows:
            continue  # the same time away under another name
        assert (period.orah_id, period.start) in begins
        # A reset puts everybody somewhere and says of nobody that they left.
        assert period.start != at(RESET) or any(
            one.counts and one.start == at(RESET) and one.orah_id == period.orah_id for one in given_passes
        )


@often
@given(moves, passes, st.sampled_from([15, 35, 50, 100, 290]))
def test_nobody_is_away_at_the_moment_of_coming_back(
    given_moves: list[dict[str, Any]], given_passes: list[Pass], when: int
) -> None:
    back = move(99, when, DORM)
    for period in periods_away([*given_moves, back], given_passes, PLACES):
        if period.orah_id == 7:
            assert not (period.start <= at(when) and (period.end is None or period.end > at(when)))


def away_for(found: Iterable[Away]) -> timedelta:
    """All time away up to minute 400."""
    return sum(
        (min(one.end or at(400), at(400)) - one.start for one in found if one.start < at(400)), timedelta()
    )


@often
@given(moves, passes, st.data())
def test_without_a_departure_nobody_is_away_for_longer(
    given_moves: list[dict[str, Any]], given_passes: list[Pass], data: st.DataObject
) -> None:
    # An out of a place that nobody was seen to come to ends nothing, so this holds of arrivals.
    given_moves = [one for one in given_moves if one["type"] == "in"]
    departures = [
        one
        for one in given_moves
        if PLACES.is_departure(one) and not PLACES.is_reset(parse_moment(one["record_time"]))
    ]
    if departures:
        gone = data.draw(st.sampled_from(departures))
        less = [one for one in given_moves if one != gone]
        assert away_for(periods_away(less, given_passes, PLACES)) <= away_for(
            periods_away(given_moves, given_passes, PLACES)
        )


@often
@given(moves, passes, st.data())
def test_without_a_pass_nobody_is_away_for_longer(
    given_moves: list[dict[str, Any]], given_passes: list[Pass], data: st.DataObject
) -> None:
    if given_passes:
        gone = data.draw(st.sampled_from(given_passes))
        less = [one for one in given_passes if one != gone]
        assert away_for(periods_away(given_moves, less, PLACES)) <= away_for(
            periods_away(given_moves, given_passes, PLACES)
        )


# --- moments and days


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


def test_days_away_are_those_of_the_schools_calendar() -> None:
    zone, week = ZoneInfo("Australia/Sydney"), Days(date(2026, 11, 22), date(2026, 11, 26))
    found = days_away([Away(7, at(0), at(24 * 60)), Away(8, at(48 * 60), None)], days=week, zone=zone)
    # 8:00 in London is 19:00 in Sydney.
    assert found == {
        7: (date(2026, 11, 23), date(2026, 11, 24)),
        8: (date(2026, 11, 25), date(2026, 11, 26)),
    }
