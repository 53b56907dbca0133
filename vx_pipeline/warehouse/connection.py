"""Opening a school's DuckDB file, for one step at a time, and publishing the copy that readers use.

DuckDB lets one process write or many processes read, never both, so a file is opened for a step and always
closed, and waiting for it is bounded.
"""

import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from vx_pipeline.errors import WarehouseError

_log = logging.getLogger(__name__)

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # Without this, a query that names no table may read a Python variable of that name.
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # A frame's text columns are text; guessing from a sample turns an empty one into integers.
    "pandas_analyze_sample": 0,
}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5  # seconds

_LOCKED = re.compile(r"Could not set lock on file(?:.*\(PID (?P<pid>\d+)\))?", re.DOTALL)
_OPEN_HERE = "different configuration than existing connections"
_NO_ROOM = (
    "No space left on device",
    "File too large",
    "Disk quota exceeded",
    "out of disk",
    "max_temp_directory",
)
_BROKEN = (
    "not a valid DuckDB database file",
    "Corrupt database file",
    "Could not read enough bytes",
    "replaying WAL",
    "database file with version number",
)
_REFUSED = (
    "Permission denied",
    "Read-only file system",
    "Operation not permitted",
    "Is a directory",
    "Not a directory",
)


@contextmanager
def open_warehouse(
    path: Path, *, read_only: bool = False, wait_seconds: float = 30
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a school's warehouse for one step, and close it whatever happens.

    A new file is private (0600), as are the folders made for it (0700), which also hold DuckDB's
    write-ahead log. The session's time zone is UTC.

    Args:
        path: the DuckDB file; made when it does not exist, unless ``read_only``.
        read_only: open for reading; other processes may do so at the same time.
        wait_seconds: how long to wait while another process holds the file.

    Raises:
        WarehouseError: the file is held, broken or unreadable, was never made, or the disk is full; also when
            DuckDB meets one of these inside the ``with`` block. Other errors of the block pass unchanged.
    """
    connection = _open(path, read_only, wait_seconds)
    try:
        # DuckDB would draw a bar for a long query into whatever a command prints.
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield connection
    except duckdb.Error as error:
        explained = _explain(error, path)
        if explained is None:
            raise
        raise explained from error
    finally:
        connection.close()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block's statements, tables made in it included, or none of them."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        # A failed commit has already rolled back, and then refuses to do so again.
        with suppress(duckdb.Error):
            connection.rollback()
        raise


def publish_read_copy(path: Path) -> Path:
    """Publish a consistent copy beside the warehouse, for analysts and notebooks, and return its path.

    The copy (``warehouse.read.duckdb``, 0600) replaces the last one in one step; whoever still has that one
    open keeps reading it undisturbed. It is written row by row with ``COPY FROM DATABASE``. Copying the
    file's bytes is faster, but would carry along the free blocks in which deleted people can still be read.

    Raises:
        WarehouseError: as ``open_warehouse``; the last copy is kept.
    """
    copy = path.with_name(f"{path.stem}.read{path.suffix}")
    unfinished = copy.with_name(f"{copy.name}.tmp")
    try:
        if not path.exists():
            raise _never_read(path)
        unfinished.unlink(missing_ok=True)
        with open_warehouse(path) as connection:
            _copy_rows(connection, unfinished)
        unfinished.chmod(0o600)
        unfinished.replace(copy)
    except OSError as error:
        raise _refused(copy) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return copy


def _copy_rows(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    source = connection.execute("SELECT current_database()").fetchall()[0][0]
    location = str(target).replace("'", "''")
    connection.execute(f"ATTACH '{location}' AS read_copy")
    try:
        connection.execute(f'COPY FROM DATABASE "{source}" TO read_copy')
    finally:
        connection.execute("DETACH read_copy")


def _open(path: Path, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    try:
        if not read_only:
            _make_private_folders(path.parent)
        elif not path.exists():
            raise _never_read(path)
        connection = _connect(path, read_only, wait_seconds)
        if not read_only and path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except duckdb.Error as error:
        raise _explain(error, path) or error from error
    except OSError as error:
        raise _refused(path) from error
    return connection


def _connect(path: Path, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    """Connect, waiting in short sleeps while another process, or this one in another mode, has the file."""
    deadline = time.monotonic() + wait_seconds
    pause = _FIRST_PAUSE
    named = None
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=_CONFIG)
        except duckdb.Error as error:
            holder = _holder(str(error))
            left = deadline - time.monotonic()
            if holder is None or left <= 0:
                raise
        if holder != named:
            _log.info("%s is held by %s; waiting at most %.0f s for it", path, holder, left)
            named = holder
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _make_private_folders(folder: Path) -> None:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def _holder(message: str) -> str | None:
    """Who has the file, as DuckDB 1.5 tells it; ``None`` when the message is about something else."""
    if _OPEN_HERE in message:
        return f"this process ({os.getpid()}), in another mode"
    locked = _LOCKED.search(message)
    if locked is None:
        return None
    return f"process {locked['pid']}" if locked["pid"] else "another process"


def _explain(error: duckdb.Error, path: Path) -> WarehouseError | None:
    """Say what DuckDB's message means for people, or ``None`` when it is not about the file itself."""
    message = str(error)
    holder = _holder(message)
    if holder is not None:
        return WarehouseError(
            f"The warehouse {path} is held by {holder}.",
            kept="Nothing was changed.",
            remedy="Close that notebook or program, or wait for the run to end, and run again.",
        )
    # Asked first: an error after a full disk repeats it ("database has been invalidated", "Original error").
    if any(words in message for words in _NO_ROOM):
        return WarehouseError(
            f"There is no room left on the disk for {path}.",
            kept="The last good tables are kept.",
            remedy="Free some space and run again.",
        )
    if isinstance(error, duckdb.SerializationException) or any(words in message for words in _BROKEN):
        return WarehouseError(
            f"{path} is broken, or not a file that this version of DuckDB can read.",
            kept="It was left as it is. Nothing in it is lost: it is rebuilt from the other systems.",
            remedy="Move it aside, together with its .wal file if there is one, and run again.",
        )
    return _refused(path) if any(words in message for words in _REFUSED) else None


def _refused(path: Path) -> WarehouseError:
    return WarehouseError(
        f"The operating system does not let this process use {path}.",
        kept="Nothing was changed.",
        remedy="Check that it is a file, and that this user may read and write it and its folder.",
    )


def _never_read(path: Path) -> WarehouseError:
    return WarehouseError(
        f"{path} does not exist: nothing has been read for this school yet.",
        remedy="Run a sync for this school first.",
    )
