"""From what Orah says to a status of the school's own list: settings name labels, the live list has the codes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vx_pipeline.attendance.wanted import Outcome, Wanted
from vx_pipeline.attendance_policy import AttendancePolicy, ReasonType
from vx_pipeline.schema import ValueList

UNEXCUSED = "Absent - Unexcused"

_OF_REASON_TYPE: Mapping[ReasonType | None, str] = {"Unexcused": UNEXCUSED, "Not Expected": "Not Expected"}
"""Statuses of the reason types that the settings do not name. No absence is written as one of another type, least
of all a truant's as excused: where the school's list has no such status, nothing is written and that is told."""


@dataclass(frozen=True)
class Statuses:
    """A school's attendance statuses, as the list that came with a read has them.

    Args:
        codes: code by label, in lower case, of the statuses in use whose label no other has.
        labels: label by code, of all.
        obsolete: labels, in lower case, of statuses that are not used any more.
        shared: labels, in lower case, of several statuses in use.
    """

    codes: Mapping[str, str]
    labels: Mapping[str, str]
    obsolete: frozenset[str]
    shared: frozenset[str] = frozenset()

    @staticmethod
    def of(value_lists: Sequence[ValueList]) -> "Statuses":
        """The statuses in the value lists of a read of class attendance."""
        items = [item for one in value_lists if "status" in one.fields for item in one.items]
        labels = {str(item["id"]): str(item.get("description", "")).strip() for item in items}
        in_use: dict[str, set[str]] = defaultdict(set)
        for item in items:
            code = str(item["id"])
            if labels[code] and not item.get("obsolete"):
                in_use[labels[code].lower()].add(code)
        codes = {label: next(iter(found)) for label, found in in_use.items() if len(found) == 1}
        obsolete = frozenset(label.lower() for label in labels.values()) - set(in_use)
        return Statuses(codes, labels, obsolete, frozenset(set(in_use) - set(codes)))

    def code(self, label: str) -> str | None:
        """The code of a label in use; None when there is no such label, or it is obsolete, or of several codes."""
        return self.codes.get(label.strip().lower())

    def label(self, code: str | None) -> str | None:
        """What a code says; the code itself where the list does not know it."""
        return None if code is None else self.labels.get(code, code)

    def trouble(self, label: str) -> str:
        """Why a label cannot be written, and what to do; empty where it can."""
        if self.code(label) is not None:
            return ""
        folded = label.strip().lower()
        known = "is obsolete in" if folded in self.obsolete else "is not in"
        what = "stands more than once in" if folded in self.shared else known
        return (
            f"The status {label!r} {what} the school's own list. Marks that it stands for are not written; "
            "set policies.attendance, or its statuses for a reason type, to a label that `vx doctor` shows."
        )


def label_for(wanted: Wanted, policy: AttendancePolicy) -> str:
    """The label of the status for what Orah says; empty when the school wants nothing written for it.

    A roll's reason, the pass type or the place first, then the reason type, by the settings or by its own name,
    then the status for absent or late. A place or a pass says nothing about coming late; nor does a reason type,
    which counts for both: who came late must not become absent by it.
    """
    named = {key.strip().lower(): label for key, label in policy.statuses.items()}
    usual = (policy.late_status if wanted.outcome is Outcome.LATE else policy.absent_status).strip()
    if wanted.outcome is Outcome.LATE and wanted.source != "roll":
        return usual
    keys = (wanted.name,) if wanted.outcome is Outcome.LATE else (wanted.name, wanted.reason_type)
    for key in keys:
        if key and key.strip().lower() in named:
            return named[key.strip().lower()].strip()
    return usual if wanted.outcome is Outcome.LATE else _OF_REASON_TYPE.get(wanted.reason_type, usual)


def named_labels(policy: AttendancePolicy) -> list[str]:
    """Every label that the settings name, in order, once.

    With those that reason types have by themselves, where the settings name the reason type of a place or a pass;
    and that of an unexcused absence where rolls are read. One that expects nobody is told when it comes.
    """
    labels = [policy.present_status, policy.absent_status, policy.late_status, *policy.statuses.values()]
    named, may_come = {key.strip().lower() for key in policy.statuses}, set(policy.reason_types.values())
    if policy.rolls:
        may_come.add("Unexcused")
    labels += [
        label
        for reason_type, label in _OF_REASON_TYPE.items()
        if reason_type in may_come and reason_type.lower() not in named
    ]
    return list(dict.fromkeys(label.strip() for label in labels if label.strip()))
