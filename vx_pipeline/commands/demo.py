"""`vx demo`: the whole way, with the sandbox school, over real HTTP."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from vx_pipeline.automation.on_demand import job_for
from vx_pipeline.commands import attendance, demo_attendance, plan_report, report, runs
from vx_pipeline.commands.compare import compare
from vx_pipeline.commands.console import progress_bar, table
from vx_pipeline.commands.processes import sandbox_beside
from vx_pipeline.journal.approvals import Answer, answer_held
from vx_pipeline.journal.plans import latest_plan
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, Settings, load_settings, sandbox_address_file

DEMO_HOME = Path(".vx/demo")
HELD = 3
"""Exit code of a sync of which something waits for a person."""


def run_demo(console: Console, *, students: int) -> int:
    """Runs the demo and returns its exit code: 0 only when the second sync wrote nothing and the mark arrived."""
    with _demo_home() as settings, runs.instance(settings) as instance:
        console.print(Rule("A school of invented people, its Veracross and its Orah start on this machine"))
        with sandbox_beside(settings.home, students=students), SchoolSession(settings, SANDBOX) as session:
            control = _Control(settings)
            console.print(Rule("First night: read everything, match, bring Orah up to date"))
            first = _sync(console, instance, session, "First sync")
            if first not in (0, HELD):
                return first
            if first == HELD:
                console.print(
                    Rule("In the morning a named person looks at what the gate held, and lets it pass")
                )
                _approve(console, instance, session)
            console.print(Rule("Second night: nothing has changed, so nothing may be written"))
            before = control.writes()
            second = _sync(console, instance, session, "Second sync", brief=True)
            extra = control.writes() - before
            console.print(f"Writes that the sandbox saw during the second sync: [bold]{extra}[/]")
            equal = _compare(console, session, control)
            day = demo_attendance.latest_day(session)
            console.print(Rule("From Orah to Veracross: a mark, a teacher's mark, and a correction"))
            told = attendance.read_day(console, instance, session, day)
            marked = demo_attendance.two_ways(console, instance, session, control, day)
            console.print(Rule("From Veracross to those who look after the students: insights"))
            told = attendance.read_day(console, instance, session, day) and told
            attendance.print_insights(console, session, day)
            console.print(Rule("Where to look next"))
            _next_steps(console, settings)
            return 0 if not second and not extra and equal and marked and told else 1


@contextmanager
def _demo_home() -> Iterator[Settings]:
    """A fresh home below ``.vx``, and no school in the environment: the demo never talks to a real one."""
    home = DEMO_HOME.absolute()
    shutil.rmtree(home, ignore_errors=True)
    kept = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("VERACROSS_", "ORAH_", "SCHOOL_", "VX_")) or name == "DAGSTER_HOME":
            del os.environ[name]
    os.environ["VX_HOME"] = str(home)
    try:
        yield load_settings()
    finally:
        os.environ.clear()
        os.environ.update(kept)


class _Control:
    """The sandbox's own view of what happened, and its levers."""

    def __init__(self, settings: Settings) -> None:
        address = json.loads(sandbox_address_file(settings.home).read_text())
        self._http = httpx.Client(base_url=address["control_url"], timeout=30)

    def writes(self) -> int:
        """How many writes the stand-ins have seen."""
        return len(self._http.get("/journal").json()["writes"])

    def records(self, model: str) -> dict[int, dict[str, Any]]:
        """The records of a model of the stand-in Orah, as it holds them, by id."""
        held = self._http.get(f"/school/orah.{model}").raise_for_status().json()["data"]
        return {record["id"]: record for record in held}

    def move(self, orah_id: int, location_id: int, at: datetime) -> int:
        """A student comes to a place; the id of the movement."""
        given = {"student_id": orah_id, "location_id": location_id, "record_time": at.isoformat()}
        return int(self._post("/orah/location-record", given)["id"])

    def move_again(self, record_id: int, at: datetime) -> None:
        """A movement is corrected: it was at another time."""
        self._post(f"/orah/location-record/{record_id}", {"record_time": at.isoformat()})

    def teacher_marks(self, attendance_id: int, status: int) -> None:
        """A teacher marks a row."""
        self._post(f"/veracross/attendance/{attendance_id}", {"status": status})

    def _post(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._http.post(path, json=given).raise_for_status().json()["data"]
        return found


def _sync(
    console: Console,
    instance: dg.DagsterInstance,
    session: SchoolSession,
    label: str,
    *,
    brief: bool = False,
) -> int:
    with progress_bar(label) as progress:
        outcome = runs.run_job(instance, "nightly", session.key, progress=progress)
    plan = runs.plan_of_run(session.journal, session.key, outcome.run_id)
    code = runs.exit_code(outcome, plan)
    if brief and not code and plan is not None:
        console.print(plan_report.counts_table(plan), Text())
        report.print_writes(console, session, plan)
    else:
        report.print_sync(console, session, outcome, plan)
    return code


def _approve(console: Console, instance: dg.DagsterInstance, session: SchoolSession) -> None:
    """Approves all that is held, as `vx approve` does, and has it written, as `vx apply` does."""
    plan = latest_plan(session.journal, session.key)
    assert plan is not None
    number = answer_held(
        session.journal,
        plan,
        answer=Answer.APPROVE,
        actor="the demo",
        note="first sync: looked at, and right",
        via="shell",
        at=session.now(),
    )
    console.print(
        f"{number} changes are approved by [bold]the demo[/], with a note. Now they are planned again."
    )
    job, config = job_for(plan)
    with progress_bar("Writing") as progress:
        outcome = runs.run_job(instance, job, session.key, run_config=config, progress=progress)
    made = runs.plan_of_run(session.journal, session.key, outcome.run_id)
    if made is not None:
        console.print(plan_report.counts_table(made), Text())
        report.print_writes(console, session, made)


def _compare(console: Console, session: SchoolSession, control: _Control) -> bool:
    """Whether every linked record in the stand-in Orah is what Veracross says."""
    with session.reading() as connection:
        found = compare(
            connection, control.records("student"), control.records("house"), control.records("contact")
        )
    console.print(
        f"Compared with what Veracross says, record by record: {found.students} students, {found.houses} houses, "
        f"{found.contacts} contacts; [bold]{len(found.differences)}[/] fields differ."
    )
    for told in found.differences[:10]:
        console.print(f"  {told}", style="red")
    return not found.differences


def _next_steps(console: Console, settings: Settings) -> None:
    console.print("The stand-ins end with the demo; its tables, plans and journal stay to be looked at.")
    steps: list[tuple[str, Any]] = [
        ("make ui", "a sandbox school in the Dagster UI: materialise, look, launch"),
        ("vx review", f"the page where a person answers what was not certain, with VX_HOME={settings.home}"),
        ("vx plan, vx status", f"the last plan and the tables, with VX_HOME={settings.home}"),
        (
            "DuckDB",
            f"{settings.warehouse_path(SANDBOX).with_name('warehouse.read.duckdb')} is a copy to look around in",
        ),
        ("README.md", "how it decides, and how to connect your school"),
    ]
    console.print(table("", ("", ""), steps))
