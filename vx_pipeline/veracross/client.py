"""The Veracross client: puts the room's parts together for one school."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from vx_pipeline.addresses import secure_url, trusted_certificates
from vx_pipeline.veracross import probing, reading, writes
from vx_pipeline.veracross.auth import TokenAuth
from vx_pipeline.veracross.contract import Area, Endpoint, WriteEndpoint, scopes
from vx_pipeline.veracross.exchange import Exchange, RetryPolicy
from vx_pipeline.veracross.rate import RateBudget, RateLimit
from vx_pipeline.veracross.transport import BudgetedTransport, Tally

log = logging.getLogger(__name__)

_BODY_PATIENCE = 4
"""The whole body of an answer may take this many times as long as one pause in it."""

_POOL_PATIENCE = 20
"""Waiting for a free connection may take this many times as long as one pause in an answer."""


class VeracrossClient:
    """Talks to one school's Veracross. Use it as an async context manager; it may be entered again.

    Connections and tokens live as long as the ``async with`` block, rate budgets as long as the object.

    Args:
        school_route: the school's part of Veracross's addresses.
        client_id: of the school's OAuth application.
        client_secret: its secret; in no message, log or repr.
        api_url: the Data API's host; https, unless the host is this machine.
        accounts_url: the authorization server; the same.
        page_size: rows on a page, 1 to 1000.
        concurrency: requests in flight at a time, over everything this client does.
        timeout_seconds: how long to wait for a connection, and for each part of an answer.
        retry: how requests are tried again.
        rate_limit: the rule of each token's budget.
        clock: seconds that never run backwards, for the budgets.
        sleep: waits for the budgets' seconds.

    Raises:
        ConfigurationError: an address is not https.
    """

    def __init__(
        self,
        *,
        school_route: str,
        client_id: str,
        client_secret: str,
        api_url: str = "https://api.veracross.com",
        accounts_url: str = "https://accounts.veracross.com",
        page_size: int = 1000,
        concurrency: int = 4,
        timeout_seconds: float = 30,
        retry: RetryPolicy | None = None,
        rate_limit: RateLimit | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._route = quote(school_route, safe="")
        self._client_id = client_id
        self._client_secret = client_secret
        self._api_url = secure_url("VERACROSS_API_URL", api_url)
        self._accounts_url = secure_url("VERACROSS_ACCOUNTS_URL", accounts_url)
        self._page_size = page_size
        self._concurrency = concurrency
        self._timeout_seconds = timeout_seconds
        self._retry = retry or RetryPolicy()
        self._budgets = {
            area: RateBudget(area, rate_limit or RateLimit(), clock=clock, sleep=sleep) for area in Area
        }
        self._total = Tally()
        self._entered: Exchange | None = None

    def __repr__(self) -> str:
        return f"VeracrossClient(school_route={self._route!r}, api_url={self._api_url!r})"

    async def __aenter__(self) -> Self:
        # What belongs to an event loop is made here, so that an older loop's locks are never met again.
        limits = httpx.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency)
        http = httpx.AsyncClient(
            transport=BudgetedTransport(
                httpx.AsyncHTTPTransport(verify=trusted_certificates(), limits=limits), self._total
            ),
            headers={"Accept": "application/json"},
            # Waiting for a free connection is how the concurrency is bounded, so it may take long.
            timeout=httpx.Timeout(self._timeout_seconds, pool=_POOL_PATIENCE * self._timeout_seconds),
        )
        self._entered = Exchange(
            http=http,
            base_url=f"{self._api_url}/{self._route}/v3",
            tokens={area: self._token(http, area, scopes(area)) for area in Area},
            budgets=self._budgets,
            retry=self._retry,
            body_seconds=_BODY_PATIENCE * self._timeout_seconds,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        exchange, self._entered = self._exchange, None
        await exchange.http.aclose()

    @property
    def requests(self) -> int:
        """Requests sent to the Data API so far, retries included, calls for tokens not."""
        return self._total.requests

    @property
    def budgets(self) -> Mapping[Area, int]:
        """Requests that each area may send now without waiting."""
        return {area: budget.remaining for area, budget in self._budgets.items()}

    async def read(
        self,
        endpoint: Endpoint,
        *,
        parameters: Mapping[str, str] | None = None,
        parents: Sequence[int] | None = None,
        may_fail: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> reading.CompleteRead:
        """Reads a collection whole, or not at all.

        Args:
            endpoint: one of ``ENDPOINTS``.
            parameters: filters, of those in ``endpoint.query``.
            parents: ids to read a fan-out endpoint for; none of them, no rows, no request.
            may_fail: lists of so many parents may fail for good: they are left out and named. One more, and it
                is no matter of single records.
            progress: told after each page how many rows have come so far, those of repeated passes too.

        Raises:
            AccessError: credentials, scope, permission or school route.
            IncompleteReadError: a page failed for good, is no list of records, or records kept moving.
            ValueError: a filter that the endpoint does not have, or parents where there are none.
        """
        return await reading.read_whole(
            self._exchange,
            endpoint,
            page_size=self._page_size,
            concurrency=self._concurrency,
            parameters=parameters,
            parents=parents,
            may_fail=may_fail,
            progress=progress,
        )

    async def update_class_attendance(
        self,
        *,
        class_id: int,
        attendance_id: int,
        status: int | str | None,
        notes: str | None,
        unchanged: writes.Unchanged,
    ) -> None:
        """Writes status and notes of one attendance row, with the token that may write.

        Args:
            class_id: the class's internal id.
            attendance_id: the row's id.
            status: code of the school's value list; None where nobody took attendance.
            notes: None empties them.
            unchanged: asked before the write where it could not be sent at once: for its turn in the rate budget,
                or for another try, minutes may go by.

        Raises:
            ChangedError: the row is another one by then; nothing was sent.
            LostAnswerError: it may have landed; it was not sent twice. Read the row back.
            NotFoundError: there is no such row.
            AccessError: credentials, scope or permission; nothing was changed.
            ServiceError: refused, or Veracross could not be asked; nothing was changed.
        """
        await writes.update_class_attendance(
            self._exchange,
            class_id=class_id,
            attendance_id=attendance_id,
            status=status,
            notes=notes,
            unchanged=unchanged,
        )

    async def probe(self, endpoint: Endpoint | WriteEndpoint) -> probing.Probe:
        """Whether the endpoint can be used, and how far the clocks are apart. Findings are no exceptions."""
        exchange = self._exchange

        def one_scope(scope: str) -> TokenAuth:
            return self._token(exchange.http, endpoint.area, (scope,))

        return await probing.probe(exchange, endpoint, one_scope)

    @property
    def _exchange(self) -> Exchange:
        if self._entered is None:
            raise RuntimeError("VeracrossClient is used outside its `async with` block")
        return self._entered

    def _token(self, http: httpx.AsyncClient, area: Area, wanted: tuple[str, ...]) -> TokenAuth:
        return TokenAuth(
            name=area,
            scopes=wanted,
            school_route=self._route,
            accounts_url=self._accounts_url,
            client_id=self._client_id,
            client_secret=self._client_secret,
            http=http,
        )
