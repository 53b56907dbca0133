"""The one place that knows how the matcher is called."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pandas as pd

from benchmarks.matching.pool import COLUMNS, Pool
from vx_pipeline.matching.engine import link_people

_NAMES = {"student_number": "sis_id"}
"""What the matcher calls a column, where it has another word for it."""

STEP = 10_000_000
"""Ids of a pool are below it; the matcher wants them unique beyond the pool."""


@dataclass(frozen=True)
class Matched:
    """What became of pools that were matched in one call.

    Args:
        outcomes: for each pool ``our_id, their_id, outcome, rule, score, why``; an id is null where nobody was
            found.
        seconds: how long it took, from tables of raw records to the outcomes.
        cpu_seconds: the processors' time in it, all threads; it hardly depends on what else the machine does.
    """

    outcomes: Sequence[pd.DataFrame]
    seconds: float
    cpu_seconds: float


@contextmanager
def loaded(pools: Sequence[Pool], *, threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with both sides of all pools; ids are larger by ``STEP`` for each pool before."""
    with duckdb.connect(config={"threads": threads} if threads else {}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("CREATE SCHEMA matching")
        for side in ("ours", "theirs"):
            frames = [
                records.assign(pool=number, person_id=records["person_id"] + number * STEP)
                for number, pool in enumerate(pools)
                if len(records := getattr(pool, side))
            ]
            columns = ", ".join(f"{_NAMES.get(name, name)} {kind}" for name, kind in COLUMNS.items())
            connection.execute(f"CREATE TABLE matching.{side} (pool INTEGER, {columns})")
            connection.register("raw", pd.concat(frames).rename(columns=_NAMES))
            connection.execute(f"INSERT INTO matching.{side} BY NAME FROM raw")
            connection.unregister("raw")
        yield connection


def match(pools: Sequence[Pool], *, threads: int | None = None, same_name_and_year: bool = False) -> Matched:
    """Matches pools, each by itself, in one call.

    Args:
        pools: their frames; the truth is not looked at.
        threads: DuckDB's threads; all cores by default.
        same_name_and_year: whether a unique name with the same year level may link.
    """
    with loaded(pools, threads=threads) as connection:
        begin, cpu_begin = time.perf_counter(), time.process_time()
        link_people(connection, link_same_name_and_year=same_name_and_year)
        found = connection.execute(
            f"""
            SELECT
                coalesce(our_id, their_id) // {STEP} AS pool,
                our_id % {STEP} AS our_id,
                their_id % {STEP} AS their_id,
                outcome,
                rule,
                score,
                why
            FROM matching.outcomes
            """
        ).df()
        seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    by_pool = dict(tuple(found.groupby("pool")))
    return Matched([by_pool.get(number, found[:0]) for number in range(len(pools))], seconds, cpu_seconds)
