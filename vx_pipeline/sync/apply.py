"""Writing a plan to Orah: intent, call, outcome.

A lost answer is settled by reading back, never by sending again. Only what certainly was not written is tried
again.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import stamina

from vx_pipeline.errors import AccessError, BusyError, LostAnswerError, VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.intents import Intent, Result, open_intents, record_intent, record_outcome
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.client import Retry
from vx_pipeline.sync.changes import Action, Change, Entity, fingerprint
from vx_pipeline.sync.contact_requests import contact_body, read_back_contact, send_contact
from vx_pipeline.sync.requests import read_back_record, record_body, send_record

log = logging.getLogger(__name__)

CONCURRENCY = 4
"""Writes under way at once: enough to hide Orah's latency, few enough to be a polite guest."""


@dataclass(frozen=True)
class Failure:
    """A change that could not be written, and why, in words. A later run plans it again."""

    change: Change
    reason: str

    @property
    def told(self) -> str:
        """The failure in one sentence, with ids alone."""
        return f"{self.change.action} {self.change.entity} {self.change.key}: {self.reason}"


@dataclass(frozen=True)
class Applied:
    """What became of a plan's changes: ``action entity`` to count, and the failures."""

    written: Mapping[str, int]
    failed: Sequence[Failure] = ()

    @property
    def failures(self) -> list[str]:
        """The failures in words."""
        return sorted(failure.told for failure in self.failed)


@dataclass(frozen=True)
class Writer:
    """Where and on whose behalf a plan is written.

    Args:
        orah: the open client.
        journal: where each write is noted before it is sent.
        school: the school's key.
        cause: the plan's id.
        now: this moment.
        approvals: the number of the person's word that let a change pass, by the change's fingerprint.
        retry: how a write that Orah was too busy for is tried again.
    """

    orah: OrahClient
    journal: Journal
    school: str
    cause: str
    now: Callable[[], datetime]
    approvals: Mapping[str, int] = field(default_factory=dict)
    retry: Retry = field(default_factory=Retry)


@dataclass(frozen=True)
class Known:
    """Records in Orah that changes refer to, by Veracross id of dorm and student. Grows as records are made."""

    houses: dict[int, int]
    students: dict[int, int]

    def remember(self, change: Change, record_id: int) -> None:
        """Takes in a record that was written."""
        if change.entity is Entity.HOUSE:
            self.houses[change.key] = record_id
        elif change.entity is Entity.STUDENT:
            self.students[change.key] = record_id


async def apply_changes(
    writer: Writer,
    changes: Sequence[Change],
    houses: Mapping[int, int],
    students: Mapping[int, int] | None = None,
) -> Applied:
    """Writes the changes in the order in which they depend on each other.

    Args:
        writer: where to.
        changes: exactly what is written.
        houses: the house in Orah of each dorm that has one.
        students: the record in Orah of each student who has one.

    Returns:
        What landed and what failed. One change that fails does not keep the others from being written.

    Raises:
        AccessError: Orah refuses us altogether; what was not sent yet is not tried.
    """
    settled = await settle_open_intents(writer)
    known = Known(dict(houses), dict(students or {}))
    for (entity, action, key), record_id in settled.items():
        if action is Action.CREATE:
            known.remember(Change(entity, action, key, record_id, {}, ""), record_id)
    todo = [
        change
        for change in changes
        if change.writes and (change.entity, change.action, change.key) not in settled
    ]
    batches: defaultdict[int, list[Change]] = defaultdict(list)
    for change in todo:
        batches[_turn(change)].append(change)
    written: Counter[str] = Counter()
    failed: list[Failure] = []
    for turn in sorted(batches):
        await _write_batch(writer, batches[turn], known, written, failed)
    return Applied(dict(written), sorted(failed, key=lambda failure: failure.told))


def _turn(change: Change) -> int:
    """What must be there first comes first; who must not see a child any more comes before everything."""
    if change.urgent:
        return 0
    if change.action in (Action.LINK, Action.UNLINK):
        return 4
    if change.entity is Entity.HOUSE:
        return 5 if change.action is Action.DELETE else 1
    return {Entity.STUDENT: 2, Entity.CONTACT: 3}[change.entity]


async def _write_batch(
    writer: Writer, batch: Sequence[Change], known: Known, written: Counter[str], failed: list[Failure]
) -> None:
    """Writes changes that do not depend on each other, some at a time, and those of one record one by one."""
    refusals: list[AccessError] = []
    turns = asyncio.Semaphore(CONCURRENCY)
    records: defaultdict[tuple[Entity, int | None, int | None], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def write(change: Change) -> None:
        new = change.key if change.target_id is None else None
        async with records[change.entity, change.target_id, new], turns:
            if refusals:
                return
            try:
                record_id = await _write_patiently(writer, change, _body(change, known))
            except AccessError as error:
                refusals.append(error)
            except VxError as error:
                failed.append(Failure(change, error.what))
            else:
                written[f"{change.action} {change.entity}"] += 1
                known.remember(change, record_id)

    # Unlike gather, a group leaves no write under way behind when something unforeseen is raised.
    async with asyncio.TaskGroup() as group:
        for change in batch:
            group.create_task(write(change))
    if refusals:
        raise refusals[0]


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


async def _write_patiently(writer: Writer, change: Change, body: Mapping[str, Any]) -> int:
    """Tries again while Orah asks for patience: then nothing was written, and each try is an intent of its own."""
    retry = writer.retry
    async for attempt in stamina.retry_context(
        on=BusyError,
        attempts=retry.attempts,
        wait_initial=retry.wait_initial,
        wait_max=retry.wait_max,
        timeout=None,
    ):
        with attempt:
            return await _write(writer, change, body)
    raise AssertionError("a retry loop ends by returning or raising")


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
    mark = fingerprint(change)
    values: dict[str, Any] = {
        "school": writer.school,
        "at": writer.now(),
        "system": "orah",
        "entity": change.entity.value,
        "action": change.action.value,
        "key": change.key,
        "target_id": change.target_id,
        "body": dict(body),
        "cause": writer.cause,
        "change": mark,
        "approval": writer.approvals.get(mark),
    }
    return Intent(intent_id=record_intent(writer.journal, **values), **values)


def _body(change: Change, known: Known) -> dict[str, Any]:
    if change.entity is Entity.CONTACT:
        return contact_body(change, known.students)
    return record_body(change, known.houses)


async def _send(orah: OrahClient, intent: Intent) -> int:
    send = send_contact if intent.entity == Entity.CONTACT else send_record
    return await send(orah, intent)


async def _read_back(orah: OrahClient, intent: Intent) -> tuple[Result, int | None]:
    read_back = read_back_contact if intent.entity == Entity.CONTACT else read_back_record
    return await read_back(orah, intent)
