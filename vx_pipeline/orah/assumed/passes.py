"""Passes, which Orah's API calls leaves: what a leave record says, and where its id comes from.

Seen or documented: the fields of a leave, the statuses ``Active`` and ``Scheduled``, that only active passes count,
not requested or scheduled ones, that actual times beat planned ones, and that there is no list of leaves. Assumed:

* A pass that was active counts, too: one of `OVER` has really ended, one of `OVERDUE` should have.
* ``end_time`` of a pass that is over is when it really ended, of any other when it is planned to end.
* A pass of a status of `NEVER_BEGUN` does not count. Any other word is not understood: it may be one for a pass
  that goes on, or for one that is over.
* A movement that a pass made names it under ``leave``: ``{"id": ...}``. Ids of passes come from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vx_pipeline.orah.assumed.values import folded, is_whole_number, read_moment, referred_id, text

ACTIVE = "active"
"""Status of a pass that goes on."""

OVERDUE = frozenset({"overdue", "late"})
"""Statuses of a pass that goes on although its planned end is past: the student is not back."""

OVER = frozenset({"ended", "completed", "finished", "returned"})
"""Statuses of a pass that was active and is over."""

NEVER_BEGUN = frozenset(
    {"scheduled", "upcoming", "approved", "requested", "pending", "draft"}
    | {"cancelled", "canceled", "declined", "rejected", "denied"}
)
"""Statuses of a pass on which nobody is away, or not yet."""


@dataclass(frozen=True)
class Pass:
    """One pass of one student.

    Args:
        leave_id: its id.
        orah_id: the student's id in Orah.
        status: as Orah writes it.
        counts: whether the student is, or was, really away on it.
        start: when it begins or began; aware, UTC.
        end: when it is planned to end or, if it is over, ended; None if it does not say.
        type_name: name of the pass type.
        place: name of the location it leads to; None if it names none.
        place_id: its id; None if it names none, or not by an id.
    """

    leave_id: int
    orah_id: int
    status: str
    counts: bool
    start: datetime
    end: datetime | None
    type_name: str
    place: str | None
    place_id: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has really ended; where it has not, nobody is back because the planned end is past."""
        return folded(self.status) in OVER


def read_pass(record: Mapping[str, Any]) -> Pass | None:
    """What a leave record says; None if it does not say which it is, whose, of what type, how it stands or when.

    A school may have said of a type or a place that it makes no mark, so neither may be misread. Nor may a status:
    taken for one that does not count, it would take back every mark that rests on the pass.
    """
    orah_id, status = referred_id(record.get("student")), text(record.get("status"))
    start, end = read_moment(record.get("start_time")), read_moment(record.get("end_time"))
    type_name, place = _name(record.get("leave_type")), _name(record.get("location"))
    if not is_whole_number(record.get("id")) or orah_id is None or status is None or start is None:
        return None
    counts = folded(status) == ACTIVE or folded(status) in OVERDUE | OVER
    if not counts and folded(status) not in NEVER_BEGUN:
        return None
    if type_name is None or (place is None and record.get("location") is not None):
        return None
    if record.get("end_time") is not None and (end is None or end < start):
        return None
    return Pass(
        leave_id=record["id"],
        orah_id=orah_id,
        status=status,
        counts=counts,
        start=start,
        end=end,
        type_name=type_name,
        place=place,
        place_id=referred_id(record.get("location")),
    )


def leave_of(location_record: Mapping[str, Any]) -> int | None:
    """The id of the pass behind a movement; None if the record names none."""
    return referred_id(location_record.get("leave"))


def _name(value: Any) -> str | None:
    return text(value.get("name")) if isinstance(value, Mapping) else None
