import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from vx_pipeline.errors import WarehouseError
from vx_pipeline.warehouse.connection import open_warehouse, publish_read_copy, transaction


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "schools" / "north" / "warehouse.duckdb"


def fill(path: Path, rows: int = 3) -> None:
    with open_warehouse(path) as connection:
        connection.execute(f"CREATE OR REPLACE TABLE numbers AS SELECT range AS n FROM range({rows})")


def total(path: Path) -> int:
    with open_warehouse(path, read_only=True) as connection:
        return int(connection.execute("SELECT count(*) FROM numbers").fetchall()[0][0])


@contextmanager
def held_by_another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_the_file_and_its_folders_are_private(path: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    fill(path)
    assert [p.stat().st_mode & 0o777 for p in (path, path.parent, path.parent.parent)] == [
        0o600,
        0o700,
        0o700,
    ]
    path.chmod(0o644)
    fill(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_session_is_utc_and_reads_no_python_variables(path: Path) -> None:
    numbers = {"n": [1]}
    with open_warehouse(path) as connection:
        assert connection.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
        with pytest.raises(duckdb.CatalogException):
            connection.execute("FROM numbers")
    assert numbers


def fail_inside(path: Path) -> None:
    with open_warehouse(path) as connection, transaction(connection):
        connection.execute("CREATE OR REPLACE TABLE numbers AS SELECT 1 AS n")
        raise RuntimeError("mine")


def test_it_is_closed_when_the_block_fails(path: Path) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        fail_inside(path)
    check = subprocess.run(
        [sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1]).close()", str(path)],
        check=False,
    )
    assert check.returncode == 0


def test_other_errors_of_the_block_pass_unchanged(path: Path) -> None:
    with pytest.raises(duckdb.ConversionException), open_warehouse(path) as connection:
        connection.execute("SELECT CAST('x' AS INTEGER)")


def test_a_transaction_is_all_or_nothing(path: Path) -> None:
    fill(path)
    with pytest.raises(RuntimeError, match="mine"):
        fail_inside(path)
    assert total(path) == 3
    with open_warehouse(path) as connection, transaction(connection):
        connection.execute("INSERT INTO numbers VALUES (7)")
    assert total(path) == 4


def test_a_held_file_names_the_holder(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(path)
    caplog.set_level(logging.INFO)
    with held_by_another_process(path) as holder:
        for read_only in (False, True):
            with (
                pytest.raises(WarehouseError, match=f"held by process {holder.pid}\\."),
                open_warehouse(path, read_only=read_only, wait_seconds=0.1),
            ):
                pass
    assert [record for record in caplog.messages if f"held by process {holder.pid};" in record]


def test_it_waits_for_the_holder_to_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    with held_by_another_process(path) as holder:

        def end_holder(_: float) -> None:
            holder.kill()
            holder.wait()

        monkeypatch.setattr("vx_pipeline.warehouse.connection.time.sleep", end_holder)
        assert total(path) == 3


def test_readers_share_the_file_and_a_writer_in_the_same_process_is_named(path: Path) -> None:
    fill(path)
    with (
        open_warehouse(path, read_only=True),
        open_warehouse(path, read_only=True),
        pytest.raises(WarehouseError, match=f"this process \\({os.getpid()}\\)"),
        open_warehouse(path, wait_seconds=0),
    ):
        pass


def test_reading_before_anything_was_read(path: Path) -> None:
    for attempt in (lambda: total(path), lambda: publish_read_copy(path)):
        with pytest.raises(WarehouseError, match="nothing has been read for this school yet"):
            attempt()
    assert not path.parent.exists()


def test_a_file_that_is_not_duckdb_is_left_for_a_person(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("not a database\n" * 100)
    with pytest.raises(WarehouseError, match="Move it aside"), open_warehouse(path):
        pass
    assert path.read_text() == "not a database\n" * 100


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.5])
def test_a_damaged_file_is_left_for_a_person(path: Path, share: float) -> None:
    fill(path, 200_000)
    content = bytearray(path.read_bytes())
    start = int(len(content) * share)
    content[start : start + len(content) // 4] = bytes(len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(WarehouseError, match="Move it aside"), open_warehouse(path) as connection:
        connection.execute("SELECT sum(n) FROM numbers").fetchall()
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.duckdb").mkdir()
    for path in (tmp_path / "file" / "warehouse.duckdb", tmp_path / "folder.duckdb"):
        with pytest.raises(WarehouseError, match="does not let this process use"), open_warehouse(path):
            pass


@pytest.mark.parametrize("act", ["t.fill", "t.publish_read_copy"])
def test_a_user_without_permission(path: Path, act: str) -> None:
    fill(path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    told = run(f"os.getuid() or os.seteuid(65534); {act}(path)", path)
    assert "does not let this process use" in told


FILL_THE_DISK = """
t.fill(path, 1000)
try:
    with t.open_warehouse(path) as connection, t.transaction(connection):
        connection.execute("DROP TABLE numbers")
        connection.execute("CREATE TABLE numbers AS SELECT hash(range) AS n FROM range(3000000)")
finally:
    print("first table:", t.total(path) == 1000)
"""


def test_a_file_that_may_not_grow_keeps_the_last_good_table(path: Path) -> None:
    told = run(f"resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))\n{FILL_THE_DISK}", path)
    assert "first table: True" in told
    assert "no room left on the disk" in told


def test_a_full_disk_keeps_the_last_good_table(tmp_path: Path) -> None:
    # A file system of 4 MB that only this process sees, and that ends with it.
    room = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f'mount -t tmpfs -o size=4m tmpfs "{tmp_path}"'
    if subprocess.run([*room, mount], capture_output=True, check=False).returncode:
        pytest.skip("no private mounts are allowed here")
    told = run(FILL_THE_DISK, tmp_path / "warehouse.duckdb", (*room, f'{mount} && exec "$@"', "sh"))
    assert "first table: True" in told
    assert "no room left on the disk" in told
    told = run(
        "t.fill(path, 1000); t.fill_up(path); t.publish_read_copy(path)",
        tmp_path / "w.duckdb",
        (*room, f'{mount} && exec "$@"', "sh"),
    )
    assert "no room left on the disk" in told
    assert "['ballast', 'w.duckdb']" in told


def test_the_read_copy_is_private_whole_and_replaced_under_its_readers(path: Path) -> None:
    fill(path)
    copy = publish_read_copy(path)
    assert copy == path.with_name("warehouse.read.duckdb")
    assert copy.stat().st_mode & 0o777 == 0o600
    with open_warehouse(copy, read_only=True) as reader:
        fill(path, 5)
        assert publish_read_copy(path) == copy
        assert reader.execute("SELECT count(*) FROM numbers").fetchall() == [(3,)]
    assert total(copy) == 5
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        "warehouse.duckdb",
        "warehouse.read.duckdb",
    ]


def test_the_read_copy_holds_no_deleted_rows(path: Path) -> None:
    with open_warehouse(path) as connection:
        connection.execute(
            "CREATE TABLE people AS SELECT range AS id, 'Erased Example' AS name FROM range(5000)"
        )
        connection.execute("CHECKPOINT")
        connection.execute("UPDATE people SET name = 'Kept'")
    assert b"Erased Example" not in publish_read_copy(path).read_bytes()


def test_a_failed_publication_keeps_the_last_copy(path: Path) -> None:
    fill(path)
    copy = publish_read_copy(path)
    with held_by_another_process(path), pytest.MonkeyPatch.context() as patch:
        patch.setattr("vx_pipeline.warehouse.connection.time.monotonic", iter(range(0, 1000, 60)).__next__)
        with pytest.raises(WarehouseError, match="held by process"):
            publish_read_copy(path)
    assert total(copy) == 3


def fill_up(path: Path) -> None:
    """Leave no room beside the file."""
    try:
        (path.parent / "ballast").write_bytes(bytes(100_000_000))
    except OSError:
        print("full")  # noqa: T201


def run(program: str, path: Path, command: tuple[str, ...] = ()) -> str:
    """Run a program in a process of its own, and give what it prints and what a WarehouseError says in it."""
    whole = f"""
import os, resource, signal, sys
from pathlib import Path
from vx_pipeline.errors import WarehouseError
from vx_pipeline_tests.warehouse import test_connection as t
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
def act():
{textwrap.indent(program, "    ")}
try:
    act()
except WarehouseError as error:
    print(error)
print(sorted(os.listdir(path.parent)) if os.geteuid() == os.getuid() else "")
"""
    done = subprocess.run(
        [*command, sys.executable, "-c", whole, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
