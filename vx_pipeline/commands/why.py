"""`vx why`: everything known about one person, in plain words. It rests on the journal alone."""

import getpass
import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from vx_pipeline import clock
from vx_pipeline.commands.console import JsonOption, SchoolOption, choose_school, console, print_json
from vx_pipeline.journal import open_journal
from vx_pipeline.journal.audit import record_view
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.sync.why import Why
from vx_pipeline.sync.why import why as ask


def why(
    person: Annotated[int, typer.Argument(min=1, help="The person's id in Veracross.")],
    orah: Annotated[bool, typer.Option("--orah", help="The id is a record's in Orah.")] = False,
    school: SchoolOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say why a person is in Orah as they are, or is not: also leavers, staff, parents, people nobody knows.

    What fields hold, and what people noted, is shown on a terminal only. Exit code 1: the person is not known.
    """
    settings = load_settings()
    key = choose_school(settings, school)
    if key == SANDBOX and settings.uses_sandbox and not as_json:
        console.print("[dim]No school is configured: this is the sandbox school with invented people.[/]")
    url = settings.journal_url
    journal = open_journal(settings.home, url.get_secret_value() if url else None)
    try:
        found = ask(
            journal,
            key,
            veracross_id=None if orah else person,
            orah_id=person if orah else None,
            now=clock.now(ZoneInfo(settings.timezone(key))),
            # A pipe or a file may end up anywhere.
            details=sys.stdout.isatty() and not as_json,
        )
        record_view(
            journal,
            school=key,
            actor=_account(),
            action="why",
            subject=f"{'orah' if orah else 'veracross'} {person}",
            at=clock.now(),
        )
    finally:
        journal.close()
    if as_json:
        print_json(_plain(found))
    else:
        _print(found)
    raise typer.Exit(0 if found.found else 1)


def _plain(found: Why) -> dict[str, object]:
    return {
        "school": found.school,
        "veracross_id": found.veracross_id,
        "orah_id": found.orah_id,
        "contact_id": found.contact_id,
        "found": found.found,
        "told_at": found.told_at.isoformat() if found.told_at else None,
        "topics": [
            {"name": topic.name, "title": topic.title, "sentences": list(topic.sentences)}
            for topic in found.topics
        ],
    }


def _print(found: Why) -> None:
    ids = (
        ("Veracross", found.veracross_id),
        ("Orah", found.orah_id),
        ("contact in Orah", found.contact_id),
    )
    who = ", ".join(f"{system} {number}" for system, number in ids if number is not None)
    if found.found:
        seen = f", as the plan of {found.told_at:%Y-%m-%d %H:%M} UTC saw them" if found.told_at else ""
        console.print(Text(f"{who}{seen}", style="bold"), soft_wrap=True)
    for topic in found.topics:
        console.print(Text.assemble("\n", (topic.title, "bold cyan")), soft_wrap=True)
        for sentence in topic.sentences:
            # Unbroken, as text: a note may hold brackets, and a log is searched for sentences.
            console.print(Text(f"  {sentence}"), soft_wrap=True)


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
