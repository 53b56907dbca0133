"""The rate budget of a token: never more than 300 requests in any 3 minutes.

The rule is kept by our own count and rests on nothing the server says: its headers can only make us slower.
Deciding (:class:`SlidingWindow`) is apart from waiting (:class:`RateBudget`).
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

log = logging.getLogger(__name__)

_SHORTEST_SLEEP = 0.001
_WORTH_TELLING = 1.0


@dataclass(frozen=True)
class RateLimit:
    """How many requests a token may send in how many seconds. Source: Veracross's API documentation."""

    requests: int = 300
    seconds: float = 180.0


@dataclass(frozen=True)
class Hint:
    """What an answer's headers say about the server's own count; None where they say nothing usable.

    Args:
        limit: requests in a window.
        remaining: requests left in the window.
        seconds_left: until the window ends.
    """

    limit: int | None = None
    remaining: int | None = None
    seconds_left: float | None = None


def read_hint(headers: Mapping[str, str], *, window_seconds: float, now: float) -> Hint:
    """Reads the ``X-Rate-Limit-*`` headers, whatever they hold.

    Args:
        headers: of an answer; looked up without regard to case.
        window_seconds: no window ends later than this.
        now: epoch seconds on our clock, used if the answer has no usable ``Date``: with the server's own,
            a wrong host clock does not matter.
    """
    limit = _number(headers.get("X-Rate-Limit-Limit"))
    remaining = _number(headers.get("X-Rate-Limit-Remaining"))
    reset = headers.get("X-Rate-Limit-Reset")
    served = _epoch(headers.get("Date"))
    return Hint(
        limit=int(limit) if limit is not None and limit >= 1 else None,
        remaining=max(0, int(remaining)) if remaining is not None else None,
        seconds_left=_seconds_left(reset, window_seconds, now if served is None else served),
    )


def _seconds_left(reset: str | None, window_seconds: float, now: float) -> float | None:
    """Seconds until a reset given as epoch seconds, a date, or a countdown; None if past or unreadable."""
    number = _number(reset)
    if number is None:
        number = _epoch(reset)
    if number is None:
        return None
    # A number within one window can only be a countdown: as a moment it would lie in January 1970.
    left = number if number <= window_seconds else number - now
    return min(left, window_seconds) if left > 0 else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _epoch(text: str | None) -> float | None:
    """Epoch seconds of an HTTP date or an ISO 8601 moment; without an offset it is UTC."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text or "")
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            continue
    return None


class SlidingWindow:
    """Which requests still count, at any moment of a clock that the caller reads.

    A request counts from before it is sent until one whole window after its answer. It reached the server
    somewhere in between, so whatever window the server counts in, it never sees more than the limit.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._most = limit.requests
        self._limit = limit.requests
        self._seconds = limit.seconds
        self._in_flight = 0
        self._answered: deque[float] = deque()
        self._server_left: int | None = None
        self._server_until = -math.inf

    def remaining(self, now: float) -> int:
        """Requests that may be sent at once."""
        self._forget(now)
        left = self._limit - self._in_flight - len(self._answered)
        if self._server_left is not None:
            left = min(left, self._server_left)
        return max(0, left)

    def wait(self, now: float) -> float:
        """Seconds until a request may be sent; 0 if at once, never more than one window."""
        if self.remaining(now) > 0:
            return 0.0
        waits = [0.0]
        if self._server_left is not None and self._server_left <= 0:
            waits.append(self._server_until - now)
        too_many = self._in_flight + len(self._answered) - self._limit
        if too_many >= 0:
            ends = self._answered[too_many] if too_many < len(self._answered) else now
            waits.append(ends + self._seconds - now)
        return max(waits)

    def take(self) -> None:
        """A request is about to be sent; :meth:`wait` said 0 at this very moment."""
        self._in_flight += 1
        if self._server_left is not None:
            self._server_left -= 1

    def give_back(self, now: float, hint: Hint, *, refused: bool = False) -> None:
        """The request was answered, or failed.

        Args:
            now: the moment.
            hint: what the answer said; empty without an answer.
            refused: the answer was 429: whatever the headers say, nothing is left in the server's window.
        """
        self._in_flight -= 1
        self._answered.append(now)
        self._forget(now)
        if hint.limit is not None:
            self._limit = min(self._most, hint.limit)
        remaining = 0 if refused else hint.remaining
        if remaining is None:
            return
        # The server may not have counted those on their way yet.
        self._server_left = remaining - self._in_flight
        # Without a usable reset: the window began with its first request, at the latest with our oldest.
        left = hint.seconds_left
        self._server_until = now + left if left is not None else self._answered[0] + self._seconds

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0] + self._seconds <= now:
            self._answered.popleft()
        if self._server_until <= now:
            self._server_left = None


class RateBudget:
    """Makes requests wait for their turn.

    Args:
        name: whose budget, for the log.
        limit: the rule.
        clock: seconds that never run backwards.
        wall_clock: epoch seconds.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        name: str,
        limit: RateLimit,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._seconds = limit.seconds
        self._window = SlidingWindow(limit)
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep

    @property
    def remaining(self) -> int:
        """Requests that may be sent now without waiting."""
        return self._window.remaining(self._clock())

    async def acquire(self) -> None:
        """Returns when one request may be sent; it must be followed by :meth:`release`."""
        await self.free()
        self._window.take()

    async def free(self) -> bool:
        """Returns when a request could be sent at once; tells whether that had to be waited for."""
        waited = False
        while (seconds := self._window.wait(self._clock())) > 0:
            if seconds > _WORTH_TELLING:
                log.info(
                    "Rate budget %s is used up: waiting %.0f s for the window to end.", self._name, seconds
                )
            await self._sleep(max(seconds, _SHORTEST_SLEEP))
            waited = True
        return waited

    def release(self, headers: Mapping[str, str] | None, *, refused: bool = False) -> None:
        """The request is over, with the answer's headers or without an answer; ``refused`` means 429."""
        hint = Hint()
        if headers is not None:
            hint = read_hint(headers, window_seconds=self._seconds, now=self._wall_clock())
        self._window.give_back(self._clock(), hint, refused=refused)
