"""Which contact in Orah is which parent: decisions, what we wrote, e-mail and names, and what stays a question."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.matching.rulings import Rulings
from vx_pipeline_tests.families import ANA, BEN, contact, family, links, match, questions, related
from vx_pipeline_tests.world import READ_AT, open_school

ANAS = {"first_name": "Ana", "last_name": "Roy", "email": "Ana@Example.org "}
FIRST, SECOND = 501, 502


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        (ANAS, "e-mail and name"),
        ({"first_name": "ÁNA", "last_name": "roy", "email": "other@example.org"}, "name"),
        ({"first_name": "Ana", "last_name": "Smith", "email": "ana@example.org"}, "e-mail"),
        ({"first_name": None, "last_name": "Roy", "email": "ana@example.org"}, "e-mail"),
        ({"first_name": "Anabel", "last_name": "Roy", "email": "ana@example.org"}, "e-mail"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_evidence_links(connection: duckdb.DuckDBPyConnection, fields: dict[str, Any], rule: str) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **fields)])
    assert match(connection) == {10: (900, rule)}
    assert questions(connection) == {}


@pytest.mark.parametrize("first", ["Benjamin", "Ben", "Benny"])
def test_the_first_or_the_preferred_name_or_a_form_of_it(
    connection: duckdb.DuckDBPyConnection, first: str
) -> None:
    fields = {"first_name": first, "last_name": "Roy", "email": "ben@example.org"}
    family(connection, [related(1, 11)], [contact(900, FIRST, **fields)])
    assert match(connection)[11][0] == 900


@pytest.mark.parametrize(
    "fields",
    [
        {"first_name": "Someone", "last_name": "Else", "email": "ana@example.org"},
        {"first_name": "Xavier", "last_name": "Roy", "email": "ana@example.org"},
    ],
)
def test_an_email_under_another_name_is_a_question(
    connection: duckdb.DuckDBPyConnection, fields: dict[str, Any]
) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **fields)])
    assert match(connection) == {}
    assert questions(connection) == {(10, 900): "a contact in Orah has the same e-mail under another name"}


@pytest.mark.parametrize(
    "fields", [{"last_name": "Roy"}, {"first_name": "Ana"}, {}, {"first_name": ".", "last_name": "-"}]
)
def test_half_a_name_is_nothing(connection: duckdb.DuckDBPyConnection, fields: dict[str, Any]) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **fields)])
    assert match(connection) == {}
    assert questions(connection) == {}


def test_only_contacts_of_ones_own_children_are_looked_at(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10)], [contact(900, SECOND, **ANAS)])
    assert match(connection) == {}


def test_a_child_whose_record_is_in_doubt_proves_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **ANAS)])
    links(connection, contested={1})
    assert match(connection) == {}


def test_who_may_not_be_a_contact_is_found_all_the_same(connection: duckdb.DuckDBPyConnection) -> None:
    lost = related(1, 10, legal_custody=False, custody_status="No Custody")
    family(connection, [lost], [contact(900, FIRST, **ANAS)])
    assert match(connection) == {10: (900, "e-mail and name")}


def test_two_contacts_of_one_person_are_a_question(connection: duckdb.DuckDBPyConnection) -> None:
    relationships = [related(1, 10), related(2, 10)]
    family(connection, relationships, [contact(900, FIRST, **ANAS), contact(901, SECOND, **ANAS)])
    assert match(connection) == {}
    why = "more than one contact in Orah fits this person"
    assert questions(connection) == {(10, 900): why, (10, 901): why}


def test_one_contact_of_two_people_of_one_name_is_a_question(connection: duckdb.DuckDBPyConnection) -> None:
    namesake = {**ANA, "id": 12}
    family(
        connection,
        [related(1, 10), related(1, 12)],
        [contact(900, FIRST, **ANAS)],
        parents=[ANA, namesake],
    )
    assert match(connection) == {}
    assert set(questions(connection).values()) == {"a contact in Orah fits more than one person"}


def test_parents_who_share_an_email_are_told_apart_by_name(connection: duckdb.DuckDBPyConnection) -> None:
    shared = {"last_name": "Roy", "email": "ana@example.org"}
    family(
        connection,
        [related(1, 10), related(1, 11)],
        [contact(900, FIRST, first_name="Ana", **shared), contact(901, FIRST, first_name="Ben", **shared)],
        parents=[ANA, {**BEN, "email_1": "ana@example.org"}],
    )
    assert {person: link[0] for person, link in match(connection).items()} == {10: 900, 11: 901}


def test_who_is_contested_by_strong_evidence_is_not_linked_by_weak(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    weak = {"first_name": "Ana", "last_name": "Smith", "email": "ana@example.org"}
    same = [contact(900, FIRST, **ANAS), contact(901, FIRST, **ANAS), contact(902, FIRST, **weak)]
    family(connection, [related(1, 10)], same)
    assert match(connection) == {}


# --- what was written, and what people decided


def test_what_we_wrote_is_known_whatever_it_says_now(connection: duckdb.DuckDBPyConnection) -> None:
    renamed = contact(900, FIRST, first_name="Anything", last_name="Else")
    family(connection, [related(1, 10)], [renamed, contact(901, FIRST, **ANAS)])
    assert match(connection, {10: 900}) == {10: (900, "written")}


def test_what_we_wrote_and_is_gone_is_no_link(connection: duckdb.DuckDBPyConnection) -> None:
    made = contact(900, FIRST, **ANAS)
    family(connection, [related(1, 10)], [made])
    family(connection, [related(1, 10)], night=1)
    assert match(connection, {10: 900}) == {10: (900, "written")}
    family(connection, [related(1, 10)], night=2)
    assert match(connection, {10: 900}) == {}


def test_a_decision_comes_before_everything(connection: duckdb.DuckDBPyConnection) -> None:
    other = contact(901, FIRST, first_name="Someone", last_name="Else")
    family(connection, [related(1, 10)], [contact(900, FIRST, **ANAS), other])
    decided = Rulings(linked=frozenset({(10, 901)}))
    assert match(connection, {10: 900}, decided) == {10: (901, "decision")}


@pytest.mark.parametrize(
    "rulings",
    [
        Rulings(refused=frozenset({(10, 900)})),
        Rulings(set_aside=frozenset({900})),
        Rulings(new={10: READ_AT + timedelta(hours=1)}),
    ],
    ids=["refused", "set aside", "new"],
)
def test_what_a_person_ruled_out_is_neither_linked_nor_asked(
    connection: duckdb.DuckDBPyConnection, rulings: Rulings
) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **ANAS)])
    assert match(connection, rulings=rulings) == {}
    assert questions(connection) == {}


def test_a_contact_that_came_after_it_was_said_that_there_is_none(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    family(connection, [related(1, 10)], [contact(900, FIRST, **ANAS)])
    assert match(connection, rulings=Rulings(new={10: READ_AT - timedelta(hours=1)}))[10][0] == 900


# --- in whatever order

PARENTS: list[dict[str, Any]] = [
    ANA,
    BEN,
    {**ANA, "id": 12},
    {**BEN, "id": 13, "first_name": "Bea", "preferred_name": None},
]
TEXTS = st.sampled_from([None, "Ana", "Ben", "Benjamin", "Bea", "Roy"])
CONTACT = st.fixed_dictionaries(
    {
        "first_name": TEXTS,
        "last_name": st.sampled_from([None, "Roy", "Else"]),
        "email": st.sampled_from([None, "ana@example.org", "ben@example.org"]),
    }
)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(CONTACT, st.sampled_from([(501,), (502,), (501, 502)])), max_size=6), st.data())
def test_a_link_is_one_to_one_and_never_hangs_on_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, given_contacts: list[Any], data: st.DataObject
) -> None:
    contacts = [contact(900 + n, *whose, **one) for n, (one, whose) in enumerate(given_contacts)]
    relationships = [related(student, parent["id"]) for student in (1, 2) for parent in PARENTS]
    results = []
    for order in (as_given, data.draw(st.sampled_from([backwards, sorted_by_name]))):
        with open_school(tmp_path_factory.mktemp("school")) as connection:
            family(connection, order(relationships), order(contacts), parents=order(PARENTS))
            results.append((match(connection), questions(connection)))
    assert results[0] == results[1]
    found, left = results[0]
    assert len({link[0] for link in found.values()}) == len(found)
    assert not {person for person, _ in left} & set(found)


def as_given(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return given


def backwards(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return given[::-1]


def sorted_by_name(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(given, key=lambda row: (str(row.get("first_name")), -row["id"]))
