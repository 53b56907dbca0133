"""`vx marks`: the questions about marks that wait for a person, and the answers: keep theirs, or use ours.

Ids, classes and statuses alone are printed. Names, teachers and the notes in the rows stand on the review page.
"""

import getpass
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from vx_pipeline import clock
from vx_pipeline.commands.console import JsonOption, SchoolOption, console, open_session, print_json, table
from vx_pipeline.journal.audit import record_view
from vx_pipeline.journal.mark_answers import answer_questions, kept_marks
from vx_pipeline.journal.mark_questions import Answer, OpenQuestion, open_questions
from vx_pipeline.session import SchoolSession

app = typer.Typer(help="Marks that wait for a person: see them, keep theirs, or use ours.")

NumbersArgument = Annotated[
    list[int], typer.Argument(min=1, metavar="NUMBER...", help="The questions, as `vx marks` numbers them.")
]
ByOption = Annotated[str, typer.Option("--by", help="Who decides; the login name if not given.")]

_KINDS = {"conflict": "a person marked it", "budget": "too many at once"}
_HEADS = ("number", "student", "class", "day", "theirs", "ours", "cause", "why it waits", "answer")


@app.callback(invoke_without_command=True)
def list_marks(context: typer.Context, school: SchoolOption = "", as_json: JsonOption = False) -> None:
    """Show the open questions, the newest day first; exit code 3 while one waits for an answer."""
    if context.invoked_subcommand is not None:
        return
    with open_session(school, quiet=as_json) as session:
        found, kept = open_questions(session.journal, session.key), _kept(session)
        actor = getpass.getuser()
        record_view(
            session.journal, school=session.key, actor=actor, action="view", subject="marks", at=clock.now()
        )
        waiting = sum(one.answer is None for one in found)
        if as_json:
            print_json(
                {
                    "school": session.key,
                    "waiting": waiting,
                    "questions": [_facts(one) for one in found],
                    "kept": [_facts(one) for one in kept],
                }
            )
        else:
            _print(session, found, waiting)
            _print_kept(kept)
    raise typer.Exit(3 if waiting else 0)


@app.command()
def keep(
    numbers: NumbersArgument, school: SchoolOption = "", by: ByOption = "", as_json: JsonOption = False
) -> None:
    """Keep theirs: the rows stay as they are, and are not asked about again while Orah says the same."""
    _answer(Answer.KEEP_THEIRS, numbers, school, by, as_json)


@app.command()
def use(
    numbers: NumbersArgument, school: SchoolOption = "", by: ByOption = "", as_json: JsonOption = False
) -> None:
    """Use ours: the next push writes what Orah says, once, if row and Orah still are as they were shown.

    Also for rows that were kept lately, should somebody think again.
    """
    _answer(Answer.USE_OURS, numbers, school, by, as_json)


def _answer(answer: Answer, numbers: Sequence[int], school: str, by: str, as_json: bool) -> None:
    with open_session(school, quiet=as_json) as session:
        days = {
            one.question.place.attendance_date
            for one in [*open_questions(session.journal, session.key), *_kept(session)]
            if one.number in numbers
        }
        count = answer_questions(
            session.journal,
            session.key,
            numbers,
            answer=answer,
            actor=by or getpass.getuser(),
            via="shell",
            first=_first(session),
            at=clock.now(),
        )
    if as_json:
        print_json({"answer": answer.value, "questions": count})
        return
    kept = answer is Answer.KEEP_THEIRS
    did = "Kept as they are" if kept else "To be written as Orah says"
    console.print(f"{did}: {count}. {_next(min(days))}", soft_wrap=True)


def _kept(session: SchoolSession) -> list[OpenQuestion]:
    """Rows that somebody keeps as they are."""
    return kept_marks(session.journal, session.key, first=_first(session))


def _first(session: SchoolSession) -> date:
    """The first day of the school's edit window."""
    # The answers are in the journal alone: no school's credentials are needed for them.
    settings, key = session.settings, session.key
    today = clock.now(ZoneInfo(settings.timezone(key))).date()
    return today - timedelta(days=settings.days_back(key))


def _next(first: date) -> str:
    return (
        "The next push takes that in: within a minute where the sensors are on, or now with "
        f"`vx push --from {first.isoformat()}`. Until then it can be changed."
    )


def _print(session: SchoolSession, found: Sequence[OpenQuestion], waiting: int) -> None:
    if not found:
        console.print("No mark waits for a person.")
        return
    console.print(table(f"Marks: {waiting} wait for a person", _HEADS, [_row(one) for one in found]))
    if waiting:
        console.print(
            "Keep theirs: `vx marks keep NUMBER...`. Use ours: `vx marks use NUMBER...`. Names and notes: "
            f"{session.settings.review_url}/{session.key}/attendance/marks",
            soft_wrap=True,
        )
    else:
        days = [one.question.place.attendance_date for one in found]
        console.print(_next(min(days)), soft_wrap=True)


def _print_kept(kept: Sequence[OpenQuestion]) -> None:
    if kept:
        console.print(table("Kept as they are", _HEADS, [_row(one) for one in kept]))
        console.print("After all Orah's word: `vx marks use NUMBER...`.")


def _row(one: OpenQuestion) -> tuple[Any, ...]:
    question, place, told = one.question, one.question.place, one.question.told
    return (
        one.number,
        place.student_id,
        told.get("class") or place.class_id,
        f"{place.attendance_date} {told.get('at', '')}".strip(),
        told.get("theirs") or "no mark",
        told.get("ours") or "no mark",
        told.get("cause", ""),
        _KINDS[question.kind],
        f"{one.answer.value.replace('_', ' ')} ({one.actor})" if one.answer else "",
    )


def _facts(one: OpenQuestion) -> dict[str, Any]:
    """One question for scripts: grain as `vx marks` shows it; statuses are codes, labels stand beside them."""
    question, place, told = one.question, one.question.place, one.question.told
    return {
        "number": one.number,
        "kind": question.kind,
        "reason": question.reason,
        **vars(place),
        "attendance_id": question.theirs.attendance_id,
        "class": told.get("class", ""),
        "at": told.get("at", ""),
        "theirs": question.theirs.status,
        "theirs_label": told.get("theirs", ""),
        "has_note": bool(question.theirs.notes),
        "ours": question.ours.status,
        "ours_label": told.get("ours", ""),
        "cause": told.get("cause", ""),
        "changed_at": question.changed_at,
        "opened_at": one.opened_at,
        "answer": one.answer.value if one.answer else None,
        "actor": one.actor,
        "answered_at": one.answered_at,
    }
