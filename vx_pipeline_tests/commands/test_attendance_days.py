"""`vx attendance --day`: which days there are, and what is said of the others."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vx_pipeline_tests.commands.here import vx_here
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.running import point_at


def test_a_day_of_which_nothing_can_be_told_is_refused_in_plain_words(
    make_sandbox: SandboxFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sandbox = make_sandbox(24)
    point_at(sandbox, tmp_path / "home", monkeypatch)
    tomorrow = datetime.now(ZoneInfo(sandbox.school.timezone)).date() + timedelta(days=1)
    for day, code, words in (
        (str(tomorrow), 1, f"{tomorrow} has not begun at the school"),
        (str(date(2019, 9, 2)), 1, "Choose a day from 2025-07-01 on."),
        ("yesterday", 2, "--day"),
    ):
        ended = vx_here(monkeypatch, capsys, "attendance", "--day", day)
        assert (ended.code, words in ended.err) == (code, True), ended
        assert "--from" not in ended.err
    assert not sandbox.journal.requests
