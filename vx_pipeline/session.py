"""One school at work: its settings, files, clients and event loop, open for one run or command."""

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import duckdb
import stamina

from vx_pipeline import clock
from vx_pipeline.errors import WarehouseError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.orah import OrahClient
from vx_pipeline.settings import School, Settings
from vx_pipeline.veracross import VeracrossClient
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.connection import open_warehouse, transaction

T = TypeVar("T")

LOCK_WAIT_SECONDS = 60.0
"""How long somebody at a shell waits for a run of the same school."""

RUN_WAIT_SECONDS = 900.0
"""How long a run of Dagster waits for another one of its school: a night takes minutes, a push may wait for a rate
window, and neither must be lost to the other."""


class SchoolSession:
    """Everything a run needs of one school. Use it as a context manager, or call ``close``.

    Clients are opened when first used and kept, so that tokens, connections and the rate budget last for the
    whole run. All calls of one session come from one thread.

    Args:
        settings: where things are.
        key: which school.
    """

    def __init__(self, settings: Settings, key: str) -> None:
        # By default stamina prints each retry where structlog is installed, which would spoil --json.
        stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])
        self.settings = settings
        self.key = key
        self._runner = asyncio.Runner()
        self._open = AsyncExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def school(self) -> School:
        """The school's settings.

        Raises:
            ConfigurationError: they are incomplete or wrong.
        """
        return self.settings.school(self.key)

    @cached_property
    def journal(self) -> Journal:
        """The journal of all schools."""
        url = self.settings.journal_url
        return open_journal(self.settings.home, url.get_secret_value() if url else None)

    @cached_property
    def veracross(self) -> VeracrossClient:
        """The school's Veracross."""
        school = self.school
        client = VeracrossClient(
            school_route=school.veracross_school_route,
            client_id=school.veracross_client_id,
            client_secret=school.veracross_client_secret.get_secret_value(),
            api_url=school.veracross_api_url,
            accounts_url=school.veracross_accounts_url,
        )
        return self.run(self._open.enter_async_context(client))

    @cached_property
    def orah(self) -> OrahClient:
        """The school's Orah."""
        school = self.school
        client = OrahClient(url=school.orah_url, api_key=school.orah_api_key.get_secret_value())
        return self.run(self._open.enter_async_context(client))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on the session's own event loop."""
        return self._runner.run(work)

    def now(self) -> datetime:
        """This moment in the school's time zone."""
        return clock.now(self.school.zone)

    def today(self) -> date:
        """The school's own date."""
        return self.now().date()

    def preflight(self) -> None:
        """Tries what every step of a run rests on, so that trouble is told once instead of by each of them.

        Waits for another run of the school, opens both stores, and makes one small read in each system.

        Raises:
            VxError: the settings, a file, a key or the network will not do.
        """
        self.school  # noqa: B018 - settings that are wrong are told before anything starts
        with alone(self.settings, self.key, wait_seconds=self.settings.wait_seconds):
            with self.journal.begin(), self.landing():
                pass
            self.run(self.veracross.read(ENDPOINTS["dorms"]))
            self.run(self.orah.houses())

    @property
    def warehouse_path(self) -> Path:
        """The school's DuckDB file."""
        return self.settings.warehouse_path(self.key)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, for looking."""
        wait = self.settings.wait_seconds
        with open_warehouse(self.warehouse_path, read_only=True, wait_seconds=wait) as connection:
            yield connection

    @contextmanager
    def landing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, outside a transaction: a landing makes its own."""
        with open_warehouse(self.warehouse_path, wait_seconds=self.settings.wait_seconds) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse in one transaction: all of the block, or nothing of it."""
        with self.landing() as connection, transaction(connection):
            yield connection

    def close(self) -> None:
        """Closes clients, loop and journal."""
        self._runner.run(self._open.aclose())
        self._runner.close()
        if "journal" in self.__dict__:
            self.journal.close()


@contextmanager
def alone(
    settings: Settings,
    key: str,
    *,
    wait_seconds: float = LOCK_WAIT_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Keeps a second run of the same school out. The system lets go when the process ends, however it ends.

    Raises:
        WarehouseError: another run of the school did not end in time.
    """
    folder = settings.school_folder(key)
    # On its own: the mode does not reach the parents that `mkdir` makes on the way.
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "run.lock").open("a+") as lock:
        deadline = time.monotonic() + wait_seconds
        while not _locked(lock.fileno()):
            if time.monotonic() > deadline:
                lock.seek(0)
                raise WarehouseError(
                    f"Another run of school {key!r} is at work (process {lock.read().strip() or 'unknown'}).",
                    kept="Nothing was read or written.",
                    remedy="Wait until it ends and run again.",
                )
            sleep(0.2)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
