"""A school day for every story of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vx_pipeline_tests.attendance.school_day import WEDNESDAY, SchoolDay, school_day
from vx_pipeline_tests.conftest import SandboxFactory


@pytest.fixture
def day(make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SchoolDay]:
    """A day of a school of twenty."""
    with school_day(make_sandbox(20, today=WEDNESDAY), tmp_path / "vx", monkeypatch, WEDNESDAY) as found:
        yield found
