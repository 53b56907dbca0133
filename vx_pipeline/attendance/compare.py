"""When a mark may be written. The one rule, in one place: a teacher's mark is never overwritten.

1. What the row already says is not written.
2. Where a person answered on the review page, that answer counts: keep theirs, or use ours.
3. A row that still holds what we wrote is ours: it follows Orah when Orah corrects itself, and only then.
4. A row that nobody marked is written: it is as we first saw it, without a status or present, and without a note.
   A present that a person set in place of our mark is theirs, also after we replaced it and gave it back.
5. Anything else is a person's mark: it stays, and a person is asked. A school may let Orah win over what a person
   set to present, or over everything.
"""

from dataclasses import dataclass
from enum import StrEnum

from vx_pipeline.attendance_policy import Mode
from vx_pipeline.journal.mark_questions import Answer
from vx_pipeline.journal.marks import Mark


class Decision(StrEnum):
    """What to do about one attendance row."""

    WRITE = "write"
    NOTHING = "nothing"
    KEEP = "keep"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Verdict:
    """A decision and its reason, in plain words without names."""

    decision: Decision
    reason: str


def decide(
    *,
    base: Mark,
    now: Mark,
    ours: str,
    present: str | None,
    corrected: bool,
    mode: Mode = "never_overwrite",
    answer: Answer | None = None,
) -> Verdict:
    """Compares what was there (base), what is there (now), and what we want (ours).

    Args:
        base: what we last wrote to the row or, if we never did, what it held when we first saw it.
        now: the row as it was just read.
        ours: the status we want, as a code of the school's value list.
        present: the code of a row that nobody has marked; None where the school's list does not tell.
        corrected: whether Orah says something else than when we wrote the row. Where it says the same, only the
            school's settings have changed, and history is not pushed again.
        mode: how far the school lets Orah go.
        answer: what a person said to just this comparison.
    """
    unchanged = now.values == base.values
    if now.status == ours:
        return Verdict(Decision.NOTHING, "the row already says so")
    if answer is Answer.USE_OURS:
        return Verdict(Decision.WRITE, "a person chose Orah's word")
    if answer is Answer.KEEP_THEIRS:
        return Verdict(Decision.KEEP, "a person chose to keep the row as it is")
    if base.ours and unchanged:
        if corrected:
            return Verdict(Decision.WRITE, "Orah corrected what we wrote")
        return Verdict(Decision.NOTHING, "the row holds what we wrote before")
    if unchanged and not base.chosen and now.status in (None, present) and not now.notes:
        return Verdict(Decision.WRITE, "nobody has marked the row")
    if mode == "overwrite_present_only" and now.status in (None, present):
        return Verdict(Decision.WRITE, "the school lets Orah win over present")
    if mode == "orah_wins":
        return Verdict(Decision.WRITE, "the school lets Orah win")
    if unchanged:
        return Verdict(Decision.CONFLICT, "a teacher has marked the row")
    return Verdict(Decision.CONFLICT, "a person changed the row since we first saw it")


def decide_restore(*, base: Mark, now: Mark, origin: Mark) -> Verdict:
    """Whether a row that we wrote goes back to what it held before, because Orah no longer says so.

    Args:
        base: what we wrote.
        now: the row as it was just read.
        origin: what it held before we first wrote it.
    """
    if now.values == origin.values:
        return Verdict(Decision.NOTHING, "the row is as it was before")
    if now.values == base.values:
        return Verdict(Decision.WRITE, "Orah no longer says so")
    if now.status == base.status != origin.status:
        return Verdict(Decision.CONFLICT, "Orah no longer says so, and a person changed the note of our mark")
    return Verdict(Decision.KEEP, "a person changed the row since, and Orah no longer says anything else")
