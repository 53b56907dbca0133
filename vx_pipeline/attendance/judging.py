"""What to do about one attendance row: Orah's word against the row as it was just read and what we know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vx_pipeline.attendance.compare import Decision, Verdict, decide, decide_restore
from vx_pipeline.attendance.mapping import label_for
from vx_pipeline.attendance.rows import ClassDay, changed_at, mark_of, row_of
from vx_pipeline.attendance.wanted import Outcome, Wanted
from vx_pipeline.attendance.writing import Pusher
from vx_pipeline.journal.mark_questions import Answer, Kind, Question, standing_answer
from vx_pipeline.journal.marks import Mark, OurMark, Place, last_mark, record_mark


@dataclass(frozen=True)
class Item:
    """One row to look at.

    Args:
        place: which student in which meeting.
        wanted: what Orah says; None where it no longer says anything.
        ours: what we wrote last, if the row is ours.
        told: words for the page: class, teacher, times; may hold names.
        leave: why nothing is done although Orah says nothing more; empty where the row goes back.
        waits: whether a later push decides.
    """

    place: Place
    wanted: Wanted | None
    ours: OurMark | None
    told: Mapping[str, str] = field(default_factory=dict, repr=False)
    leave: str = ""
    waits: bool = False

    @property
    def restores(self) -> bool:
        """Whether the row is ours and should not be any more."""
        return self.wanted is None or self.wanted.outcome is Outcome.PRESENT

    @property
    def corrected(self) -> bool:
        """Whether Orah says something else than when we wrote the row; also where we never did."""
        return self.ours is None or self.wanted is None or not self.wanted.is_said_by(self.ours.because.cause)


@dataclass(frozen=True)
class Update:
    """What became of one row.

    ``result`` is written, restored, nothing, kept, conflict, held, blocked, unmapped, left, waiting, no_row or
    failed.
    Statuses are codes of the school's value list; labels stand beside them.
    """

    item: Item
    result: str
    reason: str
    attendance_id: int | None = None
    before: Mark | None = None
    after: Mark | None = None
    label_before: str | None = None
    label_after: str | None = None

    @property
    def was_written(self) -> bool:
        """Whether the row was changed."""
        return self.result in ("written", "restored")


@dataclass(frozen=True)
class Judged:
    """One row as compared just now.

    Args:
        update: what there is to say about it.
        verdict: why it is to be written; None where it is not.
        by_person: whether a person chose that.
        question: what a person is asked about it.
    """

    update: Update
    verdict: Verdict | None = None
    by_person: bool = False
    question: Question | None = None


class Judge:
    """Judges rows for one push."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    def judge(self, item: Item, read: ClassDay) -> Judged:
        """What to do about one row, as it is now; a verdict only where it is to be written."""
        row = row_of(read.rows, item.place)
        if row is None:
            reason = "Veracross has no single attendance row for this student, class, day and block"
            return Judged(Update(item, "no_row", reason))
        now = mark_of(row, ours=False)
        if item.ours and item.ours.mark.attendance_id != now.attendance_id:
            if item.wanted is None:
                return Judged(
                    Update(item, "no_row", "Veracross has another row in place of the one we wrote")
                )
            item = replace(item, ours=None)
        if self._means_no_mark_any_more(item):
            item = replace(item, wanted=None)
        update = Update(
            item, "nothing", "", now.attendance_id, now, label_before=read.statuses.label(now.status)
        )
        if item.leave:
            return Judged(replace(update, result="waiting" if item.waits else "left", reason=item.leave))
        if item.restores:
            return self._judge_restore(item, now, update, read)
        return self._judge_wanted(item, now, update, read, row)

    def _means_no_mark_any_more(self, item: Item) -> bool:
        """Whether Orah says something else than when we wrote the row, for which the school wants no mark."""
        if item.wanted is None or item.ours is None or item.restores:
            return False
        return item.corrected and not label_for(item.wanted, self._pusher.policy)

    def _judge_restore(self, item: Item, now: Mark, update: Update, read: ClassDay) -> Judged:
        if item.ours is None:
            return Judged(replace(update, reason="Orah says present, and the row is not ours"))
        verdict = decide_restore(base=item.ours.mark, now=now, origin=item.ours.origin)
        after = replace(item.ours.origin, ours=False)
        update = replace(
            update, after=after, label_after=read.statuses.label(after.status), reason=verdict.reason
        )
        if verdict.decision is not Decision.WRITE:
            # What we wrote stays the base: were this one seen as new, a present that a person chose instead of our
            # mark would count as a row that nobody marked.
            return Judged(replace(update, result="nothing" if now == after else "kept"))
        return self._with_answer(item, update, verdict)

    def _judge_wanted(
        self, item: Item, now: Mark, update: Update, read: ClassDay, row: Mapping[str, object]
    ) -> Judged:
        assert item.wanted is not None
        policy = self._pusher.policy
        label = label_for(item.wanted, policy)
        if not label:
            return Judged(replace(update, result="unmapped", reason="the school wants no mark for this"))
        if trouble := read.statuses.trouble(label):
            return Judged(replace(update, result="blocked", reason=trouble, label_after=label))
        status = read.statuses.code(label)
        assert status is not None
        notes = now.notes or ""
        marked = notes if notes.endswith(policy.note_marker) else f"{notes} {policy.note_marker}".strip()
        ours = Mark(now.attendance_id, status, marked, ours=True)
        base = last_mark(self._pusher.journal, self._pusher.school, now.attendance_id)
        if base is None:
            base = now
            self.see(base, item.place)
        answer = standing_answer(self._pusher.journal, self._pusher.school, now, ours)
        verdict = decide(
            base=base,
            now=now,
            ours=status,
            present=read.statuses.code(policy.present_status),
            corrected=item.corrected,
            mode=policy.mode,
            answer=answer,
        )
        update = replace(update, after=ours, label_after=label, reason=verdict.reason)
        if verdict.decision is Decision.WRITE:
            return Judged(update, verdict, by_person=answer is Answer.USE_OURS)
        unmarked = read.statuses.trouble(policy.present_status)
        if verdict.decision is Decision.CONFLICT and unmarked and base == now and not now.notes:
            # Nobody can tell whether a teacher chose this status or the row began with it.
            return Judged(replace(update, result="blocked", reason=unmarked))
        if verdict.decision is Decision.CONFLICT:
            question = _question(item, update, "conflict", verdict.reason, row)
            return Judged(replace(update, result="conflict"), question=question)
        return Judged(replace(update, result="kept" if verdict.decision is Decision.KEEP else "nothing"))

    def _with_answer(self, item: Item, update: Update, verdict: Verdict) -> Judged:
        assert update.before is not None
        assert update.after is not None
        answer = standing_answer(self._pusher.journal, self._pusher.school, update.before, update.after)
        if answer is Answer.KEEP_THEIRS:
            kept = "a person chose to keep the row as it is"
            return Judged(replace(update, result="kept", reason=kept))
        return Judged(update, verdict, by_person=answer is Answer.USE_OURS)

    def see(self, mark: Mark, place: Place) -> None:
        """Notes a state that is not ours as the base of its row."""
        record_mark(
            self._pusher.journal,
            self._pusher.school,
            replace(mark, ours=False),
            at=self._pusher.now(),
            place=place,
        )


def hold(judged: Judged, budget: int) -> Judged:
    """The row held for a person, because too much would be written."""
    reason = f"more than {budget} marks would have been written within an hour; a person looks first"
    question = _question(judged.update.item, judged.update, "budget", reason, {})
    return Judged(replace(judged.update, result="held", reason=reason), question=question)


def _question(item: Item, update: Update, kind: Kind, reason: str, row: Mapping[str, object]) -> Question:
    assert update.before is not None
    assert update.after is not None
    cause = (item.wanted.name or item.wanted.source) if item.wanted else "Orah no longer says so"
    return Question(
        kind=kind,
        place=item.place,
        theirs=update.before,
        ours=update.after,
        changed_at=changed_at(row),
        told={
            **item.told,
            "theirs": update.label_before or "",
            "ours": update.label_after or "",
            "cause": cause,
        },
        reason=reason,
    )
