"""What happens to students: they come, leave, vanish from the feed, come back, move, and get other names.

Every event is what people at the school type into Veracross, between two requests. It needs nothing but the running
sandbox and its arguments, and the same arguments always do the same.
"""

from datetime import date, datetime, timedelta

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.people import add_bed, add_family, add_student, beds, family_of
from vx_pipeline_tests.life.records import CLASSES, DORM_STUDENTS, DORMS, STUDENTS, LittleSchool, stamp
from vx_pipeline_tests.life.terms import take_classes


def school_of(sandbox: Sandbox) -> LittleSchool:
    """The live school of a sandbox that was started with one."""
    assert isinstance(sandbox.school, LittleSchool)
    return sandbox.school


def moment(sandbox: Sandbox) -> datetime:
    """The sandbox's clock, in the school's time zone."""
    return datetime.fromtimestamp(sandbox.clock(), school_of(sandbox).zone)


def enrol(
    sandbox: Sandbox,
    first: str,
    last: str,
    *,
    grade: str = "10th Grade",
    dorm: str | None = None,
    entry: date | None = None,
) -> int:
    """A new student comes with mother and father, and takes classes.

    Args:
        sandbox: both systems.
        first: first name.
        last: last name, of the whole family.
        grade: label of the grade.
        dorm: name of a dorm that is in use; None for a day student.
        entry: first day; today unless said.

    Returns:
        The student's id.
    """
    school, at = school_of(sandbox), moment(sandbox)
    family = add_family(school, last, (("Mother", f"{first}ma"), ("Father", f"{first}pa")), at)
    student = add_student(school, family, first, grade, entry=entry or at.date(), at=at)
    return _settle(sandbox, student, dorm)


def enrol_sibling(
    sandbox: Sandbox, of_student: int, first: str, *, grade: str = "10th Grade", dorm: str | None = None
) -> int:
    """A brother or sister comes to the school, with the same household and parents. Returns the new id."""
    school, at = school_of(sandbox), moment(sandbox)
    family = family_of(school, of_student)
    student = add_student(school, family, first, grade, entry=at.date(), at=at)
    return _settle(sandbox, student, dorm)


def leave_by_exit_date(sandbox: Sandbox, student_id: int, last_day: date | None = None) -> None:
    """An exit date is typed in, today's unless said; roles and status are left as they are."""
    exit_date = last_day or moment(sandbox).date()
    _change(sandbox, student_id, exit_date=exit_date.isoformat())


def leave_by_role(sandbox: Sandbox, student_id: int) -> None:
    """The student becomes a former student, and no date says since when."""
    _change(sandbox, student_id, roles="Former Student")


def leave_by_status(sandbox: Sandbox, student_id: int) -> None:
    """The enrollment status becomes *Withdrawn*, and nothing else changes."""
    code = school_of(sandbox).code(STUDENTS, "enrollment_status", "Withdrawn")
    _change(sandbox, student_id, enrollment_status=code)


def come_back(sandbox: Sandbox, student_id: int, *, clear_exit_date: bool = True) -> None:
    """Somebody who left is a student again from today.

    Args:
        sandbox: both systems.
        student_id: who.
        clear_exit_date: whether the old exit date is emptied, or stays beside a later entry date.
    """
    school, today = school_of(sandbox), moment(sandbox).date()
    student = school.row(STUDENTS, student_id)
    kept = student["exit_date"]
    if kept and not clear_exit_date:
        # An exit date is before the new entry, or nobody could tell which of the two holds.
        kept = min(kept, (today - timedelta(days=1)).isoformat())
    _change(
        sandbox,
        student_id,
        entry_date=today.isoformat(),
        exit_date=None if clear_exit_date else kept,
        roles="Student",
        enrollment_status=school.code(STUDENTS, "enrollment_status", "Attending"),
    )


def vanish(sandbox: Sandbox, student_id: int) -> None:
    """The feed does not show the student any more, though nobody changed anything: no signal at all."""
    school = school_of(sandbox)
    student = school.row(STUDENTS, student_id)
    school.unlisted[student_id] = student
    school.veracross[STUDENTS].remove(student)


def reappear(sandbox: Sandbox, student_id: int) -> None:
    """The feed shows the student once more, as if nothing had been."""
    school = school_of(sandbox)
    school.veracross[STUDENTS].append(school.unlisted.pop(student_id))


def start_boarding(sandbox: Sandbox, student_id: int, dorm: str) -> None:
    """A day student moves into a dorm today."""
    school, at = school_of(sandbox), moment(sandbox)
    add_bed(school, student_id, dorm_in_use(school, dorm), at.date(), at)


def stop_boarding(sandbox: Sandbox, student_id: int) -> None:
    """A boarder gives up the bed today and lives at home."""
    for row in beds(school_of(sandbox), student_id):
        row["currently_enrolled"] = False
        row["date_withdrawn"] = moment(sandbox).date().isoformat()


def lose_bed_row(sandbox: Sandbox, student_id: int) -> None:
    """The dorm enrolment is deleted instead of being ended."""
    rows = school_of(sandbox).veracross[DORM_STUDENTS]
    rows[:] = [row for row in rows if row["student_id"] != student_id or not row["currently_enrolled"]]


def move_dorm(sandbox: Sandbox, student_id: int, dorm: str) -> None:
    """Out of one dorm and into another on the same day."""
    stop_boarding(sandbox, student_id)
    start_boarding(sandbox, student_id, dorm)


def change_name(
    sandbox: Sandbox,
    student_id: int,
    *,
    first: str | None = None,
    last: str | None = None,
    preferred: str | None = None,
) -> None:
    """Any of the names changes; those that are not given stay."""
    given = {"first_name": first, "last_name": last, "preferred_name": preferred}
    _change(sandbox, student_id, **{name: value for name, value in given.items() if value is not None})


def change_email(sandbox: Sandbox, student_id: int, email: str | None) -> None:
    """The student's own address becomes another one, or is emptied."""
    _change(sandbox, student_id, email_1=email)


def change_grade(sandbox: Sandbox, student_id: int, grade: str) -> None:
    """The student is put into another grade."""
    _change(sandbox, student_id, grade_level=school_of(sandbox).code(STUDENTS, "grade_level", grade))


def dorm_in_use(school: LittleSchool, name: str) -> int:
    """The id that a dorm has this school year.

    Raises:
        KeyError: no dorm of this name is active.
    """
    return int(_active(school, DORMS, name)["id"])


def current_students(sandbox: Sandbox) -> list[Record]:
    """Those whom the feed shows as students of today."""
    school, today = school_of(sandbox), moment(sandbox).date().isoformat()
    attending = school.code(STUDENTS, "enrollment_status", "Attending")
    return [
        row
        for row in school.veracross[STUDENTS]
        if row["roles"] == "Student"
        and row["enrollment_status"] == attending
        and row["entry_date"] <= today
        and not (row["exit_date"] and row["entry_date"] <= row["exit_date"] <= today)
    ]


def _active(school: LittleSchool, operation: str, name: str) -> Record:
    active = school.code(operation, "status", "Active")
    for row in school.veracross[operation]:
        if row["description"] == name and row["status"] == active:
            return row
    raise KeyError(name)


def _settle(sandbox: Sandbox, student: Record, dorm: str | None) -> int:
    school, at = school_of(sandbox), moment(sandbox)
    active = school.code(CLASSES, "status", "Active")
    classes = [row for row in school.veracross[CLASSES] if row["status"] == active]
    take_classes(school, student, classes, at)
    if dorm is not None:
        add_bed(school, student["id"], dorm_in_use(school, dorm), at.date(), at)
    return int(student["id"])


def _change(sandbox: Sandbox, student_id: int, **values: object) -> None:
    student = school_of(sandbox).row(STUDENTS, student_id)
    student.update(values)
    stamp(student, moment(sandbox))
