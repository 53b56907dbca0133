"""The page that says why: for a student, for a record behind whom nobody stands, for nobody; and how it looks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.explanations import record_explanations
from vx_pipeline.journal.intents import Result, record_intent, record_outcome
from vx_pipeline.journal.plans import PlanRow, record_plan
from vx_pipeline_tests.review.browser import PHONE, TABLET, accessibility_violations, overflow, visiting
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.school import NICKNAME, ORPHAN, SCHOOL, record_school
from vx_pipeline_tests.review.serving import serving

SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


def explain(journal: Journal, at: datetime | None = None) -> None:
    """A school whose newest plan explained two students and a parent."""
    at = at or datetime.now(UTC) - timedelta(hours=1)
    record_school(journal)
    told = {
        "veracross": ["Listed as a student.", "Roles: Student.", "Entry date 2024-09-01; no exit date."],
        "scope": ["Brought to Orah: a current student."],
        "boarder": ["A boarder: current enrolment in dorm 100. Rule: the setting boarder_rule = dorm."],
        "match": ["Linked to Orah 507 by sis_id, since 2026-09-01 06:00 UTC, with 40.4 bits of evidence."],
        "contacts": [
            "Parent 8 (Mother): may stand there in Orah; legal custody is set.",
            "Parent 9 (Father): not brought to Orah; no flag is set <b>.",
        ],
    }
    parent = {"veracross": ["Listed as a parent."]}
    record_explanations(journal, SCHOOL, {101: told, 106: told, 8: parent}, at)
    step = {"key": 106, "target_id": 507, "reason": "linked by decision; Veracross says otherwise"}
    rows = [
        PlanRow(
            1,
            "student",
            "update",
            field="last_name",
            before="Müller-Lindqvist",
            after="Müller",
            verdict="held",
            verdict_reason="21 of 100 students would change in this field",
            change="c1",
            **step,  # type: ignore[arg-type]
        )
    ]
    record_plan(journal, school=SCHOOL, at=at, run_id="run-1", fingerprint="f", hold_reason=None, rows=rows)
    intent = record_intent(
        journal,
        school=SCHOOL,
        at=at,
        system="orah",
        entity="student",
        action="update",
        key=106,
        target_id=507,
        body={"year_level": "Grade 10"},
        cause="earlier-plan",
    )
    record_outcome(journal, intent, Result.DONE, at=at)


def test_a_student_is_told_with_headings_in_order(journal: Journal, visitors: Visitors) -> None:
    explain(journal)
    answer = visitors().get("why/veracross/106")
    assert answer.status_code == 200
    headings = [part.split("</h2>")[0].split(">")[-1] for part in answer.text.split("<h2")[1:]]
    assert headings == [
        "What Veracross says",
        "Brought to Orah or not",
        "Boarder or not",
        "Who this is in Orah",
        "Contacts",
        "What is planned",
        "What was written",
    ]
    assert "<h1>Sven Müller</h1>" in answer.text
    assert "Linked to Orah 507 by id of Veracross" in answer.text
    assert "last_name: Müller-Lindqvist becomes Müller." in answer.text
    assert "See <code>vx plan</code>." in answer.text
    assert "no flag is set &lt;b&gt;." in answer.text
    assert [(view.action, view.subject) for view in audit_trail(journal, SCHOOL, limit=1)] == [
        ("why", "veracross 106")
    ]


def test_from_a_persons_page_and_back(journal: Journal, visitors: Visitors) -> None:
    explain(journal)
    visitor = visitors()
    why = visitor.follow(visitor.get("person/orah/507"), "Why is it so?")
    assert why.url.path == f"/{SCHOOL}/why/orah/507"
    assert "<h1>Sven Müller</h1>" in why.text
    assert visitor.follow(why, "The record in Veracross").url.path == f"/{SCHOOL}/person/veracross/106"


def test_what_waits_is_one_step_away(journal: Journal, visitors: Visitors) -> None:
    explain(journal)
    visitor = visitors()
    for path, case in (("why/veracross/101", NICKNAME), ("why/orah/590", ORPHAN)):
        assert visitor.follow(visitor.get(path), "Open the case").url.path == f"/{SCHOOL}/case/{case}"
    orphan = visitor.get("why/orah/590").text
    assert "is linked to nobody in Veracross" in orphan


def test_a_parent_is_told_without_a_name_that_the_page_does_not_know(
    journal: Journal, visitors: Visitors
) -> None:
    explain(journal)
    intent = record_intent(
        journal,
        school=SCHOOL,
        at=datetime.now(UTC),
        system="orah",
        entity="contact",
        action="update",
        key=8,
        # A student's record has the same number.
        target_id=507,
        body={},
        cause="plan",
    )
    record_outcome(journal, intent, Result.DONE, at=datetime.now(UTC))
    text = visitors().get("why/veracross/8").text
    assert "update of Orah&#39;s contact 507" in text
    assert "Müller" not in text
    assert "Listed as a parent." in text
    assert "<h1>Why is it so?</h1>" in text
    assert "The record in" not in text


@pytest.mark.parametrize("path", ["why/veracross/4711", "why/orah/4711"])
def test_nobody_is_a_page_that_says_where_to_look(journal: Journal, visitors: Visitors, path: str) -> None:
    explain(journal)
    answer = visitors().get(path)
    assert answer.status_code == 404
    assert "Nobody is known by this id" in answer.text
    assert "Look " in answer.text


@pytest.mark.parametrize("path", ["why/elsewhere/106", "why/veracross/one", "why/veracross/-1"])
def test_what_is_no_id_is_no_page(journal: Journal, visitors: Visitors, path: str) -> None:
    explain(journal)
    answer = visitors().get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_an_old_picture_says_so(journal: Journal, visitors: Visitors) -> None:
    explain(journal, datetime.now(UTC) - timedelta(days=3))
    assert "a run was missed" in visitors().get("why/veracross/106").text


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("why")
    journal = open_journal(home)
    explain(journal)
    with serving(journal) as served:
        yield served
    journal.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", ["why/veracross/106", "why/orah/590", "why/veracross/4711"])
def test_it_is_accessible_in_both_colours_and_fits_each_screen(
    browser: Browser, address: str, path: str, scheme: Literal["light", "dark"]
) -> None:
    with visiting(browser, address, color_scheme=scheme) as visit:
        visit.expect_refusal(404)
        page = visit.tab(f"/{SCHOOL}/{path}")
        assert accessibility_violations(page) == []
        for size in (TABLET, PHONE):
            page.set_viewport_size(size)
            assert overflow(page) <= 0
