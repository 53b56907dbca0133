"""What is new between two looks at Orah: whose day is worth a push, and why."""

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vx_pipeline.attendance.absences import Places
from vx_pipeline.orah.assumed import parse_moment

OVERLAP = timedelta(minutes=10)
"""How far each look goes back behind the one before: movements may be entered a little late."""

Record = Mapping[str, Any]
Others = Mapping[str, tuple[int, date, tuple[int, ...]]]
"""Rolls and passes by name (``r<id>``, ``p<id>``): the checksum, the day, and whom it is about."""


@dataclass(frozen=True)
class Wish:
    """A push that is worth it: a day, whose, and a name that is equal for equal looks."""

    day: date
    orah_ids: tuple[int, ...]
    reason: str


@dataclass
class Seen:
    """What earlier looks have seen; the cursor.

    Args:
        until: the moment looked up to, ISO 8601; empty before the first look.
        looked: the quarter of an hour of the last look at the whole day.
        recent: checksums of the movements that the next look sees again, by id.
        sums: by day and student, the sum of the checksums of all movements of that day.
        away: students whose last movement led to a place that means away.
        others: checksums of rolls and passes of the day.
    """

    until: str = ""
    looked: str = ""
    recent: dict[str, int] = field(default_factory=dict)
    sums: dict[str, dict[str, int]] = field(default_factory=dict)
    away: list[int] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a look read.

    Args:
        whole_from: the first day that was read whole; None when only the last minutes were.
        movements: location records.
        places: which locations mean away; None where nothing moved.
        others: rolls and passes.
    """

    whole_from: date | None
    movements: Sequence[Record]
    places: Places | None
    others: Others


class News:
    """Collects whose day is worth a push, and why."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone = zone
        self._now = now
        self._ids: dict[date, set[int]] = defaultdict(set)
        self._reasons: dict[date, list[str]] = defaultdict(list)

    def add(self, day: date, orah_ids: Iterable[int], reasons: Iterable[str]) -> None:
        """These students' day is worth a push, for these reasons."""
        self._ids[day].update(orah_ids)
        self._reasons[day].extend(reasons)

    def of_movements(self, found: Found, seen: Seen) -> None:
        """Departures, ways back of whoever was away, and whatever was entered late, edited or deleted."""
        away = set(seen.away)
        for record in sorted(found.movements, key=_order):
            if not record["student"] or found.places is None:
                continue
            student, at = record["student"]["id"], parse_moment(record["record_time"])
            departs = found.places.is_departure(record)
            if is_new(record, seen):
                late = found.whole_from is None and at < self._now - OVERLAP
                known = str(self._day(at)) in seen.sums
                if (departs or student in away or late) and not (found.whole_from and known):
                    self.add(self._day(at), [student], [f"m{record['id']}:{checksum(record)}"])
            _follow(away, record, found.places)
        if found.whole_from:
            self._of_whole_days(found, seen)

    def _of_whole_days(self, found: Found, seen: Seen) -> None:
        """Students whose movements of a day are not those that were seen, one by one, before."""
        sums = _sums(found.movements, self._zone)
        for day, before in seen.sums.items():
            if found.whole_from is None or date.fromisoformat(day) < found.whole_from:
                continue
            now = sums.get(day, {})
            changed = sorted(
                int(student)
                for student in before.keys() | now.keys()
                if before.get(student) != now.get(student)
            )
            told = [f"s{student}:{now.get(str(student), 0)}" for student in changed]
            if changed:
                self.add(date.fromisoformat(day), changed, told)

    def of_others(self, found: Found, seen: Seen) -> None:
        """Rolls and passes that are new or other than before."""
        for name, (checksum, day, orah_ids) in found.others.items():
            if seen.others.get(name) != checksum:
                self.add(day, orah_ids, [f"{name}:{checksum}"])

    def wishes(self) -> tuple[Wish, ...]:
        """One wish for each day with news, oldest first."""
        return tuple(
            Wish(day, tuple(sorted(self._ids[day])), digest(self._reasons[day]))
            for day in sorted(self._ids)
            if self._ids[day]
        )

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()


def seen_after(seen: Seen, found: Found, now: datetime, *, zone: ZoneInfo, quarter: str) -> Seen:
    """What has been seen after a look."""
    away = set(seen.away)
    if found.places is not None:
        for record in sorted(found.movements, key=_order):
            if record["student"]:
                _follow(away, record, found.places)
    if found.whole_from is None:
        sums = {day: dict(students) for day, students in seen.sums.items()}
        for record in found.movements:
            if is_new(record, seen):
                _add(sums, record, zone, before=seen.recent.get(str(record["id"]), 0))
        others = seen.others
    else:
        sums = _sums(found.movements, zone)
        sums.setdefault(now.date().isoformat(), {})
        others = {}
    return Seen(
        until=now.isoformat(),
        looked=quarter,
        recent={
            str(record["id"]): checksum(record)
            for record in found.movements
            if parse_moment(record["record_time"]) >= now - 2 * OVERLAP
        },
        sums=sums,
        away=sorted(away),
        others={**others, **{name: one[0] for name, one in found.others.items()}},
    )


def is_new(record: Record, seen: Seen) -> bool:
    """Whether a movement was not among those that the look before saw, or was another one then."""
    return seen.recent.get(str(record["id"])) != checksum(record)


def _follow(away: set[int], record: Record, places: Places) -> None:
    """Takes a student in among those who are away, or out, by the next movement of theirs."""
    if places.is_departure(record):
        away.add(record["student"]["id"])
    else:
        away.discard(record["student"]["id"])


def _sums(movements: Iterable[Record], zone: ZoneInfo) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for record in movements:
        _add(sums, record, zone)
    return sums


def _add(sums: dict[str, dict[str, int]], record: Record, zone: ZoneInfo, before: int = 0) -> None:
    """Adds a movement to its student's sum; the order in which movements come does not matter."""
    if not record["student"]:
        return
    day = parse_moment(record["record_time"]).astimezone(zone).date().isoformat()
    student = str(record["student"]["id"])
    of_day = sums.setdefault(day, {})
    of_day[student] = (of_day.get(student, 0) + checksum(record) - before) % 2**32


def _order(record: Record) -> tuple[datetime, int]:
    return parse_moment(record["record_time"]), record["id"]


def checksum(record: Record) -> int:
    """Of all that a mark could rest on; how Orah refers to the student may change without meaning anything."""
    told = {**record, "student": (record.get("student") or {}).get("id")}
    return zlib.crc32(json.dumps(told, sort_keys=True, default=str).encode())


def digest(reasons: Collection[str]) -> str:
    """A short name for reasons, equal for equal ones in any order."""
    return hashlib.sha256("\n".join(sorted(reasons)).encode()).hexdigest()[:16]
