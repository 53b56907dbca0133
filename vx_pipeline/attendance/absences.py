"""Periods away: what Orah's movements and passes say about when a student was not in class.

Not being sure means no period: what may mean that a student is back ends it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from vx_pipeline.attendance_policy import AttendancePolicy, ReasonType
from vx_pipeline.orah.assumed import Pass, leave_of, parse_moment

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Away:
    """One period in which a student was away, at one place or on one pass.

    Args:
        orah_id: the student's id in Orah.
        start: when it began; aware, UTC.
        end: when it ended; None while it lasts. Of an active pass it may lie in the future.
        place: name of the location; empty where only the pass is known.
        pass_type: name of the pass's type; empty without a pass.
        evidence: what it rests on: ``m<id>`` a movement, ``p<id>`` a pass.
        known_from: the earliest moment of that evidence, from which Orah must be read to see it again.
    """

    orah_id: int
    start: datetime
    end: datetime | None
    place: str = ""
    pass_type: str = ""
    evidence: tuple[str, ...] = ()
    known_from: datetime | None = None

    @property
    def name(self) -> str:
        """What a school's settings call it: the pass's type, or the place."""
        return self.pass_type or self.place


@dataclass(frozen=True)
class Places:
    """Which locations mean away, and when Orah moves everybody by itself.

    Args:
        away: id and name of each location that means away.
        resets: times of day of the daily resets.
        zone: the school's time zone, in which they are meant.
    """

    away: Mapping[int, str]
    resets: tuple[time, ...]
    zone: ZoneInfo

    @staticmethod
    def of(locations: Iterable[Record], policy: AttendancePolicy, zone: ZoneInfo) -> "Places":
        """The locations that mean away: by their state, or by name where the school says so."""
        named = {place.strip().lower() for place in policy.away_places}
        away = {
            # A place always has a name: an empty one means that only the pass is known.
            location["id"]: str(location.get("name") or "").strip() or f"location {location['id']}"
            for location in locations
            if location.get("state") in policy.away_states
            or str(location.get("name") or "").strip().lower() in named
        }
        return Places(away, policy.daily_resets, zone)

    def is_departure(self, record: Record) -> bool:
        """Whether a movement leads to a place that means away."""
        return record["type"] == "in" and (record["location"] or {}).get("id") in self.away

    def is_reset(self, at: datetime) -> bool:
        """Whether a move of this moment, up to a minute after a reset, is Orah's own and nobody's."""
        local = at.astimezone(self.zone).time().replace(second=0, microsecond=0)
        return any(local == reset.replace(second=0, microsecond=0) for reset in self.resets)


def reason_type(name: str, policy: AttendancePolicy) -> ReasonType:
    """The reason type of a place or a pass type, as the school's settings have it."""
    types = {key.strip().lower(): value for key, value in policy.reason_types.items()}
    return types.get(name.strip().lower(), "Excused")


def periods_away(movements: Iterable[Record], passes: Iterable[Pass], places: Places) -> list[Away]:
    """The periods away of every student, in order of student and start, none overlapping another.

    A movement to a place that means away begins a period; moving often leaves no ``out`` of the old place, and an
    ``out`` does not say where to. What may mean that the student is back ends it: coming to any other place, coming
    to a place that is not named, and going out of the place where the student is away, or out of one that is not
    named. An ``out`` of another place is a late word about a move already known.

    A pass that counts is a period from its start to its end; where movements are known, they count instead of the
    planned times: who has come back is back.

    Args:
        movements: location records as ``OrahClient`` returns them, in any order, each perhaps several times.
        passes: the passes that are known.
        places: which locations mean away.
    """
    events: dict[int, list[_Event]] = defaultdict(list)
    for record in {record["id"]: record for record in movements}.values():
        if record["student"] and record["type"] in ("in", "out"):
            events[record["student"]["id"]].append(_event(record, places))
    for one in {one.leave_id: one for one in passes if one.counts}.values():
        if one.end is None or one.end > one.start:
            events[one.orah_id].append(_Event(one.start, 1, one.leave_id, "pass", pass_=one))
            if one.end is not None:
                events[one.orah_id].append(_Event(one.end, 0, one.leave_id, "over", pass_=one))
    return [
        period
        for student in sorted(events)
        for period in _Walk(student).along(sorted(events[student], key=_order))
    ]


@dataclass(frozen=True)
class _Event:
    """Something that changes where a student is: a move, or the begin or end of a pass."""

    at: datetime
    rank: int
    record_id: int
    kind: str
    place_id: int | None = None
    place: str | None = None
    pass_: Pass | None = None
    leave_id: int | None = None


def _order(event: _Event) -> tuple[datetime, int, int]:
    return event.at, event.rank, event.record_id


def _event(record: Record, places: Places) -> _Event:
    at = parse_moment(record["record_time"])
    location = record["location"]
    place_id = location["id"] if location else None
    away = places.away.get(place_id) if record["type"] == "in" and place_id is not None else None
    kind = "reset" if places.is_reset(at) else record["type"]
    return _Event(at, 2, record["id"], kind, place_id, away, leave_id=leave_of(record))


class _Walk:
    """One student's way through the events; yields a period whenever one ends."""

    def __init__(self, orah_id: int) -> None:
        self._orah_id = orah_id
        self._period: Away | None = None
        self._place_id: int | None = None
        self._passes: dict[int, Pass] = {}
        self._back_from: set[int] = set()

    def along(self, events: Iterable[_Event]) -> Iterator[Away]:
        for event in events:
            yield from self._step(event)
        yield from self._close(None)

    def _step(self, event: _Event) -> Iterator[Away]:
        if event.kind == "pass":
            assert event.pass_ is not None
            self._passes[event.record_id] = event.pass_
            yield from self._go(event, self._period.place if self._period else "")
        elif event.kind == "over":
            self._passes.pop(event.record_id, None)
            if self._period and not self._period.place and not self._current_passes():
                yield from self._close(event.at)
            elif self._period:
                yield from self._go(event, self._period.place)
        elif event.kind == "reset":
            yield from self._leave_place(event)
        elif event.place is not None:
            self._place_id = event.place_id
            yield from self._go(event, event.place)
        elif event.kind == "in" or (self._period and event.place_id in (None, self._place_id)):
            # Back, whatever a pass had planned.
            self._back_from |= set(self._passes)
            self._place_id = None
            yield from self._close(event.at)

    def _leave_place(self, event: _Event) -> Iterator[Away]:
        """After a reset nobody knows the place any more; a pass goes on."""
        self._place_id = None
        if self._period and self._period.place:
            if self._current_passes():
                yield from self._go(event, "")
            else:
                yield from self._close(event.at)

    def _current_passes(self) -> list[Pass]:
        return [one for leave_id, one in self._passes.items() if leave_id not in self._back_from]

    def _go(self, event: _Event, place: str) -> Iterator[Away]:
        """Away from now on at this place and on the passes there are; nothing new where that was so before."""
        if event.kind == "in":
            # Who leaves again while the pass lasts is on it again.
            self._back_from -= set(self._passes)
        passes = self._current_passes()
        before = self._period
        newest = max(passes, key=lambda one: (one.start, one.leave_id), default=None)
        pass_type = newest.type_name if newest else ""
        if before and (before.place, before.pass_type) == (place, pass_type) and event.kind != "pass":
            return
        evidence = [f"p{newest.leave_id}"] if newest else []
        if event.kind in ("in", "reset"):
            evidence.append(f"m{event.record_id}")
        elif before and place:
            evidence += [one for one in before.evidence if one.startswith("m")]
        known = [event.at]
        if before and before.known_from and place:
            known.append(before.known_from)
        yield from self._close(event.at)
        self._period = Away(self._orah_id, event.at, None, place, pass_type, tuple(evidence), min(known))

    def _close(self, at: datetime | None) -> Iterator[Away]:
        period, self._period = self._period, None
        if period and (at is None or at > period.start):
            yield Away(**{**vars(period), "end": at})
