"""Periods away: what Orah's movements and passes say about when a student was not in class.

Not being sure means no period: what may mean that a student is back ends it. The planned end of a pass does not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from vx_pipeline.attendance.absences import Away, Places, Record, counts_until
from vx_pipeline.attendance.departures import by_pass, departure, is_there
from vx_pipeline.orah.assumed import Pass, RollResult, parse_moment


def periods_away(
    movements: Iterable[Record], passes: Iterable[Pass], places: Places, rolls: Iterable[RollResult] = ()
) -> list[Away]:
    """The periods away of every student, in order of student and start, none overlapping another.

    A movement to a place that means away begins a period; moving often leaves no ``out`` of the old place, and an
    ``out`` does not say where to. What may mean that the student is back ends it: coming to any other place, coming
    to a place that is not named, and going out of the place where the student is away, or out of one that is not
    named. An ``out`` of another place is a late word about a move already known.

    A pass that counts is a period from its start to its end; where movements are known, they count instead of the
    planned times: it begins with the one that the student left by, and who has come back is back. Where nobody has
    said so by the planned end, the student is overdue, and still away: until a movement, a daily reset, a roll that
    saw the student, or the end of the pass, and for no longer than ``OVERDUE_FOR``.

    Args:
        movements: location records as ``OrahClient`` returns them, in any order, each perhaps several times.
        passes: the passes that are known.
        places: which locations mean away.
        rolls: results of class rolls.
    """
    records = [one for one in {one["id"]: one for one in movements}.values() if one["student"]]
    records = [one for one in records if one["type"] in ("in", "out")]
    events: dict[int, list[_Event]] = defaultdict(list)
    counting = {one.leave_id: one for one in passes if one.counts}
    naming = by_pass(records)
    there: dict[int, int] = {}
    for one in counting.values():
        own = [record for record in naming.get(one.leave_id, ()) if record["student"]["id"] == one.orah_id]
        left = departure(one, own, places)
        events[one.orah_id] += _of_pass(one, left)
        there |= {record["id"]: one.leave_id for record in own if record is left or is_there(one, record)}
    for record in records:
        events[record["student"]["id"]].append(_of_movement(record, there.get(record["id"]), places))
    for result in rolls:
        if result.status != "Absent":
            events[result.orah_id].append(_Event(result.taken_at, 3, result.roll_id, "seen"))
    return [
        period
        for student in sorted(events)
        for period in _Walk(student).along(sorted(events[student], key=_order))
    ]


@dataclass(frozen=True)
class _Event:
    """Something that changes where a student is: a move, a roll, or the begin or end of a pass.

    Args:
        at: when.
        rank: which comes first at one moment.
        record_id: of the movement, the pass or the roll.
        kind: ``in`` and ``out``; ``reset``; ``there``, where a pass leads; of a pass ``pass``, its begin, ``due``,
            its planned end, and ``over``; ``seen`` by a roll.
        place_id: of a movement.
        place: name of a place that means away.
        leave_id: of ``there``, the pass.
        pass_: of the begin of a pass.
        overdue: whether a pass begins after its planned end.
    """

    at: datetime
    rank: int
    record_id: int
    kind: str
    place_id: int | None = None
    place: str | None = None
    leave_id: int | None = None
    pass_: Pass | None = None
    overdue: bool = False


def _order(event: _Event) -> tuple[datetime, int, int]:
    return event.at, event.rank, event.record_id


def _of_pass(one: Pass, left: Record | None) -> Iterator[_Event]:
    start, until = one.start if left is None else parse_moment(left["record_time"]), counts_until(one)
    if until is not None and until <= start:
        return
    overdue = one.end is not None and one.end <= start
    # When it really began tells which of two passes is the newer one.
    yield _Event(start, 1, one.leave_id, "pass", pass_=replace(one, start=start), overdue=overdue)
    if until is not None:
        yield _Event(until, 0, one.leave_id, "over")
    if one.end is not None and not one.is_over and not overdue:
        yield _Event(one.end, 0, one.leave_id, "due")


def _of_movement(record: Record, there_on: int | None, places: Places) -> _Event:
    at = parse_moment(record["record_time"])
    location = record["location"]
    place_id = location["id"] if location else None
    away = places.away.get(place_id) if record["type"] == "in" and place_id is not None else None
    kind = "reset" if places.is_reset(at) else record["type"]
    if kind != "reset" and away is None and there_on is not None:
        return _Event(at, 2, record["id"], "there", place_id, leave_id=there_on)
    return _Event(at, 2, record["id"], kind, place_id, away)


class _Walk:
    """One student's way through the events; yields a period whenever one ends."""

    def __init__(self, orah_id: int) -> None:
        self._orah_id = orah_id
        self._period: Away | None = None
        self._place_id: int | None = None
        self._passes: dict[int, Pass] = {}
        self._back_from: set[int] = set()
        self._seen: set[int] = set()
        self._overdue: set[int] = set()

    def along(self, events: Iterable[_Event]) -> Iterator[Away]:
        for event in events:
            yield from self._step(event)
        yield from self._close(None)

    def _step(self, event: _Event) -> Iterator[Away]:
        if event.kind == "pass":
            yield from self._begin(event)
        elif event.kind == "due" and self._is_missing(event.record_id):
            self._overdue.add(event.record_id)
            yield from self._go(event, "")
        elif event.kind in ("due", "over"):
            yield from self._end(event, {event.record_id})
        elif event.kind == "seen":
            self._seen |= set(self._passes)
            yield from self._end(event, self._overdue)
        elif event.kind == "reset":
            yield from self._leave_place(event)
        elif event.kind == "there" and event.leave_id in self._passes:
            self._back_from.discard(event.leave_id)
            self._seen.discard(event.leave_id)
            self._place_id = None
            yield from self._go(event, "")
        elif event.place is not None:
            self._drop(self._overdue)
            self._place_id = event.place_id
            yield from self._go(event, event.place)
        elif event.kind in ("in", "there") or (self._period and event.place_id in (None, self._place_id)):
            # Back, whatever a pass had planned.
            self._drop(self._overdue)
            self._back_from |= set(self._passes)
            self._place_id = None
            yield from self._close(event.at)

    def _begin(self, event: _Event) -> Iterator[Away]:
        assert event.pass_ is not None
        self._passes[event.record_id] = event.pass_
        if event.overdue:
            self._overdue.add(event.record_id)
        yield from self._go(event, self._period.place if self._period else "")

    def _is_missing(self, leave_id: int) -> bool:
        """Whether a pass alone says where the student is, and nobody has seen the student since it began."""
        known = self._period is None or self._period.place
        return not known and leave_id not in self._back_from | self._seen

    def _end(self, event: _Event, leave_ids: set[int]) -> Iterator[Away]:
        """Away on these passes no more, though perhaps at a place or on another pass."""
        if not self._drop(leave_ids) or not self._period:
            return
        if self._period.place or self._current_passes():
            yield from self._go(event, self._period.place)
        else:
            yield from self._close(event.at)

    def _leave_place(self, event: _Event) -> Iterator[Away]:
        """After a reset nobody knows the place any more, nor who is overdue; a pass goes on."""
        self._place_id = None
        if self._drop(self._overdue) or (self._period and self._period.place):
            if self._current_passes():
                yield from self._go(event, "")
            else:
                yield from self._close(event.at)

    def _drop(self, leave_ids: set[int]) -> bool:
        """Forgets these passes; whether there were any."""
        gone = leave_ids & set(self._passes)
        for leave_id in gone:
            del self._passes[leave_id]
        self._overdue = self._overdue - gone
        return bool(gone)

    def _current_passes(self) -> list[Pass]:
        return [one for leave_id, one in self._passes.items() if leave_id not in self._back_from]

    def _go(self, event: _Event, place: str) -> Iterator[Away]:
        """Away from now on at this place and on the passes there are; nothing new where that was so before."""
        if event.kind == "in":
            # Who leaves again while the pass lasts is on it again.
            self._back_from -= set(self._passes)
        newest = max(
            self._current_passes(),
            key=lambda one: (one.leave_id not in self._overdue, one.start, one.leave_id),
            default=None,
        )
        pass_type = newest.type_name if newest else ""
        overdue = newest is not None and newest.leave_id in self._overdue
        before = self._period
        # A pass that begins, and the movement that it began with, are what the time away rests on from now on.
        begins = event.kind == "pass" or (event.kind == "there" and before and before.start == event.at)
        is_same = before and (before.place, before.pass_type, before.overdue) == (place, pass_type, overdue)
        if is_same and not begins:
            return
        evidence = [f"p{newest.leave_id}"] if newest else []
        if event.kind in ("in", "reset", "there"):
            evidence.append(f"m{event.record_id}")
        elif before and place:
            evidence += [one for one in before.evidence if one.startswith("m")]
        known = [event.at]
        if before and before.known_from and place:
            known.append(before.known_from)
        yield from self._close(event.at)
        self._period = Away(
            self._orah_id, event.at, None, place, pass_type, tuple(evidence), min(known), overdue
        )

    def _close(self, at: datetime | None) -> Iterator[Away]:
        period, self._period = self._period, None
        if period and (at is None or at > period.start):
            yield replace(period, end=at)
