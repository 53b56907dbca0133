"""`vx` as a user meets it: a process of its own with an environment, a folder, an exit code and two streams.

Starting Python and importing Dagster takes seconds, so the processes come from a fork server that has the
libraries, but nothing of the pipeline that reads settings, imported already.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["dagster", "dagster_duckdb", "duckdb", "vx_pipeline.commands.report"])

Environment = dict[str, str]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int | None
    out: str
    err: str

    @property
    def told(self) -> str:
        """Both streams with the lines of the terminal joined, for looking a sentence up."""
        return " ".join((self.out + " " + self.err).split())

    def failed(self, code: int, *words: str) -> None:
        """Asserts a plain ending: this code, these words, no stack trace."""
        assert self.code == code, self
        assert "Traceback" not in self.told, self
        for word in words:
            assert word in self.told, self


class Command:
    """A running `vx`."""

    def __init__(self, arguments: tuple[str, ...], environment: Environment, folder: Path) -> None:
        folder = Path(tempfile.mkdtemp(dir=folder))
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        self._process: ForkServerProcess = _FORKS.Process(
            target=_run, args=(arguments, environment, self._out, self._err)
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    def interrupt(self) -> None:
        """Ctrl+C."""
        os.kill(self.pid, signal.SIGINT)

    def wait(self, seconds: float = 120) -> Ended:
        """Waits for the end; a process that does not end is killed."""
        self._process.join(seconds)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return Ended(self._process.exitcode, self._out.read_text(), self._err.read_text())


def _run(arguments: tuple[str, ...], environment: Environment, out: Path, err: Path) -> None:
    for descriptor, path in ((1, out), (2, err)):
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(target, descriptor)
        os.close(target)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["vx", *arguments]
    from vx_pipeline.cli import main

    main()
