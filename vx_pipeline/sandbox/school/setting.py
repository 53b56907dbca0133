"""What every part of the generator is given: arguments, school years, codes, ids and random streams."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from vx_pipeline.sandbox.school.value_lists import Catalog

T = TypeVar("T")


@dataclass(frozen=True)
class SchoolYear:
    """A school year.

    Args:
        code: the calendar year it is named after; also its value-list code, e.g. 2026 for ``2026-2027``.
        first: first day of teaching, a Monday.
        last: last day of teaching.
        status: label of the status that this year's classes and dorms have.
    """

    code: int
    first: date
    last: date
    status: str

    @property
    def label(self) -> str:
        """E.g. ``2026-2027``."""
        return f"{self.code}-{self.code + 1}"


def school_years(today: date) -> tuple[SchoolYear, SchoolYear, SchoolYear]:
    """Last, this and next school year; this one began on the Monday 84 to 90 days before `today`.

    The years follow one another every 52 weeks and are named one apart, even where two begin in one
    calendar year.
    """
    monday = today - timedelta(days=84 + today.weekday())
    years = []
    for shift, status in ((-1, "Past"), (0, "Active"), (1, "Future")):
        first = monday + timedelta(weeks=52 * shift)
        years.append(SchoolYear(monday.year + shift, first, first + timedelta(days=291), status))
    return years[0], years[1], years[2]


class Ids:
    """Unique ascending ids with gaps, as a database leaves them where rows were deleted."""

    def __init__(self, rng: random.Random, start: int) -> None:
        self._rng = rng
        self._last = start + rng.randrange(start)

    def next(self) -> int:
        """An id that was not given out before."""
        self._last += self._rng.choice((1, 1, 1, 2, 5))
        return self._last


@dataclass(frozen=True)
class Setting:
    """The arguments of one generation and what follows from them."""

    students: int
    seed: int
    today: date
    route: str
    timezone: str
    attendance_days: int
    catalog: Catalog
    last_year: SchoolYear
    this_year: SchoolYear
    next_year: SchoolYear
    people: Ids
    classes: Ids
    zone: ZoneInfo = field(repr=False)

    def rng(self, concern: str) -> random.Random:
        """A random stream of its own for each concern, so that a change in one does not stir the others."""
        return random.Random(f"{self.seed}:{concern}")

    def code(self, value_list: str, label: str | None) -> int | None:
        """The code of a label, None for None."""
        return None if label is None else self.catalog.code(value_list, label)

    @property
    def years(self) -> tuple[SchoolYear, SchoolYear, SchoolYear]:
        """Last, this and next."""
        return self.last_year, self.this_year, self.next_year

    def modified(self, rng: random.Random, within_days: int = 200) -> str:
        """A moment of the last days before noon of today, as Veracross stamps records (UTC)."""
        noon = datetime.combine(self.today, time(12), self.zone)
        moment = noon - timedelta(seconds=rng.randrange(within_days * 86_400))
        return utc_seconds(moment)


def utc_seconds(moment: datetime) -> str:
    """``2026-11-23T13:05:12Z``, the form of Veracross system stamps."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_milliseconds(moment: datetime) -> str:
    """``2026-11-23T13:05:12.000Z``, the form of all times in Orah."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(value: date | None) -> str | None:
    """A date as text, None for None."""
    return None if value is None else value.isoformat()


def some(rng: random.Random, population: Sequence[T], share: float, at_least: int) -> list[T]:
    """A sample of about `share` of the population, and of `at_least` so many where there are enough."""
    count = max(at_least, round(share * len(population)))
    return rng.sample(population, min(count, len(population)))


def weekdays_back(last: date) -> Iterator[date]:
    """Mondays to Fridays from `last` into the past."""
    for back in itertools.count():
        candidate = last - timedelta(days=back)
        if candidate.weekday() < 5:
            yield candidate
