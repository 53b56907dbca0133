"""The sensor and its job: somebody leaves the grounds in Orah, and Veracross has the mark."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from vx_pipeline import clock
from vx_pipeline.assets.partitions import school_and_day
from vx_pipeline.automation import looking
from vx_pipeline.automation.movements import movements_sensor
from vx_pipeline.commands import runs
from vx_pipeline.definitions import defs
from vx_pipeline.journal.push_memory import note_pass
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.settings import SANDBOX
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.running import Pipeline, running
from vx_pipeline_tests.world import link

TODAY = date(2026, 11, 18)
ZONE = ZoneInfo("America/New_York")
MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=ZONE)
AFTERNOON = datetime(2026, 11, 18, 15, 0, tzinfo=ZONE)

Row = dict[str, Any]
TurnClock = Callable[[datetime], None]


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    sandbox = make_sandbox(20, today=TODAY)
    for model in ("location_record", "roll", "leave"):
        sandbox.school.orah[model].clear()
    return sandbox


@pytest.fixture
def turn_clock(monkeypatch: pytest.MonkeyPatch) -> TurnClock:
    def turn(moment: datetime) -> None:
        def now(zone: tzinfo = UTC) -> datetime:
            return moment.astimezone(zone)

        monkeypatch.setattr(clock, "now", now)

    turn(MORNING)
    return turn


@pytest.fixture
def pipeline(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn_clock: TurnClock
) -> Iterator[Pipeline]:
    with running(sandbox, tmp_path / "vx", monkeypatch) as opened:
        yield opened


def tick(pipeline: Pipeline, cursor: str | None) -> Any:
    """One evaluation as the daemon makes it: requests are resolved against the job and its partitions."""
    context = dg.build_sensor_context(
        instance=pipeline.instance, cursor=cursor, repository_def=defs.get_repository_def()
    )
    return movements_sensor.evaluate_tick(context)


def day_of(request: dg.RunRequest) -> date:
    """The day that a run is asked for."""
    school, day = school_and_day(str(request.partition_key or request.tags["dagster/partition"]))
    assert school == SANDBOX
    return day


def students_of(request: dg.RunRequest) -> list[int]:
    """The students, by their ids in Orah, that a run is asked for."""
    found: list[int] = request.run_config["ops"]["push_attendance_op"]["config"]["orah_ids"]
    return found


def place(sandbox: Sandbox, name: str) -> Row:
    return next(one for one in sandbox.school.orah["location"] if one["name"] == name)


def move(sandbox: Sandbox, to: str, at: datetime, student_id: int | None = None) -> int:
    """A student comes to a place; returns the record's id."""
    records, location = sandbox.school.orah["location_record"], place(sandbox, to)
    number = 1 + max((record["id"] for record in records), default=0)
    student = student_id or sandbox.school.orah["student"][0]["id"]
    records.append(
        {
            "model": "location_record",
            "id": number,
            "type": "in",
            "record_time": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "location": {"id": location["id"], "name": location["name"]},
            "student": {"id": student, "sis_id": None},
        }
    )
    return number


def test_a_departure_asks_for_one_run_and_the_same_tick_for_the_same(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    started = tick(pipeline, None)
    assert started.run_requests == []
    assert started.skip_message == "Nothing new."
    turn_clock(MORNING + timedelta(minutes=2))
    first_student, second_student = sorted(one["id"] for one in sandbox.school.orah["student"][:2])
    move(sandbox, "Town", MORNING + timedelta(minutes=1), first_student)
    move(sandbox, "Home", MORNING + timedelta(minutes=1), second_student)
    first, again = tick(pipeline, started.cursor), tick(pipeline, started.cursor)
    (request,) = first.run_requests
    assert request.run_key == again.run_requests[0].run_key
    assert (day_of(request), students_of(request)) == (TODAY, [first_student, second_student])
    turn_clock(MORNING + timedelta(minutes=3))
    later = tick(pipeline, first.cursor)
    assert later.run_requests == []
    move(sandbox, "Town", MORNING + timedelta(minutes=3))
    (next_request,) = tick(pipeline, later.cursor).run_requests
    assert next_request.run_key != request.run_key


def test_a_movement_inside_the_grounds_asks_for_nothing(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    cursor = tick(pipeline, None).cursor
    turn_clock(MORNING + timedelta(minutes=2))
    move(sandbox, "Library", MORNING + timedelta(minutes=1))
    found = tick(pipeline, cursor)
    assert found.run_requests == []
    assert found.cursor != cursor


def test_a_departure_entered_a_little_late_is_not_missed(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    cursor = tick(pipeline, None).cursor
    turn_clock(MORNING + timedelta(minutes=1))
    move(sandbox, "Town", MORNING - timedelta(minutes=9))
    assert len(tick(pipeline, cursor).run_requests) == 1


def test_a_departure_entered_hours_late_is_seen_within_a_quarter_of_an_hour_and_once(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    cursor = tick(pipeline, None).cursor
    move(sandbox, "Town", MORNING.replace(hour=0, minute=1))
    asked = []
    for minutes in range(1, 33):
        turn_clock(MORNING + timedelta(minutes=minutes))
        found = tick(pipeline, cursor)
        cursor = found.cursor
        asked += [(minutes, request.run_key) for request in found.run_requests]
    assert [minutes for minutes, _ in asked] == [15]


def test_a_departure_entered_after_midnight_belongs_to_its_day(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    turn_clock(MORNING.replace(hour=23, minute=59))
    cursor = tick(pipeline, None).cursor
    move(sandbox, "Town", MORNING.replace(hour=20))
    turn_clock(MORNING.replace(hour=0) + timedelta(days=1))
    (request,) = tick(pipeline, cursor).run_requests
    assert day_of(request) == TODAY


def test_most_looks_cost_two_requests_and_the_cursor_keeps_one_day(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    students = [student["id"] for student in sandbox.school.orah["student"]]
    for number in range(250):
        move(sandbox, "Library", MORNING - timedelta(minutes=30), students[number % len(students)])
    cursor = tick(pipeline, None).cursor
    assert seen(cursor)["sums"].keys() == {TODAY.isoformat()}
    # Movements and rolls; over the whole day two passes of two pages, and the locations.
    for minutes, cost in ((1, 2), (14, 2), (15, 6), (16, 2)):
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


def seen(cursor: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.loads(cursor)[SANDBOX])
    return found


def test_the_day_is_the_schools_own(pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock) -> None:
    night = datetime(2026, 11, 18, 22, 0, tzinfo=ZONE)  # in UTC it is the 19th
    turn_clock(night)
    cursor = tick(pipeline, None).cursor
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
    cursor = tick(pipeline, None).cursor
    turn_clock(MORNING + timedelta(minutes=20))
    move(sandbox, "Town", MORNING + timedelta(minutes=5))
    sandbox.add_fault(Fault(kind, system="orah", times=None, path="*"))
    troubled = tick(pipeline, cursor)
    assert troubled.run_requests == []
    assert SANDBOX in troubled.skip_message
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
    two_schools(tmp_path, monkeypatch, {"broken": sandbox, "south": other})

    def look(cursor: str | None) -> dg.SensorResult:
        # The partitions of the code location are those of its start, so the request is not resolved here.
        found = movements_sensor(dg.build_sensor_context(instance=pipeline.instance, cursor=cursor))
        assert isinstance(found, dg.SensorResult)
        return found

    cursor = look(None).cursor
    turn_clock(MORNING + timedelta(minutes=2))
    for one in (sandbox, other):
        move(one, "Town", MORNING + timedelta(minutes=1))
    records = sandbox.school.orah["location_record"]
    good = dict(records[-1])
    if trouble == "no answer":
        sandbox.add_fault(Fault(FaultKind.HANG, system="orah", times=None, path="*"))
    else:
        records[-1]["type"] = None
    found = look(cursor)
    assert [request.partition_key for request in found.run_requests or []] == [f"{TODAY}|south"]
    before, after = json.loads(cursor or ""), json.loads(found.cursor or "")
    assert before["broken"] == after["broken"]
    assert before["south"] != after["south"]
    sandbox.clear_faults()
    records[-1] = good
    assert [request.partition_key for request in look(found.cursor).run_requests or []] == [f"{TODAY}|broken"]


# --- from the movement to the mark


def a_lesson_today(sandbox: Sandbox) -> Row:
    """An attendance row of today, not before ten, of a student with exactly one record in Orah."""
    present = next(
        int(item["id"])
        for one in sandbox.school.value_lists["list_class_attendance"]
        if "status" in one["fields"]
        for item in one["items"]
        if item["description"] == "Present"
    )
    row: Row = next(
        row
        for row in sandbox.school.veracross["list_class_attendance"]
        if row["start_time"] >= f"{TODAY}T10:00:00"
        and row["attendance_date"] == TODAY.isoformat()
        and row["student_id"] in sandbox.school.truth
    )
    row.update(status=present, notes=None)
    return row


def land_school(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """What a night leaves that a push rests on."""
    with pipeline.session() as session, session.landing() as connection:
        for table in ("meeting_times", "enrollments", "classes"):
            endpoint = ENDPOINTS[table]
            records = sandbox.school.veracross[endpoint.operation]
            land(connection, endpoint.collection, records, read_at=clock.now())
        link(connection, sandbox.school.truth)


def run(pipeline: Pipeline, request: dg.RunRequest) -> runs.Outcome:
    return pipeline.push(day_of(request), orah_ids=students_of(request))


def test_from_a_movement_in_orah_to_the_mark_in_veracross(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    row = a_lesson_today(sandbox)
    student = sandbox.school.truth[row["student_id"]]
    land_school(pipeline, sandbox)
    cursor = tick(pipeline, None).cursor
    begin, end = (
        datetime.fromisoformat(row[name]).replace(tzinfo=ZONE) for name in ("start_time", "end_time")
    )
    move(sandbox, "Town", begin, student)
    turn_clock(AFTERNOON)
    found = tick(pipeline, cursor)
    move(sandbox, "Library", end, student)
    (request,) = found.run_requests
    outcome = run(pipeline, request)
    assert (outcome.success, outcome.failures) == (True, ())
    assert row["notes"] == "[via Orah]"
    assert [entry.target_id for entry in sandbox.journal.writes] == [row["id"]]
    assert pipeline.rows("SELECT student_id, attendance_id, result FROM attendance.planned_updates") == [
        (row["student_id"], row["id"], "written")
    ]
    (read,) = (metadata for key, metadata in outcome.read.items() if "planned_updates" in key)
    assert "| written | 1 |" in read["counts"]
    # A lost cursor does no harm: a run more, no write more, even days later.
    turn_clock(AFTERNOON + timedelta(days=2))
    (lost,) = tick(pipeline, None).run_requests
    assert day_of(lost) == TODAY
    assert run(pipeline, lost).success
    assert len(sandbox.journal.writes) == 1
    assert pipeline.rows("SELECT result FROM attendance.planned_updates") == [("nothing",)]


def test_who_leaves_before_a_lesson_is_marked_in_the_minute_in_which_enough_of_it_is_missed(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    row = a_lesson_today(sandbox)
    land_school(pipeline, sandbox)
    begin = datetime.fromisoformat(row["start_time"]).replace(tzinfo=ZONE)
    turn_clock(begin - timedelta(minutes=2))
    cursor = tick(pipeline, None).cursor
    move(sandbox, "Town", begin - timedelta(minutes=1), sandbox.school.truth[row["student_id"]])
    asked = []
    for minute in range(60):
        turn_clock(begin + timedelta(minutes=minute))
        found = tick(pipeline, cursor)
        assert [one.run_key for one in tick(pipeline, cursor).run_requests] == [
            one.run_key for one in found.run_requests
        ]
        cursor = found.cursor
        for request in found.run_requests:
            asked.append((minute, request.run_key))
            assert run(pipeline, request).success
        assert (row["notes"] == "[via Orah]") == (minute >= 28), minute
    # One for the departure, one when half of the lesson of 55 minutes is missed.
    assert [minute for minute, _ in asked] == [0, 28]
    assert len({key for _, key in asked}) == 2


def test_a_way_back_edits_and_deletions_are_seen_and_pushed(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    student = sandbox.school.orah["student"][0]["id"]
    cursor = tick(pipeline, None).cursor

    def asked_at(minutes: int) -> list[list[int]]:
        nonlocal cursor
        turn_clock(MORNING + timedelta(minutes=minutes))
        found = tick(pipeline, cursor)
        cursor = found.cursor
        return [students_of(request) for request in found.run_requests]

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
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    student = sandbox.school.orah["student"][0]["id"]
    cursor = tick(pipeline, None).cursor
    turn_clock(MORNING + timedelta(minutes=1))
    roll = sandbox.hands.take_roll(
        {"students": [{"student_id": student, "status": "Late"}], "start_time": MORNING.isoformat()}
    )
    found = tick(pipeline, cursor)
    assert [students_of(request) for request in found.run_requests] == [[student]]
    turn_clock(MORNING + timedelta(minutes=2))
    sandbox.hands.change_roll(roll["id"], {"student_id": student, "status": "Absent"})
    found = tick(pipeline, found.cursor)
    assert [students_of(request) for request in found.run_requests] == [[student]]
    leave = sandbox.hands.give_leave(
        {
            "student_id": student,
            "leave_type_id": sandbox.school.orah["leave_type"][0]["id"],
            "start_time": MORNING.isoformat(),
            "end_time": (MORNING + timedelta(hours=3)).isoformat(),
            "status": "Active",
        }
    )
    with pipeline.session() as session:
        note_pass(session.journal, SANDBOX, leave["id"], at=MORNING, orah_id=student)
    for minutes, expected in ((15, [[student]]), (30, []), (45, [[student]])):
        if minutes == 45:
            sandbox.hands.change_leave(leave["id"], {"status": "Cancelled"})
        turn_clock(MORNING + timedelta(minutes=minutes))
        found = tick(pipeline, found.cursor)
        assert [students_of(request) for request in found.run_requests] == expected


@pytest.mark.parametrize(("days", "marked"), [(13, True), (15, False)])
def test_who_is_away_for_long_is_still_away_but_not_for_ever(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock, days: int, *, marked: bool
) -> None:
    row = a_lesson_today(sandbox)
    land_school(pipeline, sandbox)
    move(sandbox, "Home", MORNING - timedelta(days=days), sandbox.school.truth[row["student_id"]])
    turn_clock(AFTERNOON)
    assert pipeline.push(TODAY).success
    assert (row["notes"] == "[via Orah]") == marked
    assert sum("open-api" in entry.path for entry in sandbox.journal.requests) == 4


def test_a_mark_that_could_not_be_written_fails_the_run(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    row = a_lesson_today(sandbox)
    land_school(pipeline, sandbox)
    begin = datetime.fromisoformat(row["start_time"]).replace(tzinfo=ZONE)
    move(sandbox, "Town", begin, sandbox.school.truth[row["student_id"]])
    move(sandbox, "Library", begin + timedelta(minutes=50), sandbox.school.truth[row["student_id"]])
    turn_clock(AFTERNOON)
    sandbox.add_fault(Fault(FaultKind.NO_EFFECT, path="*/attendance/*", method="PATCH"))
    outcome = pipeline.push(TODAY)
    assert not outcome.success
    assert "1 of 1 marks were not written" in outcome.failures[0]
    assert pipeline.rows("SELECT result FROM attendance.planned_updates") == [("failed",)]
    outcome = pipeline.push(TODAY)
    assert outcome.success
    assert row["notes"] == "[via Orah]"
