"""A school small enough to live through many nights: 40 students, three dorms, everybody known by name."""

import random
from datetime import date, datetime, time, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.setting import school_years
from vx_pipeline.sandbox.school.value_lists import Catalog
from vx_pipeline_tests.life.people import add_bed, add_family, add_student, beds, family_of
from vx_pipeline_tests.life.records import (
    CLASSES,
    CONTACT_INFO,
    DORM_STUDENTS,
    DORMS,
    ENROLLMENTS,
    HOUSEHOLDS,
    PARENTS,
    RELATIONSHIPS,
    ROSTERS,
    STAFF,
    STUDENTS,
    LittleSchool,
)
from vx_pipeline_tests.life.terms import (
    DORM_NAMES,
    GRADES,
    Year,
    choose_team,
    open_classes,
    open_dorms,
    take_classes,
)

TODAY = date(2026, 11, 23)
"""The school's first day in these tests; a Monday of the fall term."""

TIMEZONE = "America/New_York"
DAY = ""

_OPERATIONS = (
    *(STUDENTS, STAFF, PARENTS, HOUSEHOLDS, RELATIONSHIPS, CONTACT_INFO),
    *(DORMS, DORM_STUDENTS, CLASSES, ENROLLMENTS, ROSTERS),
)
_UNREAD = ("list_academics_class_meeting_times", "list_class_attendance")
_YEARS_KNOWN = 12
_TOGETHER = (("Mother", "{}a"), ("Father", "{}o"))

_FAMILIES: tuple[tuple[str, str], ...] = (
    *(("Abara", "Ada Obi"), ("Brandt", "Lena Jonas"), ("Castro", "Ines Rafael"), ("Dunne", "Maeve Cian")),
    *(("Eriksen", "Astrid"), ("Fontaine", "Colette"), ("Greco", "Paolo"), ("Haddad", "Layla Karim Nour")),
    *(("Ivanov", "Mila"), ("Jensen", "Freja Emil"), ("Kowalski", "Zofia"), ("Lindgren", "Elsa Nils")),
    *(("Moreau", "Juliette"), ("Nakamura", "Haruka Ren"), ("Okafor", "Chidi"), ("Petrov", "Daria Lev")),
    *(("Quispe", "Wayra"), ("Rossi", "Giulia"), ("Sorensen", "Ida Magnus"), ("Tanaka", "Yuna Kaito")),
    *(("Ueda", "Sora"), ("Vargas", "Lucia Mateo"), ("Weber", "Hanna"), ("Yilmaz", "Defne Emre")),
    *(("Zeman", "Klara Tomas"),),
)
"""Family names, and the first names of the children."""

_STAFF = ("Alder", "Beech", "Cedar", "Hazel", "Rowan", "Willow")
_WHERE = ("Elm House", "Oak House", "Birch House", DAY)
_WITHOUT_SIS_ID = 6
_NOT_IN_ORAH = 2


def little_school(today: date = TODAY) -> LittleSchool:
    """The school in both systems; the same day gives an equal school.

    Every student has a record of their own in Orah, but for the last two. Six records carry no Veracross id yet,
    but name and e-mail. Elm House carries this year's id, Birch House last year's, Oak House none.
    """
    at = datetime.combine(today - timedelta(days=30), time(12), ZoneInfo(TIMEZONE))
    last, this, _ = school_years(today)
    codes = {
        last.code + shift: f"{last.code + shift}-{last.code + shift + 1}" for shift in range(_YEARS_KNOWN)
    }
    catalog = Catalog(random.Random("little school"), codes, rooms=6)
    operations = (*_OPERATIONS, *_UNREAD)
    school = LittleSchool(
        route="sandbox",
        timezone=TIMEZONE,
        today=today,
        veracross={operation: [] for operation in operations},
        value_lists={operation: catalog.blocks(operation) for operation in operations},
        orah={
            model: []
            for model in ("student", "house", "location", "location_record", "contact", "leave_type", "roll")
        },
        truth={},
    )
    _staff(school, at)
    old_dorms = open_dorms(school, Year(last.code, last.first, last.last, "Past"), at)
    year = Year(this.code, this.first, this.last, "Active")
    dorms = open_dorms(school, year, at)
    students = _students(school, dorms, this.first - timedelta(weeks=52), at)
    classes = open_classes(school, year, at)
    for student in students:
        take_classes(school, student, classes, at)
    choose_team(school, classes[-1], students, at)
    _former_student(school, this.first, at)
    _tenant(school, students, old_dorms, dorms, at)
    return school


def _staff(school: LittleSchool, at: datetime) -> None:
    for last in _STAFF:
        member = school.add(
            STAFF, at, first_name="Robin", last_name=last, roles="Faculty", job_title="Teacher"
        )
        member["email_1"] = f"robin.{last}@{school.route}.example.edu".lower()
        school.add(CONTACT_INFO, at, id=member["id"], name=f"Robin {last}", email_1=member["email_1"])


def _students(school: LittleSchool, dorms: list[Record], entry: date, at: datetime) -> list[Record]:
    """Siblings are in different grades, and mostly in different dorms; every fourth student lives at home."""
    made = []
    grades, houses = cycle(GRADES), cycle(_WHERE)
    by_name = {dorm["description"]: dorm["id"] for dorm in dorms}
    for number, (last, children) in enumerate(_FAMILIES):
        # Every sixth family has one parent.
        shape = _TOGETHER[:1] if number % 6 == 5 else _TOGETHER
        family = add_family(school, last, [(what, form.format(last[:4])) for what, form in shape], at)
        for first in children.split():
            student = add_student(school, family, first, next(grades), entry=entry, at=at)
            made.append(student)
            if where := next(houses):
                add_bed(school, student["id"], by_name[where], None, at)
    return made


def _former_student(school: LittleSchool, year_began: date, at: datetime) -> None:
    family = add_family(school, "Xavier", _FORMER_PARENT, at)
    entry = year_began - timedelta(weeks=104)
    former = add_student(school, family, "Simone", GRADES[-1], entry=entry, at=at)
    former["exit_date"] = (year_began - timedelta(days=70)).isoformat()
    former["roles"] = "Alumni"
    former["enrollment_status"] = school.code(STUDENTS, "enrollment_status", "Graduated")


_FORMER_PARENT = (("Mother", "Renata"),)


def _tenant(
    school: LittleSchool, students: list[Record], old_dorms: list[Record], dorms: list[Record], at: datetime
) -> None:
    sis_ids = (str(dorms[0]["id"]), None, str(old_dorms[2]["id"]))
    houses = {
        name: school.add_orah("house", at, name=name, sis_id=sis_id)
        for name, sis_id in zip(DORM_NAMES, sis_ids, strict=True)
    }
    at_home = school.add_orah("house", at, name="Day Students")
    for number, student in enumerate(students[:-_NOT_IN_ORAH]):
        bed = next(iter(beds(school, student["id"])), None)
        house = houses[bed["dorm"]] if bed else at_home
        record = school.add_orah(
            "student",
            at,
            sis_id=None if number < _WITHOUT_SIS_ID else str(student["id"]),
            **{name: student[name] for name in ("first_name", "last_name")},
            email=student["email_1"],
            year_level=school.label(STUDENTS, "grade_level", student["grade_level"]),
            house={"id": house["id"], "sis_id": house["sis_id"]},
            room_number=bed and bed["room_number"],
            bed_number=bed and str(bed["bed_number"]),
            student_type="Boarding" if bed else "Day",
        )
        school.truth[student["id"]] = record["id"]
    school.add_orah("student", at, first_name="Fire", last_name="Drill", house=_reference(at_home))
    _contacts(school, students, at)
    campus = school.add_orah("location", at, name="Campus", type="group")
    for name in DORM_NAMES:
        school.add_orah("location", at, name=name, type="house", _parent_id=campus["id"])
    school.add_orah("location", at, name="Home", state="home")


def _contacts(school: LittleSchool, students: list[Record], at: datetime) -> None:
    """Two mothers as Veracross knows them, one of them with a number of her own, and an aunt."""
    for student in (students[0], students[4]):
        mother = school.row(PARENTS, family_of(school, student["id"]).parents["Mother"])
        school.add_orah(
            "contact",
            at,
            **{name: mother[name] for name in ("first_name", "last_name")},
            relationship="Mother",
            email=mother["email_1"],
            mobile_phone="+1 603 555 0199" if student is students[4] else None,
            _student_ids=[school.truth[student["id"]]],
        )
    school.add_orah(
        "contact",
        at,
        first_name="Wilma",
        last_name="Brook",
        relationship="Aunt",
        mobile_phone="+1 603 555 0198",
        _student_ids=[school.truth[students[2]["id"]]],
    )


def _reference(house: Record) -> Record:
    return {"id": house["id"], "sis_id": house["sis_id"]}
