"""The running sandbox: both stand-ins, the school behind them, and the levers of a test."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import date, datetime
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from vx_pipeline.sandbox.accounts import Accounts
from vx_pipeline.sandbox.control import Control
from vx_pipeline.sandbox.data_api import DataApi
from vx_pipeline.sandbox.doorway import Doorway, System
from vx_pipeline.sandbox.faults import Fault, FaultBox
from vx_pipeline.sandbox.hands import Hands
from vx_pipeline.sandbox.hosting import Hosting
from vx_pipeline.sandbox.journal import Journal
from vx_pipeline.sandbox.orah_api import OrahApi
from vx_pipeline.sandbox.orah_tenant import Tenant
from vx_pipeline.sandbox.rules import GRANTABLE_SCOPES, Credentials
from vx_pipeline.sandbox.school import School, generate
from vx_pipeline.sandbox.tokens import TokenStore
from vx_pipeline.sandbox.updates import AttendanceRows

_TIMEZONE = "America/New_York"


class Sandbox:
    """A stand-in Veracross and Orah on loopback. Use it as a context manager, or call ``start`` and ``stop``.

    The attributes may be changed while it runs; the next request sees it.

    Args:
        students: how many current students the school has.
        seed: decides everything that is left to chance.
        today: the school's today; None for the day that it is.
        token_life_seconds: how long a new token lives.
        rate_limit: requests in a window.
        rate_window_seconds: length of the window that a token's first request opens.
        hang_seconds: how long a hanging answer hangs, unless the fault says.
        school: a school of your own, instead of `students`, `seed` and `today`; it is not copied.

    Attributes:
        school: the live records. Change lists and records in place, between requests.
        clock: epoch seconds; replace it to turn time.
        credentials: what a client needs to be let in.
        journal: every request and every write.
        granted_scopes: what the school granted; remove one and new tokens cannot have it.
        orah_forbidden: resources that the Orah key may not touch, e.g. ``{"student"}``.
        hands: what people of the school do in either system.
    """

    def __init__(
        self,
        students: int = 420,
        seed: int = 7,
        today: date | None = None,
        *,
        token_life_seconds: float = 3600,
        rate_limit: int = 300,
        rate_window_seconds: float = 180,
        hang_seconds: float = 60,
        school: School | None = None,
    ) -> None:
        if school is None:
            today = today or datetime.now(ZoneInfo(_TIMEZONE)).date()
            school = generate(students=students, seed=seed, today=today, timezone=_TIMEZONE)
        self.school: School = school
        self.token_life_seconds = token_life_seconds
        self.rate_limit = rate_limit
        self.rate_window_seconds = rate_window_seconds
        self.hang_seconds = hang_seconds
        self.clock: Callable[[], float] = time.time
        self.credentials = Credentials(
            client_id=f"sandbox-{secrets.token_hex(8)}",
            client_secret=secrets.token_urlsafe(32),
            orah_api_key=secrets.token_urlsafe(32),
        )
        self.journal = Journal()
        self.granted_scopes: set[str] = set(GRANTABLE_SCOPES)
        self.orah_forbidden: set[str] = set()
        self._box = FaultBox()
        self._tenant = Tenant(self)
        self._rows = AttendanceRows(self)
        self.hands = Hands(self, self._tenant, self._rows)
        self._hosting: Hosting | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listens on four free loopback ports; returns when requests are answered.

        Raises:
            RuntimeError: it runs already, or did not come up.
        """
        if self._hosting is not None:
            raise RuntimeError("The sandbox runs already.")
        tokens = TokenStore(lambda: self.clock())
        systems: dict[str, System] = {
            "accounts": Accounts(self, tokens),
            "data": DataApi(self, tokens, self._rows),
            "orah": OrahApi(self, self._tenant),
        }
        control = Control(self, self._box, self.hands)
        stopping = asyncio.Event()
        apps = {
            name: Doorway(system, self, self.journal, self._box, stopping) for name, system in systems.items()
        }
        apps["control"] = Doorway(control, self, None, self._box, stopping)
        self._hosting = Hosting(apps, stopping)
        self._hosting.start()

    def stop(self) -> None:
        """Closes all connections and sockets and waits for the servers' thread; again does no harm."""
        hosting, self._hosting = self._hosting, None
        if hosting is not None:
            hosting.stop()

    @property
    def veracross_accounts_url(self) -> str:
        """Clients append ``/{route}/oauth/token``."""
        return self._url("accounts")

    @property
    def veracross_api_url(self) -> str:
        """Clients append ``/{route}/v3/...``."""
        return self._url("data")

    @property
    def orah_api_url(self) -> str:
        """Clients append ``/open-api/<resource>/<action>``."""
        return self._url("orah")

    @property
    def control_url(self) -> str:
        """For tests and demos in another process; see ``vx_pipeline.sandbox.control``."""
        return self._url("control")

    def add_fault(self, fault: Fault) -> None:
        """Puts a fault into force."""
        self._box.add(fault)

    def clear_faults(self) -> None:
        """Ends all faults, those for good too."""
        self._box.clear()

    def _url(self, name: str) -> str:
        if self._hosting is None:
            raise RuntimeError("The sandbox does not run.")
        return self._hosting.urls[name]
