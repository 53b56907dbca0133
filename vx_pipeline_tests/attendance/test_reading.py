"""Reading Orah for a day, over real HTTP: what counts as shown, as gone, and as not read at all."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vx_pipeline.attendance.absences import OVERDUE_FOR, STILL_AWAY
from vx_pipeline.attendance.days import Days
from vx_pipeline.attendance.reading import OrahReader, OrahSays
from vx_pipeline.attendance.reading_movements import LOOKBACK
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.journal import Journal
from vx_pipeline.journal.marks import Because, Mark, OurMark, Place
from vx_pipeline.journal.push_memory import note_pass, passes_to_read
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.client import Retry
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline_tests.conftest import SandboxFactory

ZONE = ZoneInfo("America/New_York")
DAY = date(2026, 11, 18)
MIDNIGHT = datetime.combine(DAY, time.min, tzinfo=ZONE)
NOW = MIDNIGHT + timedelta(hours=14)
SCHOOL = "north"


def hours(number: float) -> datetime:
    """So many hours after midnight."""
    return MIDNIGHT + timedelta(hours=number)


class Orah:
    """A stand-in Orah in which nothing has happened yet, two of its students, and who does something there."""

    def __init__(self, sandbox: Sandbox, journal: Journal) -> None:
        self.sandbox = sandbox
        self.journal = journal
        self.ann, self.ben = (one["id"] for one in sandbox.school.orah["student"][:2])
        for model in ("location_record", "roll", "leave"):
            sandbox.school.orah[model].clear()

    def moves(self, at: datetime, place: str = "Town", *, who: int = 0, **values: Any) -> str:
        location = next(one for one in self.sandbox.school.orah["location"] if one["name"] == place)
        record = self.sandbox.hands.move(
            {
                "student_id": who or self.ann,
                "location_id": location["id"],
                "record_time": at.isoformat(),
                **values,
            }
        )
        return f"m{record['id']}"

    def gets_pass(self, start: datetime, end: datetime, *, who: int = 0, status: str = "Active") -> int:
        record = self.sandbox.hands.give_leave(
            {
                "student_id": who or self.ann,
                "leave_type_id": self.sandbox.school.orah["leave_type"][0]["id"],
                "start_time": start.isoformat(),
                "end_time": end.isoformat(),
                "status": status,
            }
        )
        return int(record["id"])

    def takes_roll(self, at: datetime, *, who: int = 0, status: str = "Absent", **values: Any) -> str:
        given = {
            "students": [{"student_id": who or self.ann, "status": status}],
            "start_time": at.isoformat(),
        }
        return f"r{self.sandbox.hands.take_roll({**given, **values})['id']}"

    def read(
        self,
        *,
        now: datetime = NOW,
        marks: Sequence[OurMark] = (),
        orah_ids: Sequence[int] | None = None,
        policy: AttendancePolicy | None = None,
        day: date = DAY,
    ) -> OrahSays:
        async def run() -> OrahSays:
            async with OrahClient(
                url=self.sandbox.orah_api_url,
                api_key=self.sandbox.credentials.orah_api_key,
                retry=Retry(attempts=2, wait_initial=0.001, wait_max=0.002),
            ) as orah:
                reader = OrahReader(orah, self.journal, SCHOOL, ZONE, policy or AttendancePolicy())
                return await reader.read(Days(day, day), now=now, marks=marks, orah_ids=orah_ids)

        self.sandbox.clock = now.timestamp
        return asyncio.run(run())

    def requests(self) -> int:
        return len(self.sandbox.journal.requests)


@pytest.fixture
def orah(make_sandbox: SandboxFactory, journal: Journal) -> Orah:
    return Orah(make_sandbox(20, today=DAY), journal)


def mark(*evidence: str, known_from: datetime = MIDNIGHT) -> OurMark:
    """A mark of ours that rests on this."""
    place = Place(1, 7, 40, DAY, "4")
    because = Because("absent|movement|Town", evidence, known_from)
    return OurMark(Mark(9, "2", "[via Orah]", ours=True), place, because, Mark(9, None, None, ours=False))


# --- movements


def test_the_day_is_the_schools_and_what_was_read_is_shown(orah: Orah) -> None:
    left, back = orah.moves(hours(9)), orah.moves(hours(10), "Academic Building")
    says = orah.read()
    (period,) = says.periods
    assert (period.start, period.end, period.place) == (hours(9), hours(10), "Town")
    assert says.has_shown([left, back])
    assert not says.has_shown([left, "m99"])
    assert not says.cannot_tell([left, "m99"])
    assert (says.rolls, says.not_understood) == ([], 0)


def test_who_left_before_is_still_away_but_not_for_ever(orah: Orah) -> None:
    for ago, is_away in ((LOOKBACK * 2, True), (STILL_AWAY - timedelta(hours=1), True), (STILL_AWAY, False)):
        orah.sandbox.school.orah["location_record"].clear()
        orah.moves(MIDNIGHT - ago - timedelta(minutes=1))
        assert bool(orah.read().periods) is is_away


def test_evidence_of_our_marks_is_read_however_old_it_is(orah: Orah) -> None:
    before = MIDNIGHT - STILL_AWAY - timedelta(days=1)
    left = orah.moves(before)
    orah.moves(hours(9), "Academic Building")
    assert orah.read().periods == []  # nobody can see any more that the student was away
    says = orah.read(marks=[mark(left, known_from=before)])
    assert says.has_shown([left])
    assert [(one.start, one.end) for one in says.periods] == [(before, hours(9))]


@pytest.mark.parametrize("back", [hours(9), hours(30)])
def test_who_comes_back_after_long_was_away_until_then(orah: Orah, back: datetime) -> None:
    away_for = MIDNIGHT - LOOKBACK - timedelta(days=2)
    left = orah.moves(away_for)
    orah.moves(back, "Academic Building")
    # Also where the day is over, and what came after it hides who was away.
    says = orah.read(now=back + timedelta(days=1))
    assert [(one.start, one.end) for one in says.periods] == [(away_for, back)]
    assert says.has_shown([left])
    assert orah.requests() == 5


def test_days_long_ago_are_read_only_for_whom_nobody_else_tells(orah: Orah) -> None:
    left = orah.moves(MIDNIGHT - LOOKBACK - timedelta(days=2))
    for at, place in ((hours(-20), "Town"), (hours(-19), "Academic Building"), (hours(9), "Dining Hall")):
        orah.moves(at, place)
    orah.moves(hours(8), "Town", who=orah.ben)
    assert not orah.read().has_shown([left])
    assert orah.requests() == 4
    # The same first movement of another student whom the push is not about.
    orah.moves(hours(10), "Dining Hall", who=orah.sandbox.school.orah["student"][2]["id"])
    orah.read(orah_ids=[orah.ann, orah.ben])
    assert orah.requests() == 8
    orah.read()
    assert orah.requests() == 13


def test_nothing_after_now_is_known(orah: Orah) -> None:
    orah.moves(hours(9))
    orah.moves(hours(15), "Academic Building")
    orah.takes_roll(hours(15))
    says = orah.read(now=hours(11))
    assert all(one.end is None or one.end > hours(11) for one in says.periods)
    assert says.rolls == []


def test_only_of_the_students_that_are_asked_for(orah: Orah) -> None:
    for who in (orah.ann, orah.ben):
        orah.moves(hours(9), who=who)
        orah.takes_roll(hours(9), who=who)
    says = orah.read(orah_ids=[orah.ben])
    assert {one.orah_id for one in says.periods} == {one.orah_id for one in says.rolls} == {orah.ben}
    assert len(orah.read().periods) == 2


# --- passes


def test_ids_of_passes_come_from_movements_and_are_remembered(orah: Orah) -> None:
    leave = orah.gets_pass(hours(9), hours(12))
    assert orah.read().periods == []  # there is no list of passes
    moved = orah.moves(hours(9), leave_id=leave)
    says = orah.read()
    assert [one.pass_type != "" for one in says.periods] == [True, False]
    assert says.has_shown([moved, f"p{leave}"])
    orah.sandbox.hands.delete_move(int(moved[1:]))
    on_pass, overdue = orah.read().periods
    assert (on_pass.start, on_pass.end, on_pass.place) == (hours(9), hours(12), "")
    assert (overdue.start, overdue.end, overdue.overdue) == (hours(12), hours(12) + OVERDUE_FOR, True)


def test_a_pass_that_is_gone_was_seen_to_be_gone(orah: Orah) -> None:
    leave = orah.gets_pass(hours(9), hours(12))
    orah.sandbox.hands.delete_leave(leave)
    says = orah.read(marks=[mark(f"p{leave}")])
    assert says.has_shown([f"p{leave}"])
    assert says.periods == []


@pytest.mark.parametrize("status", ["Scheduled", "Cancelled", "Requested"])
def test_a_pass_that_does_not_count_is_shown_and_means_nothing(orah: Orah, status: str) -> None:
    leave = orah.gets_pass(hours(9), hours(12), status=status)
    says = orah.read(marks=[mark(f"p{leave}")])
    assert says.has_shown([f"p{leave}"])
    assert says.periods == []


def test_a_pass_that_is_prolonged_is_found_by_the_next_read(orah: Orah) -> None:
    leave = orah.gets_pass(hours(-30), hours(-20), status="Returned")
    note_pass(orah.journal, SCHOOL, leave, at=hours(-30))
    assert [one.end for one in orah.read().periods] == [hours(-20)]
    orah.sandbox.hands.change_leave(leave, {"end_time": hours(11).isoformat()})
    assert [one.end for one in orah.read().periods] == [hours(11)]


def test_passes_that_may_not_be_read_mean_nothing_and_leave_marks_alone(orah: Orah) -> None:
    leave = orah.gets_pass(hours(9), hours(12))
    moved = orah.moves(hours(9), leave_id=leave)
    orah.sandbox.orah_forbidden.add("leave")
    says = orah.read(marks=[mark(f"p{leave}", moved)])
    assert says.cannot_tell([f"p{leave}", moved])
    assert not says.cannot_tell([moved])
    assert not says.has_shown([f"p{leave}"])
    assert [one.pass_type for one in says.periods] == [""]


def test_a_pass_that_is_not_understood_cannot_tell_of_its_own_marks_alone(orah: Orah) -> None:
    bad, good = orah.gets_pass(hours(9), hours(12)), orah.gets_pass(hours(9), hours(12), who=orah.ben)
    orah.sandbox.school.orah["leave"][0]["start_time"] = "in the morning"
    says = orah.read(marks=[mark(f"p{bad}"), mark(f"p{good}")])
    assert says.cannot_tell([f"p{bad}"])
    assert not says.has_shown([f"p{bad}"])
    assert not says.cannot_tell([f"p{good}"])
    assert {one.orah_id for one in says.periods} == {orah.ben}


@pytest.mark.parametrize("status", ["Closed", "Archived"])
def test_a_pass_whose_status_nobody_knows_takes_no_mark_back(orah: Orah, status: str) -> None:
    leave = orah.gets_pass(hours(9), hours(12))
    orah.sandbox.hands.change_leave(leave, {"status": status})
    says = orah.read(marks=[mark(f"p{leave}")])
    assert says.cannot_tell([f"p{leave}"])
    assert (says.passes_unread, says.read_again) == (1, frozenset())


def test_a_pass_that_is_not_answered_this_time_is_read_again_and_keeps_nobody_else(orah: Orah) -> None:
    leave = orah.gets_pass(hours(9), hours(12))
    moved = orah.moves(hours(10), "Academic Building", leave_id=leave)
    orah.moves(hours(11), who=orah.ben)
    other = orah.gets_pass(hours(9), hours(12), who=orah.ben)
    note_pass(
        orah.journal, SCHOOL, other, at=hours(9), orah_id=orah.ben, starts_at=hours(9), ends_at=hours(12)
    )
    # The other one was answered before, and is read first.
    fault = Fault(FaultKind.STATUS, system="orah", path="*/leave/get-single", times=2, after=1)
    orah.sandbox.add_fault(fault)
    says = orah.read(marks=[mark(f"p{leave}", moved)])
    assert says.cannot_tell([f"p{leave}", moved])
    assert says.has_shown([moved, f"p{other}"])
    assert (says.passes_unread, says.read_again) == (1, frozenset({orah.ann}))
    assert {one.orah_id for one in says.periods} == {orah.ben}
    orah.sandbox.add_fault(fault)
    assert orah.read(orah_ids=[orah.ben]).read_again == frozenset()


def test_where_no_pass_is_answered_only_a_few_are_tried(orah: Orah) -> None:
    leaves = [orah.gets_pass(hours(9), hours(12)) for _ in range(6)]
    for leave in leaves:
        note_pass(orah.journal, SCHOOL, leave, at=hours(9), orah_id=orah.ann)
    orah.sandbox.add_fault(Fault(FaultKind.STATUS, system="orah", path="*/leave/get-single", times=None))
    says = orah.read()
    assert (says.periods, says.passes_unread, says.read_again) == ([], 6, frozenset({orah.ann}))
    assert all(says.cannot_tell([f"p{leave}"]) for leave in leaves)
    assert orah.requests() == 4 + 3 * 2  # each of the three in two tries


def test_passes_that_never_answer_keep_no_other_from_being_read(orah: Orah) -> None:
    for _ in range(3):
        note_pass(orah.journal, SCHOOL, orah.gets_pass(hours(9), hours(12)), at=hours(9))
    read_before = orah.gets_pass(hours(9), hours(12), who=orah.ben)
    note_pass(orah.journal, SCHOOL, read_before, at=hours(9), orah_id=orah.ben)
    new = orah.gets_pass(hours(9), hours(12))
    note_pass(orah.journal, SCHOOL, new, at=hours(9))
    status = Fault(FaultKind.STATUS, system="orah", path="*/leave/get-single", times=None, after=2)
    orah.sandbox.add_fault(status)
    says = orah.read()
    assert says.has_shown([f"p{read_before}", f"p{new}"])
    assert says.passes_unread == 3


def test_a_pass_that_only_a_mark_names_is_read_again_for_its_student(orah: Orah) -> None:
    leave = orah.gets_pass(hours(9), hours(12))
    orah.sandbox.add_fault(Fault(FaultKind.STATUS, system="orah", path="*/leave/get-single", times=None))
    ours = mark(f"p{leave}")
    assert orah.read(marks=[ours]).read_again == {ours.place.orah_id}


def test_a_pass_that_is_overdue_is_read_until_it_says_nothing_more(orah: Orah) -> None:
    leave = orah.gets_pass(hours(-20), hours(-5))
    note_pass(orah.journal, SCHOOL, leave, at=hours(-20))
    orah.read(day=DAY - timedelta(days=1), now=hours(-4))
    known = partial(passes_to_read, orah.journal, SCHOOL, last=hours(99))
    # Two days longer than one that is over, which may be prolonged.
    assert [leave in known(first=hours(-5 + 48 + more)) for more in (0, 16, 17)] == [True, True, False]
    assert [one.end for one in orah.read().periods] == [hours(-5), hours(-5) + OVERDUE_FOR]
    orah.takes_roll(hours(9), status="Present")
    assert [one.end for one in orah.read().periods] == [hours(-5), hours(9)]
    orah.sandbox.hands.change_leave(leave, {"status": "Ended"})
    assert [one.end for one in orah.read().periods] == [hours(-5)]


# --- rolls


def test_rolls_of_the_day_and_all_of_their_ids_are_shown(orah: Orah) -> None:
    of_day = orah.takes_roll(hours(9))
    other = orah.takes_roll(hours(9), type="house")
    going_on = orah.takes_roll(hours(10), status="Absent", name="x")
    orah.sandbox.school.orah["roll"][-1]["status"] = "Open"
    before = orah.takes_roll(hours(-1))
    says = orah.read()
    assert [f"r{one.roll_id}" for one in says.rolls] == [of_day]
    assert says.has_shown([of_day, other])
    # Opened again, perhaps: what it said before, it may say again.
    assert says.cannot_tell([going_on])
    assert not says.has_shown([going_on])
    assert not says.has_shown([before])
    assert says.not_understood == 0


def test_entries_of_a_roll_that_are_not_understood_are_counted_and_take_no_mark_back(orah: Orah) -> None:
    roll = orah.takes_roll(hours(9))
    orah.sandbox.school.orah["roll"][0]["students"][0]["status"] = "somewhere"
    says = orah.read()
    assert (says.rolls, says.not_understood) == ([], 1)
    assert says.cannot_tell([roll])
    assert not says.has_shown([roll])


@pytest.mark.parametrize("by", ["policy", "permission"])
def test_rolls_that_are_not_read_leave_marks_alone(orah: Orah, by: str) -> None:
    roll = orah.takes_roll(hours(9))
    if by == "permission":
        orah.sandbox.orah_forbidden.add("roll")
    says = orah.read(policy=AttendancePolicy(rolls=by == "permission"))
    assert says.rolls == []
    assert says.cannot_tell([roll])
    assert not says.cannot_tell(["m1", "p1"])


# --- what it costs


def test_a_quiet_day_costs_four_requests_and_each_pass_one_more(orah: Orah) -> None:
    orah.read()
    assert orah.requests() == 4
    for number in range(3):
        orah.moves(hours(9 + number), leave_id=orah.gets_pass(hours(9), hours(12)))
    orah.read()
    assert orah.requests() == 2 * 4 + 3
    orah.read(policy=AttendancePolicy(rolls=False))
    assert orah.requests() == 3 * 4 + 2 * 3 - 1


@pytest.mark.parametrize("host", ["UTC", "Pacific/Kiritimati"])
def test_the_zone_of_the_moment_does_not_matter(orah: Orah, host: str) -> None:
    orah.moves(hours(23.5))
    orah.takes_roll(hours(23.5))
    late = hours(23.75)
    here, there = orah.read(now=late), orah.read(now=late.astimezone(ZoneInfo(host)))
    assert here == there
    assert len(here.rolls) == 1
