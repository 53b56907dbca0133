"""Students, houses, contacts and movements: the bodies that read and write them, and what they look like."""

from collections.abc import Mapping
from typing import Any

from vx_pipeline.orah.assumed.values import is_moment, is_reference, is_whole_number

BOARDING = "Boarding"
"""Assumed spelling of the student type of a boarder. ``FlexiBoarding`` and ``Remote`` are documented."""

DAY = "Day"
"""Assumed spelling of the student type of a day student."""

BOARDING_TYPES = frozenset({BOARDING, "FlexiBoarding"})
"""Types that all mean: this student boards. A school's finer choice among them is left alone."""

DAY_TYPES = frozenset({DAY, "Remote"})
"""Types that all mean: this student does not board."""


def every_student() -> dict[str, Any]:
    """Body of ``student/list`` that brings active and deactivated students (assumed: no filter means all)."""
    return {}


def contacts_body(student_id: int) -> dict[str, Any]:
    """Body of ``contact/list-by-student`` (documented is the route alone)."""
    return {"query": {"student": {"id": student_id}}}


def is_contact(record: Mapping[str, Any]) -> bool:
    """Whether a contact says which it is and whose (assumed: ``students``, a list of references)."""
    students = record.get("students")
    return (
        is_whole_number(record.get("id"))
        and isinstance(students, list)
        and all(student is not None and is_reference(student) for student in students)
    )


def students_of(contact: Mapping[str, Any]) -> list[int]:
    """The ids of the students whose contact it is.

    Raises:
        ValueError: the record does not tell.
    """
    if not is_contact(contact):
        raise ValueError("a contact that does not show its students")
    return [int(student["id"]) for student in contact["students"]]


def create_body(values: Mapping[str, Any]) -> dict[str, Any]:
    """Body of a ``create`` call."""
    return {"data": _record(values)}


def update_body(record_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Body of an ``update`` call; fields that are not named stay as they are."""
    return {"query": {"id": record_id}, "data": _record(values)}


def delete_body(record_id: int) -> dict[str, Any]:
    """Body of a ``delete`` call."""
    return {"query": {"id": record_id}}


def get_body(record_id: int) -> dict[str, Any]:
    """Body of a ``get-single`` call."""
    return {"query": {"id": record_id}}


def same_value(record: Mapping[str, Any], field: str, value: Any) -> bool:
    """Whether a record that Orah returned holds the value in the field as the plan names it."""
    if field == "house_id":
        house = record.get("house")
        return bool((house.get("id") if isinstance(house, Mapping) else None) == value)
    if field == "student_ids":
        return is_contact(record) and sorted(students_of(record)) == sorted(value)
    return bool(record.get(field) == value)


def is_location_record(record: Mapping[str, Any]) -> bool:
    """Whether a record says which move it is, when and of whom.

    The location may be missing (seen). Assumed: so may the student, and then the move is nobody's.
    """
    return (
        is_whole_number(record.get("id"))
        and isinstance(record.get("type"), str)
        and is_moment(record.get("record_time"))
        and is_reference(record.get("location"))
        and is_reference(record.get("student"))
    )


def _record(values: Mapping[str, Any]) -> dict[str, Any]:
    """A record as the write routes take it: house and students are named by objects, as in what Orah returns.

    Assumed: a contact takes the whole list of its students, and needs one at least.
    """
    record = dict(values)
    if "house_id" in record:
        house_id = record.pop("house_id")
        record["house"] = None if house_id is None else {"id": house_id}
    if "student_ids" in record:
        record["students"] = [{"id": student_id} for student_id in record.pop("student_ids")]
    return record
