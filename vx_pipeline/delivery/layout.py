"""The columns of each file. The only place that knows them.

Documented: which fields Orah's student import knows (``students.csv``): house, first, last and alternative name,
email, student reference, home and mobile phone, gender, date of birth, year, and up to four contacts, each with
first and last name, title, relationship, email, home phone, mobile phone and address. That staff are matched by
e-mail, and that a staff upload is refused as a whole when an e-mail in it has a staff profile already: those rows
have to be taken out before the upload (Orah's help centre).

Assumed: how the headers are spelt, all columns of ``staff.csv``, ``groups.csv`` and ``group_members.csv``, and
dates as ISO 8601. Where Orah's own template says otherwise, the words are changed here and nowhere else.

Ours: ``groups_archived.csv`` and ``set_aside.csv`` are for people.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, TypeVar

from vx_pipeline.delivery.rows import (
    ArchivedGroup,
    Contact,
    Delivery,
    Group,
    Member,
    SetAside,
    Staff,
    Student,
)

T = TypeVar("T")

CONTACTS = 4
"""How many contacts the student import has columns for."""

STUDENT = {
    "House": "house",
    "First Name": "first_name",
    "Last Name": "last_name",
    "Alternative Name": "alternative_name",
    "Email": "email",
    "Student Reference": "student_id",
    "Home Phone": "home_phone",
    "Mobile Phone": "mobile_phone",
    "Gender": "gender",
    "Date of Birth": "birthday",
    "Year": "year",
}
CONTACT = {
    "First Name": "first_name",
    "Last Name": "last_name",
    "Title": "title",
    "Relationship": "relationship",
    "Email": "email",
    "Home Phone": "home_phone",
    "Mobile Phone": "mobile_phone",
    "Address": "address",
}
STAFF = {
    "Email": "email",
    "Title": "title",
    "First Name": "first_name",
    "Last Name": "last_name",
    "Department": "department",
    "Job Title": "job_title",
    "Staff Reference": "person_id",
}
GROUP = {
    "Group Reference": "group_id",
    "Name": "name",
    "Kind": "kind",
    "School Year": "school_year",
}
MEMBER = {
    "Group Reference": "group_id",
    "Role": "role",
    "Student Reference": "student_id",
    "Staff Email": "staff_email",
}
ARCHIVED_GROUP = {"Group Reference": "group_id", "Name": "name", "School Year": "school_year"}
SET_ASIDE = {"entity": "entity", "key": "key", "reason": "reason"}


@dataclass(frozen=True)
class Sheet:
    """One file: its name, its columns, and its rows as cells."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def to_sheets(delivery: Delivery) -> list[Sheet]:
    """A delivery as the cells of its files."""
    return [
        Sheet("students.csv", _student_columns(), tuple(map(_student_cells, delivery.students))),
        _sheet("staff.csv", STAFF, delivery.staff),
        _sheet("groups.csv", GROUP, delivery.groups),
        _sheet("group_members.csv", MEMBER, delivery.members),
        _sheet("groups_archived.csv", ARCHIVED_GROUP, delivery.archived),
        _sheet("set_aside.csv", SET_ASIDE, delivery.set_aside),
    ]


def to_delivery(sheets: Mapping[str, Sequence[Mapping[str, str]]]) -> Delivery:
    """The delivery that files hold, without what only its manifest knows.

    Args:
        sheets: rows by column, by file. A column that an older version did not write counts as empty.

    Raises:
        ValueError: a cell is not what its column is for, or a key is missing.
        KeyError: a file is missing.
    """
    return Delivery(
        students=tuple(map(_student, sheets["students.csv"])),
        staff=_rows(Staff, STAFF, sheets["staff.csv"]),
        groups=_rows(Group, GROUP, sheets["groups.csv"]),
        members=_rows(Member, MEMBER, sheets["group_members.csv"]),
        archived=_rows(ArchivedGroup, ARCHIVED_GROUP, sheets["groups_archived.csv"]),
        set_aside=_rows(SetAside, SET_ASIDE, sheets["set_aside.csv"]),
    )


def _contact_columns(place: int) -> dict[str, str]:
    return {f"Contact {place} {column}": field for column, field in CONTACT.items()}


def _student_columns() -> tuple[str, ...]:
    contacts = [column for place in range(1, CONTACTS + 1) for column in _contact_columns(place)]
    return (*STUDENT, *contacts)


def _student_cells(student: Student) -> tuple[str, ...]:
    places = [*student.contacts, *[Contact()] * (CONTACTS - len(student.contacts))]
    contacts = [cell for contact in places for cell in _cells(CONTACT, contact)]
    return (*_cells(STUDENT, student), *contacts)


def _student(cells: Mapping[str, str]) -> Student:
    places = [_row(Contact, _contact_columns(place), cells) for place in range(1, CONTACTS + 1)]
    contacts = tuple(contact for contact in places if contact != Contact())
    return replace(_row(Student, STUDENT, cells), contacts=contacts)


def _sheet(file: str, columns: Mapping[str, str], rows: Iterable[object]) -> Sheet:
    return Sheet(file, tuple(columns), tuple(_cells(columns, row) for row in rows))


def _cells(columns: Mapping[str, str], row: object) -> tuple[str, ...]:
    values = [getattr(row, field) for field in columns.values()]
    return tuple("" if value is None else str(value) for value in values)


def _rows(kind: type[T], columns: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> tuple[T, ...]:
    return tuple(_row(kind, columns, cells) for cells in rows)


def _row(kind: type[T], columns: Mapping[str, str], cells: Mapping[str, str]) -> T:
    read = {field.name: _READ.get(field.type, str) for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{field: read[field](cells.get(column, "")) for column, field in columns.items()})


_READ: Mapping[Any, Callable[[str], Any]] = {
    int: int,
    int | None: lambda cell: int(cell) if cell else None,
    date | None: lambda cell: date.fromisoformat(cell) if cell else None,
}
"""How a cell becomes a value again, by the type of the field."""
