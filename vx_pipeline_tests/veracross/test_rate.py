"""The rate budget: never more than the limit in any window, whatever the server's headers say."""

import asyncio
import bisect
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.veracross.rate import Hint, RateBudget, RateLimit, SlidingWindow, read_hint

NOW = 1_790_000_000.0

ODD_VALUES = st.one_of(
    st.none(),
    st.integers(-(10**15), 10**15).map(str),
    st.floats().map(str),
    st.integers(0, 4 * 10**9).map(lambda seconds: formatdate(seconds, usegmt=True)),
    st.sampled_from(
        ["", "soon", "1e400", "2026-11-23T02:00:00Z", "Thu, 99 Foo 2026 00:00:00 GMT", "0x10", "½"]
    ),
    st.text(max_size=12),
)


@st.composite
def rate_headers(draw: st.DrawFn) -> dict[str, str]:
    names = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset", "Date")
    values = {name: draw(ODD_VALUES) for name in names}
    return {name: value for name, value in values.items() if value is not None}


class TestHint:
    @pytest.mark.parametrize(
        ("reset", "expected"),
        [
            (str(int(NOW) + 90), 90.0),  # epoch seconds, as clients in the wild read it
            ("90", 90.0),  # a countdown
            (formatdate(NOW + 90, usegmt=True), 90.0),
            ("2026-09-21T14:14:50Z", 90.0),
            (str(int(NOW + 90) * 1000), 180.0),  # milliseconds look like a far future
            (str(int(NOW) + 10**6), 180.0),
            (str(int(NOW) - 5), None),
            ("0", None),
            ("-3", None),
            ("nan", None),
            ("inf", None),
            ("soon", None),
            ("", None),
            (None, None),
        ],
    )
    def test_a_reset_in_any_spelling(self, reset: str | None, expected: float | None) -> None:
        headers = {} if reset is None else {"X-Rate-Limit-Reset": reset}
        assert read_hint(headers, window_seconds=180, now=NOW).seconds_left == expected

    def test_a_wrong_host_clock_does_not_matter_when_the_answer_has_a_date(self) -> None:
        headers = {"X-Rate-Limit-Reset": str(int(NOW) + 90), "Date": formatdate(NOW, usegmt=True)}
        assert read_hint(headers, window_seconds=180, now=NOW - 86_400).seconds_left == 90

    @given(headers=rate_headers(), now=st.floats(0, 4e9))
    def test_no_header_breaks_it_or_makes_anybody_wait_longer_than_a_window(
        self, headers: dict[str, str], now: float
    ) -> None:
        hint = read_hint(headers, window_seconds=180, now=now)
        assert hint.limit is None or hint.limit >= 1
        assert hint.remaining is None or hint.remaining >= 0
        assert hint.seconds_left is None or 0 < hint.seconds_left <= 180


@given(
    limit=st.integers(1, 6),
    steps=st.lists(
        st.tuples(
            st.integers(0, 15),  # time that passes
            st.sampled_from(["send", "send", "send", "answer"]),
            st.integers(0, 10**6),  # which request is answered, and when it reached the server
            rate_headers(),
            st.booleans(),
        ),
        max_size=150,
    ),
)
def test_never_more_than_the_limit_in_any_window_and_never_stuck(
    limit: int, steps: list[tuple[int, str, int, dict[str, str], bool]]
) -> None:
    seconds = 10
    window = SlidingWindow(RateLimit(limit, seconds))
    now = 0
    in_flight: list[int] = []
    reached_server: list[int] = []

    for passed, action, choice, headers, refused in steps:
        now += passed
        assert 0 <= window.wait(now) <= seconds
        assert (window.wait(now) == 0) == (window.remaining(now) > 0)
        if action == "send" and window.wait(now) == 0:
            window.take()
            in_flight.append(now)
        elif action == "answer" and in_flight:
            sent = in_flight.pop(choice % len(in_flight))
            reached_server.append(sent + choice % (now - sent + 1))
            hint = read_hint(headers, window_seconds=seconds, now=NOW + now)
            window.give_back(now, hint, refused=refused)
    # Those without an answer reached the server at once, or only now.
    for arrivals in (reached_server + in_flight, reached_server + [now] * len(in_flight)):
        arrivals.sort()
        for index, first in enumerate(arrivals):
            assert bisect.bisect_left(arrivals, first + seconds) - index <= limit


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def budget(clock: Clock, limit: RateLimit) -> RateBudget:
    return RateBudget("people", limit, clock=clock, wall_clock=lambda: NOW + clock.now, sleep=clock.sleep)


async def send(budget: RateBudget, headers: dict[str, str] | None = None, *, refused: bool = False) -> None:
    await budget.acquire()
    budget.release(headers, refused=refused)


def test_without_any_header_its_own_count_keeps_the_rule() -> None:
    clock = Clock()
    people = budget(clock, RateLimit(3, 180))

    async def seven() -> None:
        for _ in range(7):
            await send(people)

    asyncio.run(seven())
    assert clock.slept == [180, 180]
    assert people.remaining == 2


def test_it_learns_a_lower_limit_but_never_goes_above_the_documented_one() -> None:
    clock = Clock()
    people = budget(clock, RateLimit(300, 180))
    asyncio.run(send(people, {"X-Rate-Limit-Limit": "20"}))
    assert people.remaining == 19
    asyncio.run(send(people, {"X-Rate-Limit-Limit": "9000"}))
    assert people.remaining == 298


def test_it_waits_for_the_servers_window_when_the_server_counted_more_than_we_did() -> None:
    clock = Clock()
    people = budget(clock, RateLimit(300, 180))
    asyncio.run(send(people, {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(int(NOW) + 42)}))
    assert people.remaining == 0
    asyncio.run(people.acquire())
    assert clock.slept == [42]


def test_a_refusal_without_a_usable_reset_waits_until_the_window_of_our_oldest_request_ends() -> None:
    clock = Clock()
    people = budget(clock, RateLimit(300, 180))
    asyncio.run(send(people))
    clock.now += 100
    asyncio.run(
        send(people, {"X-Rate-Limit-Remaining": "7", "X-Rate-Limit-Reset": "yesterday"}, refused=True)
    )
    asyncio.run(people.acquire())
    assert clock.slept == [80]


def test_a_request_without_an_answer_still_counts() -> None:
    people = budget(Clock(), RateLimit(2, 180))
    asyncio.run(send(people))
    asyncio.run(people.acquire())
    assert people.remaining == 0


def test_many_waiting_at_once_do_not_slip_through_together() -> None:
    clock = Clock()
    people = budget(clock, RateLimit(2, 180))
    sent: list[float] = []

    async def one() -> None:
        await people.acquire()
        sent.append(clock.now)
        people.release(None)

    async def many() -> None:
        await asyncio.gather(*(one() for _ in range(6)))

    asyncio.run(many())
    assert all(sum(moment <= other < moment + 180 for other in sent) <= 2 for moment in sent)


def test_a_hint_says_nothing_by_default() -> None:
    assert Hint() == Hint(None, None, None)
