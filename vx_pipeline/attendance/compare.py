"""When a mark may be written. The one rule, in one place: a teacher's mark is never overwritten."""

from dataclasses import dataclass
from enum import StrEnum

from vx_pipeline.journal.marks import Mark


class Decision(StrEnum):
    """What to do about one attendance row."""

    WRITE = "write"
    NOTHING = "nothing"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Verdict:
    """A decision and its reason, in plain words without names."""

    decision: Decision
    reason: str


def decide(*, base: Mark, now: Mark, ours: str, present: str) -> Verdict:
    """Compares what was there (base), what is there (now), and what we want (ours).

    A row is written once: history is not pushed again after a change of mapping, as in Orah's own
    integration.

    Args:
        base: what we last wrote to the row or, if we never did, what it held when we first saw it.
        now: the row as it was just read.
        ours: the status we want, as a code of the school's value list.
        present: the code of a row that nobody has marked.
    """
    if now.status == ours:
        return Verdict(Decision.NOTHING, "the row already says so")
    if (now.status, now.notes) != (base.status, base.notes):
        return Verdict(Decision.CONFLICT, "a person changed the row since we first saw it")
    if base.ours:
        # Only a change of the school's settings makes us want another status than the one we wrote.
        return Verdict(Decision.NOTHING, "the row holds what we wrote before")
    if now.status in (None, present) and not now.notes:
        return Verdict(Decision.WRITE, "nobody has marked the row")
    return Verdict(Decision.CONFLICT, "a teacher has marked the row")
