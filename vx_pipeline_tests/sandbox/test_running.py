"""The sandbox as a whole: starting, stopping, its control address, and a process of its own."""

import json
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.sandbox.clients import Caller


def test_stopping_leaves_nothing_behind() -> None:
    threads, sandbox = set(threading.enumerate()), Sandbox(school=fresh_school())
    with pytest.raises(RuntimeError, match="does not run"):
        assert sandbox.orah_api_url
    with sandbox:
        with pytest.raises(RuntimeError, match="already"):
            sandbox.start()
        urls = [sandbox.veracross_accounts_url, sandbox.veracross_api_url, sandbox.orah_api_url]
        urls.append(sandbox.control_url)
        caller = Caller(sandbox)
        caller.page("/students")
        assert len(set(urls)) == 4
        for url in urls:
            assert urlsplit(url).hostname == "127.0.0.1"
    sandbox.stop()
    caller.http.close()
    for url in urls:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", urlsplit(url).port)) != 0
    assert set(threading.enumerate()) == threads


def test_a_sandbox_can_start_again() -> None:
    sandbox = Sandbox(school=fresh_school())
    for _ in range(2):
        with sandbox:
            caller = Caller(sandbox)
            assert caller.orah_data("house/list")
            caller.http.close()


def test_the_sandbox_imports_nothing_of_the_pipeline() -> None:
    code = (
        "import sys, vx_pipeline.sandbox, vx_pipeline.sandbox.__main__\n"
        "print([m for m in sys.modules if m.startswith('vx_pipeline.')"
        " and not m.startswith('vx_pipeline.sandbox')])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


# --- the control address


def test_journal_over_control(caller: Caller) -> None:
    caller.page("/students")
    seen = caller.control("GET", "/journal").json()
    assert [entry["path"].rsplit("/", 1)[1] for entry in seen["requests"]] == ["token", "students"]
    assert seen["writes"] == []
    caller.orah_data("house/create", {"data": {"name": "North"}})
    more = caller.control("GET", f"/journal?since={seen['last']}").json()
    assert [write["entity"] for write in more["writes"]] == ["house"]
    assert [entry["path"] for entry in more["requests"]] == ["/open-api/house/create"]
    assert caller.control("GET", "/journal?since=x").status_code == 400


def test_faults_over_control(caller: Caller) -> None:
    body = {"kind": "status", "path": "*/students", "status": 502, "times": None}
    assert caller.control("POST", "/faults", json=body).status_code == 200
    assert caller.data("/students").status_code == 502
    assert caller.control("DELETE", "/faults").status_code == 200
    assert caller.data("/students").status_code == 200
    for wrong in (
        {},
        {"kind": "earthquake"},
        {"kind": "status", "colour": 1},
        {"kind": "status", "times": 0},
    ):
        assert caller.control("POST", "/faults", json=wrong).status_code == 400


def test_records_and_counts_over_control(caller: Caller) -> None:
    school = caller.sandbox.school
    counts = caller.control("GET", "/counts").json()["data"]
    assert counts["list_students"] == len(school.veracross["list_students"])
    assert counts["orah.student"] == len(school.orah["student"])
    assert caller.control("GET", "/school/list_students").json()["data"] == school.veracross["list_students"]
    assert caller.control("GET", "/school/orah.contact").json()["data"] == school.orah["contact"]
    assert caller.control("GET", "/school/nothing").status_code == 404


# --- a process of its own


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process(tmp_path: Path, number: int) -> None:
    address_file = tmp_path / "home" / "sandbox.json"
    command = [sys.executable, "-m", "vx_pipeline.sandbox", "--students", "20", "--seed", "3"]
    with subprocess.Popen(
        [*command, "--address-file", str(address_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        assert "stand-in" in line
        assert "invented" in line
        assert stat.S_IMODE(address_file.stat().st_mode) == 0o600
        assert list(address_file.parent.iterdir()) == [address_file]
        address = json.loads(address_file.read_text())
        assert address["pid"] == process.pid
        assert address["client_secret"] not in line
        answer = httpx.post(
            f"{address['orah_api_url']}/open-api/student/list",
            json={},
            headers={"Authorization": f"Bearer {address['orah_api_key']}"},
        )
        assert answer.status_code == 200
        form = {
            "grant_type": "client_credentials",
            "client_id": address["client_id"],
            "client_secret": address["client_secret"],
            "scope": "students:list",
        }
        base = f"{address['veracross_accounts_url']}/{address['school_route']}"
        assert httpx.post(f"{base}/oauth/token", data=form).status_code == 200
        counts = httpx.get(f"{address['control_url']}/counts").json()["data"]
        assert counts["list_students"] >= 20
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    assert not address_file.exists()


def test_the_address_file_of_another_sandbox_stays(tmp_path: Path) -> None:
    address_file = tmp_path / "sandbox.json"
    command = [sys.executable, "-m", "vx_pipeline.sandbox", "--students", "20"]
    with subprocess.Popen(
        [*command, "--address-file", str(address_file)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout
        process.stdout.readline()
        address_file.write_text('{"pid": -1}')
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert address_file.exists()
