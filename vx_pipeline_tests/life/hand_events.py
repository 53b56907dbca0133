"""What people change in Orah by hand. Nothing of it stands in the sandbox's journal of writes, which is ours."""

from typing import Any

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.setting import utc_milliseconds
from vx_pipeline_tests.life.events import moment, school_of


def edit(sandbox: Sandbox, model: str, record_id: int, **values: Any) -> None:
    """Somebody changes fields of a record, e.g. ``first_name`` of a ``student`` or ``email`` of a ``contact``.

    Raises:
        KeyError: there is no such record, or it has no such field.
    """
    record = held(sandbox, model, record_id)
    unknown = set(values) - set(record)
    if unknown:
        raise KeyError(sorted(unknown))
    record.update(values)
    record["updated_at"] = utc_milliseconds(moment(sandbox))


def move_house(sandbox: Sandbox, orah_id: int, house_name: str) -> None:
    """Somebody puts a student into another house."""
    house = next(one for one in school_of(sandbox).orah["house"] if one["name"] == house_name)
    edit(sandbox, "student", orah_id, house={"id": house["id"], "sis_id": house["sis_id"]})


def deactivate(sandbox: Sandbox, orah_id: int) -> None:
    """Somebody deactivates a student."""
    edit(sandbox, "student", orah_id, deactivated=True)


def reactivate(sandbox: Sandbox, orah_id: int) -> None:
    """Somebody activates a student again."""
    edit(sandbox, "student", orah_id, deactivated=False)


def add_student(sandbox: Sandbox, first: str, last: str, **values: Any) -> int:
    """Somebody makes a record of a student; returns its id."""
    return _add(sandbox, "student", first_name=first, last_name=last, **values)


def add_contact(sandbox: Sandbox, orah_student_ids: list[int], first: str, last: str, **values: Any) -> int:
    """Somebody makes a contact of students; returns its id."""
    return _add(sandbox, "contact", first_name=first, last_name=last, _student_ids=orah_student_ids, **values)


def remove_contact(sandbox: Sandbox, contact_id: int) -> None:
    """Somebody deletes a contact."""
    contacts = school_of(sandbox).orah["contact"]
    contacts.remove(held(sandbox, "contact", contact_id))
    if contact_id > max((one["id"] for one in contacts), default=0):
        # Orah does not give an id out again. The stand-in knows of its own deletions only, so a contact that
        # belongs to nobody, and is in no list, takes the place above.
        school_of(sandbox).add_orah("contact", moment(sandbox), id=contact_id + 1)


def held(sandbox: Sandbox, model: str, record_id: int) -> Record:
    """A record of Orah as held, private keys included.

    Raises:
        KeyError: there is none.
    """
    for record in school_of(sandbox).orah[model]:
        if record["id"] == record_id:
            return record
    raise KeyError(record_id)


def _add(sandbox: Sandbox, model: str, **values: Any) -> int:
    return int(school_of(sandbox).add_orah(model, moment(sandbox), **values)["id"])
