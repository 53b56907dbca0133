"""Killing the process in the middle of landings."""

import subprocess
import sys
from pathlib import Path

from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline_tests.warehouse.people import moment

PROGRAM = """
import itertools, sys
from pathlib import Path
from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.warehouse.people import PEOPLE, moment, person

for number in itertools.count(int(sys.argv[2])):
    # Every read changes every row, drops one row in two, and sets one aside.
    rows = [person(i, f"read {number}") for i in range(1, 1001) if i % 2 == number % 2] + [person(3000, number)]
    with open_warehouse(Path(sys.argv[1])) as connection:
        land(connection, PEOPLE, rows, read_at=moment(number))
    print(number, flush=True)
"""


def test_a_killed_landing_leaves_one_of_the_complete_states(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    done = -1
    for kill in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path), str(done + 1)], stdout=subprocess.PIPE, text=True
        ) as lander:
            assert lander.stdout is not None
            done = int(lander.stdout.readline())
            try:
                # Another moment of the landing each time.
                lander.wait(timeout=0.02 + 0.03 * kill)
            except subprocess.TimeoutExpired:
                lander.kill()
            finished = [int(line) for line in lander.stdout.read().split()]
        done = state_of(path, finished[-1] if finished else done)


def state_of(path: Path, finished: int) -> int:
    """The number of the last whole read in the warehouse, proven to be whole."""
    with open_warehouse(path, read_only=True) as connection:
        current = connection.execute(
            "SELECT name, count(*), count(DISTINCT id), min(id % 2), max(id % 2), max(_last_seen_at) "
            "FROM veracross.people WHERE _missing_since IS NULL GROUP BY name"
        ).fetchall()
        rejected = connection.execute("SELECT id, content->>'name' FROM veracross.rejected_rows").fetchall()
        vanished = connection.execute(
            "SELECT count(*) FROM veracross.history WHERE change = 'vanished'"
        ).fetchall()
    [(name, rows, ids, parity, other, seen)] = current
    number = int(name.removeprefix("read "))
    assert (rows, ids, parity, other) == (500, 500, number % 2, number % 2)
    assert seen == moment(number).replace(tzinfo=None)
    assert rejected == [(3000, str(number))]
    assert vanished == [(500 * number,)]
    assert number in (finished, finished + 1)
    return number
