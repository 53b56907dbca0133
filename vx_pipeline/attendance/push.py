"""Pushing marks: each row read again, compared three ways, and written, restored, asked about or left alone.

Nothing here decides who was away: that is given. Nothing is written twice: the row itself says what it holds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta

from vx_pipeline.attendance.judging import Judge, hold
from vx_pipeline.attendance.looked_at import Item, Judged, Update
from vx_pipeline.attendance.mapping import Statuses, named_labels
from vx_pipeline.attendance.moved import at_their_rows
from vx_pipeline.attendance.rows import ClassDay, read_class_day
from vx_pipeline.attendance.writing import ENTITY, Pusher, Written, write_mark
from vx_pipeline.attendance_policy import Mode
from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.journal.intents import count_writes_since
from vx_pipeline.journal.mark_questions import Question, ask, open_questions

BUDGET_PERIOD = timedelta(hours=1)

MOST_LOOKS = 3
"""How often a row is compared in one push, should somebody change it each time a write waits for its turn."""

UNDECIDED = frozenset({"failed", "blocked", "waiting", "left", "no_row"})
"""Results that settle no question about a row: its answer, if there is one, has not been carried out."""


@dataclass(frozen=True)
class Pushed:
    """What became of the rows.

    Args:
        updates: one for each.
        label_troubles: labels that the settings name and the school's list does not have in use, in words; None
            where no list was read.
    """

    updates: list[Update]
    label_troubles: tuple[str, ...] | None


async def push_marks(pusher: Pusher, items: Iterable[Item], *, said_nothing: Collection[int] = ()) -> Pushed:
    """Carries out what may be carried out, and asks a person about the rest.

    Costs one request for each class and day, and for each mark one write and one read, more where a write had to
    wait; where more would be written than the hour's budget allows, one more for each class. A class that cannot
    be read does not keep the others from being written.

    Args:
        pusher: where and for whom.
        items: the rows to look at.
        said_nothing: rows with open questions of which Orah says nothing any more.

    Raises:
        AccessError: Veracross refuses us altogether; what was not sent yet is not tried.
    """
    by_class: dict[tuple[int, date], list[Item]] = defaultdict(list)
    for item in items:
        by_class[item.place.class_id, item.place.attendance_date].append(item)
    push = _Push(pusher)
    holds = await push.goes_beyond_budget(by_class)
    updates = []
    for (class_id, day), group in sorted(by_class.items()):
        updates += await push.class_day(class_id, day, group, holds=holds)
    push.ask(updates, said_nothing)
    return Pushed(updates, push.label_troubles())


class _Push:
    """One push under way: what it has asked so far, and what was held before it."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher
        self._judge = Judge(pusher)
        self._questions: list[Question] = []
        self._statuses: Statuses | None = None
        self._held = {
            one.question.theirs.attendance_id
            for one in open_questions(pusher.journal, pusher.school)
            if one.question.kind == "budget" and one.answer is None
        }

    def label_troubles(self) -> tuple[str, ...] | None:
        """What is wrong with the labels of the settings, by the list that came with the last read."""
        if self._statuses is None:
            return None
        troubles = (self._statuses.trouble(label) for label in named_labels(self._pusher.policy))
        return tuple(one for one in troubles if one)

    async def goes_beyond_budget(self, by_class: Mapping[tuple[int, date], Sequence[Item]]) -> bool:
        """Whether the push would write more than this hour has left; read closely only where it might be so."""
        # In UTC, because an hour of a clock that is put forward or back is none or two.
        since = self._pusher.now().astimezone(UTC) - BUDGET_PERIOD
        written = count_writes_since(self._pusher.journal, self._pusher.school, ENTITY, since)
        left, mode = self._pusher.policy.writes_per_hour - written, self._pusher.policy.mode
        if sum(_may_write(item, mode) for items in by_class.values() for item in items) <= left:
            return False
        would_write = 0
        for (class_id, day), items in sorted(by_class.items()):
            try:
                read = await read_class_day(self._pusher.veracross, class_id, day)
            except IncompleteReadError:
                # It may be readable when its turn comes.
                would_write += sum(_may_write(item, mode) for item in items)
                continue
            for item in at_their_rows(items, read.rows):
                judged = self._judge.judge(item, read)
                held_before = judged.update.attendance_id in self._held
                would_write += bool(judged.verdict) and not judged.by_person and not held_before
        return would_write > left

    async def class_day(
        self, class_id: int, day: date, items: Sequence[Item], *, holds: bool
    ) -> list[Update]:
        """What became of the rows of one class on one day."""
        try:
            read = await read_class_day(self._pusher.veracross, class_id, day)
        except IncompleteReadError as error:
            return [Update(item, "failed", error.what) for item in items]
        self._statuses = read.statuses
        items = at_their_rows(items, read.rows)
        updates = []
        for number, item in enumerate(items, start=1):
            update, fresh = await self._row(item, read, holds=holds)
            updates.append(update)
            if fresh is not None:
                read = fresh
            elif number < len(items):
                # The next mark of the class rests on a read of just now.
                try:
                    read = await read_class_day(self._pusher.veracross, class_id, day)
                except IncompleteReadError as error:
                    return [*updates, *(Update(one, "failed", error.what) for one in items[number:])]
        return updates

    async def _row(self, item: Item, read: ClassDay, *, holds: bool) -> tuple[Update, ClassDay | None]:
        """What became of one row, and the class as it is known now; None where it must be read again."""
        for _ in range(MOST_LOOKS):
            judged = self._judge.judge(item, read)
            may_write = judged.by_person or not (holds or judged.update.attendance_id in self._held)
            if judged.verdict and not may_write:
                judged = hold(judged, self._pusher.policy.writes_per_hour)
            if judged.question:
                self._questions.append(judged.question)
            if judged.still_ours:
                self._judge.note_ours(judged)
            if not judged.verdict:
                return judged.update, read
            update, written = await self._write(judged)
            if not written.changed:
                break
            # Somebody was quicker while the write waited: what they did is compared as any row.
            try:
                read = await read_class_day(
                    self._pusher.veracross, item.place.class_id, item.place.attendance_date
                )
            except IncompleteReadError:
                break
        return update, written.class_day

    def ask(self, updates: Sequence[Update], said_nothing: Collection[int]) -> None:
        """Opens the questions of this push, and closes those of its rows that have come to an end."""
        covered = set(said_nothing)
        covered |= {
            one.attendance_id
            for one in updates
            if one.attendance_id is not None and one.result not in UNDECIDED
        }
        ask(
            self._pusher.journal,
            self._pusher.school,
            self._questions,
            covered=covered,
            at=self._pusher.now(),
        )

    async def _write(self, judged: Judged) -> tuple[Update, Written]:
        update, item = judged.update, judged.update.item
        before, after = update.before, update.after
        assert before is not None
        assert after is not None
        written = await write_mark(
            self._pusher, item.place, before, after, item.because, question=judged.answered
        )
        if not written.landed:
            return replace(update, result="failed", reason=written.detail), written
        return replace(update, result="restored" if item.restores else "written"), written


def _may_write(item: Item, mode: Mode) -> bool:
    """Whether a row could come to be written, as far as the journal alone can tell."""
    if item.leave:
        return False
    if item.restores:
        return item.ours is not None
    # Where the school lets Orah win, it wins again over what a person made of our mark.
    return mode != "never_overwrite" or item.corrected
