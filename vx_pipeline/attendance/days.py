"""The days of a push, in the school's own calendar."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from vx_pipeline.attendance.absences import Away


@dataclass(frozen=True)
class Days:
    """Days in the school's own calendar, both included."""

    first: date
    last: date

    @staticmethod
    def within_window(first: date | None, *, today: date, days_back: int) -> "Days":
        """From ``first`` (today when not given) to today, but never further back than the edit window."""
        oldest = today - timedelta(days=days_back)
        return Days(min(max(first or today, oldest), today), today)

    def each(self) -> list[date]:
        """Every one of them, oldest first."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def days_away(periods: Iterable[Away], *, days: Days, zone: ZoneInfo) -> dict[int, tuple[date, ...]]:
    """By Orah id, the days on which a student was away at some time, in the school's own calendar."""
    found: dict[int, set[date]] = defaultdict(set)
    for period in periods:
        day = max(period.start.astimezone(zone).date(), days.first)
        last = min(period.end.astimezone(zone).date() if period.end else days.last, days.last)
        while day <= last:
            found[period.orah_id].add(day)
            day += timedelta(days=1)
    return {orah_id: tuple(sorted(dates)) for orah_id, dates in found.items()}
