"""Where a delivery goes: an interface, because Orah may get a route for it one day."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vx_pipeline.delivery.rows import Delivery


@dataclass(frozen=True)
class Delivered:
    """What a writer did.

    Args:
        path: the folder of files that holds the delivery now.
        is_new: False when that folder held exactly this already, so that nothing was written.
        rows: rows by file.
    """

    path: Path
    is_new: bool
    rows: Mapping[str, int]


class Writer(Protocol):
    """Brings a delivery to Orah, or to where a person takes it from."""

    def write(self, delivery: Delivery) -> Delivered:
        """Delivers all of it or nothing.

        Raises:
            VxError: it could not be delivered; what was delivered before still stands.
        """
