"""Time away: what one period of it is, which places mean it, and for how long a word of Orah's holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vx_pipeline.attendance_policy import AttendancePolicy, ReasonType
from vx_pipeline.orah.assumed import Pass

Record = Mapping[str, Any]

STILL_AWAY = timedelta(days=14)
"""How old a student's latest movement may be and still say where the student is. Older ones say nothing: a
student who is not signed in and out any more must not count as away for ever."""

OVERDUE_FOR = timedelta(hours=16)
"""How long after its planned end a pass that nobody ended still says that its student is away, where no movement
does: over a night and into the morning. A pass that was only forgotten must not mark another school day."""


@dataclass(frozen=True)
class Away:
    """One period in which a student was away, at one place or on one pass.

    Args:
        orah_id: the student's id in Orah.
        start: when it began; aware, UTC.
        end: when it ended; None while it lasts. Of a pass that goes on it may lie in the future.
        place: name of the location; empty where only the pass is known.
        pass_type: name of the pass's type; empty without a pass.
        evidence: what it rests on: ``m<id>`` a movement, ``p<id>`` a pass.
        known_from: the earliest moment of that evidence, from which Orah must be read to see it again.
        overdue: whether its pass should be over by then: nobody said that the student is back.
    """

    orah_id: int
    start: datetime
    end: datetime | None
    place: str = ""
    pass_type: str = ""
    evidence: tuple[str, ...] = ()
    known_from: datetime | None = None
    overdue: bool = False

    @property
    def on_pass(self) -> bool:
        """Whether a pass allows it. Of one that is overdue, who took a roll knows better."""
        return bool(self.pass_type) and not self.overdue

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


def counts_until(one: Pass) -> datetime | None:
    """Up to when a pass may say that its student is away: an end that is only planned brings nobody back."""
    return one.end if one.is_over or one.end is None else one.end + OVERDUE_FOR
