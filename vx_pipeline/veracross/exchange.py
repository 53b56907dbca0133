"""One request and its answer: with a token, within the rate budget, tried again while trouble may pass."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import stamina

from vx_pipeline.errors import AccessError
from vx_pipeline.veracross.auth import TokenAuth
from vx_pipeline.veracross.contract import Area
from vx_pipeline.veracross.failures import PassingError, check_status, json_of
from vx_pipeline.veracross.rate import RateBudget
from vx_pipeline.veracross.transport import Tally


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a request is tried; waits grow exponentially, with jitter.

    Args:
        attempts: tries in all.
        wait_initial: seconds before the second try.
        wait_max: the longest wait in seconds.
    """

    attempts: int = 5
    wait_initial: float = 0.5
    wait_max: float = 20.0

    def tries(self) -> AsyncIterator[stamina.Attempt]:
        """Attempts, as ``with`` blocks, until one does not raise :class:`PassingError`."""
        return aiter(
            stamina.retry_context(
                on=PassingError,
                attempts=self.attempts,
                timeout=None,
                wait_initial=self.wait_initial,
                wait_max=self.wait_max,
                wait_jitter=self.wait_initial,
            )
        )


@dataclass(frozen=True)
class Exchange:
    """What every request to the Data API needs. Belongs to one running event loop.

    Args:
        http: whose transport is a :class:`~vx_pipeline.veracross.transport.BudgetedTransport`.
        base_url: the school's Data API, ending in ``/v3``.
        tokens: one for each area.
        budgets: one for each area.
        retry: for reads.
        body_seconds: how long the body of an answer may take, however slowly it drips.
    """

    http: httpx.AsyncClient
    base_url: str
    tokens: Mapping[Area, TokenAuth]
    budgets: Mapping[Area, RateBudget]
    retry: RetryPolicy
    body_seconds: float

    async def get(
        self,
        area: Area,
        path: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        tally: Tally,
    ) -> Any:
        """Reads the JSON of one page.

        Raises:
            AccessError: credentials, scope or permission.
            PassingError: it went wrong every time.
            RefusedError: another try would end the same way.
        """
        async for attempt in self.retry.tries():
            with attempt:
                request = self.request(area, "GET", path, tally, params=query, headers=headers)
                return json_of(await self.try_once(area, request))
        raise AssertionError("a retry loop ends by returning or raising")

    def request(self, area: Area, method: str, path: str, tally: Tally, **content: Any) -> httpx.Request:
        """A request that will wait for the area's budget and is counted."""
        return self.http.build_request(
            method,
            self.base_url + path,
            extensions={"budget": self.budgets[area], "tally": tally},
            **content,
        )

    async def try_once(self, area: Area, request: httpx.Request) -> httpx.Response:
        """Sends a request that changes nothing.

        Raises:
            AccessError, PassingError, RefusedError: as in :meth:`get`.
        """
        try:
            response = await self.send(area, request)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            raise PassingError(type(error).__name__) from None
        check_status(response)
        return response

    async def send(self, area: Area, request: httpx.Request) -> httpx.Response:
        """The bare sending, for writes too; an answer with its body read, of any status but 401 and 403.

        Raises:
            AccessError: credentials, scope or permission; nothing was processed.
            PassingError: no token was to be had; the request was not sent.
            httpx.TransportError, httpx.DecodingError, TimeoutError: no whole answer came.
        """
        response = await self.http.send(request, auth=self.tokens[area], stream=True)
        try:
            async with asyncio.timeout(self.body_seconds):
                await response.aread()
        finally:
            await response.aclose()
        if response.status_code == httpx.codes.FORBIDDEN:
            raise AccessError(
                f"Veracross forbids {request.method} {request.url.path} (403).",
                kept="Nothing was changed; the last good tables stay.",
                remedy="The school's OAuth_App_Admin checks the OAuth application and the address it may be "
                "used from.",
            )
        return response
