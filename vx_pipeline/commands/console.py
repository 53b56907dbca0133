"""What all commands share: the terminal, the options of many, a school's session, and JSON for scripts."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, Settings, load_settings

console = Console(width=None if sys.stdout.isatty() else 120)
errors = Console(stderr=True)

SchoolOption = Annotated[
    str, typer.Option("--school", help="Which school; only needed where there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


def choose_school(settings: Settings, school: str) -> str:
    """The school that is meant.

    Raises:
        typer.BadParameter: there is no such school, or none was named among several.
    """
    keys = settings.school_keys()
    if not school and len(keys) == 1:
        return keys[0]
    if school in keys:
        return school
    raise typer.BadParameter(f"name one of: {', '.join(keys)}", param_hint="--school")


@contextmanager
def open_session(school: str, *, quiet: bool = False) -> Iterator[SchoolSession]:
    """The session of the school that is meant; says so, unless quiet, when that is the sandbox."""
    settings = load_settings()
    key = choose_school(settings, school)
    if key == SANDBOX and settings.uses_sandbox and not quiet:
        console.print("[dim]No school is configured: this is the sandbox school with invented people.[/]")
    with SchoolSession(settings, key) as session:
        yield session


@contextmanager
def progress_bar(label: str, *, quiet: bool = False) -> Iterator[Any]:
    """A bar for the steps of a run; a callable with the steps done and the steps there are."""
    if quiet:
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def print_json(values: dict[str, Any]) -> None:
    """One JSON object for scripts; moments and ids as text where JSON has no word for them."""
    sys.stdout.write(json.dumps(values, default=str, indent=2) + "\n")


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; columns whose first cell is a number are set to the right."""
    listed = [tuple(row) for row in rows]
    made = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None)
    for place, head in enumerate(heads):
        number = bool(listed) and isinstance(listed[0][place], int | float)
        made.add_column(head, justify="right" if number else "left", overflow="fold")
    for row in listed:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made
