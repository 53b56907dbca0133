"""Stories of single days: right rows, right values, one write each, and no teacher's mark lost.

One instant cannot be closed: a teacher's edit after our read of a row and before our write to it, some tenths of a
second later. Veracross has no ETag and does not say by whom a row was changed. Everything before the read is seen.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from vx_pipeline.automation.backfill import Backfill, backfills
from vx_pipeline.journal.cases import ORAH, Matching, Person, record_matching
from vx_pipeline.journal.decisions import Entity, Kind
from vx_pipeline.journal.due_pushes import pushes_due
from vx_pipeline.journal.mark_questions import Answer
from vx_pipeline.journal.problems import open_problems
from vx_pipeline.sandbox import Fault, FaultKind
from vx_pipeline_tests.attendance.school_day import (
    MARKER,
    WEDNESDAY,
    ZONE,
    SchoolDay,
    later,
    minutes,
    results,
    school_day,
)
from vx_pipeline_tests.conftest import SandboxFactory

PRESENT, ABSENT, LATE = ("Present", None), ("Absent - Excused", MARKER), ("Late", MARKER)
UNEXCUSED = ("Absent - Unexcused", MARKER)
TIMELINE = "*/location-record/timeline"
PATCH = "*/attendance/*"


def goes_back(day: SchoolDay, rows: int = 1) -> None:
    """What is gone from Orah is believed after five minutes."""
    assert results(day.push()) == ["waiting"] * rows
    later(day)
    assert results(day.push()) == ["restored"] * rows


def misses(day: SchoolDay, lesson: int) -> int:
    """The student is in town for a whole lesson; returns the movement's id."""
    left = day.moves("Town", day.starts(lesson) - minutes(1))
    day.moves("Academic Building", day.ends(lesson) + minutes(1))
    return left


@contextmanager
def trouble(day: SchoolDay, fault: Fault) -> Iterator[None]:
    day.sandbox.add_fault(fault)
    yield
    day.sandbox.clear_faults()


# --- movements


def test_a_student_leaves_in_the_middle_of_a_lesson_and_comes_back(day: SchoolDay) -> None:
    day.sets(away_places=("Health Center",))
    day.moves("Health Center", day.starts(1) + minutes(5))
    day.moves("Academic Building", day.ends(1) - minutes(5))
    assert results(day.push()) == ["written"]
    assert day.marks() == [PRESENT, ABSENT, PRESENT]
    assert results(day.push()) == ["nothing"]
    assert len(day.writes()) == 1


def test_a_short_way_out_in_the_middle_is_no_mark_and_coming_late_is_late(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) + minutes(20))
    day.moves("Academic Building", day.starts(0) + minutes(35))
    day.moves("Town", day.starts(1) - minutes(10))
    day.moves("Academic Building", day.starts(1) + minutes(10))
    assert results(day.push()) == ["written"]
    assert day.marks() == [PRESENT, LATE, PRESENT]


def test_a_movement_that_is_edited_is_followed(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) - minutes(5))
    back = day.moves("Academic Building", day.starts(0) + minutes(10))
    day.push()
    assert day.marks() == [LATE, PRESENT, PRESENT]
    day.sandbox.hands.change_move(back, {"record_time": (day.starts(0) + minutes(40)).isoformat()})
    assert results(day.push()) == ["written"]
    assert day.marks() == [ABSENT, PRESENT, PRESENT]
    # Into the lesson after it: the one goes on being missed, and the other begins late.
    day.sandbox.hands.change_move(back, {"record_time": (day.starts(1) + minutes(10)).isoformat()})
    assert results(day.push()) == ["nothing", "written"]
    assert day.marks() == [ABSENT, LATE, PRESENT]
    assert len(day.writes()) == 3


def test_a_movement_that_is_deleted_takes_its_mark_along(day: SchoolDay) -> None:
    left = misses(day, 1)
    day.push()
    day.sandbox.hands.delete_move(left)
    goes_back(day)
    assert day.marks() == [PRESENT] * 3
    assert results(day.push()) == []
    assert len(day.writes()) == 2


def test_movements_that_are_entered_late_and_out_of_order_say_the_same(day: SchoolDay) -> None:
    day.moves("Academic Building", day.ends(1) + minutes(1))
    assert results(day.push()) == []
    day.moves("Town", day.starts(0) - minutes(1))
    day.moves("Home", day.ends(0) + minutes(2))
    assert results(day.push()) == ["written", "written"]
    # It turns out that the student came back in between, and somebody enters everything twice.
    day.moves("Academic Building", day.starts(1) - minutes(2))
    for place, at in (("Town", day.starts(0) - minutes(1)), ("Academic Building", day.ends(1) + minutes(1))):
        day.moves(place, at)
    assert results(day.push()) == ["nothing", "restored"]
    assert day.marks() == [ABSENT, PRESENT, PRESENT]
    assert results(day.push()) == ["nothing"]
    assert len(day.writes()) == 3


def test_moving_leaves_no_out_and_a_place_without_a_name_may_mean_back(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) - minutes(5))
    day.moves("Home", day.starts(0) + minutes(30))
    day.moves("Town", day.starts(1) + minutes(2))
    day.moves(None, day.starts(2) + minutes(5))
    assert results(day.push()) == ["written"] * 2
    assert day.marks() == [ABSENT, ABSENT, PRESENT]


@pytest.mark.parametrize(("night", "noon"), [(True, False), (False, True), (True, True)])
def test_a_daily_reset_says_nothing_and_ends_time_away(day: SchoolDay, *, night: bool, noon: bool) -> None:
    in_between = day.ends(0) + minutes(2)
    day.sets(daily_resets=[time(3), in_between.time()])
    if night:
        day.moves("Home", datetime.combine(WEDNESDAY, time(3), ZONE))
    if noon:
        day.moves("Town", day.starts(0) - minutes(1))
        day.moves("Home", in_between)
    day.push()
    assert day.marks() == [ABSENT if noon else PRESENT, PRESENT, PRESENT]


@pytest.mark.parametrize("monday", [date(2026, 11, 2), date(2026, 3, 9)])
def test_a_weekend_pass_over_a_change_of_the_clocks(
    make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, monday: date
) -> None:
    with school_day(make_sandbox(20, today=monday), tmp_path / "vx", monkeypatch, monday) as day:
        saturday = datetime.combine(monday - timedelta(days=2), time(10), ZONE)
        leave = day.gets_pass(saturday, day.ends(1), "Weekend Leave")
        day.moves("Weekend Leave", saturday, leave_id=leave)
        # Twenty minutes late: an hour more or less would make it absent, or nothing.
        day.moves("Academic Building", day.starts(1) + minutes(20), leave_id=leave)
        assert results(day.push()) == ["written", "written"]
        assert day.marks() == [ABSENT, LATE, PRESENT]
        assert results(day.push()) == ["nothing", "nothing"]


# --- passes


@pytest.mark.parametrize("landed", [True, False])
def test_a_pass_over_three_lessons_of_which_one_is_cancelled(day: SchoolDay, *, landed: bool) -> None:
    on_pass(day)
    cancels_lesson(day, landed=landed)
    # What was landed in the morning still has the lesson.
    gone = [] if landed else ["no_row"]
    assert sorted(results(day.push())) == [*gone, "written", "written"]
    assert day.marks() == [ABSENT, ABSENT]
    assert len(day.writes()) == 2


@pytest.mark.parametrize("landed", [True, False])
def test_a_lesson_that_is_cancelled_after_its_mark_was_written(day: SchoolDay, *, landed: bool) -> None:
    leave, moved = on_pass(day)
    assert results(day.push()) == ["written"] * 3
    cancels_lesson(day, landed=landed)
    assert sorted(results(day.push())) == ["no_row", "nothing", "nothing"]
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    day.sandbox.hands.delete_move(moved)
    day.push()
    later(day)
    assert sorted(results(day.push())) == ["no_row", "restored", "restored"]
    assert day.marks() == [PRESENT, PRESENT]
    assert len(day.writes()) == 5


def on_pass(day: SchoolDay) -> tuple[int, int]:
    """On a pass over all three lessons; returns the ids of the pass and of the movement out."""
    leave = day.gets_pass(day.starts(0) - minutes(10), day.ends(2) + minutes(10))
    return leave, day.moves("Town", day.starts(0) - minutes(10), leave_id=leave)


def cancels_lesson(day: SchoolDay, *, landed: bool) -> None:
    class_id = day.lessons[1]["internal_class_id"]
    day.sandbox.hands.cancel_class({"internal_class_id": class_id, "date": WEDNESDAY.isoformat()})
    if landed:
        day.land()


def test_a_cancelled_pass_is_taken_back_and_the_row_is_as_it_was(day: SchoolDay) -> None:
    leave = day.gets_pass(day.starts(0), day.ends(1))
    moved = day.moves("Town", day.starts(0), leave_id=leave)
    day.moves("Academic Building", day.ends(1))
    day.push()
    assert day.marks() == [ABSENT, ABSENT, PRESENT]
    day.sandbox.hands.change_leave(leave, {"status": "Cancelled"})
    day.sandbox.hands.delete_move(moved)
    assert results(day.push()) == ["waiting", "waiting"]
    assert day.marks() == [ABSENT, ABSENT, PRESENT]
    later(day)
    assert results(day.push()) == ["restored", "restored"]
    assert day.marks() == [PRESENT, PRESENT, PRESENT]
    assert results(day.push()) == []
    assert len(day.writes()) == 4


def knows_pass(day: SchoolDay, last: datetime) -> int:
    """A pass from before the first lesson that was read once, and whose movement somebody has deleted since."""
    leave = day.gets_pass(day.starts(0) - minutes(10), last)
    moved = day.moves("Town", day.starts(0) - minutes(10), leave_id=leave)
    day.at(day.starts(0) - minutes(5))
    assert results(day.push()) == []
    day.sandbox.hands.delete_move(moved)
    day.at(datetime.combine(WEDNESDAY, time(20), ZONE))
    return leave


@pytest.mark.parametrize("how", ["early", "prolonged", "another time", "cancelled", "deleted"])
def test_a_pass_that_is_changed_after_the_push_is_followed(day: SchoolDay, how: str) -> None:
    leave = knows_pass(day, day.ends(1))
    day.ends_pass(leave, day.ends(1))
    day.push()
    assert day.marks() == [ABSENT, ABSENT, PRESENT]
    hands = day.sandbox.hands
    if how == "early":
        day.ends_pass(leave, day.starts(0) + minutes(10))
    elif how == "prolonged":
        hands.change_leave(leave, {"end_time": day.ends(2).isoformat()})
    elif how == "another time":
        moved = {"start_time": day.starts(2).isoformat(), "end_time": day.ends(2).isoformat()}
        hands.change_leave(leave, moved)
    elif how == "cancelled":
        hands.change_leave(leave, {"status": "Cancelled"})
    else:
        hands.delete_leave(leave)
    day.push()
    expected = {
        "early": [LATE, PRESENT, PRESENT],
        "prolonged": [ABSENT, ABSENT, ABSENT],
        "another time": [PRESENT, PRESENT, ABSENT],
    }
    assert day.marks() == expected.get(how, [PRESENT] * 3)
    writes = len(day.writes())
    day.push()
    assert len(day.writes()) == writes == {"early": 4, "prolonged": 3, "another time": 5}.get(how, 4)


def test_a_pass_to_a_place_on_the_grounds_begins_when_the_student_goes_there(day: SchoolDay) -> None:
    nurse = day.place("Health Center")
    leave = day.gets_pass(day.starts(0), day.ends(2), location_id=nurse)
    # In class for the first lesson, whatever was planned.
    day.moves("Academic Building", day.starts(0) - minutes(5))
    day.moves("Health Center", day.ends(0) + minutes(1), leave_id=leave)
    assert results(day.push()) == ["written"] * 2
    assert day.marks() == [PRESENT, ABSENT, ABSENT]
    day.moves("Academic Building", day.starts(2) - minutes(1), leave_id=leave)
    assert "restored" in results(day.push())
    assert day.marks() == [PRESENT, ABSENT, PRESENT]


def test_who_does_not_come_back_from_a_pass_is_marked_until_seen(day: SchoolDay) -> None:
    leave = knows_pass(day, day.ends(0))
    for status in ("Active", "Overdue"):
        day.sandbox.hands.change_leave(leave, {"status": status})
        day.push()
        assert day.marks() == [ABSENT, ABSENT, ABSENT]
    assert len(day.writes()) == 3
    day.takes_roll(day.starts(2) + minutes(1), "Present")
    day.push()
    assert day.marks() == [ABSENT, ABSENT, PRESENT]
    day.ends_pass(leave, day.starts(1) + minutes(10))
    day.push()
    assert day.marks() == [ABSENT, LATE, PRESENT]


# --- rolls


def test_a_student_who_returns_is_late_as_the_roll_says(day: SchoolDay) -> None:
    day.sets(statuses={"Bus": "Late"})
    day.moves("Town", day.starts(0) - minutes(10))
    day.at(day.starts(0) + minutes(30))
    assert results(day.push()) == ["written"]
    assert day.marks()[0] == ABSENT
    day.moves("Academic Building", day.starts(0) + minutes(31))
    day.takes_roll(day.starts(0) + minutes(32), "Late", "Bus", "Excused")
    later(day)
    assert results(day.push()) == ["written"]
    assert day.marks()[0] == LATE
    assert [entry.after["status"] for entry in day.writes()] == [
        day.code("Absent - Excused"),
        day.code("Late"),
    ]


def test_rolls_are_mapped_by_reason_then_by_type_and_an_edit_is_followed(day: SchoolDay) -> None:
    day.sets(statuses={"Unexcused": "Absent - Unexcused", "Nurse": "Dismissed"})
    first = day.takes_roll(day.starts(0) + minutes(2), "Absent")
    day.takes_roll(day.starts(1) + minutes(2), "Late", "Nurse", "Excused")
    day.takes_roll(day.starts(2) + minutes(2), "Present")
    assert results(day.push()) == ["written", "written"]
    assert day.marks() == [UNEXCUSED, ("Dismissed", MARKER), PRESENT]
    day.edits_roll(first, "Late", "Overslept", "Excused")
    day.push()
    assert day.marks()[0] == LATE
    day.edits_roll(first, "Present")
    assert "restored" in results(day.push())
    assert day.marks()[0] == PRESENT
    day.push()
    assert len(day.writes()) == 4


def test_without_settings_a_roll_is_never_written_under_another_reason_type(day: SchoolDay) -> None:
    first = day.takes_roll(day.starts(0) + minutes(2), "Absent", "", "Excused")
    day.takes_roll(day.starts(1) + minutes(2), "Absent", "Truant", "Unexcused")
    day.takes_roll(day.starts(2) + minutes(2), "Absent", "Trip", "Not Expected")
    assert sorted(results(day.push())) == ["blocked", "written", "written"]
    assert day.marks() == [ABSENT, UNEXCUSED, PRESENT]
    (told,) = open_problems(day.session.journal, day.session.key)
    assert "'Not Expected' is not in the school's own list" in told.reason
    # Only the type is another one.
    day.edits_roll(first, "Absent", "", "Unexcused")
    assert "written" in results(day.push())
    assert day.marks() == [UNEXCUSED, UNEXCUSED, PRESENT]
    assert len(day.writes()) == 3


def test_a_roll_that_says_present_takes_our_mark_back(day: SchoolDay) -> None:
    misses(day, 1)
    day.push()
    assert day.marks()[1] == ABSENT
    day.takes_roll(day.starts(1) + minutes(5), "Present")
    assert results(day.push()) == ["restored"]
    assert day.marks()[1] == PRESENT
    assert results(day.push()) == []


def test_what_orah_says_in_words_that_nobody_knows_takes_no_mark_back(day: SchoolDay) -> None:
    leave, _ = on_pass(day)
    day.moves("Academic Building", day.ends(1) + minutes(1), leave_id=leave)
    roll = day.takes_roll(day.starts(2) + minutes(2), "Absent")
    assert results(day.push()) == ["written"] * 3
    record = next(one for one in day.sandbox.school.orah["roll"] if one["id"] == roll)
    reason = record["students"][0]["reason"]
    day.sandbox.hands.change_leave(leave, {"status": "Closed"})
    for change in ({"type": "Medical"}, {"type": "Unexcused"}):
        reason.update(change)
        record["status"] = "Completed" if reason["type"] == "Medical" else "In Progress"
        pushed = day.push()
        later(day)
        assert day.marks() == [ABSENT, ABSENT, UNEXCUSED]
        assert pushed.passes_unread == 1
    assert len(day.writes()) == 3
    # Somebody is told, and a push of one student says nothing of the others.
    day.push(orah_ids=[day.orah_id + 1])
    (told,) = open_problems(day.session.journal, day.session.key)
    assert told.told.startswith("passes: 1 were not understood or not answered;")
    day.ends_pass(leave, day.ends(1))
    day.push()
    assert open_problems(day.session.journal, day.session.key) == []


def test_one_pass_that_orah_does_not_answer_for_keeps_nobody_from_being_marked(day: SchoolDay) -> None:
    leave = knows_pass(day, day.ends(0))
    misses(day, 1)
    with trouble(day, Fault(FaultKind.STATUS, system="orah", path="*/leave/get-single", times=None)):
        assert results(day.push()) == ["written"]
    assert day.marks() == [PRESENT, ABSENT, PRESENT]
    # Nobody has to see that it is answered again.
    due = pushes_due(day.session.journal, day.session.key, now=day.session.now() + minutes(15))
    assert [*due[WEDNESDAY]] == [day.orah_id]
    assert sorted(results(day.push())) == ["nothing", "written"]
    assert day.marks() == [ABSENT, ABSENT, PRESENT]
    with trouble(day, Fault(FaultKind.STATUS, system="orah", path="*/leave/get-single", times=None)):
        assert sorted(results(day.push())) == ["left", "nothing"]
    day.sandbox.hands.delete_leave(leave)
    day.push()
    assert day.marks() == [PRESENT, ABSENT, PRESENT]


# --- teachers


def test_a_teacher_who_edits_between_two_pushes_keeps_the_mark_and_a_person_decides(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) - minutes(1))
    back = day.moves("Academic Building", day.starts(0) + minutes(10))
    day.push()
    assert day.marks()[0] == LATE
    day.teacher_marks(0, "Absent - Unexcused", "not seen")
    day.sandbox.hands.change_move(back, {"record_time": (day.starts(0) + minutes(40)).isoformat()})
    assert results(day.push()) == ["conflict"]
    assert day.marks()[0] == ("Absent - Unexcused", "not seen")
    (question,) = day.questions()
    assert (question.question.kind, question.question.told["theirs"]) == ("conflict", "Absent - Unexcused")
    assert question.question.told["ours"] == "Absent - Excused"
    day.answers(Answer.USE_OURS)
    day.push()
    assert day.marks()[0] == ("Absent - Excused", f"not seen {MARKER}")
    assert day.questions() == []
    day.teacher_marks(0, "Absent - Unexcused", "not seen")
    day.push()
    # The answer was for one write: the teacher's newer mark is asked about anew.
    assert day.marks()[0] == ("Absent - Unexcused", "not seen")
    (again,) = day.questions()
    day.answers(Answer.KEEP_THEIRS)
    for _ in range(2):
        assert results(day.push()) == ["kept"]
    day.teacher_marks(0, "Dismissed", "not seen")
    assert results(day.push()) == ["kept"]
    assert (again.number > question.number, day.questions(), len(day.writes())) == (True, [], 2)


@pytest.mark.parametrize(
    ("label", "notes"), [("Late", None), ("Absent - Unexcused", "not seen"), ("Present", "spoke to me")]
)
def test_a_teachers_mark_stays_whether_made_before_or_after_ours(
    day: SchoolDay, label: str, notes: str | None
) -> None:
    misses(day, 0)
    misses(day, 1)
    day.teacher_marks(0, label, notes)
    day.push()
    day.teacher_marks(1, label, notes)
    assert results(day.push()) == ["conflict", "conflict"]
    assert day.marks() == [(label, notes), (label, notes), PRESENT]
    assert len(day.writes()) == 1
    assert len(day.questions()) == 2


def test_a_question_is_over_when_orah_says_nothing_more(day: SchoolDay) -> None:
    left = misses(day, 0)
    day.teacher_marks(0, "Late", "overslept")
    assert results(day.push()) == ["conflict"]
    day.sandbox.hands.delete_move(left)
    day.push()
    later(day)
    day.push()
    assert day.questions() == []
    assert (day.marks()[0], day.writes()) == (("Late", "overslept"), [])


def test_a_row_that_nobody_took_is_written_and_is_null_again(day: SchoolDay) -> None:
    day.lessons[0]["status"] = None
    left = misses(day, 0)
    assert results(day.push()) == ["written"]
    assert day.marks()[0] == ABSENT
    day.sandbox.hands.delete_move(left)
    goes_back(day)
    assert day.marks()[0] == (None, None)


def classmates_are_away(day: SchoolDay, number: int = 2) -> list[dict[str, object]]:
    """Linked students of one class who are in town during it; returns their rows in the order of a push."""
    groups: dict[tuple[object, object], list[dict[str, object]]] = {}
    for row in day.sandbox.school.veracross["list_class_attendance"]:
        if row["attendance_date"] == day.day.isoformat() and row["student_id"] in day.links:
            groups.setdefault((row["internal_class_id"], row["start_time"]), []).append(row)
    found = next(group for group in groups.values() if len(group) >= number)
    rows = sorted(found, key=lambda row: int(str(row["student_id"])))[:number]
    for row in rows:
        for place, at in (("Town", row["start_time"]), ("Academic Building", row["end_time"])):
            moment = datetime.fromisoformat(str(at)).replace(tzinfo=ZONE)
            day.moves(place, moment, student_id=day.links[int(str(row["student_id"]))])
    return rows


@pytest.mark.parametrize("budget", [100, 2])
def test_a_teacher_who_edits_during_a_push_is_seen_by_the_read_before_the_write(
    day: SchoolDay, budget: int
) -> None:
    first, second = classmates_are_away(day)
    # With a budget that might be exceeded, every class is read twice, and the second read counts.
    day.sets(writes_per_hour=budget)

    def epoch() -> float:
        # The stand-in asks for the time at every request: here the teacher comes in after the first mark.
        if day.writes():
            second.update(status=day.code("Late"), notes="came in")
        return day.clock.epoch()

    day.sandbox.clock = epoch
    assert sorted(results(day.push())) == ["conflict", "written"]
    assert (second["status"], second["notes"]) == (day.code("Late"), "came in")
    assert [entry.target_id for entry in day.writes()] == [first["id"]]


# --- trouble


def test_an_answer_that_is_lost_after_the_mark_landed_is_not_sent_again(day: SchoolDay) -> None:
    misses(day, 0)
    with trouble(day, Fault(FaultKind.ANSWER_LOST, path=PATCH, method="PATCH")):
        assert results(day.push()) == ["written"]
    assert results(day.push()) == ["nothing"]
    assert (day.marks()[0], len(day.writes()), patches(day)) == (ABSENT, 1, 1)


@pytest.mark.parametrize("kind", [FaultKind.REQUEST_LOST, FaultKind.NO_EFFECT, FaultKind.STATUS])
def test_a_mark_that_did_not_land_is_sent_by_the_next_push(day: SchoolDay, kind: FaultKind) -> None:
    misses(day, 0)
    with trouble(day, Fault(kind, path=PATCH, method="PATCH")):
        assert results(day.push()) == ["failed"]
    assert (day.marks()[0], day.writes()) == (PRESENT, [])
    assert results(day.push()) == ["written"]
    assert (day.marks()[0], len(day.writes()), patches(day)) == (ABSENT, 1, 2)


def test_a_teacher_who_edits_while_nobody_knows_whether_the_mark_landed_keeps_it(day: SchoolDay) -> None:
    misses(day, 0)
    # The write is answered, and then nothing can be read any more.
    with trouble(day, Fault(FaultKind.STATUS, path="*/attendance", method="GET", times=None, after=1)):
        assert results(day.push()) == ["failed"]
    assert (day.marks()[0], len(day.writes())) == (ABSENT, 1)
    day.teacher_marks(0, "Late", "came after all")
    assert results(day.push()) == ["conflict"]
    assert (day.marks()[0], len(day.writes())) == (("Late", "came after all"), 1)


def patches(day: SchoolDay) -> int:
    return sum(entry.method == "PATCH" for entry in day.sandbox.journal.requests)


SHORT_READS = [
    Fault(FaultKind.EMPTY_LIST, system="orah", path=TIMELINE, times=None),
    Fault(FaultKind.SHRUNKEN_LIST, system="orah", path=TIMELINE, times=None, fraction=0.3),
    Fault(FaultKind.EMPTY_LIST, system="orah", path="*/location/tree", times=None),
    Fault(FaultKind.SHRUNKEN_LIST, system="orah", path="*/location/tree", times=None, fraction=0.3),
]
SHORT = pytest.mark.parametrize("fault", SHORT_READS, ids=["empty", "short", "no places", "few places"])


@SHORT
def test_one_short_read_of_orah_takes_no_mark_back(day: SchoolDay, fault: Fault) -> None:
    misses(day, 0)
    misses(day, 1)
    day.push()
    for _ in range(2):
        with trouble(day, fault):
            day.push()
        assert day.marks() == [ABSENT, ABSENT, PRESENT]
        later(day)
        assert results(day.push()) == ["nothing", "nothing"]
        later(day)
    assert len(day.writes()) == 2


@SHORT
def test_what_is_missing_twice_is_taken_back_after_five_minutes_within_the_budget(
    day: SchoolDay, fault: Fault
) -> None:
    misses(day, 0)
    misses(day, 1)
    day.push()
    # Of this hour's four, two are used up; the two that go back are the others.
    day.sets(writes_per_hour=4)
    with trouble(day, fault):
        day.push()
        later(day, 4)
        day.push()
        assert ABSENT in day.marks()
        later(day, 2)
        day.push()
        day.push()
    taken_back = day.marks().count(PRESENT) - 1
    assert len(day.writes()) == 2 + taken_back
    assert taken_back > 0
    # All is there again, and this hour has no more: a person is asked.
    held = day.push()
    assert results(held).count("held") == taken_back == len(day.questions())
    assert len(day.writes()) == 2 + taken_back


def test_a_doubt_of_an_earlier_mark_says_nothing_about_a_new_one(day: SchoolDay) -> None:
    left = misses(day, 0)
    day.push()
    day.sandbox.hands.delete_move(left)
    goes_back(day)
    misses(day, 0)
    assert results(day.push()) == ["written"]
    with trouble(day, SHORT_READS[0]):
        assert results(day.push()) == ["waiting"]
    assert day.marks()[0] == ABSENT


@pytest.mark.parametrize("refused", [True, False])
def test_a_roll_that_is_not_read_once_gives_no_word_to_a_movement(day: SchoolDay, *, refused: bool) -> None:
    misses(day, 0)
    day.takes_roll(day.starts(0) + minutes(3), "Late")
    day.push()
    assert day.marks()[0] == LATE
    if refused:
        day.sandbox.orah_forbidden.add("roll")
        day.push()
        day.sandbox.orah_forbidden.clear()
    else:
        with trouble(day, Fault(FaultKind.EMPTY_LIST, system="orah", path="*/roll/timeline", times=None)):
            day.push()
    assert (day.marks()[0], len(day.writes())) == (LATE, 1)
    assert results(day.push()) == ["nothing"]


# --- too many at once


def test_a_mass_push_by_mistake_is_held_whole_and_answered_one_by_one(
    make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make_sandbox(60, today=WEDNESDAY)
    with school_day(sandbox, tmp_path / "vx", monkeypatch, WEDNESDAY) as day:
        day.sets(writes_per_hour=10)
        # The settings do not know this reset: it puts thirty students at home before the last lesson of the day.
        moved = sends_home(day, 30)
        pushed = day.push()
        assert set(results(pushed)) == {"held"}
        assert len(results(pushed)) >= 30
        questions = day.questions()
        assert (len(questions), day.writes()) == (len(results(pushed)), [])
        assert {one.question.kind for one in questions} == {"budget"}
        assert set(results(day.push())) == {"held"}
        numbers = [one.number for one in questions]
        assert [one.number for one in day.questions()] == numbers
        # An hour later they are still a person's to decide, and not written bit by bit.
        later(day, 61)
        assert set(results(day.push())) == {"held"}
        day.answers(Answer.USE_OURS, *numbers[:3])
        day.answers(Answer.KEEP_THEIRS, *numbers[3:6])
        for _ in range(2):
            day.push()
            assert sorted(entry.target_id for entry in day.writes()) == sorted(
                one.question.theirs.attendance_id for one in questions[:3]
            )
            assert [one.number for one in day.questions()] == numbers[6:]
        # Somebody corrects it in Orah: what was written goes back, and nothing is asked any more.
        for record in moved:
            day.sandbox.hands.delete_move(record)
        day.push()
        later(day)
        assert Counter(results(day.push())) == {"restored": 3}
        assert (day.questions(), len(day.writes())) == ([], 6)
        assert results(day.push()) == []


def sends_home(day: SchoolDay, number: int) -> list[int]:
    """So many students with a lesson at the end of the day come home a minute before it; returns the movements."""
    rows = [
        row
        for row in day.sandbox.school.veracross["list_class_attendance"]
        if row["attendance_date"] == day.day.isoformat() and row["student_id"] in day.links
    ]
    last = max(row["start_time"] for row in rows)
    students = sorted({row["student_id"] for row in rows if row["start_time"] == last})[:number]
    at = datetime.fromisoformat(last).replace(tzinfo=ZONE) - minutes(1)
    return [day.moves("Home", at, student_id=day.links[student]) for student in students]


# --- settings


@pytest.mark.parametrize("label", ["Absent", "Tardy (old)"], ids=["unknown", "obsolete"])
@pytest.mark.parametrize("setting", ["absent_status", "late_status", "statuses"])
def test_a_label_that_the_school_does_not_use_blocks_only_what_it_stands_for(
    day: SchoolDay, setting: str, label: str
) -> None:
    misses(day, 0)
    day.moves("Town", day.starts(1) - minutes(2))
    day.moves("Academic Building", day.starts(1) + minutes(10))
    day.takes_roll(day.starts(2) + minutes(2), "Absent", "Nurse", "Excused")
    day.sets(**{setting: {"Nurse": label} if setting == "statuses" else label})
    pushed = day.push()
    expected: list[tuple[str | None, str | None]] = [ABSENT, LATE, ABSENT]
    for lesson in {"absent_status": (0, 2), "late_status": (1,)}.get(setting, (2,)):
        expected[lesson] = PRESENT
    assert day.marks() == expected
    assert results(pushed).count("blocked") == expected.count(PRESENT)
    assert pushed.label_troubles
    assert repr(label) in pushed.label_troubles[0]
    assert day.questions() == []


def test_without_a_known_label_for_present_nobody_is_asked_about_rows_that_nobody_marked(
    day: SchoolDay,
) -> None:
    misses(day, 0)
    misses(day, 1)
    day.lessons[1]["status"] = None
    day.sets(present_status="Here")
    assert results(day.push()) == ["blocked", "written"]
    assert day.marks() == [PRESENT, ABSENT, PRESENT]
    assert day.questions() == []


def test_history_is_not_pushed_again_when_the_settings_change(day: SchoolDay) -> None:
    misses(day, 0)
    day.push()
    for statuses in ({"Town": "Absent - Unexcused"}, {"Town": ""}):
        day.sets(statuses=statuses, absent_status="Dismissed", note_marker="[else]")
        day.push()
    assert (day.marks()[0], len(day.writes())) == (ABSENT, 1)
    misses(day, 1)
    day.sets(statuses={"Town": "Absent - Unexcused"})
    day.push()
    assert day.marks() == [ABSENT, ("Absent - Unexcused", "[else]"), PRESENT]


def test_a_time_away_that_turns_out_to_need_no_mark_takes_ours_back(day: SchoolDay) -> None:
    day.sets(statuses={"College Visit": ""})
    left = misses(day, 0)
    day.push()
    assert day.marks()[0] == ABSENT
    place = next(one for one in day.sandbox.school.orah["location"] if one["name"] == "College Visit")
    day.sandbox.hands.change_move(left, {"location_id": place["id"]})
    assert results(day.push()) == ["restored"]
    assert day.marks()[0] == PRESENT
    assert results(day.push()) == ["unmapped"]


@pytest.mark.parametrize(
    ("mode", "label", "notes"),
    [
        ("overwrite_present_only", "Present", "spoke to me"),
        ("orah_wins", "Present", "spoke to me"),
        ("orah_wins", "Late", "overslept"),
    ],
)
def test_where_orah_wins_the_teachers_note_stays_and_the_mark_comes_back(
    day: SchoolDay, mode: str, label: str, notes: str
) -> None:
    day.sets(mode=mode)
    left = misses(day, 0)
    day.push()
    day.teacher_marks(0, label, notes)
    assert results(day.push()) == ["written"]
    assert day.marks()[0] == ("Absent - Excused", f"{notes} {MARKER}")
    assert results(day.push()) == ["nothing"]
    day.sandbox.hands.delete_move(left)
    goes_back(day)
    assert (day.marks()[0], len(day.writes()), day.questions()) == ((label, notes), 3, [])


def test_present_only_means_only_present(day: SchoolDay) -> None:
    day.sets(mode="overwrite_present_only")
    misses(day, 0)
    day.teacher_marks(0, "Late", "overslept")
    assert results(day.push()) == ["conflict"]
    assert (day.marks()[0], day.writes()) == (("Late", "overslept"), [])


@pytest.mark.parametrize("days_back", [0, 1, 2])
def test_only_days_of_the_edit_window_are_written(day: SchoolDay, days_back: int) -> None:
    misses(day, 0)
    day.sets(days_back=days_back)
    day.at(datetime.combine(WEDNESDAY + timedelta(days=1), time(23, 50), ZONE))
    assert results(day.push()) == (["written"] if days_back else [])
    assert len(day.writes()) == (1 if days_back else 0)
    day.at(datetime.combine(WEDNESDAY - timedelta(days=1), time(23, 50), ZONE))
    assert results(day.push()) == []


# --- links


def decides(day: SchoolDay, kind: Kind, orah_id: int, days: list[date] | None = None) -> None:
    day.decides(kind, orah_id, days or [])


def links_of_matching(day: SchoolDay, links: dict[int, int]) -> None:
    """A matching ran and found these links; records without one are known, too."""
    day.link(links)
    owners = {orah_id: student for student, orah_id in links.items()}
    people = [
        Person(ORAH, Entity.STUDENT, record["id"], {}, "", {}, {}, linked_to=owners.get(record["id"]))
        for record in day.sandbox.school.orah["student"]
    ]
    matching = Matching(day.session.key, "run", day.session.now(), None, "1", {})
    record_matching(day.session.journal, matching, [], people)


def test_a_link_that_is_gone_leaves_the_mark_until_a_person_says_that_it_was_wrong(day: SchoolDay) -> None:
    misses(day, 0)
    day.push()
    day.link({student: orah_id for student, orah_id in day.links.items() if student != day.student_id})
    for _ in range(2):
        assert results(day.push()) == ["left"]
        later(day)
    assert day.marks()[0] == ABSENT
    decides(day, Kind.NEVER, day.orah_id)
    links_of_matching(day, day.links)
    (one,) = backfills(day.session)
    assert (one.day, one.orah_ids) == (WEDNESDAY, (day.orah_id,))
    assert results(day.push(orah_ids=one.orah_ids)) == ["restored"]
    assert (day.marks()[0], len(day.writes())) == (PRESENT, 2)
    assert results(day.push()) == []


@pytest.mark.parametrize("also_away", [True, False])
def test_a_link_that_moves_to_another_record_moves_the_mark(day: SchoolDay, *, also_away: bool) -> None:
    wrong, nobody = day.orah_id, spare_record(day)
    misses(day, 0)
    day.push()
    if also_away:
        misses_as(day, nobody)
    day.link({**day.links, day.student_id: nobody})
    if not also_away:
        # The earlier record is nobody's: the mark may be true, and a person is asked.
        assert results(day.push(orah_ids=[nobody])) == ["conflict"]
        assert (day.marks()[0], len(day.questions())) == (ABSENT, 1)
        decides(day, Kind.NEVER, wrong)
    assert results(day.push(orah_ids=[wrong, nobody])) == (["nothing"] if also_away else ["restored"])
    assert day.questions() == []
    assert day.marks()[0] == (ABSENT if also_away else PRESENT)
    assert results(day.push()) == (["nothing"] if also_away else [])
    assert len(day.writes()) == (1 if also_away else 2)


def test_who_was_away_for_a_week_is_marked_although_back_before_the_match(day: SchoolDay) -> None:
    others = {student: record for student, record in day.links.items() if student != day.student_id}
    links_of_matching(day, others)
    day.moves("Home", day.starts(0) - timedelta(days=6))
    assert day.push().unmatched == [day.orah_id]
    day.moves("Academic Building", day.ends(2) + timedelta(days=1))
    day.at(datetime.combine(WEDNESDAY + timedelta(days=3), time(9), ZONE))
    decides(day, Kind.SAME, day.orah_id)
    links_of_matching(day, {**others, day.student_id: day.orah_id})
    assert results(day.push(orah_ids=[day.orah_id])) == ["written"] * 3
    assert day.marks() == [ABSENT] * 3


def spare_record(day: SchoolDay) -> int:
    """A record in Orah that is nobody's."""
    taken = set(day.links.values())
    return int(next(one["id"] for one in day.sandbox.school.orah["student"] if one["id"] not in taken))


def misses_as(day: SchoolDay, orah_id: int) -> None:
    day.moves("Town", day.starts(0) - minutes(1), student_id=orah_id)
    day.moves("Academic Building", day.ends(0) + minutes(1), student_id=orah_id)


def test_a_match_that_is_fixed_three_days_later_brings_exactly_its_days(day: SchoolDay) -> None:
    others = {student: orah_id for student, orah_id in day.links.items() if student != day.student_id}
    links_of_matching(day, others)
    misses(day, 1)
    assert day.push().unmatched == [day.orah_id]
    assert (backfills(day.session), day.writes()) == ([], [])
    day.at(datetime.combine(WEDNESDAY + timedelta(days=3), time(9), ZONE))
    decides(day, Kind.SAME, day.orah_id)
    assert backfills(day.session) == []
    links_of_matching(day, {**others, day.student_id: day.orah_id})
    (one,) = backfills(day.session)
    assert one == Backfill(WEDNESDAY, (day.orah_id,), one.cause)
    assert results(day.push(orah_ids=one.orah_ids)) == ["written"]
    assert day.marks() == [PRESENT, ABSENT, PRESENT]
    assert backfills(day.session) == []
    assert results(day.push()) == ["nothing"]
    assert len(day.writes()) == 1
