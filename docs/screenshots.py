"""Takes the pictures of the review page that the documentation shows: ``make screenshots``.

The people are the invented ones of the page's own tests.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from playwright.sync_api import Browser, Page, ViewportSize

from vx_pipeline.journal import open_journal
from vx_pipeline_tests.review.asked import record_questions
from vx_pipeline_tests.review.attended import HOUSES, JONATHAN, record_attendance
from vx_pipeline_tests.review.browser import TABLET, chromium, visiting
from vx_pipeline_tests.review.planned import record_night, school_rows
from vx_pipeline_tests.review.school import BULK, NICKNAME, SCHOOL, TWINS, record_school
from vx_pipeline_tests.review.serving import serving

FOLDER = Path(__file__).parent
DESK = ViewportSize(width=1280, height=860)
WHOLE_PLAN = ViewportSize(width=1280, height=1120)
WHOLE_CASE = ViewportSize(width=1280, height=1760)


def main() -> None:
    """Takes them all."""
    with TemporaryDirectory() as home:
        journal = open_journal(Path(home))
        record_school(journal, cases=60, linked=360)
        with serving(journal) as address, chromium() as browser:
            take(browser, address, "overview", f"/{SCHOOL}/")
            take(browser, address, "queue", f"/{SCHOOL}/queue")
            take(browser, address, "case", f"/{SCHOOL}/case/{NICKNAME}?at=3", viewport=WHOLE_CASE)
            take(browser, address, "case-dark", f"/{SCHOOL}/case/{TWINS}?at=1", dark=True)
            take(browser, address, "group", f"/{SCHOOL}/groups/look?pattern={BULK}", viewport=TABLET)
            take_decision(browser, address)
            record_attendance(journal)
            take(browser, address, "house", f"/{SCHOOL}/attendance/house?name={quote(HOUSES[0])}")
            take(browser, address, "student", f"/{SCHOOL}/attendance/student/{JONATHAN}")
            record_questions(journal)
            take(browser, address, "marks", f"/{SCHOOL}/attendance/marks", viewport=WHOLE_PLAN)
            # Last, as every page tells from then on that changes wait.
            record_night(journal, rows=school_rows())
            take(browser, address, "plan", f"/{SCHOOL}/plan?tick=2", viewport=WHOLE_PLAN)
        journal.close()


def take(
    browser: Browser, address: str, name: str, path: str, *, viewport: ViewportSize = DESK, dark: bool = False
) -> None:
    """Takes the picture of a page and stores it under its name."""
    scheme = "dark" if dark else "light"
    with visiting(browser, address, viewport=viewport, color_scheme=scheme) as visit:
        store(visit.tab(path), name)


def take_decision(browser: Browser, address: str) -> None:
    """Takes the picture of what a decision will cause, as somebody sees it who has told their name."""
    with visiting(browser, address, viewport=DESK, color_scheme="light") as visit:
        page = visit.tab("/name")
        page.get_by_label("Name", exact=True).fill("Rosa Quill")
        page.get_by_role("button", name="Keep").click()
        page.goto(f"/{SCHOOL}/case/{NICKNAME}?at=3")
        page.get_by_role("group", name="Decide").get_by_role("link", name="Same person").click()
        page.get_by_role("button", name="Confirm").wait_for()
        store(page, "decision")


def store(page: Page, name: str) -> None:
    """Stores what the window shows."""
    page.screenshot(path=FOLDER / f"review-{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
