import json
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from vx_pipeline.errors import ContractDriftError, IncompleteReadError, WarehouseError
from vx_pipeline.schema import Collection, Field, Kind, ValueList
from vx_pipeline.warehouse.landing import Scope, land
from vx_pipeline_tests.warehouse.people import GRADES, PEOPLE, everything, moment, person, stored

Connection = duckdb.DuckDBPyConnection


def utc(reads: int = 0) -> datetime:
    """As the warehouse gives the time of a read: UTC, without saying so."""
    return moment(reads).replace(tzinfo=None)


def test_every_kind_is_stored_typed_and_codes_carry_their_label(connection: Connection) -> None:
    rows = [
        person(1),
        person(
            2.0,
            grade="9",
            birthday="2012-03-04T00:00:00Z",
            seen_at="2026-09-01T08:00:00+02:00",
            tags={"b": None},
        ),
        person(3, grade=None, birthday=None, room=None, boards=None, height=2, seen_at=None, tags=None),
    ]
    landed = land(connection, PEOPLE, rows, read_at=moment(), value_lists=[GRADES])
    assert (landed.rows, landed.added, landed.rejected) == (3, 3, 0)
    assert dict(landed.unlabelled) == {"grade": 1}
    columns = "id, grade, grade_label, birthday, room__id, room__name, boards, height, seen_at, tags, _extra"
    eight = utc().replace(hour=8)
    assert stored(connection, columns) == [
        (1, "7", "Grade 7", date(2011, 2, 3), 4, "East 4", True, 1.5, eight, '["a"]', None),
        (2, "9", None, date(2012, 3, 4), 4, "East 4", True, 1.5, eight.replace(hour=6), '{"b": null}', None),
        (3, None, None, None, None, None, None, 2.0, None, None, None),
    ]
    assert stored(connection, "_first_seen_at, _last_seen_at, _missing_since, _missing_reads", "id = 1") == [
        (utc(), utc(), None, 0)
    ]


def test_a_vanished_row_keeps_its_content_counts_its_absences_and_may_return(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2, "Bo")], read_at=moment(0))
    landed = land(connection, PEOPLE, [person(1)], read_at=moment(1))
    assert (landed.vanished, landed.unchanged, landed.rows) == (1, 1, 1)
    landed = land(connection, PEOPLE, [person(1)], read_at=moment(2))
    assert (landed.vanished, landed.rows) == (0, 1)
    absence = "name, _missing_since, _missing_reads, _last_seen_at"
    second, first = utc(1), utc(0)
    assert stored(connection, absence, "id = 2") == [("Bo", second, 2, first)]
    landed = land(connection, PEOPLE, [person(1), person(2, "Bob")], read_at=moment(3))
    assert (landed.returned, landed.changed, landed.rows) == (1, 0, 2)
    assert stored(connection, absence, "id = 2") == [("Bob", None, 0, utc(3))]
    history = connection.execute(
        'SELECT id, change, "at", before FROM veracross.history ORDER BY "at"'
    ).fetchall()
    assert [row[:3] for row in history] == [(2, "vanished", second), (2, "returned", utc(3))]
    assert json.loads(history[1][3])["name"] == "Bo"


def test_a_change_is_counted_once_and_the_content_before_is_kept(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(0))
    landed = land(connection, PEOPLE, [person(1), person(2, "Eve")], read_at=moment(1))
    assert (landed.changed, landed.unchanged) == (1, 1)
    landed = land(connection, PEOPLE, [person(2, "Eve"), person(1)], read_at=moment(2))
    assert (landed.changed, landed.unchanged) == (0, 2)
    before = connection.execute("SELECT id, change, before FROM veracross.history").fetchall()
    assert [(row[0], row[1], json.loads(row[2])["name"]) for row in before] == [(2, "changed", "Ada")]


@pytest.mark.parametrize("bad", [person("2"), person(2, 17), person(2, birthday=1) | {"name": ["x"]}])
def test_invalid_is_not_gone(connection: Connection, bad: dict[str, Any]) -> None:
    land(connection, PEOPLE, [person(1), person(2), person(3)], read_at=moment(0))
    landed = land(connection, PEOPLE, [person(1), bad], read_at=moment(1))
    assert (landed.rejected, landed.vanished, landed.vanishing_suspended) == (1, 1, False)
    assert stored(connection, "id, name", "_missing_since IS NULL") == [(1, "Ada"), (2, "Ada")]
    [(identity, content)] = connection.execute("SELECT id, content FROM veracross.rejected_rows").fetchall()
    assert (identity, json.loads(content)) == (2, bad)


def test_a_missing_row_that_comes_back_unusable_is_present_again_with_its_old_content(
    connection: Connection,
) -> None:
    land(connection, PEOPLE, [person(1), person(2, "Bo")], read_at=moment(0))
    land(connection, PEOPLE, [person(1)], read_at=moment(1))
    landed = land(connection, PEOPLE, [person(1), person(2, 17)], read_at=moment(2))
    assert (landed.returned, landed.rows) == (1, 2)
    assert stored(connection, "name, _missing_since", "id = 2") == [("Bo", None)]


@pytest.mark.parametrize("identity", [None, 0, -5, True, "x", 2.5, "", 2**63])
def test_a_row_whose_id_cannot_be_told_suspends_marking_anything_missing(
    connection: Connection, identity: Any
) -> None:
    land(connection, PEOPLE, [person(1), person(2), person(3)], read_at=moment(0))
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(1))
    landed = land(connection, PEOPLE, [person(1), person(identity)], read_at=moment(2))
    assert landed.vanishing_suspended
    assert (landed.rejected, landed.vanished, landed.rows) == (1, 0, 2)
    assert stored(connection, "id, _missing_reads") == [(1, 0), (2, 0), (3, 1)]


def test_rejected_rows_are_those_of_the_last_read(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2, 17)], read_at=moment(0))
    reason = connection.execute("SELECT reason, fields FROM veracross.rejected_rows").fetchall()
    assert reason == [("name is not text", ["name"])]
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(1))
    assert connection.execute("FROM veracross.rejected_rows").fetchall() == []


def test_equal_copies_collapse_and_unequal_ones_are_rejected_but_present(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(0))
    landed = land(
        connection, PEOPLE, [person(1), person(1), person(2, "X"), person(2, "Y")], read_at=moment(1)
    )
    assert (landed.unchanged, landed.rejected, landed.vanished, landed.rows) == (1, 2, 0, 2)
    assert stored(connection) == [(1, "Ada"), (2, "Ada")]


def test_what_the_contract_does_not_describe_is_kept_and_reported(connection: Connection) -> None:
    rows = [
        person(1, shoe=41, room={"id": 1, "name": "A", "beds": 2}),
        person(2, birthday="soon", room="A7", height=float("nan")),
    ]
    for row in rows:
        del row["boards"]
    landed = land(connection, PEOPLE, rows, read_at=moment())
    assert landed.unknown_fields == ("room.beds", "shoe")
    assert landed.retyped_fields == ("birthday", "height", "room.id", "room.name")
    assert landed.missing_fields == ("boards",)
    extras = [json.loads(extra) for (extra,) in stored(connection, "_extra")]
    assert extras == [{"shoe": 41, "room": {"beds": 2}}, {"birthday": "soon", "room": "A7", "height": "nan"}]
    assert stored(connection, "birthday, room__id, room__name", "id = 2") == [(None, None, None)]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([{"id": 1}, {"id": 2}], "name"),
        ([person(1, 5), person(2, 6), person(3, None)], "name"),
        ([person("1"), person("2")], "id"),
        ([person(1, {"first": "Ada"})], "name"),
    ],
)
def test_drift_of_a_used_field_stops_the_collection(
    connection: Connection, rows: list[dict[str, Any]], field: str
) -> None:
    land(connection, PEOPLE, [person(1), person(9)], read_at=moment(0), value_lists=[GRADES])
    before = everything(connection)
    with pytest.raises(ContractDriftError, match=rf"veracross\.people.* field {field},"):
        land(connection, PEOPLE, rows, read_at=moment(1))
    assert everything(connection) == before


@pytest.mark.parametrize("rows", [[], [person(1, 17), person(2)]])
def test_nothing_usable_where_there_was_data_changes_nothing(
    connection: Connection, rows: list[dict[str, Any]]
) -> None:
    rows = [row | {"id": None} for row in rows]
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(0), value_lists=[GRADES])
    before = everything(connection)
    with pytest.raises(IncompleteReadError, match="held 2 current rows"):
        land(connection, PEOPLE, rows, read_at=moment(1), value_lists=[ValueList(("grade",), [])])
    assert everything(connection) == before
    landed = land(connection, PEOPLE, [], read_at=moment(2), may_be_empty=True)
    assert (landed.vanished, landed.rows) == (2, 0)
    # Nothing is current any more, so nothing is what a read may bring.
    assert land(connection, PEOPLE, [], read_at=moment(3)).rows == 0


def test_only_rows_in_scope_can_vanish(connection: Connection) -> None:
    def in_grades(*grades: str) -> Scope:
        return Scope("grade IN (SELECT unnest($grades))", {"grades": list(grades)})

    land(connection, PEOPLE, [person(1, grade=7), person(2, grade=7), person(3, grade=8)], read_at=moment(0))
    landed = land(
        connection, PEOPLE, [person(1, grade=7), person(5, 17)], read_at=moment(1), scope=in_grades("7")
    )
    assert (landed.vanished, landed.rows, landed.rejected) == (1, 1, 1)
    assert stored(connection, "id", "_missing_since IS NULL") == [(1,), (3,)]
    # A read of another scope leaves the rejected rows of this one alone; one with the same id replaces them.
    land(connection, PEOPLE, [person(3, grade=8)], read_at=moment(2), scope=in_grades("8"))
    assert connection.execute("SELECT id FROM veracross.rejected_rows").fetchall() == [(5,)]
    land(
        connection, PEOPLE, [person(3, grade=8), person(5, grade=8)], read_at=moment(3), scope=in_grades("8")
    )
    assert connection.execute("SELECT id FROM veracross.rejected_rows").fetchall() == []
    # No row of this scope is stored, so an empty read of it is believed.
    assert land(connection, PEOPLE, [], read_at=moment(4), scope=in_grades("9")).rows == 0


def test_value_lists_relabel_without_changing_the_record(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2, grade="8")], read_at=moment(0), value_lists=[GRADES])
    renamed = ValueList(
        ("grade", "role"), [{"id": 7.0, "description": "Year 7"}, {"id": "8", "description": "8"}]
    )
    final = ValueList(("grade",), [{"id": 8, "description": "Year 8", "sort_key": 2, "obsolete": True}])
    landed = land(
        connection, PEOPLE, [person(1), person(2, grade="8")], read_at=moment(1), value_lists=[renamed, final]
    )
    assert (landed.changed, landed.unchanged) == (0, 2)
    assert stored(connection, "grade_label") == [("Year 7",), ("Year 8",)]
    items = "SELECT field, code, label, sort_key, obsolete FROM veracross.value_list_items ORDER BY ALL"
    assert connection.execute(items).fetchall() == [
        ("grade", "7", "Year 7", None, False),
        ("grade", "8", "Year 8", 2.0, True),
        ("role", "7", "Year 7", None, False),
        ("role", "8", "8", None, False),
    ]
    # A read without lists is explained by the last ones.
    land(connection, PEOPLE, [person(1), person(2, grade=7)], read_at=moment(2))
    assert stored(connection, "grade_label") == [("Year 7",), ("Year 7",)]


def test_a_contract_that_gains_a_field_gains_a_column(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(0))
    wider = Collection("veracross", "people", (*PEOPLE.fields, Field(("shoe",), Kind.CODE)))
    landed = land(connection, wider, [person(1, shoe=41), person(2, shoe=None)], read_at=moment(1))
    assert (landed.changed, landed.unchanged) == (1, 1)
    assert stored(connection, "shoe, shoe_label, birthday") == [
        ("41", None, date(2011, 2, 3)),
        (None, None, date(2011, 2, 3)),
    ]
    # The old contract still lands, and leaves the column alone.
    land(connection, PEOPLE, [person(1), person(2)], read_at=moment(2))
    assert stored(connection, "shoe") == [("41",), (None,)]


def test_a_contract_that_changes_a_kind_is_refused(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1)], read_at=moment(0))
    fields = [Field(("height",), Kind.TEXT) if field.name == "height" else field for field in PEOPLE.fields]
    with pytest.raises(WarehouseError, match="height as DOUBLE"):
        land(
            connection,
            Collection("veracross", "people", tuple(fields)),
            [person(1, height="x")],
            read_at=moment(1),
        )


def test_text_that_is_no_text_elsewhere_is_stored(connection: Connection) -> None:
    names = [
        "😀" * 200,
        "\u202eabc",
        "nul\0nul",
        "half an emoji \ud83d",
        "nan",
        "",
        "O'Brien; DROP TABLE people",
    ]
    rows: list[Any] = [
        person(number, name, **{"note\ud83d": name}) for number, name in enumerate(names, start=1)
    ]
    rows += [person(None, "\ud83d"), None]
    land(connection, PEOPLE, rows, read_at=moment())
    assert [name for _, name in stored(connection)] == [name.replace("\ud83d", "?") for name in names]
    assert connection.execute("SELECT count(*) FROM veracross.rejected_rows").fetchall() == [(2,)]


def test_nothing_of_a_landing_is_left_in_temporary_tables(connection: Connection) -> None:
    land(connection, PEOPLE, [person(1), person(2, 17)], read_at=moment(), value_lists=[GRADES])
    assert connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall() == []


def test_a_time_without_zone_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="time zone"):
        land(connection, PEOPLE, [person(1)], read_at=moment().replace(tzinfo=None))
