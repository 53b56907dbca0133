"""The shape of every data set: two frames of raw records, and apart from them who is who."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

COLUMNS = {
    "person_id": "BIGINT",
    "first_name": "VARCHAR",
    "other_name": "VARCHAR",
    "last_name": "VARCHAR",
    "middle_name": "VARCHAR",
    "birth_date": "DATE",
    "sex": "VARCHAR",
    "grade": "VARCHAR",
    "email": "VARCHAR",
    "family_email": "BOOLEAN",
    "student_number": "VARCHAR",
    "postcode": "VARCHAR",
    "street": "VARCHAR",
}
"""What a system may show of a person, raw; unknown is null. ``other_name`` is a preferred or alternative name,
and ``family_email`` says that the address is a parent's or a staff member's."""


@dataclass(frozen=True)
class Pool:
    """Two systems' records of one school, and the truth about them.

    Args:
        name: what to call it in reports.
        ours: one row for each record, with ``COLUMNS``; ``person_id`` is unique.
        theirs: the same for the other system. Its ids tell nothing about ours.
        truth: ``our_id``, ``their_id``: all pairs that are one person. A person entered twice stands in two.
    """

    name: str
    ours: pd.DataFrame
    theirs: pd.DataFrame
    truth: pd.DataFrame

    def __len__(self) -> int:
        """The larger side's number of records."""
        return max(len(self.ours), len(self.theirs))


def frame(records: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame with all ``COLUMNS`` in their order, from columns or from rows; what is not given is null."""
    made = pd.DataFrame(records)
    unknown = set(made.columns) - set(COLUMNS)
    assert not unknown, unknown
    for name in COLUMNS:
        if name not in made:
            made[name] = pd.Series([None] * len(made), dtype=object)
    return made[list(COLUMNS)]


def same_people(
    our_ids: Sequence[int],
    our_people: Sequence[object],
    their_ids: Sequence[int],
    their_people: Sequence[object],
) -> pd.DataFrame:
    """The truth, from who stands behind each id."""
    ours = pd.DataFrame({"our_id": our_ids, "person": our_people})
    theirs = pd.DataFrame({"their_id": their_ids, "person": their_people})
    return ours.merge(theirs)[["our_id", "their_id"]]


def store(pool: Pool, folder: Path) -> None:
    """Writes a pool as three Parquet files, so that it can be measured in a process that never generated it."""
    folder.mkdir(parents=True, exist_ok=True)
    typed = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    with duckdb.connect() as connection:
        for part, columns in (("ours", typed), ("theirs", typed), ("truth", "our_id, their_id")):
            connection.register("part", getattr(pool, part))
            connection.execute(f"COPY (SELECT {columns} FROM part) TO '{folder / part}.parquet'")
            connection.unregister("part")


def stored(folder: Path) -> Pool:
    """A pool that ``store`` wrote."""
    with duckdb.connect() as connection:
        ours, theirs, truth = (
            connection.execute(f"FROM '{folder / part}.parquet'").df() for part in ("ours", "theirs", "truth")
        )
    return Pool(folder.name, ours, theirs, truth)
