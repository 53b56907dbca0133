"""Attendance as the newest run left it, for the page: marks by day, figures by student, alerts.

Rebuildable views, replaced by each run: the page reads the journal alone, so that it works while a run has the
warehouse. A run for an older day mends that day's marks and leaves figures and alerts of a newer day alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, delete, insert, select

from vx_pipeline.journal.attendance_view_tables import (
    attendance_alerts,
    attendance_days,
    attendance_published,
    attendance_standing,
)
from vx_pipeline.journal.database import Journal

DAYS_SHOWN = 7
"""Days of a house's week, the last one included; as many as the shortest window of the insights has."""


class Mark(NamedTuple):
    """One class meeting of one student.

    Args:
        start: on the school's clock, ``HH:MM``; empty where Veracross tells no time.
        class_id: the class in Veracross.
        kind: ``present``, ``late``, ``excused``, ``unexcused``, ``no_reason``, ``not_expected``, ``untaken`` or
            ``unknown``.
    """

    start: str
    class_id: int
    kind: str


Marks = tuple[Mark, ...]


@dataclass(frozen=True)
class Published:
    """What the views of a school are of.

    Args:
        as_of: the day that figures and alerts are of.
        first_day: of its term.
        at: when it was published; aware.
    """

    as_of: date
    first_day: date
    at: datetime

    @property
    def kept_from(self) -> date:
        """The first day of which marks are kept: of the term or of the week, whichever is earlier."""
        return min(self.first_day, self.as_of - timedelta(days=DAYS_SHOWN - 1))


@dataclass(frozen=True)
class Standing:
    """A student's figures.

    Args:
        student_id: the Veracross id.
        house: where a boarder lives; None where nobody knows, and for day students.
        grade: the grade's label.
        is_boarder: whether the student boards.
        windows: ``7_days``, ``30_days``, ``term`` -> the figures of ``attendance.insights`` by column.
    """

    student_id: int
    house: str | None
    grade: str | None
    is_boarder: bool
    windows: Mapping[str, Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True)
class Alert:
    """A rule that a student meets: the measure of the window has this value, and the threshold is reached."""

    student_id: int
    rule: str
    window: str
    measure: str
    value: float
    threshold: float
    since: date


@dataclass(frozen=True)
class StudentMarks:
    """A student with their marks by day; days without a class meeting are not among them."""

    standing: Standing
    days: Mapping[date, Marks] = field(repr=False)


def publish_attendance(
    journal: Journal,
    school: str,
    published: Published,
    *,
    days: Mapping[date, Mapping[int, Marks]],
    standing: Sequence[Standing],
    alerts: Sequence[Alert],
) -> int:
    """Replaces the views of a school, in one transaction.

    Args:
        journal: the open journal.
        school: the school's key.
        published: the day they are of. Figures and alerts of a newer day stay as they are.
        days: day -> student id -> marks. Each of these days is replaced as a whole; others stay.
        standing: the figures of every student.
        alerts: the alerts of the day.

    Returns:
        How many days were not yet as they are now.
    """
    newest = published_attendance(journal, school)
    is_newest = newest is None or newest.as_of <= published.as_of
    kept_from = published.kept_from if newest is None or is_newest else newest.kept_from
    known = _marks(journal, _days_of(school, min(days, default=kept_from), max(days, default=kept_from)))
    changed = [
        day for day, marks in days.items() if day >= kept_from and _plain(marks) != _plain(known.get(day, {}))
    ]
    with journal.begin_alone() as connection:
        for day in changed:
            _replace_day(connection, school, day, days[day])
        if is_newest:
            earlier = (attendance_days.c.school == school, attendance_days.c.day < kept_from)
            connection.execute(delete(attendance_days).where(*earlier))
            for table, rows in (
                (attendance_published, [asdict(published)]),
                (attendance_standing, [asdict(one) for one in standing]),
                (attendance_alerts, [asdict(one) for one in alerts]),
            ):
                connection.execute(delete(table).where(table.c.school == school))
                if rows:
                    connection.execute(insert(table), [{"school": school, **row} for row in rows])
    return len(changed)


def published_attendance(journal: Journal, school: str) -> Published | None:
    """What the views of a school are of; None before the first run."""
    columns = [attendance_published.c[name] for name in Published.__dataclass_fields__]
    query = select(*columns).where(attendance_published.c.school == school)
    with journal.begin() as connection:
        row = connection.execute(query).first()
    return Published(*row) if row else None


def new_alerts(journal: Journal, school: str, as_of: date, alerts: Sequence[Alert]) -> list[Alert]:
    """Those of a day's alerts that the views do not show yet; none where they show a newer day."""
    newest = published_attendance(journal, school)
    if newest is not None and newest.as_of > as_of:
        return []
    shown = {(one.student_id, one.rule) for one in alerts_now(journal, school)}
    return [one for one in alerts if (one.student_id, one.rule) not in shown]


def week_of(journal: Journal, school: str, last_day: date) -> list[StudentMarks]:
    """Everybody's marks of the seven days that end with this one, by student id.

    Whoever had no class meeting then is among them, without days.
    """
    first_day = last_day - timedelta(days=DAYS_SHOWN - 1)
    by_student: dict[int, dict[date, Marks]] = {}
    for day, marks in _marks(journal, _days_of(school, first_day, last_day)).items():
        for student_id, told in marks.items():
            by_student.setdefault(student_id, {})[day] = told
    return [StudentMarks(one, by_student.get(one.student_id, {})) for one in _standing(journal, school)]


def student_term(journal: Journal, school: str, student_id: int) -> StudentMarks | None:
    """A student's marks of the whole term and of the last week; None where no figures are known of the student."""
    found = _standing(journal, school, student_id)
    if not found:
        return None
    query = _days_of(school, date.min, date.max).where(attendance_days.c.student_id == student_id)
    days = {day: marks[student_id] for day, marks in _marks(journal, query).items()}
    return StudentMarks(found[0], days)


def alerts_now(journal: Journal, school: str, student_id: int | None = None) -> list[Alert]:
    """The alerts of the newest day, of everybody or of one student: by rule, those that last longest first."""
    columns = [attendance_alerts.c[name] for name in Alert.__dataclass_fields__]
    query = select(*columns).where(attendance_alerts.c.school == school)
    if student_id is not None:
        query = query.where(attendance_alerts.c.student_id == student_id)
    order = (attendance_alerts.c.rule, attendance_alerts.c.since, attendance_alerts.c.student_id)
    with journal.begin() as connection:
        return [Alert(*row) for row in connection.execute(query.order_by(*order))]


def _standing(journal: Journal, school: str, student_id: int | None = None) -> list[Standing]:
    columns = [attendance_standing.c[name] for name in Standing.__dataclass_fields__]
    query = select(*columns).where(attendance_standing.c.school == school)
    if student_id is not None:
        query = query.where(attendance_standing.c.student_id == student_id)
    with journal.begin() as connection:
        return [
            Standing(*row) for row in connection.execute(query.order_by(attendance_standing.c.student_id))
        ]


def _days_of(school: str, first_day: date, last_day: date) -> Select[Any]:
    columns = attendance_days.c
    return (
        select(columns.day, columns.student_id, columns.marks)
        .where(columns.school == school, columns.day.between(first_day, last_day))
        .order_by(columns.day, columns.student_id)
    )


def _marks(journal: Journal, query: Select[Any]) -> dict[date, dict[int, Marks]]:
    found: dict[date, dict[int, Marks]] = {}
    with journal.begin() as connection:
        for day, student_id, marks in connection.execute(query):
            found.setdefault(day, {})[student_id] = tuple(Mark(*one) for one in marks)
    return found


def _plain(marks: Mapping[int, Marks]) -> dict[int, Marks]:
    """Only students with marks: a day without any is stored as no row."""
    return {student_id: told for student_id, told in marks.items() if told}


def _replace_day(connection: Connection, school: str, day: date, marks: Mapping[int, Marks]) -> None:
    place = (attendance_days.c.school == school, attendance_days.c.day == day)
    connection.execute(delete(attendance_days).where(*place))
    rows = [
        {"school": school, "day": day, "student_id": student_id, "marks": [list(one) for one in told]}
        for student_id, told in _plain(marks).items()
    ]
    if rows:
        connection.execute(insert(attendance_days), rows)
