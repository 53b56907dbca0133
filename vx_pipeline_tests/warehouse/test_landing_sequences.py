"""Random sequences of reads against a plain model of what must be stored."""

import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.errors import ContractDriftError, IncompleteReadError
from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.warehouse.people import GRADES, PEOPLE, everything, moment, person, stored

IDS = (1, 2, 3, 4)
UNUSABLE = ("wrong name", "text id", "disputed")
FATES = ("absent", "Ada", "Bo", "copied", *UNUSABLE)


@dataclass(frozen=True)
class Read:
    fates: tuple[str, ...]
    unknown_id: bool
    may_be_empty: bool
    seed: int

    def rows(self) -> list[Any]:
        rows = []
        for identity, fate in zip(IDS, self.fates, strict=True):
            match fate:
                case "absent":
                    pass
                case "copied":
                    rows += [person(identity, "Ada"), person(identity, "Ada")]
                case "wrong name":
                    rows.append(person(identity, 17))
                case "text id":
                    rows.append(person(str(identity)))
                case "disputed":
                    rows += [person(identity, "X"), person(identity, "Y")]
                case name:
                    rows.append(person(identity, name))
        if self.unknown_id:
            rows.append(person(None))
        random.Random(self.seed).shuffle(rows)
        return rows


@dataclass
class Model:
    """id to [name, complete reads in a row without it]."""

    rows: dict[int, list[Any]] = field(default_factory=dict)
    vanished: int = 0

    def land(self, read: Read) -> None:
        for identity, fate in zip(IDS, read.fates, strict=True):
            if fate == "absent" and identity in self.rows and not read.unknown_id:
                self.vanished += self.rows[identity][1] == 0
                self.rows[identity][1] += 1
            elif fate in UNUSABLE and identity in self.rows:
                self.rows[identity][1] = 0
            elif fate not in ("absent", *UNUSABLE):
                self.rows[identity] = ["Ada" if fate == "copied" else fate, 0]

    def current(self) -> int:
        return sum(1 for _, absences in self.rows.values() if absences == 0)


reads = st.builds(
    Read,
    st.tuples(*(st.sampled_from(FATES) for _ in IDS)),
    st.integers(0, 4).map(lambda number: number == 0),
    st.booleans(),
    st.integers(0, 99),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(reads, min_size=1, max_size=5))
def test_any_sequence_of_reads_leaves_what_the_model_says(sequence: list[Read]) -> None:
    model = Model()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_warehouse(Path(folder) / "warehouse.duckdb") as connection,
    ):
        land(connection, PEOPLE, [person(9)], read_at=moment())
        model.rows[9] = ["Ada", 0]
        for number, read in enumerate(sequence, start=1):
            # One row that is always fine keeps a read from being all wrong, which is another subject.
            rows = [*read.rows(), person(9), person(8, name=None)]
            landed = land(connection, PEOPLE, rows, read_at=moment(number), may_be_empty=read.may_be_empty)
            model.land(read)
            model.rows[8] = [None, 0]
            found = {row[0]: list(row[1:]) for row in stored(connection, "id, name, _missing_reads")}
            assert found == model.rows
            assert landed.rows == model.current()
            assert landed.vanishing_suspended == read.unknown_id
            assert_consistent(connection)
        assert count(connection, "history WHERE change = 'vanished'") == model.vanished


@settings(max_examples=10, deadline=None)
@given(st.lists(reads, min_size=1, max_size=4))
def test_a_refused_read_changes_nothing(sequence: list[Read]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_warehouse(Path(folder) / "warehouse.duckdb") as connection,
    ):
        land(connection, PEOPLE, [person(1), person(2, "Bo")], read_at=moment(), value_lists=[GRADES])
        for number, read in enumerate(sequence, start=1):
            before = everything(connection)
            try:
                land(connection, PEOPLE, read.rows(), read_at=moment(number))
            except (ContractDriftError, IncompleteReadError):
                assert everything(connection) == before
            else:
                assert any(fate not in ("absent", *UNUSABLE) for fate in read.fates)
            assert_consistent(connection)


@settings(max_examples=8, deadline=None)
@given(st.lists(reads.filter(lambda read: "Ada" in read.fates), min_size=2, max_size=2), st.randoms())
def test_the_order_of_rows_changes_nothing(sequence: list[Read], order: random.Random) -> None:
    contents = []
    for shuffled in (False, True):
        with (
            tempfile.TemporaryDirectory() as folder,
            open_warehouse(Path(folder) / "warehouse.duckdb") as connection,
        ):
            for number, read in enumerate(sequence):
                rows = [*read.rows(), person(8), person(9, grade=8, height=-0.0), person(7, tags=1)]
                if shuffled:
                    order.shuffle(rows)
                    rows = [dict(sorted(row.items(), reverse=True)) for row in rows]
                land(connection, PEOPLE, rows, read_at=moment(number), value_lists=[GRADES])
            contents.append(everything(connection))
    assert contents[0] == contents[1]


def assert_consistent(connection: duckdb.DuckDBPyConnection) -> None:
    assert count(connection, "people") == count(connection, "(SELECT DISTINCT id FROM veracross.people)", "")
    assert count(connection, "people WHERE (_missing_since IS NULL) <> (_missing_reads = 0)") == 0
    assert count(connection, "people WHERE _last_seen_at < _first_seen_at OR _row_hash IS NULL") == 0


def count(connection: duckdb.DuckDBPyConnection, source: str, schema: str = "veracross.") -> int:
    return int(connection.execute(f"SELECT count(*) FROM {schema}{source}").fetchall()[0][0])
