"""`vx review` as a command: where it listens, when it refuses, how it ends."""

import io
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from vx_pipeline.commands.review import review
from vx_pipeline.errors import ConfigurationError
from vx_pipeline.review.access import AccessSettings, check_password, hash_password
from vx_pipeline_tests.commands.shell import Command, Ended
from vx_pipeline_tests.running import OUTSIDE

PATIENCE_SECONDS = 60


def start(home: Path, *arguments: str, **environment: str) -> Command:
    """Starts the command for the sandbox school."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
    home.mkdir(exist_ok=True)
    return Command(("review", *arguments), inherited | {"VX_HOME": str(home / "home")} | environment, home)


def run(home: Path, *arguments: str, **environment: str) -> Ended:
    """Runs the command to its end."""
    return start(home, *arguments, **environment).wait()


def address_of(home: Path) -> str:
    """What a running command printed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for path in home.glob("*/out.txt"):
            if found := re.search(r"(http://\S+)/\n", path.read_text()):
                return found[1]
        time.sleep(0.05)
    raise AssertionError("the review page did not come up")


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    command = start(tmp_path, "--port", "0")
    try:
        answer = httpx.get(address_of(tmp_path), follow_redirects=True)
        assert answer.status_code == 200
        assert answer.url.path == "/sandbox/"
    finally:
        command.interrupt()
        ended = command.wait()
    assert ended.code == 0
    assert "Traceback" not in ended.told


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_does_not_start_for_others_without_users(tmp_path: Path, host: str) -> None:
    run(tmp_path, "--host", host).failed(1, "open to everybody", "It was not started", "VX_REVIEW_USERS")


def test_with_users_it_starts_for_others_and_asks_for_tls(tmp_path: Path) -> None:
    users = json.dumps({"maria": hash_password("correct horse battery")})
    command = start(tmp_path, "--host", "0.0.0.0", "--port", "0", VX_REVIEW_USERS=users)
    try:
        address = address_of(tmp_path).replace("0.0.0.0", "127.0.0.1")
        answer = httpx.get(address, follow_redirects=True)
        assert answer.url.path == "/login"
    finally:
        os.kill(command.pid, signal.SIGTERM)
        ended = command.wait()
    assert "TLS" in ended.told
    assert "Traceback" not in ended.told


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run(tmp_path, "--port", port).failed(1, f"Port {port} of 127.0.0.1 cannot be listened on", "--port")


def test_wrong_users_are_told(tmp_path: Path) -> None:
    ended = run(tmp_path, VX_REVIEW_USERS='{"maria": "plain-password"}')
    ended.failed(1, "users.maria", "--hash-password")
    assert "plain-password" not in ended.told


def test_a_hash_is_printed_for_a_typed_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    review(hash_password=True)
    printed = capsys.readouterr().out.strip()
    assert check_password(AccessSettings(users={"maria": printed}), "maria", "correct horse battery")
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    with pytest.raises(ConfigurationError, match="shorter than"):
        review(hash_password=True)
