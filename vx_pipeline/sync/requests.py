"""One change of a house or a student as requests to Orah: the body, the call, and reading back."""

from collections.abc import Mapping
from typing import Any

from vx_pipeline.errors import NotFoundError, VxError
from vx_pipeline.journal.intents import Intent, Result
from vx_pipeline.orah import OrahClient, assumed
from vx_pipeline.sync.changes import Action, Change, Entity


def record_body(change: Change, houses: Mapping[int, int]) -> dict[str, Any]:
    """The values to send, with a dorm replaced by the house that stands for it.

    Args:
        change: of a house or a student.
        houses: the house in Orah of each dorm that has one.

    Raises:
        VxError: that house does not exist, because creating it failed.
    """
    body = change.values
    if "house" in body:
        house = body.pop("house")
        dorm_id = house.get("dorm_id") if house else None
        if dorm_id is not None and dorm_id not in houses:
            raise VxError(f"The house for dorm {dorm_id} could not be made, so the student waits for it.")
        body["house_id"] = houses[dorm_id] if dorm_id is not None else (house or {}).get("id")
    return body


async def send_record(orah: OrahClient, intent: Intent) -> int:
    """Sends the one request of an intent and returns the record's id in Orah."""
    if intent.target_id is None:
        return int((await orah.create(intent.entity, intent.body))["id"])
    if intent.action == Action.DELETE:
        await orah.delete(intent.entity, intent.target_id)
    else:
        await orah.update(intent.entity, intent.target_id, intent.body)
    return intent.target_id


async def read_back_record(orah: OrahClient, intent: Intent) -> tuple[Result, int | None]:
    """Whether Orah holds what the intent wanted, and in which record."""
    if intent.target_id is None:
        return await _find_created(orah, intent)
    record = await _find(orah, intent.entity, intent.target_id)
    if intent.action == Action.DELETE:
        landed = record is None
    else:
        landed = record is not None and all(
            assumed.same_value(record, field, value) for field, value in intent.body.items()
        )
    return (Result.CONFIRMED, intent.target_id) if landed else (Result.ABSENT, None)


async def _find(orah: OrahClient, entity: str, record_id: int) -> Mapping[str, Any] | None:
    """The record, or None. Orah has no route for a single house, so it is looked for in the list."""
    if entity == Entity.HOUSE:
        return next((house for house in await orah.houses() if house.get("id") == record_id), None)
    try:
        return await orah.get(entity, record_id)
    except NotFoundError:
        return None


async def _find_created(orah: OrahClient, intent: Intent) -> tuple[Result, int | None]:
    """A record that was created is known by the id of ours that it carries."""
    records = await (orah.students() if intent.entity == Entity.STUDENT else orah.houses())
    for record in records:
        if record.get("sis_id") == intent.body["sis_id"]:
            return Result.CONFIRMED, int(record["id"])
    return Result.ABSENT, None
