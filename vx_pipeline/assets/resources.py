"""The one resource: a school's systems, open for the length of a run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import Field, PrivateAttr

from vx_pipeline.session import RUN_WAIT_SECONDS, SchoolSession, alone
from vx_pipeline.settings import load_settings
from vx_pipeline.warehouse.connection import open_warehouse


class WarehouseResource(DuckDBResource):
    """A school's DuckDB file for ad-hoc ops: always closed, waiting briefly, read-only by default.

    ``database`` is a path with ``{school}`` in it.
    """

    @contextmanager
    def get_connection(self, school: str, *, read_only: bool = True) -> Iterator[Any]:  # type: ignore[override]
        """One school's warehouse for one step.

        Raises:
            WarehouseError: the file is held by another process, broken, or does not exist yet.
        """
        with open_warehouse(Path(self.database.format(school=school)), read_only=read_only) as connection:
            yield connection


class Schools(dg.ConfigurableResource[Any]):
    """Opens the session of a school for the length of a run, and keeps a second run of that school out."""

    lock_wait_seconds: float = Field(
        default=RUN_WAIT_SECONDS, description="How long a run waits for another run of the same school."
    )
    _sessions: dict[str, SchoolSession] = PrivateAttr(default_factory=dict)
    _stack: ExitStack = PrivateAttr(default_factory=ExitStack)

    def open(self, key: str) -> SchoolSession:
        """The session of this school; the same one for every step of a run."""
        if key not in self._sessions:
            settings = load_settings()
            self._stack.enter_context(alone(settings, key, wait_seconds=self.lock_wait_seconds))
            self._sessions[key] = self._stack.enter_context(SchoolSession(settings, key))
        return self._sessions[key]

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Closes what the run opened."""
        self._sessions.clear()
        self._stack.close()
