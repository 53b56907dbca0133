"""Who is on an active pass: whose last move led off the grounds, lately; unknown when Orah cannot tell."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.client import Retry
from vx_pipeline.policies import GatePolicy
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.sync.passes import students_on_pass
from vx_pipeline_tests.conftest import SandboxFactory

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    made = make_sandbox(20, today=NOW.date())
    made.school.orah["location_record"].clear()
    return made


def on_pass(sandbox: Sandbox, **policy: Any) -> frozenset[int] | None:
    async def ask() -> frozenset[int] | None:
        retry = Retry(attempts=2, wait_initial=0.001, wait_max=0.002)
        async with OrahClient(
            url=sandbox.orah_api_url, api_key=sandbox.credentials.orah_api_key, retry=retry
        ) as orah:
            return await students_on_pass(orah, GatePolicy(**policy), NOW)

    return asyncio.run(ask())


def move(
    sandbox: Sandbox, place: int, state: str, ago: timedelta = timedelta(hours=1), kind: str = "in"
) -> int:
    """Moves a student, and returns the student's id in Orah."""
    student = sandbox.school.orah["student"][place]
    (location, *_) = (one for one in sandbox.school.orah["location"] if one["state"] == state)
    listed = sandbox.school.orah["location_record"]
    listed.append(
        {
            "model": "location_record",
            "id": 9000 + len(listed),
            "type": kind,
            "record_time": (NOW - ago).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "location": {"id": location["id"], "name": location["name"]},
            "student": {"id": student["id"], "sis_id": student["sis_id"]},
        }
    )
    return int(student["id"])


def test_only_who_is_off_the_grounds_now_is_on_a_pass(sandbox: Sandbox) -> None:
    away = move(sandbox, 0, "off_grounds")
    move(sandbox, 1, "on_grounds")
    move(sandbox, 2, "off_grounds", timedelta(hours=3))
    move(sandbox, 2, "on_grounds", timedelta(hours=1))
    move(sandbox, 3, "off_grounds", kind="out")
    old = move(sandbox, 4, "off_grounds", timedelta(days=14, hours=1))
    assert on_pass(sandbox) == frozenset({away})
    assert on_pass(sandbox, pass_days=15) == frozenset({away, old})


def test_a_school_names_the_states_that_mean_a_pass(sandbox: Sandbox) -> None:
    home = move(sandbox, 0, "home")
    assert on_pass(sandbox) == frozenset()
    assert on_pass(sandbox, pass_states=(" Home ", "off_grounds")) == frozenset({home})


def test_a_move_to_nowhere_may_lead_anywhere(sandbox: Sandbox) -> None:
    lost = move(sandbox, 0, "on_grounds")
    sandbox.school.orah["location_record"][-1]["location"] = None
    assert on_pass(sandbox) == frozenset({lost})


@pytest.mark.parametrize("path", ["*/location/tree", "*/location-record/get-current"])
def test_when_orah_cannot_tell_it_is_unknown(sandbox: Sandbox, path: str) -> None:
    sandbox.add_fault(Fault(FaultKind.STATUS, system="orah", path=path, times=None))
    assert on_pass(sandbox) is None
