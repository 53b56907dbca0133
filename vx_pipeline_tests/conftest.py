"""Fixtures for every room: a warehouse with a school's empty tables, and a running sandbox."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, settings

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.school import School, generate
from vx_pipeline.warehouse import connection as warehouse
from vx_pipeline_tests.world import lay_journal, open_school

SandboxFactory = Callable[..., Sandbox]

# A machine with other work to do is slow, and that is no fault of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# Two workers have two cores: queries over a few rows, each with threads of its own, wait for each other.
warehouse._CONFIG["threads"] = 1


@cache
def _pickled_school(students: int, seed: int, today: date) -> bytes:
    # Generating takes longer than the whole rest, and loading a pickle is the quickest deep copy.
    return pickle.dumps(generate(students=students, seed=seed, today=today))


def fresh_school(students: int = 120, seed: int = 7, today: date | None = None) -> School:
    """A generated school that a test may change as it likes."""
    today = today or datetime.now(ZoneInfo("America/New_York")).date()
    school: School = pickle.loads(_pickled_school(students, seed, today))
    return school


@pytest.fixture
def make_sandbox() -> Iterator[SandboxFactory]:
    """Starts a sandbox with any parameters, on a copy of a cached school; stops it after the test."""
    with ExitStack() as running:

        def make(
            students: int = 120,
            seed: int = 7,
            today: date | None = None,
            *,
            school: School | None = None,
            **rules: Any,
        ) -> Sandbox:
            school = school or fresh_school(students, seed, today)
            return running.enter_context(Sandbox(school=school, **rules))

        yield make


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    """A running sandbox with 120 students."""
    return make_sandbox()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of the test's own, in which every table was landed without rows."""
    with open_school(tmp_path) as opened:
        yield opened


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of the test's own: a SQLite file."""
    lay_journal(tmp_path)
    opened = open_journal(tmp_path)
    yield opened
    opened.close()
