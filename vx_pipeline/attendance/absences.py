"""Periods away: what Orah's movements say about when a student was not on the grounds."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.orah.assumed import parse_moment

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Away:
    """One period in which a student was away.

    Args:
        orah_id: the student's id in Orah.
        start: when the student came to a place that means away; aware, UTC.
        end: when the student was back; None while away.
    """

    orah_id: int
    start: datetime
    end: datetime | None


def away_locations(locations: Iterable[Record], policy: AttendancePolicy) -> frozenset[int]:
    """The ids of the locations that mean away: by their state, or by name where the school says so."""
    places = {place.strip().lower() for place in policy.away_places}
    return frozenset(
        location["id"]
        for location in locations
        if location.get("state") in policy.away_states
        or str(location.get("name") or "").strip().lower() in places
    )


def periods_away(movements: Iterable[Record], away: frozenset[int]) -> list[Away]:
    """The periods away of every student, in order of student and start.

    Only coming to a place that means away starts a period: moving often leaves no ``out`` of the old place,
    and an ``out`` does not say where to. What may mean that the student is back ends it, for not being sure
    means no mark: coming to any other place, coming to a place that is not named, and going out of the place
    where the student is away, or out of one that is not named. An ``out`` of another place is a late word
    about a move already known. The order of the input does not matter.

    Args:
        movements: location records as ``OrahClient`` returns them.
        away: ids of the locations that mean away.
    """
    moves: dict[int, list[_Move]] = defaultdict(list)
    for record in movements:
        location, student = record["location"], record["student"]
        if student and record["type"] in ("in", "out"):
            at = parse_moment(record["record_time"])
            place = location["id"] if location else None
            moves[student["id"]].append(_Move(at, record["id"], record["type"], place))
    return [
        period
        for student in sorted(moves)
        for period in _periods(student, sorted(moves[student], key=_order), away)
    ]


@dataclass(frozen=True)
class _Move:
    at: datetime
    record_id: int
    kind: str
    place: int | None


def _order(move: _Move) -> tuple[datetime, int]:
    return move.at, move.record_id


def _periods(student: int, moves: Iterable[_Move], away: frozenset[int]) -> Iterator[Away]:
    start: datetime | None = None
    place: int | None = None
    for move in moves:
        if move.kind == "in" and move.place in away:
            start, place = start or move.at, move.place
        elif start and (move.kind == "in" or move.place in (None, place)):
            if move.at > start:
                yield Away(student, start, move.at)
            start = None
    if start:
        yield Away(student, start, None)
