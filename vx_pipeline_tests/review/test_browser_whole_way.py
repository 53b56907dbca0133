"""The whole way: a night leaves questions, a person answers them on the page, the next run does just that."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from vx_pipeline.commands import runs
from vx_pipeline.journal import open_journal
from vx_pipeline.journal.decisions import Kind, standing
from vx_pipeline.journal.open_cases import open_cases
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.review.browser import chromium, visiting
from vx_pipeline_tests.review.serving import serving
from vx_pipeline_tests.running import Pipeline, running


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    return make_sandbox(120)


@pytest.fixture
def pipeline(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    with running(sandbox, tmp_path / "vx", monkeypatch) as opened:
        yield opened


def links(pipeline: Pipeline) -> dict[int, int]:
    return dict(pipeline.rows("SELECT veracross_id, orah_id FROM matching.student_links"))


def in_orah(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    return {record["id"]: dict(record) for record in sandbox.school.orah["student"]}


def confirm(page: Page) -> None:
    if page.get_by_label("Your name").count():
        page.get_by_label("Your name").fill("Registrar")
    page.get_by_role("button", name="Confirm").click()


def ask(page: Page, action: str) -> None:
    page.get_by_role("group", name="Decide").get_by_role("link", name=action).click()
    confirm(page)


def answer(page: Page, truth: dict[int, int]) -> None:
    """Answers the case that is shown, as somebody who knows everybody would."""
    found = re.search(r"/case/student-([vo])(\d+)", page.url)
    assert found, page.url
    side, number = found[1], int(found[2])
    owners = {record: person for person, record in truth.items()}
    if side == "o" and number not in owners:
        ask(page, "Nobody in Veracross")
    elif side == "v" and number not in truth:
        ask(page, "Someone new")
    else:
        ours, theirs = (number, truth[number]) if side == "v" else (owners[number], number)
        page.goto(page.url.split("?")[0] + f"?other={theirs if side == 'v' else ours}")
        ask(page, "Same person")
    expect(page.get_by_role("status").first).to_contain_text("Decision")


@pytest.mark.slow
def test_the_page_empties_the_queue_and_the_next_run_links_exactly_that(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    assert pipeline.nightly().success
    # What the night itself made is linked by the next match.
    assert runs.run_job(pipeline.instance, "rematch", SANDBOX).success
    linked, before, truth = links(pipeline), in_orah(sandbox), dict(sandbox.school.truth)

    journal = open_journal(pipeline.settings.home)
    try:
        asked = open_cases(journal, SANDBOX, limit=1000).total
        assert asked > 10
        with (
            serving(journal, [SANDBOX]) as address,
            chromium() as browser,
            visiting(browser, address) as visit,
        ):
            page = visit.tab(f"/{SANDBOX}/groups")
            page.get_by_role("link", name=re.compile("same name and year level", re.IGNORECASE)).first.click()
            page.get_by_role("button", name=re.compile("Confirm|Look|Continue|Go on")).first.click()
            confirm(page)
            for _ in range(asked):
                page.goto(f"/{SANDBOX}/queue")
                first = page.locator("a[href*='/case/student-']")
                if not first.count():
                    break
                first.first.click()
                answer(page, truth)
            expect(page.get_by_role("main")).to_contain_text("Nothing")
        decisions = standing(journal, SANDBOX)
        assert open_cases(journal, SANDBOX).total == 0
    finally:
        journal.close()

    same = {
        one.veracross_id: one.orah_id
        for one in decisions
        if one.kind is Kind.SAME and one.veracross_id and one.orah_id
    }
    new = {one.veracross_id for one in decisions if one.kind is Kind.NEW and one.veracross_id}
    assert all(truth[person] == record for person, record in same.items())
    assert runs.run_job(pipeline.instance, "rematch", SANDBOX).success
    assert links(pipeline) == {**linked, **same}
    after = in_orah(sandbox)
    changed = {number for number in before if after[number] != before[number]}
    assert changed <= set(same.values())
    assert {after[number]["sis_id"] for number in after.keys() - before.keys()} == {str(one) for one in new}
