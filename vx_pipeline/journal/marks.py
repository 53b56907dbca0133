"""The base of every attendance row that we may touch: what was there at first, then what we wrote."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, RowMapping, func, insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.tables import marks


@dataclass(frozen=True)
class Mark:
    """A state of one class attendance row.

    Args:
        attendance_id: the row.
        status: code of the school's value list; None where nobody took attendance.
        notes: its note; None where it is empty.
        ours: whether we wrote it.
        chosen: whether a person set it in place of what we knew, so that even a present is a person's mark.
    """

    attendance_id: int
    status: str | None
    notes: str | None
    ours: bool
    chosen: bool = field(default=False, compare=False)

    @property
    def values(self) -> tuple[str | None, str | None]:
        """What stands in the row: status and notes."""
        return self.status, self.notes


@dataclass(frozen=True)
class Place:
    """Which student in which class meeting a row is about. ``orah_id`` is whose time away it was."""

    student_id: int
    orah_id: int
    class_id: int
    attendance_date: date
    block_id: str | None


@dataclass(frozen=True)
class Because:
    """What Orah said when we wrote a mark.

    Args:
        cause: outcome, source and name, and of a roll the reason type, as ``Wanted.cause`` words them.
        evidence: ids of the movements, passes and rolls.
        known_from: the earliest moment of that evidence.
    """

    cause: str
    evidence: tuple[str, ...]
    known_from: datetime


@dataclass(frozen=True)
class OurMark:
    """A row that we wrote last, and what it held before that."""

    mark: Mark
    place: Place
    because: Because
    origin: Mark


def record_mark(
    journal: Journal,
    school: str,
    mark: Mark,
    *,
    at: datetime,
    place: Place | None = None,
    because: Because | None = None,
) -> None:
    """Notes a state as the new base of its row; with ``place`` and ``because`` where we wrote it."""
    with journal.begin() as connection:
        add_mark(connection, school, mark, at=at, place=place, because=because)


def add_mark(
    connection: Connection,
    school: str,
    mark: Mark,
    *,
    at: datetime,
    place: Place | None = None,
    because: Because | None = None,
) -> None:
    """As ``record_mark``, in a transaction that is open already."""
    values = {"school": school, "at": at, **vars(mark)}
    if place is not None:
        values |= vars(place)
    if because is not None:
        values |= {**vars(because), "evidence": list(because.evidence)}
    connection.execute(insert(marks).values(**values))


def last_mark(journal: Journal, school: str, attendance_id: int) -> Mark | None:
    """The row's base: what we last wrote, or first saw. None if we never saw it."""
    with journal.begin() as connection:
        return base_of(connection, school, attendance_id)


def base_of(connection: Connection, school: str, attendance_id: int) -> Mark | None:
    """As ``last_mark``, in a transaction that is open already."""
    query = (
        select(marks)
        .where(marks.c.school == school, marks.c.attendance_id == attendance_id)
        .order_by(marks.c.mark_id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return _mark(row) if row else None


def origin_of(connection: Connection, school: str, attendance_id: int) -> Mark | None:
    """The last state of a row that was not ours, in a transaction that is open already."""
    query = (
        select(marks)
        .where(marks.c.school == school, marks.c.attendance_id == attendance_id, ~marks.c.ours)
        .order_by(marks.c.mark_id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return _mark(row) if row else None


def our_marks(
    journal: Journal,
    school: str,
    day: date,
    *,
    orah_ids: Collection[int] | None = None,
    student_ids: Collection[int] = (),
) -> list[OurMark]:
    """The rows of a day whose base is what we wrote, in order of their ids.

    Args:
        journal: the open journal.
        school: the school's key.
        day: the day of the class meetings.
        orah_ids: only those that rest on these records in Orah; all without it.
        student_ids: and those of these students.
    """
    newest = (
        select(func.max(marks.c.mark_id))
        .where(marks.c.school == school, marks.c.attendance_date == day)
        .group_by(marks.c.attendance_id)
    )
    query = select(marks).where(marks.c.mark_id.in_(newest), marks.c.ours)
    with journal.begin() as connection:
        rows = connection.execute(query.order_by(marks.c.attendance_id)).mappings().all()
        found = [(row, origin_of(connection, school, row["attendance_id"])) for row in rows]
    return [
        OurMark(
            _mark(row),
            Place(**{name: row[name] for name in Place.__dataclass_fields__}),
            Because(row["cause"], tuple(row["evidence"]), row["known_from"]),
            origin,
        )
        for row, origin in found
        if origin is not None
        and (orah_ids is None or row["orah_id"] in orah_ids or row["student_id"] in student_ids)
    ]


def note_left(*, base: Mark, now: Mark, origin: Mark) -> str | None:
    """The note of a row that goes back: as it was before, with what a person has written into it since.

    What our write put behind the earlier note, its marker, goes, wherever it stands by now.
    """
    if now.notes == base.notes:
        return origin.notes
    before, ours, written = origin.notes or "", base.notes or "", now.notes or ""
    marker = ours.removeprefix(before).strip() if ours.startswith(before) else ""
    if ours and ours in written:
        return written.replace(ours, before, 1).strip() or None
    if marker and written.count(marker) > before.count(marker):
        return without(marker, written) or None
    return now.notes


def without(marker: str, note: str) -> str:
    """A note without the last of the markers that stand in it."""
    head, _, tail = note.rpartition(marker) if marker else ("", "", note)
    return f"{head.rstrip()}{tail}".strip()


def marked_days(
    journal: Journal, school: str, *, student_id: int, orah_id: int, first: date
) -> tuple[date, ...]:
    """The days from ``first`` on with marks of ours in this student's rows that rest on this record in Orah."""
    query = (
        select(marks.c.attendance_date)
        .where(
            marks.c.school == school,
            marks.c.student_id == student_id,
            marks.c.orah_id == orah_id,
            marks.c.attendance_date >= first,
            marks.c.ours,
        )
        .distinct()
        .order_by(marks.c.attendance_date)
    )
    with journal.begin() as connection:
        return tuple(connection.execute(query).scalars())


def days_marked_by_another_link(
    journal: Journal, school: str, *, student_id: int, orah_id: int, first: date
) -> tuple[date, ...]:
    """The days from ``first`` on with marks of ours that rest on this student or this record, but not on both."""
    query = (
        select(marks.c.attendance_date)
        .where(
            marks.c.school == school,
            (marks.c.student_id == student_id) != (marks.c.orah_id == orah_id),
            marks.c.attendance_date >= first,
            marks.c.ours,
        )
        .distinct()
        .order_by(marks.c.attendance_date)
    )
    with journal.begin() as connection:
        return tuple(connection.execute(query).scalars())


def _mark(row: RowMapping) -> Mark:
    return Mark(row["attendance_id"], row["status"], row["notes"], row["ours"], bool(row["chosen"]))
