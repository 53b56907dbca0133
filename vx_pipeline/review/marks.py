"""Questions about marks as people read them: who, which lesson, what the row says, and what Orah makes of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from vx_pipeline.journal.cases import VERACROSS
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.journal.mark_questions import Answer, Kind, OpenQuestion
from vx_pipeline.journal.marks import Mark
from vx_pipeline.review import words
from vx_pipeline.review.directory import Directory

NO_MARK = "no mark"

_SOURCES = {"pass": "a pass", "roll": "a class roll", "movement": "a movement"}
"""What a cause is called that has no name of its own in Orah."""

BUTTONS: Mapping[Answer, str] = {Answer.KEEP_THEIRS: "Keep theirs", Answer.USE_OURS: "Use ours"}

EFFECTS: Mapping[Answer, str] = {
    Answer.KEEP_THEIRS: "The row stays as it is. As long as Orah says the same, nobody is asked about it again.",
    Answer.USE_OURS: "The row becomes what Orah says, once. When the row or Orah changes before that, nothing is "
    "written and a person is asked again.",
}


@dataclass(frozen=True)
class AskedRow:
    """One attendance row about which a person is asked.

    Args:
        number: the question's.
        kind: ``conflict`` or ``budget``.
        student_id: the Veracross id.
        name: of the student; empty where the newest run saw nobody of this id.
        lesson: the class by name, or by id where it has none.
        teacher: the class's; empty where nobody knows.
        day: of the lesson.
        hours: of the lesson, or its block; empty where neither is known.
        theirs: what the row says, as a label.
        theirs_note: the note in the row; may be empty.
        ours: what Orah would make of it, as a label.
        ours_note: the note that the row would have then; may be empty.
        cause: why Orah says so.
        reason: why nothing was written without asking.
        changed_at: when the row was last modified, as Veracross says.
        asked_at: when the question was first asked.
        answer: what somebody said that no push has taken in yet.
        answer_number: of that answer; 0 without one.
        actor: who said it.
        answered_at: when.
    """

    number: int
    kind: Kind
    student_id: int
    name: str = field(repr=False)
    lesson: str
    teacher: str = field(repr=False)
    day: date
    hours: str
    theirs: str
    theirs_note: str = field(repr=False)
    ours: str
    ours_note: str = field(repr=False)
    cause: str
    reason: str
    changed_at: datetime | None
    asked_at: datetime
    answer: Answer | None
    answer_number: int
    actor: str = field(repr=False)
    answered_at: datetime | None

    @property
    def who(self) -> str:
        """The student by name, or by id."""
        return self.name or f"Veracross {self.student_id}"

    @property
    def when(self) -> str:
        """Day and hours of the lesson."""
        return ", ".join(part for part in (words.day(self.day), self.hours) if part)

    @property
    def stays(self) -> str:
        """What keeping theirs does to the row."""
        return f"stays {self.theirs}"

    @property
    def becomes(self) -> str:
        """What using ours does to the row."""
        return f"becomes {self.ours}"

    @property
    def waits(self) -> bool:
        """Whether nobody has answered it yet."""
        return self.answer is None

    @property
    def told(self) -> str:
        """The answer that was given, in words."""
        if self.answer is None:
            return "waits"
        return f"theirs is kept: {self.stays}" if self.answer is Answer.KEEP_THEIRS else self.becomes


@dataclass(frozen=True)
class Group:
    """Questions under one heading.

    Args:
        key: for the address and the page's own ids.
        title: the heading.
        told: what they have in common, in a sentence.
        rows: the questions.
        all_at_once: whether one button answers them all.
    """

    key: str
    title: str
    told: str
    rows: Sequence[AskedRow]
    all_at_once: bool = False


def asked_rows(questions: Iterable[OpenQuestion], directory: Directory) -> list[AskedRow]:
    """Open questions in words, in their order."""
    return [_row(one, directory) for one in questions]


def groups_of(rows: Sequence[AskedRow]) -> list[Group]:
    """Conflicts first, then those held by day and cause, then those that are answered."""
    conflicts = [row for row in rows if row.waits and row.kind == "conflict"]
    held = sorted((row for row in rows if row.waits and row.kind == "budget"), key=_order)
    answered = [row for row in rows if not row.waits]
    made = [
        Group(
            "conflicts",
            "A person marked the row",
            "A mark that a person set is never written over unasked. Look at what it says and when it was set, "
            "and at what Orah says; where they cannot both be right, ask the teacher.",
            conflicts,
        )
    ]
    for (day, cause), grouped in groupby(held, key=_alike):
        listed = list(grouped)
        made.append(
            Group(
                f"held-{listed[0].number}",
                f"Too many at once: {words.day(day)}, {cause}",
                f"{_sentence(listed[0].reason)} That may be as it should, such as a school trip, or a slip in "
                "Orah, such as a whole house that was signed out.",
                listed,
                all_at_once=True,
            )
        )
    made.append(
        Group(
            "answered",
            "Answered, and not taken in yet",
            "The next push takes these answers in. Until then they can be changed.",
            answered,
        )
    )
    return [group for group in made if group.rows]


def alike(rows: Iterable[AskedRow], number: int) -> list[AskedRow]:
    """The held questions under the same heading as this one; none when it does not wait any more."""
    return next(
        (
            [*group.rows]
            for group in groups_of([*rows])
            if group.all_at_once and any(row.number == number for row in group.rows)
        ),
        [],
    )


def _order(row: AskedRow) -> tuple[int, str]:
    # Newest day first, as the questions come; a sort keeps the order of what is alike.
    return -row.day.toordinal(), row.cause


def _alike(row: AskedRow) -> tuple[date, str]:
    return row.day, row.cause


def _row(one: OpenQuestion, directory: Directory) -> AskedRow:
    question, place = one.question, one.question.place
    told = question.told
    cause = told.get("cause", "")
    block = f"block {place.block_id}" if place.block_id else ""
    return AskedRow(
        number=one.number,
        kind=question.kind,
        student_id=place.student_id,
        name=directory.name(Entity.STUDENT, VERACROSS, place.student_id),
        lesson=told.get("class") or f"Class {place.class_id}",
        teacher=told.get("teacher", ""),
        day=place.attendance_date,
        hours=told.get("at") or block,
        theirs=_label(told.get("theirs"), question.theirs),
        theirs_note=question.theirs.notes or "",
        ours=_label(told.get("ours"), question.ours),
        ours_note=question.ours.notes or "",
        cause=_SOURCES.get(cause, cause),
        reason=question.reason,
        changed_at=question.changed_at,
        asked_at=one.opened_at,
        answer=one.answer,
        answer_number=one.answer_number or 0,
        actor=one.actor or "",
        answered_at=one.answered_at,
    )


def _label(told: str | None, mark: Mark) -> str:
    return told or mark.status or NO_MARK


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
