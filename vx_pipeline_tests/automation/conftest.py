"""Fixtures: a school in whose Orah nobody has moved yet, at eight in the morning."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest

from vx_pipeline import clock
from vx_pipeline.sandbox import Sandbox
from vx_pipeline_tests.automation.watching import MORNING, TODAY, TurnClock, Watched
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.running import Pipeline, running


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    """A school of twenty."""
    sandbox = make_sandbox(20, today=TODAY)
    for model in ("location_record", "roll", "leave"):
        sandbox.school.orah[model].clear()
    return sandbox


@pytest.fixture
def turn_clock(monkeypatch: pytest.MonkeyPatch) -> TurnClock:
    """Turns the pipeline's clock."""

    def turn(moment: datetime) -> None:
        def now(zone: tzinfo = UTC) -> datetime:
            return moment.astimezone(zone)

        monkeypatch.setattr(clock, "now", now)

    turn(MORNING)
    return turn


@pytest.fixture
def pipeline(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn_clock: TurnClock
) -> Iterator[Pipeline]:
    """The school's pipeline."""
    with running(sandbox, tmp_path / "vx", monkeypatch) as opened:
        yield opened


@pytest.fixture
def watched(pipeline: Pipeline, turn_clock: TurnClock) -> Watched:
    """The school's sensor, after its first tick."""
    found = Watched(pipeline, turn_clock)
    assert found.at(MORNING) == [(TODAY, [])]
    return found
