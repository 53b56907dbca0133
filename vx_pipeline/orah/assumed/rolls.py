"""Results of class rolls: what a roll says of each of its students.

Documented: a final status is a code (Present, Late, Absent), a reason and a source (roll, pass, edit); Present has
no reason; a reason's type is Excused, Unexcused or Not Expected. Seen or documented of a roll: that it has a
``status`` and can be read by time. Assumed, because nothing public shows one:

* ``type`` tells a ``class`` roll from those of houses and evenings.
* ``start_time`` is when it was taken, ``end_time``, which may be missing, when it ended.
* Its ``status`` says whether it is over. Before that its marks may be what it began with, so they are none.
* ``students`` lists ``{"student": {"id": ...}, "status": ..., "reason": {"name": ..., "type": ...} or null,
  "source": ...}``; reason and source may be missing.
* Case, blanks and underscores do not matter.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from vx_pipeline.orah.assumed.values import folded, is_whole_number, read_moment, referred_id, text

Status = Literal["Present", "Late", "Absent"]
ReasonType = Literal["Excused", "Unexcused", "Not Expected"]
Source = Literal["roll", "pass", "edit"]

CLASS_TYPE = "class"
"""Type of a roll that is taken in a class."""

OVER = frozenset({"completed", "complete", "closed", "finished", "ended", "submitted"})
"""Statuses of a roll whose marks are final."""

NOT_YET_OVER = frozenset(
    {
        "open",
        "active",
        "in progress",
        "incomplete",
        "upcoming",
        "scheduled",
        "pending",
        "not started",
        "draft",
    }
)
"""Statuses of a roll that has no final marks yet, or none any more because it was opened again."""

NEVER_TAKEN = frozenset({"cancelled", "canceled", "missed", "skipped", "not taken"})
"""Statuses of a roll that will never have marks."""

_STATUSES: Mapping[str, Status] = {"present": "Present", "late": "Late", "absent": "Absent"}
_REASON_TYPES: Mapping[str, ReasonType] = {
    "excused": "Excused",
    "unexcused": "Unexcused",
    "not expected": "Not Expected",
}
_SOURCES: Mapping[str, Source] = {"roll": "roll", "pass": "pass", "edit": "edit"}


@dataclass(frozen=True)
class RollResult:
    """What a class roll says of one student.

    Args:
        roll_id: the roll's id.
        orah_id: the student's id in Orah.
        taken_at: when the roll began; aware, UTC.
        ends_at: when it ended; None if the roll does not say.
        status: the roll code.
        reason: name of the reason; None for Present, and where there is none.
        reason_type: what the reason counts as; None for Present, and where the roll does not say.
        source: who says so: the roll, a pass, or an edit afterwards; None where the roll does not say.
    """

    roll_id: int
    orah_id: int
    taken_at: datetime
    ends_at: datetime | None
    status: Status
    reason: str | None
    reason_type: ReasonType | None
    source: Source | None


def roll_results(record: Mapping[str, Any]) -> tuple[list[RollResult], int]:
    """The results of a class roll that is over, and how many of its entries could not be understood.

    A roll of another type, or one that is not over, has none. Of a roll that does not say what it is, when it
    was or of whom, no entry is understood; it counts as one entry at least. So do students whom one roll names
    with different results.
    """
    kind, status = folded(record.get("type")), folded(record.get("status"))
    if kind not in (CLASS_TYPE, None) or (kind and status in NOT_YET_OVER | NEVER_TAKEN):
        return [], 0
    listed = record.get("students")
    entries = listed if isinstance(listed, list) else []
    if not (kind and status in OVER and isinstance(listed, list) and _is_whole(record)):
        return [], max(1, len(entries))
    read = [result for entry in entries if (result := _result(record, entry)) is not None]
    said: dict[int, set[RollResult]] = defaultdict(set)
    for result in read:
        said[result.orah_id].add(result)
    kept = [next(iter(results)) for results in said.values() if len(results) == 1]
    return kept, len(entries) - sum(len(said[result.orah_id]) == 1 for result in read)


def is_going_on(record: Mapping[str, Any]) -> bool:
    """Whether a class roll is not over, perhaps not any more: what it said before, it may say again."""
    return folded(record.get("type")) == CLASS_TYPE and folded(record.get("status")) in NOT_YET_OVER


def _is_whole(record: Mapping[str, Any]) -> bool:
    """Whether a roll says which it is and when it was."""
    start, end = read_moment(record.get("start_time")), read_moment(record.get("end_time"))
    ends_well = record.get("end_time") is None or (end is not None and start is not None and start <= end)
    return is_whole_number(record.get("id")) and start is not None and ends_well


def _result(record: Mapping[str, Any], entry: Any) -> RollResult | None:
    """What an entry of a whole roll says; None if any part of it is not understood."""
    taken_at = read_moment(record["start_time"])
    if not isinstance(entry, Mapping) or taken_at is None:
        return None
    orah_id = referred_id(entry.get("student"))
    status = _STATUSES.get(folded(entry.get("status")) or "")
    reason, source = entry.get("reason"), entry.get("source")
    if orah_id is None or status is None or not _is_known(source, _SOURCES):
        return None
    if status == "Present":
        # A reason that is left over from an earlier mark says nothing about somebody who was there.
        reason = None
    if reason is not None and not isinstance(reason, Mapping):
        return None
    reason = reason or {}
    if not _is_known(reason.get("type"), _REASON_TYPES) or not isinstance(reason.get("name"), str | None):
        return None
    return RollResult(
        roll_id=record["id"],
        orah_id=orah_id,
        taken_at=taken_at,
        ends_at=read_moment(record.get("end_time")),
        status=status,
        reason=text(reason.get("name")),
        reason_type=_REASON_TYPES.get(folded(reason.get("type")) or ""),
        source=_SOURCES.get(folded(source) or ""),
    )


def _is_known(value: Any, words: Mapping[str, Any]) -> bool:
    """Whether a value is one of the words, or nothing at all."""
    return value is None or folded(value) in words
