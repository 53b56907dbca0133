"""Writing a delivery of files whole or not at all: what the kinds of deliveries have in common.

``<parent>/<UTC time>/`` holds one delivery and is never changed; ``latest`` points to the one that counts. Nothing
is written where that one holds just the same files already.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from vx_pipeline.delivery import folders, manifest
from vx_pipeline.errors import VxError

Describe = Callable[[datetime], bytes]
"""Makes the manifest of a delivery from the moment at which it is made."""


def write_whole(
    parent: Path, contents: Mapping[str, bytes], describe: Describe, *, keep: int, now: Callable[[], datetime]
) -> tuple[Path, bool]:
    """Writes files as a folder of their own and turns ``latest`` to it, unless that holds just these.

    Args:
        parent: where the deliveries are; made when needed.
        contents: the files by name.
        describe: makes their manifest.
        keep: how many deliveries are kept, the newest one among them.
        now: asks for the time; aware.

    Returns:
        The folder that holds the files now, and whether it is new.

    Raises:
        VxError: the disk refused. What ``latest`` points to is whole: the delivery before, untouched, or the new
            one where only the very last step failed.
    """
    counts = folders.latest(parent)
    is_new = counts is None or manifest.whole_files(counts) != contents
    try:
        if counts is None or is_new:
            made_at = now()
            name = made_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
            folder = folders.write_folder(parent, name, {**contents, manifest.NAME: describe(made_at)})
            folders.point_latest(parent, name)
            counts = folder.resolve()
    except OSError as error:
        raise VxError(
            f"The import files could not be written to {parent}: {error.strerror}.",
            kept="The delivery that `latest` points to is whole.",
            remedy="Look at the disk's room and the folder's permissions, and run again.",
        ) from error
    try:
        folders.remove_old(parent, keep)
    except OSError as error:
        raise VxError(
            f"An old delivery in {parent} could not be removed: {error.strerror}.",
            kept=f"The delivery {counts.name} is whole and the latest.",
            remedy="Remove old folders by hand; each holds people's data.",
        ) from error
    return counts, is_new
