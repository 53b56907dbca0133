"""Answering a plan in a real browser, by mouse and by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import Answer, standing_answers
from vx_pipeline_tests.review.browser import TABLET, Visit, has_visible_focus, visiting
from vx_pipeline_tests.review.planned import record_night
from vx_pipeline_tests.review.school import SCHOOL, record_school
from vx_pipeline_tests.review.serving import serving

PLAN = f"/{SCHOOL}/plan"


@pytest.fixture
def address(journal: Journal) -> Iterator[str]:
    record_school(journal)
    record_night(journal)
    with serving(journal) as served:
        yield served


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    with visiting(browser, address, viewport=TABLET) as visit:
        yield visit


def answers(journal: Journal) -> dict[Answer, int]:
    given = [answer.answer for answer in standing_answers(journal, SCHOOL).values()]
    return {answer: given.count(answer) for answer in Answer}


def confirm(page: Page, button: str) -> None:
    if page.get_by_label("Your name").count():
        page.get_by_label("Your name").fill("Rosa Quill")
    page.get_by_label("Why").fill("Asked the house")
    page.get_by_role("button", name=button).click()


def ticked(page: Page) -> int:
    return page.locator("input[name=step]:checked").count()


def test_one_is_refused_and_the_rest_approved(visit: Visit, journal: Journal) -> None:
    page = visit.tab(PLAN)
    expect(page.get_by_role("heading", level=1)).to_have_text("13 changes wait for you")
    page.get_by_label("Sven Müller").check()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Refuse 1 change?")
    confirm(page, "Refuse 1")
    expect(page.get_by_role("status").first).to_contain_text("1 refused")

    page.get_by_role("link", name="Tick all 12").click()
    assert ticked(page) == 12
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_label("Your name")).to_have_count(0)
    confirm(page, "Approve 12")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits")
    assert answers(journal) == {Answer.APPROVE: 12, Answer.REFUSE: 1}


def test_the_links_tick_without_loading_the_page_anew(visit: Visit) -> None:
    page = visit.tab(PLAN)
    page.get_by_role("link", name="Tick these").nth(1).click()
    assert ticked(page) == 2
    page.get_by_role("link", name="Tick all 13").click()
    assert ticked(page) == 13
    page.get_by_role("link", name="Tick none").click()
    assert ticked(page) == 0
    assert page.url.endswith(PLAN)


def test_by_the_keyboard_alone(visit: Visit, journal: Journal) -> None:
    page = visit.tab(PLAN)
    for key in ("j", "Space", "j", "j", "Space", "k"):
        page.keyboard.press(key)
        assert has_visible_focus(page)
    assert ticked(page) == 2
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text("Approve 2 changes?")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text("13 changes wait for you")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", level=1)).to_have_text("Refuse 1 change?")
    assert answers(journal) == {Answer.APPROVE: 0, Answer.REFUSE: 0}


def test_without_a_note_the_browser_does_not_send_it(visit: Visit, journal: Journal) -> None:
    page = visit.tab(f"{PLAN}?tick=2")
    page.get_by_role("button", name="Approve").click()
    page.get_by_label("Your name").fill("Rosa Quill")
    page.get_by_role("button", name="Approve 2").click()
    expect(page.get_by_label("Why")).to_be_focused()
    assert has_visible_focus(page)
    assert answers(journal)[Answer.APPROVE] == 0


def test_a_run_in_between_is_noticed(visit: Visit, journal: Journal) -> None:
    page = visit.tab(f"{PLAN}?tick=all")
    page.get_by_role("button", name="Approve").click()
    record_night(journal)
    visit.expect_refusal(409)
    confirm(page, "Approve 13")
    expect(page.get_by_role("heading", level=1)).to_have_text("A newer plan took this one's place")
    assert answers(journal)[Answer.APPROVE] == 0


def test_somebody_is_pinned_and_freed_again(visit: Visit) -> None:
    page = visit.tab(f"/{SCHOOL}/person/veracross/106")
    page.get_by_text("Leave this student alone").click()
    page.get_by_label("What").select_option(label="E-mail")
    page.get_by_label("Why").fill("Uses another one")
    page.get_by_label("Last day").fill("2099-12-31")
    page.get_by_label("Your name").fill("Rosa Quill")
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_role("main")).to_contain_text("E-mail is left alone until Thu 31 Dec 2099")
    page.get_by_role("link", name="Problems").click()
    page.get_by_role("link", name="End pin 1").click()
    page.get_by_role("button", name="Take it away").click()
    expect(page.get_by_role("main")).to_contain_text("Nobody is pinned")
