"""The `vx` command. Exit codes: 0 done, 1 failed, 2 wrong use of the command, 3 held for a person.

Settings and credentials that are missing or wrong are a failure: the command was right, its surroundings not.
"""

import logging
import os
import signal
import sys
from datetime import date
from typing import Annotated

import typer
from rich.text import Text

from vx_pipeline.commands import marks, match, pins, plans
from vx_pipeline.commands.console import (
    JsonOption,
    SchoolOption,
    console,
    errors,
    open_session,
    print_json,
    progress_bar,
)
from vx_pipeline.commands.review import review
from vx_pipeline.commands.why import why
from vx_pipeline.errors import VxError
from vx_pipeline.settings import load_settings

app = typer.Typer(
    help="Veracross to Orah and back: rosters, boarding and attendance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(match.app, name="match")
app.command()(review)
app.command()(why)
app.add_typer(marks.app, name="marks")
app.add_typer(pins.app, name="pin")
for command in (plans.plan, plans.approve, plans.refuse, plans.apply, plans.undo):
    app.command()(command)


def main() -> None:
    """Runs the command; an error for people ends it with one message and no stack trace."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    # Tries that went wrong are told once, by the error that ends them.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    # What is new since the last run stands in the report of this one.
    logging.getLogger("vx_pipeline.assets.alerts").setLevel(logging.ERROR)
    # A shell that starts us in the background has SIGINT ignored, and what we start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # As if by Ctrl+C, so that what was started beside us is stopped, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app()
    except VxError as error:
        _print_trouble(error.what, error.kept, error.remedy)
        sys.exit(1)
    except OSError as error:
        _print_trouble(
            f"A file could not be read or written: {error.strerror} ({error.filename}).",
            "The last good tables are kept.",
            "Look at the disk and the permissions, and run again.",
        )
        sys.exit(1)
    except Exception as error:
        if os.environ.get("VX_TRACEBACK"):
            raise
        # Neither the message nor the trace: both may hold people's data.
        _print_trouble(
            f"Something went wrong that nobody foresaw: {type(error).__module__}.{type(error).__name__}.",
            "What was written is noted in the journal; the last good tables are kept.",
            "Run `vx doctor`. VX_TRACEBACK=1 shows where it happened; look through that before you share it.",
        )
        sys.exit(1)


def _print_trouble(what: str, *then: str) -> None:
    # As text, not markup, and unbroken: a path may hold brackets, and a log is searched for sentences.
    errors.print(Text(what, style="bold red"), soft_wrap=True)
    for part in then:
        if part:
            errors.print(Text(part), soft_wrap=True)


@app.command()
def sync(
    school: SchoolOption = "",
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Stop at the plan: nothing is written to Orah.")
    ] = False,
    person: Annotated[
        int | None,
        typer.Option("--person", min=1, help="Only this student, by Veracross id, with few requests."),
    ] = None,
    class_id: Annotated[
        int | None, typer.Option("--class", min=1, help="Only this class or team and its students.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read Veracross and Orah, and bring Orah up to date: the nightly job, now."""
    from vx_pipeline.commands import plans, report, runs

    if sum((plan_only, person is not None, class_id is not None)) > 1:
        raise typer.BadParameter("choose one of --plan-only, --person and --class", param_hint="sync")
    if person is not None or class_id is not None:
        plans.sync_single(school, person_id=person, class_id=class_id, as_json=as_json)
        return

    with open_session(school, quiet=as_json) as session:
        session.preflight()
        with (
            runs.instance(session.settings) as instance,
            progress_bar(f"Syncing {session.key}", quiet=as_json) as progress,
        ):
            outcome = runs.run_job(
                instance, "preview" if plan_only else "nightly", session.key, progress=progress
            )
        plan = runs.plan_of_run(session.journal, session.key, outcome.run_id)
        code = runs.exit_code(outcome, plan)
        if as_json:
            print_json(
                {
                    "run_id": outcome.run_id,
                    "school": session.key,
                    "exit_code": code,
                    "failures": outcome.failures,
                    "closed": plan.hold_reason if plan else None,
                    "held": plan.held_steps if plan else (),
                    "plan": plan.plan_id if plan else None,
                    "tables": {key: values.get("dagster/row_count") for key, values in outcome.read.items()},
                }
            )
        else:
            report.print_sync(console, session, outcome, plan)
    raise typer.Exit(code)


@app.command()
def push(
    school: SchoolOption = "",
    first_day: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD; today if not given.")] = "",
    student: Annotated[
        int | None, typer.Option("--student", min=1, help="Only this student, by Veracross id.")
    ] = None,
    leave_id: Annotated[
        int | None, typer.Option("--pass", min=1, help="The days of this pass, by its id in Orah.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Carry time away in Orah into Veracross class attendance."""
    from vx_pipeline.commands import push as pushing

    if leave_id is not None and (first_day or student is not None):
        raise typer.BadParameter("goes with neither --from nor --student", param_hint="--pass")
    day = _parse_day(first_day, "--from") if first_day else None
    raise typer.Exit(
        pushing.push(school, first_day=day, student_id=student, leave_id=leave_id, as_json=as_json)
    )


@app.command()
def attendance(
    school: SchoolOption = "",
    day: Annotated[str, typer.Option("--day", help="The day, YYYY-MM-DD; today if not given.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Read a day's class attendance from Veracross, and show its insights: the daily job, now."""
    from vx_pipeline.commands import attendance as insights

    raise typer.Exit(
        insights.attendance(school, day=_parse_day(day, "--day") if day else None, as_json=as_json)
    )


@app.command()
def doctor(school: SchoolOption = "", as_json: JsonOption = False) -> None:
    """Try every scope, route, file and clock, and say what is missing and who can grant it."""
    from vx_pipeline.commands import report
    from vx_pipeline.commands.doctor import environment, examine

    with open_session(school, quiet=as_json) as session:
        findings = []
        for finding in examine(session):
            findings.append(finding)
            if not as_json:
                report.print_finding(console, finding)
    if as_json:
        print_json({"findings": [vars(finding) for finding in findings], "environment": environment()})
    else:
        console.print(f"[dim]Environment variables that are set: {environment()}[/]")
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


@app.command()
def status(school: SchoolOption = "", as_json: JsonOption = False) -> None:
    """When each table was last read, what is waiting, and how the last plan ended."""
    from vx_pipeline.commands import report

    with open_session(school, quiet=as_json) as session:
        facts = report.status(session)
    if as_json:
        print_json(facts)
    else:
        report.print_status(console, facts)


@app.command()
def sandbox(
    students: Annotated[int, typer.Option(help="How many students the school has.")] = 420,
    seed: Annotated[int, typer.Option(help="Another seed is another school.")] = 7,
) -> None:
    """Run the stand-in Veracross and Orah with a synthetic school, until interrupted."""
    from vx_pipeline.commands.processes import run_sandbox

    raise typer.Exit(run_sandbox(load_settings().home, students=students, seed=seed))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="The UI's port on this machine.")] = 3000,
) -> None:
    """Open the Dagster UI; without a configured school, with the sandbox behind it."""
    from vx_pipeline.commands.processes import run_ui

    raise typer.Exit(run_ui(load_settings(), port=port))


@app.command()
def demo(
    students: Annotated[int, typer.Option(help="How many students the sandbox school has.")] = 420,
) -> None:
    """Watch the whole way with the sandbox school: two syncs, an absence, a mark in Veracross."""
    from vx_pipeline.commands.demo import run_demo

    raise typer.Exit(run_demo(console, students=students))


def _parse_day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write the day as YYYY-MM-DD", param_hint=option) from None
