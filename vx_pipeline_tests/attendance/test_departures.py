"""How a pass begins and ends: by the movements that name it, and not by what was planned."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.attendance.absences import OVERDUE_FOR, Away
from vx_pipeline.attendance.missed import missed_meetings
from vx_pipeline.attendance.periods import periods_away
from vx_pipeline.orah.assumed import Pass, RollResult
from vx_pipeline_tests.attendance.moving import (
    DORM,
    HOME,
    PLACES,
    RESET,
    START,
    TOWN,
    at,
    leave,
    meeting,
    move,
    moves,
    often,
    passes,
)

NURSE = 4
"""The health centre: on the grounds, and not among the places that mean away."""

END = OVERDUE_FOR.total_seconds() / 60
"""So many minutes after its planned end a pass that nobody ended says nothing more."""


def spells(found: list[Away]) -> list[tuple[float, float | None, str, str]]:
    """Begin and end in minutes, place, and pass or ``overdue``."""
    return [
        (
            (one.start - START).total_seconds() / 60,
            None if one.end is None else (one.end - START).total_seconds() / 60,
            one.place,
            "overdue" if one.overdue else one.pass_type,
        )
        for one in found
    ]


def goes(minutes: float, place: int | None, *, kind: str = "in", number: int = 9) -> dict[str, Any]:
    """A movement that names the pass 1."""
    return move(number, minutes, place, kind=kind, of_pass=1)


def seen(minutes: float, status: Any = "Present") -> RollResult:
    return RollResult(3, 7, at(minutes), None, status, None, None, "roll")


# --- the way out


@pytest.mark.parametrize(
    ("given_moves", "of_pass", "expected"),
    [
        # To a place on the grounds: the one that the pass leads to, or any where it names none.
        ([goes(2, NURSE)], leave(1, 0, 60, place=NURSE), [(2, 60, "", "Day Leave")]),
        ([goes(2, NURSE)], leave(1, 0, 60), [(2, 60, "", "Day Leave")]),
        ([goes(2, None)], leave(1, 0, 60, place=TOWN), [(2, 60, "", "Day Leave")]),
        ([goes(-5, DORM, kind="out")], leave(1, 0, 60, place=TOWN), [(-5, 60, "", "Day Leave")]),
        ([goes(40, DORM, kind="out")], leave(1, 0, 60, place=TOWN), [(40, 60, "", "Day Leave")]),
        ([goes(14, None, kind="out")], leave(1, 0, 60, place=TOWN), [(14, 60, "", "Day Leave")]),
        # Who is still there is not back, and who comes there again is away again.
        (
            [goes(2, NURSE), goes(20, NURSE, number=10)],
            leave(1, 0, 60, place=NURSE),
            [(2, 60, "", "Day Leave")],
        ),
        (
            [goes(2, NURSE), move(10, 20, DORM), goes(30, NURSE, number=11)],
            leave(1, 0, 60, place=NURSE),
            [(2, 20, "", "Day Leave"), (30, 60, "", "Day Leave")],
        ),
        # The student went an hour later, or earlier, than planned.
        (
            [move(8, -5, DORM), goes(60, TOWN)],
            leave(1, 0, 120),
            [(60, 120, "Town", "Day Leave"), (120, None, "Town", "")],
        ),
        ([goes(-30, TOWN), goes(40, DORM, number=10)], leave(1, 0, 120), [(-30, 40, "Town", "Day Leave")]),
        # Out of one place, and into the next.
        (
            [goes(5, DORM, kind="out"), goes(5, TOWN, number=10), goes(60, DORM, number=11)],
            leave(1, 0, 60, place=TOWN),
            [(5, 60, "Town", "Day Leave")],
        ),
        # Out of town to the health centre: not in town any more.
        (
            [move(8, -20, TOWN), goes(5, NURSE)],
            leave(1, 0, 60, place=NURSE),
            [(-20, 5, "Town", ""), (5, 60, "", "Day Leave")],
        ),
    ],
)
def test_a_pass_begins_with_the_movement_that_names_it(
    given_moves: list[dict[str, Any]], of_pass: Pass, expected: list[Any]
) -> None:
    assert spells(periods_away(given_moves, [of_pass], PLACES)) == expected


@pytest.mark.parametrize(
    ("given_moves", "of_pass", "expected"),
    [
        # The way back is the way back, although nobody signed out.
        ([goes(40, DORM)], leave(1, 0, 40), [(0, 40, "", "Day Leave")]),
        ([goes(40, DORM)], leave(1, 0, 60), [(0, 40, "", "Day Leave")]),
        ([goes(40, DORM)], leave(1, 0, 60, place=TOWN), [(0, 40, "", "Day Leave")]),
        ([goes(5, DORM)], leave(1, 0, 60, place=TOWN), [(0, 5, "", "Day Leave")]),
        ([goes(40, None)], leave(1, 0, 60), [(0, 40, "", "Day Leave")]),
        ([goes(40, None, kind="out")], leave(1, 0, 60, place=TOWN), [(0, 40, "", "Day Leave")]),
        (
            [move(8, 0, TOWN), goes(40, TOWN, kind="out")],
            leave(1, 0, 60),
            [(0, 40, "Town", "Day Leave")],
        ),
        # What does not name the pass, or is another student's, says what it always said.
        ([move(8, 2, NURSE)], leave(1, 0, 60, place=NURSE), [(0, 2, "", "Day Leave")]),
        (
            [move(8, 2, NURSE, student=8, of_pass=1)],
            leave(1, 0, 60, place=NURSE),
            [(0, 60, "", "Day Leave")],
        ),
        # It was for an earlier plan, or it is so late that the way out may be older than what was read.
        ([goes(-90, NURSE), move(8, -80, DORM)], leave(1, 0, 60, place=NURSE), [(0, 60, "", "Day Leave")]),
        (
            [goes(5000, TOWN)],
            leave(1, 0, 9000),
            [(0, 5000, "", "Day Leave"), (5000, 9000, "Town", "Day Leave"), (9000, None, "Town", "")],
        ),
        # Orah's own.
        ([goes(RESET, NURSE)], leave(1, 235, 300, place=NURSE), [(235, 300, "", "Day Leave")]),
    ],
)
def test_any_other_movement_of_a_pass_is_no_way_out(
    given_moves: list[dict[str, Any]], of_pass: Pass, expected: list[Any]
) -> None:
    assert spells(periods_away(given_moves, [of_pass], PLACES)) == expected


def test_a_pass_rests_on_the_movement_that_it_began_with() -> None:
    (one,) = periods_away([goes(2, NURSE)], [leave(1, 0, 60, place=NURSE)], PLACES)
    assert (one.evidence, one.known_from) == (("p1", "m9"), at(2))


# --- whatever happens


@often
@given(moves, passes, st.data())
def test_whatever_names_a_pass_periods_are_in_order_apart_and_rest_on_what_was_seen(
    given_moves: list[dict[str, Any]], given_passes: list[Pass], data: st.DataObject
) -> None:
    numbers = st.sampled_from([None, *(one.leave_id for one in given_passes)])
    given_moves = [
        record if (number := data.draw(numbers)) is None else {**record, "leave": {"id": number}}
        for record in given_moves
    ]
    status, place = st.sampled_from(["Active", "Ended", "Late"]), st.sampled_from([None, NURSE, DORM, TOWN])
    given_passes = [
        replace(one, status=data.draw(status), place_id=data.draw(place))
        for one in given_passes
        if one.counts
    ]
    rolls = [seen(minutes) for minutes in data.draw(st.lists(st.sampled_from([15, 60, 130]), max_size=2))]
    found = periods_away(given_moves, given_passes, PLACES, rolls)
    assert periods_away(given_moves[::-1], given_passes[::-1], PLACES, rolls) == found
    known = {f"m{one['id']}" for one in given_moves} | {f"p{one.leave_id}" for one in given_passes}
    for period in found:
        assert period.end is None or period.start < period.end
        assert period.evidence
        assert known.issuperset(period.evidence)
        assert period.known_from is not None
        assert period.known_from <= period.start
        assert period.place or period.pass_type
        assert not (period.overdue and period.place)
    for earlier, later in pairwise(found):
        if earlier.orah_id == later.orah_id:
            assert earlier.end is not None
            assert earlier.end <= later.start


# --- overdue


@pytest.mark.parametrize("status", ["Active", "Overdue", "Late"])
@pytest.mark.parametrize(
    ("given_moves", "rolls", "ends"),
    [
        ([], [], 60 + END),
        ([move(8, 90, DORM)], [], 90),
        ([move(8, 90, None, kind="out")], [], 90),
        ([move(8, RESET, DORM)], [], RESET),
        ([], [seen(90)], 90),
        ([], [seen(90, "Late")], 90),
        ([], [seen(90, "Absent")], 60 + END),
        # Somebody has seen the student before, who was perhaps never gone.
        ([], [seen(30)], None),
    ],
)
def test_who_is_not_back_by_the_planned_end_is_overdue(
    given_moves: list[dict[str, Any]], rolls: list[RollResult], ends: float | None, status: str
) -> None:
    found = periods_away(given_moves, [leave(1, 0, 60, status=status)], PLACES, rolls)
    overdue = [] if ends is None else [(60, ends, "", "overdue")]
    assert spells(found) == [(0, 60, "", "Day Leave"), *overdue]


def test_a_pass_that_is_over_ends_when_it_ended_and_a_known_place_needs_no_pass() -> None:
    assert spells(periods_away([], [leave(1, 0, 60)], PLACES)) == [(0, 60, "", "Day Leave")]
    in_town = [move(8, 10, TOWN)]
    still_out = [(0, 10, "", "Day Leave"), (10, 60, "Town", "Day Leave"), (60, None, "Town", "")]
    for status in ("Ended", "Overdue"):
        assert spells(periods_away(in_town, [leave(1, 0, 60, status=status)], PLACES)) == still_out
    # Whoever is seen to go somewhere is there, and no longer overdue.
    later = periods_away([move(8, 90, HOME), move(9, 99, DORM)], [leave(1, 0, 60, status="Late")], PLACES)
    assert spells(later)[1:] == [(60, 90, "", "overdue"), (90, 99, "Home", "")]


def test_another_pass_comes_before_one_that_is_overdue() -> None:
    two = [leave(1, 0, 60, status="Overdue"), leave(2, 50, 90, kind="Weekend")]
    assert spells(periods_away([], two, PLACES)) == [
        (0, 50, "", "Day Leave"),
        (50, 90, "", "Weekend"),
        (90, 60 + END, "", "overdue"),
    ]


def test_a_pass_may_begin_after_its_planned_end() -> None:
    late = leave(1, 0, 30, status="Overdue", place=NURSE)
    assert spells(periods_away([goes(40, NURSE)], [late], PLACES)) == [(40, 30 + END, "", "overdue")]


def test_of_one_that_is_overdue_who_took_the_roll_knows_better() -> None:
    found = periods_away([], [leave(1, 0, 60, status="Overdue")], PLACES)
    (missed,) = missed_meetings(found, [meeting(60, 120)], now=at(200))
    assert (missed.share, missed.share_on_pass) == (1.0, 0.0)
