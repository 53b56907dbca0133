"""Writing a plan to Orah: intent, call, outcome.

A lost answer is settled by reading back, never by sending again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vx_pipeline.errors import AccessError, LostAnswerError, NotFoundError, VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.intents import Intent, Result, open_intents, record_intent, record_outcome
from vx_pipeline.orah import OrahClient, assumed
from vx_pipeline.sync.changes import Action, Change, Entity

log = logging.getLogger(__name__)

CONCURRENCY = 4
"""Writes under way at once: enough to hide Orah's latency, few enough to be a polite guest."""


@dataclass(frozen=True)
class Applied:
    """What became of a plan's changes: ``action entity`` to count, and the failures in words."""

    written: Mapping[str, int]
    failures: Sequence[str]


@dataclass(frozen=True)
class Writer:
    """Where and on whose behalf a plan is written."""

    orah: OrahClient
    journal: Journal
    school: str
    cause: str
    now: Callable[[], datetime]


async def apply_changes(writer: Writer, changes: Sequence[Change], houses: Mapping[int, int]) -> Applied:
    """Writes the changes: houses first, because students refer to them.

    Args:
        writer: where to.
        changes: exactly what is written.
        houses: the house in Orah of each dorm that has one.

    Returns:
        What landed and what failed. One change that fails does not keep the others from being written.

    Raises:
        AccessError: Orah refuses us altogether; what was not sent yet is not tried.
    """
    settled = await settle_open_intents(writer)
    written: Counter[str] = Counter()
    failures: list[str] = []
    known_houses = dict(houses)
    known_houses.update(
        (key, record_id) for (entity, action, key), record_id in settled.items() if entity is Entity.HOUSE
    )
    refusals: list[AccessError] = []
    turns = asyncio.Semaphore(CONCURRENCY)

    async def write(change: Change) -> None:
        async with turns:
            if refusals:
                return
            try:
                record_id = await _write(writer, change, _body(change, known_houses))
            except AccessError as error:
                refusals.append(error)
                return
            except VxError as error:
                failures.append(f"{change.action} {change.entity} {change.key}: {error.what}")
                return
        written[f"{change.action} {change.entity}"] += 1
        if change.entity is Entity.HOUSE:
            known_houses[change.key] = record_id

    for entity in (Entity.HOUSE, Entity.STUDENT):
        batch = [
            change
            for change in changes
            if change.entity is entity
            and change.writes
            and (change.entity, change.action, change.key) not in settled
        ]
        # Unlike gather, a group leaves no write under way behind when something unforeseen is raised.
        async with asyncio.TaskGroup() as group:
            for change in batch:
                group.create_task(write(change))
    if refusals:
        raise refusals[0]
    return Applied(dict(written), sorted(failures))


async def settle_open_intents(writer: Writer) -> dict[tuple[Entity, Action, int], int]:
    """Finds out what became of writes that an interruption left without an outcome.

    Returns:
        The records that turned out to be made or deleted: entity, action and key of the change to the id in
        Orah. To do that a second time would be wrong, as it would not be to set the same fields again.
    """
    settled: dict[tuple[Entity, Action, int], int] = {}
    for intent in open_intents(writer.journal, writer.school, "orah"):
        result, record_id = await _read_back(writer.orah, intent)
        record_outcome(
            writer.journal,
            intent.intent_id,
            result,
            at=writer.now(),
            target_id=record_id,
            detail="settled after an interruption",
        )
        log.warning("intent %s was interrupted: %s", intent.intent_id, result.value)
        if record_id is not None and intent.action in (Action.CREATE, Action.DELETE):
            settled[Entity(intent.entity), Action(intent.action), intent.key] = record_id
    return settled


async def _write(writer: Writer, change: Change, body: Mapping[str, Any]) -> int:
    """One change through the journal. Returns the record's id in Orah."""
    intent = _intent(writer, change, body)
    detail = ""
    try:
        record_id: int | None = await _send(writer.orah, intent)
        result = Result.DONE
    except LostAnswerError as error:
        result, record_id = await _read_back(writer.orah, intent)
        detail = error.what
    except VxError as error:
        record_outcome(writer.journal, intent.intent_id, Result.FAILED, at=writer.now(), detail=error.what)
        raise
    record_outcome(
        writer.journal, intent.intent_id, result, at=writer.now(), target_id=record_id, detail=detail
    )
    if not result.landed or record_id is None:
        raise VxError(f"{detail} Reading back shows that nothing was written; the next run tries again.")
    return record_id


def _intent(writer: Writer, change: Change, body: Mapping[str, Any]) -> Intent:
    at = writer.now()
    values: dict[str, Any] = {
        "school": writer.school,
        "at": at,
        "system": "orah",
        "entity": change.entity.value,
        "action": change.action.value,
        "key": change.key,
        "target_id": change.target_id,
        "body": dict(body),
        "cause": writer.cause,
    }
    return Intent(intent_id=record_intent(writer.journal, **values), **values)


async def _send(orah: OrahClient, intent: Intent) -> int:
    if intent.target_id is None:
        return int((await orah.create(intent.entity, intent.body))["id"])
    if intent.action == Action.DELETE:
        await orah.delete(intent.entity, intent.target_id)
    else:
        await orah.update(intent.entity, intent.target_id, intent.body)
    return intent.target_id


async def _read_back(orah: OrahClient, intent: Intent) -> tuple[Result, int | None]:
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


def _body(change: Change, houses: Mapping[int, int]) -> dict[str, Any]:
    """The values to send, with a dorm replaced by the house that stands for it.

    Raises:
        VxError: that house does not exist, because creating it failed.
    """
    body = change.values
    if "house" in body:
        house = body.pop("house")
        dorm_id = house["dorm_id"] if house else None
        if dorm_id is not None and dorm_id not in houses:
            raise VxError(f"The house for dorm {dorm_id} could not be made, so the student waits for it.")
        body["house_id"] = houses[dorm_id] if dorm_id is not None else None
    return body
