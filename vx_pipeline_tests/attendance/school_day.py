"""One student's school day, over real HTTP and real files: what people do, what the clock says, and a push."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vx_pipeline import clock
from vx_pipeline.assets.attendance_push import push_school_day
from vx_pipeline.attendance.day import PushedDay
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.journal.decisions import Entity, Kind, decide
from vx_pipeline.journal.mark_answers import answer_questions
from vx_pipeline.journal.mark_questions import Answer, OpenQuestion, open_questions
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.journal import WriteEntry
from vx_pipeline.settings import SANDBOX, School, load_settings
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.life.session import Clock, QuickSession
from vx_pipeline_tests.running import point_at

ZONE = ZoneInfo("America/New_York")
MARKER = "[via Orah]"
WEDNESDAY = date(2026, 11, 18)
TABLES = ("classes", "enrollments", "meeting_times")

_LANDED: dict[tuple[date, int], bytes] = {}
"""Warehouses by day and number of students: landing one takes as long as four pushes."""

Row = dict[str, Any]


class PolicySession(QuickSession):
    """A session whose rules a test may change as it goes."""

    rules: AttendancePolicy = AttendancePolicy()

    @property
    def school(self) -> School:
        """The school with the test's own rules."""
        found = self._school
        return found.model_copy(
            update={"policies": found.policies.model_copy(update={"attendance": self.rules})}
        )

    @cached_property
    def _school(self) -> School:
        return self.settings.school(self.key)


class SchoolDay:
    """A student with lessons on a day, and everybody who does something about them.

    Args:
        sandbox: the stand-ins; nobody has moved in them yet, and nobody marked a row of the day.
        session: the pipeline's.
        clock: the time of all three.
        day: the day.
    """

    def __init__(self, sandbox: Sandbox, session: PolicySession, clock: Clock, day: date) -> None:
        self.sandbox = sandbox
        self.session = session
        self.clock = clock
        self.day = day
        self.orah_id = 0
        self.student_id = 0
        self.links: dict[int, int] = {}

    @property
    def lessons(self) -> list[Row]:
        """The student's attendance rows of the day, as Veracross holds them, in the order of the day."""
        found = [
            row
            for row in self.sandbox.school.veracross["list_class_attendance"]
            if row["student_id"] == self.student_id and row["attendance_date"] == self.day.isoformat()
        ]
        return sorted(found, key=lambda row: str(row["start_time"]))

    def starts(self, lesson: int) -> datetime:
        """When a lesson begins; aware."""
        return datetime.fromisoformat(self.lessons[lesson]["start_time"]).replace(tzinfo=ZONE)

    def ends(self, lesson: int) -> datetime:
        """When a lesson ends; aware."""
        return datetime.fromisoformat(self.lessons[lesson]["end_time"]).replace(tzinfo=ZONE)

    def at(self, moment: datetime) -> None:
        """Turns the clock."""
        self.clock.moment = moment.astimezone(ZONE)

    def moves(self, place: str | None, at: datetime, **values: Any) -> int:
        """The student comes to a place, or signs out of one that is not named; returns the movement's id."""
        location = None if place is None else self.place(place)
        record = self.sandbox.hands.move(
            {
                "student_id": self.orah_id,
                "location_id": location,
                "record_time": at.isoformat(),
                "type": "out" if place is None else "in",
                **values,
            }
        )
        return int(record["id"])

    def gets_pass(self, start: datetime, end: datetime, kind: str = "Day Leave", **values: Any) -> int:
        """The student is given an active pass whose id is known; returns it."""
        record = self.sandbox.hands.give_leave(
            {
                "student_id": self.orah_id,
                "leave_type_id": self._named("leave_type", kind)["id"],
                "start_time": start.isoformat(),
                "end_time": end.isoformat(),
                "status": "Active",
                **values,
            }
        )
        return int(record["id"])

    def ends_pass(self, leave: int, at: datetime) -> None:
        """A pass is over; its end is when it really ended."""
        self.sandbox.hands.change_leave(leave, {"status": "Ended", "end_time": at.isoformat()})

    def takes_roll(self, at: datetime, status: str, reason: str = "Not seen", kind: str = "Unexcused") -> int:
        """A class roll is taken that says this of the student; returns its id."""
        entry = self._entry(status, reason, kind)
        given = {"students": [entry], "start_time": at.isoformat()}
        return int(self.sandbox.hands.take_roll(given)["id"])

    def edits_roll(self, roll: int, status: str, reason: str = "Not seen", kind: str = "Unexcused") -> None:
        """Somebody corrects what a roll says of the student."""
        self.sandbox.hands.change_roll(roll, self._entry(status, reason, kind))

    def _entry(self, status: str, reason: str, kind: str) -> Row:
        told = {} if status == "Present" else {"reason": {"name": reason, "type": kind}}
        return {"student_id": self.orah_id, "status": status, **told}

    def teacher_marks(self, lesson: int, label: str, notes: str | None = None) -> None:
        """A teacher marks the student."""
        self.sandbox.hands.mark(self.lessons[lesson]["id"], {"status": self.code(label), "notes": notes})

    def push(self, **options: Any) -> PushedDay:
        """Pushes the day."""
        return push_school_day(self.session, self.day, cause="a test", **options)

    def marks(self) -> list[tuple[str | None, str | None]]:
        """Label and notes of each of the student's rows."""
        labels = {str(item["id"]): item["description"] for item in self._statuses()}
        return [(labels.get(str(row["status"])), row["notes"]) for row in self.lessons]

    def writes(self) -> list[WriteEntry]:
        """What the pipeline wrote to Veracross."""
        return [entry for entry in self.sandbox.journal.writes if entry.system == "veracross"]

    def sets(self, **rules: Any) -> None:
        """The school changes its rules for attendance."""
        self.session.rules = AttendancePolicy.model_validate({**self.session.rules.model_dump(), **rules})

    def questions(self) -> list[OpenQuestion]:
        """What a person is asked, in the order in which it was asked."""
        return sorted(open_questions(self.session.journal, self.session.key), key=lambda one: one.number)

    def answers(self, answer: Answer, *numbers: int) -> None:
        """A person answers questions; every open one where none is named."""
        answer_questions(
            self.session.journal,
            self.session.key,
            numbers or [one.number for one in self.questions()],
            answer=answer,
            actor="R. Quill",
            via="page",
            first=date.min,
            at=self.session.now(),
        )

    def decides(self, kind: Kind, orah_id: int, days: Sequence[date] = ()) -> None:
        """A person says what the student and a record in Orah have to do with each other."""
        decide(
            self.session.journal,
            school=self.session.key,
            entity=Entity.STUDENT,
            kind=kind,
            veracross_id=self.student_id,
            orah_id=orah_id,
            note="looked at",
            actor="R. Quill",
            via="page",
            at=self.session.now(),
            days=list(days),
        )

    def spare_record(self) -> int:
        """A record in Orah that is nobody's."""
        taken = set(self.links.values())
        found = (one["id"] for one in self.sandbox.school.orah["student"] if one["id"] not in taken)
        return int(next(found))

    def misses(self, lesson: int, orah_id: int | None = None) -> int:
        """The student, by this record in Orah, is in town for a whole lesson; returns the movement's id."""
        who = {"student_id": orah_id or self.orah_id}
        left = self.moves("Town", self.starts(lesson) - minutes(1), **who)
        self.moves("Academic Building", self.ends(lesson) + minutes(1), **who)
        return left

    def code(self, label: str) -> int:
        """The code of a status."""
        return int(next(item["id"] for item in self._statuses() if item["description"] == label))

    def _statuses(self) -> list[Row]:
        lists = self.sandbox.school.value_lists["list_class_attendance"]
        items: list[Row] = next(one["items"] for one in lists if "status" in one["fields"])
        return items

    def place(self, name: str) -> int:
        """The id of a location."""
        return int(self._named("location", name)["id"])

    def _named(self, model: str, name: str) -> Row:
        return next(one for one in self.sandbox.school.orah[model] if one["name"] == name)

    def land(self) -> None:
        """Brings the tables that a push needs up to what Veracross holds."""
        operations = {name: ENDPOINTS[name].operation for name in TABLES}
        with self.session.landing() as connection:
            for name, operation in operations.items():
                rows = self.sandbox.school.veracross[operation]
                collection = ENDPOINTS[name].collection
                land(connection, collection, rows, read_at=self.clock.now(), may_be_empty=True)

    def link(self, links: Mapping[int, int]) -> None:
        """Makes these the links between students and records in Orah."""
        self.links = dict(links)
        with self.session.writing() as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
            connection.execute(
                "CREATE OR REPLACE TABLE matching.student_links "
                "(veracross_id BIGINT, orah_id BIGINT, contested VARCHAR)"
            )
            for veracross_id, orah_id in links.items():
                connection.execute(
                    "INSERT INTO matching.student_links VALUES ($veracross_id, $orah_id, NULL)",
                    {"veracross_id": veracross_id, "orah_id": orah_id},
                )


@contextmanager
def school_day(
    sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, day: date, lessons: int = 3
) -> Iterator[SchoolDay]:
    """A student with so many lessons on a day, at eight in the evening of it."""
    ticking = Clock(datetime.combine(day, time(20), tzinfo=ZONE))
    monkeypatch.setattr(clock, "now", ticking.now)
    sandbox.clock = ticking.epoch
    for model in ("location_record", "roll", "leave"):
        sandbox.school.orah[model].clear()
    point_at(sandbox, home, monkeypatch)
    settings = load_settings()
    warehouse = settings.warehouse_path(SANDBOX)
    landed = _LANDED.get((day, len(sandbox.school.veracross["list_students"])))
    if landed:
        warehouse.parent.mkdir(parents=True)
        warehouse.write_bytes(landed)
    with PolicySession(settings, SANDBOX) as session:
        found = SchoolDay(sandbox, session, ticking, day)
        if not landed:
            found.land()
            _LANDED[day, len(sandbox.school.veracross["list_students"])] = _saved(session)
        _choose(found, lessons)
        yield found


def _saved(session: PolicySession) -> bytes:
    """The warehouse as its file holds it."""
    with session.landing() as connection:
        connection.execute("CHECKPOINT")
    return session.warehouse_path.read_bytes()


def _choose(found: SchoolDay, lessons: int) -> None:
    """Takes the first student with that many lessons, links them, and clears the day's rows of all marks."""
    active = [one for one in found.sandbox.school.orah["student"] if not one["deactivated"]]
    of_day: dict[int, int] = {}
    for row in found.sandbox.school.veracross["list_class_attendance"]:
        if row["attendance_date"] == found.day.isoformat():
            row.update(status=found.code("Present"), notes=None)
            of_day[row["student_id"]] = of_day.get(row["student_id"], 0) + 1
    students = sorted(of_day, key=lambda one: (of_day[one] != lessons, one))
    links = dict(zip(students, (one["id"] for one in active), strict=False))
    found.student_id, found.orah_id = students[0], links[students[0]]
    assert len(found.lessons) == lessons
    found.link(links)


def results(pushed: PushedDay) -> list[str]:
    """What became of each row."""
    return [update.result for update in pushed.updates]


def later(day: SchoolDay, number: float = 6) -> None:
    """Some minutes later; six, if not said otherwise, in which a doubt has become a certainty."""
    day.at(day.clock.moment + minutes(number))


def minutes(number: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=number)
