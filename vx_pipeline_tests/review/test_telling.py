"""How records are compared, evidence is drawn, effects are worded, and moments told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.journal.decisions import Entity, Kind
from vx_pipeline.review import words
from vx_pipeline.review.chart import WIDTH, waterfall
from vx_pipeline.review.compare import side_by_side
from vx_pipeline.review.effects import effects_of, sum_of
from vx_pipeline.review.pair import Pair
from vx_pipeline_tests.review.school import evidence, person

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "tone", "told"),
    [
        ("last_name", "Müller", "Muller", "agree", "same"),
        ("last_name", "Müller", "Miller", "close", "nearly the same"),
        ("last_name", "Müller", "Okoro", "differ", "differs"),
        ("last_name", "Müller", None, "missing", "missing in Orah"),
        ("last_name", None, "Müller", "missing", "missing in Veracross"),
        ("birth_date", "2010-03-04", "2010-04-03", "close", "nearly the same: day and month swapped"),
        ("birth_date", "2010-03-04", "2010-03-05", "close", "nearly the same"),
        ("birth_date", "2008-11-21", "2009-12-21", "differ", "differs"),
        ("email", "a.b@example.org", "A.B@example.org", "agree", "same"),
        ("email", "a.b@example.org", "a.c@example.org", "differ", "differs"),
        ("grade", "Grade 9", "Grade 10", "differ", "differs"),
        ("last_name", "王", "王", "agree", "same"),
        ("last_name", "👑", "🐸", "differ", "differs"),
    ],
)
def test_without_evidence_the_values_themselves_are_compared(
    field: str, ours: str | None, theirs: str | None, tone: str, told: str
) -> None:
    left: dict[str, Any] = {field: ours}
    right: dict[str, Any] = {field: theirs}
    rows = side_by_side(person("veracross", 1, **left), person("orah", 2, **right))
    found = next(row for row in rows if row.field == field)
    assert (found.tone, found.words) == (tone, told)


def test_the_matchers_own_judgement_goes_before_ours() -> None:
    lines = evidence(("first_name", "William", "Bill", "nickname", 5.0))
    ours, theirs = person("veracross", 1, first_name="William"), person("orah", 2, first_name="Bill")
    assert side_by_side(ours, theirs, lines)[0].words == "nearly the same: a short form"


def test_the_name_that_is_used_stands_beside_orahs_first_name() -> None:
    ours = person("veracross", 1, first_name="Katherine", preferred_name="Kate", last_name="Hale")
    theirs = person("orah", 2, first_name="Kate", alt_name="Katherine", last_name="Hale")
    rows = {row.field: (row.ours, row.theirs, row.tone) for row in side_by_side(ours, theirs)}
    assert rows["first_name"] == ("Kate", "Kate", "agree")
    assert rows["alt_name"] == ("Katherine", "Katherine", "agree")


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        # Veracross: legal and preferred name; Orah: first and alternative name.
        (("Yousef", "Travis"), ("Yousef", "Travis"), {"first_name": "other", "alt_name": "other"}),
        (("Yousef", "Travis"), ("Travis", "Yousef"), {"first_name": "same", "alt_name": "same"}),
        (("Hala", "Jane"), ("Hila", None), {"first_name": "near other", "alt_name": "missing in Orah"}),
        (("Katherine", "Kate"), ("Katherine", None), {"first_name": "other", "alt_name": "other"}),
        (("William", None), ("Bill", None), {"first_name": "nearly the same: a short form"}),
        (("William", "Rex"), ("Bill", None), {"first_name": "differs", "alt_name": "missing in Orah"}),
    ],
)
def test_a_level_stands_only_beside_the_names_that_it_is_about(
    ours: tuple[str, str | None], theirs: tuple[str, str | None], told: dict[str, str]
) -> None:
    def both(names: tuple[str | None, str | None]) -> str:
        return f"{names[0]} ({names[1]})" if names[1] else str(names[0])

    lines = evidence(("first_name", both(ours), both(theirs), "nickname", 5.0))
    rows = side_by_side(
        person("veracross", 1, first_name=ours[0], preferred_name=ours[1]),
        person("orah", 2, first_name=theirs[0], alt_name=theirs[1]),
        lines,
    )
    meant = {"other": "same as the other name", "near other": "nearly the same as the other name"}
    found = {row.field: row.words for row in rows if row.field in told}
    assert found == {name: meant.get(each, each) for name, each in told.items()}


def test_what_differs_stands_first_and_what_both_miss_nowhere() -> None:
    ours = person(
        "veracross", 1, first_name="Kate", last_name="Hale", house="North", grade="Grade 9", email=None
    )
    theirs = person("orah", 2, first_name="Kate", last_name="Hall", house=None, grade="Grade 10", email=None)
    rows = side_by_side(ours, theirs)
    assert [row.tone for row in rows] == ["differ", "close", "agree", "missing", "missing"]
    assert [row.field for row in rows][:3] == ["grade", "last_name", "first_name"]


def test_who_refuses_the_last_candidate_is_told_what_comes_next() -> None:
    ours, theirs = person("veracross", 1), person("orah", 2)
    for kind in (Kind.NEVER, Kind.MERGE):
        told = effects_of(kind, ours, theirs, linked=False, last=True).sentences
        assert told[-1] == "Nobody else is left: the next run asks whether this is somebody new."
        assert told[:-1] == effects_of(kind, ours, theirs, linked=False).sentences


def test_that_a_record_will_be_deactivated_is_told() -> None:
    ours, theirs = person("veracross", 1, status="left"), person("orah", 2)
    ours = replace(ours, wanted={"deactivated": True})
    theirs = replace(theirs, wanted={"deactivated": False})
    effects = effects_of(Kind.SAME, ours, theirs, linked=False)
    assert "Veracross 1 has left the school: the record will be deactivated." in effects.sentences
    (change,) = effects.changes
    assert (change.label, words.value(change.now), words.value(change.then)) == ("Deactivated", "no", "yes")


@pytest.mark.parametrize(
    "changed",
    [
        {"linked_to": 9},
        {"wanted": {"email": "new@example.org"}},
        {"shown": {"first_name": "Kate", "status": "left"}},
    ],
)
def test_the_seal_breaks_when_anything_of_what_was_shown_changes(changed: dict[str, Any]) -> None:
    ours, theirs = person("veracross", 1, first_name="Kate"), person("orah", 2, first_name="Kate")
    before = Pair(Entity.STUDENT, 1, 2, ours, theirs)
    assert replace(before, ours=replace(ours, **changed)).seal != before.seal
    assert replace(before, theirs=replace(theirs, days_away=(NOW.date(),))).seal != before.seal
    assert replace(before).seal == before.seal


def test_the_matchers_own_words_are_told_in_plain_ones() -> None:
    assert words.plain("the sis_id agrees") == "the id of Veracross agrees"


def test_one_record_alone_is_shown_without_judgement() -> None:
    rows = side_by_side(person("veracross", 1, first_name="Kate"), None)
    assert {(row.tone, row.words) for row in rows} == {("", "")}


@given(
    st.lists(st.floats(-20, 20, allow_nan=False), min_size=1, max_size=12),
    st.none() | st.floats(0, 40, allow_nan=False),
)
def test_a_waterfall_stays_on_its_chart_and_ends_at_the_score(
    bits: list[float], needed: float | None
) -> None:
    chart = waterfall(
        evidence(*((f"field {n}", "a", "b", "near", each) for n, each in enumerate(bits))), needed
    )
    places = [chart.zero, *(place for bar in chart.bars for place in (bar.left, bar.right, bar.end))]
    assert all(0 <= place <= WIDTH for place in places)
    assert chart.needed_at is None or 0 <= chart.needed_at <= WIDTH
    assert chart.score == pytest.approx(sum(bits))
    for before, bar in zip(chart.bars, chart.bars[1:], strict=False):
        assert before.end in (bar.left, bar.right)
    for bar in chart.bars:
        assert bar.end == (bar.right if bar.bits > 0 else bar.left) or bar.left == bar.right


def test_a_link_that_takes_another_ones_place_says_so() -> None:
    ours = replace(person("veracross", 1, first_name="Kate"), linked_to=8)
    theirs = replace(person("orah", 2, first_name="Kate"), linked_to=9)
    told = effects_of(Kind.SAME, ours, theirs, linked=False).sentences[0]
    assert "The link of Veracross 1 with Orah 8 ends." in told
    assert "The link of Orah 2 with Veracross 9 ends." in told
    assert "stays as it is" in effects_of(Kind.SAME, ours, theirs, linked=True).sentences[0]


def test_effects_add_up() -> None:
    ours, theirs = person("veracross", 1, email="a@example.org", last_name="Hale"), person("orah", 2)
    effects = effects_of(Kind.SAME, ours, theirs, linked=False)
    assert {change.field for change in effects.changes} == {"sis_id", "email", "last_name"}
    total = sum_of([effects, effects, effects_of(Kind.SAME, theirs, theirs, linked=False)])
    assert (total.links, total.records, dict(total.fields)["E-mail"]) == (3, 2, 2)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7_199, "1 hour ago"),
        (7_200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
    ],
)
def test_how_long_ago(seconds: int, told: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == told


def test_levels_that_nobody_named_are_told_as_they_are() -> None:
    assert words.level("first_name", "rhymes_with") == ("close", "rhymes with")
