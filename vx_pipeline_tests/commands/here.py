"""`vx` in the process of the test, and a home of its own: for commands of which a test runs dozens."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vx_pipeline import cli
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline_tests.commands.shell import Ended
from vx_pipeline_tests.running import OUTSIDE
from vx_pipeline_tests.world import lay_journal


def vx_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str, **changes: str
) -> Ended:
    """Runs `vx` in this process: a process for each would take longer than all the rest.

    Args:
        monkeypatch: turns the command line, and the environment for the time of the command.
        capsys: what it prints.
        arguments: of the command.
        changes: of the environment.
    """
    with monkeypatch.context() as changed, _loggers_as_they_were():
        for name, value in changes.items():
            changed.setenv(name, value)
        changed.setattr(sys, "argv", ["vx", *arguments])
        changed.setattr(signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    shown = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return Ended(ended.value.code, shown.out, shown.err)


@contextmanager
def _loggers_as_they_were() -> Iterator[None]:
    """A command quiets loggers for its process, and here the process goes on with other tests."""

    def levels() -> dict[str, int]:
        known = logging.root.manager.loggerDict
        return {name: each.level for name, each in known.items() if isinstance(each, logging.Logger)}

    before = levels()
    yield
    for name in levels():
        logging.getLogger(name).setLevel(before.get(name, logging.NOTSET))


@contextmanager
def own_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Journal]:
    """A home without any school's settings in the environment, and its journal."""
    for name in list(os.environ):
        if name.startswith(OUTSIDE):
            monkeypatch.delenv(name)
    monkeypatch.setenv("VX_HOME", str(home))
    lay_journal(home)
    journal = open_journal(home)
    yield journal
    journal.close()
