"""Any sequence of decisions and undos, compared with a model that works each answer out from the whole list."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vx_pipeline.errors import VxError
from vx_pipeline.journal import open_journal
from vx_pipeline.journal.decisions import (
    Answer,
    Decision,
    Entity,
    Kind,
    decide_many,
    decisions_after,
    newest_about,
    standing,
    undo,
)
from vx_pipeline_tests.journal.people import NOW

PEOPLE = st.sampled_from([1, 2])
RECORDS = st.sampled_from([501, 502])
REPLACEABLE = {
    ("same", "same"),
    ("unlink", "same"),
    ("unlink", "unlink"),
    ("unlink", "never"),
    ("never", "never"),
    ("never", "unlink"),
    ("merge", "merge"),
}


@dataclass(frozen=True)
class Row:
    """The model's decision: ``person`` and ``record`` are the ids, ``undoes`` a place in the list."""

    kind: str
    person: int | None
    record: int | None
    undoes: int | None = None


def stands(rows: list[Row]) -> list[int]:
    """Places of the rows that stand."""
    undone = {row.undoes for row in rows}
    live = [place for place, row in enumerate(rows) if row.kind != "undo" and place not in undone]

    def about(place: int) -> tuple[int | None, int | None, bool]:
        return rows[place].person, rows[place].record, rows[place].kind == "later"

    return [
        place for place in live if not any(about(place) == about(newer) for newer in live if newer > place)
    ]


def sound(rows: list[Row]) -> bool:
    """Whether all that stands can be true at once."""
    live = [rows[place] for place in stands(rows)]
    same = [row for row in live if row.kind == "same"]
    people, records = [row.person for row in same], [row.record for row in same]
    owners = {(row.record, row.person) for row in live if row.kind in ("same", "merge")}
    return (
        len(set(people)) == len(people)
        and len(set(records)) == len(records)
        and len({record for record, _ in owners}) == len(owners)
        and not {row.person for row in live if row.kind == "new"} & set(people)
    )


def may_follow(rows: list[Row], row: Row) -> bool:
    for place in stands(rows):
        old = rows[place]
        pair = (old.person, old.record) == (row.person, row.record) and None not in (row.person, row.record)
        if pair and "later" not in (old.kind, row.kind) and (row.kind, old.kind) not in REPLACEABLE:
            return False
    return sound([*rows, row])


class Deciding(RuleBasedStateMachine):
    """The journal and the model side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = open_journal(Path(tempfile.gettempdir()), "sqlite://")
        self.rows: list[Row] = []
        self.written: list[Decision] = []

    def teardown(self) -> None:
        self.journal.close()

    def _decide(self, row: Row) -> None:
        answer = Answer(Entity.STUDENT, Kind(row.kind), row.person, row.record)
        try:
            decide_many(self.journal, [answer], school="north", actor="a", via="page", at=NOW)
        except VxError:
            assert not may_follow(self.rows, row)
        else:
            assert may_follow(self.rows, row)
            self.rows.append(row)

    @rule(kind=st.sampled_from(["same", "never", "unlink", "merge"]), person=PEOPLE, record=RECORDS)
    def decide_pair(self, kind: str, person: int, record: int) -> None:
        self._decide(Row(kind, person, record))

    @rule(person=PEOPLE)
    def someone_new(self, person: int) -> None:
        self._decide(Row("new", person, None))

    @rule(person=st.none() | PEOPLE, record=RECORDS)
    def put_off(self, person: int | None, record: int) -> None:
        self._decide(Row("later", person, record))

    @rule(place=st.integers(0, 12))
    def take_back(self, place: int) -> None:
        known = place < len(self.rows) and self.rows[place].kind != "undo"
        back = Row("undo", self.rows[place].person, self.rows[place].record, place) if known else None
        fits = (
            back is not None and place not in {row.undoes for row in self.rows} and sound([*self.rows, back])
        )
        try:
            undo(self.journal, school="north", number=place + 1, note="", actor="a", via="page", at=NOW)
        except VxError:
            assert not fits
        else:
            assert fits
            assert back is not None
            self.rows.append(back)

    @invariant()
    def what_stands_is_what_the_model_says(self) -> None:
        found = standing(self.journal, "north")
        assert [decision.number - 1 for decision in found] == stands(self.rows)
        assert sound(self.rows)

    @invariant()
    def rows_are_only_added(self) -> None:
        now = decisions_after(self.journal, 0)
        assert now[: len(self.written)] == self.written
        assert [(row.kind.value, row.veracross_id, row.orah_id) for row in now] == [
            (row.kind, row.person, row.record) for row in self.rows
        ]
        self.written = now

    @invariant()
    def the_newest_about_a_record_is_the_last_that_names_it(self) -> None:
        newest = newest_about(self.journal, "north", Entity.STUDENT, veracross_id=1, orah_id=501)
        naming = [place for place, row in enumerate(self.rows) if row.person == 1 or row.record == 501]
        assert (newest.number - 1 if newest else None) == (naming[-1] if naming else None)


Deciding.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestDeciding = Deciding.TestCase
