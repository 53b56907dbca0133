"""The writer that there is today: CSV files for Orah's import, in a folder for each delivery.

``<school>/import/<UTC time>/`` holds one delivery and is never changed; ``import/latest`` points to the one that
counts. A run that has nothing new to deliver makes no folder.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from vx_pipeline import clock
from vx_pipeline.delivery import csv_text, folders, manifest
from vx_pipeline.delivery.layout import to_delivery, to_sheets
from vx_pipeline.delivery.rows import Delivery
from vx_pipeline.delivery.whole import write_whole
from vx_pipeline.delivery.writer import Delivered
from vx_pipeline.errors import VxError


class ImportFiles:
    """A ``Writer`` of files.

    Args:
        folder: where the deliveries of the school are; made when needed.
        school: the school's key, for the manifest.
        keep: how many deliveries are kept, the newest one among them.
        now: asks for the time; aware.
    """

    def __init__(
        self, folder: Path, *, school: str, keep: int, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._folder = folder
        self._school = school
        self._keep = keep
        self._now = now

    def write(self, delivery: Delivery) -> Delivered:
        """Writes the delivery as a folder of its own and turns ``latest`` to it, unless that holds just this.

        Raises:
            VxError: the disk refused. What ``latest`` points to is whole: the delivery before, untouched, or the
                new one where only the very last step failed.
        """
        sheets = to_sheets(delivery)
        contents = {sheet.file: csv_text.encode(sheet.columns, sheet.rows) for sheet in sheets}
        about = {sheet.file: {"rows": len(sheet.rows), "columns": sheet.columns} for sheet in sheets}

        def describe(made_at: datetime) -> bytes:
            return manifest.describe(contents, about, _told(delivery), school=self._school, made_at=made_at)

        path, is_new = write_whole(self._folder, contents, describe, keep=self._keep, now=self._now)
        return Delivered(path, is_new, {sheet.file: len(sheet.rows) for sheet in sheets})

    def last_delivery(self) -> Delivery | None:
        """What was delivered last, read from the files; None before the first delivery.

        Where the latest files were changed or damaged since, the newest delivery that is whole counts.

        Raises:
            VxError: there are deliveries, and none of them is whole.
        """
        counts = folders.latest(self._folder)
        others = [one for one in folders.finished(self._folder) if one != counts]
        for folder in ([counts] if counts else []) + others:
            if delivery := _read(folder):
                return delivery
        if counts is None and not others:
            return None
        raise VxError(
            f"No delivery in {self._folder} is as its manifest says, so that what was delivered is not known.",
            kept="Nothing was written.",
            remedy="Move the folder away and run again. Groups that are over are then not listed as archived.",
        )


def _told(delivery: Delivery) -> dict[str, Any]:
    """What the manifest says of a delivery: what was skipped, and what it rests on. Numbers and ids only."""
    skipped = Counter((one.entity, one.reason) for one in delivery.set_aside)
    return {
        "set_aside": [
            {"entity": entity, "reason": reason, "number": number}
            for (entity, reason), number in sorted(skipped.items())
        ],
        "kept_groups": delivery.kept_groups,
        "rests_on": {
            f"veracross.{table}": manifest.moment(read_at) if read_at else None
            for table, read_at in delivery.rests_on.items()
        },
    }


def _read(folder: Path) -> Delivery | None:
    contents = manifest.whole_files(folder)
    if contents is None:
        return None
    try:
        return to_delivery({file: csv_text.decode(content) for file, content in contents.items()})
    except (ValueError, KeyError):
        return None
