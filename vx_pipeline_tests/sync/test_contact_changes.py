"""What a plan says about contacts: whom it brings, whom it takes away, and what it leaves to a person."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.journal.contacts import ContactMemory
from vx_pipeline.matching.rulings import Rulings
from vx_pipeline.policies import ContactPolicy, Policies
from vx_pipeline.sync.changes import Action, Change, Difference
from vx_pipeline.sync.contacts import contact_changes
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.families import ANA, BEN, contact, family, links, match, read, related
from vx_pipeline_tests.world import READ_AT

ANAS = {"first_name": "Ana", "last_name": "Roy", "email": "ana@example.org", "relationship": "Mother"}
FIRST, SECOND = 501, 502
LOST = {"legal_custody": False, "custody_status": "No Custody"}
NO_FLAG = {"legal_custody": False}


def plan(
    connection: duckdb.DuckDBPyConnection,
    *,
    children: Collection[int] = (1, 2, 3),
    memory: ContactMemory = ContactMemory(),  # noqa: B008 - frozen
    policies: Policies | None = None,
    rulings: Rulings = Rulings(),  # noqa: B008 - frozen
) -> list[Change]:
    match(connection, memory.written, rulings)
    with transaction(connection):
        return contact_changes(connection, policies or Policies(), children=children, memory=memory)


def told(changes: list[Change]) -> list[tuple[Action, int, int | None]]:
    return [(change.action, change.key, change.target_id) for change in changes]


def student(change: Change) -> int:
    """The student whom a link or an unlink is about."""
    pair = change.fields["students"]
    return int((pair.after or pair.before)["student_id"])


# --- new contacts


def test_a_parent_without_a_contact_gets_one_for_all_children(connection: duckdb.DuckDBPyConnection) -> None:
    family(
        connection,
        [related(1, 10), related(2, 10), related(3, 10, relationship=2)],
        parents=[{**ANA, "household_id": 60}],
        households=[{"id": 60, "address_line_1": "1 Elm St", "city": "Avon"}],
        contact_info=[{"id": 10, "mobile_phone": "555-0100"}],
    )
    (change,) = plan(connection)
    assert told([change]) == [(Action.CREATE, 10, None)]
    assert change.values == {
        "first_name": "Ana",
        "last_name": "Roy",
        "email": "ana@example.org",
        "mobile_phone": "555-0100",
        "address": "1 Elm St, Avon",
        "relationship": "Mother",
        "students": [{"student_id": 1}, {"student_id": 2}, {"student_id": 3}],
    }
    assert not change.urgent


def test_only_children_in_scope_and_only_those_the_parent_may_stand_beside(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    family(connection, [related(1, 10), related(2, 10, **LOST), related(3, 10)])
    (change,) = plan(connection, children=(1, 2))
    assert change.values["students"] == [{"student_id": 1}]
    assert plan(connection, children=(2,)) == []


@pytest.mark.parametrize(
    "flags", [NO_FLAG, {"legal_custody": None}, LOST, {"related_person_is_deceased": True}]
)
def test_who_may_not_be_a_contact_gets_none(connection: duckdb.DuckDBPyConnection, flags: Any) -> None:
    family(connection, [related(1, 10, **flags)])
    assert plan(connection) == []


def test_nothing_is_planned_where_contacts_are_not_synced(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10)])
    assert plan(connection, policies=Policies(contacts=ContactPolicy(synced=False))) == []


def test_without_a_name_a_person_has_to_look(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10)], parents=[{"id": 10, "first_name": " "}])
    (change,) = plan(connection)
    assert (change.action, change.reason) == (
        Action.SKIP,
        "Veracross has no name; a contact in Orah needs one",
    )


def test_no_contact_is_made_while_one_childs_contacts_are_not_known(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    family(connection, [related(1, 10), related(2, 10), related(1, 11)])
    read(connection, [], READ_AT, failed={SECOND})
    created, closed = plan(connection)
    assert told([created]) == [(Action.CREATE, 11, None)]
    assert (closed.action, closed.reason) == (
        Action.SKIP,
        "the contacts of 1 students could not be read; left alone until they can be",
    )


def test_a_contact_that_went_without_us_is_not_made_again_unless_a_person_says_so(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    memory = ContactMemory(written={10: 900})
    family(connection, [related(1, 10)], [contact(900, FIRST, **ANAS)])
    for night in (1, 2):
        family(connection, [related(1, 10)], night=night)
        changes = plan(connection, memory=memory)
        assert [change.action for change in changes] == [Action.SKIP] * (night - 1)
    assert "a second one needs a person to say so" in changes[0].reason
    said = Rulings(new={10: READ_AT + timedelta(days=2)})
    assert told(plan(connection, memory=memory, rulings=said)) == [(Action.CREATE, 10, None)]


def test_a_contact_that_we_took_away_comes_back_when_the_flags_do(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    family(connection, [related(1, 10)])
    memory = ContactMemory(written={10: 900}, given_up=frozenset({900}))
    assert told(plan(connection, memory=memory)) == [(Action.CREATE, 10, None)]


# --- contacts that are there


def test_a_contact_that_says_what_veracross_says_is_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    fields = {**ANAS, "email": "ANA@example.org", "home_phone": "555-0199", "title": "Dr."}
    family(connection, [related(1, 10)], [contact(900, FIRST, **fields)])
    assert plan(connection) == []


def test_fields_that_differ_are_updated_and_the_schools_own_are_not(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    fields = {**ANAS, "last_name": "Smith", "mobile_phone": "555-0111", "relationship": "Parent"}
    family(
        connection,
        [related(1, 10)],
        [contact(900, FIRST, **fields)],
        contact_info=[{"id": 10, "mobile_phone": "555-0100"}],
    )
    (change,) = plan(connection)
    assert told([change]) == [(Action.UPDATE, 10, 900)]
    assert change.fields == {
        "last_name": Difference("Smith", "Roy"),
        "mobile_phone": Difference("555-0111", "555-0100"),
        "relationship": Difference("Parent", "Mother"),
    }
    (change,) = plan(connection, policies=Policies(orah_owns=("mobile_phone", "relationship")))
    assert set(change.fields) == {"last_name"}


def test_one_relationship_for_several_children_is_that_to_most_of_them(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    relationships = [related(1, 10, relationship=2), related(2, 10), related(3, 10)]
    family(connection, relationships)
    assert plan(connection)[0].values["relationship"] == "Mother"
    family(connection, relationships[:2], night=1)
    family(connection, relationships[:2], night=2)
    assert plan(connection)[0].values["relationship"] == "Father"
    family(
        connection,
        relationships,
        [contact(900, FIRST, SECOND, **{**ANAS, "relationship": "Father"})],
        night=3,
    )
    assert [change.action for change in plan(connection)] == [Action.LINK]


def test_a_child_without_the_contact_is_tied_to_it_and_so_is_one_who_is_new(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    family(connection, [related(one, 10) for one in (1, 2, 3)], [contact(900, FIRST, **ANAS)])
    changes = plan(connection)
    assert told(changes) == [(Action.LINK, 10, 900)] * 2
    assert [change.fields for change in changes] == [
        {"students": Difference(None, {"student_id": one})} for one in (2, 3)
    ]


def test_a_question_stops_everything_about_the_person(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, email="ana@example.org", first_name="Zed")])
    (change,) = plan(connection)
    assert change.action is Action.SKIP
    assert "same e-mail under another name; a person has to look" in change.reason


def test_a_contact_that_did_not_come_once_is_waited_for(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10), related(2, 10)], [contact(900, FIRST, **{**ANAS, "last_name": "X"})])
    memory = ContactMemory(written={10: 900})
    assert len(plan(connection, memory=memory)) == 2
    family(connection, [related(1, 10), related(2, 10)], night=1)
    assert plan(connection, memory=memory) == []


def test_contacts_without_a_person_behind_them_are_never_touched(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    aunt = contact(950, FIRST, SECOND, first_name="Zoe", last_name="Quill", email="zoe@example.org")
    family(connection, [related(1, 10, **LOST), related(2, 11)], [aunt])
    assert 950 not in {change.target_id for change in plan(connection)}


# --- ends


URGENT = [LOST, {"related_person_is_deceased": True}]


@pytest.mark.parametrize("flags", URGENT, ids=["custody", "death"])
@pytest.mark.parametrize("children", [(1, 2), ()], ids=["in scope", "out of scope"])
def test_lost_custody_and_death_are_urgent_whoever_made_the_contact(
    connection: duckdb.DuckDBPyConnection, flags: Any, children: tuple[int, ...]
) -> None:
    family(connection, [related(1, 10, **flags)], [contact(900, FIRST, **ANAS)])
    (change,) = plan(connection, children=children)
    assert told([change]) == [(Action.UNLINK, 10, 900)]
    assert change.fields == {"students": Difference({"student_id": 1}, None)}
    assert change.urgent
    assert change.reason in ("custody has ended: the custody status says so", "has died")


def test_lost_custody_of_one_child_leaves_the_other_tied(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10, **LOST), related(2, 10)], [contact(900, FIRST, SECOND, **ANAS)])
    (change,) = plan(connection)
    assert (change.action, student(change), change.urgent) == (Action.UNLINK, 1, True)


def test_lost_custody_does_not_wait_for_a_read_that_failed(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **ANAS)])
    family(connection, [related(1, 10, **LOST)], [contact(900, FIRST, **ANAS)], night=1)
    read(connection, [], READ_AT + timedelta(days=2), failed={FIRST})
    assert (Action.UNLINK, 10, 900) in told(plan(connection))


def test_second_contacts_of_who_lost_custody_go_too_but_not_those_of_a_namesake(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    twice = [contact(900, FIRST, **ANAS), contact(901, FIRST, **ANAS)]
    family(connection, [related(1, 10, **LOST)], twice)
    assert told(plan(connection)) == [(Action.UNLINK, 10, 900), (Action.UNLINK, 10, 901)]
    namesake = {**ANA, "id": 12}
    family(connection, [related(1, 10, **LOST), related(1, 12)], twice, parents=[ANA, namesake])
    changes = plan(connection)
    assert {change.action for change in changes} == {Action.SKIP}
    assert [change.key for change in changes if change.urgent] == [10]


def test_lost_custody_of_a_student_whose_record_is_in_doubt_is_a_persons_task(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **ANAS)])
    family(connection, [related(1, 10, **LOST)], [contact(900, FIRST, **ANAS)], night=1)
    links(connection, contested={1})
    (change,) = plan(connection, memory=ContactMemory(written={10: 900}))
    assert (change.action, change.urgent) == (Action.SKIP, True)
    assert "in doubt" in change.reason


def test_a_flag_that_ended_parts_only_what_is_ours(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10, **NO_FLAG)], [contact(900, FIRST, **ANAS)])
    assert plan(connection) == []
    ours = ContactMemory(written={10: 900})
    (change,) = plan(connection, memory=ours)
    assert (*told([change])[0], change.urgent, change.reason) == (
        Action.UNLINK,
        10,
        900,
        False,
        "no flag is set",
    )
    assert plan(connection, children=(2, 3), memory=ours) == []


def test_a_flag_that_is_not_known_any_more_parts_nobody(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10, legal_custody=None)], [contact(900, FIRST, **ANAS)])
    assert plan(connection, memory=ContactMemory(written={10: 900})) == []


def test_a_relationship_parts_only_when_it_is_missing_twice(connection: duckdb.DuckDBPyConnection) -> None:
    hers, ours = [contact(900, FIRST, **ANAS)], ContactMemory(written={10: 900})
    family(connection, [related(1, 10)], hers)
    found = []
    for night in (1, 2):
        family(connection, [], hers, night=night)
        found.append([change.action for change in plan(connection, memory=ours)])
    assert found == [[], [Action.UNLINK]]


def test_who_left_keeps_the_contacts(connection: duckdb.DuckDBPyConnection) -> None:
    left = [{"id": 1, "first_name": "S", "last_name": "Roy", "roles": "Alumni"}]
    family(connection, [related(1, 10, **NO_FLAG)], [contact(900, FIRST, **ANAS)], students=left)
    assert plan(connection, memory=ContactMemory(written={10: 900})) == []


def test_who_lost_custody_once_comes_back_only_with_legal_custody(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    parted = ContactMemory(custody_ended=frozenset({(1, 10)}))
    family(connection, [related(1, 10, legal_custody=None, emergency=True), related(2, 10)])
    skipped, created = plan(connection, memory=parted)
    assert (skipped.action, created.action) == (Action.SKIP, Action.CREATE)
    assert created.values["students"] == [{"student_id": 2}]
    family(connection, [related(1, 10), related(2, 10)], night=1)
    (created,) = plan(connection, memory=parted)
    assert created.values["students"] == [{"student_id": 1}, {"student_id": 2}]


# --- in whatever order


def test_the_plan_does_not_hang_on_the_order_of_rows(connection: duckdb.DuckDBPyConnection) -> None:
    relationships = [related(1, 10, **LOST), related(2, 10), related(3, 10), related(1, 11), related(3, 11)]
    contacts = [
        contact(900, FIRST, SECOND, **{**ANAS, "last_name": "R"}),
        contact(901, FIRST, first_name="B", email="ben@example.org"),
    ]
    family(connection, relationships, contacts)
    first = plan(connection)
    family(connection, relationships[::-1], contacts[::-1], parents=[BEN, ANA])
    assert first == plan(connection)
    assert len(first) > 3
