"""Tokens: one for each area, shared, renewed in time and once after a 401; refusals in words for people."""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from vx_pipeline.errors import AccessError, ConfigurationError, IncompleteReadError
from vx_pipeline.veracross import ENDPOINTS, Area, Endpoint, RateLimit, RetryPolicy, VeracrossClient, scopes
from vx_pipeline_tests.veracross.stand_in import (
    CLIENT_ID,
    ROUTE,
    SECRET,
    Answer,
    Request,
    StandIn,
    rows,
    with_stand_in,
)

STUDENTS = ENDPOINTS["students"]
MEETINGS = ENDPOINTS["meeting_times"]
REFUSED = Answer({"error": "Not authorized", "error_id": "e1"}, status=401)


def read(
    endpoints: Sequence[Endpoint],
    answer: Callable[[Request], Answer] = lambda _: rows(),
    *,
    prepare: Callable[[StandIn], None] = lambda _: None,
    **client_options: Any,
) -> StandIn:
    """Reads one endpoint after the other; those with parents for twelve of them."""

    async def use(veracross: StandIn) -> None:
        prepare(veracross)
        async with veracross.client(**client_options) as client:
            for endpoint in endpoints:
                await client.read(endpoint, parents=range(1, 13) if endpoint.path_param else None)

    return with_stand_in(answer, use)


def answering_tokens(*answers: Answer) -> Callable[[StandIn], None]:
    """The token calls' first answers; then good ones."""
    left = list(answers)

    def prepare(veracross: StandIn) -> None:
        veracross.answer_token = lambda request: left.pop(0) if left else veracross.give_token(request)

    return prepare


class TestAsking:
    def test_one_form_encoded_call_for_each_area(self) -> None:
        veracross = read([ENDPOINTS[name] for name in ("students", "parents", "classes", "meeting_times")])
        assert len(veracross.token_requests) == 2
        first = veracross.token_requests[0]
        assert (first.method, first.path) == ("POST", f"/{ROUTE}/oauth/token")
        assert first.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "authorization" not in first.headers
        assert first.form == {
            "grant_type": ["client_credentials"],
            "client_id": [CLIENT_ID],
            "client_secret": [SECRET],
            "scope": [" ".join(scopes(Area.PEOPLE))],
        }

    def test_all_areas_together_need_fewer_tokens_than_live_at_a_time(self) -> None:
        assert len(read(list(ENDPOINTS.values())).token_requests) == 5

    def test_requests_that_start_together_share_one_call(self) -> None:
        slow = Answer({"access_token": "x", "expires_in": 3600}, delay=0.02)
        assert len(read([MEETINGS], prepare=answering_tokens(slow)).token_requests) == 1

    def test_a_token_is_renewed_before_it_expires(self, monkeypatch: pytest.MonkeyPatch) -> None:
        started = time.time()
        now = [started]
        monkeypatch.setattr("authlib.oauth2.rfc6749.wrappers.time.time", lambda: now[0])

        async def use(veracross: StandIn) -> None:
            async with veracross.client() as client:
                for age, tokens in ((0, 1), (3500, 1), (3545, 2), (3600, 2)):
                    now[0] = started + age
                    await client.read(STUDENTS)
                    assert len(veracross.token_requests) == tokens

        with_stand_in(lambda _: rows(), use)

    @pytest.mark.parametrize("life", [None, "soon", 20, "20"])
    def test_an_unknown_or_short_life_does_not_make_every_request_ask(self, life: Any) -> None:
        token = Answer({"access_token": "x", "expires_in": life})
        assert len(read([STUDENTS] * 4, prepare=answering_tokens(token)).token_requests) == 1


class TestRefusedToken:
    @pytest.mark.parametrize(
        ("endpoint", "requests"), [(STUDENTS, 2), (MEETINGS, 16)], ids=["one", "twelve, four at a time"]
    )
    def test_an_expired_or_revoked_token_is_replaced_once_for_all_requests(
        self, endpoint: Endpoint, requests: int
    ) -> None:
        def only_the_second(request: Request) -> Answer:
            return REFUSED if request.token == "token-1" else rows()

        # Without a second try, nobody may fail for want of a connection while the refused ones are held.
        once = RetryPolicy(attempts=1)
        veracross = read([endpoint], only_the_second, retry=once)
        assert len(veracross.token_requests) == 2
        assert len(veracross.requests) == requests
        assert all(request.token == "token-2" for request in veracross.requests[4:])

    def test_refused_again_is_final_and_names_scopes_and_remedy(self) -> None:
        asked: list[Request] = []

        def answer(request: Request) -> Answer:
            asked.append(request)
            return REFUSED

        with pytest.raises(AccessError) as caught:
            read([STUDENTS], answer)
        assert len(asked) == 2
        assert "people" in caught.value.what
        assert "students:list" in caught.value.what
        assert "OAuth_App_Admin" in caught.value.remedy
        assert ROUTE in caught.value.remedy
        assert "last good tables stay" in caught.value.kept

    def test_a_token_that_says_what_it_lacks_is_quoted(self) -> None:
        less = Answer({"access_token": "x", "scope": "students:list parents:list"})
        with pytest.raises(AccessError, match=r"The token lacks: .*households:list") as caught:
            read([ENDPOINTS["households"]], lambda _: REFUSED, prepare=answering_tokens(less, less))
        assert "students:list" not in str(caught.value)

    def test_every_request_of_a_refused_fan_out_stops_and_none_waits_for_ever(self) -> None:
        with pytest.raises(AccessError):
            read([MEETINGS], lambda _: REFUSED)

    def test_forbidden_is_access_trouble(self) -> None:
        with pytest.raises(AccessError, match="403"):
            read([STUDENTS], lambda _: Answer({"error": "no"}, status=403))


class TestNoToken:
    @pytest.mark.parametrize(
        ("answer", "names"),
        [
            (Answer(b"<html>nobody</html>", status=404), ["VERACROSS_SCHOOL_ROUTE", ROUTE]),
            (Answer({"error": "invalid_client"}, status=400), ["VERACROSS_CLIENT_ID"]),
            (Answer({"error": "whatever"}, status=401), ["VERACROSS_CLIENT_SECRET"]),
            (Answer({"error": "invalid_scope"}, status=400), ["students:list", "OAuth_App_Admin", "people"]),
            (Answer({"error": "unsupported_grant_type"}, status=400), ["vx doctor", ROUTE]),
            (Answer(b"", status=415), ["415"]),
        ],
    )
    def test_refusals_name_what_to_mend(self, answer: Answer, names: list[str]) -> None:
        with pytest.raises(AccessError) as caught:
            read([STUDENTS], prepare=answering_tokens(*[answer] * 9))
        assert all(name in str(caught.value) for name in names)

    def test_trouble_of_the_authorization_server_passes(self) -> None:
        troubles = [
            Answer(b"<html>", status=503),
            Answer({"error": "x"}, status=429),
            Answer(silent=True),
            Answer(b"<html>hello</html>"),
        ]
        veracross = read([STUDENTS], prepare=answering_tokens(*troubles))
        assert len(veracross.token_requests) == 5
        assert len(veracross.requests) == 1

    @pytest.mark.parametrize("body", [[], {}, {"access_token": None}, "token"])
    def test_an_answer_without_a_token_is_no_token(self, body: Any) -> None:
        with pytest.raises(IncompleteReadError, match="no token in the answer"):
            read([STUDENTS], prepare=answering_tokens(*[Answer(body)] * 5))


class TestSecrets:
    def test_none_is_in_reprs_logs_or_tracebacks(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        shown: list[str] = []

        async def use(veracross: StandIn) -> None:
            async with veracross.client() as client:
                shown.extend([repr(client), str(client), repr(client._exchange)])
                try:
                    await client.read(STUDENTS)
                except AccessError:
                    shown.append(traceback.format_exc())

        with_stand_in(lambda _: REFUSED, use)
        answering = answering_tokens(*[Answer({"error": "invalid_client", "echo": SECRET}, status=400)] * 3)
        try:
            read([STUDENTS], prepare=answering)
        except AccessError:
            shown.append(traceback.format_exc())
        everything = "\n".join([*shown, caplog.text])
        assert len(shown) == 5
        assert "Veracross refused a new token of people" in everything
        for secret in (SECRET, "s3cret", "token-1", "token-2"):
            assert secret not in everything


@pytest.mark.parametrize("setting", ["api_url", "accounts_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.org",
        "ftp://127.0.0.1",
        "api.example.org",
        "",
        "http://127.0.0.1.example.org",
        "h\0",
    ],
)
def test_plain_http_is_for_this_machine_only(setting: str, url: str) -> None:
    options = {"school_route": ROUTE, "client_id": CLIENT_ID, "client_secret": SECRET, setting: url}
    with pytest.raises(ConfigurationError, match=f"VERACROSS_{setting.upper()} is not an https address"):
        VeracrossClient(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["https://gateway.example.org/v", "http://localhost:1", "http://[::1]:8/"])
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert VeracrossClient(school_route=ROUTE, client_id="a", client_secret="b", api_url=url).requests == 0


def test_budgets_are_told_for_each_area() -> None:
    async def use(veracross: StandIn) -> None:
        async with veracross.client(rate_limit=RateLimit()) as client:
            await asyncio.gather(client.read(STUDENTS), client.read(ENDPOINTS["parents"]))
            assert client.budgets[Area.PEOPLE] == 298
            assert client.budgets[Area.BOARDING] == 300
            assert client.requests == 2

    with_stand_in(lambda _: rows(), use)
