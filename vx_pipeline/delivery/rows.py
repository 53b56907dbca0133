"""What is delivered: one frozen row for each record, and a delivery as a whole.

Text is trimmed, and empty where nothing is known. Ids are those of Veracross.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Role = Literal["student", "staff"]


@dataclass(frozen=True)
class Contact:
    """An adult behind a student."""

    first_name: str = ""
    last_name: str = ""
    title: str = ""
    relationship: str = ""
    email: str = ""
    home_phone: str = ""
    mobile_phone: str = ""
    address: str = ""


@dataclass(frozen=True)
class Student:
    """A student at the school today; ``student_id`` is the student reference in Orah (its ``sis_id``)."""

    student_id: int
    house: str = ""
    first_name: str = ""
    last_name: str = ""
    alternative_name: str = ""
    email: str = ""
    home_phone: str = ""
    mobile_phone: str = ""
    gender: str = ""
    birthday: date | None = None
    year: str = ""
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True)
class Staff:
    """Somebody who works at the school today; Orah knows them by ``email``."""

    person_id: int
    email: str
    title: str = ""
    first_name: str = ""
    last_name: str = ""
    department: str = ""
    job_title: str = ""


@dataclass(frozen=True)
class Group:
    """A class or team; ``kind`` says which."""

    group_id: int
    kind: str
    name: str
    school_year: str = ""


@dataclass(frozen=True)
class Member:
    """Somebody in a group: a student by ``student_id``, or staff by ``staff_email``; the other one is empty."""

    group_id: int
    role: Role
    student_id: int | None = None
    staff_email: str = ""


@dataclass(frozen=True)
class ArchivedGroup:
    """A group that was delivered once and is over."""

    group_id: int
    name: str
    school_year: str = ""


@dataclass(frozen=True)
class SetAside:
    """A record that was skipped: what it is, its ids, and why. No names."""

    entity: str
    key: str
    reason: str


@dataclass(frozen=True)
class Delivery:
    """Everything that is delivered at one time, each part ordered by its ids.

    Args:
        students: those in scope by the policies ``synced`` and ``grades``.
        staff: those with an e-mail of their own.
        groups: of the running school year.
        members: of these groups.
        archived: of earlier deliveries, for good.
        set_aside: what was skipped.
        kept_groups: the ids among ``groups`` that stand as they were delivered last, because today's read neither
            has them in order nor proves that they are over.
        rests_on: when the last whole read of each Veracross table began, in UTC; None where nothing says so.
    """

    students: tuple[Student, ...] = ()
    staff: tuple[Staff, ...] = ()
    groups: tuple[Group, ...] = ()
    members: tuple[Member, ...] = ()
    archived: tuple[ArchivedGroup, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    kept_groups: tuple[int, ...] = ()
    rests_on: Mapping[str, datetime | None] = field(default_factory=dict)
