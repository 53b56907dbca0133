"""How the pages look in a real browser: axe-core, both colour schemes, tablet and phone."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.decisions import Answer, Entity, Kind, decide_many, undo
from vx_pipeline.journal.mark_answers import answer_questions
from vx_pipeline.journal.mark_questions import Answer as MarkAnswer
from vx_pipeline.journal.plans import record_plan
from vx_pipeline.review.access import AccessSettings, hash_password
from vx_pipeline_tests.review.asked import record_questions
from vx_pipeline_tests.review.attended import record_attendance
from vx_pipeline_tests.review.browser import (
    PHONE,
    TABLET,
    Visit,
    accessibility_violations,
    overflow,
    visiting,
)
from vx_pipeline_tests.review.planned import record_night, record_wrongs, school_rows
from vx_pipeline_tests.review.school import (
    BULK,
    CONFLICT,
    CONTESTED,
    HOUSE,
    NICKNAME,
    NOBODY,
    ORPHAN,
    SCHOOL,
    TWINS,
    bulk_case,
    record_school,
)
from vx_pipeline_tests.review.serving import serving

EMPTY, OLD = "empty", "old"
CASES = (NICKNAME, TWINS, CONFLICT, NOBODY, CONTESTED, ORPHAN, HOUSE)
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Three schools: one at work, one without a run, one whose data is old and whose plan is held."""
    home: Path = tmp_path_factory.mktemp("looks")
    journal = open_journal(home)
    record_school(journal)
    record_school(journal, school=OLD, cases=0, at=AT - timedelta(days=9))
    record_plan(
        journal,
        school=OLD,
        run_id="run-1",
        rows=[],
        fingerprint="x",
        hold_reason="21 of 400 would be removed.",
        at=AT,
    )
    record_night(
        journal, at=AT, rows=school_rows(held=2), purpose="person", subject="101", actor="Rosa Quill"
    )
    record_night(journal)
    record_wrongs(journal)
    record_attendance(journal)
    ask_about_marks(journal)
    fill_history(journal)
    with serving(journal, (SCHOOL, EMPTY, OLD)) as served:
        yield served
    journal.close()


@pytest.fixture(scope="module")
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """One person who looks at all pages, one after the other."""
    with visiting(browser, address) as visit:
        visit.expect_refusal(404)
        visit.expect_refusal(409)
        visit.expect_refusal(422)
        yield visit


def fill_history(journal: Journal) -> None:
    """A few decisions of each kind, one of them taken back."""
    now = datetime.now(UTC)
    answers = [
        Answer(Entity.STUDENT, Kind.SAME, 2003, 6003, note="Asked the house"),
        Answer(Entity.STUDENT, Kind.NEW, 2004, None),
        Answer(Entity.STUDENT, Kind.NEVER, 101, 502),
        Answer(Entity.STUDENT, Kind.LATER, 102, 503, note="Ask in January"),
        Answer(Entity.STUDENT, Kind.MERGE, 2006, 6006),
    ]
    common = {"school": SCHOOL, "actor": "Rosa Quill", "via": "page", "at": now}
    decided = decide_many(journal, answers, **common)  # type: ignore[arg-type]
    undo(journal, number=decided[0].number, note="", **common)  # type: ignore[arg-type]


def ask_about_marks(journal: Journal) -> None:
    """Questions of both kinds, one of them answered."""
    numbers = record_questions(journal)
    common = {
        "first": datetime.now(UTC).date(),
        "answer": MarkAnswer.USE_OURS,
        "actor": "Rosa Quill",
        "via": "shell",
        "at": datetime.now(UTC),
    }
    answer_questions(journal, SCHOOL, numbers[2:3], **common)  # type: ignore[arg-type]


def at(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def asking(case_id: str, action: str) -> Callable[[Page], object]:
    def go(page: Page) -> None:
        page.goto(f"/{SCHOOL}/case/{case_id}")
        page.get_by_role("group", name="Decide").get_by_role("link", name=action).click()

    return go


def as_a_table(path: str) -> Callable[[Page], object]:
    def go(page: Page) -> None:
        page.goto(f"/{SCHOOL}/attendance/{path}")
        page.locator("summary").click()
        expect(page.get_by_role("table").last).to_be_visible()

    return go


def confirming_a_group(page: Page) -> None:
    page.goto(f"/{SCHOOL}/groups/look?pattern={BULK}")
    page.get_by_role("button", name="Go on").click()


def older_plan(page: Page) -> None:
    page.goto(f"/{SCHOOL}/plans")
    page.get_by_role("table").get_by_role("link").last.click()
    expect(page.get_by_role("heading", name="A plan from before")).to_be_visible()


def answering(answer: str) -> Callable[[Page], object]:
    def go(page: Page) -> None:
        page.goto(f"/{SCHOOL}/plan?tick=2")
        page.get_by_role("button", name=answer).click()
        expect(page.get_by_role("heading", name="To whom")).to_be_visible()

    return go


def answered_without_a_note(page: Page) -> None:
    answering("Approve")(page)
    page.locator("form.confirm").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Approve 2").click()
    expect(page.get_by_role("alert")).to_be_visible()


def answering_marks(answer: str) -> Callable[[Page], object]:
    def go(page: Page) -> None:
        page.goto(f"/{SCHOOL}/attendance/marks?tick=all")
        page.get_by_role("button", name=answer).click()
        expect(page.get_by_role("heading", name="Where")).to_be_visible()

    return go


def pinning(page: Page) -> None:
    page.goto(f"/{SCHOOL}/person/veracross/106")
    page.get_by_text("Leave this student alone").click()


def with_results(page: Page) -> None:
    page.goto(f"/{SCHOOL}/case/{NOBODY}")
    page.get_by_label("Name or id in Orah").press_sequentially("raman")
    expect(page.get_by_role("link", name="Priya Raman")).to_be_visible()


def with_a_message(page: Page) -> None:
    asking(bulk_case(7), "Later")(page)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def decided_meanwhile(page: Page) -> None:
    asking(bulk_case(8), "Same person")(page)
    other = page.context.new_page()
    asking(bulk_case(8), "Never the same")(other)
    for tab in (other, page):
        tab.get_by_role("button", name="Confirm").click()
        expect(tab.get_by_role("button", name="Confirm")).to_have_count(0)
    other.close()
    expect(page.get_by_role("heading", name="decided")).to_be_visible()


def changed_meanwhile(page: Page) -> None:
    asking(bulk_case(10), "Same person")(page)
    page.goto(re.sub("seal=[^&]*", "seal=0", page.url))
    expect(page.get_by_role("heading", name="anew")).to_be_visible()


PAGES: dict[str, Callable[[Page], object]] = {
    "schools": at("/"),
    "overview": at(f"/{SCHOOL}/"),
    "overview of a school without a run": at(f"/{EMPTY}/"),
    "overview of old data": at(f"/{OLD}/"),
    "queue": at(f"/{SCHOOL}/queue"),
    "queue, filtered": at(f"/{SCHOOL}/queue?house=North+House&grade=Grade+10"),
    "queue, empty": at(f"/{OLD}/queue"),
    **{f"case {case_id}": at(f"/{SCHOOL}/case/{case_id}") for case_id in CASES},
    "case with search results": with_results,
    "confirm the same": asking(NICKNAME, "Same person"),
    "confirm someone new": asking(NOBODY, "Someone new"),
    "confirm someone new beside a strong candidate": asking(TWINS, "Someone new"),
    "confirm nobody": asking(ORPHAN, "Nobody in Veracross"),
    "confirm unlink": asking(CONTESTED, "Unlink"),
    "message": with_a_message,
    "decided meanwhile": decided_meanwhile,
    "changed meanwhile": changed_meanwhile,
    "groups": at(f"/{SCHOOL}/groups"),
    "group": at(f"/{SCHOOL}/groups/look?pattern={BULK}"),
    "confirm a group": confirming_a_group,
    "decisions": at(f"/{SCHOOL}/decisions"),
    "undo": at(f"/{SCHOOL}/decisions/3/undo"),
    "search": at(f"/{SCHOOL}/search?q=smith"),
    "search without a hit": at(f"/{SCHOOL}/search?q=qqqqqq"),
    "person, linked": at(f"/{SCHOOL}/person/veracross/20001"),
    "person, alone": at(f"/{SCHOOL}/person/veracross/112"),
    "person, compared": at(f"/{SCHOOL}/person/veracross/112?other=590"),
    "person, waiting": at(f"/{SCHOOL}/person/orah/501"),
    "plan": at(f"/{SCHOOL}/plan"),
    "plan, all shown": at(f"/{SCHOOL}/plan?tick=all&show=all"),
    "plan, closed": at(f"/{OLD}/plan"),
    "plan, none": at(f"/{EMPTY}/plan"),
    "plan, older": older_plan,
    "plans": at(f"/{SCHOOL}/plans"),
    "confirm an approval": answering("Approve"),
    "confirm a refusal": answering("Refuse"),
    "approval without a note": answered_without_a_note,
    "attendance": at(f"/{SCHOOL}/attendance"),
    "attendance, none": at(f"/{EMPTY}/attendance"),
    "attendance of a house": as_a_table("house?name=North+House"),
    "attendance of a student": as_a_table("student/101"),
    "marks": at(f"/{SCHOOL}/attendance/marks?tick=all"),
    "marks, none": at(f"/{EMPTY}/attendance/marks"),
    "confirm keeping theirs": answering_marks("Keep theirs"),
    "confirm using ours": answering_marks("Use ours"),
    "problems": at(f"/{SCHOOL}/problems"),
    "problems, none": at(f"/{EMPTY}/problems"),
    "end a pin": at(f"/{SCHOOL}/pins/1/end"),
    "person, being pinned": pinning,
    "name": at("/name"),
    "no such page": at(f"/{SCHOOL}/nothing/here"),
}


USUAL = ("overview", f"case {TWINS}", "confirm a group", "plan", "attendance of a house", "marks", "problems")
"""What people look at every day; a change that shows everywhere shows there. All others are slow."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in USUAL else pytest.mark.slow) for name in PAGES]
)
def test_a_page_is_accessible_in_both_schemes_and_fits_a_tablet_and_a_phone(visit: Visit, name: str) -> None:
    page = visit.context.new_page()
    PAGES[name](page)
    found: dict[str, object] = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found[scheme] = accessibility_violations(page)
    for device, viewport in (("tablet", TABLET), ("phone", PHONE)):
        page.set_viewport_size(viewport)
        found[device] = overflow(page)
    page.close()
    assert found == {"light": [], "dark": [], "tablet": 0, "phone": 0}
    visit.check()


@pytest.mark.slow
def test_logging_in_with_a_slip_first(browser: Browser, journal: Journal) -> None:
    record_school(journal)
    access = AccessSettings(users={"rosa": hash_password("a long and quiet word")})
    with serving(journal, access=access) as served, visiting(browser, served) as visit:
        page = visit.tab(f"/{SCHOOL}/queue")
        for password in ("another word", "a long and quiet word"):
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                assert accessibility_violations(page) == []
            page.get_by_label("Name").fill("rosa")
            page.get_by_label("Password").fill(password)
            visit.expect_refusal(401)
            page.get_by_role("button", name="Log in").click()
            if password == "another word":
                expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_colours_follow_the_system_until_somebody_chooses(browser: Browser, address: str) -> None:
    with visiting(browser, address, color_scheme="dark") as visit:
        page = visit.tab(f"/{SCHOOL}/queue")
        dark = brightness(page)
        page.emulate_media(color_scheme="light")
        light = brightness(page)
        assert dark < 0.2
        assert light > 0.8

        switch = page.get_by_role("button", name="Colours")
        expect(switch).to_have_text("Colours: as the system")
        switch.click()
        expect(switch).to_have_text("Colours: light")
        switch.click()
        expect(switch).to_have_text("Colours: dark")
        page.goto(f"/{SCHOOL}/decisions")
        assert brightness(page) == dark
        assert accessibility_violations(page) == []
        page.get_by_role("button", name="Colours").click()
        assert brightness(page) == light


def test_what_a_page_would_send_elsewhere_is_stopped_and_noticed(browser: Browser, address: str) -> None:
    with visiting(browser, address) as visit:
        page = visit.tab(f"/{SCHOOL}/queue")
        stopped = page.evaluate("fetch('http://example.org/').then(() => false, () => true)")
        assert stopped
        assert any("Content Security Policy" in trouble for trouble in visit.troubles)
        with pytest.raises(AssertionError):
            visit.check()


def brightness(page: Page) -> float:
    """Of the page's background, from 0 to 1."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]
    return sum(parts) / (3 * (1 if colour.startswith("color(") else 255))
