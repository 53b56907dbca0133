"""Processes that `vx` starts: the sandbox beside us, and Dagster's own UI. All are stopped when we are."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from vx_pipeline.commands.runs import dagster_home
from vx_pipeline.errors import ServiceError
from vx_pipeline.settings import Settings, sandbox_address_file

START_SECONDS = 60
"""How long the sandbox may take to make its school and listen."""

STOP_SECONDS = 15
"""How long a process may take to end when asked; then it is killed, with all that it started."""


def run_sandbox(home: Path, *, students: int, seed: int) -> int:
    """Runs the sandbox in the foreground; returns its exit code."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _wait(subprocess.Popen(_sandbox_command(home, students=students, seed=seed)))


@contextmanager
def sandbox_beside(home: Path, *, students: int = 420, seed: int = 7) -> Iterator[None]:
    """Runs the sandbox in a process of its own while the block lasts.

    Raises:
        ServiceError: it did not start.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = sandbox_address_file(home)
    address.unlink(missing_ok=True)
    process = subprocess.Popen(
        _sandbox_command(home, students=students, seed=seed), stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not address.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(
                    "The sandbox did not start.",
                    remedy="See what it says: `vx sandbox`. Its libraries come with `pip install .[sandbox]`.",
                )
            time.sleep(0.05)
        yield
    finally:
        _stop(process)


def run_ui(settings: Settings, *, port: int) -> int:
    """Runs ``dagster dev`` in the foreground, with the sandbox beside it where no school is configured."""
    if _taken(port):
        raise ServiceError(
            f"Port {port} is in use.", remedy="Stop what listens there, or choose another --port."
        )
    with ExitStack() as beside:
        if settings.uses_sandbox:
            beside.enter_context(sandbox_beside(settings.home))
        environment = {**os.environ, "DAGSTER_HOME": str(dagster_home(settings))}
        environment["VX_HOME"] = str(settings.home.absolute())
        command = [str(Path(sys.executable).with_name("dagster")), "dev", "-m", "vx_pipeline.definitions"]
        command += ["-h", "127.0.0.1", "-p", str(port)]
        # In a group of its own: what it starts ends with it, whatever happens.
        return _wait(subprocess.Popen(command, env=environment, start_new_session=True))


def _sandbox_command(home: Path, *, students: int, seed: int) -> list[str]:
    # By its name, not by import: the stand-in and the pipeline must not be able to help each other.
    command = [sys.executable, "-m", "vx_pipeline.sandbox", "--students", str(students), "--seed", str(seed)]
    return [*command, "--address-file", str(sandbox_address_file(home))]


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Waits for a process in the foreground; whatever ends us ends it."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        return _stop(process)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
