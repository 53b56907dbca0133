"""How the page speaks of attendance: houses, alerts, figures, and the marks of a day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from vx_pipeline.insights.houses import house_name
from vx_pipeline.insights.legend import look_of, percent
from vx_pipeline.journal.attendance_views import Alert, Mark, Standing
from vx_pipeline.review import words

WINDOWS = {"7_days": "7 days", "30_days": "30 days", "term": "the term"}

_MEASURES = {
    "absent": "missed",
    "excused": "missed with an excuse",
    "unexcused": "missed without an excuse",
    "no_reason": "missed, no reason known",
    "late": "times late",
    "rate": "attended",
    "absent_streak": "missed in a row",
}

FIGURES = {
    "sessions": "Class meetings",
    "rate": "Attended",
    "rate_before": "Attended in the window before",
    "late": "Late",
    "excused": "Missed with an excuse",
    "unexcused": "Missed without an excuse",
    "no_reason": "Missed, no reason known",
    "not_expected": "Not expected",
    "untaken": "Not taken",
    "unknown": "Unknown status",
    "absent_streak": "Missed in a row, until now",
    "longest_absent_streak": "Most missed in a row",
    "present_streak": "Attended in a row, until now",
    "last_missed_at": "Missed last",
}
"""Columns of the insights that a student's page shows, by label."""

_SHARES = ("rate", "rate_before")


def house_of(standing: Standing) -> str:
    """The house that a student is counted with."""
    return house_name(standing.house, is_boarder=standing.is_boarder)


def figure(alert: Alert) -> str:
    """What made an alert: ``3 missed without an excuse in 7 days, threshold 2``."""
    measure = _MEASURES.get(alert.measure, alert.measure.replace("_", " "))
    window = WINDOWS.get(alert.window, alert.window)
    value, threshold = (_value(alert.measure, one) for one in (alert.value, alert.threshold))
    return f"{value} {measure} in {window}, threshold {threshold}"


def _value(column: str, value: Any) -> str:
    """A figure as text; a missing one is a dash."""
    if value is None:
        return percent(None)
    if column in _SHARES:
        return percent(float(value))
    if column.endswith("_at"):
        return words.day(date.fromisoformat(str(value)[:10]))
    return f"{int(value):,}"


def figures(windows: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """The rows of a student's figures: label, then a value for each window."""
    shown = [windows[window] for window in WINDOWS if window in windows]
    return [
        (label, [_value(column, one.get(column)) for one in shown])
        for column, label in FIGURES.items()
        # A row of noughts about the unusual only hides the others.
        if column not in ("no_reason", "untaken", "unknown", "not_expected")
        or any(one.get(column) for one in shown)
    ]


def day_words(marks: Sequence[Mark]) -> list[str]:
    """One day for the table: each mark that stands out, then how many do not."""
    told = [f"{mark.start} {look_of(mark.kind).words}".strip() for mark in marks if mark.kind != "present"]
    present = sum(mark.kind == "present" for mark in marks)
    return told + ([f"{present} present"] if present else [])
