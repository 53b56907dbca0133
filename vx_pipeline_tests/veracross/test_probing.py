"""Probes tell what is granted, what is missing, and whether the clocks agree."""

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from vx_pipeline.veracross import ENDPOINTS, UPDATE_CLASS_ATTENDANCE, Probe, Standing
from vx_pipeline.veracross.contract import Endpoint, WriteEndpoint
from vx_pipeline_tests.veracross.stand_in import Answer, Request, StandIn, people, rows, with_stand_in

STUDENTS = ENDPOINTS["students"]


def probe(
    endpoint: Endpoint | WriteEndpoint,
    answer: Callable[[Request], Answer],
    *,
    granted: set[str] | None = None,
    says_scope: bool = True,
) -> tuple[Probe, StandIn]:
    """Probes a server that gives tokens for the granted scopes only; for all of them if none are named."""
    found: list[Probe] = []

    async def use(veracross: StandIn) -> None:
        def token(request: Request) -> Answer:
            asked = request.form["scope"][0]
            if granted is not None and not set(asked.split()) <= granted:
                if not says_scope:
                    return Answer({"error": "invalid_scope"}, status=400)
                asked = " ".join(granted & set(asked.split()))
            return Answer({"access_token": "t", "expires_in": 3600, "scope": asked})

        veracross.answer_token = token
        async with veracross.client() as client:
            found.append(await client.probe(endpoint))

    veracross = with_stand_in(answer, use)
    return found[0], veracross


def test_granted_with_one_row_and_the_clocks_compared() -> None:
    def an_hour_ahead(_: Request) -> Answer:
        return Answer({"data": people(1, 1)}, headers={"Date": formatdate(time.time() + 3600, usegmt=True)})

    found, veracross = probe(STUDENTS, an_hour_ahead)
    assert (found.standing, found.scope) == (Standing.GRANTED, "students:list")
    assert found.clock_skew_seconds is not None
    assert 3500 < found.clock_skew_seconds < 3700
    assert veracross.requests[0].headers["x-page-size"] == "1"
    assert "Person" not in repr(found)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_an_endpoint_with_parents_is_asked_for_one_that_does_not_exist(status: int) -> None:
    found, veracross = probe(
        ENDPOINTS["meeting_times"], lambda _: rows() if status == 200 else Answer(b"", status=status)
    )
    assert found.standing is Standing.GRANTED
    assert veracross.requests[0].path.endswith("/academics/classes/0/meeting_times")


@pytest.mark.parametrize("says_scope", [True, False], ids=["a smaller token", "no token"])
def test_which_of_an_areas_scopes_is_missing(says_scope: bool) -> None:
    answer: Callable[[Request], Answer] = lambda _: rows()  # noqa: E731
    granted = {"students:list", "parents:list"}
    found, _ = probe(STUDENTS, answer, granted=granted, says_scope=says_scope)
    assert found.standing is Standing.GRANTED
    found, _ = probe(ENDPOINTS["households"], answer, granted=granted, says_scope=says_scope)
    assert found.standing is Standing.MISSING_SCOPE
    assert "households:list" in found.detail
    assert "OAuth_App_Admin" in found.remedy


def test_the_write_is_probed_without_writing() -> None:
    found, veracross = probe(UPDATE_CLASS_ATTENDANCE, lambda _: Answer(status=500))
    assert found.standing is Standing.GRANTED
    assert veracross.requests == []
    found, _ = probe(UPDATE_CLASS_ATTENDANCE, lambda _: rows(), granted=set(), says_scope=False)
    assert found.standing is Standing.MISSING_SCOPE


def test_refused_and_unreachable() -> None:
    found, _ = probe(STUDENTS, lambda _: Answer(status=401))
    assert found.standing is Standing.REFUSED
    for trouble in (Answer(status=500), Answer(status=404), Answer(silent=True)):
        found, _ = probe(STUDENTS, lambda _, trouble=trouble: trouble)  # type: ignore[misc]
        assert found.standing is Standing.UNREACHABLE
        assert "/students" in found.detail
