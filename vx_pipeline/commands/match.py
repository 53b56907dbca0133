"""`vx match`: who is who, decided in the shell. It rests on the journal alone, so it works while a run goes on."""

import getpass
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from vx_pipeline import clock
from vx_pipeline.errors import VxError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.audit import record_view
from vx_pipeline.journal.cases import Case, get_case, latest_matching
from vx_pipeline.journal.decisions import Answer, Entity, Kind, decide_many, history, standing
from vx_pipeline.journal.decisions import undo as take_back
from vx_pipeline.journal.open_cases import open_cases
from vx_pipeline.settings import SANDBOX, load_settings

app = typer.Typer(help="Who is who: see what waits, decide it, take it back.", no_args_is_help=True)

SchoolOption = Annotated[
    str, typer.Option("--school", help="Which school; only needed where there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
EntityOption = Annotated[Entity, typer.Option("--entity", help="What kind of record it is about.")]
NoteOption = Annotated[str, typer.Option("--note", help="Why; kept with the decision.")]
ByOption = Annotated[str, typer.Option("--by", help="Who decides; the login name if not given.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many.")]
VeracrossId = Annotated[int, typer.Argument(min=1, help="The person's id in Veracross.")]
OrahId = Annotated[int, typer.Argument(min=1, help="The record's id in Orah.")]
CaseId = Annotated[str, typer.Argument(help="The case, as `vx match list` names it.")]


@dataclass(frozen=True)
class _Desk:
    """Where a person sits: the journal, open, and one school."""

    journal: Journal
    school: str

    def note_view(self, actor: str, action: str, subject: str) -> None:
        record_view(
            self.journal, school=self.school, actor=actor, action=action, subject=subject, at=clock.now()
        )

    def require_matching(self) -> None:
        """Raises VxError where no run has left a picture yet."""
        if latest_matching(self.journal, self.school) is None:
            raise VxError(
                f"No run has matched school {self.school!r} yet.",
                kept="Nothing was decided.",
                remedy="Run `vx sync --plan-only`: it writes nothing to Orah.",
            )

    def case(self, case_id: str) -> Case:
        """The case of the newest run with this id."""
        self.require_matching()
        case = get_case(self.journal, self.school, case_id)
        if case is None:
            raise VxError(
                f"The newest run left no case {case_id!r}.", remedy="See which there are: `vx match list`."
            )
        return case


@contextmanager
def _desk(school: str, *, quiet: bool) -> Iterator[_Desk]:
    from vx_pipeline.commands.console import choose_school, console

    settings = load_settings()
    key = choose_school(settings, school)
    if key == SANDBOX and settings.uses_sandbox and not quiet:
        console.print("[dim]No school is configured: this is the sandbox school with invented people.[/]")
    url = settings.journal_url
    journal = open_journal(settings.home, url.get_secret_value() if url else None)
    try:
        yield _Desk(journal, key)
    finally:
        journal.close()


@app.command("list")
def list_cases(
    school: SchoolOption = "",
    house: Annotated[str | None, typer.Option(help="Only this house.")] = None,
    grade: Annotated[str | None, typer.Option(help="Only this grade.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="unmatched, conflict, contested, reopened, orphan.")
    ] = None,
    later: Annotated[bool, typer.Option("--later", help="Only cases that were put off.")] = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Show what waits for a person, the surest first. Names are shown on a terminal only."""
    from vx_pipeline.commands import match_json, match_report
    from vx_pipeline.commands.console import console

    with _desk(school, quiet=as_json) as desk:
        desk.require_matching()
        found = open_cases(
            desk.journal,
            desk.school,
            house=house,
            grade=grade,
            kind=kind,
            put_off=True if later else None,
            limit=limit,
        )
        if as_json:
            cases = [match_json.case_row(one.case, one) for one in found.cases]
            _print_json({"school": desk.school, "total": found.total, "cases": cases})
            return
        # A pipe or a file may end up anywhere.
        names = sys.stdout.isatty()
        if names:
            desk.note_view(_actor(""), "view", "list of cases")
        match_report.print_cases(console, desk.journal, desk.school, found, names=names)


@app.command()
def show(
    case_id: CaseId,
    school: SchoolOption = "",
    candidate: Annotated[int | None, typer.Option(help="This record of Orah; the best if not given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show both records of a case side by side with their values, the evidence, and why a person is asked."""
    from vx_pipeline.commands import match_json, match_report
    from vx_pipeline.commands.answering import look_at
    from vx_pipeline.commands.console import console

    with _desk(school, quiet=as_json) as desk:
        case = desk.case(case_id)
        shown = look_at(desk.journal, desk.school, case, candidate)
        desk.note_view(_actor(""), "view", case_id)
    if as_json:
        _print_json(match_json.sight_row(shown))
    else:
        match_report.print_sight(console, shown)


@app.command()
def link(
    veracross_id: VeracrossId,
    orah_id: OrahId,
    school: SchoolOption = "",
    entity: EntityOption = Entity.STUDENT,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide that the two records are the same person."""
    _decide(school, Answer(entity, Kind.SAME, veracross_id, orah_id, note), by, as_json)


@app.command()
def never(
    veracross_id: VeracrossId,
    orah_id: OrahId,
    school: SchoolOption = "",
    entity: EntityOption = Entity.STUDENT,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide that the two records are never the same person."""
    _decide(school, Answer(entity, Kind.NEVER, veracross_id, orah_id, note), by, as_json)


@app.command()
def new(
    veracross_id: VeracrossId,
    school: SchoolOption = "",
    entity: EntityOption = Entity.STUDENT,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide that nobody in Orah is this person, so that a new record may be made."""
    _decide(school, Answer(entity, Kind.NEW, veracross_id, None, note), by, as_json)


@app.command()
def nobody(
    orah_id: OrahId,
    school: SchoolOption = "",
    entity: EntityOption = Entity.STUDENT,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide that nobody in Veracross is this record; it is left alone, and not asked about again."""
    _decide(school, Answer(entity, Kind.NEW, None, orah_id, note), by, as_json)


@app.command()
def later(
    case_id: CaseId,
    school: SchoolOption = "",
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put a case off: it goes to the end, and nothing changes."""
    with _desk(school, quiet=True) as desk:
        case = desk.case(case_id)
    # An orphan has no person, and a person's case is put off whatever record it is about.
    record = case.orah_id if case.veracross_id is None else None
    _decide(school, Answer(case.entity, Kind.LATER, case.veracross_id, record, note), by, as_json)


@app.command()
def unlink(
    veracross_id: VeracrossId,
    orah_id: OrahId,
    school: SchoolOption = "",
    entity: EntityOption = Entity.STUDENT,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide that a link there is, is wrong, and must not come back."""
    _decide(school, Answer(entity, Kind.UNLINK, veracross_id, orah_id, note), by, as_json)


@app.command()
def merge(
    veracross_id: VeracrossId,
    orah_id: OrahId,
    school: SchoolOption = "",
    entity: EntityOption = Entity.STUDENT,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide that the Orah record is a second one of this person, to be merged by hand in Orah."""
    _decide(school, Answer(entity, Kind.MERGE, veracross_id, orah_id, note), by, as_json)


@app.command()
def undo(
    number: Annotated[int, typer.Argument(min=1, help="The decision's number, as the history shows it.")],
    school: SchoolOption = "",
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a decision back."""
    from vx_pipeline.commands import match_json, match_report
    from vx_pipeline.commands.console import console

    with _desk(school, quiet=as_json) as desk:
        back = take_back(
            desk.journal,
            school=desk.school,
            number=number,
            note=note,
            actor=_actor(by),
            via="shell",
            at=clock.now(),
            action="undo",
        )
        about = (back.entity, back.veracross_id, back.orah_id)
        again = [
            one
            for one in standing(desk.journal, desk.school)
            if (one.entity, one.veracross_id, one.orah_id) == about
        ]
    if as_json:
        _print_json(match_json.decision_row(back) | {"stands_again": [one.number for one in again]})
    else:
        match_report.print_undone(console, back, again)


@app.command("history")
def show_history(
    school: SchoolOption = "",
    kind: Annotated[Kind | None, typer.Option(help="Only this kind of decision.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Show what was decided and taken back, the newest first."""
    from vx_pipeline.commands import match_json, match_report
    from vx_pipeline.commands.console import console

    with _desk(school, quiet=as_json) as desk:
        decided = history(desk.journal, desk.school, kind=kind, limit=limit)
    if as_json:
        _print_json({"decisions": [match_json.decision_row(one) for one in decided]})
    else:
        match_report.print_history(console, decided)


@app.command("export")
def export_decisions(
    file: Annotated[Path, typer.Argument(dir_okay=False, allow_dash=True, help="Where to; - is the output.")],
    school: SchoolOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write the standing decisions as CSV: ids, notes, who and when, but no names."""
    from vx_pipeline.commands.console import console
    from vx_pipeline.commands.match_files import write_decisions

    if as_json and file == Path("-"):
        raise typer.BadParameter("the output cannot be CSV and JSON at once", param_hint="--json")
    with _desk(school, quiet=as_json or file == Path("-")) as desk:
        text = io.StringIO()
        count = write_decisions(standing(desk.journal, desk.school), text)
        desk.note_view(_actor(""), "export", f"{count} decisions")
    if file == Path("-"):
        sys.stdout.write(text.getvalue())
        return
    file.write_text(text.getvalue(), encoding="utf-8", newline="")
    if as_json:
        _print_json({"school": desk.school, "decisions": count, "file": str(file)})
    else:
        console.print(f"{count} decisions written.")


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, allow_dash=True, help="CSV; - is the input.")
    ],
    school: SchoolOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge every line; decide nothing.")] = False,
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide what a CSV file says. Good lines are decided together; bad ones are told, with their line."""
    from vx_pipeline.commands import match_json, match_report
    from vx_pipeline.commands.console import console
    from vx_pipeline.commands.match_files import import_decisions

    content = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    with _desk(school, quiet=as_json) as desk:
        imported = import_decisions(
            desk.journal, content, school=desk.school, actor=_actor(by), at=clock.now(), dry_run=dry_run
        )
    if as_json:
        _print_json({"school": desk.school, "dry_run": dry_run} | match_json.imported_row(imported))
    else:
        match_report.print_imported(console, imported, dry_run=dry_run)
    raise typer.Exit(1 if imported.refused else 0)


def _decide(school: str, answer: Answer, by: str, as_json: bool) -> None:
    """Says what a decision causes, records it, and says how to take it back."""
    from vx_pipeline.commands import match_json, match_report
    from vx_pipeline.commands.answering import completed, look_up, misgivings
    from vx_pipeline.commands.console import console

    with _desk(school, quiet=as_json) as desk:
        desk.require_matching()
        records = look_up(desk.journal, desk.school, answer)
        if (error := misgivings(desk.journal, desk.school)(answer, records)) is not None:
            raise error
        (decision,) = decide_many(
            desk.journal,
            [completed(answer, records)],
            school=desk.school,
            actor=_actor(by),
            via="shell",
            at=clock.now(),
            action="decide",
        )
    effects = match_report.effects(decision, records)
    if as_json:
        changes = [change.field for change in effects.changes]
        _print_json(match_json.decision_row(decision) | {"effects": effects.sentences, "changes": changes})
    else:
        match_report.print_decided(console, decision, effects, values=sys.stdout.isatty())


def _actor(by: str) -> str:
    if by.strip():
        return by.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise typer.BadParameter(
            "the system tells no login name: say who decides", param_hint="--by"
        ) from None


def _print_json(values: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(values, default=str, indent=2) + "\n")
