"""What each school year brings anew: dorms, classes and a team, which have other ids every year."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.records import (
    CLASSES,
    DORMS,
    ENROLLMENTS,
    ROSTERS,
    STAFF,
    STUDENTS,
    LittleSchool,
)

GRADES = ("10th Grade", "11th Grade", "12th Grade")
DORM_NAMES = ("Elm House", "Oak House", "Birch House")
SUBJECTS = ("English", "Mathematics")
TEAM = "Varsity Rowing"
SQUAD = 12


@dataclass(frozen=True)
class Year:
    """A school year: its code, which is its calendar year, its first and last day, the label of its status."""

    code: int
    first: date
    last: date
    status: str

    @property
    def label(self) -> str:
        """E.g. ``2026-2027``."""
        return f"{self.code}-{self.code + 1}"


def open_dorms(school: LittleSchool, year: Year, at: datetime) -> list[Record]:
    """The dorms of a year, in the order of their names."""
    return [
        school.add(
            DORMS,
            at,
            description=name,
            abbreviation=name[:3].upper(),
            status=school.code(DORMS, "status", year.status),
            school_year=school.code(DORMS, "school_year", year.label),
            track_attendance=True,
            begin_date=year.first.isoformat(),
            end_date=year.last.isoformat(),
        )
        for name in DORM_NAMES
    ]


def open_classes(school: LittleSchool, year: Year, at: datetime) -> list[Record]:
    """Two classes for each grade and one team, without students yet; the team is the last."""
    names = [(f"{subject} {grade}", grade) for grade in GRADES for subject in SUBJECTS]
    teachers = [row["id"] for row in school.veracross[STAFF]]
    return [
        school.add(
            CLASSES,
            at,
            class_id=name.upper().replace(" ", "-"),
            description=name,
            status=school.code(CLASSES, "status", year.status),
            school_year=school.code(CLASSES, "school_year", year.label),
            primary_grade_level=grade and school.code(CLASSES, "primary_grade_level", grade),
            primary_teacher={"id": teachers[number % len(teachers)], "name": None},
            track_class_attendance=grade is not None,
        )
        for number, (name, grade) in enumerate([*names, (TEAM, None)])
    ]


def take_classes(school: LittleSchool, student: Record, classes: Iterable[Record], at: datetime) -> None:
    """Puts a student into the classes of the grade that the record shows."""
    grade = school.label(STUDENTS, "grade_level", student["grade_level"])
    for one in classes:
        if one["description"].endswith(grade):
            school.add(
                ENROLLMENTS,
                at,
                internal_class_id=one["id"],
                class_description=one["description"],
                person_id=student["id"],
                person_name=f"{student['first_name']} {student['last_name']}",
                grade_level_id=student["grade_level"],
                currently_enrolled=True,
            )


def choose_team(school: LittleSchool, team: Record, students: Iterable[Record], at: datetime) -> None:
    """The first students of those given row."""
    for student in list(students)[:SQUAD]:
        school.add(
            ROSTERS,
            at,
            internal_class_id=team["id"],
            person_id=student["id"],
            first_name=student["first_name"],
            last_name=student["last_name"],
            grade_level_id=student["grade_level"],
            currently_enrolled=True,
        )
