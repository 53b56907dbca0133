"""The door through which every request leaves: it counts, and makes requests wait for the rate budget.

Standing below authentication, it also sees the second sending of a request whose token was refused.
"""

from dataclasses import dataclass

import httpx

from vx_pipeline.veracross.rate import RateBudget


@dataclass
class Tally:
    """How many requests were sent for one purpose, e.g. one read."""

    requests: int = 0


class BudgetedTransport(httpx.AsyncBaseTransport):
    """Sends requests that carry a budget and a tally in their extensions; others, as for tokens, pass freely.

    Args:
        inner: sends for real.
        total: counts all requests that took from a budget.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, total: Tally) -> None:
        self._inner = inner
        self._total = total

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Waits for the budget, sends, and lets the budget learn from the answer's headers."""
        budget = request.extensions.get("budget")
        if not isinstance(budget, RateBudget):
            return await self._inner.handle_async_request(request)
        await budget.acquire()
        response = None
        try:
            self._total.requests += 1
            tally = request.extensions.get("tally")
            if isinstance(tally, Tally):
                tally.requests += 1
            response = await self._inner.handle_async_request(request)
            return response
        finally:
            budget.release(
                response.headers if response is not None else None,
                refused=response is not None and response.status_code == httpx.codes.TOO_MANY_REQUESTS,
            )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._inner.aclose()
