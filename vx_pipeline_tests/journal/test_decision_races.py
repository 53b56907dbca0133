"""Two processes that decide at the same moment, on one SQLite file."""

import multiprocessing
from collections import Counter
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from vx_pipeline.journal import open_journal
from vx_pipeline.journal.decisions import (
    DecidedMeanwhile,
    Entity,
    Kind,
    decide,
    decisions_after,
    standing,
    undo,
)
from vx_pipeline_tests.journal.people import NOW

_PROCESSES = multiprocessing.get_context("spawn")
ROUNDS = 30


def contend(home: Path, record: int, barrier: Barrier, results: Any) -> None:
    """Claims the same people as the other process, each for a record of its own, and takes back what it won."""
    barrier.wait(20)
    journal = open_journal(home)
    told: list[tuple[int, str, int]] = []
    for person in range(1, ROUNDS + 1):
        barrier.wait(20)
        try:
            made = decide(
                journal,
                school="north",
                entity=Entity.STUDENT,
                kind=Kind.SAME,
                veracross_id=person,
                orah_id=record * 1000 + person,
                note="",
                actor=f"process {record}",
                via="page",
                at=NOW,
                newest_seen=0,
            )
            told.append((person, "won", made.number))
        except DecidedMeanwhile as news:
            told.append((person, "told", news.decision.number))
    barrier.wait(20)
    for number in range(1, ROUNDS + 1):
        barrier.wait(20)
        try:
            undo(
                journal, school="north", number=number, note="", actor=f"process {record}", via="page", at=NOW
            )
            told.append((number, "undone", 0))
        except DecidedMeanwhile:
            told.append((number, "undone before", 0))
    results.put(told)
    journal.close()


def test_one_of_two_wins_and_the_other_is_told(tmp_path: Path) -> None:
    barrier, results = _PROCESSES.Barrier(2), _PROCESSES.Queue()
    running = [
        _PROCESSES.Process(target=contend, args=(tmp_path, record, barrier, results)) for record in (1, 2)
    ]
    for process in running:
        process.start()
    told = [line for _ in running for line in results.get(timeout=90)]
    for process in running:
        process.join(30)
    assert [process.exitcode for process in running] == [0, 0]

    ends = Counter((subject, end) for subject, end, _ in told)
    everyone = range(1, ROUNDS + 1)
    expected = ("won", "told", "undone", "undone before")
    assert ends == {(subject, end): 1 for subject in everyone for end in expected}
    # Who lost was told of the very decision that won.
    numbers = {end: {person: number for person, word, number in told if word == end} for end in expected}
    assert numbers["told"] == numbers["won"]

    journal = open_journal(tmp_path)
    rows = decisions_after(journal, 0)
    assert [row.number for row in rows] == list(range(1, 2 * ROUNDS + 1))
    assert standing(journal, "north") == []
    journal.close()
