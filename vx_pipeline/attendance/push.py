"""Pushing marks: read the row again, compare, note the intent, write, read back, note the outcome.

Nothing here decides who was away: that is given. Nothing is written twice: the row itself says what it holds.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from vx_pipeline.attendance.compare import Decision, decide
from vx_pipeline.attendance.missed import Missed
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import AccessError, IncompleteReadError, LostAnswerError, VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.intents import Result, open_intents, record_intent, record_outcome
from vx_pipeline.journal.marks import Mark, last_mark, record_mark
from vx_pipeline.schema import ValueList
from vx_pipeline.veracross import CompleteRead, VeracrossClient
from vx_pipeline.veracross.contract import ENDPOINTS

log = logging.getLogger(__name__)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Update:
    """What became of one missed meeting.

    ``result`` is written, nothing, conflict, no_row or failed. Statuses are codes of the school's value list.
    """

    missed: Missed
    attendance_id: int | None
    status_before: str | None
    status_after: str | None
    result: str
    reason: str


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
class _Codes:
    absent: str
    present: str


async def push_marks(pusher: Pusher, missed: Sequence[Missed]) -> list[Update]:
    """Writes the mark of every missed meeting that may be written.

    Costs one request for each class and day, and for each mark one write and one read. A class that cannot be
    read does not keep the others from being written.

    Raises:
        AccessError: Veracross refuses us altogether; what was not sent yet is not tried.
        VxError: the school's value list lacks a status that the settings name; this class and those after
            it are left alone.
    """
    by_class: dict[tuple[int, date], list[Missed]] = defaultdict(list)
    for one in missed:
        by_class[one.meeting.class_id, one.meeting.date].append(one)
    await settle_open_intents(pusher)
    updates: list[Update] = []
    for (class_id, day), group in sorted(by_class.items()):
        try:
            read = await _read_day(pusher, class_id, day)
        except IncompleteReadError as error:
            updates += [Update(one, None, None, None, "failed", error.what) for one in group]
            continue
        codes = _Codes(
            absent=status_code(read.value_lists, pusher.policy.absent_status),
            present=status_code(read.value_lists, pusher.policy.present_status),
        )
        rows: Sequence[Row] = read.rows
        for one in group:
            update, rows = await _push_one(pusher, one, rows, codes)
            updates.append(update)
    return updates


def status_code(value_lists: Sequence[ValueList], label: str) -> str:
    """The code of an attendance status by its label in the school's own list.

    Raises:
        VxError: there is no such label, or it is obsolete.
    """
    for value_list in value_lists:
        for item in value_list.items if "status" in value_list.fields else ():
            named = str(item.get("description", "")).strip().lower() == label.strip().lower()
            if named and not item.get("obsolete"):
                return str(item["id"])
    raise VxError(
        f"The school's attendance statuses have no {label!r} that is in use.",
        kept="No mark is written without it; those that were written before stay, and the journal has them.",
        remedy="Set policies.attendance to labels of the school's own list; `vx doctor` shows them.",
    )


async def settle_open_intents(pusher: Pusher) -> int:
    """Finds out what became of marks that an interruption left without an outcome; returns how many.

    A class that stays unreadable until the edit window has closed, as one that is gone does, tells nothing
    any more: its mark is noted as failed, and not asked for again.
    """
    closed = timedelta(days=pusher.policy.days_back + 1)
    settled = 0
    for intent in open_intents(pusher.journal, pusher.school, "veracross"):
        wanted = Mark(intent.target_id or 0, intent.body["status"], intent.body["notes"], ours=True)
        day = date.fromisoformat(intent.body["attendance_date"])
        try:
            read = await _read_day(pusher, intent.body["class_id"], day)
        except IncompleteReadError as error:
            if pusher.now() - intent.at < closed:
                log.warning("intent %s stays open: %s", intent.intent_id, error.what)
                continue
            detail = f"Nobody can tell whether the mark was written: {error.what}"
            record_outcome(pusher.journal, intent.intent_id, Result.FAILED, at=pusher.now(), detail=detail)
            log.warning("intent %s is given up: %s", intent.intent_id, error.what)
            settled += 1
            continue
        landed = any(_mark(row, ours=True) == wanted for row in read.rows)
        result = Result.CONFIRMED if landed else Result.ABSENT
        detail = "settled after an interruption"
        record_outcome(pusher.journal, intent.intent_id, result, at=pusher.now(), detail=detail)
        if landed:
            record_mark(pusher.journal, pusher.school, wanted, at=pusher.now())
        log.warning("intent %s was interrupted: %s", intent.intent_id, result.value)
        settled += 1
    return settled


async def _read_day(pusher: Pusher, class_id: int, day: date) -> CompleteRead:
    return await pusher.veracross.read(
        ENDPOINTS["class_attendance"], parents=[class_id], parameters={"attendance_date": day.isoformat()}
    )


def _row_of(rows: Sequence[Row], missed: Missed) -> Row | None:
    """The one attendance row of student, class, date and block; None when there is none or no single one."""
    meeting = missed.meeting
    found = [
        row
        for row in rows
        if row.get("student_id") == meeting.student_id
        and row.get("attendance_date") == meeting.date.isoformat()
        and (meeting.block_id is None or str((row.get("block") or {}).get("id")) == meeting.block_id)
    ]
    return found[0] if len(found) == 1 else None


async def _push_one(
    pusher: Pusher, missed: Missed, rows: Sequence[Row], codes: _Codes
) -> tuple[Update, Sequence[Row]]:
    """What became of one missed meeting, and the rows of its class as they were read last."""
    row = _row_of(rows, missed)
    if row is None:
        reason = "Veracross has no single attendance row for this student, class, day and block"
        return Update(missed, None, None, None, "no_row", reason), rows
    now = _mark(row, ours=False)
    base = last_mark(pusher.journal, pusher.school, now.attendance_id)
    if base is None:
        base = now
        record_mark(pusher.journal, pusher.school, base, at=pusher.now())
    verdict = decide(base=base, now=now, ours=codes.absent, present=codes.present)
    if verdict.decision is Decision.WRITE:
        result, reason, fresh = await _write(pusher, missed, now.attendance_id, codes.absent)
        update = Update(missed, now.attendance_id, now.status, codes.absent, result, reason or verdict.reason)
        return update, rows if fresh is None else fresh
    result, reason = verdict.decision.value, verdict.reason
    return Update(missed, now.attendance_id, now.status, codes.absent, result, reason), rows


async def _write(
    pusher: Pusher, missed: Missed, attendance_id: int, status: str
) -> tuple[str, str, Sequence[Row] | None]:
    """One mark through the journal: intent, write, read back, outcome.

    Returns:
        The result (written or failed), what there is to say about it, and the rows of the class as read back,
        so that the next mark of the class rests on a read of just now.
    """
    meeting = missed.meeting
    wanted = Mark(attendance_id, status, pusher.policy.note_marker, ours=True)
    intent_id = record_intent(
        pusher.journal,
        school=pusher.school,
        at=pusher.now(),
        system="veracross",
        entity="class_attendance",
        action="update",
        key=meeting.student_id,
        target_id=attendance_id,
        body={
            "class_id": meeting.class_id,
            "attendance_date": meeting.date.isoformat(),
            "status": wanted.status,
            "notes": wanted.notes,
        },
        cause=pusher.cause,
    )
    detail = ""
    try:
        await pusher.veracross.update_class_attendance(
            class_id=meeting.class_id, attendance_id=attendance_id, status=status, notes=wanted.notes
        )
    except LostAnswerError as error:
        detail = error.what
    except VxError as error:
        record_outcome(pusher.journal, intent_id, Result.FAILED, at=pusher.now(), detail=error.what)
        if isinstance(error, AccessError):
            raise
        return "failed", error.what, None
    try:
        rows = (await _read_day(pusher, meeting.class_id, meeting.date)).rows
    except IncompleteReadError as error:
        # The intent stays open; the next push finds out what became of it.
        return "failed", f"The mark was sent, but could not be read back: {error.what}", None
    row = _row_of(rows, missed)
    landed = row is not None and _mark(row, ours=True) == wanted
    if not landed:
        detail = detail or "Veracross accepted the mark, but reading back does not show it."
        record_outcome(pusher.journal, intent_id, Result.ABSENT, at=pusher.now(), detail=detail)
        return "failed", detail, rows
    result = Result.CONFIRMED if detail else Result.DONE
    record_outcome(pusher.journal, intent_id, result, at=pusher.now(), detail=detail)
    record_mark(pusher.journal, pusher.school, wanted, at=pusher.now())
    return "written", "", rows


def _mark(row: Row, *, ours: bool) -> Mark:
    status = row.get("status")
    return Mark(int(row["id"]), None if status is None else str(status), row.get("notes") or None, ours)
