"""What a status of the school's own list means: its words tell, or the school's policy does; nothing is guessed.

A label whose words tell nothing, or two things at once, stays ``unknown``. It counts neither for a student nor
against, and is told, so that the school can say in ``policies.insights.status_kinds`` what it means.
"""

import re
from collections.abc import Iterable, Mapping

from vx_pipeline.attendance_policy import Kind
from vx_pipeline.policies import Policies

UNKNOWN = "unknown"

_PHRASES: tuple[tuple[Kind, str], ...] = (
    ("unexcused", r"unexcused|not excused|unauthori[sz]ed|not authori[sz]ed|truant|truancy"),
    (
        "not_expected",
        r"not expected|not required|school (?:activity|event|trip|business|function)|field trip",
    ),
    ("excused", r"excused|authori[sz]ed|dismissed|dismissal"),
    ("late", r"late|tardy"),
    ("present", r"present"),
)
"""Whole words, in this order; a phrase that was found is taken out before the next one is looked for."""

_NEGATION = re.compile(r"\b(?:not|no|non|never)\b")
_AWAY = re.compile(r"\b(?:absent|absence|dismissed|dismissal)\b")


def status_kinds(labels: Iterable[str], policies: Policies) -> Mapping[str, str]:
    """What each label means: a ``Kind``, or ``unknown``.

    Args:
        labels: labels of statuses, as the school writes them.
        policies: the school's rules. What they say of a label goes over its words.
    """
    said: dict[str, str] = {
        _folded(policies.attendance.present_status): "present",
        _folded(policies.attendance.late_status): "late",
    }
    said |= {_folded(label): kind for label, kind in policies.insights.status_kinds.items()}
    return {label: said.get(_folded(label)) or _by_words(_folded(label)) for label in labels}


def _by_words(text: str) -> str:
    """What the words say, where they say one thing."""
    away = _AWAY.search(text)
    found: list[str] = []
    for kind, phrase in _PHRASES:
        text, number = re.subn(rf"\b(?:{phrase})\b", " ", text)
        if number:
            found.append(kind)
    if _NEGATION.search(text) or (away and {"late", "present"} & set(found)):
        return UNKNOWN
    # With an excuse or without one, who was late was there.
    if "late" in found and "not_expected" not in found:
        return "late"
    if found == ["not_expected", "excused"]:
        return "not_expected"
    return found[0] if len(found) == 1 else UNKNOWN


def _folded(label: str) -> str:
    return " ".join(label.lower().split())
