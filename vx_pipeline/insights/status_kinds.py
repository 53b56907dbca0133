"""What a status of the school's own list means: its words tell, or the school's policies do; nothing is guessed.

An absence of which nobody says whether it is excused is an absence all the same. A label whose words tell nothing,
or two things at once, stays ``unknown``. It counts neither for a student nor against, and is told, so that the
school can say in ``policies.insights.status_kinds`` what it means.
"""

import re
from collections.abc import Iterable, Mapping

from vx_pipeline.attendance_policy import AttendancePolicy, Kind, ReasonType
from vx_pipeline.policies import Policies

UNKNOWN = "unknown"
NO_REASON: Kind = "no_reason"

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
_AWAY = re.compile(r"\b(?:absent|absence|dismissed|dismissal|suspended|suspension|sick|ill|illness)\b")
_THERE = {"late", "present"}

_KIND_OF_REASON: Mapping[ReasonType, Kind] = {
    "Excused": "excused",
    "Unexcused": "unexcused",
    "Not Expected": "not_expected",
}


def status_kinds(labels: Iterable[str], policies: Policies) -> Mapping[str, str]:
    """What each label means: a ``Kind``, or ``unknown``.

    Args:
        labels: labels of statuses, as the school writes them.
        policies: the school's rules. What they say of a label goes over its words. Labels that a push writes for
            a class missed mean an absence, whatever their words.
    """
    said: dict[str, str] = {
        _folded(policies.attendance.present_status): "present",
        _folded(policies.attendance.late_status): "late",
    }
    said |= {_folded(label): kind for label, kind in policies.insights.status_kinds.items()}
    written = _written_for_absence(policies.attendance)

    def kind_of(label: str) -> str:
        if label in said:
            return said[label]
        kind = _by_words(label)
        return written.get(label, kind) if kind in (UNKNOWN, NO_REASON) else kind

    return {label: kind_of(_folded(label)) for label in labels}


def _written_for_absence(policy: AttendancePolicy) -> Mapping[str, Kind]:
    """What the labels mean that stand for a class missed: by the reason type, where the settings name one.

    A label of two reason types means an absence, and nothing more.
    """
    types: dict[str, ReasonType] = {_folded(name): name for name in _KIND_OF_REASON}
    types |= {_folded(place): kind for place, kind in policy.reason_types.items()}
    found: dict[str, Kind] = {}
    for name, label in policy.statuses.items():
        reason = types.get(_folded(name))
        kind = _KIND_OF_REASON[reason] if reason else NO_REASON
        found[_folded(label)] = kind if found.get(_folded(label), kind) == kind else NO_REASON
    return {_folded(policy.absent_status): NO_REASON, **found}


def _by_words(text: str) -> str:
    """What the words say, where they say one thing."""
    away = _AWAY.search(text)
    found: list[str] = []
    for kind, phrase in _PHRASES:
        text, number = re.subn(rf"\b(?:{phrase})\b", " ", text)
        if number:
            found.append(kind)
    absent, negated = _AWAY.search(text), _NEGATION.search(text)
    if away and _THERE & set(found):
        return UNKNOWN
    if negated:
        # What follows an absence is said of its reason; what goes before may deny it.
        return NO_REASON if absent and absent.start() < negated.start() else UNKNOWN
    # With an excuse or without one, who was late was there.
    if "late" in found and "not_expected" not in found:
        return "late"
    if found == ["not_expected", "excused"]:
        return "not_expected"
    if len(found) == 1:
        return found[0]
    return NO_REASON if away and "not_expected" not in found else UNKNOWN


def _folded(label: str) -> str:
    return " ".join(label.lower().split())
