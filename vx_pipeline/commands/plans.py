"""Plans in the shell: look, approve or refuse what is held, write it, take it back."""

import getpass
from typing import Annotated, Any

import typer

from vx_pipeline import clock
from vx_pipeline.commands.console import (
    JsonOption,
    SchoolOption,
    console,
    open_session,
    print_json,
    progress_bar,
)
from vx_pipeline.errors import VxError
from vx_pipeline.journal.approvals import Answer, answer_held, waiting_approval
from vx_pipeline.journal.plans import StoredPlan, current_plans, get_plan, latest_plan
from vx_pipeline.session import SchoolSession

PlanArgument = Annotated[
    str, typer.Argument(help="The plan's id, or its beginning; the newest if not given.")
]
ByOption = Annotated[str, typer.Option("--by", help="Who decides; the login name if not given.")]
NoteOption = Annotated[str, typer.Option("--note", help="Why; kept with the answer.")]
StepOption = Annotated[
    list[int] | None, typer.Option("--step", help="Only this step; may be given more than once.")
]


def plan(
    plan_id: PlanArgument = "",
    school: SchoolOption = "",
    everything: Annotated[bool, typer.Option("--all", help="Show every row, however many.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a plan for Orah: counts first, then the people who would notice, then every change."""
    from vx_pipeline.commands import plan_report

    with open_session(school, quiet=as_json) as session:
        stored = _plan(session, plan_id)
        if as_json:
            print_json(
                {**vars(stored), "held": stored.held_steps, "rows": [vars(row) for row in stored.rows]}
            )
        else:
            plan_report.print_plan(console, stored, everything=everything)
    raise typer.Exit(3 if stored.is_held else 0)


def approve(
    plan_id: PlanArgument = "",
    school: SchoolOption = "",
    step: StepOption = None,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let held changes pass: all of the newest plan's, or the named steps. `vx apply` then writes them."""
    _answer(Answer.APPROVE, plan_id, school, step, note, by, as_json)


def refuse(
    plan_id: PlanArgument = "",
    school: SchoolOption = "",
    step: StepOption = None,
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say no to held changes: they are not asked about again until something about them changes."""
    _answer(Answer.REFUSE, plan_id, school, step, note, by, as_json)


def apply(school: SchoolOption = "", as_json: JsonOption = False) -> None:
    """Write what was approved: read Orah again, plan again, and write exactly what still is as it was approved."""
    from vx_pipeline.automation.on_demand import job_for
    from vx_pipeline.commands import plan_report, runs

    with open_session(school, quiet=as_json) as session:
        approval = waiting_approval(session.journal, session.key)
        before = _plan(session, approval.plan_id if approval else "")
        session.preflight()
        job, config = job_for(before)
        with runs.instance(session.settings) as instance, progress_bar("Writing", quiet=as_json) as progress:
            outcome = runs.run_job(instance, job, session.key, run_config=config, progress=progress)
        _report(
            session, outcome, as_json, plan_report.approved_but_moved(session.journal, session.key, before)
        )


def undo(
    run: Annotated[
        str, typer.Argument(help="The run or plan whose writes are taken back; a beginning will do.")
    ],
    school: SchoolOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take back what a run wrote to Orah, where it still is as it was left, through the same gate."""
    from vx_pipeline.commands import runs

    with open_session(school, quiet=as_json) as session:
        if get_plan(session.journal, session.key, run) is None:
            raise VxError(
                f"There is no plan or run {run!r}, or more than one begins so.",
                kept="Nothing was changed.",
                remedy="`vx status` and the review page name them.",
            )
        session.preflight()
        config = {"plan_or_run": run, "actor": by or getpass.getuser()}
        with (
            runs.instance(session.settings) as instance,
            progress_bar("Taking back", quiet=as_json) as progress,
        ):
            outcome = runs.run_job(
                instance,
                "undo",
                session.key,
                run_config={"ops": {"undo_op": {"config": config}}},
                progress=progress,
            )
        _report(session, outcome, as_json, [])


def sync_single(school: str, *, person_id: int | None, class_id: int | None, as_json: bool) -> None:
    """One student, or one class: `vx sync --person` and `vx sync --class`."""
    from vx_pipeline.commands import runs

    job, asked = (
        ("sync_person", {"person_id": person_id})
        if class_id is None
        else ("sync_class", {"class_id": class_id})
    )
    config = {"ops": {f"{job}_op": {"config": {**asked, "actor": getpass.getuser()}}}}
    with open_session(school, quiet=as_json) as session:
        session.preflight()
        with runs.instance(session.settings) as instance, progress_bar("Syncing", quiet=as_json) as progress:
            outcome = runs.run_job(instance, job, session.key, run_config=config, progress=progress)
        _report(session, outcome, as_json, [])


def _plan(session: SchoolSession, plan_id: str) -> StoredPlan:
    if not plan_id:
        stored = _plan_to_look_at(session)
        if stored is None:
            raise VxError("There is no plan yet.", remedy="Make one with `vx sync`.")
        return stored
    found = get_plan(session.journal, session.key, plan_id)
    if found is None:
        raise VxError(
            f"There is no plan {plan_id!r}, or more than one begins so.", remedy="See the newest: `vx plan`."
        )
    return found


def _plan_to_look_at(session: SchoolSession) -> StoredPlan | None:
    """A plan in force that holds something, that of the whole school first; otherwise the newest."""
    current = sorted(current_plans(session.journal, session.key), key=lambda one: one.purpose != "sync")
    for one in current:
        stored = get_plan(session.journal, session.key, one.plan_id)
        if stored is not None and stored.is_held:
            return stored
    return latest_plan(session.journal, session.key)


def _answer(
    answer: Answer,
    plan_id: str,
    school: str,
    steps: list[int] | None,
    note: str,
    by: str,
    as_json: bool,
) -> None:
    with open_session(school, quiet=as_json) as session:
        stored = _plan(session, plan_id)
        number = answer_held(
            session.journal,
            stored,
            answer=answer,
            actor=by or getpass.getuser(),
            note=note,
            via="shell",
            at=clock.now(),
            steps=steps,
        )
    if as_json:
        print_json({"plan": stored.plan_id, "answer": answer.value, "changes": number})
    elif answer is Answer.APPROVE:
        console.print(
            f"Approved: {number} changes. Write them now with `vx apply`, or leave them to the next run."
        )
    else:
        console.print(f"Refused: {number} changes. They stay as they are until something about them changes.")


def _report(session: SchoolSession, outcome: Any, as_json: bool, moved: list[str]) -> None:
    from vx_pipeline.commands import plan_report, report, runs

    made = runs.plan_of_run(session.journal, session.key, outcome.run_id)
    code = 1 if moved else runs.exit_code(outcome, made)
    if as_json:
        print_json(
            {
                "run_id": outcome.run_id,
                "exit_code": code,
                "failures": outcome.failures,
                "moved": moved,
                "plan": made.plan_id if made else None,
                "held": made.held_steps if made else (),
            }
        )
    else:
        for told in moved:
            console.print(told, style="yellow")
        if made is not None:
            console.print(plan_report.counts_table(made))
            report.print_writes(console, session, made)
            plan_report.print_held(console, made)
        report.print_failures(console, outcome)
    raise typer.Exit(code)
