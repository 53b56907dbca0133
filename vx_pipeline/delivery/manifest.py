"""The manifest beside the files: what is in them, what was skipped, and what they rest on. Numbers and ids only."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAME = "manifest.json"


def describe(
    contents: Mapping[str, bytes],
    about: Mapping[str, Mapping[str, Any]],
    told: Mapping[str, Any],
    *,
    school: str,
    made_at: datetime,
) -> bytes:
    """The manifest of a delivery.

    Args:
        contents: its files as bytes, by name.
        about: what else is said of a file, by name.
        told: what is said of the delivery as a whole.
        school: the school's key.
        made_at: when; aware.
    """
    written = {
        "school": school,
        "made_at": moment(made_at),
        "files": {
            name: {**about.get(name, {}), "sha256": digest(content)} for name, content in contents.items()
        },
        **told,
    }
    return json.dumps(written, indent=2).encode() + b"\n"


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a folder; empty where there is none that can be read."""
    try:
        found = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def whole_files(folder: Path) -> dict[str, bytes] | None:
    """The files of a delivery's folder by name, or None unless each is just what its manifest says."""
    try:
        listed = read(folder)["files"]
        contents = {name: (folder / name).read_bytes() for name in listed}
        if any(digest(content) != listed[name]["sha256"] for name, content in contents.items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return contents


def digest(content: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def moment(at: datetime) -> str:
    """A moment as the manifest writes it: ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
