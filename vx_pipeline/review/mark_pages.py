"""Answering questions about marks: keep theirs or use ours, what that will do, and then the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.errors import VxError
from vx_pipeline.journal.mark_answers import answer_questions, kept_marks
from vx_pipeline.journal.mark_questions import Answer, open_questions
from vx_pipeline.review import words
from vx_pipeline.review.decide import take_name
from vx_pipeline.review.marks import BUTTONS, EFFECTS, AskedRow, alike, asked_rows, groups_of
from vx_pipeline.review.site import Visit

CAUSES: Mapping[Answer, Sequence[str]] = {
    Answer.KEEP_THEIRS: (
        "Nothing is written to Veracross: what stands below stays as it is.",
        "As long as Orah says the same, nobody is asked about it again, whatever the row says by then.",
    ),
    Answer.USE_OURS: (
        "What stands below is written to Veracross.",
        "The word holds for exactly what stands below, and for one write. When the row or Orah changes before it "
        "is written, nothing is written and a person is asked again.",
        "A teacher who marks the row afterwards is not written over either: then a person is asked anew.",
        "A push reaches as far back as the school's edit window, seven days unless it is set otherwise. Rows of "
        "older days stay as they are.",
    ),
}


@dataclass(frozen=True)
class Chosen:
    """What a form or a link asks to answer.

    Args:
        answer: keep theirs or use ours.
        rows: the chosen ones, as they stand now.
        gone: numbers of chosen questions that are not open any more.
        seen: number of the newest answer that the page showed.
    """

    answer: Answer
    rows: Sequence[AskedRow]
    gone: Sequence[int]
    seen: int

    @property
    def oldest(self) -> date:
        """The first day that a push has to reach."""
        return min(row.day for row in self.rows)


def marks_page(visit: Visit) -> Response:
    """All open questions about marks, those that wait first."""
    rows, kept = _rows(visit), _kept(visit)
    groups, tick = groups_of(rows), visit.text("tick")
    visit.note("view", "marks")
    return visit.page(
        "marks.html",
        groups=groups,
        kept=kept,
        waiting=sum(row.waits for row in rows),
        answered=sum(not row.waits for row in rows),
        ticked={
            row.number for group in groups for row in group.rows if row.waits and tick in ("all", group.key)
        },
        buttons=BUTTONS,
        effects=EFFECTS,
        oldest=min((row.day for row in rows), default=None),
        # A mark for what nobody has seen yet: an answer that comes after this page was made.
        seen=_newest([*rows, *kept]),
    )


def confirm_marks_page(visit: Visit) -> Response:
    """Exactly what the answer will do, and to which rows."""
    chosen = _chosen(visit)
    if (stopped := _stopped(visit, chosen)) is not None:
        return stopped
    if not chosen.rows:
        visit.tell(done="told", strong="Nothing was ticked", told="tick at least one row first")
        return visit.go(visit.at("attendance", "marks"))
    visit.note("view", f"{chosen.answer.value} {_subject(chosen)}, to be confirmed")
    return _confirm_page(visit, chosen)


def answer_marks_action(visit: Visit) -> Response:
    """Records the answer, or says why it cannot be."""
    chosen = _chosen(visit)
    if (stopped := _stopped(visit, chosen)) is not None:
        return stopped
    if not chosen.rows:
        raise HTTPException(400)
    take_name(visit)
    if not visit.named:
        return _confirm_page(visit, chosen, wrong="Please tell your name: it stands beside the answer.")
    try:
        count = answer_questions(
            visit.journal,
            visit.school,
            [row.number for row in chosen.rows],
            answer=chosen.answer,
            actor=visit.actor,
            via="page",
            first=_first(visit),
            at=visit.now,
        )
    except VxError as error:
        # A push has closed one of them in this very moment.
        return _changed_page(visit, chosen, "Nothing was recorded", error.what)
    if chosen.answer is Answer.KEEP_THEIRS:
        strong, told = "as they are" if count > 1 else "as it is", "nothing is written to Veracross"
        strong = f"{words.counted(count, 'row stays', 'rows stay')} {strong}"
    else:
        strong = f"{words.counted(count, 'row')} by Orah's word"
        told = (
            "written within a minute where the sensors are on; "
            f"vx push --from {chosen.oldest.isoformat()} does it now"
        )
    visit.tell(done="told", strong=strong, told=told)
    return visit.go(visit.at("attendance", "marks"))


def _rows(visit: Visit) -> list[AskedRow]:
    return asked_rows(open_questions(visit.journal, visit.school), visit.directory)


def _kept(visit: Visit) -> list[AskedRow]:
    """Rows that somebody keeps as they are, so that they can think again."""
    return asked_rows(kept_marks(visit.journal, visit.school, first=_first(visit)), visit.directory)


def _first(visit: Visit) -> date:
    """The first day of the school's edit window."""
    today = visit.now.astimezone(visit.site.schools[visit.school]).date()
    return today - timedelta(days=visit.site.days_back[visit.school])


def _newest(rows: Sequence[AskedRow]) -> int:
    return max((row.answer_number for row in rows), default=0)


def _confirm_page(visit: Visit, chosen: Chosen, wrong: str = "") -> Response:
    rows = words.counted(len(chosen.rows), "row")
    return visit.page(
        "marks_confirm.html",
        422 if wrong else 200,
        answer=chosen.answer.value,
        keeps=chosen.answer is Answer.KEEP_THEIRS,
        question=f"{BUTTONS[chosen.answer]} in {rows}?",
        button=f"{BUTTONS[chosen.answer]} in {rows}",
        rows=chosen.rows,
        causes=CAUSES[chosen.answer],
        oldest=chosen.oldest,
        seen=chosen.seen,
        wrong=wrong,
    )


def _chosen(visit: Visit) -> Chosen:
    """The answer, and the questions by number, or all that are alike with one.

    Raises:
        HTTPException: there is no such answer, or a number is none.
    """
    answer, seen, like = visit.text("answer"), visit.number("seen"), visit.number("like")
    if answer not in set(Answer) or seen is None:
        raise HTTPException(400)
    rows = _rows(visit)
    if like is not None:
        found = alike(rows, like)
        return Chosen(Answer(answer), found, [] if found else [like], seen)
    given: FormData | QueryParams = (
        visit.form if visit.request.method == "POST" else visit.request.query_params
    )
    named = given.getlist("question")
    if not all(isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 19 for one in named):
        raise HTTPException(400)
    numbers = {int(str(one)) for one in named}
    if answer == Answer.USE_OURS:
        rows += _kept(visit)
    found = [row for row in rows if row.number in numbers]
    gone = sorted(numbers - {row.number for row in found})
    return Chosen(Answer(answer), found, gone, seen)


def _stopped(visit: Visit, chosen: Chosen) -> Response | None:
    """Why nothing can be answered: since the page was shown a question was closed, or somebody answered it."""
    if chosen.gone:
        one = len(chosen.gone) == 1
        return _changed_page(
            visit,
            chosen,
            "This question is not open any more" if one else "Some of these are not open any more",
            "A push has looked again since the page was shown: the row or Orah has changed, or an answer was taken "
            "in. Please look at what is asked now.",
        )
    row = next((row for row in chosen.rows if row.answer_number > chosen.seen), None)
    if row is None:
        return None
    assert row.answered_at is not None
    return _changed_page(
        visit,
        chosen,
        f"{row.actor} answered {'this' if len(chosen.rows) == 1 else 'one of them'} meanwhile",
        f"{row.who}, {row.lesson}, {row.when}: {row.told}, {visit.ago(row.answered_at)}. Please look again.",
    )


def _changed_page(visit: Visit, chosen: Chosen, title: str, told: str) -> Response:
    visit.note("refused", f"{chosen.answer.value} {_subject(chosen)}")
    address = visit.at("attendance", "marks")
    return visit.page("changed.html", 409, case_address=address, title=title, told=told)


def _subject(chosen: Chosen) -> str:
    numbers = sorted([*(row.number for row in chosen.rows), *chosen.gone])
    return f"marks {', '.join(map(str, numbers))}"
