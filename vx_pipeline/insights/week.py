"""Where each mark of a house's week is drawn: rows are students, columns the class meetings of each day."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from vx_pipeline.insights.legend import LOOKS, look_of, percent, rate

Session = tuple[str, int, str]
"""One class meeting of one student: start ``HH:MM`` on the school's clock, or empty; class id; kind."""

_LABEL_WIDTH = 180
_LEFT = 12 + _LABEL_WIDTH + 12
_TOP = 116
_COLUMN, _ROW, _GAP = 17, 20, 10
_NARROWEST_DAY = 70
_RATE_WIDTH = 72
_NARROWEST = 830
"""So that the legend has room."""


@dataclass(frozen=True)
class Cell:
    """One mark; ``x`` is its left edge in pixels."""

    kind: str
    x: int
    words: str


@dataclass(frozen=True)
class Row:
    """One student; ``y`` is the upper edge in pixels."""

    label: str = field(repr=False)
    y: int
    cells: tuple[Cell, ...]
    rate: str


@dataclass(frozen=True)
class Day:
    """One day's heading, with the starts of its meetings and where their columns are."""

    words: str
    x: int
    starts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Week:
    """A picture of a week; lengths are pixels."""

    heading: str = field(repr=False)
    told: str
    width: int
    height: int
    days: tuple[Day, ...]
    rows: tuple[Row, ...]
    top: int = _TOP
    label_width: int = _LABEL_WIDTH


def lay_out_week(
    heading: str,
    students: Sequence[tuple[str, Mapping[date, Sequence[Session]]]],
    days: Sequence[date],
) -> Week:
    """The picture of some students' days.

    Args:
        heading: what it is of.
        students: label and marks by day, in the order of the rows.
        days: the days that are drawn, one after the other; marks of others are left out.
    """
    by_row = [(label, {day: _slots(told[day]) for day in days if day in told}) for label, told in students]
    columns: dict[tuple[date, str, int], int] = {}
    heads = []
    x = _LEFT
    for day in days:
        slots = sorted({(start, place) for _, told in by_row for start, place in told.get(day, {})})
        for number, slot in enumerate(slots):
            columns[(day, *slot)] = x + number * _COLUMN
        starts = tuple((start, columns[(day, start, place)]) for start, place in slots if place == 0)
        heads.append(Day(day_words(day), x, starts))
        x += max(len(slots) * _COLUMN, _NARROWEST_DAY) + _GAP
    rows = tuple(
        Row(
            label=label,
            y=_TOP + number * _ROW,
            cells=tuple(
                Cell(look_of(session[2]).kind, columns[(day, *slot)], session_words(day, session))
                for day, slots in told.items()
                for slot, session in slots.items()
            ),
            rate=percent(rate(session[2] for slots in told.values() for session in slots.values())),
        )
        for number, (label, told) in enumerate(by_row)
    )
    return Week(
        heading=heading,
        told=_told(rows, days),
        width=max(x + _RATE_WIDTH, _NARROWEST),
        height=_TOP + len(rows) * _ROW + 12,
        days=tuple(heads),
        rows=rows,
    )


def day_words(day: date) -> str:
    """A day: ``Mon 23 Nov``."""
    return f"{day:%a} {day.day} {day:%b}"


def session_words(day: date, session: Session) -> str:
    """One mark in words: ``Mon 23 Nov 08:00, class 8905: Late``."""
    start, class_id, kind = session
    return f"{day_words(day)}{' ' if start else ''}{start}, class {class_id}: {look_of(kind).words}"


def counts_words(kinds: Counter[str]) -> str:
    """How many of each kind, the worst first: ``2 absent, unexcused; 1 late; 30 present``."""
    return "; ".join(f"{kinds[look.kind]} {look.words.lower()}" for look in LOOKS if kinds[look.kind])


def _slots(sessions: Sequence[Session]) -> dict[tuple[str, int], Session]:
    """The marks by start, and by their number among those that one student has at the same time."""
    met: Counter[str] = Counter()
    slots = {}
    for session in sorted(sessions):
        slots[(session[0], met[session[0]])] = session
        met[session[0]] += 1
    return slots


def _told(rows: Sequence[Row], days: Sequence[date]) -> str:
    kinds = Counter(cell.kind for row in rows for cell in row.cells)
    period = f" from {day_words(days[0])} to {day_words(days[-1])}" if days else ""
    marks = counts_words(kinds) or "no class meeting"
    return f"Class attendance{period}, {len(rows)} {'student' if len(rows) == 1 else 'students'}: {marks}."
