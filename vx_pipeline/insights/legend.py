"""What each kind of mark is called and looks like, which of several is the worst, and the rate of attendance."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How one kind of mark is shown: a letter beside the colour, which alone would tell some people nothing."""

    kind: str
    letter: str
    words: str


LOOKS = (
    Look("unexcused", "U", "Absent, unexcused"),
    Look("no_reason", "A", "Absent"),
    Look("excused", "E", "Absent, excused"),
    Look("late", "L", "Late"),
    Look("unknown", "?", "Unknown status"),
    Look("present", "\N{MIDDLE DOT}", "Present"),
    Look("untaken", "", "Not taken"),
    Look("not_expected", "\N{EN DASH}", "Not expected"),
)
"""The kinds of ``attendance.sessions``, the worst first."""

_BY_KIND = {look.kind: look for look in LOOKS}
_UNKNOWN = _BY_KIND["unknown"]
_ATTENDED = ("present", "late")
_MISSED = ("excused", "unexcused", "no_reason")


def look_of(kind: str) -> Look:
    """How a kind is shown; one that nobody knows is unknown."""
    return _BY_KIND.get(kind, _UNKNOWN)


def worst(kinds: Iterable[str]) -> Look:
    """The look of the worst of some marks.

    Raises:
        ValueError: there are none.
    """
    return min((look_of(kind) for kind in kinds), key=LOOKS.index)


def missed(kinds: Iterable[str]) -> tuple[int, int]:
    """How many class meetings were missed, and of how many: those attended and those missed.

    A meeting where the student was not expected, that was not taken, or whose mark means nothing here, is neither.
    """
    told = list(kinds)
    absent = sum(kind in _MISSED for kind in told)
    return absent, absent + sum(kind in _ATTENDED for kind in told)


def rate(kinds: Iterable[str]) -> float | None:
    """The share of class meetings attended, late ones included; None where none counts."""
    absent, counted = missed(kinds)
    return (counted - absent) / counted if counted else None


def percent(share: float | None) -> str:
    """A share such as ``96 %``, rounded down, so that only a full one is 100; a dash where there is none."""
    return f"{int(share * 100 + 1e-9)}\N{NO-BREAK SPACE}%" if share is not None else "\N{EN DASH}"
