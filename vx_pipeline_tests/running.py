"""Running the pipeline for a sandbox school: real HTTP, real files, a real Dagster instance."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from vx_pipeline import clock
from vx_pipeline.commands import runs
from vx_pipeline.journal.approvals import Answer, answer_held
from vx_pipeline.journal.plans import latest_plan
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, Settings, load_settings, sandbox_address_file
from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline_tests.world import lay_journal

OUTSIDE = ("VERACROSS_", "ORAH_", "SCHOOL_", "VX_", "DAGSTER_HOME")


class Pipeline:
    """One sandbox school with a home of its own."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings = settings
        self.instance = instance

    def nightly(self) -> runs.Outcome:
        """Runs the nightly job to its end."""
        return runs.run_job(self.instance, "nightly", SANDBOX)

    def attendance(self, day: date) -> runs.Outcome:
        """Runs the attendance job of a day to its end."""
        return runs.run_job(self.instance, "attendance", SANDBOX, day=day)

    def approve_all(self) -> None:
        """A named person lets all pass that is held, and the job writes it; nothing where nothing is held."""
        with self.session() as session:
            plan = latest_plan(session.journal, SANDBOX)
            if plan is None or plan.hold_reason or not plan.held_steps:
                return
            answer_held(
                session.journal,
                plan,
                answer=Answer.APPROVE,
                actor="R. Quill",
                note="looked at",
                via="shell",
                at=clock.now(),
            )
        outcome = runs.run_job(self.instance, "rematch", SANDBOX)
        assert outcome.failures == (), outcome.failures

    def push(self, day: date, orah_ids: Sequence[int] = ()) -> runs.Outcome:
        """Runs the push job for a day to its end."""
        config = {"ops": {"push_attendance_op": {"config": {"orah_ids": list(orah_ids)}}}}
        return runs.run_job(self.instance, "push_attendance", SANDBOX, day=day, run_config=config)

    def session(self) -> SchoolSession:
        """The school's session; close it."""
        return SchoolSession(self.settings, SANDBOX)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A query's rows from the warehouse."""
        with self.reading() as connection:
            return connection.execute(query).fetchall()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, for looking."""
        with open_warehouse(self.settings.warehouse_path(SANDBOX), read_only=True) as connection:
            yield connection

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def exit_code(self, outcome: runs.Outcome) -> int:
        """What ``vx sync`` would have ended with."""
        with self.session() as session:
            return runs.exit_code(outcome, runs.plan_of_run(session.journal, SANDBOX, outcome.run_id))


@contextmanager
def running(
    sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, *, on_disk: bool = False
) -> Iterator[Pipeline]:
    """A pipeline whose only school is this sandbox.

    Dagster keeps its storage in memory, where a run costs a third less; on disk it is what `vx` and the UI use.
    """
    point_at(sandbox, home, monkeypatch)
    settings = load_settings()
    with runs.instance(settings) if on_disk else dg.DagsterInstance.ephemeral() as instance:
        yield Pipeline(settings, instance)


def point_at(sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the environment so that the school is this sandbox."""
    for name in list(os.environ):
        if name.startswith(OUTSIDE):
            monkeypatch.delenv(name)
    monkeypatch.setenv("VX_HOME", str(home))
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (home / "journal.db").exists():
        lay_journal(home)
    address = {
        "school_route": sandbox.school.route,
        "client_id": sandbox.credentials.client_id,
        "client_secret": sandbox.credentials.client_secret,
        "orah_api_key": sandbox.credentials.orah_api_key,
        "timezone": sandbox.school.timezone,
        "veracross_api_url": sandbox.veracross_api_url,
        "veracross_accounts_url": sandbox.veracross_accounts_url,
        "orah_api_url": sandbox.orah_api_url,
    }
    sandbox_address_file(home).write_text(json.dumps(address))
