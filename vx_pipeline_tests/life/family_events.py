"""What happens in families: homes split, custody ends, somebody dies, addresses change."""

from typing import Any

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.events import moment, school_of
from vx_pipeline_tests.life.people import add_home
from vx_pipeline_tests.life.records import (
    CONTACT_INFO,
    GUARDIAN_FLAGS,
    PARENTS,
    RELATIONSHIPS,
    LittleSchool,
    stamp,
)


def split_household(sandbox: Sandbox, parent_id: int) -> int:
    """A parent moves out: a second home, of which the child's own record says nothing. Returns the home's id.

    Custody is shared from then on.
    """
    school, at = school_of(sandbox), moment(sandbox)
    parent = school.row(PARENTS, parent_id)
    home = add_home(school, f"{parent['first_name']} {parent['last_name']}", at)
    left = parent["spouse"]["id"]
    for one in (parent, *([school.row(PARENTS, left)] if left else [])):
        one["spouse"] = {"id": None, "name": None}
        stamp(one, at)
    parent["household_id"] = home
    info = school.row(CONTACT_INFO, parent_id)
    info["household_id"] = home
    stamp(info, at)
    for row in _rows_about(school, parent_id):
        _change(sandbox, row, resident=False, custody_status="Joint")
    return home


def remove_custody(sandbox: Sandbox, student_id: int, parent_id: int) -> None:
    """A court takes one parent's custody of one child; the other parent has it alone."""
    school = school_of(sandbox)
    for row in _rows_about(school, parent_id):
        if row["person_id"] == student_id:
            relation = school.label(RELATIONSHIPS, "relationship", row["relationship"])
            status = "Sole - father" if relation == "Mother" else "Sole - mother"
            flags = dict.fromkeys(GUARDIAN_FLAGS, False)
            _change(sandbox, row, legal_custody=False, custody_status=status, **flags)


def restore_custody(sandbox: Sandbox, student_id: int, parent_id: int, *, legal: bool) -> None:
    """A parent may do things for a child again: with legal custody everything, without it only in an emergency."""
    school = school_of(sandbox)
    for row in _rows_about(school, parent_id):
        if row["person_id"] == student_id:
            if legal:
                flags = dict.fromkeys(GUARDIAN_FLAGS, True)
                _change(sandbox, row, legal_custody=True, custody_status="Joint", **flags)
            else:
                _change(sandbox, row, emergency=True)


def die(sandbox: Sandbox, parent_id: int) -> None:
    """A parent dies: every relationship says so, and the list of parents leaves the parent out unless asked."""
    flags = dict.fromkeys(GUARDIAN_FLAGS, False)
    for row in _rows_about(school_of(sandbox), parent_id):
        _change(sandbox, row, related_person_is_deceased=True, **flags)


def lose_relationship(sandbox: Sandbox, student_id: int, parent_id: int) -> None:
    """The relationship of a child and a parent is deleted; both stay listed."""
    rows = school_of(sandbox).veracross[RELATIONSHIPS]
    rows[:] = [row for row in rows if (row["person_id"], row["related_person_id"]) != (student_id, parent_id)]


def change_parent_email(sandbox: Sandbox, parent_id: int, email: str | None) -> None:
    """A parent has another address, or none."""
    school = school_of(sandbox)
    _change(sandbox, school.row(PARENTS, parent_id), email_1=email)
    _change(sandbox, school.row(CONTACT_INFO, parent_id), email_1=email)


def change_parent_phone(sandbox: Sandbox, parent_id: int, mobile: str | None) -> None:
    """A parent has another mobile number, or none."""
    _change(sandbox, school_of(sandbox).row(CONTACT_INFO, parent_id), mobile_phone=mobile)


def _rows_about(school: LittleSchool, person_id: int) -> list[Record]:
    return [row for row in school.veracross[RELATIONSHIPS] if row["related_person_id"] == person_id]


def _change(sandbox: Sandbox, row: Record, **values: Any) -> None:
    row.update(values)
    stamp(row, moment(sandbox))
