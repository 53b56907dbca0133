"""The pipeline's session and time, for a school whose days take a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property

import duckdb

from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.client import Retry
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import Settings
from vx_pipeline.veracross import VeracrossClient
from vx_pipeline.veracross.exchange import RetryPolicy
from vx_pipeline.veracross.rate import RateLimit
from vx_pipeline.warehouse.connection import open_warehouse

_TICK = timedelta(milliseconds=1)
_TRIES = 2
_PAUSE = 0.001  # seconds
_NO_LIMIT = 1_000_000


class Clock:
    """The time of the pipeline and of both stand-ins.

    Args:
        moment: where it begins, aware.
    """

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self, zone: tzinfo = UTC) -> datetime:
        """Stands in for ``vx_pipeline.clock.now``. Each look is a little later than the one before."""
        self.moment += _TICK
        return self.moment.astimezone(zone)

    def epoch(self) -> float:
        """Stands in for a sandbox's clock."""
        return self.moment.timestamp()


class QuickSession(SchoolSession):
    """A session for many nights: it stays open, and its clients lose no time when a system is down.

    It keeps the warehouse open for writing, so that opening it for a step takes no time; DuckDB then allows no
    opening for reading only. The rule of the rate budget is left to the stand-in, whose time goes faster than
    the client's.
    """

    def __init__(self, settings: Settings, key: str) -> None:
        super().__init__(settings, key)
        kept = self._open.enter_context(open_warehouse(self.warehouse_path))
        # So few rows are not worth a second thread.
        kept.execute("SET threads = 1")

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, for looking."""
        with self.landing() as connection:
            yield connection

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
            retry=RetryPolicy(attempts=_TRIES, wait_initial=_PAUSE, wait_max=_PAUSE),
            rate_limit=RateLimit(requests=_NO_LIMIT),
        )
        return self.run(self._open.enter_async_context(client))

    @cached_property
    def orah(self) -> OrahClient:
        """The school's Orah."""
        client = OrahClient(
            url=self.school.orah_url,
            api_key=self.school.orah_api_key.get_secret_value(),
            retry=Retry(attempts=_TRIES, wait_initial=_PAUSE, wait_max=_PAUSE),
        )
        return self.run(self._open.enter_async_context(client))
