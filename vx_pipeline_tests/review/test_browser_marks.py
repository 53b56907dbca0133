"""Answering questions about marks in a real browser, by mouse and by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from vx_pipeline.journal import Journal
from vx_pipeline.journal.mark_questions import Answer, open_questions
from vx_pipeline_tests.review.asked import record_questions
from vx_pipeline_tests.review.browser import TABLET, Visit, has_visible_focus, visiting
from vx_pipeline_tests.review.school import SCHOOL, record_school
from vx_pipeline_tests.review.serving import serving

MARKS = f"/{SCHOOL}/attendance/marks"


@pytest.fixture
def address(journal: Journal) -> Iterator[str]:
    record_school(journal)
    record_questions(journal)
    with serving(journal) as served:
        yield served


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    with visiting(browser, address, viewport=TABLET) as visit:
        yield visit


def answers(journal: Journal) -> dict[Answer, int]:
    given = [one.answer for one in open_questions(journal, SCHOOL)]
    return {answer: given.count(answer) for answer in Answer}


def ticked(page: Page) -> int:
    return page.locator("input[name=question]:checked").count()


def test_by_the_keyboard_alone(visit: Visit, journal: Journal) -> None:
    page = visit.tab(MARKS)
    heading = page.get_by_role("heading", level=1)
    for key in ("j", "Space", "j", "j", "Space", "k"):
        page.keyboard.press(key)
        assert has_visible_focus(page)
    assert ticked(page) == 2
    page.keyboard.press("o")
    expect(heading).to_have_text("Use ours in 2 rows?")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(heading).to_have_text("8 marks wait for you")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    page.keyboard.press("t")
    expect(heading).to_have_text("Keep theirs in 1 row?")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Rosa Quill")
    assert answers(journal) == {Answer.KEEP_THEIRS: 0, Answer.USE_OURS: 0}
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("1 row stays as it is")
    expect(heading).to_have_text("7 marks wait for you")
    assert answers(journal) == {Answer.KEEP_THEIRS: 1, Answer.USE_OURS: 0}


def test_a_group_a_row_and_the_rest_until_nothing_waits(visit: Visit, journal: Journal) -> None:
    page = visit.tab(f"/{SCHOOL}/attendance")
    page.get_by_role("link", name="Look at the marks").click()
    page.get_by_role("link", name="Use ours in all 4").click()
    page.get_by_label("Your name").fill("Rosa Quill")
    page.get_by_role("button", name="Use ours in 4 rows").click()
    page.get_by_role("link", name="Keep theirs for Jonathan Smith").click()
    expect(page.get_by_label("Your name")).to_have_count(0)
    page.get_by_role("button", name="Keep theirs in 1 row").click()
    page.get_by_role("link", name="Tick all 3").click()
    assert ticked(page) == 3
    page.get_by_role("link", name="Tick none").click()
    assert ticked(page) == 0
    page.get_by_role("link", name="Tick all 3").click()
    page.get_by_role("button", name="Keep theirs in the ticked").click()
    page.get_by_role("button", name="Keep theirs in 3 rows").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits")
    expect(page.get_by_role("navigation", name="Pages")).not_to_contain_text("marks wait")
    assert answers(journal) == {Answer.KEEP_THEIRS: 4, Answer.USE_OURS: 4}


def test_a_push_in_between_is_noticed(visit: Visit, journal: Journal) -> None:
    page = visit.tab(MARKS)
    page.get_by_role("link", name="Use ours for Jonathan Smith").click()
    record_questions(journal, [], covered=[1])
    visit.expect_refusal(409)
    page.get_by_label("Your name").fill("Rosa Quill")
    page.get_by_role("button", name="Use ours in 1 row").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This question is not open any more")
    assert answers(journal) == {Answer.KEEP_THEIRS: 0, Answer.USE_OURS: 0}
