"""What earlier looks at Orah have seen: the cursor of a school's sensor."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, TypeAdapter

from vx_pipeline.attendance.absences import Places
from vx_pipeline.orah.assumed import parse_moment

OVERLAP = timedelta(minutes=10)
"""How far each look goes back behind the one before: movements may be entered a little late."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Other:
    """A roll or a pass as it was seen.

    Args:
        checksum: of all that it says; 0 where it is gone.
        orah_ids: whom it is about.
        first: the first day that it touches.
        last: the last one; None where it has no end.
    """

    checksum: int
    orah_ids: tuple[int, ...]
    first: date
    last: date | None

    def touches(self, day: date) -> bool:
        """Whether it is, among others, about this day."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Seen:
    """What earlier looks have seen.

    Args:
        began: the first look, whatever came of it.
        until: the moment looked up to; None before the first good look.
        looked: the quarter of an hour of the last look at the whole day.
        passes: the quarter of an hour in which all passes of the day were last begun to be read.
        pass_after: the pass that was read last of them; 0 when all were.
        recent: checksums of the movements that the next look sees again, by id.
        sums: by day that was looked at whole, and student, the sum of the checksums of the day's movements.
        away: students whose last movement led to a place that means away.
        others: rolls and passes by name (``r<id>``, ``p<id>``).
    """

    began: AwareDatetime | None = None
    until: AwareDatetime | None = None
    looked: str = ""
    passes: str = ""
    pass_after: int = 0
    recent: dict[str, int] = field(default_factory=dict)
    sums: dict[str, dict[str, int]] = field(default_factory=dict)
    away: tuple[int, ...] = ()
    others: dict[str, Other] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a look read.

    Args:
        whole_from: the first day that was read whole; None when only the last minutes were.
        movements: location records.
        places: which locations mean away; None where nothing moved.
        others: rolls, by name.
        rolls_read: whether all rolls of these days are among them.
    """

    whole_from: date | None
    movements: Sequence[Record]
    places: Places | None
    others: Mapping[str, Other]
    rolls_read: bool


_CURSOR = TypeAdapter(Seen)


def read_cursor(cursor: str | None) -> Seen:
    """The cursor of the look before; one that cannot be read counts as lost."""
    try:
        seen = _CURSOR.validate_json(cursor) if cursor else Seen()
        for quarter in (seen.looked, seen.passes):
            if quarter and datetime.fromisoformat(quarter).tzinfo is None:
                return Seen()
    except ValueError:
        return Seen()
    return seen


def write_cursor(seen: Seen) -> str:
    """The cursor for the next look."""
    return _CURSOR.dump_json(seen).decode()


def seen_after(seen: Seen, found: Found, now: datetime, zone: ZoneInfo) -> Seen:
    """What has been seen after a look at the last minutes, or at whole days."""
    away = set(seen.away)
    if found.places is not None:
        for record in in_order(found.movements):
            follow(away, record, found.places)
    if found.whole_from is None:
        sums = {day: dict(students) for day, students in seen.sums.items()}
        for record in found.movements:
            if is_new(record, seen):
                _add(sums, record, zone, before=seen.recent.get(str(record["id"]), 0))
        others = seen.others
    else:
        days = {str(found.whole_from), str(now.date())}
        days |= {str(_day(record, zone)) for record in found.movements}
        sums = {day: {} for day in sorted(days)}
        for record in found.movements:
            _add(sums, record, zone)
        dropped = [name for name in seen.others if name.startswith("r") and found.rolls_read]
        others = {name: other for name, other in seen.others.items() if name not in dropped}
    return replace(
        seen,
        until=now,
        recent={
            str(record["id"]): checksum(record)
            for record in found.movements
            if parse_moment(record["record_time"]) >= now - 2 * OVERLAP
        },
        sums=sums,
        away=tuple(sorted(away)),
        others={**others, **found.others},
    )


def is_new(record: Record, seen: Seen) -> bool:
    """Whether a movement was not among those that the look before saw, or was another one then."""
    return seen.recent.get(str(record["id"])) != checksum(record)


def follow(away: set[int], record: Record, places: Places) -> None:
    """Takes a student in among those who are away, or out, by the next movement of theirs."""
    if not record["student"]:
        return
    if places.is_departure(record):
        away.add(record["student"]["id"])
    else:
        away.discard(record["student"]["id"])


def sums_of(movements: Iterable[Record], zone: ZoneInfo) -> dict[str, dict[str, int]]:
    """By day and student, the sum of the checksums of all movements."""
    days = {str(_day(record, zone)) for record in movements}
    sums: dict[str, dict[str, int]] = {day: {} for day in days}
    for record in movements:
        _add(sums, record, zone)
    return sums


def _add(sums: dict[str, dict[str, int]], record: Record, zone: ZoneInfo, before: int = 0) -> None:
    """Adds a movement to its student's sum, in a day that was looked at whole; the order does not matter."""
    of_day = sums.get(str(_day(record, zone)))
    if record["student"] and of_day is not None:
        student = str(record["student"]["id"])
        of_day[student] = (of_day.get(student, 0) + checksum(record) - before) % 2**32


def in_order(movements: Iterable[Record]) -> list[Record]:
    """Movements as they happened."""
    return sorted(movements, key=lambda record: (parse_moment(record["record_time"]), record["id"]))


def _day(record: Record, zone: ZoneInfo) -> date:
    return parse_moment(record["record_time"]).astimezone(zone).date()


def checksum(record: Record) -> int:
    """Of all that a mark could rest on; how Orah refers to the student may change without meaning anything."""
    told = {**record, "student": (record.get("student") or {}).get("id")}
    return zlib.crc32(json.dumps(told, sort_keys=True, default=str).encode())
