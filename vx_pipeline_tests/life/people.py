"""Who comes into the little school: families and students, with everything that hangs on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.records import (
    CONTACT_INFO,
    DORM_STUDENTS,
    DORMS,
    GUARDIAN_FLAGS,
    HOUSEHOLDS,
    PARENTS,
    RELATIONSHIPS,
    STUDENTS,
    LittleSchool,
)


@dataclass(frozen=True)
class Family:
    """The grown-ups of a family, by relation, and the household of its children."""

    last: str
    household: int
    parents: dict[str, int]


def add_family(school: LittleSchool, last: str, parents: Sequence[tuple[str, str]], at: datetime) -> Family:
    """A home, and in it the parents.

    Args:
        school: where they come to.
        last: the family name.
        parents: relation (``Mother``, ...) and first name of each.
        at: when.
    """
    home = add_home(school, last, at)
    made = {relation: _parent(school, first, last, relation, home, at) for relation, first in parents}
    if {"Mother", "Father"} <= set(made):
        for one, other in (("Mother", "Father"), ("Father", "Mother")):
            spouse = school.row(PARENTS, made[other])
            school.row(PARENTS, made[one])["spouse"] = {
                "id": spouse["id"],
                "name": f"{spouse['first_name']} {last}",
            }
    return Family(last, home, made)


def add_home(school: LittleSchool, name: str, at: datetime) -> int:
    """A household with an address of its own; returns its id."""
    home = school.add(
        HOUSEHOLDS,
        at,
        name=name,
        city="Millbrook",
        state_or_province="NY",
        zip="12545",
        country=school.code(HOUSEHOLDS, "country", "United States"),
    )
    home["address_line_1"] = f"{home['id']} Orchard Road"
    return int(home["id"])


def add_student(
    school: LittleSchool, family: Family, first: str, grade: str, *, entry: date, at: datetime
) -> Record:
    """A student of the family, related to its parents and to the brothers and sisters who are listed."""
    siblings = [row for row in school.veracross[STUDENTS] if row["household_id"] == family.household]
    student = school.add(
        STUDENTS,
        at,
        first_name=first,
        last_name=family.last,
        household_id=family.household,
        grade_level=school.code(STUDENTS, "grade_level", grade),
        entry_date=entry.isoformat(),
        birthday=date(2010, 1, 1 + len(school.veracross[STUDENTS]) % 28).isoformat(),
        roles="Student",
        enrollment_status=school.code(STUDENTS, "enrollment_status", "Attending"),
    )
    student["username"] = f"{first}.{family.last}.{student['id']}".lower()
    student["email_1"] = f"{student['username']}@{school.route}.example.edu"
    _contact_info(school, student, at)
    for relation, parent in family.parents.items():
        _relate(school, student, school.row(PARENTS, parent), relation, at)
    for sibling in siblings:
        _relate(school, student, sibling, "Sibling", at)
        _relate(school, sibling, student, "Sibling", at)
    return student


def family_of(school: LittleSchool, student_id: int) -> Family:
    """The family of a student, as the relationships tell it."""
    student = school.row(STUDENTS, student_id)
    parents = {row["id"] for row in school.veracross[PARENTS]}
    related = {
        school.label(RELATIONSHIPS, "relationship", row["relationship"]): row["related_person_id"]
        for row in school.veracross[RELATIONSHIPS]
        if row["person_id"] == student_id and row["related_person_id"] in parents
    }
    return Family(student["last_name"], student["household_id"], related)


def add_bed(school: LittleSchool, student_id: int, dorm_id: int, begins: date | None, at: datetime) -> Record:
    """A student's current enrolment in a dorm, with the next free room."""
    taken = sum(row["dorm_id"] == dorm_id for row in school.veracross[DORM_STUDENTS])
    return school.add(
        DORM_STUDENTS,
        at,
        student_id=student_id,
        dorm_id=dorm_id,
        dorm=school.row(DORMS, dorm_id)["description"],
        room_number=str(101 + taken // 2),
        floor_number=1,
        bed_number=1 + taken % 2,
        currently_enrolled=True,
        late_date_enrolled=begins and begins.isoformat(),
    )


def beds(school: LittleSchool, student_id: int) -> Iterable[Record]:
    """The dorm enrolments of a student that are flagged as current."""
    return [
        row
        for row in school.veracross[DORM_STUDENTS]
        if row["student_id"] == student_id and row["currently_enrolled"]
    ]


def _parent(school: LittleSchool, first: str, last: str, relation: str, household: int, at: datetime) -> int:
    prefix = "Mr." if relation == "Father" else "Ms."
    parent = school.add(
        PARENTS,
        at,
        first_name=first,
        last_name=last,
        household_id=household,
        head_of_household=True,
        name_prefix=school.code(PARENTS, "name_prefix", prefix),
        roles="Parent",
    )
    parent["email_1"] = f"{first}.{last}.{parent['id']}@example.com".lower()
    info = _contact_info(school, parent, at)
    info["mobile_phone"] = f"+1 603 555 0{100 + parent['id'] % 100}"
    return int(parent["id"])


def _contact_info(school: LittleSchool, person: Record, at: datetime) -> Record:
    return school.add(
        CONTACT_INFO,
        at,
        id=person["id"],
        name=f"{person['first_name']} {person['last_name']}",
        household_id=person["household_id"],
        email_1=person["email_1"],
    )


def _relate(school: LittleSchool, student: Record, other: Record, relation: str, at: datetime) -> None:
    parental = relation != "Sibling"
    school.add(
        RELATIONSHIPS,
        at,
        person_id=student["id"],
        related_person_id=other["id"],
        **{name: other[name] for name in ("first_name", "last_name")},
        relationship=school.code(RELATIONSHIPS, "relationship", relation),
        resident=True,
        legal_custody=parental,
        related_person_is_deceased=False,
        **dict.fromkeys(GUARDIAN_FLAGS, parental),
    )
