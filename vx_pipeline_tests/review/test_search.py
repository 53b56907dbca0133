"""Finding people however their names are typed."""

import random
import time
from collections.abc import Callable

import pytest
from faker import Faker

from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.cases import PersonSummary, get_people
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.matching.fold import fold
from vx_pipeline.review.search import SearchIndex
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.school import NICKNAME, SCHOOL, record_school
from vx_pipeline_tests.review.visitor import Visitor


@pytest.fixture
def index(journal: Journal) -> SearchIndex:
    """The hand-made people among some hundred others."""
    record_school(journal, cases=120, linked=100)
    return SearchIndex(get_people(journal, SCHOOL))


def found(index: SearchIndex, query: str) -> list[tuple[str, int]]:
    """System and id of the best hits."""
    return [(hit.person.system, hit.person.person_id) for hit in index.find(query)]


@pytest.mark.parametrize(
    "query", ["Jonathan Smith", "smith jonathan", "Jonh Smiht", "jonatan smit", "jonat smi", "JON SMITH"]
)
def test_a_name_is_found_however_it_is_typed(index: SearchIndex, query: str) -> None:
    assert set(found(index, query)[:2]) == {("veracross", 101), ("orah", 501)}


def test_a_short_form_finds_the_name_and_the_name_the_short_form() -> None:
    people = [
        PersonSummary(system, Entity.STUDENT, 1, {}, f"{name} hale", None)
        for system, name in (("veracross", "william"), ("orah", "bill"))
    ]
    index = SearchIndex(people)
    for query in ("William Hale", "Bill Hale"):
        assert len(found(index, query)) == 2


@pytest.mark.parametrize("query", ["Müller", "muller", "mueller", "MUELLER sven", "Sven Muellr"])
def test_an_umlaut_is_found_by_every_way_to_write_it(index: SearchIndex, query: str) -> None:
    assert set(found(index, query)[:2]) == {("veracross", 106), ("orah", 507)}


@pytest.mark.parametrize("query", ["Łukaszewicz", "lukaszewicz", "zofia", "lukasz"])
def test_other_letters_are_found_by_plain_ones(index: SearchIndex, query: str) -> None:
    assert found(index, query)[0] == ("veracross", 104)


def test_digits_find_ids_and_ids_of_the_other_system(index: SearchIndex) -> None:
    assert found(index, "501") == [("orah", 501)]
    assert set(found(index, "103")) == {("veracross", 103), ("orah", 505)}
    assert found(index, "2000")[0] == ("veracross", 2000)
    assert len(found(index, "2000")) == 20
    assert found(index, "424242") == []


@pytest.mark.parametrize("query", ["", "   ", "qqqq zzzz", "-", "*", "' OR 1=1", "👩‍🎓"])
def test_nobody_is_found_by_nonsense(index: SearchIndex, query: str) -> None:
    assert found(index, query) == []


def test_a_school_without_people_has_nobody_to_find() -> None:
    assert SearchIndex([]).find("smith") == []


def test_the_page_and_the_answers_for_typing_agree(reader: Visitor) -> None:
    hits = reader.get("search.json", q="Jonh Smiht").json()
    assert hits["told"] == "2 people found"
    assert {(hit["system"], hit["id"], hit["linked"]) for hit in hits["hits"]} == {
        ("Veracross", 101, "not linked"),
        ("Orah", 501, "not linked"),
    }
    page = reader.get("search", q="Jonh Smiht").text
    for hit in hits["hits"]:
        assert hit["path"] in page
        assert reader.client.get(hit["path"]).status_code == 200
    assert reader.get("search.json", q="").json() == {"told": "Nobody found", "hits": []}
    linked = reader.get("search.json", q="20001").json()["hits"]
    assert {hit["linked"] for hit in linked} == {"linked with Orah 60001", "linked with Veracross 20001"}


def test_for_a_case_only_the_other_system_is_searched(reader: Visitor) -> None:
    hits = reader.get("search.json", q="marlowe", case=NICKNAME).json()["hits"]
    assert {hit["id"] for hit in hits} == {503, 504}
    assert {hit["action"] for hit in hits} == {"Compare"}
    assert f"/case/{NICKNAME}?other=503" in hits[0]["path"] + hits[1]["path"]


def test_a_new_run_brings_its_people(journal: Journal, visitors: Visitors) -> None:
    record_school(journal, cases=9, linked=0)
    visitor = visitors()
    assert visitor.get("search.json", q="20001").json()["hits"] == []
    record_school(journal, cases=9, linked=10, run_id="run-2")
    assert len(visitor.get("search.json", q="20001").json()["hits"]) == 2


def test_what_was_typed_stands_nowhere(
    journal: Journal, visitor: Visitor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    visitor.get("search", q="Jonh Smiht")
    visitor.get("search.json", q="Jonh Smiht")
    trail = [view for view in audit_trail(journal, SCHOOL) if view.action == "search"]
    assert [view.subject for view in trail] == ["2 hits", "2 hits"]
    printed = capfd.readouterr()
    assert "smiht" not in (repr(trail) + caplog.text + printed.out + printed.err).lower()


def test_five_thousand_people_of_each_system_are_searched(
    record_property: Callable[[str, object], None],
) -> None:
    """No time is asserted: the machine may be busy. The seconds are reported with the test."""
    fake, chance = Faker(["en_US", "de_DE", "es_MX", "pl_PL", "vi_VN"], use_weighting=False), random.Random(7)
    Faker.seed(7)
    names = [(fake.first_name(), fake.last_name()) for _ in range(5000)]
    people = [
        PersonSummary(
            system,
            Entity.STUDENT,
            number,
            {"first_name": first, "last_name": last},
            fold(f"{first} {last}"),
            None,
        )
        for system in ("veracross", "orah")
        for number, (first, last) in enumerate(names, start=1)
    ]
    index = SearchIndex(people)
    slowest = 0.0
    for first, last in chance.sample(names, 50):
        # Two letters of the last name swapped, the first name only begun.
        typed = f"{first[:3]} {last[1]}{last[0]}{last[2:]}"
        begun = time.perf_counter()
        hits = index.find(typed, limit=50)
        slowest = max(slowest, time.perf_counter() - begun)
        assert hits == sorted(hits, key=lambda hit: -hit.score)
    record_property("slowest_search_ms", round(slowest * 1000, 1))
    print(f"slowest of 50 searches among 10,000 people: {slowest * 1000:.1f} ms")  # noqa: T201
