"""The windows of the insights: which days each covers, and which days it is compared with."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from vx_pipeline.attendance_policy import Window

_BEFORE_THE_YEAR = timedelta(days=30)
"""A term may begin so long before the dorms of its school year do."""


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
        year_start: where the term begins when no first day is known of this school year: not after ``as_of``.
    """
    begun = [] if terms_are_over(as_of, term_starts, year_start) else _begun(as_of, term_starts)
    before = (begun[-2], begun[-1] - timedelta(days=1)) if len(begun) > 1 else (None, None)
    term = Span("term", begun[-1] if begun else year_start, as_of, *before)
    return (_days("7_days", 7, as_of), _days("30_days", 30, as_of), term)


def terms_are_over(as_of: date, term_starts: Collection[date], year_start: date) -> bool:
    """Whether all terms that have begun are those of an earlier school year, because nobody has named the next.

    Args:
        as_of: the day.
        term_starts: first days of the terms, in any order.
        year_start: the first day of the school year.
    """
    begun = _begun(as_of, term_starts)
    return bool(begun) and begun[-1] < year_start - _BEFORE_THE_YEAR


def _begun(as_of: date, term_starts: Collection[date]) -> list[date]:
    return sorted(start for start in set(term_starts) if start <= as_of)


def _days(window: Window, length: int, as_of: date) -> Span:
    first = as_of - timedelta(days=length - 1)
    return Span(window, first, as_of, first - timedelta(days=length), first - timedelta(days=1))
