"""A thousand cases in a real browser: filters, pages, and finding one person among all."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.open_cases import open_cases
from vx_pipeline_tests.review.browser import visiting
from vx_pipeline_tests.review.school import SCHOOL, record_school
from vx_pipeline_tests.review.serving import serving

QUEUE = f"/{SCHOOL}/queue"


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """A journal with a thousand cases; only looked at."""
    home: Path = tmp_path_factory.mktemp("thousand")
    journal = open_journal(home)
    record_school(journal, cases=1000)
    yield journal
    journal.close()


@pytest.fixture(scope="module")
def address(thousand: Journal) -> Iterator[str]:
    with serving(thousand) as served:
        yield served


def shown(page: Page) -> list[str]:
    """The ids of the cases on this page of the queue, in their order."""
    links: list[str] = (
        page.get_by_role("main")
        .locator("li a[href*='/case/']")
        .evaluate_all("links => links.map(link => new URL(link.href).pathname.split('/').pop())")
    )
    return links


def test_pages_follow_each_other_the_surest_case_first(
    browser: Browser, thousand: Journal, address: str
) -> None:
    surest = [each.case.case_id for each in open_cases(thousand, SCHOOL, limit=1000).cases]
    with visiting(browser, address) as visit:
        page = visit.tab(QUEUE)
        expect(page.get_by_role("main")).to_contain_text("1,000 cases")
        assert shown(page) == surest[:50]
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_role("main")).to_contain_text("51 to 100 of 1,000")
        assert shown(page) == surest[50:100]

        page.goto(f"{QUEUE}?from=900")
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_role("main")).to_contain_text("951 to 1,000 of 1,000")
        assert shown(page) == surest[950:]
        expect(page.get_by_role("link", name="Next")).to_have_count(0)
        page.get_by_role("link", name="Previous").click()
        expect(page.get_by_role("main")).to_contain_text("901 to 950 of 1,000")
        assert shown(page) == surest[900:950]
    assert len(set(surest)) == 1000


def test_filters_say_what_choosing_shows_and_hold_over_pages(
    browser: Browser, thousand: Journal, address: str
) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(QUEUE)
        option = page.get_by_label("House").get_by_role("option", name="North House", include_hidden=True)
        count = int(re.search(r"\((\d+)\)", option.inner_text())[1])  # type: ignore[index]
        page.get_by_label("House").select_option("North House")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("main")).to_contain_text(f"{count} cases that fit")
        page.get_by_label("Grade").select_option("Grade 9")
        page.get_by_role("button", name="Show").click()
        both = open_cases(thousand, SCHOOL, house="North House", grade="Grade 9", limit=1000)
        expect(page.get_by_role("main")).to_contain_text(f"{both.total} cases that fit")
        assert 50 < both.total < count
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_role("main")).to_contain_text(f"of {both.total}")
        assert shown(page) == [each.case.case_id for each in both.cases[50:100]]
        page.get_by_role("link", name="Show all").click()
        expect(page.get_by_role("main")).to_contain_text("1,000 cases")


def test_the_way_from_case_to_case_keeps_to_the_filter(
    browser: Browser, thousand: Journal, address: str
) -> None:
    fitting = open_cases(thousand, SCHOOL, house="East House", limit=1000).cases
    with visiting(browser, address) as visit:
        page = visit.tab(f"{QUEUE}?house=East+House&from=50")
        page.get_by_role("main").get_by_role("listitem").nth(2).get_by_role("link").click()
        for place, key in ((52, "j"), (53, "j"), (54, "k"), (53, "")):
            expect(page).to_have_url(re.compile(f"/case/{fitting[place].case.case_id}\\b"))
            expect(page.get_by_role("main")).to_contain_text(f"case {place + 1} of {len(fitting)}")
            if key:
                page.keyboard.press(key)
        page.get_by_role("main").get_by_role("link", name="Queue").click()
        expect(page.get_by_role("main")).to_contain_text(f"{len(fitting)} cases that fit")


def test_one_person_is_found_among_all_in_spite_of_slips(browser: Browser, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(QUEUE)
        page.keyboard.press("/")
        box = page.get_by_role("searchbox", name="Find a person")
        expect(box).to_be_focused()
        page.keyboard.type("mueler sven")
        page.keyboard.press("Enter")
        hits = page.get_by_role("main").get_by_role("listitem")
        expect(hits.filter(has_text="Veracross")).to_contain_text(["Sven Müller"])
        expect(hits.filter(has_text="Orah")).to_contain_text(["Sven Müller-Lindqvist"])

        typed = page.get_by_label("Name or id")
        typed.fill("")
        typed.press_sequentially("Jonh Smiht")
        expect(hits.first).to_contain_text("Smith")
        typed.fill("20003")
        expect(hits.first).to_contain_text("20003")
        typed.fill("qqqqqqq")
        expect(page.get_by_role("main").get_by_role("status")).to_have_text("Nobody found")
        expect(hits).to_have_count(0)
