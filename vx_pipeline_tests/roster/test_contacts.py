"""Who may stand beside a student in Orah: custody, death, flags, and what is not known."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.policies import ContactPolicy, Policies
from vx_pipeline.roster.derive import build
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.world import READ_AT, TODAY, land_rows, open_school, rows, school

FLAGS = ("legal_custody", "resident", "parent_portal_access", "emergency")
NONE = dict.fromkeys(FLAGS, False)

Row = dict[str, Any]


def relationship(number: int = 1, student: int = 1, parent: int = 10, **flags: Any) -> Row:
    return {
        "id": number, "person_id": student, "related_person_id": parent, "relationship": 1, **NONE, **flags,
    }  # fmt: skip


def nights(connection: duckdb.DuckDBPyConnection, *reads: Sequence[Row]) -> None:
    """A school with two students and two parents; the relationships of one night after the other."""
    school(
        connection,
        students=[{"id": 1}, {"id": 2}],
        parents=[{"id": 10, "first_name": "Ana", "last_name": "Roy"}, {"id": 11, "first_name": "Ben"}],
    )
    for night, read in enumerate(reads):
        land_rows(connection, "relationships", *read, read_at=READ_AT + timedelta(days=night))


def judged(
    connection: duckdb.DuckDBPyConnection, policies: Policies | None = None
) -> dict[tuple[int, int], tuple[bool | None, str, bool]]:
    for table in ("leavers", "students", "contacts"):
        with transaction(connection):
            build(connection, table, policies or Policies(), TODAY)
    return {
        (row["student_id"], row["person_id"]): (row["is_synced"], row["why"], row["urgent"])
        for row in rows(connection, "FROM roster.contacts")
    }


def one(connection: duckdb.DuckDBPyConnection, *reads: Sequence[Row]) -> tuple[bool | None, str, bool]:
    nights(connection, *reads)
    return judged(connection)[1, 10]


ENDED = "custody has ended: legal custody was set, and is not any more"


@pytest.mark.parametrize("flag", FLAGS)
def test_one_flag_is_enough(connection: duckdb.DuckDBPyConnection, flag: str) -> None:
    found = one(connection, [relationship(**{flag: True})])
    assert found == (True, f"{flag.replace('_', ' ')} is set", False)


def test_without_a_flag_nobody_is_synced(connection: duckdb.DuckDBPyConnection) -> None:
    assert one(connection, [relationship(pick_up=True)]) == (False, "no flag is set", False)


def test_only_the_schools_own_flags_count(connection: duckdb.DuckDBPyConnection) -> None:
    nights(connection, [relationship(emergency=True), relationship(2, parent=11, legal_custody=True)])
    policies = Policies(contacts=ContactPolicy(needs_one_of=("legal_custody",)))
    found = judged(connection, policies)
    assert [found[1, person][0] for person in (10, 11)] == [False, True]


def test_a_null_is_no_flag_and_no_end(connection: duckdb.DuckDBPyConnection) -> None:
    found = one(connection, [relationship(legal_custody=True)], [relationship(legal_custody=None)])
    assert found == (None, "no flag is set, and not every one is known", False)


def test_a_flag_that_ends_is_an_end_without_hurry(connection: duckdb.DuckDBPyConnection) -> None:
    assert one(connection, [relationship(emergency=True)], [relationship()]) == (
        False,
        "no flag is set",
        False,
    )


@pytest.mark.parametrize("status", ["No Custody", " custody REMOVED "])
def test_a_custody_status_outweighs_every_flag(connection: duckdb.DuckDBPyConnection, status: str) -> None:
    found = one(connection, [relationship(custody_status=status, **dict.fromkeys(FLAGS, True))])
    assert found == (False, "custody has ended: the custody status says so", True)


def test_another_custody_status_says_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    assert one(connection, [relationship(custody_status="Joint", resident=True)])[0] is True


def test_lost_custody_outweighs_every_flag_but_custody_itself(connection: duckdb.DuckDBPyConnection) -> None:
    had, lost = relationship(legal_custody=True), relationship(emergency=True, resident=True)
    assert one(connection, [had], [lost]) == (False, ENDED, True)
    land_rows(connection, "relationships", had, read_at=READ_AT + timedelta(days=2))
    assert judged(connection)[1, 10] == (True, "legal custody is set", False)


def test_custody_that_never_was_is_not_lost(connection: duckdb.DuckDBPyConnection) -> None:
    before, after = relationship(emergency=True), relationship(emergency=True, resident=True)
    assert one(connection, [before], [after]) == (True, "resident is set", False)


def test_lost_custody_that_turns_empty_stays_lost(connection: duckdb.DuckDBPyConnection) -> None:
    lost = {"emergency": True}
    reads = (
        [relationship(legal_custody=True)],
        [relationship(**lost)],
        [relationship(legal_custody=None, **lost)],
    )
    assert one(connection, *reads) == (False, ENDED, True)


def test_custody_is_remembered_when_the_relationship_is_typed_in_anew(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    anew = relationship(2, emergency=True)
    assert one(connection, [relationship(legal_custody=True)], [anew], [anew]) == (False, ENDED, True)


def test_lost_custody_of_one_child_leaves_the_other(connection: duckdb.DuckDBPyConnection) -> None:
    sister = relationship(2, student=2, legal_custody=True)
    nights(connection, [relationship(legal_custody=True), sister], [relationship(), sister])
    found = judged(connection)
    assert (found[1, 10][2], found[2, 10][0]) == (True, True)


def test_who_has_died_has_died_for_every_child(connection: duckdb.DuckDBPyConnection) -> None:
    flags = dict.fromkeys(FLAGS, True)
    died = relationship(related_person_is_deceased=True, **flags)
    nights(connection, [died, relationship(2, student=2, **flags)])
    assert set(judged(connection).values()) == {(False, "has died", True)}


def test_missing_once_is_present_and_missing_twice_is_gone(connection: duckdb.DuckDBPyConnection) -> None:
    other = relationship(2, parent=11, resident=True)
    here = relationship(legal_custody=True)
    assert one(connection, [here, other], [other])[0] is True
    land_rows(connection, "relationships", other, read_at=READ_AT + timedelta(days=2))
    gone = (False, "the relationship is not found in two complete reads", False)
    assert judged(connection)[1, 10] == gone
    land_rows(connection, "relationships", here, other, read_at=READ_AT + timedelta(days=3))
    assert judged(connection)[1, 10][0] is True


def test_blank_texts_are_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    nights(connection, [relationship(resident=True)])
    land_rows(connection, "parents", {"id": 10, "first_name": " ", "last_name": "", "email_1": " "})
    judged(connection)
    (row,) = rows(connection, "FROM roster.contacts")
    texts = ("title", "first_name", "last_name", "email", "mobile_phone", "home_phone", "address")
    assert [row[name] for name in texts] == [None] * len(texts)


# --- whatever the flags


@contextmanager
def a_warehouse() -> Any:
    with TemporaryDirectory() as folder, open_school(Path(folder)) as connection:
        yield connection


MAYBE = st.none() | st.booleans()
PAIR = st.fixed_dictionaries(
    {
        **dict.fromkeys((*FLAGS, "related_person_is_deceased"), MAYBE),
        "custody_status": st.sampled_from([None, "Joint", "revoked", "No Custody"]),
    }
)
FAMILIES = st.lists(st.lists(st.tuples(PAIR, PAIR, PAIR), min_size=1, max_size=3), min_size=20, max_size=30)
"""Of each family one parent, and for each child the relationship to the parent in three nights."""


def latest(history: Sequence[Row], flag: str) -> bool | None:
    """What was known of a flag last."""
    return next((night[flag] for night in reversed(history) if night[flag] is not None), None)


def no_custody(history: Sequence[Row]) -> bool:
    by_status = history[-1]["custody_status"] in ("revoked", "No Custody")
    had = any(night["legal_custody"] for night in history)
    return by_status or (had and latest(history, "legal_custody") is False)


def judged_in_order(
    families: Sequence[Sequence[Sequence[Row]]], order: Callable[[list[Row]], None]
) -> dict[tuple[int, int], tuple[bool | None, str, bool]]:
    """Children are numbered ``100 * family + child``, parents like their families."""
    children = [
        (100 * number + child, number)
        for number, one in enumerate(families, start=1)
        for child in range(len(one))
    ]
    with a_warehouse() as connection:
        school(
            connection,
            students=[{"id": child} for child, _ in children],
            parents=[
                {"id": number, "first_name": "Ana", "last_name": "Roy"}
                for number, _ in enumerate(families, start=1)
            ],
        )
        for night in range(3):
            read = [
                relationship(child, child, parent, **families[parent - 1][child % 100][night])
                for child, parent in children
            ]
            order(read)
            land_rows(connection, "relationships", *read, read_at=READ_AT + timedelta(days=night))
        return judged(connection)


@settings(max_examples=4, deadline=None)
@given(FAMILIES)
def test_nobody_dead_or_without_custody_is_ever_synced_in_whatever_order(
    families: list[list[tuple[Row, ...]]],
) -> None:
    results = judged_in_order(families, lambda read: None)
    assert results == judged_in_order(families, list.reverse)
    for number, histories in enumerate(families, start=1):
        has_died = any(latest(history, "related_person_is_deceased") for history in histories)
        for child, history in enumerate(histories):
            is_synced, _, urgent = results[100 * number + child, number]
            assert urgent is (has_died or no_custody(history))
            assert not urgent or is_synced is False
            assert is_synced is not True or any(history[-1][flag] for flag in FLAGS)
