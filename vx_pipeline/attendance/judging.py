"""What to do about one attendance row: Orah's word against the row as it was just read and what we know of it."""

from dataclasses import replace

from vx_pipeline.attendance.compare import Decision, Verdict, decide, decide_restore
from vx_pipeline.attendance.looked_at import NOT_MET, Item, Judged, Update
from vx_pipeline.attendance.mapping import label_for
from vx_pipeline.attendance.rows import (
    ClassDay,
    Row,
    block_of,
    changed_at,
    is_about,
    mark_of,
    row_of,
    row_with,
)
from vx_pipeline.attendance.writing import Pusher
from vx_pipeline.journal.mark_answers import Word, standing_answer
from vx_pipeline.journal.mark_questions import Answer, Kind, Question
from vx_pipeline.journal.marks import Mark, Place, last_mark, note_left, record_mark, without


class Judge:
    """Judges rows for one push."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    def judge(self, item: Item, read: ClassDay) -> Judged:
        """What to do about one row, as it is now; a verdict only where it is to be written."""
        row = _row(item, read)
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
        if leave := item.leave or (NOT_MET if item.moved else ""):
            return Judged(replace(update, result="waiting" if item.waits else "left", reason=leave))
        if item.restores:
            return self._judge_restore(item, now, update, read, row)
        return self._judge_wanted(item, now, update, read, row)

    def _means_no_mark_any_more(self, item: Item) -> bool:
        """Whether Orah says something else than when we wrote the row, for which the school wants no mark."""
        if item.wanted is None or item.ours is None or item.restores:
            return False
        return item.corrected and not label_for(item.wanted, self._pusher.policy)

    def _judge_restore(self, item: Item, now: Mark, update: Update, read: ClassDay, row: Row) -> Judged:
        if item.ours is None:
            return Judged(replace(update, reason="Orah says present, and the row is not ours"))
        base, origin = item.ours.mark, item.ours.origin
        verdict = decide_restore(base=base, now=now, origin=origin)
        after = replace(origin, notes=note_left(base=base, now=now, origin=origin))
        update = replace(
            update, after=after, label_after=read.statuses.label(after.status), reason=verdict.reason
        )
        if verdict.decision not in (Decision.WRITE, Decision.CONFLICT):
            # What we wrote stays the base: were this one seen as new, a present that a person chose instead of our
            # mark would count as a row that nobody marked.
            return Judged(replace(update, result="nothing" if now.values == origin.values else "kept"))
        return self._with_answer(item, update, verdict, row)

    def _judge_wanted(self, item: Item, now: Mark, update: Update, read: ClassDay, row: Row) -> Judged:
        assert item.wanted is not None
        policy = self._pusher.policy
        label = label_for(item.wanted, policy)
        if not label:
            return Judged(replace(update, result="unmapped", reason="the school wants no mark for this"))
        if trouble := read.statuses.trouble(label):
            return Judged(replace(update, result="blocked", reason=trouble, label_after=label))
        status = read.statuses.code(label)
        assert status is not None
        notes, marker = now.notes or "", policy.note_marker.strip()
        marked = notes if notes.rstrip().endswith(marker) else f"{without(marker, notes)} {marker}".strip()
        ours = Mark(now.attendance_id, status, marked, ours=True)
        base = last_mark(self._pusher.journal, self._pusher.school, now.attendance_id)
        if base is None:
            base = now
            self.see(base, item.place)
        word = self._word(item, now, ours)
        verdict = decide(
            base=base,
            now=now,
            ours=status,
            present=read.statuses.code(policy.present_status),
            corrected=item.corrected,
            mode=policy.mode,
            answer=word.answer if word else None,
        )
        update = replace(update, after=ours, label_after=label, reason=verdict.reason)
        if verdict.decision is Decision.WRITE:
            return Judged(update, verdict, _carried_out(word))
        unmarked = read.statuses.trouble(policy.present_status)
        if (
            verdict.decision is Decision.CONFLICT
            and unmarked
            and not base.chosen
            and base == now
            and not now.notes
        ):
            # Nobody can tell whether a teacher chose this status or the row began with it.
            return Judged(replace(update, result="blocked", reason=unmarked))
        if verdict.decision is Decision.CONFLICT:
            question = _question(item, update, "conflict", verdict.reason, row)
            return Judged(replace(update, result="conflict"), question=question)
        if verdict.decision is Decision.KEEP:
            return Judged(replace(update, result="kept"))
        return Judged(update, still_ours=base.ours and now.values == base.values and _rests_elsewhere(item))

    def _with_answer(self, item: Item, update: Update, verdict: Verdict, row: Row) -> Judged:
        assert update.before is not None
        assert update.after is not None
        word = self._word(item, update.before, update.after)
        if word and word.answer is Answer.KEEP_THEIRS:
            kept = "a person chose to keep the row as it is"
            return Judged(replace(update, result="kept", reason=kept))
        if (verdict.decision is Decision.CONFLICT or item.asks) and word is None:
            update = replace(update, result="conflict", reason=item.asks or verdict.reason)
            return Judged(update, question=_question(item, update, "conflict", update.reason, row))
        return Judged(update, verdict, _carried_out(word))

    def _word(self, item: Item, theirs: Mark, ours: Mark) -> Word | None:
        return standing_answer(self._pusher.journal, self._pusher.school, theirs, ours, cause=item.cause)

    def note_ours(self, judged: Judged) -> None:
        """Notes on what a mark of ours rests by now, and where its row stands."""
        item, now = judged.update.item, judged.update.before
        assert now is not None
        record_mark(
            self._pusher.journal,
            self._pusher.school,
            replace(now, ours=True),
            at=self._pusher.now(),
            place=item.place,
            because=item.because,
        )

    def see(self, mark: Mark, place: Place) -> None:
        """Notes a state that is not ours as the base of its row."""
        record_mark(
            self._pusher.journal,
            self._pusher.school,
            replace(mark, ours=False),
            at=self._pusher.now(),
            place=place,
        )


def _row(item: Item, read: ClassDay) -> Row | None:
    """The row of an item: the one that we wrote, unless it is that of another meeting by now."""
    ours = row_with(read.rows, item.ours.mark.attendance_id) if item.ours else None
    if ours is not None and is_about(ours, item.place):
        block = block_of(ours)
        if block == item.place.block_id or block not in item.blocks:
            return ours
    return row_of(read.rows, item.place, item.blocks)


def _rests_elsewhere(item: Item) -> bool:
    """Whether what we noted of our mark, its place or its cause, is not what there is to note now."""
    return item.ours is not None and (item.place != item.ours.place or item.corrected)


def _carried_out(word: Word | None) -> int | None:
    """The question whose answer is carried out by a write; None where a person said nothing of the kind."""
    return word.question if word and word.answer is Answer.USE_OURS else None


def hold(judged: Judged, budget: int) -> Judged:
    """The row held for a person, because too much would be written."""
    reason = f"more than {budget} marks would have been written within an hour; a person looks first"
    question = _question(judged.update.item, judged.update, "budget", reason, {})
    return Judged(replace(judged.update, result="held", reason=reason), question=question)


def _question(item: Item, update: Update, kind: Kind, reason: str, row: Row) -> Question:
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
        cause=item.cause,
    )
