"""Writes one simulated census as CSV. Runs in the environment with ``pseudopeople``, and imports nothing of ours.

Usage: generate_census.py FILE YEAR SEED NOISE
"""

import sys
from pathlib import Path

import pseudopeople  # type: ignore[import-not-found]

COLUMNS = ["simulant_id", "first_name", "middle_initial", "last_name", "date_of_birth", "sex"]
DATASET = "decennial_census"


def noisier(factor: int) -> dict[str, object]:
    """The package's own configuration with the probability of every mistake in a field multiplied."""
    columns = pseudopeople.get_config()[DATASET]["column_noise"]
    return {
        DATASET: {
            "column_noise": {
                column: {
                    mistake: {"cell_probability": min(1.0, factor * settings["cell_probability"])}
                    for mistake, settings in mistakes.items()
                }
                for column, mistakes in columns.items()
            }
        }
    }


def main(file: str, year: str, seed: str, noise: str) -> None:
    """Generates and writes; a half-written file is never left under the final name."""
    census = pseudopeople.generate_decennial_census(
        year=int(year), seed=int(seed), config=noisier(int(noise)) if noise != "1" else None
    )
    path = Path(file)
    begun = path.with_suffix(".part")
    census[COLUMNS].to_csv(begun, index=False)
    begun.rename(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
