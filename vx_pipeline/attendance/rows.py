"""Class attendance rows as Veracross shows them: those of a class on a day, and the one of a meeting."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from vx_pipeline.attendance.mapping import Statuses
from vx_pipeline.journal.marks import Mark, Place
from vx_pipeline.veracross import VeracrossClient
from vx_pipeline.veracross.contract import ENDPOINTS

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ClassDay:
    """The rows of one class on one day, and the school's statuses, as just read."""

    rows: Sequence[Row]
    statuses: Statuses


async def read_class_day(veracross: VeracrossClient, class_id: int, day: date) -> ClassDay:
    """Reads the rows of a class on a day; one request, more where they fill more than one page.

    Raises:
        IncompleteReadError: they could not be read whole.
        AccessError: Veracross refuses us.
    """
    read = await veracross.read(
        ENDPOINTS["class_attendance"], parents=[class_id], parameters={"attendance_date": day.isoformat()}
    )
    return ClassDay(read.rows, Statuses.of(read.value_lists))


def row_of(rows: Sequence[Row], place: Place, others: Collection[str | None] = ()) -> Row | None:
    """The one row of student, class, date and block; None when there is none or no single one.

    Args:
        rows: of the class on the day.
        place: of which student in which meeting.
        others: blocks of other meetings of the class, whose rows are not that of a meeting without a block.
    """
    found = [
        row
        for row in rows
        if is_about(row, place)
        and (block_of(row) not in others if place.block_id is None else block_of(row) == place.block_id)
    ]
    return found[0] if len(found) == 1 else None


def is_about(row: Row, place: Place) -> bool:
    """Whether a row is the student's, and of the day."""
    return bool(
        row.get("student_id") == place.student_id
        and row.get("attendance_date") == place.attendance_date.isoformat()
    )


def block_of(row: Row) -> str | None:
    """The code of a row's block; None where it has none."""
    block = (row.get("block") or {}).get("id")
    return None if block is None else str(block)


def row_with(rows: Sequence[Row], attendance_id: int) -> Row | None:
    """The row of this id; None when it is not there any more."""
    return next((row for row in rows if row["id"] == attendance_id), None)


def mark_of(row: Row, *, ours: bool) -> Mark:
    """The state of a row."""
    status = row.get("status")
    return Mark(int(row["id"]), None if status is None else str(status), row.get("notes") or None, ours)


def holds(row: Row | None, wanted: Mark) -> bool:
    """Whether a row says what we meant to write; Veracross may keep blanks of a note its own way."""
    if row is None:
        return False
    found = mark_of(row, ours=wanted.ours)
    return (found.attendance_id, found.status, _folded(found.notes)) == (
        wanted.attendance_id,
        wanted.status,
        _folded(wanted.notes),
    )


def _folded(notes: str | None) -> list[str]:
    return (notes or "").split()


def changed_at(row: Row) -> datetime | None:
    """When the row was last modified, as Veracross says: UTC, whether it says so or not."""
    try:
        moment = datetime.fromisoformat(str(row.get("last_modified_date")))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
