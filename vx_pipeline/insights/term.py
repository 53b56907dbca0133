"""Where each day of a student's term is drawn: a column for each week, and the rate of each week below."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby

from vx_pipeline.insights.legend import look_of, missed, percent, rate, worst
from vx_pipeline.insights.week import Session, counts_words, day_words

_LEFT, _TOP = 48, 92
_COLUMN, _ROW = 24, 25
_RATE_TOP = _TOP + 7 * _ROW + 44
_RATE_HEIGHT = 70
_NARROWEST = 830
"""So that the legend has room."""

_HIGHEST_FLOOR = 0.8
"""The scale of the rate begins here at the highest, so that a small dip does not look like a fall."""


@dataclass(frozen=True)
class DayCell:
    """One day: the look of its worst mark, and a bar as wide as the share that was missed, of 16 pixels."""

    kind: str
    x: int
    y: int
    share: int
    words: str


@dataclass(frozen=True)
class Point:
    """The rate of one week."""

    x: int
    y: int
    words: str


@dataclass(frozen=True)
class Term:
    """A picture of a term; lengths are pixels, and ``right`` is where the weeks end.

    ``lines`` are the points of polylines; a week without a rate ends one.
    """

    heading: str = field(repr=False)
    told: str
    width: int
    height: int
    weekdays: tuple[tuple[str, int], ...]
    months: tuple[tuple[str, int], ...]
    cells: tuple[DayCell, ...]
    scale: tuple[tuple[str, int], ...]
    points: tuple[Point, ...]
    lines: tuple[str, ...]
    right: int
    top: int = _TOP
    rate_top: int = _RATE_TOP


def lay_out_term(
    heading: str, days: Mapping[date, Sequence[Session]], first_day: date, last_day: date
) -> Term:
    """The picture of one student's days.

    Args:
        heading: what it is of.
        days: marks by day; days without any are left out, and so are those outside of the term.
        first_day: of the term.
        last_day: of what is drawn.
    """
    shown = {day: days[day] for day in sorted(days) if first_day <= day <= last_day and days[day]}
    monday = first_day - timedelta(days=first_day.weekday())
    weeks = max(0, (last_day - monday).days) // 7 + 1
    rates = _weekly_rates(shown, monday, weeks)
    floor = min([_HIGHEST_FLOOR, *(int(each * 10) / 10 for each in rates if each is not None)])
    points = [_point(week, share, floor) for week, share in enumerate(rates)]
    return Term(
        heading=heading,
        told=_told(shown, first_day, last_day),
        width=max(_LEFT + weeks * _COLUMN + 12, _NARROWEST),
        height=_RATE_TOP + _RATE_HEIGHT + 16,
        right=_LEFT + weeks * _COLUMN,
        weekdays=tuple((f"{monday + timedelta(days=day):%a}", _TOP + day * _ROW) for day in range(7)),
        months=_months(first_day, monday, weeks),
        cells=tuple(_cell(day, sessions, monday) for day, sessions in shown.items()),
        scale=((percent(1.0), _RATE_TOP), (percent(floor), _RATE_TOP + _RATE_HEIGHT)),
        points=tuple(point for point in points if point),
        lines=tuple(
            " ".join(f"{point.x},{point.y}" for point in line if point)
            for known, line in groupby(points, key=lambda point: point is not None)
            if known
        ),
    )


def _cell(day: date, sessions: Sequence[Session], monday: date) -> DayCell:
    kinds = [look_of(kind).kind for _, _, kind in sessions]
    absent, counted = missed(kinds)
    # A bar that can be seen wherever anything was missed.
    share = max(2, round(16 * absent / counted)) if absent else 0
    of = f", {absent} of {counted} missed" if absent else ""
    return DayCell(
        kind=worst(kinds).kind,
        x=_LEFT + (day - monday).days // 7 * _COLUMN,
        y=_TOP + day.weekday() * _ROW,
        share=share,
        words=f"{day_words(day)}: {counts_words(Counter(kinds))}{of}",
    )


def _weekly_rates(shown: Mapping[date, Sequence[Session]], monday: date, weeks: int) -> list[float | None]:
    kinds: list[list[str]] = [[] for _ in range(weeks)]
    for day, sessions in shown.items():
        kinds[(day - monday).days // 7] += [kind for _, _, kind in sessions]
    return [rate(week) for week in kinds]


def _point(week: int, share: float | None, floor: float) -> Point | None:
    if share is None:
        return None
    height = round((1 - share) / (1 - floor) * _RATE_HEIGHT)
    return Point(
        _LEFT + week * _COLUMN + 8, _RATE_TOP + height, percent(share).split("\N{NO-BREAK SPACE}")[0]
    )


def _months(first_day: date, monday: date, weeks: int) -> tuple[tuple[str, int], ...]:
    """Each month above the first week that begins in it; January tells the year, too.

    A month of which the term has just one week leaves its place to the next one.
    """
    days = [max(first_day, monday + timedelta(weeks=week)) for week in range(weeks)]
    return tuple(
        (f"{day:%b %Y}" if day.month == 1 else f"{day:%b}", _LEFT + week * _COLUMN)
        for week, day in enumerate(days)
        if (week == 0 or day.month != days[week - 1].month)
        and (week + 1 == weeks or day.month == days[week + 1].month)
    )


def _told(shown: Mapping[date, Sequence[Session]], first_day: date, last_day: date) -> str:
    kinds = Counter(look_of(kind).kind for sessions in shown.values() for _, _, kind in sessions)
    marks = counts_words(kinds) or "no class meeting"
    overall = percent(rate(kinds.elements()))
    return f"Class attendance from {day_words(first_day)} to {day_words(last_day)}: {marks}. Attended: {overall}."
