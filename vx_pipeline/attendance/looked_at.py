"""One attendance row that a push looks at: what is known of it, how it was judged, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vx_pipeline.attendance.compare import Verdict
from vx_pipeline.attendance.wanted import Outcome, Wanted
from vx_pipeline.journal.mark_questions import Question
from vx_pipeline.journal.marks import Because, Mark, OurMark, Place

NOT_MET = "the class does not meet then any more, or the student has left it"


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
        asks: why a person is asked before the row goes back; empty where nobody is.
        moved: whether the class meets in other blocks instead; the row stays unless it has moved to one of them.
        blocks: the other blocks in which the student's class meets that day.
    """

    place: Place
    wanted: Wanted | None
    ours: OurMark | None
    told: Mapping[str, str] = field(default_factory=dict, repr=False)
    leave: str = ""
    waits: bool = False
    asks: str = ""
    moved: bool = False
    blocks: frozenset[str | None] = frozenset()

    @property
    def restores(self) -> bool:
        """Whether the row is ours and should not be any more."""
        return self.wanted is None or self.wanted.outcome is Outcome.PRESENT

    @property
    def cause(self) -> str:
        """What Orah says and why, so that a person's word counts for just this."""
        return self.wanted.cause if self.wanted else "nothing"

    @property
    def because(self) -> Because | None:
        """What a mark of ours rests on; None where the row goes back."""
        if self.restores or self.wanted is None:
            return None
        return Because(self.wanted.cause, self.wanted.evidence, self.wanted.known_from)

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
        answered: the question whose answer chose that; None where nobody did.
        question: what a person is asked about it.
        still_ours: whether the row holds what we wrote, and rests on something else or stands elsewhere by now.
    """

    update: Update
    verdict: Verdict | None = None
    answered: int | None = None
    question: Question | None = None
    still_ours: bool = False

    @property
    def by_person(self) -> bool:
        """Whether a person chose that it is written."""
        return self.answered is not None
