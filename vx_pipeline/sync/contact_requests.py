"""Writing contacts to Orah. A contact shows all of its students in one list, and a write replaces the whole list.

So that nobody is tied again by an old list, it is read just before it is written, and only the one student is added
or taken out. A contact without a student cannot be (assumed): with the last one it is deleted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vx_pipeline.errors import NotFoundError, ServiceError, VxError
from vx_pipeline.journal.intents import Intent, Result
from vx_pipeline.orah import OrahClient, assumed
from vx_pipeline.sync.changes import Action, Change

_NAMES = ("first_name", "last_name")


def contact_body(change: Change, students: Mapping[int, int]) -> dict[str, Any]:
    """What an intent notes and a request is made from.

    Args:
        change: about a contact.
        students: the record in Orah of each student who has one, by Veracross id.

    Returns:
        Values by Orah field, with ``student_ids`` for a new contact; ``student_id`` (Veracross),
        ``orah_student_id`` and ``urgent`` where one student is tied or taken away.

    Raises:
        VxError: none of the students has a record yet; the contact waits.
    """
    if change.action in (Action.LINK, Action.UNLINK):
        difference = change.fields["students"]
        named = difference.after if change.action is Action.LINK else difference.before
        student = named["student_id"]
        return {
            "student_id": student,
            "orah_student_id": _records([student], students)[0],
            "urgent": change.urgent,
        }
    body = change.values
    if "students" in body:
        named = [one["student_id"] for one in body.pop("students")]
        body["student_ids"] = _records(named, students)
    return body


def _records(named: Sequence[int], students: Mapping[int, int]) -> list[int]:
    records = [students[student] for student in named if student in students]
    if not records:
        told = ", ".join(str(student) for student in named)
        raise VxError(f"The contact waits for the record of student {told}, which could not be made.")
    return records


async def send_contact(orah: OrahClient, intent: Intent) -> int:
    """Writes one intent about a contact. Returns the contact's id in Orah.

    What is so already is not written again. After an urgent end it is looked once more whether it holds.

    Raises:
        LostAnswerError: no answer came; the write may have landed.
        NotFoundError: the contact that is to be changed or tied does not exist any more.
        ServiceError: the write was refused, or was answered and not carried out.
    """
    if intent.target_id is None:
        return int((await orah.create("contact", intent.body))["id"])
    if intent.action == Action.LINK:
        await _tie(orah, intent.target_id, intent.body["orah_student_id"])
    elif intent.action == Action.UNLINK:
        await _part(orah, intent.target_id, intent.body["orah_student_id"])
        if intent.body["urgent"]:
            await _make_sure(orah, intent)
    elif intent.action == Action.DELETE:
        await orah.delete("contact", intent.target_id)
    else:
        await orah.update("contact", intent.target_id, intent.body)
    return intent.target_id


async def _tie(orah: OrahClient, contact: int, student: int) -> None:
    tied = await _tied(orah, contact)
    if student not in tied:
        await orah.update("contact", contact, {"student_ids": [*tied, student]})


async def _part(orah: OrahClient, contact: int, student: int) -> None:
    try:
        tied = await _tied(orah, contact)
    except NotFoundError:
        return
    others = [one for one in tied if one != student]
    if others == tied:
        return
    if others:
        await orah.update("contact", contact, {"student_ids": others})
    else:
        await orah.delete("contact", contact)


async def _make_sure(orah: OrahClient, intent: Intent) -> None:
    result, _ = await read_back_contact(orah, intent)
    if not result.landed:
        raise ServiceError(
            f"Orah answered, but student {intent.body['student_id']} still has contact {intent.target_id}.",
            remedy="Take the student from the contact in Orah by hand; the next run tries again.",
        )


async def _tied(orah: OrahClient, contact: int) -> list[int]:
    """The students that the contact has at this moment."""
    record = await orah.get("contact", contact)
    if not assumed.is_contact(record):
        raise VxError(f"Orah's contact {contact} does not tell whose contact it is; it is left alone.")
    return assumed.students_of(record)


async def read_back_contact(orah: OrahClient, intent: Intent) -> tuple[Result, int | None]:
    """Whether Orah holds what an intent about a contact wanted, and in which record."""
    if intent.target_id is None:
        return await _find_created(orah, intent.body)
    try:
        record: Mapping[str, Any] | None = await orah.get("contact", intent.target_id)
    except NotFoundError:
        record = None
    return (Result.CONFIRMED, intent.target_id) if _landed(intent, record) else (Result.ABSENT, None)


def _landed(intent: Intent, record: Mapping[str, Any] | None) -> bool:
    if intent.action == Action.DELETE or record is None:
        return record is None and intent.action in (Action.DELETE, Action.UNLINK)
    if intent.action in (Action.LINK, Action.UNLINK):
        if not assumed.is_contact(record):
            return False
        is_tied = intent.body["orah_student_id"] in assumed.students_of(record)
        return is_tied is (intent.action == Action.LINK)
    return all(assumed.same_value(record, name, value) for name, value in intent.body.items())


async def _find_created(orah: OrahClient, body: Mapping[str, Any]) -> tuple[Result, int | None]:
    """A contact carries no id of ours: it is looked for among those of its students, by e-mail and names.

    Of several it is the newest: one that was there before would have been linked.
    """
    for student in body["student_ids"]:
        try:
            contacts = await orah.contacts_of(student)
        except NotFoundError:
            continue
        found = [contact["id"] for contact in contacts if _is_made_from(contact, body)]
        if found:
            return Result.CONFIRMED, max(found)
    return Result.ABSENT, None


def _is_made_from(contact: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    same_names = all((contact.get(name) or None) == body.get(name) for name in _NAMES)
    return same_names and (contact.get("email") or "").strip().lower() == (body.get("email") or "")
