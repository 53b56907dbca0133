"""A school's attendance as of a day, taken from the warehouse for those who show it: marks, figures, alerts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

import duckdb

from vx_pipeline.errors import VxError
from vx_pipeline.insights.houses import house_name
from vx_pipeline.insights.week import Session
from vx_pipeline.warehouse.rows import read_rows

DAYS = 7
"""Days of a house's week, the day itself included."""


@dataclass(frozen=True)
class Student:
    """A student at the school on the day, with the rows of ``attendance.insights`` by window.

    Args:
        student_id: the Veracross id.
        name: the one that the student goes by; the id where Veracross has none.
        house: where a boarder lives; None where nobody knows, and for day students.
        grade: the grade's label.
        is_boarder: whether the student boards.
        windows: window -> column -> value.
    """

    student_id: int
    name: str = field(repr=False)
    house: str | None
    grade: str | None
    is_boarder: bool
    windows: Mapping[str, Mapping[str, Any]] = field(repr=False)

    @property
    def house_name(self) -> str:
        """The house that the student is counted with."""
        return house_name(self.house, is_boarder=self.is_boarder)


@dataclass(frozen=True)
class AttendanceDay:
    """A school's attendance as of a day.

    Args:
        as_of: the day.
        first_day: of its term.
        students: everybody with figures, by id.
        alerts: the rows of ``attendance.alerts``.
        marks: every day of the term, and of the last seven days, up to this one -> student id -> class meetings
            that had begun.
    """

    as_of: date
    first_day: date
    students: tuple[Student, ...]
    alerts: tuple[Mapping[str, Any], ...]
    marks: Mapping[date, Mapping[int, tuple[Session, ...]]] = field(repr=False)

    @property
    def shown_from(self) -> date:
        """The first day of which marks are shown: a house's week may begin before the term."""
        return shown_from(self.first_day, self.as_of)

    @property
    def houses(self) -> dict[str, list[Student]]:
        """The students of each house."""
        found: dict[str, list[Student]] = {}
        for student in self.students:
            found.setdefault(student.house_name, []).append(student)
        return found


def shown_from(first_day: date, as_of: date) -> date:
    """The first day of a term, or of the seven days that end as of a day: whichever is earlier."""
    return min(first_day, as_of - timedelta(days=DAYS - 1))


_WHO = ("student_id", "house", "grade", "is_boarder")
_NO_FIGURES = (*_WHO, "name", "as_of", "window")


def read_day(connection: duckdb.DuckDBPyConnection, as_of: date, now: datetime) -> AttendanceDay:
    """What is known as of a day.

    Args:
        connection: the school's warehouse, with the insights of that day.
        as_of: the day.
        now: this moment in the school's time zone: meetings that have not begun are left out.

    Raises:
        VxError: there are no insights of that day.
    """
    rows = read_rows(
        connection,
        """
        SELECT insight.*,
            concat_ws(' ', coalesce(student.preferred_name, student.first_name), student.last_name) AS name
        FROM attendance.insights AS insight
        LEFT JOIN roster.students AS student ON student.student_id = insight.student_id
        WHERE insight.as_of = $as_of
        ORDER BY insight.student_id, insight.first_day DESC, insight."window"
        """,
        {"as_of": as_of},
    )
    terms = [row["first_day"] for row in rows if row["window"] == "term"]
    if not terms:
        raise VxError(
            f"There are no insights of {as_of}.",
            kept="Files and pages are as they were.",
            remedy="Run the job attendance for that day first.",
        )
    return AttendanceDay(
        as_of=as_of,
        first_day=terms[0],
        students=tuple(_students(rows)),
        alerts=tuple(
            read_rows(
                connection,
                'SELECT student_id, rule, "window", measure, value, threshold, since FROM attendance.alerts '
                "WHERE as_of = $as_of ORDER BY student_id, rule",
                {"as_of": as_of},
            )
        ),
        marks=_marks(connection, shown_from(terms[0], as_of), as_of, now),
    )


def _students(rows: list[dict[str, Any]]) -> Iterator[Student]:
    for student_id, group in groupby(rows, key=lambda row: row["student_id"]):
        told = list(group)
        yield Student(
            **{name: told[0][name] for name in _WHO},
            name=told[0]["name"] or str(student_id),
            windows={
                row["window"]: {name: value for name, value in row.items() if name not in _NO_FIGURES}
                for row in told
            },
        )


def _marks(
    connection: duckdb.DuckDBPyConnection, first_day: date, last_day: date, now: datetime
) -> dict[date, dict[int, tuple[Session, ...]]]:
    """Marks by day and student. A meeting at midnight is one without a time."""
    rows = connection.execute(
        """
        SELECT
            attendance_date,
            student_id,
            CASE WHEN starts_at <> CAST(attendance_date AS TIMESTAMP) THEN strftime(starts_at, '%H:%M') ELSE '' END,
            class_id,
            kind
        FROM attendance.sessions
        WHERE attendance_date BETWEEN $first_day AND $last_day AND starts_at <= $until
        ORDER BY attendance_date, student_id, starts_at, class_id, block_id, kind
        """,
        {
            "first_day": first_day,
            "last_day": last_day,
            "until": min(datetime.combine(last_day, time.max), now.replace(tzinfo=None)),
        },
    ).fetchall()
    found: dict[date, dict[int, tuple[Session, ...]]] = {}
    for day, student_id, start, class_id, kind in rows:
        marks = found.setdefault(day, {})
        marks[student_id] = (*marks.get(student_id, ()), (start, class_id, kind))
    return found
