"""What is true of a student, told from the live records alone: nothing here asks the pipeline or its tables."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from vx_pipeline.policies import Policies
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.records import (
    DORM_STUDENTS,
    DORMS,
    PARENTS,
    RELATIONSHIPS,
    STUDENTS,
    LittleSchool,
)

LEFT = frozenset({"Withdrawn", "Graduated", "Dismissed", "Transferred", "Not Returning"})


def leave_signal(school: LittleSchool, row: Record, today: date) -> str | None:
    """The positive signal in a student's record that says the student has left; None without one."""
    entry, last = row["entry_date"], row["exit_date"]
    if last and last <= today.isoformat() and (entry is None or entry <= last):
        return "exit date"
    if row["roles"] and "Student" not in {role.strip() for role in row["roles"].split(",")}:
        return "role"
    if school.label(STUDENTS, "enrollment_status", row["enrollment_status"]) in LEFT:
        return "status"
    return None


def grade_of(school: LittleSchool, row: Record) -> str:
    """The label of the grade that a student's record shows."""
    return school.label(STUDENTS, "grade_level", row["grade_level"])


def beds_held(school: LittleSchool, student_id: int, today: date) -> list[Record]:
    """The dorm enrolments of a student that hold today."""
    return [
        row
        for row in school.veracross[DORM_STUDENTS]
        if row["student_id"] == student_id
        and row["currently_enrolled"]
        and not (row["date_withdrawn"] and row["date_withdrawn"] <= today.isoformat())
        and not (row["late_date_enrolled"] and row["late_date_enrolled"] > today.isoformat())
        and _in_use(school, school.row(DORMS, row["dorm_id"]), today)
    ]


def out_of_scope(school: LittleSchool, row: Record, policies: Policies, today: date) -> bool:
    """Whether the settings keep a student from Orah who is at the school."""
    boards = bool(beds_held(school, row["id"], today))
    if policies.synced == ("day" if boards else "boarding"):
        return True
    return bool(policies.grades) and grade_of(school, row) not in policies.grades


def parents_of(school: LittleSchool) -> Iterator[tuple[int, int]]:
    """Every child and every parent who is related to it."""
    parents = {row["id"] for row in school.veracross[PARENTS]}
    for row in school.veracross[RELATIONSHIPS]:
        if row["related_person_id"] in parents:
            yield row["person_id"], row["related_person_id"]


def wanted_record(school: LittleSchool, row: Record, today: date) -> dict[str, Any]:
    """What Orah's record of a student says once all has been carried over, by field; a house by its ``sis_id``.

    What Veracross does not know is left out, and so is where a student lives who has two beds.
    """
    held = beds_held(school, row["id"], today)
    values = {
        "sis_id": str(row["id"]),
        "first_name": row["preferred_name"] or row["first_name"],
        "alt_name": row["first_name"],
        "last_name": row["last_name"],
        "email": row["email_1"] and row["email_1"].lower(),
        "year_level": grade_of(school, row),
        "student_type": "Boarding" if held else "Day",
        "deactivated": False,
    }
    if len(held) == 1:
        (bed,) = held
        values |= {"house": str(bed["dorm_id"]), "room_number": bed["room_number"]}
        values["bed_number"] = bed["bed_number"] and str(bed["bed_number"])
    return {name: value for name, value in values.items() if value is not None}


def in_doubt(row: Record, record: Record) -> bool:
    """Whether nothing that names a person is the same in both systems any more: then a person has to look."""
    names = {name.lower() for name in (row["first_name"], row["preferred_name"]) if name}
    held = {name.lower() for name in (record["first_name"], record["alt_name"]) if name}
    same_last = row["last_name"] == record["last_name"]
    same_email = bool(row["email_1"]) and row["email_1"].lower() == (record["email"] or "").lower()
    return not (names & held or same_last or same_email)


def _in_use(school: LittleSchool, dorm: Record, today: date) -> bool:
    return (
        school.label(DORMS, "status", dorm["status"]) == "Active"
        and dorm["begin_date"] <= today.isoformat() <= dorm["end_date"]
    )
