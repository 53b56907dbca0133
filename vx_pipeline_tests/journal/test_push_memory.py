"""What one push leaves to the next: doubts, days without a match, passes, due moments. And which marks are ours."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.due_pushes import (
    EVERYBODY,
    begin_push,
    plan_push,
    pushes_due,
    pushes_owed,
    wish_push,
)
from vx_pipeline.journal.marks import (
    Because,
    Mark,
    OurMark,
    Place,
    days_marked_by_another_link,
    last_mark,
    marked_days,
    our_marks,
    record_mark,
)
from vx_pipeline.journal.push_memory import (
    days_without_match,
    doubted_since,
    forget_days_before,
    forget_unmatched,
    note_pass,
    note_unmatched,
    passes_to_read,
    trust_again,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
NORTH, SOUTH = "north", "south"


def later(**passed: float) -> datetime:
    return NOW + timedelta(**passed)


# --- doubts


def test_a_doubt_begins_once_and_lasts_until_the_evidence_is_there_again(journal: Journal) -> None:
    assert doubted_since(journal, NORTH, 9, at=NOW) == NOW
    assert doubted_since(journal, NORTH, 9, at=later(minutes=6)) == NOW
    assert doubted_since(journal, SOUTH, 9, at=later(minutes=6)) == later(minutes=6)
    assert doubted_since(journal, NORTH, 10, at=later(minutes=6)) == later(minutes=6)
    trust_again(journal, NORTH, [9])
    assert doubted_since(journal, NORTH, 9, at=later(minutes=7)) == later(minutes=7)
    assert doubted_since(journal, SOUTH, 9, at=later(minutes=8)) == later(minutes=6)
    trust_again(journal, NORTH, [])
    assert doubted_since(journal, NORTH, 10, at=later(minutes=8)) == later(minutes=6)


# --- days without a match


def test_days_without_a_match_wait_until_they_are_pushed_with_a_link(journal: Journal) -> None:
    tomorrow = DAY + timedelta(days=1)
    for _ in range(2):
        note_unmatched(journal, NORTH, DAY, [7, 8, 7], at=NOW)
    note_unmatched(journal, NORTH, tomorrow, [7], at=NOW)
    note_unmatched(journal, SOUTH, DAY, [9], at=NOW)
    note_unmatched(journal, NORTH, DAY, [], at=NOW)
    assert days_without_match(journal, NORTH, first=DAY) == {7: (DAY, tomorrow), 8: (DAY,)}
    assert days_without_match(journal, NORTH, first=tomorrow) == {7: (tomorrow,)}
    forget_unmatched(journal, SOUTH, DAY, [7, 8])
    forget_unmatched(journal, NORTH, DAY, [7])
    assert days_without_match(journal, NORTH, first=DAY) == {7: (tomorrow,), 8: (DAY,)}
    assert days_without_match(journal, SOUTH, first=DAY) == {9: (DAY,)}


# --- passes


def test_a_pass_of_which_only_the_id_is_known_is_read(journal: Journal) -> None:
    note_pass(journal, NORTH, 5, at=NOW)
    assert passes_to_read(journal, NORTH, first=NOW, last=later(days=1)) == {5: None}
    assert passes_to_read(journal, NORTH, first=NOW, last=later(days=1), orah_ids=[7]) == {5: None}
    assert passes_to_read(journal, SOUTH, first=NOW, last=later(days=1)) == {}


@pytest.mark.parametrize(
    ("starts", "ends", "is_read"),
    [
        (-1, 1, True),
        (0, 0, True),
        (24, 30, True),
        (25, 30, False),
        # Somebody may have prolonged it.
        (-60, -1, True),
        (-60, -48, True),
        (-60, -49, False),
        (-500, None, True),
        (25, None, False),
    ],
)
def test_a_pass_is_read_while_it_may_reach_into_the_time(
    journal: Journal, starts: float, ends: float | None, *, is_read: bool
) -> None:
    note_pass(
        journal,
        NORTH,
        5,
        at=NOW,
        orah_id=7,
        starts_at=later(hours=starts),
        ends_at=None if ends is None else later(hours=ends),
    )
    found = passes_to_read(journal, NORTH, first=NOW, last=later(hours=24))
    assert found == ({5: 7} if is_read else {})


def test_what_was_read_last_counts_and_an_id_alone_changes_nothing(journal: Journal) -> None:
    def to_read(**options: list[int]) -> dict[int, int | None]:
        return passes_to_read(journal, NORTH, first=NOW, last=later(hours=24), **options)

    note_pass(journal, NORTH, 5, at=NOW, orah_id=7, starts_at=later(hours=-99), ends_at=later(hours=-90))
    assert to_read() == {}
    note_pass(journal, NORTH, 5, at=NOW)
    assert to_read() == {}
    note_pass(journal, NORTH, 5, at=NOW, orah_id=7, starts_at=later(hours=-99), ends_at=later(hours=2))
    assert to_read() == {5: 7}
    assert (to_read(orah_ids=[7]), to_read(orah_ids=[8])) == ({5: 7}, {})
    note_pass(journal, NORTH, 5, at=NOW, orah_id=7, starts_at=later(hours=-99), ends_at=None)
    assert passes_to_read(journal, NORTH, first=later(days=300), last=later(days=301)) == {5: 7}


# --- due moments


def test_a_student_is_due_at_the_moment_that_the_last_push_said(journal: Journal) -> None:
    tomorrow = DAY + timedelta(days=1)
    plan_push(journal, NORTH, DAY, {7: NOW, 8: later(minutes=5)}, looked_at=None)
    plan_push(journal, NORTH, tomorrow, {7: NOW}, looked_at=None)
    plan_push(journal, SOUTH, DAY, {9: NOW}, looked_at=None)
    assert pushes_due(journal, NORTH, now=later(seconds=-1)) == {}
    assert pushes_due(journal, NORTH, now=NOW) == {DAY: {7: NOW}, tomorrow: {7: NOW}}
    assert pushes_due(journal, NORTH, now=later(minutes=5))[DAY] == {7: NOW, 8: later(minutes=5)}
    # A push of one student says nothing of the others, nor of other days and schools.
    plan_push(journal, NORTH, DAY, {}, looked_at=[7])
    assert pushes_due(journal, NORTH, now=later(minutes=5)) == {
        DAY: {8: later(minutes=5)},
        tomorrow: {7: NOW},
    }
    plan_push(journal, NORTH, DAY, {8: later(hours=1)}, looked_at=[8])
    assert DAY not in pushes_due(journal, NORTH, now=later(minutes=5))
    plan_push(journal, NORTH, DAY, {}, looked_at=None)
    plan_push(journal, NORTH, tomorrow, {}, looked_at=None)
    assert pushes_due(journal, NORTH, now=later(days=9)) == {}
    assert pushes_due(journal, SOUTH, now=later(days=9)) == {DAY: {9: NOW}}


def test_what_a_look_wishes_is_due_again_until_a_push_that_knows_of_it_comes_through(
    journal: Journal,
) -> None:
    def wish(orah_id: int, **passed: float) -> None:
        at = later(**passed)
        wish_push(journal, NORTH, DAY, [orah_id], at=at, due_at=at + timedelta(minutes=15))

    plan_push(journal, NORTH, DAY, {7: later(minutes=5)}, looked_at=None)
    for one in (7, 8, EVERYBODY):
        wish(one)
    due = {EVERYBODY: later(minutes=15), 7: later(minutes=5), 8: later(minutes=15)}
    assert pushes_due(journal, NORTH, now=later(minutes=15)) == {DAY: due}, "never later than before"
    begin_push(journal, NORTH, DAY, [7, 8], at=later(minutes=6), due_at=later(minutes=21))
    due |= {7: later(minutes=21)}
    assert pushes_due(journal, NORTH, now=later(minutes=21)) == {DAY: due}
    wish(8, minutes=7)
    plan_push(journal, NORTH, DAY, {7: later(hours=2)}, looked_at=[7, 8], read_at=later(minutes=6))
    due = {EVERYBODY: later(minutes=15), 7: later(hours=2), 8: later(minutes=15)}
    assert pushes_due(journal, NORTH, now=later(hours=2)) == {DAY: due}, "8 moved while the push was at work"
    assert pushes_owed(journal, NORTH, before=later(seconds=1)) == {DAY: 2}
    assert pushes_owed(journal, NORTH, before=NOW) == pushes_owed(journal, SOUTH, before=later(days=1)) == {}
    plan_push(journal, NORTH, DAY, {}, looked_at=None, read_at=later(minutes=8))
    assert pushes_due(journal, NORTH, now=later(days=9)) == {}
    assert pushes_owed(journal, NORTH, before=later(days=9)) == {}


def test_what_lies_outside_every_window_is_forgotten(journal: Journal) -> None:
    before = DAY - timedelta(days=1)
    for school in (NORTH, SOUTH):
        for day in (before, DAY):
            note_unmatched(journal, school, day, [7], at=NOW)
            plan_push(journal, school, day, {7: NOW}, looked_at=None)
        note_pass(journal, school, 5, at=later(days=-29))
        note_pass(journal, school, 6, at=later(days=-31))
    forget_days_before(journal, NORTH, DAY)
    assert days_without_match(journal, NORTH, first=before) == {7: (DAY,)}
    assert list(pushes_due(journal, NORTH, now=NOW)) == [DAY]
    assert passes_to_read(journal, NORTH, first=NOW, last=NOW) == {5: None}
    assert days_without_match(journal, SOUTH, first=before) == {7: (before, DAY)}
    assert list(pushes_due(journal, SOUTH, now=NOW)) == [before, DAY]
    assert passes_to_read(journal, SOUTH, first=NOW, last=NOW) == {5: None, 6: None}


# --- which marks are ours


PLACE = Place(student_id=1, orah_id=7, class_id=40, attendance_date=DAY, block_id="4")
BECAUSE = Because("absent|movement|Town", ("m1", "p2"), NOW)
UNMARKED, ABSENT, LATE = (
    Mark(9, "1", None, ours=False),
    Mark(9, "2", "[via Orah]", ours=True),
    Mark(9, "3", "[via Orah]", ours=True),
)


def see(journal: Journal, mark: Mark, *, school: str = NORTH, place: Place = PLACE) -> None:
    record_mark(journal, school, replace(mark, ours=False), at=NOW, place=place)


def write(journal: Journal, mark: Mark, *, place: Place = PLACE, because: Because = BECAUSE) -> None:
    record_mark(journal, NORTH, mark, at=NOW, place=place, because=because)


def test_a_row_is_ours_with_why_and_with_what_it_goes_back_to(journal: Journal) -> None:
    see(journal, UNMARKED)
    assert our_marks(journal, NORTH, DAY) == []
    write(journal, ABSENT)
    assert our_marks(journal, NORTH, DAY) == [OurMark(ABSENT, PLACE, BECAUSE, UNMARKED)]
    corrected = Because("late|roll|Bus", ("r3",), later(hours=1))
    write(journal, LATE, because=corrected)
    assert our_marks(journal, NORTH, DAY) == [OurMark(LATE, PLACE, corrected, UNMARKED)]
    assert last_mark(journal, NORTH, 9) == LATE


def test_a_row_goes_back_to_the_last_state_that_was_not_ours(journal: Journal) -> None:
    theirs = Mark(9, "3", "spoke to her", ours=False)
    see(journal, UNMARKED)
    write(journal, ABSENT)
    see(journal, theirs)
    write(journal, ABSENT)
    assert [one.origin for one in our_marks(journal, NORTH, DAY)] == [theirs]


def test_a_row_that_went_back_is_not_ours_any_more(journal: Journal) -> None:
    see(journal, UNMARKED)
    write(journal, ABSENT)
    record_mark(journal, NORTH, UNMARKED, at=NOW, place=PLACE)
    assert our_marks(journal, NORTH, DAY) == []
    assert last_mark(journal, NORTH, 9) == UNMARKED


def test_a_row_that_we_never_saw_unmarked_is_nothing_to_go_back_to(journal: Journal) -> None:
    write(journal, ABSENT)
    # As an earlier version noted it: nobody knows of whom it tells.
    record_mark(journal, NORTH, replace(UNMARKED, attendance_id=10), at=NOW)
    record_mark(journal, NORTH, replace(ABSENT, attendance_id=10), at=NOW)
    assert our_marks(journal, NORTH, DAY) == []
    assert last_mark(journal, NORTH, 10) == replace(ABSENT, attendance_id=10)


def test_our_marks_are_those_of_a_day_a_school_and_these_students(journal: Journal) -> None:
    places = {
        9: PLACE,
        10: replace(PLACE, student_id=2, orah_id=8),
        11: replace(PLACE, attendance_date=DAY + timedelta(days=1)),
    }
    for number, place in reversed(places.items()):
        see(journal, replace(UNMARKED, attendance_id=number), place=place)
        write(journal, replace(ABSENT, attendance_id=number), place=place)

    def rows(**who: object) -> list[int]:
        return [one.mark.attendance_id for one in our_marks(journal, NORTH, DAY, **who)]  # type: ignore[arg-type]

    assert rows() == [9, 10]
    assert rows(orah_ids=[8]) == [10]
    # Also what was written for a student while the record was taken for another's.
    assert rows(orah_ids=[8], student_ids=[1]) == [9, 10]
    assert rows(orah_ids=[]) == []
    assert our_marks(journal, SOUTH, DAY) == []


def test_days_with_marks_of_ours_that_rest_on_a_link(journal: Journal) -> None:
    days = [DAY + timedelta(days=number) for number in range(3)]
    for number, day in enumerate(reversed(days)):
        place = replace(PLACE, attendance_date=day)
        see(journal, replace(UNMARKED, attendance_id=20 + number), place=place)
        for _ in range(2):
            write(journal, replace(ABSENT, attendance_id=20 + number), place=place)
    see(journal, UNMARKED, place=replace(PLACE, attendance_date=DAY + timedelta(days=9)))

    def found(student_id: int = 1, orah_id: int = 7, first: date = DAY) -> tuple[date, ...]:
        return marked_days(journal, NORTH, student_id=student_id, orah_id=orah_id, first=first)

    assert found() == tuple(days)
    assert found(first=days[1]) == tuple(days[1:])
    assert found(student_id=2) == found(orah_id=8) == ()
    assert marked_days(journal, SOUTH, student_id=1, orah_id=7, first=DAY) == ()


def test_days_marked_by_another_link(journal: Journal) -> None:
    by_days = [PLACE, replace(PLACE, orah_id=8), replace(PLACE, student_id=2)]
    by_days += [replace(PLACE, student_id=2, orah_id=8)]
    for number, place in enumerate(by_days):
        day = DAY + timedelta(days=number)
        write(journal, replace(ABSENT, attendance_id=20 + number), place=replace(place, attendance_date=day))
    days = [DAY + timedelta(days=number) for number in (1, 2)]

    def found(school: str = NORTH, first: date = DAY) -> tuple[date, ...]:
        return days_marked_by_another_link(journal, school, student_id=1, orah_id=7, first=first)

    assert found() == tuple(days)
    assert found(first=days[1]) == tuple(days[1:])
    assert found(SOUTH) == ()


states = st.lists(st.tuples(st.booleans(), st.sampled_from([None, "1", "2"])), max_size=8)


@pytest.fixture(scope="module")
def fresh_school(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[Journal, str]]:
    """One journal for all examples, and a school of its own for each."""
    opened = open_journal(Path(tmp_path_factory.mktemp("journal")))
    schools = iter(range(10_000))
    return lambda: (opened, f"school {next(schools)}")


@settings(max_examples=40, deadline=None)
@given(states)
def test_the_newest_state_tells_whose_a_row_is(
    fresh_school: Callable[[], tuple[Journal, str]], given_states: list[tuple[bool, str | None]]
) -> None:
    opened, school = fresh_school()
    for is_ours, status in given_states:
        mark = Mark(9, status, None, is_ours)
        record_mark(opened, school, mark, at=NOW, place=PLACE, because=BECAUSE if is_ours else None)
    seen = [status for is_ours, status in given_states if not is_ours]
    found = our_marks(opened, school, DAY)
    if given_states and given_states[-1][0] and seen:
        (one,) = found
        assert (one.mark.status, one.origin.status) == (given_states[-1][1], seen[-1])
        assert not one.origin.ours
    else:
        assert found == []
