"""Attendance as files beside the import files: figures, alerts, and a picture of each house's week.

Orah documents no import of attendance, so that these files are for people and for a school's own tools. The layout
is assumed throughout: headers in the words of Orah's student import where it has one (``Student Reference`` is the
Veracross id), shares between 0 and 1, ISO 8601 dates, times on the school's clock.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from anyascii import anyascii

from vx_pipeline import clock
from vx_pipeline.delivery import csv_text, folders, manifest
from vx_pipeline.delivery.whole import write_whole
from vx_pipeline.delivery.writer import Delivered
from vx_pipeline.warehouse.rows import read_rows

_WHO = {
    "As Of": "as_of",
    "Student Reference": "student_id",
    "First Name": "first_name",
    "Last Name": "last_name",
}
INSIGHTS = _WHO | {
    "House": "house",
    "Year": "grade",
    "Boarder": "is_boarder",
    "Window": "window",
    "First Day": "first_day",
    "Last Day": "last_day",
    "Sessions": "sessions",
    "Present": "present",
    "Late": "late",
    "Excused": "excused",
    "Unexcused": "unexcused",
    "Not Expected": "not_expected",
    "Untaken": "untaken",
    "Unknown": "unknown",
    "Absent": "absent",
    "Rate": "rate",
    "Rate Before": "rate_before",
    "Rate Change": "rate_change",
    "Absent Streak": "absent_streak",
    "Longest Absent Streak": "longest_absent_streak",
    "Present Streak": "present_streak",
    "First Missed At": "first_missed_at",
    "First Missed Class": "first_missed_class_id",
    "Last Missed At": "last_missed_at",
    "Last Missed Class": "last_missed_class_id",
    "No Reason": "no_reason",
}
ALERTS = _WHO | {
    "Rule": "rule",
    "Window": "window",
    "Measure": "measure",
    "Value": "value",
    "Threshold": "threshold",
    "Since": "since",
}
FILES = {"attendance_insights.csv": INSIGHTS, "attendance_alerts.csv": ALERTS}
"""Columns of each file -> columns of its rows."""


@dataclass(frozen=True)
class AttendanceDelivery:
    """What is delivered of one day.

    Args:
        as_of: the day.
        rows: by file, each by column.
        pictures: an SVG of each house's week.
    """

    as_of: date
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)
    pictures: Mapping[str, str] = field(repr=False)


def collect_attendance(
    connection: duckdb.DuckDBPyConnection, as_of: date, pictures: Mapping[str, str]
) -> AttendanceDelivery:
    """The figures and alerts of a day with the students' names.

    Args:
        connection: the school's warehouse, with ``attendance.insights`` and ``attendance.alerts`` of that day.
        as_of: the day.
        pictures: an SVG of each house's week.
    """
    rows = {
        file: read_rows(
            connection,
            f"""
            SELECT told.*, coalesce(student.preferred_name, student.first_name) AS first_name, student.last_name
            FROM {table} AS told
            LEFT JOIN roster.students AS student ON student.student_id = told.student_id
            WHERE told.as_of = $as_of
            ORDER BY told.student_id, {second}
            """,
            {"as_of": as_of},
        )
        for file, table, second in (
            ("attendance_insights.csv", "attendance.insights", 'told.first_day, told."window"'),
            ("attendance_alerts.csv", "attendance.alerts", "told.rule"),
        )
    }
    return AttendanceDelivery(as_of, rows, pictures)


def write_attendance(
    folder: Path,
    delivery: AttendanceDelivery,
    *,
    school: str,
    keep: int,
    now: Callable[[], datetime] = clock.now,
) -> Delivered | None:
    """Writes a delivery whole; None where the latest one is of a later day, which stays.

    Args:
        folder: where the school's deliveries of attendance are; made when needed.
        delivery: what is delivered.
        school: the school's key, for the manifest.
        keep: how many deliveries are kept, the newest one among them.
        now: asks for the time; aware.

    Raises:
        VxError: the disk refused; what was delivered before still stands.
    """
    if _has_later(folder, delivery.as_of):
        return None
    contents, about = _files(delivery)
    told = {"as_of": delivery.as_of.isoformat()}

    def describe(made_at: datetime) -> bytes:
        return manifest.describe(contents, about, told, school=school, made_at=made_at)

    path, is_new = write_whole(folder, contents, describe, keep=keep, now=now)
    return Delivered(path, is_new, {file: len(rows) for file, rows in delivery.rows.items()})


def _has_later(folder: Path, as_of: date) -> bool:
    counts = folders.latest(folder)
    if counts is None or manifest.whole_files(counts) is None:
        return False
    # Written as ISO 8601, days are in order as text.
    return str(manifest.read(counts).get("as_of", "")) > as_of.isoformat()


def _files(delivery: AttendanceDelivery) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """The files by name, and what the manifest says of each."""
    contents, about = {}, {}
    for file, columns in FILES.items():
        rows = delivery.rows[file]
        cells = [[_cell(row[name]) for name in columns.values()] for row in rows]
        contents[file] = csv_text.encode([*columns], cells)
        about[file] = {"rows": len(rows), "columns": [*columns]}
    for house, picture in sorted(delivery.pictures.items()):
        file = _picture_name(house, contents)
        contents[file] = picture.encode()
        about[file] = {"house": house}
    return contents, about


def _picture_name(house: str, taken: Mapping[str, bytes]) -> str:
    """A name for every file system; houses whose names come out alike are numbered."""
    plain = re.sub(r"[^a-z0-9]+", "_", anyascii(house).lower()).strip("_")[:40] or "house"
    names = (
        f"week_{plain}{number}.svg" for number in ("", *(f"_{each}" for each in range(2, len(taken) + 3)))
    )
    return next(name for name in names if name not in taken)


def _cell(value: Any) -> str:
    """A value as a trimmed cell; what is not known is empty, a share has four decimals at the most."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value).strip()
