"""Writing one mark: intent, write, read back, outcome. And finding out what became of an interrupted one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from vx_pipeline.attendance.rows import ClassDay, mark_of, read_class_day, row_of
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import AccessError, IncompleteReadError, LostAnswerError, VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.intents import Intent, Result, open_intents, record_intent, record_outcome
from vx_pipeline.journal.marks import Because, Mark, Place, record_mark
from vx_pipeline.veracross import VeracrossClient

log = logging.getLogger(__name__)

ENTITY = "class_attendance"


@dataclass(frozen=True)
class Pusher:
    """Where and on whose behalf marks are written."""

    veracross: VeracrossClient
    journal: Journal
    school: str
    cause: str
    policy: AttendancePolicy
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Written:
    """How a write ended.

    Args:
        landed: whether the row shows it.
        detail: what there is to say about it, without names; empty where all went well.
        class_day: the class's rows as read back, on which the next mark of the class rests; None where they
            could not be read.
    """

    landed: bool
    detail: str
    class_day: ClassDay | None


async def write_mark(
    pusher: Pusher, place: Place, wanted: Mark, because: Because | None, *, by_person: bool
) -> Written:
    """Writes a state to a row. It is sent once; whether it landed is told by reading back.

    Args:
        pusher: where and for whom.
        place: of which student in which meeting the row tells.
        wanted: the state; ``ours`` unless it is what the row held before.
        because: what Orah said; None for taking a mark back.
        by_person: whether a person chose it, so that it does not count against the budget.

    Raises:
        AccessError: Veracross refuses us altogether.
    """
    intent_id = record_intent(
        pusher.journal,
        school=pusher.school,
        at=pusher.now(),
        system="veracross",
        entity=ENTITY,
        action="update",
        key=place.student_id,
        target_id=wanted.attendance_id,
        body=_body(place, wanted, because, by_person=by_person),
        cause=pusher.cause,
    )
    detail = ""
    try:
        await pusher.veracross.update_class_attendance(
            class_id=place.class_id,
            attendance_id=wanted.attendance_id,
            status=wanted.status,
            notes=wanted.notes,
        )
    except LostAnswerError as error:
        detail = error.what
    except VxError as error:
        record_outcome(pusher.journal, intent_id, Result.FAILED, at=pusher.now(), detail=error.what)
        if isinstance(error, AccessError):
            raise
        return Written(False, error.what, None)
    try:
        read_back = await read_class_day(pusher.veracross, place.class_id, place.attendance_date)
    except IncompleteReadError as error:
        # The intent stays open; the next push finds out what became of it.
        return Written(False, f"The mark was sent, but could not be read back: {error.what}", None)
    row = row_of(read_back.rows, place)
    if row is None or not _holds(mark_of(row, ours=True), wanted):
        detail = detail or "Veracross accepted the mark, but reading back does not show it."
        record_outcome(pusher.journal, intent_id, Result.ABSENT, at=pusher.now(), detail=detail)
        return Written(False, detail, read_back)
    result = Result.CONFIRMED if detail else Result.DONE
    # The mark first: were we interrupted after the outcome, nobody would know any more that the row is ours.
    record_mark(pusher.journal, pusher.school, wanted, at=pusher.now(), place=place, because=because)
    record_outcome(pusher.journal, intent_id, result, at=pusher.now(), detail=detail)
    return Written(True, "", read_back)


async def settle_open_intents(pusher: Pusher) -> int:
    """Finds out what became of marks that an interruption left without an outcome; returns how many.

    A class that stays unreadable until the edit window has closed, as one that is gone does, tells nothing
    any more: its mark is noted as failed, and not asked for again.
    """
    closed = timedelta(days=pusher.policy.days_back + 1)
    settled = 0
    for intent in open_intents(pusher.journal, pusher.school, "veracross"):
        place, wanted, because = _read_body(intent)
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
            settled += 1
            continue
        landed = any(_holds(mark_of(row, ours=True), wanted) for row in read.rows)
        result = Result.CONFIRMED if landed else Result.ABSENT
        detail = "settled after an interruption"
        if landed:
            record_mark(pusher.journal, pusher.school, wanted, at=pusher.now(), place=place, because=because)
        record_outcome(pusher.journal, intent.intent_id, result, at=pusher.now(), detail=detail)
        log.warning("intent %s was interrupted: %s", intent.intent_id, result.value)
        settled += 1
    return settled


def _holds(found: Mark, wanted: Mark) -> bool:
    return (found.attendance_id, found.status, found.notes) == (
        wanted.attendance_id,
        wanted.status,
        wanted.notes,
    )


def _body(place: Place, wanted: Mark, because: Because | None, *, by_person: bool) -> dict[str, object]:
    body: dict[str, object] = {
        **vars(place),
        "attendance_date": place.attendance_date.isoformat(),
        "status": wanted.status,
        "notes": wanted.notes,
        "ours": wanted.ours,
        "by_person": by_person,
    }
    if because is not None:
        body["because"] = {
            "cause": because.cause,
            "evidence": list(because.evidence),
            "known_from": because.known_from.isoformat(),
        }
    return body


def _read_body(intent: Intent) -> tuple[Place | None, Mark, Because | None]:
    """What was meant; without a place where an earlier version noted it, which wrote marks of ours alone."""
    body = intent.body
    place = None
    if "orah_id" in body:
        place = Place(
            student_id=intent.key,
            orah_id=body["orah_id"],
            class_id=body["class_id"],
            attendance_date=date.fromisoformat(body["attendance_date"]),
            block_id=body["block_id"],
        )
    mark = Mark(intent.target_id or 0, body["status"], body["notes"], body.get("ours", True))
    told = body.get("because")
    because = told and Because(
        told["cause"], tuple(told["evidence"]), datetime.fromisoformat(told["known_from"])
    )
    return place, mark, because
