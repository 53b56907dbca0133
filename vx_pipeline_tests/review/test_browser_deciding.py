"""Deciding in a real browser: by mouse, by keyboard, without scripts, and two people at once."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from vx_pipeline.journal import Journal
from vx_pipeline.journal.decisions import Kind, history, standing
from vx_pipeline.journal.open_cases import open_cases
from vx_pipeline_tests.review.browser import has_visible_focus, visiting
from vx_pipeline_tests.review.school import CONTESTED, NICKNAME, NOBODY, ORPHAN, SCHOOL, TWINS, record_school
from vx_pipeline_tests.review.serving import serving


@pytest.fixture
def address(journal: Journal) -> Iterator[str]:
    record_school(journal)
    with serving(journal) as served:
        yield served


def case_of(case_id: str) -> str:
    return f"/{SCHOOL}/case/{case_id}"


def ask(page: Page, action: str) -> None:
    page.get_by_role("group", name="Decide").get_by_role("link", name=action).click()


def confirm(page: Page, *, name: str = "", note: str = "") -> None:
    if name:
        page.get_by_label("Your name").fill(name)
    if note:
        page.get_by_label("Note").fill(note)
    page.get_by_role("button", name="Confirm").click()


def test_from_the_queue_to_a_decision(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab("/")
        page.get_by_role("link", name="See the queue").click()
        page.get_by_role("link", name="Jonathan Smith").click()
        expect(page.get_by_role("heading", name="Jonathan Smith", level=1)).to_be_visible()
        ask(page, "Same person")
        expect(page.get_by_role("heading", name="The same person?")).to_be_visible()
        expect(page.get_by_role("row", name="E-mail")).to_contain_text("nothing")
        expect(page.get_by_role("row", name="E-mail")).to_contain_text("j.smith@example.org")
        expect(page.get_by_role("main")).to_contain_text("3 days of attendance")
        confirm(page, name="Rosa Quill", note="Called the house")
        expect(page.get_by_role("status").first).to_contain_text("Same person")
        expect(page.get_by_role("group", name="Decide")).to_be_visible()
        expect(page.get_by_role("heading", name="Jonathan Smith", level=1)).not_to_be_visible()
    (decision,) = standing(journal, SCHOOL)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (Kind.SAME, 101, 501)
    assert (decision.actor, decision.note, decision.via) == ("Rosa Quill", "Called the house", "page")
    assert len(decision.days) == 3


@pytest.mark.parametrize(
    ("case_id", "action", "kind", "orah_id"),
    [
        (NICKNAME, "Never the same", Kind.NEVER, 501),
        (NICKNAME, "Later", Kind.LATER, 501),
        (NICKNAME, "Merge needed", Kind.MERGE, 501),
        (NOBODY, "Someone new", Kind.NEW, None),
        (ORPHAN, "Nobody in Veracross", Kind.NEW, 590),
        (CONTESTED, "Keep the link", Kind.SAME, 506),
        (CONTESTED, "Unlink", Kind.UNLINK, 506),
    ],
)
@pytest.mark.slow
def test_every_answer_says_what_it_causes_and_is_recorded(
    browser: Browser,
    journal: Journal,
    address: str,
    case_id: str,
    action: str,
    kind: Kind,
    orah_id: int | None,
) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(case_of(case_id))
        ask(page, action)
        expect(
            page.get_by_role("region", name="What this will cause").get_by_role("listitem")
        ).not_to_have_count(0)
        assert standing(journal, SCHOOL) == []
        confirm(page)
        expect(page.get_by_role("status").first).to_contain_text("Decision 1")
    (decision,) = standing(journal, SCHOOL)
    assert (decision.kind, decision.orah_id) == (kind, orah_id)


def test_another_candidate_is_looked_at_and_chosen(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(case_of(TWINS))
        expect(page.get_by_role("main")).to_contain_text("there is a twin")
        page.get_by_role("navigation", name="Candidates").get_by_role("link", name="Heide").click()
        ask(page, "Never the same")
        confirm(page)
        expect(page.get_by_role("status").first).to_contain_text("Decision 1")
    (decision,) = standing(journal, SCHOOL)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (Kind.NEVER, 102, 504)


def test_by_keyboard_alone(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(f"/{SCHOOL}/queue")
        keys, heading, message = (
            page.keyboard,
            page.get_by_role("heading", level=1),
            page.get_by_role("status").first,
        )
        for key in ("j", "j", "k"):
            keys.press(key)
            assert has_visible_focus(page)
        first = page.evaluate("document.activeElement.querySelector('strong').textContent")
        keys.press("Enter")
        expect(heading).to_have_text(first)

        keys.press("s")
        expect(page.get_by_label("Your name")).to_be_focused()
        assert has_visible_focus(page)
        keys.press("Control+a")
        keys.type("Rosa Quill")
        keys.press("Enter")
        expect(message).to_contain_text("Same person")
        expect(heading).not_to_have_text(first)
        second = heading.inner_text()

        keys.press("s")
        expect(page.get_by_role("button", name="Confirm")).to_be_focused()
        assert has_visible_focus(page)
        keys.press("Escape")
        expect(heading).to_have_text(second)
        assert len(history(journal, SCHOOL)) == 1

        keys.press("x")
        expect(page.get_by_role("button", name="Confirm")).to_be_focused()
        keys.press("Shift+Tab")
        expect(page.get_by_label("Note")).to_be_focused()
        assert has_visible_focus(page)
        keys.type("They told me so")
        keys.press("Tab")
        keys.press("Enter")
        expect(message).to_contain_text("Never the same")
        newest = history(journal, SCHOOL)[0]
        assert (newest.kind, newest.note, newest.actor) == (Kind.NEVER, "They told me so", "Rosa Quill")

        keys.press("z")
        expect(message).to_contain_text("Taken back")
        expect(heading).to_have_text(second)
    assert [each.kind for each in standing(journal, SCHOOL)] == [Kind.SAME]


def test_letters_typed_into_a_field_decide_nothing(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(case_of(NICKNAME))
        page.get_by_label("Name or id in Orah").focus()
        page.keyboard.type("snxlmju")
        expect(page.get_by_label("Name or id in Orah")).to_have_value("snxlmju")
        expect(page.get_by_role("heading", name="Jonathan Smith", level=1)).to_be_visible()
        page.get_by_role("heading", level=1).click()
        page.keyboard.press("Control+s")
        expect(page.get_by_role("heading", name="Jonathan Smith", level=1)).to_be_visible()
    assert history(journal, SCHOOL) == []


@pytest.mark.slow
def test_every_stop_of_the_tab_key_is_seen(browser: Browser, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(case_of(NICKNAME))
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        stops: list[str] = []
        while page.evaluate("document.activeElement !== document.body"):
            assert has_visible_focus(page), stops[-1:]
            stops.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 40)"))
            assert len(stops) < 100
            page.keyboard.press("Tab")
    assert any(stop.startswith("Same person") for stop in stops)


def test_the_second_of_two_people_is_told(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as first, visiting(browser, address) as second:
        hers, his = first.tab(case_of(NICKNAME)), second.tab(case_of(NICKNAME))
        ask(hers, "Same person")
        ask(his, "Never the same")
        confirm(hers, name="Rosa Quill", note="Asked the house")
        expect(hers.get_by_role("status").first).to_contain_text("Same person")

        second.expect_refusal(409)
        confirm(his, name="Ben Arrow")
        expect(his.get_by_role("heading", name="Rosa Quill decided")).to_be_visible()
        expect(his.get_by_role("main")).to_contain_text("Nothing was written")
        expect(his.get_by_role("main")).to_contain_text("just now")
        expect(his.get_by_role("main")).to_contain_text("Asked the house")
        his.get_by_role("link", name="See it as it is now").click()
        expect(his.get_by_role("heading", name="Answered")).to_be_visible()
    (decision,) = history(journal, SCHOOL)
    assert (decision.actor, decision.kind) == ("Rosa Quill", Kind.SAME)


@pytest.mark.slow
def test_two_tabs_of_one_person_write_once(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as visit:
        tabs = [visit.tab(case_of(NICKNAME)), visit.tab(case_of(NICKNAME))]
        for tab in tabs:
            ask(tab, "Same person")
        confirm(tabs[0])
        expect(tabs[0].get_by_role("status").first).to_contain_text("Same person")
        visit.expect_refusal(409)
        confirm(tabs[1])
        expect(tabs[1].get_by_role("main")).to_contain_text("Nothing was written")
    assert len(history(journal, SCHOOL)) == 1


def test_undo_from_the_message(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(case_of(NICKNAME))
        ask(page, "Same person")
        confirm(page)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status").first).to_contain_text("Taken back")
        expect(page.get_by_role("heading", name="Jonathan Smith", level=1)).to_be_visible()
        expect(page.get_by_role("link", name="Same person")).to_be_visible()
    assert standing(journal, SCHOOL) == []
    assert [each.kind for each in history(journal, SCHOOL)] == [Kind.UNDO, Kind.SAME]


@pytest.mark.slow
def test_undo_from_the_history(browser: Browser, journal: Journal, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(case_of(NICKNAME))
        ask(page, "Same person")
        confirm(page)
        page.get_by_role("link", name="Decisions", exact=True).click()
        page.get_by_role("link", name="Undo decision 1").click()
        expect(page.get_by_role("heading", name="Take decision 1 back?")).to_be_visible()
        page.get_by_label("Note").fill("Looked again")
        page.get_by_role("main").get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status").first).to_contain_text("Taken back")
        page.goto(f"/{SCHOOL}/decisions")
        expect(page.get_by_role("row", name="taken back")).to_have_count(1)
        expect(page.get_by_role("link", name="Undo decision")).to_have_count(0)
    assert standing(journal, SCHOOL) == []
    assert history(journal, SCHOOL)[0].note == "Looked again"


def test_somebody_else_is_found_in_spite_of_a_slip_and_chosen(
    browser: Browser, journal: Journal, address: str
) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(case_of(NOBODY))
        page.get_by_label("Name or id in Orah").press_sequentially("Pirya Ramann")
        page.get_by_role("link", name="Priya Raman").click()
        expect(page.get_by_role("main")).to_contain_text("picked by you")
        ask(page, "Same person")
        confirm(page)
        expect(page.get_by_role("status").first).to_contain_text("Same person")
    (decision,) = standing(journal, SCHOOL)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (Kind.SAME, 104, 590)


def test_a_group_is_confirmed_without_the_one_that_is_doubted(
    browser: Browser, journal: Journal, address: str
) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(f"/{SCHOOL}/groups")
        page.get_by_role("link", name="Same name and year level").click()
        boxes = page.get_by_role("checkbox")
        # Counting waits for nothing.
        expect(boxes.first).to_be_visible()
        count = boxes.count()
        doubted = int((boxes.nth(1).get_attribute("value") or "").split()[1])
        boxes.nth(1).uncheck()
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("region", name="What this will cause")).to_contain_text(
            f"{count - 1} new links"
        )
        assert standing(journal, SCHOOL) == []
        confirm(page, name="Rosa Quill", note="Looked through")
        expect(page.get_by_role("status").first).to_contain_text(f"{count - 1} pairs")
    decided = standing(journal, SCHOOL)
    assert count > 3
    assert len(decided) == count - 1
    assert {each.kind for each in decided} == {Kind.SAME}
    assert doubted not in {each.orah_id for each in decided}


@pytest.mark.slow
def test_ticking_all_leaves_out_who_has_left(browser: Browser, journal: Journal) -> None:
    record_school(journal, left=(2000,))
    with serving(journal) as address, visiting(browser, address) as visit:
        page = visit.tab(f"/{SCHOOL}/groups")
        page.get_by_role("link", name="Same name and year level").click()
        for button, ticked in (("Tick none", 0), ("Tick all", 4)):
            page.get_by_role("button", name=button).click()
            expect(page.get_by_role("checkbox", checked=True)).to_have_count(ticked)
        expect(page.locator("input[value^='student-v2000 ']")).not_to_be_checked()


@pytest.mark.slow
def test_a_group_with_one_decided_meanwhile_is_not_confirmed_at_all(
    browser: Browser, journal: Journal, address: str
) -> None:
    with visiting(browser, address) as first, visiting(browser, address) as second:
        group = first.tab(f"/{SCHOOL}/groups")
        group.get_by_role("link", name="Same name and year level").click()
        case_id = (group.get_by_role("checkbox").first.get_attribute("value") or "").split()[0]
        group.get_by_role("button", name="Go on").click()

        other = second.tab(case_of(case_id))
        ask(other, "Someone new")
        confirm(other, name="Ben Arrow")
        expect(other.get_by_role("status").first).to_contain_text("Someone new")

        first.expect_refusal(409)
        confirm(group, name="Rosa Quill")
        expect(group.get_by_role("heading", name="Ben Arrow decided")).to_be_visible()
    (decision,) = history(journal, SCHOOL)
    assert decision.kind is Kind.NEW


def test_without_scripts_a_case_is_found_decided_and_taken_back(
    browser: Browser, journal: Journal, address: str
) -> None:
    with visiting(browser, address, java_script_enabled=False) as visit:
        page = visit.tab(f"/{SCHOOL}/queue")
        page.get_by_label("Grade").select_option("Grade 8")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="Zofia Łukaszewicz").click()
        page.get_by_label("Name or id in Orah").fill("raman")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="Priya Raman").click()
        ask(page, "Same person")
        confirm(page, name="Rosa Quill")
        expect(page.get_by_role("status").first).to_contain_text("Same person")
        assert [each.orah_id for each in standing(journal, SCHOOL)] == [590]
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status").first).to_contain_text("Taken back")
    assert standing(journal, SCHOOL) == []


def test_after_a_decision_comes_the_next_case_that_fits_the_filter(
    browser: Browser, journal: Journal, address: str
) -> None:
    fitting = [
        each.case.case_id for each in open_cases(journal, SCHOOL, kind="unmatched", house="North House").cases
    ]
    with visiting(browser, address) as visit:
        page = visit.tab(f"/{SCHOOL}/queue?kind=unmatched&house=North+House")
        page.get_by_role("main").get_by_role("listitem").nth(1).get_by_role("link").click()
        ask(page, "Same person")
        confirm(page)
        expect(page).to_have_url(re.compile(rf"/case/{fitting[2]}\b.*house=North"))
        expect(page.get_by_role("main")).to_contain_text(f"case 2 of {len(fitting) - 1}")


@pytest.mark.slow
def test_the_queue_is_emptied_from_case_to_case(browser: Browser, journal: Journal) -> None:
    record_school(journal, cases=11)
    with serving(journal) as address, visiting(browser, address) as visit:
        page = visit.tab("/")
        page.get_by_role("link", name="Start with the surest").click()
        heading = page.get_by_role("heading", level=1)
        asked = []
        while (name := heading.inner_text()) != "Queue":
            assert name not in asked
            asked.append(name)
            page.get_by_role("group", name="Decide").get_by_role("link").first.click()
            confirm(page)
            expect(heading).not_to_have_text(re.compile(rf"\?$|^{name}$"))
        expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
        expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(0)
    assert len(asked) == 11
    assert len(standing(journal, SCHOOL)) == 11
