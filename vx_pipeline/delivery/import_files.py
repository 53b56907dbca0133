"""The writer that there is today: CSV files for Orah's import, in a folder for each delivery.

``<school>/import/<UTC time>/`` holds one delivery and is never changed; ``import/latest`` points to the one that
counts. A run that has nothing new to deliver makes no folder.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from vx_pipeline import clock
from vx_pipeline.delivery import csv_text, folders, manifest
from vx_pipeline.delivery.layout import to_delivery, to_sheets
from vx_pipeline.delivery.rows import Delivery
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
        rows = {sheet.file: len(sheet.rows) for sheet in sheets}
        counts = folders.latest(self._folder)
        is_new = counts is None or manifest.whole_files(counts) != contents
        try:
            if counts is None or is_new:
                counts = self._write_anew(delivery, contents)
        except OSError as error:
            raise VxError(
                f"The import files could not be written to {self._folder}: {error.strerror}.",
                kept="The delivery that `latest` points to is whole.",
                remedy="Look at the disk's room and the folder's permissions, and run again.",
            ) from error
        try:
            folders.remove_old(self._folder, self._keep)
        except OSError as error:
            raise VxError(
                f"An old delivery in {self._folder} could not be removed: {error.strerror}.",
                kept=f"The delivery {counts.name} is whole and the latest.",
                remedy="Remove old folders by hand; each holds people's data.",
            ) from error
        return Delivered(counts, is_new, rows)

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

    def _write_anew(self, delivery: Delivery, contents: dict[str, bytes]) -> Path:
        made_at = self._now()
        described = manifest.describe(
            delivery, to_sheets(delivery), contents, school=self._school, made_at=made_at
        )
        name = made_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        folder = folders.write_folder(self._folder, name, {**contents, manifest.NAME: described})
        folders.point_latest(self._folder, name)
        return folder.resolve()


def _read(folder: Path) -> Delivery | None:
    contents = manifest.whole_files(folder)
    if contents is None:
        return None
    try:
        return to_delivery({file: csv_text.decode(content) for file, content in contents.items()})
    except (ValueError, KeyError):
        return None
