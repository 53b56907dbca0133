"""The finished school, and the people the generator reasons about before they become records."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from vx_pipeline.sandbox.school.names import Culture, NameSource

Record = dict[str, Any]
"""One JSON record in the shape its API gives it."""

UNKNOWN_FIELDS: dict[str, frozenset[str]] = {
    "list_students": frozenset({"locker_number"}),
    "list_staff_faculty": frozenset({"school_levels"}),
    "list_contact_info": frozenset({"text_message_opt_in"}),
    "list_classes": frozenset({"lms_sync_enabled"}),
}
"""Fields served on purpose that the contract file does not know, by operation: APIs grow without notice."""


@dataclass
class School:
    """A synthetic school in both systems, as it stands at noon, school time, of `today`.

    Args:
        route: the school route, e.g. ``"sandbox"``.
        timezone: IANA name of the school's time zone.
        today: the school's today. The school year in session began about 90 days earlier, whatever the month,
            so that the sandbox is in term on every day of the calendar.
        veracross: contract operation (``list_students``, ...) to records, nested as in the contract.
        value_lists: contract operation to blocks ``{"fields": [...], "items": [...], "categories": [...]}``.
        orah: ``student``, ``house``, ``location``, ``location_record``, ``contact``, ``leave_type``,
            ``leave`` and ``roll`` to records, each with its ``model``. Keys that begin with ``_`` are private
            and never served: ``_student_ids`` of a contact, ``_parent_id`` of a location.
        truth: Veracross student id to Orah student id: who really is who, never served. Where a person was
            entered into Orah twice, this is the older record.
    """

    route: str
    timezone: str
    today: date
    veracross: dict[str, list[Record]]
    value_lists: dict[str, list[Record]]
    orah: dict[str, list[Record]]
    truth: dict[int, int]


@dataclass(eq=False)
class Person:
    """Somebody with a person id, which all of their roles share."""

    id: int
    first: str
    middle: str | None
    last: str | None
    preferred: str | None
    gender: str | None
    culture: Culture
    household_id: int | None = None
    prefix: str | None = None
    email: str | None = None
    email_2: str | None = None
    username: str | None = None
    roles: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """Preferred or first name, then last name, as Veracross shows a person in other records."""
        return " ".join(part for part in (self.preferred or self.first, self.last) if part)


@dataclass(eq=False)
class Pupil:
    """Somebody who is, or was, a student.

    Args:
        person: who it is.
        grade: 8 to 12, or 13 for a post-graduate; a former student's last grade.
        birthday: the true birthday, even where the record lacks it.
        entry: first day at the school.
        left: the day they left; None for a current student.
        status: label of the enrolment status.
        exit_shown: the exit date on the record. It can lie ahead for a current student and be missing for a
            former one.
        boards: whether they board (former students: whether they boarded).
        twin: the brother or sister of the same age at the school.
    """

    person: Person
    grade: int
    birthday: date
    entry: date
    left: date | None = None
    status: str = "Attending"
    exit_shown: date | None = None
    boards: bool = False
    twin: "Pupil | None" = None

    @property
    def id(self) -> int:
        """The person id."""
        return self.person.id

    def here_on(self, day: date) -> bool:
        """Whether they were a student of the school on this day."""
        return self.entry <= day and (self.left is None or day < self.left)


@dataclass(eq=False)
class Home:
    """A household with its address."""

    id: int
    name: str
    culture: Culture
    abroad: bool


@dataclass(eq=False)
class Guardian:
    """A grown-up of a family, and what they are to its children."""

    person: Person
    relation: str
    resident: bool = True
    custody: bool = True
    custody_status: str | None = None
    deceased: bool = False
    spouse: Person | None = None
    heads_household: bool = False


@dataclass(eq=False)
class Family:
    """Brothers and sisters with the grown-ups they share; `last` is the family name (the form men bear)."""

    culture: Culture
    last: str
    homes: list[Home]
    guardians: list[Guardian] = field(default_factory=list)
    pupils: list[Pupil] = field(default_factory=list)


@dataclass(frozen=True)
class Community:
    """Everybody: families, and the staff some of whom are also parents or former students."""

    families: list[Family]
    staff: list["StaffMember"]
    names: NameSource

    @property
    def pupils(self) -> list[Pupil]:
        """All current and former students."""
        return [pupil for family in self.families for pupil in family.pupils]

    @property
    def current(self) -> list[Pupil]:
        """The students of today."""
        return [pupil for pupil in self.pupils if pupil.left is None]


@dataclass(eq=False)
class StaffMember:
    """Somebody who works at the school; `subject` for teachers only."""

    person: Person
    job_title: str
    department: str
    subject: str | None
    hired: date
    terminated: date | None = None
