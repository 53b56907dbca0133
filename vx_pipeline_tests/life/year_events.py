"""The turn of the school year: next year's dorms and classes appear early, and one day everything is theirs."""

from datetime import date, datetime, timedelta

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.events import current_students, moment, school_of
from vx_pipeline_tests.life.people import add_bed, beds
from vx_pipeline_tests.life.records import (
    CLASSES,
    DORM_STUDENTS,
    DORMS,
    ENROLLMENTS,
    ROSTERS,
    STUDENTS,
    LittleSchool,
    stamp,
)
from vx_pipeline_tests.life.terms import GRADES, Year, choose_team, open_classes, open_dorms, take_classes

_DAYS_OF_A_YEAR = 291
_WEEKS_TO_NEXT = 52


def announce_next_year(sandbox: Sandbox) -> None:
    """Next year's dorms and classes appear, with the status *Future*; dorms have the names they always have.

    Everybody who boards and is not in the last grade has a bed in there already, not flagged as current. Again
    in the same year it does nothing.
    """
    school, at = school_of(sandbox), moment(sandbox)
    if _of_status(school, DORMS, "Future"):
        return
    this = _of_status(school, DORMS, "Active")[0]
    begins = date.fromisoformat(this["begin_date"]) + timedelta(weeks=_WEEKS_TO_NEXT)
    year = _next_year(school, max(begins, at.date() + timedelta(days=1)))
    dorms = {dorm["description"]: dorm["id"] for dorm in open_dorms(school, year, at)}
    open_classes(school, year, at)
    for student in current_students(sandbox):
        if _grade(school, student) != GRADES[-1]:
            for bed in list(beds(school, student["id"]))[:1]:
                add_bed(school, student["id"], dorms[bed["dorm"]], None, at)["currently_enrolled"] = False


def roll_over(sandbox: Sandbox) -> None:
    """A new school year begins today: other ids for dorms and classes of the same names.

    The dorms of the year before end yesterday with the status *Past*. Seniors leave as graduates; all others are a
    grade higher, in the dorm of the same name as before, in new classes.
    """
    announce_next_year(sandbox)
    school, at = school_of(sandbox), moment(sandbox)
    boarded = {row["student_id"]: row["dorm"] for row in _flagged(school)}
    _end_year(school, at)
    _begin_year(school, at)
    _graduate(school, current_students(sandbox), at)
    dorms = {row["description"]: row["id"] for row in _of_status(school, DORMS, "Active")}
    classes = _of_status(school, CLASSES, "Active")
    students = current_students(sandbox)
    for student in students:
        if student["id"] in boarded:
            _take_bed(school, student["id"], dorms[boarded[student["id"]]], at)
        take_classes(school, student, classes, at)
    choose_team(school, classes[-1], students, at)


def _end_year(school: LittleSchool, at: datetime) -> None:
    yesterday = (at.date() - timedelta(days=1)).isoformat()
    for operation in (DORMS, CLASSES):
        for row in _of_status(school, operation, "Active"):
            row["status"] = school.code(operation, "status", "Past")
            if operation == DORMS:
                row["end_date"] = min(row["end_date"], yesterday)
            stamp(row, at)
    for operation in (DORM_STUDENTS, ENROLLMENTS, ROSTERS):
        for row in school.veracross[operation]:
            row["currently_enrolled"] = False
            stamp(row, at)


def _begin_year(school: LittleSchool, at: datetime) -> None:
    for operation in (DORMS, CLASSES):
        for row in _of_status(school, operation, "Future"):
            row["status"] = school.code(operation, "status", "Active")
            if operation == DORMS:
                row["begin_date"] = at.date().isoformat()
                row["end_date"] = (at.date() + timedelta(days=_DAYS_OF_A_YEAR)).isoformat()
            stamp(row, at)


def _graduate(school: LittleSchool, students: list[Record], at: datetime) -> None:
    for student in students:
        grade = _grade(school, student)
        if grade == GRADES[-1]:
            student["exit_date"] = at.date().isoformat()
            student["roles"] = "Alumni"
            student["enrollment_status"] = school.code(STUDENTS, "enrollment_status", "Graduated")
        else:
            higher = GRADES[GRADES.index(grade) + 1]
            student["grade_level"] = school.code(STUDENTS, "grade_level", higher)
        stamp(student, at)


def _take_bed(school: LittleSchool, student_id: int, dorm_id: int, at: datetime) -> None:
    """The bed that was announced, or a new one for who began to board since."""
    for row in school.veracross[DORM_STUDENTS]:
        if (row["student_id"], row["dorm_id"]) == (student_id, dorm_id):
            row["currently_enrolled"] = True
            return
    add_bed(school, student_id, dorm_id, None, at)


def _next_year(school: LittleSchool, begins: date) -> Year:
    codes = [row["school_year"] for row in school.veracross[DORMS]]
    return Year(max(codes) + 1, begins, begins + timedelta(days=_DAYS_OF_A_YEAR), "Future")


def _of_status(school: LittleSchool, operation: str, status: str) -> list[Record]:
    code = school.code(operation, "status", status)
    return [row for row in school.veracross[operation] if row["status"] == code]


def _flagged(school: LittleSchool) -> list[Record]:
    return [row for row in school.veracross[DORM_STUDENTS] if row["currently_enrolled"]]


def _grade(school: LittleSchool, student: Record) -> str:
    return school.label(STUDENTS, "grade_level", student["grade_level"])
