"""What became of marks of which nobody knows: writes that were interrupted, and those that may land late."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from vx_pipeline.attendance.rows import (
    ClassDay,
    Row,
    changed_at,
    holds,
    mark_of,
    read_class_day,
    row_with,
)
from vx_pipeline.attendance.writing import ENTITY, Pusher, landing_of
from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.journal.intents import Intent, Result, open_intents, record_outcome
from vx_pipeline.journal.landings import record_interrupted, record_landing, record_late, unseen_writes
from vx_pipeline.journal.marks import last_mark

log = logging.getLogger(__name__)


async def settle_open_intents(pusher: Pusher) -> int:
    """Finds out what became of marks that an interruption left without an outcome; returns how many.

    A class that stays unreadable until the edit window has closed, as one that is gone does, tells nothing
    any more: its mark is noted as failed, and not asked for again.
    """
    closed = timedelta(days=pusher.policy.days_back + 1)
    settled = 0
    for intent in open_intents(pusher.journal, pusher.school, "veracross"):
        day = date.fromisoformat(intent.body["attendance_date"])
        try:
            read = await read_class_day(pusher.veracross, intent.body["class_id"], day)
        except IncompleteReadError as error:
            if pusher.now() - intent.at < closed:
                log.warning("intent %s stays open: %s", intent.intent_id, error.what)
                continue
            detail = f"Nobody can tell whether the mark was written: {error.what}"
            record_outcome(pusher.journal, intent.intent_id, Result.FAILED, at=pusher.now(), detail=detail)
            log.warning("intent %s is given up: %s", intent.intent_id, error.what)
        else:
            result = _settle(pusher, intent, read)
            log.warning("intent %s was interrupted: %s", intent.intent_id, result.value)
        settled += 1
    return settled


def _settle(pusher: Pusher, intent: Intent, read: ClassDay) -> Result:
    landing, at, detail = landing_of(intent), pusher.now(), "settled after an interruption"
    row = row_with(read.rows, landing.mark.attendance_id)
    if row is not None and holds(row, landing.mark):
        landing = replace(landing, mark=replace(landing.mark, notes=mark_of(row, ours=False).notes))
        result = Result.CONFIRMED
        record_landing(
            pusher.journal, pusher.school, intent.intent_id, landing, result=result, at=at, detail=detail
        )
        return result
    changed = mark_of(row, ours=False) if row is not None and _was_changed_since(row, intent.at) else None
    record_interrupted(
        pusher.journal, pusher.school, intent.intent_id, landing, changed=changed, at=at, detail=detail
    )
    return Result.ABSENT


def _was_changed_since(row: Row, moment: datetime) -> bool:
    """Whether a row was changed at a moment or after it, or may have been; Veracross reckons in whole seconds."""
    found = changed_at(row)
    return found is None or found >= moment.replace(microsecond=0)


async def take_in_late(pusher: Pusher, day: date) -> int:
    """Marks of a day that reading back did not show, and that landed afterwards, become ours; returns how many.

    Costs one request for each class with such a mark, until a later write of the same row has settled it.
    """
    since = pusher.now().astimezone(UTC) - timedelta(days=pusher.policy.days_back + 1)
    taken = 0
    reads: dict[int, ClassDay | None] = {}
    for intent in unseen_writes(pusher.journal, pusher.school, ENTITY, since=since):
        landing, class_id = landing_of(intent), intent.body["class_id"]
        # What a row is given back to looks like what a person sets, and is left to the comparison.
        if (
            intent.body["attendance_date"] != day.isoformat()
            or landing.place is None
            or not landing.mark.ours
        ):
            continue
        base = last_mark(pusher.journal, pusher.school, landing.mark.attendance_id)
        if base is not None and base.ours and base.status == landing.mark.status:
            continue
        if class_id not in reads:
            reads[class_id] = await _read(pusher, class_id, day)
        read = reads[class_id]
        row = row_with(read.rows, landing.mark.attendance_id) if read else None
        if row is not None and holds(row, landing.mark):
            found = replace(landing.mark, notes=mark_of(row, ours=True).notes)
            record_late(pusher.journal, pusher.school, replace(landing, mark=found), at=pusher.now())
            log.warning("intent %s landed late", intent.intent_id)
            taken += 1
    return taken


async def _read(pusher: Pusher, class_id: int, day: date) -> ClassDay | None:
    try:
        return await read_class_day(pusher.veracross, class_id, day)
    except IncompleteReadError:
        return None
