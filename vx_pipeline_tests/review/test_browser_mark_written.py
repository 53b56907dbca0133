"""The whole way of one mark: a teacher and Orah differ, a person chooses on the page, and the row is written."""

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect

from vx_pipeline.automation.backfill import backfills
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.attendance.school_day import MARKER, school_day
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.review.browser import chromium, visiting
from vx_pipeline_tests.review.serving import serving

WEDNESDAY = date(2026, 11, 18)


@pytest.mark.slow
def test_from_the_click_on_the_page_to_the_mark_in_veracross(
    make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with school_day(make_sandbox(20, today=WEDNESDAY), tmp_path / "vx", monkeypatch, WEDNESDAY) as day:
        day.teacher_marks(0, "Late", "overslept")
        day.misses(0)
        day.push()
        assert (day.marks()[0], day.writes()) == (("Late", "overslept"), [])
        # The browser is closed before the push: each has an event loop of its own in this thread.
        with (
            serving(day.session.journal, [SANDBOX]) as address,
            chromium() as browser,
            visiting(browser, address) as visit,
        ):
            page = visit.tab(f"/{SANDBOX}/attendance")
            page.get_by_role("link", name="Look at the mark").click()
            page.get_by_role("link", name="Use ours for").click()
            page.get_by_label("Your name").fill("Rosa Quill")
            page.get_by_role("button", name="Use ours in 1 row").click()
            expect(page.get_by_role("status").first).to_contain_text("1 row by Orah's word")
        (one,) = backfills(day.session)
        assert (one.day, one.orah_ids) == (WEDNESDAY, (day.orah_id,))
        day.push(orah_ids=one.orah_ids)
        assert day.marks()[0] == ("Absent - Excused", f"overslept {MARKER}")
        assert (len(day.writes()), day.questions(), backfills(day.session)) == (1, [], [])
