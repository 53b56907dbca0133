"""The windows of the insights: which days each covers, and which days it is compared with."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from vx_pipeline.attendance_policy import Window


@dataclass(frozen=True)
class Span:
    """A window as of a day. All days belong to it.

    Args:
        window: its name.
        first_day: its first day.
        last_day: its last day, the day that it is as of.
        before_first: first day of the window before; None where that is not known.
        before_last: its last day; None where it is not known.
    """

    window: Window
    first_day: date
    last_day: date
    before_first: date | None
    before_last: date | None


def spans(as_of: date, *, term_starts: Collection[date], year_start: date) -> tuple[Span, ...]:
    """The windows as of a day.

    Args:
        as_of: the last day of all of them.
        term_starts: first days of the terms, in any order.
        year_start: where the term begins when none of its first days is known: not after ``as_of``.
    """
    begun = sorted(start for start in set(term_starts) if start <= as_of)
    before = (begun[-2], begun[-1] - timedelta(days=1)) if len(begun) > 1 else (None, None)
    term = Span("term", begun[-1] if begun else year_start, as_of, *before)
    return (_days("7_days", 7, as_of), _days("30_days", 30, as_of), term)


def _days(window: Window, length: int, as_of: date) -> Span:
    first = as_of - timedelta(days=length - 1)
    return Span(window, first, as_of, first - timedelta(days=length), first - timedelta(days=1))
