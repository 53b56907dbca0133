"""Writing one mark: intent, write, read back, outcome. ``settling`` finds out what became of an interrupted one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from vx_pipeline.attendance.rows import ClassDay, holds, mark_of, read_class_day, row_with
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import AccessError, ChangedError, IncompleteReadError, LostAnswerError, VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.intents import Intent, Result, record_intent, record_outcome
from vx_pipeline.journal.landings import Landing, record_landing
from vx_pipeline.journal.marks import Because, Mark, Place
from vx_pipeline.veracross import VeracrossClient

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
            were not or could not be read.
        changed: whether it was not sent, because somebody changed the row while it waited.
    """

    landed: bool
    detail: str
    class_day: ClassDay | None
    changed: bool = False


async def write_mark(
    pusher: Pusher, place: Place, before: Mark, wanted: Mark, because: Because | None, *, question: int | None
) -> Written:
    """Writes a state to a row. It is sent once; whether it landed is told by reading back.

    Args:
        pusher: where and for whom.
        place: of which student in which meeting the row tells.
        before: the row as it was judged; it must still be so when the write is sent.
        wanted: the state; ``ours`` unless it is what the row held before.
        because: what Orah said; None for taking a mark back.
        question: whose answer let it be written, so that it does not count against the budget; None without one.

    Raises:
        AccessError: Veracross refuses us altogether.
    """
    landing = Landing(wanted, place, because, before, question)
    intent_id = record_intent(
        pusher.journal,
        school=pusher.school,
        at=pusher.now(),
        system="veracross",
        entity=ENTITY,
        action="update",
        key=place.student_id,
        target_id=wanted.attendance_id,
        body=_body(place, landing),
        cause=pusher.cause,
    )

    async def unchanged() -> bool:
        read = await read_class_day(pusher.veracross, place.class_id, place.attendance_date)
        row = row_with(read.rows, before.attendance_id)
        return row is not None and mark_of(row, ours=False).values == before.values

    detail = ""
    try:
        await pusher.veracross.update_class_attendance(
            class_id=place.class_id,
            attendance_id=wanted.attendance_id,
            status=wanted.status,
            notes=wanted.notes,
            unchanged=unchanged,
        )
    except LostAnswerError as error:
        detail = error.what
    except VxError as error:
        record_outcome(pusher.journal, intent_id, Result.FAILED, at=pusher.now(), detail=error.what)
        if isinstance(error, AccessError):
            raise
        return Written(False, error.what, None, changed=isinstance(error, ChangedError))
    try:
        read_back = await read_class_day(pusher.veracross, place.class_id, place.attendance_date)
    except IncompleteReadError as error:
        # The intent stays open; the next push finds out what became of it.
        return Written(False, f"The mark was sent, but could not be read back: {error.what}", None)
    row = row_with(read_back.rows, wanted.attendance_id)
    if row is None or not holds(row, wanted):
        detail = detail or "Veracross accepted the mark, but reading back does not show it."
        record_outcome(pusher.journal, intent_id, Result.ABSENT, at=pusher.now(), detail=detail)
        return Written(False, detail, read_back)
    record_landing(
        pusher.journal,
        pusher.school,
        intent_id,
        replace(landing, mark=replace(wanted, notes=mark_of(row, ours=wanted.ours).notes)),
        result=Result.CONFIRMED if detail else Result.DONE,
        at=pusher.now(),
        detail=detail,
    )
    return Written(True, "", read_back)


def landing_of(intent: Intent) -> Landing:
    """What an intent meant; without a place where an early version noted it, which wrote marks of ours alone."""
    body, attendance_id = intent.body, intent.target_id or 0
    place = None
    if "orah_id" in body:
        place = Place(
            student_id=intent.key,
            orah_id=body["orah_id"],
            class_id=body["class_id"],
            attendance_date=date.fromisoformat(body["attendance_date"]),
            block_id=body["block_id"],
        )
    told, found = body.get("because"), body.get("before")
    return Landing(
        Mark(
            attendance_id,
            body["status"],
            body["notes"],
            body.get("ours", True),
            chosen=body.get("chosen", False),
        ),
        place,
        told and Because(told["cause"], tuple(told["evidence"]), datetime.fromisoformat(told["known_from"])),
        found and Mark(attendance_id, found["status"], found["notes"], ours=False),
        body.get("question"),
    )


def _body(place: Place, landing: Landing) -> dict[str, object]:
    wanted, because, before = landing.mark, landing.because, landing.before
    body: dict[str, object] = {
        **vars(place),
        "attendance_date": place.attendance_date.isoformat(),
        "status": wanted.status,
        "notes": wanted.notes,
        "ours": wanted.ours,
        "chosen": wanted.chosen,
        "by_person": landing.question is not None,
        "question": landing.question,
    }
    if before is not None:
        body["before"] = {"status": before.status, "notes": before.notes}
    if because is not None:
        body["because"] = {
            "cause": because.cause,
            "evidence": list(because.evidence),
            "known_from": because.known_from.isoformat(),
        }
    return body
