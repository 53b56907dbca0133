"""One school that was synced once; each test gets a copy of its folder, and the sandbox without faults."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.rules import GRANTABLE_SCOPES
from vx_pipeline.settings import SANDBOX
from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline_tests.commands.shell import Command, Ended
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.running import OUTSIDE

PLANTED = {"last_name": "Quillfeather", "birthday": "2009-04-01", "email_1": "quillfeather.z@example.org"}
"""A student's data as nobody else has them: they must show nowhere but in the warehouse and the journal."""


class SyncedSchool:
    """A school in a folder, the sandbox behind it, and the environment that leads to both."""

    def __init__(self, sandbox: Sandbox, home: Path) -> None:
        self.sandbox = sandbox
        self.home = home
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)
        } | {
            "VX_HOME": str(home),
            "VX_WAIT_SECONDS": "0.5",
            "VERACROSS_SCHOOL_ROUTE": sandbox.school.route,
            "VERACROSS_CLIENT_ID": sandbox.credentials.client_id,
            "VERACROSS_CLIENT_SECRET": sandbox.credentials.client_secret,
            "VERACROSS_API_URL": sandbox.veracross_api_url,
            "VERACROSS_ACCOUNTS_URL": sandbox.veracross_accounts_url,
            "ORAH_API_KEY": sandbox.credentials.orah_api_key,
            "ORAH_API_URL": sandbox.orah_api_url,
            "ORAH_REGION": "virginia",
            "SCHOOL_TIMEZONE": sandbox.school.timezone,
        }

    @property
    def warehouse(self) -> Path:
        """The school's DuckDB file."""
        return self.home / "schools" / SANDBOX / "warehouse.duckdb"

    def start(self, *arguments: str, **changes: str | None) -> Command:
        """Starts `vx`; ``changes`` are environment variables, None to unset one."""
        environment = self.environment | {name: value for name, value in changes.items() if value is not None}
        for name, value in changes.items():
            if value is None:
                environment.pop(name, None)
        return Command(arguments, environment, self.home.parent)

    def vx(self, *arguments: str, **changes: str | None) -> Ended:
        """Runs `vx` to its end, and looks that nobody's data and no secret came out."""
        ended = self.start(*arguments, **changes).wait()
        # A plan is for the person who looks at each value before it is written; the rest names ids alone.
        for secret in self.credentials() if "plan" in arguments else self.secrets():
            assert secret not in ended.out + ended.err, "a secret or a person's data was printed"
        return ended

    def secrets(self) -> list[str]:
        """What must show nowhere."""
        return [*self.credentials(), *PLANTED.values()]

    def credentials(self) -> list[str]:
        """The secrets among it."""
        return [self.sandbox.credentials.client_secret, self.sandbox.credentials.orah_api_key]

    def leaks(self) -> list[str]:
        """The files of Dagster that hold a secret or a person's data."""
        found = [path for path in (self.home / "dagster").rglob("*") if path.is_file()]
        assert found, "Dagster kept nothing"
        return [
            f"{path}: {number}"
            for path in found
            for number, secret in enumerate(self.secrets())
            if secret.encode() in path.read_bytes()
        ]

    def state(self) -> dict[str, Any]:
        """What must not change when something goes wrong: rows of every table, and what was written where.

        Without Orah's tables: the first sync read them before it wrote, so any further read changes them.
        """
        counts: dict[str, Any] = {"writes": len(self.sandbox.journal.writes)}
        with open_warehouse(self.warehouse, read_only=True) as connection:
            tables = connection.execute(
                "SELECT table_schema || '.' || table_name FROM information_schema.tables "
                "WHERE table_type = 'BASE TABLE' AND table_schema <> 'orah' ORDER BY ALL"
            ).fetchall()
            for (table,) in tables:
                row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                counts[table] = row and row[0]
        return counts


@pytest.fixture(scope="session")
def first_sync(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncedSchool]:
    """The school after its first sync. Tests work on copies of its folder."""
    school = fresh_school()
    by_sis_id = {row["sis_id"] for row in school.orah["student"] if not row["deactivated"]}
    students = (row for row in school.veracross["list_students"] if row["exit_date"] is None)
    next(row for row in students if str(row["id"]) in by_sis_id).update(PLANTED)
    with Sandbox(school=school) as sandbox:
        synced = SyncedSchool(sandbox, tmp_path_factory.mktemp("first") / "home")
        bring_over(synced)
        yield synced


def bring_over(synced: SyncedSchool) -> None:
    """The first sync of a school, and a named person's word for what it held."""
    ended = synced.vx("sync", "--json")
    assert ended.code in (0, 3), ended
    if ended.code == 3:
        approved = synced.vx("approve", "--by", "R. Quill", "--note", "looked at, and right")
        assert approved.code == 0, approved
        applied = synced.vx("apply", "--json")
        assert applied.code == 0, applied


@pytest.fixture
def school(first_sync: SyncedSchool, tmp_path: Path) -> Iterator[SyncedSchool]:
    """A copy of the synced school's folder, for one test."""
    shutil.copytree(first_sync.home, tmp_path / "home", symlinks=True)
    sandbox = first_sync.sandbox
    yield SyncedSchool(sandbox, tmp_path / "home")
    sandbox.clear_faults()
    sandbox.granted_scopes = set(GRANTABLE_SCOPES)
    sandbox.orah_forbidden = set()
