"""Alerts: to the log and to a school's own address, once for each change of state; they never break a sync."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from vx_pipeline.assets.alerts import MOST_TOLD, tell_troubles
from vx_pipeline.journal.problems import RED, YELLOW, Trouble, open_problems
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline_tests.running import point_at

ONE = Trouble(YELLOW, "student", 1, "Veracross has no complete name")
GATE = Trouble(RED, "sync", 0, "veracross.students is empty")

Told = list[dict[str, Any]]


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, Told]]:
    """Something that takes alerts: its address, and what came."""
    told: Told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alerts/secret-part", told
    server.shutdown()
    thread.join()
    server.server_close()


Open = Callable[[str], SchoolSession]


@pytest.fixture
def at(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the session of a school that wants its alerts at an address."""
    point_at(sandbox, tmp_path / "home", monkeypatch)
    opened: list[SchoolSession] = []

    def open_session(url: str) -> SchoolSession:
        monkeypatch.setenv("VX_ALERT_URL", url)
        opened.append(SchoolSession(load_settings(), SANDBOX))
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()


def test_what_is_new_and_what_is_over_is_told_once(at: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "vx_pipeline.assets.alerts")
    with receiver() as (url, told):
        session = at(url)
        tell_troubles(session, "plan", [ONE, GATE])
        tell_troubles(session, "plan", [ONE, GATE])
        tell_troubles(session, "plan", [GATE])
        tell_troubles(session, "plan", [GATE])
    first, second = told
    assert first == {
        "text": "sandbox: yellow: student 1: Veracross has no complete name\n"
        "sandbox: red: sync: veracross.students is empty",
        "school": "sandbox",
        "opened": 2,
        "closed": 0,
    }
    assert second["text"] == "sandbox: over: student 1: Veracross has no complete name"
    assert (second["opened"], second["closed"]) == (0, 1)
    assert len(caplog.messages) == 3


def test_many_troubles_are_told_in_short(at: Open) -> None:
    many = [Trouble(YELLOW, "student", key, "no name") for key in range(1, MOST_TOLD + 6)]
    with receiver() as (url, told):
        tell_troubles(at(url), "plan", many)
    lines = told[0]["text"].splitlines()
    assert len(lines) == MOST_TOLD + 1
    assert lines[-1] == "sandbox: and 5 more"
    assert told[0]["opened"] == MOST_TOLD + 5


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_alert_that_nobody_takes_breaks_nothing(
    at: Open, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    with receiver(status) as (url, told):
        session = at(url)
        assert len(tell_troubles(session, "plan", [ONE]).opened) == 1
    assert len(told) == 1
    assert len(open_problems(session.journal, SANDBOX)) == 1
    assert "the alert could not be delivered" in caplog.messages[-1]
    assert "secret-part" not in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/alerts", "https://alerts.invalid/secret-part", ""])
def test_nobody_at_the_address_breaks_nothing(at: Open, caplog: pytest.LogCaptureFixture, url: str) -> None:
    session = at(url)
    assert len(tell_troubles(session, "plan", [ONE]).opened) == 1
    assert len(tell_troubles(session, "plan", []).closed) == 1
    assert "student 1" in caplog.text
    assert "secret-part" not in caplog.text
