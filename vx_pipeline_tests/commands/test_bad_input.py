"""Wrong settings, wrong keys, wrong files, wrong data: each ends with one message, and nothing is lost."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.faults import Fault, FaultKind
from vx_pipeline_tests.commands.conftest import PLANTED, SyncedSchool

NOBODY_LISTENS = "http://127.0.0.1:9"
CREDENTIALS = (
    "VERACROSS_SCHOOL_ROUTE",
    "VERACROSS_CLIENT_ID",
    "VERACROSS_CLIENT_SECRET",
    "ORAH_API_KEY",
    "ORAH_REGION",
    "SCHOOL_TIMEZONE",
)


@contextmanager
def nothing_changes(school: SyncedSchool) -> Iterator[None]:
    before = school.state()
    yield
    assert school.state() == before
    assert school.leaks() == []


# --- settings


@pytest.mark.parametrize("missing", CREDENTIALS)
def test_a_missing_variable_is_named(school: SyncedSchool, missing: str) -> None:
    with nothing_changes(school):
        school.vx("sync", **{missing: None}).failed(1, missing, "Set them, or unset all of them")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ORAH_REGION": "mars"}, "'virginia', 'sydney' or 'ireland'"),
        ({"SCHOOL_TIMEZONE": "Mars/Base"}, "America/New_York"),
        ({"VERACROSS_API_URL": "http://veracross.example.org"}, "VERACROSS_API_URL"),
        ({"VX_POLICIES__REMOVAL": "shred"}, "'deactivate' or 'delete'"),
        ({"VX_JOURNAL_URL": "nonsense"}, "VX_JOURNAL_URL"),
        ({"VX_CONFIG": "/nowhere/schools.toml"}, "/nowhere/schools.toml"),
    ],
)
def test_a_wrong_value_is_explained(school: SyncedSchool, changes: dict[str, str], words: str) -> None:
    with nothing_changes(school):
        school.vx("sync", **changes).failed(1, words)


def test_a_broken_configuration_file_is_named(school: SyncedSchool) -> None:
    config = school.home / "schools.toml"
    config.write_text("[schools.north\nkey = ")
    school.vx("sync", VX_CONFIG=str(config)).failed(1, str(config), "TOML", "Correct the file")


@pytest.mark.parametrize("content", ["concurrency: [", "surprise: 1"])
def test_a_broken_dagster_configuration_is_named(school: SyncedSchool, content: str) -> None:
    (school.home / "dagster" / "dagster.yaml").write_text(content)
    with nothing_changes(school):
        school.vx("sync").failed(1, "dagster.yaml", "delete it")


@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "--school", "elsewhere"),
        ("status", "--school", "elsewhere"),
        ("push", "--from", "yesterday"),
        ("push", "--from", "2026-02-30"),
        ("sync", "--surprise"),
        ("surprise",),
    ],
)
def test_wrong_use_is_told(school: SyncedSchool, arguments: tuple[str, ...]) -> None:
    ended = school.vx(*arguments)
    ended.failed(2, "vx")
    assert ended.out == ""


def test_several_schools_need_a_name(school: SyncedSchool) -> None:
    config = school.home / "schools.toml"
    config.write_text("[schools.north]\n[schools.south]\n")
    school.vx("status", VX_CONFIG=str(config)).failed(2, "north, south")
    school.vx("sync", "--school", "north", VX_CONFIG=str(config)).failed(1, "orah_api_key", "vx doctor")


@pytest.mark.parametrize("left_behind", [None, "{", "{}"])
def test_a_sandbox_that_does_not_run_is_told(school: SyncedSchool, left_behind: str | None) -> None:
    if left_behind is not None:
        (school.home / "sandbox.json").write_text(left_behind)
    unset: dict[str, str | None] = dict.fromkeys(CREDENTIALS)
    school.vx("sync", **unset).failed(1, "the sandbox school is not running", "vx sandbox")


def test_a_port_in_use_is_told(school: SyncedSchool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        school.vx("ui", "--port", port).failed(1, f"Port {port} is in use", "--port")


# --- access


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"VERACROSS_CLIENT_ID": "nobody"}, "VERACROSS_CLIENT_ID"),
        ({"VERACROSS_CLIENT_SECRET": "wrong"}, "VERACROSS_CLIENT_SECRET"),
        ({"ORAH_API_KEY": "wrong"}, "ORAH_API_KEY"),
    ],
)
def test_wrong_credentials_are_told_once(school: SyncedSchool, changes: dict[str, str], words: str) -> None:
    with nothing_changes(school):
        ended = school.vx("sync", **changes)
    ended.failed(1, words)
    assert len(ended.err.splitlines()) == 3
    assert ended.out.strip() == ""


def test_a_wrong_school_route_is_told(school: SyncedSchool) -> None:
    with nothing_changes(school):
        school.vx("sync", VERACROSS_SCHOOL_ROUTE="elsewhere").failed(
            1, "'elsewhere'", "VERACROSS_SCHOOL_ROUTE"
        )


def test_a_missing_scope_is_one_message_for_all_tables_it_stops(school: SyncedSchool) -> None:
    school.sandbox.granted_scopes.discard("parents:list")
    with nothing_changes(school):
        ended = school.vx("sync")
    ended.failed(1, "parents:list", "OAuth_App_Admin", "Not reached")
    assert ended.told.count("OAuth_App_Admin") == 1


def test_an_orah_entity_that_is_forbidden_is_told(school: SyncedSchool) -> None:
    school.sandbox.orah_forbidden = {"house"}
    with nothing_changes(school):
        school.vx("sync").failed(1, "no permission for house/list", "Orah administrator")


def test_no_network_is_told_once(school: SyncedSchool) -> None:
    with nothing_changes(school):
        ended = school.vx("sync", VERACROSS_API_URL=NOBODY_LISTENS, VERACROSS_ACCOUNTS_URL=NOBODY_LISTENS)
    ended.failed(1, "ConnectError", "authorization server", "Run again")
    assert len(ended.err.splitlines()) == 3


@pytest.mark.slow
def test_a_web_page_instead_of_data_is_told_once(school: SyncedSchool) -> None:
    school.sandbox.add_fault(Fault(FaultKind.HTML_PAGE, times=None))
    with nothing_changes(school):
        ended = school.vx("sync")
    ended.failed(1, "not JSON", "Run again")
    assert len(ended.err.splitlines()) == 3


# --- files


def test_a_warehouse_that_a_notebook_holds_is_told(school: SyncedSchool) -> None:
    before = school.state()
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(school.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as notebook:
        assert notebook.stdout is not None
        assert notebook.stdout.readline() == b"held\n"
        school.vx("sync").failed(1, f"held by process {notebook.pid}", "Close that notebook")
        school.vx("status").failed(1, f"held by process {notebook.pid}")
        notebook.communicate(b"\n")
    assert school.state() == before


def test_a_second_run_of_the_same_school_names_the_first(school: SyncedSchool) -> None:
    with nothing_changes(school), (school.warehouse.parent / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        for command in ("sync", "push"):
            school.vx(command).failed(1, "process 4711", "Wait until it ends")


def test_a_broken_warehouse_is_left_as_it_is(school: SyncedSchool) -> None:
    school.warehouse.write_bytes(b"garbage" * 5000)
    writes = len(school.sandbox.journal.writes)
    for command in ("sync", "status", "push"):
        school.vx(command).failed(1, "is broken", "Move it aside")
    assert school.warehouse.read_bytes() == b"garbage" * 5000
    assert len(school.sandbox.journal.writes) == writes


def test_without_its_journal_nothing_is_sent(school: SyncedSchool) -> None:
    for path in school.home.glob("journal.db*"):
        path.unlink()
    (school.home / "journal.db").write_bytes(b"garbage" * 5000)
    with nothing_changes(school):
        for command in ("sync", "push", "plan"):
            school.vx(command).failed(1, "journal cannot be read or written", "VX_JOURNAL_URL")


def test_a_folder_that_may_not_be_written_is_told(school: SyncedSchool) -> None:
    command = [str(Path(sys.executable).with_name("vx")), "sync"]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root may write everywhere, and setpriv is not there to take that right away")
        command = [setpriv, "--bounding-set=-dac_override", "--inh-caps=-dac_override", *command]
    folder = school.warehouse.parent
    with nothing_changes(school):
        (folder / "run.lock").unlink()
        folder.chmod(0o500)
        ended = subprocess.run(
            command, env=school.environment, capture_output=True, text=True, timeout=60, check=False
        )
        folder.chmod(0o700)
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    assert f"Permission denied ({folder}/run.lock)" in ended.stderr
    assert "Look at the disk and the permissions" in ended.stderr


@pytest.mark.slow
def test_a_full_disk_is_told_and_keeps_what_was_good(school: SyncedSchool, tmp_path: Path) -> None:
    disk = school.warehouse.parent
    kept = tmp_path / "kept"
    shutil.copytree(disk, kept)
    size = school.warehouse.stat().st_size + 200_000
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be made here: mount is not permitted")
    try:
        shutil.copy2(kept / school.warehouse.name, school.warehouse)
        (disk / "filler").write_bytes(b"0" * 150_000)
        with nothing_changes(school):
            school.vx("sync").failed(1, "no room left on the disk", "Free some space")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# --- data


def test_an_empty_school_is_not_believed(school: SyncedSchool) -> None:
    school.sandbox.add_fault(Fault(FaultKind.EMPTY_LIST, times=None))
    with nothing_changes(school):
        ended = school.vx("sync", "--json")
    assert ended.code == 1, ended
    told = json.loads(ended.out)
    assert told["plan"] is None
    assert any("veracross.students held" in failure for failure in told["failures"])


@pytest.mark.slow
def test_a_needed_field_that_is_gone_stops_its_table(school: SyncedSchool) -> None:
    school.sandbox.add_fault(Fault(FaultKind.FIELD_DROPPED, path="*/students", field="last_name", times=None))
    with nothing_changes(school):
        ended = school.vx("sync")
    ended.failed(1, "veracross.students has changed", "last_name", "Not reached")
    assert ended.told.count("Failed") == 1


@pytest.mark.slow
def test_a_page_that_fails_for_good_removes_nobody(school: SyncedSchool) -> None:
    school.sandbox.add_fault(Fault(FaultKind.STATUS, path="*/students", times=None))
    plan = json.loads(school.vx("plan", "--json").out)["plan_id"]
    with nothing_changes(school):
        ended = school.vx("sync")
    ended.failed(1, "veracross.students is incomplete: page 1", "Run again")
    assert json.loads(school.vx("plan", "--json").out)["plan_id"] == plan


@pytest.mark.slow
def test_many_leavers_at_once_are_held_until_a_person_looks(school: SyncedSchool) -> None:
    with leaving(school.sandbox, 20) as ids:
        writes = len(school.sandbox.journal.writes)
        students = school.state()["veracross.students"]
        held = school.vx("sync", "--json")
        assert held.code == 3, held
        assert len(school.sandbox.journal.writes) == writes
        assert school.state()["veracross.students"] == students
        assert school.leaks() == []
        told = json.loads(held.out)
        assert told["closed"] is None
        plan = school.vx("plan", "--json")
        assert plan.code == 3
        rows = json.loads(plan.out)["rows"]
        removed = {row["key"] for row in rows if row["action"] == "deactivate"}
        assert {row["key"] for row in rows if row["verdict"] == "held"} == removed
        assert all(
            "active students would be removed" in row["verdict_reason"]
            for row in rows
            if row["key"] in removed
        )
        # Who is not linked for certain is not removed either.
        assert removed <= ids
        assert len(removed) > 6
        school.vx("plan").failed(3, "Held", *(str(one) for one in removed))
    corrected = school.vx("sync", "--json")
    assert corrected.code == 0, corrected
    assert json.loads(corrected.out)["held"] == []
    assert len(school.sandbox.journal.writes) == writes, "there was nothing left to write"


@pytest.mark.slow
def test_two_syncs_at_once_write_once(school: SyncedSchool) -> None:
    # The first sync corrected this record, so it is linked; now somebody edits it by hand.
    students = school.sandbox.school.orah["student"]
    record = next(row for row in students if row["last_name"] == PLANTED["last_name"])
    record["last_name"] = "Somethingelse"
    writes = len(school.sandbox.journal.writes)
    both = [school.start("sync", "--json", VX_WAIT_SECONDS="100") for _ in range(2)]
    for ended in (one.wait() for one in both):
        assert ended.code == 0, ended
    assert record["last_name"] == PLANTED["last_name"]
    assert len(school.sandbox.journal.writes) == writes + 1


def test_ctrl_c_ends_a_sync_with_a_message(school: SyncedSchool) -> None:
    with nothing_changes(school):
        asked = len(school.sandbox.journal.requests)
        running = school.start("sync")
        while len(school.sandbox.journal.requests) < asked + 10:
            assert running.alive, running.wait()
            time.sleep(0.02)
        running.interrupt()
        running.wait().failed(1, "interrupted", "run again")
    assert json.loads(school.vx("plan", "--json").out)["hold_reason"] is None


@contextmanager
def leaving(sandbox: Sandbox, number: int) -> Iterator[set[int]]:
    """So many students left yesterday, until the block ends; gives their ids."""
    students = sandbox.school.veracross["list_students"]
    active = {row["id"] for row in sandbox.school.orah["student"] if not row["deactivated"]}
    left: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for row in students:
        known = sandbox.school.truth.get(row["id"]) in active
        if known and row["roles"] == "Student" and row["exit_date"] is None and len(left) < number:
            left.append((row, dict(row)))
            row["exit_date"] = (sandbox.school.today - timedelta(days=1)).isoformat()
    assert len(left) == number
    try:
        yield {row["id"] for row, _ in left}
    finally:
        for row, before in left:
            row.update(before)
