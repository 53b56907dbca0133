"""Runs the matcher over a set, in processes that did not make the data, so that only the matcher is measured."""

import hashlib
import os
import resource
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from benchmarks.matching.adapter import match
from benchmarks.matching.pool import store, stored
from benchmarks.matching.score import Score, judge, total, wrong_links
from benchmarks.matching.sets import SETS

CACHE = Path(".bench")
"""Where pools are kept between runs; may be deleted at any time."""


@dataclass(frozen=True)
class Result:
    """What a set came to, with every link of two people as rows of both records (synthetic ones)."""

    score: Score
    wrong: pd.DataFrame


def measure(name: str, *, quick: bool = False) -> Result:
    """Makes a set where it is not made yet, and matches it.

    Args:
        name: one of ``SETS``.
        quick: a small part of it.
    """
    chosen = SETS[name]
    folders = _prepare(name, quick=quick)
    shares = [folders[start :: chosen.processes] for start in range(chosen.processes)]
    with ProcessPoolExecutor(chosen.processes, mp_context=get_context("spawn")) as processes:
        work = partial(
            _match_all,
            batch=chosen.batch,
            threads=_threads(chosen.processes),
            same_name_and_year=chosen.same_name_and_year,
        )
        results = list(processes.map(work, shares))
    score = replace(
        total(result.score for result in results),
        # They ran side by side: the time is the longest, the memory is the sum.
        seconds=max(result.score.seconds for result in results),
        peak_mb=sum(result.score.peak_mb for result in results),
    )
    return Result(score, pd.concat([result.wrong for result in results], ignore_index=True))


def _threads(processes: int) -> int:
    return max(1, (os.cpu_count() or 1) // processes)


def _match_all(folders: Sequence[Path], *, batch: int, threads: int, same_name_and_year: bool) -> Result:
    scores, wrong = [], []
    seconds = cpu_seconds = 0.0
    for start in range(0, len(folders), batch):
        pools = [stored(folder) for folder in folders[start : start + batch]]
        matched = match(pools, threads=threads, same_name_and_year=same_name_and_year)
        for pool, outcomes in zip(pools, matched.outcomes, strict=True):
            scores.append(judge(pool, outcomes))
            wrong.append(wrong_links(pool, outcomes))
        seconds += matched.seconds
        cpu_seconds += matched.cpu_seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    score = replace(total(scores), seconds=seconds, cpu_seconds=cpu_seconds, peak_mb=peak)
    return Result(score, pd.concat(wrong, ignore_index=True))


def _prepare(name: str, *, quick: bool) -> list[Path]:
    """Where the pools of a set are stored; made anew when the code that makes them is another one."""
    folder = CACHE / f"{name}-{_fingerprint(name)}{'-quick' if quick else ''}"
    done = folder / "complete"
    if not done.exists():
        CACHE.mkdir(exist_ok=True)
        (CACHE / ".gitignore").write_text("*\n")
        shutil.rmtree(folder, ignore_errors=True)
        chosen = SETS[name]
        numbers = range(chosen.quick_size if quick else chosen.size)
        with ProcessPoolExecutor(chosen.processes, mp_context=get_context("spawn")) as processes:
            list(processes.map(partial(_store, name, folder), numbers, chunksize=1))
        done.touch()
    return sorted(ready.parent for ready in folder.glob("*/truth.parquet"))


def _store(name: str, folder: Path, number: int) -> None:
    store(SETS[name].pool(number), folder / f"{number:04d}")


def _fingerprint(name: str) -> str:
    """Of the code that makes pools, and of what the set asks it for."""
    here = Path(__file__).parent
    makers = [here / "pool.py", here / "census.py", here / "generate_census.py", here / "febrl.py"]
    text = b"".join(path.read_bytes() for path in sorted([*makers, *(here / "schools").glob("*.py")]))
    return hashlib.sha256(text + repr(SETS[name].pool).encode()).hexdigest()[:8]
