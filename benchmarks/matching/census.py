"""A simulated census: people of all ages, written down twice with mistakes, by the ``pseudopeople`` package.

That package brings half a gigabyte with it, so it lives in an environment of its own (``make bench-matching`` makes
it); the script ``generate_census.py`` runs there and leaves CSV files, which are read here.
"""

import subprocess
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from benchmarks.matching.pool import Pool, frame, same_people

_SCRIPT = Path(__file__).parent / "generate_census.py"


@dataclass(frozen=True)
class Census:
    """Makes pool ``number``: two censuses of one small town, with seeds of their own.

    Args:
        noise: factor on the package's own probabilities of a mistake in a field.
        years: when the two were taken; between different years people move in, out, and marry.
        cache: folder for the CSV files.
        python: the interpreter of the environment with ``pseudopeople``.
    """

    noise: int = 1
    years: tuple[int, int] = (2020, 2020)
    cache: Path = Path(".bench/census")
    python: Path = Path(".venv-bench/bin/python")

    def __call__(self, number: int) -> Pool:
        """The pool; numbers differ in the mistakes."""
        sides = [self._read(year, seed=2 * number + 2 + side) for side, year in enumerate(self.years)]
        frames = [_frame(data, begin=100_000 * side, seed=number) for side, data in enumerate(sides)]
        (ours, our_people), (theirs, their_people) = frames
        truth = same_people(list(ours["person_id"]), our_people, list(theirs["person_id"]), their_people)
        return Pool("census", ours, theirs, truth)

    def _read(self, year: int, *, seed: int) -> pd.DataFrame:
        path = self.cache / f"census-{year}-x{self.noise}-{seed}.csv"
        if not path.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            arguments = [str(self.python), str(_SCRIPT), str(path), str(year), str(seed), str(self.noise)]
            subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        return pd.read_csv(path, dtype=str, keep_default_na=False)


def _frame(data: pd.DataFrame, *, begin: int, seed: int) -> tuple[pd.DataFrame, list[str]]:
    data = data.sample(frac=1, random_state=begin + seed)
    shown = frame(
        {
            "person_id": range(begin, begin + len(data)),
            **{
                column: [text or None for text in data[source]]
                for column, source in (
                    ("first_name", "first_name"),
                    ("middle_name", "middle_initial"),
                    ("last_name", "last_name"),
                    ("sex", "sex"),
                )
            },
            "birth_date": [_date(text) for text in data["date_of_birth"]],
        }
    )
    return shown, list(data["simulant_id"])


def _date(text: str) -> date | None:
    try:
        # A day has no time zone.
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007
    except ValueError:
        return None
