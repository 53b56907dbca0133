"""The manifest beside the files: what is in them, what was skipped, and what they rest on. Numbers and ids only."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from vx_pipeline.delivery.layout import Sheet
from vx_pipeline.delivery.rows import Delivery

NAME = "manifest.json"


def describe(
    delivery: Delivery,
    sheets: Sequence[Sheet],
    contents: Mapping[str, bytes],
    *,
    school: str,
    made_at: datetime,
) -> bytes:
    """The manifest of a delivery.

    Args:
        delivery: what is delivered.
        sheets: its files as cells.
        contents: its files as bytes, by name.
        school: the school's key.
        made_at: when; aware.
    """
    skipped = Counter((one.entity, one.reason) for one in delivery.set_aside)
    told = {
        "school": school,
        "made_at": _moment(made_at),
        "files": {
            sheet.file: {
                "rows": len(sheet.rows),
                "sha256": digest(contents[sheet.file]),
                "columns": sheet.columns,
            }
            for sheet in sheets
        },
        "set_aside": [
            {"entity": entity, "reason": reason, "number": number}
            for (entity, reason), number in sorted(skipped.items())
        ],
        "kept_groups": delivery.kept_groups,
        "rests_on": {
            f"veracross.{table}": _moment(read_at) if read_at else None
            for table, read_at in delivery.rests_on.items()
        },
    }
    return json.dumps(told, indent=2).encode() + b"\n"


def whole_files(folder: Path) -> dict[str, bytes] | None:
    """The files of a delivery's folder by name, or None unless each is just what its manifest says."""
    try:
        listed = json.loads((folder / NAME).read_bytes())["files"]
        contents = {name: (folder / name).read_bytes() for name in listed}
        if any(digest(content) != listed[name]["sha256"] for name, content in contents.items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return contents


def digest(content: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
