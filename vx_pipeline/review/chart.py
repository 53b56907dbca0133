"""The evidence as a waterfall: each field's bits move the running total to the right or to the left."""

from collections.abc import Sequence
from dataclasses import dataclass

from vx_pipeline.journal.cases import Evidence
from vx_pipeline.review import words

WIDTH = 1000
"""The chart's width in its own units."""

_LEAST_SPAN = 20.0


@dataclass(frozen=True)
class Bar:
    """One field. ``left``, ``right`` and ``end`` are places on the chart, from 0 to ``WIDTH``."""

    label: str
    ours: str | None
    theirs: str | None
    tone: str
    words: str
    bits: float
    total: float
    left: float
    right: float
    end: float


@dataclass(frozen=True)
class Waterfall:
    """The bars from first to last, and where nought and the asked-for evidence lie.

    Args:
        bars: one for each field.
        score: the sum of all bits.
        zero: the place of nought.
        needed: the bits that a link without a person needs; None where nobody knows.
        needed_at: their place.
    """

    bars: tuple[Bar, ...]
    score: float
    zero: float
    needed: float | None
    needed_at: float | None


def waterfall(evidence: Sequence[Evidence], needed: float | None = None) -> Waterfall:
    """Lays the evidence out on one scale."""
    totals = [each.total for each in evidence]
    low = min(0.0, *totals) if totals else 0.0
    high = max(_LEAST_SPAN, needed or 0.0, *totals) if totals else _LEAST_SPAN
    span = (high - low) * 1.04

    def place(bits: float) -> float:
        return round((bits - low + (high - low) * 0.02) / span * WIDTH, 1)

    bars = tuple(_bar(each, place(each.total - each.bits), place(each.total)) for each in evidence)
    needed_at = None if needed is None else place(needed)
    return Waterfall(bars, totals[-1] if totals else 0.0, place(0.0), needed, needed_at)


def _bar(each: Evidence, start: float, end: float) -> Bar:
    tone, told = words.level(each.field, each.level)
    if each.level == "missing" and (each.ours is None) != (each.theirs is None):
        told = f"missing in {'Veracross' if each.ours is None else 'Orah'}"
    return Bar(
        label=words.field(each.field),
        ours=each.ours,
        theirs=each.theirs,
        tone=tone,
        words=told,
        bits=each.bits,
        total=each.total,
        left=min(start, end),
        right=max(start, end),
        end=end,
    )
