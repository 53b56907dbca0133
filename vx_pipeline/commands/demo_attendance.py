"""The demo's attendance: a mark that is written, one that a teacher keeps, and one that is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import dagster as dg
from rich.console import Console

from vx_pipeline.commands.console import progress_bar, table
from vx_pipeline.commands.push import push_days
from vx_pipeline.commands.report import print_failures
from vx_pipeline.errors import VxError
from vx_pipeline.session import SchoolSession


class Stand(Protocol):
    """What people do in the stand-ins."""

    def move(self, orah_id: int, location_id: int, at: datetime) -> int:
        """A student comes to a place; the id of the movement."""

    def move_again(self, record_id: int, at: datetime) -> None:
        """A movement is corrected: it was at another time."""

    def teacher_marks(self, attendance_id: int, status: int) -> None:
        """A teacher marks a row."""

    def writes(self) -> int:
        """How many writes the stand-ins have seen."""


@dataclass(frozen=True)
class Lesson:
    """A class meeting that a linked student attended, by the record."""

    student_id: int
    orah_id: int
    attendance_id: int
    class_id: int
    starts_at: datetime
    ends_at: datetime


def latest_day(session: SchoolSession) -> date:
    """The last day on which classes have met.

    Raises:
        VxError: there was none in the last days, as in a school's holidays.
    """
    with session.reading() as connection:
        (day,) = connection.execute(
            "SELECT max(date) FROM veracross.meeting_times WHERE _missing_since IS NULL AND end_time < $now",
            {"now": session.now().replace(tzinfo=None) - timedelta(minutes=1)},
        ).fetchall()[0]
    if day is None:
        raise VxError("No class has met in the last days.")
    found: date = day
    return found


def two_ways(
    console: Console, instance: dg.DagsterInstance, session: SchoolSession, stand: Stand, day: date
) -> bool:
    """Two students leave in one lesson each; a teacher has marked one of them; the other had not left at all."""
    one, other = _lessons(session, day)
    places = session.run(session.orah.locations())
    away = next(place["id"] for place in places if place["state"] == "off_grounds")
    grounds = next(place["id"] for place in places if place["state"] == "on_grounds")
    left = {lesson: stand.move(lesson.orah_id, away, lesson.starts_at) for lesson in (one, other)}
    for lesson in (one, other):
        stand.move(lesson.orah_id, grounds, lesson.ends_at)
    stand.teacher_marks(other.attendance_id, _late(session))
    console.print(
        f"Students {one.student_id} and {other.student_id} were off the grounds for a lesson on "
        f"{day:%A %d %B}. The teacher of {other.student_id} marked them late before anybody looked."
    )
    ids = [one.orah_id, other.orah_id]
    first = _push(console, instance, session, day, ids, stand)
    console.print(
        f"Then it turns out that student {one.student_id} left only after the lesson: the movement is corrected."
    )
    stand.move_again(left[one], one.ends_at - timedelta(minutes=1))
    second = _push(console, instance, session, day, ids, stand)
    written = {mark["student_id"] for mark in first if mark["result"] == "written"}
    asked = {mark["student_id"] for mark in first if mark["result"] == "conflict"}
    restored = {mark["student_id"] for mark in second if mark["result"] == "restored"}
    return (written, asked, restored) == ({one.student_id}, {other.student_id}, {one.student_id})


def _push(
    console: Console,
    instance: dg.DagsterInstance,
    session: SchoolSession,
    day: date,
    orah_ids: Sequence[int],
    stand: Stand,
) -> Sequence[Any]:
    before = stand.writes()
    with progress_bar("Push") as progress:
        pushed = push_days(instance, session, [day], orah_ids=orah_ids, progress=progress)
    for outcome in pushed.outcomes:
        print_failures(console, outcome)
    heads = ("student", "class", "before", "Orah says", "result", "reason")
    rows = [
        tuple(mark[name] for name in ("student_id", "class_id", "before", "after", "result", "reason"))
        for mark in pushed.marks
    ]
    console.print(table("Marks in Veracross", heads, rows))
    console.print(f"Writes that the sandbox's Veracross saw: [bold]{stand.writes() - before}[/]")
    return pushed.marks


def _lessons(session: SchoolSession, day: date) -> tuple[Lesson, Lesson]:
    """Two lessons of linked students who were there all day, and whose rows nobody has marked.

    Raises:
        VxError: there are no two such students.
    """
    with session.reading() as connection:
        rows = connection.execute(
            """
            SELECT link.veracross_id, link.orah_id, row.id, row.internal_class_id, row.start_time, row.end_time
            FROM veracross.class_attendance AS row
            JOIN matching.student_links AS link
                ON link.veracross_id = row.student_id AND link.contested IS NULL
            JOIN roster.students AS student ON student.student_id = row.student_id AND student.is_current
            WHERE row.attendance_date = $day
                AND row.end_time < $now
            QUALIFY bool_and(lower(row.status_label) = lower($present) AND row.notes IS NULL)
                    OVER (PARTITION BY row.student_id)
                AND row_number() OVER (PARTITION BY row.student_id ORDER BY row.start_time) = 1
            ORDER BY link.veracross_id
            LIMIT 2
            """,
            {
                "day": day,
                "present": session.school.policies.attendance.present_status,
                "now": session.now().replace(tzinfo=None) - timedelta(minutes=1),
            },
        ).fetchall()
    if len(rows) < 2:
        raise VxError("No two students were in all of their classes on the last day.")
    zone = session.school.zone
    one, other = (
        Lesson(student, orah_id, row, class_id, starts.replace(tzinfo=zone), ends.replace(tzinfo=zone))
        for student, orah_id, row, class_id, starts, ends in rows
    )
    return one, other


def _late(session: SchoolSession) -> int:
    with session.reading() as connection:
        row = connection.execute(
            "SELECT code FROM veracross.value_list_items WHERE collection = 'class_attendance' "
            "AND field = 'status' AND lower(label) = lower($label)",
            {"label": session.school.policies.attendance.late_status},
        ).fetchone()
    assert row is not None
    return int(row[0])
