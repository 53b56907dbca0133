"""Which rows a push looks at, and why one that we wrote stays, waits, or goes back."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.attendance.items import DOUBT, Links, items, place_of, read_links, row_key
from vx_pipeline.attendance.looked_at import Item
from vx_pipeline.attendance.missed import Meeting
from vx_pipeline.attendance.reading import OrahSays
from vx_pipeline.attendance.wanted import Outcome, Wanted
from vx_pipeline.journal.marks import Because, Mark, OurMark
from vx_pipeline_tests.attendance.moving import START, meeting, often

LESSON = meeting(0, 60)
"""Student 1, whose record in Orah is 7."""

LINKS = Links({1: 7, 2: 8}, {7: 1, 8: 2}, frozenset())


def wanted(lesson: Meeting = LESSON, outcome: Outcome = Outcome.ABSENT, share: float = 1.0) -> Wanted:
    return Wanted(lesson, outcome, "movement", "Town", "Excused", share, ("m1",), START)


def mark(
    lesson: Meeting = LESSON, *evidence: str, number: int = 9, cause: str = "absent|movement|Town"
) -> OurMark:
    because = Because(cause, evidence or ("m1",), START)
    unmarked = Mark(number, "1", None, ours=False)
    return OurMark(Mark(number, "2", "[via Orah]", ours=True), place_of(lesson), because, unmarked)


def says(*shown: str, unread: Iterable[str] = ()) -> OrahSays:
    return OrahSays([], [], frozenset(shown), frozenset(unread), 0)


def never(attendance_id: int) -> timedelta:
    raise AssertionError(f"nobody doubts {attendance_id}")


def look(
    said: Iterable[Wanted] = (),
    ours: Iterable[OurMark] = (),
    meetings: Iterable[Meeting] = (LESSON,),
    *,
    shown: OrahSays | None = None,
    links: Links = LINKS,
    doubt: Callable[[int], timedelta] = never,
) -> list[Item]:
    return items(said, ours, meetings, says=shown or says("m1"), links=links, words={}, doubt=doubt)


# --- which rows


def test_a_row_that_orah_speaks_of_and_a_row_that_is_ours_are_looked_at_once() -> None:
    (item,) = look([wanted()], [mark()])
    assert item == Item(place_of(LESSON), wanted(), mark(), {}, "", waits=False)
    assert look() == []


def test_of_two_meetings_in_one_block_the_graver_counts() -> None:
    other = replace(LESSON, starts_at=LESSON.ends_at, ends_at=LESSON.ends_at + timedelta(hours=1))
    late, absent = wanted(LESSON, Outcome.LATE, 0.4), wanted(other, Outcome.ABSENT, 0.6)
    for said in ([late, absent], [absent, late]):
        assert [one.wanted for one in look(said)] == [absent]
    most = wanted(LESSON, Outcome.ABSENT, 0.9)
    assert [one.wanted for one in look([most, absent])] == [most]


def test_a_row_is_ours_whichever_record_it_was_written_for() -> None:
    moved = replace(LESSON, orah_id=70)
    links = Links({1: 70}, {70: 1}, frozenset())
    (item,) = look([wanted(moved, Outcome.PRESENT)], [mark()], [moved], links=links)
    assert (item.place.orah_id, item.ours, item.leave, item.restores) == (70, mark(), "", True)
    (item,) = look([wanted(moved)], [mark()], [moved], links=links)
    assert (item.place.orah_id, item.ours, item.leave) == (70, mark(), "")
    # The other record says nothing: a person says what becomes of the mark, until the earlier is somebody else's.
    (item,) = look([], [mark()], [moved], links=links)
    assert (item.place.orah_id, item.wanted, item.leave) == (7, None, "")
    assert "moved to another record" in item.asks
    for known in (
        Links({1: 70, 2: 7}, {70: 1, 7: 2}, frozenset()),
        replace(links, denied=frozenset({(1, 7)})),
    ):
        (item,) = look([], [mark()], [moved], links=known)
        assert (item.wanted, item.leave, item.asks) == (None, "", "")


# --- why a row stays


NOT_LINKED = Links({2: 8}, {8: 2}, frozenset())
MOVED = Links({1: 70}, {70: 1}, frozenset())
"""The student's record is another one by now, and nobody said whose the earlier one is."""
IN_DOUBT = Links({2: 8}, {8: 2}, frozenset({1}))


@pytest.mark.parametrize(
    ("links", "meetings", "shown", "words"),
    [
        (LINKS, [LESSON], says("m1"), ""),
        (NOT_LINKED, [LESSON], says("m1"), "link is in doubt or gone"),
        (IN_DOUBT, [], says("m1"), "link is in doubt or gone"),
        (LINKS, [], says("m1"), "does not meet then any more"),
        (LINKS, [LESSON], says(unread=["m"]), "was not read from Orah"),
        # A link that is known to be wrong is no reason to wait for anything.
        (replace(LINKS, denied=frozenset({(1, 7)})), [], says(unread=["m"]), ""),
        (Links({2: 7}, {7: 2}, frozenset({1})), [], says(unread=["m"]), ""),
        (replace(MOVED, denied=frozenset({(1, 7)})), [], says(unread=["m"]), ""),
        (
            replace(MOVED, second=frozenset({(1, 7)})),
            [LESSON],
            says("m1"),
            "second record of the same student",
        ),
        (MOVED, [LESSON], says("m1"), ""),
        (MOVED, [], says("m1"), "does not meet then any more"),
        (MOVED, [LESSON], says(unread=["m"]), "was not read from Orah"),
    ],
)
def test_a_row_goes_back_only_when_it_is_certain(
    links: Links, meetings: list[Meeting], shown: OrahSays, words: str
) -> None:
    (item,) = look([], [mark()], meetings, links=links, shown=shown)
    assert bool(item.leave) == bool(words)
    assert words in item.leave
    assert not item.waits


@pytest.mark.parametrize("outcome", [Outcome.PRESENT, Outcome.LATE])
def test_a_roll_of_which_others_are_not_understood_is_followed_by_whom_it_names(outcome: Outcome) -> None:
    by_roll = mark(LESSON, "r1", cause="absent|roll|Nurse|Excused")
    now = Wanted(LESSON, outcome, "roll", "", None, 0.0, ("r1",), START)
    (item,) = look([now], [by_roll], shown=says(unread=["r1"]))
    assert (item.leave, item.waits) == ("", False)
    # Whoever it does not name any more may be the one who is not understood.
    (item,) = look([], [by_roll], shown=says(unread=["r1"]))
    assert "was not read from Orah" in item.leave


@pytest.mark.parametrize(
    ("missing_for", "waits"), [(timedelta(), True), (DOUBT - timedelta(seconds=1), True), (DOUBT, False)]
)
def test_evidence_must_be_missing_for_a_while(missing_for: timedelta, *, waits: bool) -> None:
    asked: list[int] = []

    def doubt(attendance_id: int) -> timedelta:
        asked.append(attendance_id)
        return missing_for

    (item,) = look([], [mark(LESSON, "m1", "m2")], shown=says("m1"), doubt=doubt)
    assert (item.waits, bool(item.leave), asked) == (waits, waits, [9])


def test_nobody_doubts_what_orah_still_says_or_has_shown() -> None:
    assert [one.waits for one in look([wanted()], [mark()], shown=says())] == [False]
    assert [one.waits for one in look([], [mark()], shown=says("m1"))] == [False]


def test_another_word_waits_for_what_the_mark_rests_on() -> None:
    other = replace(wanted(LESSON, Outcome.LATE), evidence=("m2",))
    (item,) = look([other], [mark()], shown=says("m2"), doubt=lambda _: timedelta())
    assert (item.waits, bool(item.leave)) == (True, True)
    (item,) = look([other], [mark()], shown=says("m1"))
    assert (item.waits, item.leave, item.wanted) == (False, "", other)


# --- whatever there is


LESSONS = [meeting(0, 60, orah_id=orah_id, block=block) for orah_id in (7, 8) for block in ("4", "5")]


@often
@given(
    st.lists(st.builds(wanted, st.sampled_from(LESSONS), st.sampled_from(Outcome)), max_size=6),
    st.sets(st.sampled_from(range(4))),
    st.sets(st.sampled_from(range(4))),
    st.sampled_from([LINKS, NOT_LINKED, IN_DOUBT, replace(LINKS, denied=frozenset({(1, 7)}))]),
    st.sampled_from([says("m1"), says(), says(unread=["m"])]),
    st.sampled_from([timedelta(), DOUBT]),
)
def test_every_row_once_and_none_is_forgotten(
    said: list[Wanted],
    written: set[int],
    met: set[int],
    links: Links,
    shown: OrahSays,
    missing_for: timedelta,
) -> None:
    ours = [mark(LESSONS[number], number=number) for number in sorted(written)]
    found = look(
        said,
        ours,
        [LESSONS[number] for number in met],
        shown=shown,
        links=links,
        doubt=lambda _: missing_for,
    )
    rows = [row_key(item.place) for item in found]
    assert len(set(rows)) == len(rows)
    # Of who was there a row says so already, unless we wrote something else.
    graver = {row_key(place_of(one.meeting)) for one in said if one.outcome is not Outcome.PRESENT}
    assert set(rows) == graver | {row_key(one.place) for one in ours}
    for item in found:
        assert (item.wanted is None) <= (item.ours is not None)
        assert item.waits <= bool(item.leave)
        # Without a mark of ours there is nothing to leave.
        assert bool(item.leave) <= (item.ours is not None)


def test_links_in_doubt_are_no_links(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    connection.execute(
        "CREATE OR REPLACE TABLE matching.student_links "
        "AS FROM (VALUES (1, 7, NULL), (2, 8, 'another record')) t(veracross_id, orah_id, contested)"
    )
    assert read_links(connection) == Links({1: 7}, {7: 1}, frozenset({2}))
