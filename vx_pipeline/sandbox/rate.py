"""The rate window of each token: its first request opens it, and no more than the limit pass until it ends."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """The window after a request.

    Args:
        limit: requests in a window.
        remaining: requests left in it.
        reset: epoch seconds, rounded up, when it ends.
        exceeded: whether this request was one too many.
    """

    limit: int
    remaining: int
    reset: int
    exceeded: bool

    @property
    def headers(self) -> dict[str, str]:
        """The headers that every answer of the Data API carries."""
        return rate_headers(self.limit, self.remaining, str(self.reset))


def rate_headers(limit: int, remaining: int, reset: str) -> dict[str, str]:
    """The rate limit headers by their documented names."""
    return {
        "X-Rate-Limit-Limit": str(limit),
        "X-Rate-Limit-Remaining": str(remaining),
        "X-Rate-Limit-Reset": reset,
    }


class RateWindows:
    """The window of each token.

    Args:
        clock: epoch seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def spend(self, token_id: str, *, limit: int, seconds: float) -> Spent:
        """Counts a request. One that is refused for the limit is not counted (assumed)."""
        now = self._clock()
        opened, count = self._windows.get(token_id, (now, 0))
        if now >= opened + seconds:
            opened, count = now, 0
        exceeded = count >= limit
        count += not exceeded
        self._windows[token_id] = (opened, count)
        return Spent(limit, max(0, limit - count), math.ceil(opened + seconds), exceeded)
