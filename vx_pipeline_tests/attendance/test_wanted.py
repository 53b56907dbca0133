"""Which meetings time away covers, when there is something new to say, and what a mark should say at last."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.attendance.absences import Away
from vx_pipeline.attendance.missed import Meeting, left_after, missed_meetings, next_due
from vx_pipeline.attendance.periods import periods_away
from vx_pipeline.attendance.wanted import Outcome, Wanted, rolls_by_meeting, wanted_marks
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.orah.assumed import Pass, RollResult
from vx_pipeline_tests.attendance.moving import PLACES, at, leave, meeting, move, moves, often, passes

POLICY = AttendancePolicy()
LESSON = meeting(0, 60)


def away(first: float, last: float | None, *, kind: str = "", orah_id: int = 7) -> Away:
    """A period in town, on a pass of this kind if one is given."""
    evidence = (f"p{abs(int(first))}",) if kind else (f"m{abs(int(first))}",)
    return Away(orah_id, at(first), None if last is None else at(last), "Town", kind, evidence, at(first))


def roll(
    minutes: float, status: Any = "Absent", *, number: int = 1, until: float | None = None, **values: Any
) -> RollResult:
    return RollResult(
        roll_id=number,
        orah_id=7,
        taken_at=at(minutes),
        ends_at=None if until is None else at(until),
        status=status,
        reason=values.get("reason"),
        reason_type=values.get("reason_type"),
        source=values.get("source", "roll"),
    )


def wanted(
    periods: list[Away] | None = None,
    rolls: list[RollResult] | None = None,
    *,
    now: float = 600,
    policy: AttendancePolicy = POLICY,
) -> Wanted | None:
    found = wanted_marks(periods or [], rolls or [], [LESSON], now=at(now), policy=policy)
    return found[0] if found else None


# --- missed meetings


@pytest.mark.parametrize(
    ("period", "now", "share", "late"),
    [
        ((0, 60), 90, 1.0, 0),
        ((-30, 90), 90, 1.0, 0),
        ((30, 60), 90, 0.5, 0),
        ((-50, 30), 90, 0.5, 0.5),
        ((10, 30), 90, 1 / 3, 0),
        ((-10, 0), 90, None, None),
        ((60, 90), 90, None, None),
        ((0, None), 90, 1.0, 0),
        ((0, None), 15, 0.25, 0),
        # Of a pass that goes on, what is planned is not known yet.
        ((0, 30), 15, 0.25, 0),
        ((0, 30), 30, 0.5, 0.5),
        ((0, 60), -5, None, None),
    ],
)
def test_a_meeting_is_missed_by_its_share_and_never_in_advance(
    period: tuple[int, int | None], now: int, share: float | None, late: float | None
) -> None:
    found = missed_meetings([away(*period)], [LESSON], now=at(now))
    assert [(one.share, one.share_late) for one in found] == ([] if share is None else [(share, late)])


def test_short_absences_add_up_and_other_students_do_not_count() -> None:
    periods = [away(0, 20), away(40, 50, kind="Day Leave"), away(0, 60, orah_id=8)]
    (found,) = missed_meetings(periods, [LESSON], now=at(90))
    assert found.share == 0.5
    assert found.share_on_pass == pytest.approx(1 / 6)
    assert found.share_late == pytest.approx(1 / 3)
    assert found.periods == (periods[0], periods[1])


def test_who_goes_from_one_place_to_another_has_not_come() -> None:
    periods = [away(-10, 10), away(10, 20), away(20, None)]
    for now in (10, 15, 20, 25):
        (found,) = missed_meetings(periods, [LESSON], now=at(now))
        assert found.share_late == 0


# --- what there is to say


@pytest.mark.parametrize(
    ("periods", "rolls", "expected"),
    [
        ([], [], None),
        # By movements: half of it is absent, a tenth of it from its start on is late, anything else is nothing.
        ([away(0, 30)], [], ("absent", "movement", "Town")),
        ([away(0, 29)], [], ("late", "movement", "Town")),
        ([away(0, 6)], [], ("late", "movement", "Town")),
        ([away(0, 5)], [], None),
        ([away(10, 39)], [], None),
        # A minute late, and a short way out later on, is not coming late.
        ([away(0, 1), away(20, 40)], [], None),
        # A roll comes before movements, whatever it says.
        ([away(0, 60)], [roll(1, "Present")], ("present", "roll", "")),
        ([away(0, 60)], [roll(1, "Late", reason="Bus")], ("late", "roll", "Bus")),
        ([], [roll(1, "Absent", reason="Nurse")], ("absent", "roll", "Nurse")),
        # Who took the roll saw the student; whoever leaves after that is gone, unless somebody knew better later.
        ([away(6, 60)], [roll(2, "Present")], ("absent", "movement", "Town")),
        ([away(6, 60)], [roll(2, "Present", source="edit")], ("present", "roll", "")),
        ([away(6, 60)], [roll(2, "Late", reason="Bus")], ("absent", "movement", "Town")),
        ([away(6, 60)], [roll(2, "Late", reason="Bus", source="edit")], ("late", "roll", "Bus")),
        ([away(9, 60)], [roll(2, "Late", reason="Bus", until=8)], ("absent", "movement", "Town")),
        # Who was late came while the roll was taken.
        ([away(6, 60)], [roll(2, "Late", reason="Bus", until=8)], ("late", "roll", "Bus")),
        ([away(-9, 6), away(50, 60)], [roll(2, "Late", reason="Bus")], ("late", "roll", "Bus")),
        ([away(6, 60)], [roll(6, "Present")], ("present", "roll", "")),
        ([away(0, 20), away(40, 60)], [roll(30, "Present")], ("present", "roll", "")),
        ([away(0, 3), away(20, 50)], [roll(10, "Present")], ("absent", "movement", "Town")),
        ([away(0, 20), away(20, 60)], [roll(10, "Present")], ("present", "roll", "")),
        ([away(20, 30), away(30, 60, kind="Trip")], [roll(10, "Present")], ("absent", "pass", "Trip")),
        # A pass comes before a roll where it covers enough, and says by itself what was missed.
        ([away(0, 60, kind="Day Leave")], [roll(1, "Present")], ("absent", "pass", "Day Leave")),
        ([away(0, 29, kind="Day Leave")], [roll(1, "Present")], ("present", "roll", "")),
        ([away(0, 29, kind="Day Leave"), away(29, 60)], [roll(1, "Late")], ("late", "roll", "")),
        (
            [away(0, 25), away(25, 40, kind="Day Leave"), away(41, 60, kind="Weekend")],
            [roll(1, "Present")],
            ("absent", "pass", "Weekend"),
        ),
        (
            [away(0, 28), away(28, 44, kind="Day Leave"), away(44, 60, kind="Weekend")],
            [roll(1, "Present")],
            ("absent", "pass", "Weekend"),
        ),
        ([away(0, 20, kind="Day Leave")], [], ("late", "pass", "Day Leave")),
    ],
)
def test_a_pass_comes_before_a_roll_and_a_roll_before_a_movement(
    periods: list[Away], rolls: list[RollResult], expected: tuple[str, str, str] | None
) -> None:
    found = wanted(periods, rolls)
    assert (found.outcome, found.source, found.name) == expected if found else expected is None
    if found:
        assert found.cause == "|".join(expected or ()) + ("|" if found.source == "roll" else "")


def test_all_periods_behind_a_mark_are_its_evidence() -> None:
    found = wanted([away(0, 20), away(25, 40), away(70, 80)])
    assert found is not None
    assert (found.outcome, set(found.evidence), found.known_from) == (Outcome.ABSENT, {"m0", "m25"}, at(0))


@pytest.mark.parametrize(
    ("reason_type", "found"),
    [("Unexcused", "Unexcused"), ("Not Expected", "Not Expected"), (None, None)],
)
def test_a_rolls_reason_type_is_its_own(reason_type: Any, found: str | None) -> None:
    said = wanted([], [roll(0, "Absent", reason="Nurse", reason_type=reason_type)])
    assert said is not None
    assert (said.reason_type, said.evidence, said.known_from, said.share) == (found, ("r1",), at(0), 1.0)


def test_another_reason_type_is_another_cause_but_no_word_of_an_older_journal_is() -> None:
    said = [wanted([], [roll(0, "Absent", reason_type=kind)]) for kind in ("Excused", "Unexcused", None)]
    for one in said:
        assert one is not None
        assert [other is not None and one.is_said_by(other.cause) for other in said] == [
            one is other for other in said
        ]
        # As marks were noted before reason types were: what was written then is not written again.
        assert one.is_said_by("absent|roll|")
        assert not one.is_said_by("late|roll|")


def test_reason_types_of_places_and_passes_are_the_schools() -> None:
    policy = AttendancePolicy(reason_types={"day leave": "Not Expected", "Town": "Unexcused"})
    on_pass, without = (
        wanted([away(0, 60, kind="Day Leave")], policy=policy),
        wanted([away(0, 60)], policy=policy),
    )
    assert on_pass is not None
    assert without is not None
    assert (on_pass.reason_type, without.reason_type) == ("Not Expected", "Unexcused")


# --- which class a roll was of


NEXT, LATER = meeting(60, 120, block="5", class_id=201), meeting(65, 120, block="5", class_id=202)
OVERLAPPING = meeting(30, 90, block="5", class_id=203)
UNTRACKED = replace(meeting(0, 60, class_id=205), is_tracked=False)


@pytest.mark.parametrize(
    ("result", "meetings", "expected"),
    [
        (roll(0), [LESSON], LESSON),
        (roll(-10), [LESSON], LESSON),
        (roll(-11), [LESSON], None),
        (roll(59), [LESSON], LESSON),
        (roll(60), [LESSON], None),
        (roll(60), [LESSON, NEXT], NEXT),
        (roll(62), [LESSON, LATER], LATER),
        # While one class goes on and the next is about to begin, it is of the one only where it was closed in time.
        (roll(55), [LESSON, NEXT], None),
        (roll(55, until=61), [LESSON, NEXT], None),
        (roll(55, until=64), [LESSON, NEXT], None),
        (roll(55, until=60), [LESSON, NEXT], LESSON),
        (roll(52, until=56), [LESSON, NEXT], LESSON),
        (roll(58, until=64), [LESSON, LATER], LESSON),
        # In two classes at once.
        (roll(40), [LESSON, OVERLAPPING], None),
        (roll(25), [LESSON, OVERLAPPING], None),
        (roll(40, until=70), [LESSON, OVERLAPPING], None),
        (roll(10), [LESSON, replace(LESSON, class_id=204)], None),
        (roll(70), [OVERLAPPING, NEXT, LATER], None),
        # It was over before the class began.
        (roll(-9, until=-5), [LESSON], None),
        (roll(-9, until=0), [LESSON], None),
        (roll(-9, until=1), [LESSON], LESSON),
        (roll(0, until=0), [LESSON], LESSON),
        # A class without attendance has rolls, too, but none where the student belongs in another one.
        (roll(55), [UNTRACKED, NEXT], None),
        (roll(55, until=57), [UNTRACKED, NEXT], UNTRACKED),
        (roll(65), [UNTRACKED, NEXT], NEXT),
        (roll(55), [replace(UNTRACKED, ends_at=at(70)), NEXT], NEXT),
        (roll(20), [LESSON, replace(UNTRACKED, ends_at=at(500))], LESSON),
        # Of another student.
        (roll(0), [replace(LESSON, orah_id=8)], None),
    ],
)
def test_a_roll_counts_for_the_one_class_that_it_can_be_of(
    result: RollResult, meetings: list[Meeting], expected: Meeting | None
) -> None:
    found = rolls_by_meeting([result], meetings)
    assert found == ({expected: result} if expected else {})
    assert rolls_by_meeting([result], meetings[::-1]) == found


def test_a_roll_opened_early_is_of_the_next_class_where_the_one_going_on_has_its_own() -> None:
    own, early = roll(2, "Present", number=1, until=6), roll(57, number=2, until=64)
    assert rolls_by_meeting([early, own], [NEXT, LESSON]) == {LESSON: own, NEXT: early}
    # The same roll, corrected, is no other one.
    again = roll(57, number=1, until=64)
    assert rolls_by_meeting([own, again], [LESSON, NEXT]) == {LESSON: own}
    # And one that has no end tells nothing of its class.
    assert rolls_by_meeting([own, roll(57, number=2)], [LESSON, NEXT]) == {LESSON: own}


def test_where_attendance_is_not_tracked_there_is_nothing_to_mark() -> None:
    said = wanted_marks([away(0, 120)], [roll(1)], [UNTRACKED, NEXT], now=at(600), policy=POLICY)
    assert [(one.meeting, one.source) for one in said] == [(NEXT, "movement")]


def test_the_roll_that_was_taken_last_has_the_word() -> None:
    first, second, third = roll(0, number=5), roll(5, "Present", number=2), roll(5, "Late", number=3)
    assert rolls_by_meeting([third, first, second], [LESSON]) == {LESSON: third}


# --- whatever happens


lessons = st.lists(
    st.tuples(st.sampled_from([0, 30, 60, 100, 230]), st.sampled_from([20, 45, 60]), st.integers(7, 8)),
    min_size=1,
    max_size=4,
    unique=True,
).map(
    lambda found: [
        meeting(first, first + length, orah_id=orah_id, class_id=200 + number)
        for number, (first, length, orah_id) in enumerate(found)
    ]
)
rolls = st.lists(
    st.builds(
        lambda minutes, status, number: roll(minutes, status, number=number),
        st.integers(-15, 300),
        st.sampled_from(["Present", "Late", "Absent"]),
        st.integers(1, 9),
    ),
    max_size=3,
)
policies = st.builds(
    lambda absent, late: AttendancePolicy(absent_share=absent / 100, late_share=min(late, absent) / 100),
    st.integers(1, 100),
    st.integers(1, 100),
)
nows = st.integers(-20, 320)


@often
@given(moves, passes, rolls, lessons, policies, nows)
def test_shares_are_shares_and_what_is_said_follows_from_them(
    given_moves: list[dict[str, Any]],
    given_passes: list[Pass],
    given_rolls: list[RollResult],
    meetings: list[Meeting],
    policy: AttendancePolicy,
    now: int,
) -> None:
    periods = periods_away(given_moves, given_passes, PLACES)
    missed = {one.meeting: one for one in missed_meetings(periods, meetings, now=at(now))}
    taken = rolls_by_meeting(given_rolls, meetings)
    said = wanted_marks(periods, given_rolls, meetings, now=at(now), policy=policy)
    assert len({one.meeting for one in said}) == len(said)
    for one in missed.values():
        assert 0 < one.share <= 1
        assert 0 <= one.share_on_pass <= one.share
        assert 0 <= one.share_late <= one.share
        assert one.meeting.starts_at < at(now)
        assert all(period.orah_id == one.meeting.orah_id for period in one.periods)
    for word in said:
        if word.source == "roll":
            assert word.outcome == taken[word.meeting].status.lower()
            continue
        found = missed[word.meeting]
        assert word.outcome is not Outcome.PRESENT
        assert word.evidence
        assert word.known_from < at(now)
        needed = policy.absent_share if word.outcome is Outcome.ABSENT else policy.late_share
        assert found.share >= needed
        # A roll is overruled by a pass alone, unless it saw the student: who leaves afterwards is gone.
        on_pass = word.source == "pass" and found.share_on_pass >= needed
        assert word.meeting not in taken or taken[word.meeting].status != "Absent" or on_pass


@often
@given(moves, passes, rolls, lessons, policies, nows, st.data())
def test_nothing_changes_before_the_due_moment(
    given_moves: list[dict[str, Any]],
    given_passes: list[Pass],
    given_rolls: list[RollResult],
    meetings: list[Meeting],
    policy: AttendancePolicy,
    now: int,
    data: st.DataObject,
) -> None:
    """What a push finds now, a later one finds, too, up to the due moment, as long as nobody moves."""
    periods = periods_away(given_moves, given_passes, PLACES)

    def outcomes(moment: datetime) -> dict[tuple[int, Meeting], Outcome]:
        said = wanted_marks(periods, given_rolls, meetings, now=moment, policy=policy)
        return {(one.meeting.orah_id, one.meeting): one.outcome for one in said}

    due = next_due(periods, meetings, now=at(now), absent_share=policy.absent_share)
    later = at(data.draw(st.integers(now, 600)))
    for orah_id in (7, 8):
        last = min(later, due.get(orah_id, later) - timedelta(microseconds=1))
        assert {key: word for key, word in outcomes(last).items() if key[0] == orah_id} == {
            key: word for key, word in outcomes(at(now)).items() if key[0] == orah_id
        }


@often
@given(moves, passes, lessons, policies, nows)
def test_at_the_due_moment_there_is_something_to_look_at(
    given_moves: list[dict[str, Any]],
    given_passes: list[Pass],
    meetings: list[Meeting],
    policy: AttendancePolicy,
    now: int,
) -> None:
    periods = periods_away(given_moves, given_passes, PLACES)

    def looks(moment: datetime, orah_id: int) -> list[tuple[Meeting, bool, bool]]:
        return [
            (one.meeting, one.share >= policy.absent_share, one.share_on_pass >= policy.absent_share)
            for since in [at(-99), *(one.start for one in periods)]
            for one in missed_meetings(
                [
                    one
                    for student in (7, 8)
                    for one in left_after([one for one in periods if one.orah_id == student], since)
                ],
                meetings,
                now=moment,
            )
            if one.meeting.orah_id == orah_id
        ]

    due = next_due(periods, meetings, now=at(now), absent_share=policy.absent_share)
    for orah_id, moment in due.items():
        assert moment > at(now)
        own = [one for one in meetings if one.orah_id == orah_id]
        assert any(one.starts_at < moment <= one.ends_at for one in own)
        assert any(one.orah_id == orah_id and one.end == moment for one in periods) or (
            looks(moment, orah_id) != looks(moment - timedelta(minutes=1), orah_id)
        )


@pytest.mark.parametrize(
    ("given_moves", "given_passes", "now", "due"),
    [
        ([move(1, -10, 2)], [], -5, 30),
        ([move(1, -10, 2)], [], 29, 30),
        ([move(1, -10, 2)], [], 30, None),
        ([move(1, 20, 2)], [], 25, 50),
        ([move(1, 40, 2)], [], 45, None),
        ([move(1, 0, 2), move(2, 20, 1), move(3, 30, 2)], [], 35, 40),
        ([move(1, 0, 2), move(2, 20, 1)], [], 25, None),
        # Half of it since leaving again: then a roll that was taken in between does not count any more.
        ([move(1, 0, 2), move(2, 10, 1), move(3, 15, 2)], [], 20, 35),
        ([move(1, 0, 2), move(2, 10, 1), move(3, 15, 2)], [], 35, 45),
        # The planned end of a pass: who has not been seen to come is late by then.
        ([], [leave(1, -10, 20)], -5, 20),
        ([], [leave(1, -10, 90)], -5, 30),
        # One pass after another.
        ([], [leave(1, -10, 20), leave(2, 20, 90)], 5, 20),
        ([], [leave(1, -10, 20), leave(2, 20, 90)], 20, 30),
        # Half of it by movements first, and by the pass alone later: then it overrules a roll.
        ([move(1, 0, 2)], [leave(1, 10, 90)], 15, 30),
        ([move(1, 0, 2)], [leave(1, 10, 90)], 30, 40),
    ],
)
def test_when_a_lesson_is_to_be_looked_at_again(
    given_moves: list[dict[str, Any]], given_passes: list[Pass], now: int, due: int | None
) -> None:
    periods = periods_away(given_moves, given_passes, PLACES)
    found = next_due(periods, [LESSON], now=at(now), absent_share=0.5)
    assert found == ({} if due is None else {7: at(due)})
