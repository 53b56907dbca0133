"""Reads of a part beside reads of the whole: what they may mark, set aside and explain, and what gets younger."""

from typing import Any

import duckdb
import pytest

from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.schema import ValueList
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.landing import Scope, land, land_within
from vx_pipeline.warehouse.reads import last_whole_read
from vx_pipeline_tests.warehouse.people import GRADES, PEOPLE, everything, moment, person, stored

Connection = duckdb.DuckDBPyConnection

NEVER_MISSING = Scope("FALSE", part="household_id = 5")
ROOM_4 = Scope("room__id = $room", {"room": 4}, part="room__id = 4")


def set_aside(connection: Connection) -> list[tuple[int | None, str | None]]:
    return connection.execute("SELECT id, scope FROM veracross.rejected_rows ORDER BY ALL").fetchall()


def test_a_part_makes_its_rows_younger_and_not_the_collection(connection: Connection) -> None:
    assert last_whole_read(connection, "veracross.people") is None
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(0))
    land(connection, PEOPLE, [person(1)], read_at=moment(3), scope=NEVER_MISSING)
    first, part = moment(0).replace(tzinfo=None), moment(3).replace(tzinfo=None)
    assert last_whole_read(connection, "veracross.people") == first
    assert stored(connection, "id, _last_seen_at") == [(1, part), (2, first)]
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(4))
    assert last_whole_read(connection, "veracross.people") == moment(4).replace(tzinfo=None)
    assert last_whole_read(connection, "veracross.others") is None
    assert connection.execute("SELECT count(*) FROM veracross.reads").fetchall() == [(2,)]


def test_a_part_of_which_no_row_was_ever_there_is_no_whole_read(connection: Connection) -> None:
    land(connection, PEOPLE, [], read_at=moment(0), scope=NEVER_MISSING)
    assert last_whole_read(connection, "veracross.people") is None


def test_a_scope_that_covers_all_that_is_asked_for_is_a_whole_read(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1)], read_at=moment(0), scope=Scope("room__id = $room", {"room": 4}))
    assert last_whole_read(connection, "veracross.people") == moment(0).replace(tzinfo=None)


def test_a_refused_read_makes_nothing_younger(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1)], read_at=moment(0))
    with pytest.raises(IncompleteReadError):
        land(connection, PEOPLE, [], read_at=moment(1))
    assert last_whole_read(connection, "veracross.people") == moment(0).replace(tzinfo=None)


def test_a_part_that_covers_no_stored_row_marks_nobody_and_may_be_empty(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2), person(3)], read_at=moment(0))
    landed = land(connection, PEOPLE, [person(2, "Bo"), person(4)], read_at=moment(1), scope=NEVER_MISSING)
    assert (landed.added, landed.changed, landed.vanished) == (1, 1, 0)
    land(connection, PEOPLE, [], read_at=moment(2), scope=NEVER_MISSING)
    assert stored(connection, "id, name, _missing_reads") == [
        (1, "Ada", 0),
        (2, "Bo", 0),
        (3, "Ada", 0),
        (4, "Ada", 0),
    ]


def test_a_row_already_missing_is_not_counted_by_a_part_and_comes_back_with_it(
    connection: Connection,
) -> None:
    land(connection, PEOPLE, [person(1), person(2), person(3)], read_at=moment(0))
    land(connection, PEOPLE, [person(1)], read_at=moment(1))
    landed = land(connection, PEOPLE, [person(2)], read_at=moment(2), scope=NEVER_MISSING)
    assert landed.returned == 1
    assert stored(connection, "id, _missing_reads") == [(1, 0), (2, 0), (3, 1)]


def test_a_part_misses_a_row_once_however_often_and_the_whole_counts_on(connection: Connection) -> None:
    rows = [person(1), person(2), person(3, room={"id": 5, "name": "East 5"})]
    land(connection, PEOPLE, rows, read_at=moment(0))
    for reads in (1, 2):
        land(connection, PEOPLE, [person(1)], read_at=moment(reads), scope=ROOM_4)
    missing = "id, _missing_since, _missing_reads"
    since = moment(1).replace(tzinfo=None)
    assert stored(connection, missing) == [(1, None, 0), (2, since, 1), (3, None, 0)]
    land(connection, PEOPLE, [person(1), rows[2]], read_at=moment(3))
    assert stored(connection, missing) == [(1, None, 0), (2, since, 2), (3, None, 0)]


def test_what_one_part_set_aside_outlasts_another_part_and_ends_with_the_whole(
    connection: Connection,
) -> None:
    land(connection, PEOPLE, [person(1), person(2, 17)], read_at=moment(0))
    other = Scope("FALSE", part="household_id = 6")
    for scope, identity in ((NEVER_MISSING, 7), (other, 8), (ROOM_4, 9)):
        rows = [person(1), person(identity, 17)]
        land(connection, PEOPLE, rows, read_at=moment(1), scope=scope)
    parts = [
        (7, "part: household_id = 5"),
        (8, "part: household_id = 6"),
        (9, "part: room__id = 4"),
    ]
    assert set_aside(connection) == [(2, None), *parts]
    land(connection, PEOPLE, [person(1)], read_at=moment(2), scope=other)
    assert set_aside(connection) == [(2, None), parts[0], parts[2]]
    whole_of_rooms = Scope("room__id IN (4, 5)")
    land(connection, PEOPLE, [person(1)], read_at=moment(3), scope=whole_of_rooms)
    assert set_aside(connection) == [(2, None)]
    land(connection, PEOPLE, [person(1)], read_at=moment(4))
    assert set_aside(connection) == []


def test_codes_that_a_part_does_not_bring_go_on_being_explained(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2, grade=8)], read_at=moment(0), value_lists=[GRADES])
    renamed = ValueList(("grade",), [{"id": 7, "description": "Year 7"}, {"id": 9, "description": "Year 9"}])
    land(connection, PEOPLE, [person(1)], read_at=moment(1), value_lists=[renamed], scope=NEVER_MISSING)
    land(connection, PEOPLE, [person(2, grade=8), person(3, grade=9)], read_at=moment(2), scope=NEVER_MISSING)
    assert stored(connection, "id, grade_label") == [(1, "Year 7"), (2, "Grade 8"), (3, "Year 9")]
    land(connection, PEOPLE, [person(1), person(2, grade=8)], read_at=moment(3), value_lists=[renamed])
    assert stored(connection, "id, grade_label", "id < 3") == [(1, "Year 7"), (2, None)]


def test_landings_in_one_transaction_stand_or_fall_together(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(0), value_lists=[GRADES])
    before = everything(connection)

    def land_both(*whole: dict[str, Any]) -> None:
        with transaction(connection):
            land_within(connection, PEOPLE, [person(1, "Eve")], read_at=moment(1), scope=NEVER_MISSING)
            land_within(connection, PEOPLE, whole, read_at=moment(1))

    with pytest.raises(IncompleteReadError):
        land_both()
    assert everything(connection) == before
    land_both(person(1, "Eve"), person(2))
    assert stored(connection) == [(1, "Eve"), (2, "Ada")]
