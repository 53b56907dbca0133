"""A look at Orah: what is new there, whose day is to be pushed for it, and what it costs."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from vx_pipeline.automation import looking, movements, pass_round
from vx_pipeline.automation.decisions import for_each_school
from vx_pipeline.automation.movements import movements_sensors
from vx_pipeline.journal.due_pushes import last_look
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline_tests.automation.watching import (
    MORNING,
    TODAY,
    ZONE,
    TurnClock,
    Watched,
    come_through,
    day_of,
    first_tick,
    give_pass,
    move,
    place,
    problems,
    seen,
    students_of,
    tick,
)
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.running import Pipeline


def test_a_departure_asks_for_one_run_and_the_same_tick_for_the_same(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    started = tick(pipeline, None)
    (everybody,) = started.run_requests
    assert (day_of(everybody), students_of(everybody)) == (TODAY, [])
    come_through(pipeline, [everybody])
    turn_clock(MORNING + timedelta(minutes=2))
    first_student, second_student = sorted(one["id"] for one in sandbox.school.orah["student"][:2])
    move(sandbox, "Town", MORNING + timedelta(minutes=1), first_student)
    move(sandbox, "Home", MORNING + timedelta(minutes=1), second_student)
    first, again = tick(pipeline, started.cursor), tick(pipeline, started.cursor)
    (request,) = first.run_requests
    assert request.run_key == again.run_requests[0].run_key
    assert (day_of(request), students_of(request)) == (TODAY, [first_student, second_student])
    come_through(pipeline, [request])
    turn_clock(MORNING + timedelta(minutes=3))
    later = tick(pipeline, first.cursor)
    assert later.run_requests == []
    assert later.skip_message == "Nothing new."
    move(sandbox, "Town", MORNING + timedelta(minutes=3))
    (next_request,) = tick(pipeline, later.cursor).run_requests
    assert next_request.run_key != request.run_key


def test_a_movement_inside_the_grounds_asks_for_nothing(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    cursor = first_tick(pipeline)
    turn_clock(MORNING + timedelta(minutes=2))
    move(sandbox, "Library", MORNING + timedelta(minutes=1))
    found = tick(pipeline, cursor)
    assert found.run_requests == []
    assert found.cursor != cursor


def test_a_departure_entered_a_little_late_is_not_missed(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    cursor = first_tick(pipeline)
    turn_clock(MORNING + timedelta(minutes=1))
    move(sandbox, "Town", MORNING - timedelta(minutes=9))
    assert len(tick(pipeline, cursor).run_requests) == 1


def test_a_departure_entered_hours_late_is_seen_within_a_quarter_of_an_hour_and_once(
    watched: Watched, sandbox: Sandbox
) -> None:
    move(sandbox, "Town", MORNING.replace(hour=0, minute=1))
    asked = [
        minutes for minutes in (1, 14, 15, 16, 30, 31) if watched.at(MORNING + timedelta(minutes=minutes))
    ]
    assert asked == [15]


def test_a_departure_entered_after_midnight_belongs_to_its_day(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    turn_clock(MORNING.replace(hour=23, minute=59))
    cursor = first_tick(pipeline)
    move(sandbox, "Town", MORNING.replace(hour=20))
    turn_clock(MORNING.replace(hour=0) + timedelta(days=1))
    tomorrow = TODAY + timedelta(days=1)
    asked = [(day_of(one), students_of(one)) for one in tick(pipeline, cursor).run_requests]
    assert asked == [(TODAY, [sandbox.school.orah["student"][0]["id"]]), (tomorrow, [])]


def test_most_looks_cost_two_requests_and_the_cursor_keeps_one_day(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    students = [student["id"] for student in sandbox.school.orah["student"]]
    for number in range(250):
        move(sandbox, "Library", MORNING - timedelta(minutes=30), students[number % len(students)])
    cursor = first_tick(pipeline)
    assert seen(cursor)["sums"].keys() == {TODAY.isoformat()}
    # Movements and rolls; then over the whole day two passes of two pages, the locations, and rolls.
    for minutes, cost in ((1, 2), (14, 2), (15, 8), (16, 2)):
        turn_clock(MORNING + timedelta(minutes=minutes))
        before = len(sandbox.journal.requests)
        found = tick(pipeline, cursor)
        cursor = found.cursor
        assert len(sandbox.journal.requests) - before == cost
        assert found.run_requests == []
    assert len(cursor) < 60 * len(students) + 500
    for minutes in (0, 15):
        turn_clock(MORNING + timedelta(days=1, minutes=minutes))
        cursor = tick(pipeline, cursor).cursor
    assert seen(cursor)["sums"].keys() == {(TODAY + timedelta(days=1)).isoformat()}


def test_the_day_is_the_schools_own(pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock) -> None:
    night = datetime(2026, 11, 18, 22, 0, tzinfo=ZONE)  # in UTC it is the 19th
    turn_clock(night)
    cursor = first_tick(pipeline)
    turn_clock(night + timedelta(minutes=1))
    move(sandbox, "Town", night)
    (request,) = tick(pipeline, cursor).run_requests
    assert day_of(request) == TODAY


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.STATUS])
def test_orah_that_cannot_be_reached_is_told_and_the_cursor_kept(
    pipeline: Pipeline,
    sandbox: Sandbox,
    turn_clock: TurnClock,
    monkeypatch: pytest.MonkeyPatch,
    kind: FaultKind,
) -> None:
    monkeypatch.setattr(looking, "LOOK_SECONDS", 0.2)
    cursor = first_tick(pipeline)
    turn_clock(MORNING + timedelta(minutes=10))
    move(sandbox, "Town", MORNING + timedelta(minutes=5))
    sandbox.add_fault(Fault(kind, system="orah", times=None, path="*"))
    troubled = tick(pipeline, cursor)
    assert troubled.run_requests == []
    assert "did not answer" in troubled.skip_message
    assert json.loads(troubled.cursor) == json.loads(cursor)
    sandbox.clear_faults()
    turn_clock(MORNING + timedelta(minutes=40))
    assert len(tick(pipeline, troubled.cursor).run_requests) == 1


def two_schools(
    folder: Path, monkeypatch: pytest.MonkeyPatch, schools: dict[str, Sandbox]
) -> dict[str, Sandbox]:
    text = ""
    for key, sandbox in schools.items():
        monkeypatch.setenv(f"VX_SCHOOLS__{key.upper()}__ORAH_API_KEY", sandbox.credentials.orah_api_key)
        monkeypatch.setenv(
            f"VX_SCHOOLS__{key.upper()}__VERACROSS_CLIENT_SECRET", sandbox.credentials.client_secret
        )
        text += (
            f'[schools.{key}]\nveracross_school_route = "{sandbox.school.route}"\n'
            f'veracross_client_id = "{sandbox.credentials.client_id}"\ntimezone = "{ZONE.key}"\n'
            f'veracross_api_url = "{sandbox.veracross_api_url}"\n'
            f'veracross_accounts_url = "{sandbox.veracross_accounts_url}"\n'
            f'orah_api_url = "{sandbox.orah_api_url}"\n'
        )
    config = folder / "schools.toml"
    config.write_text(text)
    monkeypatch.setenv("VX_CONFIG", str(config))
    return schools


def test_a_way_back_edits_and_deletions_are_seen_and_pushed(watched: Watched, sandbox: Sandbox) -> None:
    student = sandbox.school.orah["student"][0]["id"]

    def asked_at(minutes: int) -> list[list[int]]:
        return [students for _, students in watched.at(MORNING + timedelta(minutes=minutes))]

    left = move(sandbox, "Town", MORNING + timedelta(minutes=1))
    assert asked_at(2) == [[student]]
    move(sandbox, "Library", MORNING + timedelta(minutes=3))
    assert asked_at(4) == [[student]]
    assert asked_at(15) == []
    move(sandbox, "Chapel", MORNING + timedelta(minutes=16))
    assert asked_at(17) == [], "nobody who was here goes or comes by that"
    sandbox.hands.change_move(left, {"record_time": (MORNING - timedelta(minutes=5)).isoformat()})
    assert asked_at(29) == []
    assert asked_at(30) == [[student]]
    sandbox.hands.delete_move(left)
    assert asked_at(45) == [[student]]
    assert asked_at(60) == []


def test_a_class_roll_and_a_cancelled_pass_are_seen(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox
) -> None:
    student = sandbox.school.orah["student"][0]["id"]
    roll = sandbox.hands.take_roll(
        {"students": [{"student_id": student, "status": "Late"}], "start_time": MORNING.isoformat()}
    )
    assert watched.at(MORNING + timedelta(minutes=1)) == [(TODAY, [student])]
    sandbox.hands.change_roll(roll["id"], {"student_id": student, "status": "Absent"})
    assert watched.at(MORNING + timedelta(minutes=2)) == [(TODAY, [student])]
    leave = give_pass(pipeline, sandbox, student, MORNING, MORNING + timedelta(hours=3))
    for minutes, expected in ((15, [(TODAY, [student])]), (30, []), (45, [(TODAY, [student])])):
        if minutes == 45:
            sandbox.hands.change_leave(leave, {"status": "Cancelled"})
        assert watched.at(MORNING + timedelta(minutes=minutes)) == expected


def test_what_is_as_it_was_two_looks_ago_is_news_again(watched: Watched, sandbox: Sandbox) -> None:
    student = sandbox.school.orah["student"][0]["id"]
    sandbox.hands.take_roll(
        {"students": [{"student_id": student, "status": "Absent"}], "start_time": MORNING.isoformat()}
    )
    (stored,) = sandbox.school.orah["roll"]
    keys = []
    for minutes, status in enumerate(("Absent", "Present", "Absent"), start=1):
        stored["students"][0]["status"] = status
        keys += [one.run_key for one in watched.asks_at(MORNING + timedelta(minutes=minutes))]
    assert len(set(keys)) == 3


def test_whoever_a_roll_does_not_name_any_more_is_pushed(watched: Watched, sandbox: Sandbox) -> None:
    first, second = sorted(one["id"] for one in sandbox.school.orah["student"][:2])
    given = [{"student_id": first, "status": "Absent"}, {"student_id": second, "status": "Present"}]
    sandbox.hands.take_roll({"students": given, "start_time": MORNING.isoformat()})
    (stored,) = sandbox.school.orah["roll"]

    def asked_at(minutes: int) -> list[list[int]]:
        return [students for _, students in watched.at(MORNING + timedelta(minutes=minutes))]

    assert asked_at(1) == [[first, second]]
    stored["students"] = [one for one in stored["students"] if one["student"]["id"] != first]
    assert asked_at(2) == [[first, second]]
    stored["status"] = "In Progress"
    assert asked_at(3) == [[second]], "reopened"
    assert asked_at(4) == []
    stored["status"] = "Completed"
    assert asked_at(5) == [[second]]
    sandbox.school.orah["roll"].clear()
    assert asked_at(6) == [], "one short answer takes nothing back"
    assert asked_at(15) == [[second]]
    assert asked_at(30) == []


def test_a_changed_pass_is_pushed_on_each_day_of_the_window_that_it_touches_or_touched(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox
) -> None:
    student = sandbox.school.orah["student"][0]["id"]
    days = [TODAY - timedelta(days=number) for number in (2, 1, 0)]
    leave = give_pass(pipeline, sandbox, student, MORNING - timedelta(days=2), MORNING + timedelta(days=2))
    assert watched.at(MORNING + timedelta(minutes=15)) == [(day, [student]) for day in days]
    sandbox.hands.change_leave(leave, {"start_time": (MORNING + timedelta(hours=1)).isoformat()})
    assert watched.at(MORNING + timedelta(minutes=30)) == [(day, [student]) for day in days]
    sandbox.hands.change_leave(leave, {"end_time": (MORNING + timedelta(hours=2)).isoformat()})
    assert watched.at(MORNING + timedelta(minutes=45)) == [(TODAY, [student])]
    sandbox.school.orah["leave"].clear()
    assert watched.at(MORNING + timedelta(minutes=60)) == [(TODAY, [student])]
    assert watched.at(MORNING + timedelta(minutes=75)) == []


def test_who_comes_back_from_a_pass_that_no_movement_began_is_news(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox
) -> None:
    student, other = (one["id"] for one in sandbox.school.orah["student"][:2])
    give_pass(pipeline, sandbox, student, MORNING, MORNING + timedelta(hours=2))
    assert watched.at(MORNING + timedelta(minutes=15)) == [(TODAY, [student])]
    for one in (student, other):
        move(sandbox, "Library", MORNING + timedelta(minutes=16), one)
    assert watched.at(MORNING + timedelta(minutes=17)) == [(TODAY, [student])]


def test_a_movement_inside_the_grounds_that_names_a_pass_is_news(watched: Watched, sandbox: Sandbox) -> None:
    student = sandbox.school.orah["student"][0]["id"]
    leave = sandbox.hands.give_leave(
        {
            "student_id": student,
            "leave_type_id": sandbox.school.orah["leave_type"][0]["id"],
            "start_time": MORNING.isoformat(),
            "end_time": (MORNING + timedelta(hours=2)).isoformat(),
        }
    )
    goes = {
        "student_id": student,
        "location_id": place(sandbox, "Health Center")["id"],
        "leave_id": leave["id"],
    }
    sandbox.hands.move({**goes, "record_time": (MORNING + timedelta(minutes=1)).isoformat()})
    assert watched.at(MORNING + timedelta(minutes=2)) == [(TODAY, [student])]


# --- a new day, a lost cursor, a long silence


def test_the_first_look_on_a_day_asks_for_everybody(watched: Watched, sandbox: Sandbox) -> None:
    move(sandbox, "Home", MORNING.replace(hour=18))
    tomorrow = TODAY + timedelta(days=1)
    late = MORNING.replace(hour=23, minute=30)
    assert watched.at(late) == [(TODAY, [])], "hours without a look: everybody"
    assert watched.at(late + timedelta(minutes=29)) == []
    assert watched.at(late + timedelta(minutes=30)) == [(tomorrow, [])]
    assert watched.at(late + timedelta(minutes=31)) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        '{"until": "2099-01-01T00:00:00Z"}',
        "[]",
        '{"until": "then"}',
        '{"looked": "x", "until": "2026-11-18T13:00:00Z"}',
        '{"looked": "2026-11-18T08:00:00", "until": "2026-11-18T13:00:00Z"}',
        '{"sums": {"x": 1}}',
        '{"sandbox": "{}"}',
    ],
)
def test_a_cursor_that_cannot_be_read_counts_as_lost(
    pipeline: Pipeline, watched: Watched, cursor: str
) -> None:
    watched.cursor = cursor
    assert watched.at(MORNING + timedelta(minutes=15)) == [(TODAY, [])]
    assert watched.at(MORNING + timedelta(minutes=16)) == []


def test_days_without_a_look_are_pushed_for_everybody(watched: Watched) -> None:
    days = [TODAY + timedelta(days=number) for number in range(3)]
    assert watched.at(MORNING + timedelta(days=2)) == [(day, []) for day in days]
    long_ago = {**seen(watched.cursor or ""), "until": (MORNING - timedelta(days=30)).isoformat()}
    watched.cursor = json.dumps(long_ago)
    window = [TODAY - timedelta(days=number) for number in range(7, -1, -1)]
    assert watched.at(MORNING) == [(day, []) for day in window]


# --- what hangs, fails, or is too much


def test_passes_are_read_a_few_at_a_time_and_one_that_fails_stops_nothing(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pass_round, "PASSES_AT_ONCE", 2)
    monkeypatch.setattr(pass_round, "PASS_SECONDS", 0.3)
    students = sorted(one["id"] for one in sandbox.school.orah["student"][:5])
    leaves = [give_pass(pipeline, sandbox, one, MORNING, MORNING + timedelta(hours=3)) for one in students]
    broken = next(one for one in sandbox.school.orah["leave"] if one["id"] == leaves[1])
    whole, leave_type = dict(broken), broken.pop("leave_type")
    asked = [watched.at(MORNING + timedelta(minutes=minutes)) for minutes in range(15, 19)]
    assert asked == [[(TODAY, students[:1])], [(TODAY, students[2:4])], [(TODAY, students[4:])], []]
    broken.update(whole, leave_type=leave_type)
    sandbox.add_fault(Fault(FaultKind.STATUS, system="orah", times=1, path="*/leave/get-single"))
    asked = [watched.at(MORNING + timedelta(minutes=minutes)) for minutes in range(30, 33)]
    assert asked == [[(TODAY, students[1:2])], [], []], "tried again, and the others are as they were"


def test_a_day_that_cannot_be_read_whole_leaves_the_last_minutes(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "WHOLE_SECONDS", 0.0)
    student = sandbox.school.orah["student"][0]["id"]
    move(sandbox, "Town", MORNING + timedelta(minutes=14))
    assert watched.at(MORNING + timedelta(minutes=15)) == [(TODAY, [student])]
    for minutes in (30, 45):
        assert watched.at(MORNING + timedelta(minutes=minutes)) == []
    assert problems(pipeline) == []
    watched.at(MORNING + timedelta(minutes=75))
    ((colour, told),) = problems(pipeline)
    assert (colour, "what was edited in Orah since 2026-11-18 13:00 UTC is not seen" in told) == (
        "yellow",
        True,
    )
    monkeypatch.setattr(looking, "WHOLE_SECONDS", 10.0)
    watched.at(MORNING + timedelta(minutes=76))
    assert problems(pipeline) == []


@pytest.mark.parametrize("ever", [True, False])
def test_somebody_is_told_when_nobody_can_look_and_when_it_is_over(
    pipeline: Pipeline, turn_clock: TurnClock, sandbox: Sandbox, *, ever: bool
) -> None:
    watched = Watched(pipeline, turn_clock)
    if ever:
        watched.at(MORNING)
    sandbox.add_fault(Fault(FaultKind.STATUS, system="orah", times=None, path="*", status=401))
    for minutes in (1, 14):
        watched.at(MORNING + timedelta(minutes=minutes))
        assert problems(pipeline) == []
    for minutes in (16, 17):
        watched.at(MORNING + timedelta(minutes=minutes))
        ((colour, told),) = problems(pipeline)
        assert colour == "red"
        since = "since 2026-11-18 13:00" if ever else "so far"
        assert told.startswith(f"look: Orah could not be looked at {since}")
    with pipeline.session() as session:
        assert last_look(session.journal, SANDBOX) == (MORNING if ever else None)
    sandbox.clear_faults()
    watched.at(MORNING + timedelta(minutes=18))
    assert problems(pipeline) == []
    with pipeline.session() as session:
        assert last_look(session.journal, SANDBOX) == MORNING + timedelta(minutes=18)


def test_an_error_that_nobody_foresaw_is_told_by_its_kind(
    watched: Watched, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Amelia Stone")

    monkeypatch.setattr(movements, "look", broken)
    assert watched.at(MORNING + timedelta(minutes=16)) == []
    assert "RuntimeError" in watched.told
    ((colour, told),) = problems(pipeline)
    assert (colour, "RuntimeError" in told, "Amelia" in told + watched.told) == ("red", True, False)


# --- several schools


@pytest.mark.parametrize("trouble", ["no answer", "malformed record"])
def test_one_school_in_trouble_does_not_hold_up_the_other(
    trouble: str,
    pipeline: Pipeline,
    sandbox: Sandbox,
    make_sandbox: SandboxFactory,
    turn_clock: TurnClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "LOOK_SECONDS", 0.2)
    other = make_sandbox(20, today=TODAY)
    other.school.orah["location_record"].clear()
    two_schools(tmp_path, monkeypatch, {"broken": sandbox, "south-end": other})
    sensors = dict(zip(("broken", "south-end"), movements_sensors(load_settings()), strict=True))
    assert [one.name for one in sensors.values()] == ["movements_broken", "movements_south_end"]

    def look(school: str, cursor: str | None = None) -> dg.SensorResult:
        # The partitions of the code location are those of its start, so the request is not resolved here.
        found = sensors[school](dg.build_sensor_context(instance=pipeline.instance, cursor=cursor))
        assert isinstance(found, dg.SensorResult)
        return found

    cursors = {school: look(school).cursor for school in sensors}
    turn_clock(MORNING + timedelta(minutes=2))
    for one in (sandbox, other):
        move(one, "Town", MORNING + timedelta(minutes=1))
    records = sandbox.school.orah["location_record"]
    good = dict(records[-1])
    if trouble == "no answer":
        sandbox.add_fault(Fault(FaultKind.HANG, system="orah", times=None, path="*"))
    else:
        records[-1]["type"] = None
    found = {school: look(school, cursor) for school, cursor in cursors.items()}
    asked = [one.partition_key for result in found.values() for one in result.run_requests or []]
    assert asked == [f"{TODAY}|south-end"]
    assert found["broken"].cursor == cursors["broken"]
    sandbox.clear_faults()
    records[-1] = good
    assert len(look("broken", found["broken"].cursor).run_requests or []) == 1


def test_a_school_that_dagster_does_not_know_yet_does_not_silence_the_others(
    pipeline: Pipeline,
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two_schools(tmp_path, monkeypatch, {"added": sandbox, "sandbox": sandbox})

    def request(_: dg.SensorEvaluationContext, session: SchoolSession) -> list[dg.RunRequest]:
        return [dg.RunRequest(partition_key=session.key)]

    found = for_each_school(dg.build_sensor_context(instance=pipeline.instance), request, "nothing")
    assert [one.partition_key for one in found.run_requests or []] == ["sandbox"]

    def broken(_: dg.SensorEvaluationContext, session: SchoolSession) -> list[dg.RunRequest]:
        raise KeyError("Amelia Stone")

    found = for_each_school(dg.build_sensor_context(instance=pipeline.instance), broken, "nothing")
    told = (found.skip_reason or dg.SkipReason()).skip_message or ""
    assert "added: This school was added after" in told
    assert ("KeyError" in told, "Amelia" in told) == (True, False)
