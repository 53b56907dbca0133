"""A school whose Orah a sensor watches: its clock, its people who move, and the sensor's ticks."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from vx_pipeline import clock
from vx_pipeline.assets.partitions import school_and_day
from vx_pipeline.commands import runs
from vx_pipeline.definitions import defs
from vx_pipeline.journal.due_pushes import plan_push
from vx_pipeline.journal.problems import open_problems
from vx_pipeline.journal.push_memory import note_pass
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.settings import SANDBOX
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.running import Pipeline
from vx_pipeline_tests.world import link

TODAY = date(2026, 11, 18)
ZONE = ZoneInfo("America/New_York")
MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=ZONE)
AFTERNOON = datetime(2026, 11, 18, 15, 0, tzinfo=ZONE)

Row = dict[str, Any]
TurnClock = Callable[[datetime], None]


class Watched:
    """The sensor of the sandbox school, and its cursor; each push that it asks for comes through at once."""

    def __init__(self, pipeline: Pipeline, turn_clock: TurnClock) -> None:
        self.pipeline = pipeline
        self.turn_clock = turn_clock
        self.cursor: str | None = None
        self.told = ""

    def at(self, moment: datetime) -> list[tuple[date, list[int]]]:
        """A tick at a moment: days and students of the pushes it asks for; no students are everybody."""
        requests = self.asks_at(moment)
        come_through(self.pipeline, requests)
        return [(day_of(one), students_of(one)) for one in requests]

    def asks_at(self, moment: datetime) -> list[dg.RunRequest]:
        """A tick at a moment, whose pushes are lost."""
        self.turn_clock(moment)
        found = tick(self.pipeline, self.cursor)
        self.cursor = found.cursor
        self.told = found.skip_message or ""
        return list(found.run_requests)


def tick(pipeline: Pipeline, cursor: str | None) -> Any:
    """One evaluation as the daemon makes it: requests are resolved against the job and its partitions."""
    repository = defs.get_repository_def()
    context = dg.build_sensor_context(instance=pipeline.instance, cursor=cursor, repository_def=repository)
    return repository.get_sensor_def("movements_sandbox").evaluate_tick(context)


def first_tick(pipeline: Pipeline) -> str:
    """The cursor after a first tick, whose push of everybody has come through."""
    found = tick(pipeline, None)
    come_through(pipeline, found.run_requests)
    return str(found.cursor)


def come_through(pipeline: Pipeline, requests: Iterable[dg.RunRequest]) -> None:
    """Notes what pushes note at their end that find nothing to do."""
    with pipeline.session() as session:
        for one in requests:
            looked_at = students_of(one) or None
            plan_push(session.journal, SANDBOX, day_of(one), {}, looked_at=looked_at)


def day_of(request: dg.RunRequest) -> date:
    """The day that a run is asked for."""
    school, day = school_and_day(str(request.partition_key or request.tags["dagster/partition"]))
    assert school == SANDBOX
    return day


def students_of(request: dg.RunRequest) -> list[int]:
    """The students, by their ids in Orah, that a run is asked for; none are everybody."""
    found: list[int] = request.run_config["ops"]["push_attendance_op"]["config"]["orah_ids"]
    return found


def seen(cursor: str) -> dict[str, Any]:
    """What a cursor holds."""
    found: dict[str, Any] = json.loads(cursor)
    return found


def run(pipeline: Pipeline, request: dg.RunRequest) -> runs.Outcome:
    """The push that a sensor asked for."""
    return pipeline.push(day_of(request), orah_ids=students_of(request))


def problems(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Colour and words of what is wrong."""
    with pipeline.session() as session:
        return [(one.colour, one.told) for one in open_problems(session.journal, SANDBOX)]


def place(sandbox: Sandbox, name: str) -> Row:
    """A location of Orah."""
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


def give_pass(
    pipeline: Pipeline, sandbox: Sandbox, student: int, start: datetime, end: datetime, **values: Any
) -> int:
    """A student is given an active pass whose id is known; returns it."""
    leave = sandbox.hands.give_leave(
        {
            "student_id": student,
            "leave_type_id": sandbox.school.orah["leave_type"][0]["id"],
            "start_time": start.isoformat(),
            "end_time": end.isoformat(),
            "status": "Active",
            **values,
        }
    )
    with pipeline.session() as session:
        note_pass(session.journal, SANDBOX, leave["id"], at=session.now(), orah_id=student)
    return int(leave["id"])


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
