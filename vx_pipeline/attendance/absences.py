"""Periods away: what Orah's movements say about when a student was not on the grounds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vx_pipeline.policies import AttendancePolicy

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

    Only arrivals decide: moving often leaves no ``out`` of the old place, and an ``out`` does not say where
    to. A record without a location tells nothing and is passed over; the order of the input does not matter.

    Args:
        movements: location records as Orah returns them.
        away: ids of the locations that mean away.
    """
    arrivals: dict[int, list[tuple[datetime, int, bool]]] = defaultdict(list)
    for record in movements:
        location, student = record.get("location"), record.get("student")
        if record.get("type") == "in" and location and student:
            arrivals[student["id"]].append(
                (parse_moment(record["record_time"]), record["id"], location["id"] in away)
            )
    return [period for student in sorted(arrivals) for period in _periods(student, sorted(arrivals[student]))]


def parse_moment(text: str) -> datetime:
    """An ISO-8601 moment as Orah writes it, aware. One without an offset is meant as UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _periods(student: int, arrivals: list[tuple[datetime, int, bool]]) -> list[Away]:
    periods = []
    start: datetime | None = None
    for at, _, is_away in arrivals:
        if is_away and start is None:
            start = at
        elif not is_away and start is not None:
            if at > start:
                periods.append(Away(student, start, at))
            start = None
    if start is not None:
        periods.append(Away(student, start, None))
    return periods
