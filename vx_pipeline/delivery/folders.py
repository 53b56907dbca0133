"""Folders that are there whole or not at all, and the link that says which one counts."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

LATEST = "latest"

_NAME = re.compile(r"\d{8}T\d{12}Z")
_UNFINISHED = ".unfinished"


def write_folder(parent: Path, name: str, contents: Mapping[str, bytes]) -> Path:
    """Writes files into a fresh folder, which gets its name once all of them are on the disk.

    Folders are 0700 and files 0600. What a run that was ended halfway left behind is removed first: it holds
    people's data, too.

    Raises:
        OSError: the folder could not be written, or its name is taken; nothing is left of it.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = parent / _UNFINISHED
    _remove(unfinished)
    try:
        unfinished.mkdir(mode=0o700)
        for file, content in contents.items():
            _write(unfinished / file, content)
        _sync(unfinished)
        unfinished.rename(parent / name)
        _sync(parent)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return parent / name


def point_latest(parent: Path, name: str) -> None:
    """Turns ``latest`` to this folder, in one step: whoever follows it sees the old one or the new one.

    Raises:
        OSError: it was not turned.
    """
    found = parent / LATEST
    if found.is_dir() and not found.is_symlink():
        # A backup restored without its links has a copy in this place, which no link replaces.
        _remove(found)
    link = parent / f".{LATEST}"
    link.unlink(missing_ok=True)
    link.symlink_to(name, target_is_directory=True)
    link.replace(parent / LATEST)
    _sync(parent)


def latest(parent: Path) -> Path | None:
    """The folder that counts, if there is one."""
    link = parent / LATEST
    return link.resolve() if link.is_dir() else None


def finished(parent: Path) -> list[Path]:
    """The folders that were written whole, newest first."""
    if not parent.is_dir():
        return []
    return sorted((one.resolve() for one in parent.iterdir() if _NAME.fullmatch(one.name)), reverse=True)


def remove_old(parent: Path, keep: int) -> None:
    """Removes the oldest folders beyond ``keep``, never the one that counts, and nothing but such folders.

    Raises:
        OSError: one could not be removed.
    """
    counts = latest(parent)
    others = [one for one in finished(parent) if one != counts]
    for folder in others[keep - 1 :]:
        shutil.rmtree(folder)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Makes the names in a folder last over a power cut, as fsync does for a file's content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
