"""How records are compared, evidence is drawn, effects are worded, and moments told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.journal.decisions import Kind
from vx_pipeline.review import words
from vx_pipeline.review.chart import WIDTH, waterfall
from vx_pipeline.review.compare import side_by_side
from vx_pipeline.review.effects import effects_of, sum_of
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
