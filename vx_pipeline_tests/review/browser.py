"""A real browser for the review page: Debian's Chromium, driven by Playwright and watched while it is driven.

Playwright's blocking interface keeps an event loop in the thread that uses it, and nothing else in that thread may
run one meanwhile: a test that also runs the pipeline opens ``chromium()`` only while it looks at pages.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    WebError,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever is not this machine cannot even be looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
PATIENCE_MILLISECONDS = 15_000
TABLET = ViewportSize(width=768, height=1024)
PHONE = ViewportSize(width=390, height=844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; without Chromium on the machine the test fails and says what to install."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=list(ARGUMENTS), chromium_sandbox=False
            )
        except PlaywrightError as error:
            raise pytest.fail.Exception(
                "The review page is tested in Chromium, which did not start here. Install it with `apt-get install "
                f"chromium` or `playwright install chromium`. It said: {error.message.splitlines()[0]}",
                pytrace=False,
            ) from None
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One person at one browser: a context with cookies of its own, and everything that went wrong in it.

    Args:
        context: a new context whose base URL is the review page's address.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.requested: list[str] = []
        """Every URL that any tab asked for, data: included."""
        self.troubles: list[str] = []
        """Errors of the console (a violated content security policy is one) and of scripts."""
        self._refusals: set[int] = set()
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.on("request", self._note_request)
        context.on("console", self._note_console)
        context.on("weberror", self._note_error)

    def tab(self, path: str = "/") -> Page:
        """A new tab that shows this path."""
        page = self.context.new_page()
        page.goto(path)
        return page

    def expect_refusal(self, status: int) -> None:
        """Lets pages of this status pass, which Chromium's console calls errors."""
        self._refusals.add(status)

    def check(self) -> None:
        """Since the last check, nothing left the machine, no policy was violated, no script failed."""
        strangers = [url for url in self.requested if not _is_loopback(url)]
        troubles = list(self.troubles)
        self.requested.clear()
        self.troubles.clear()
        assert not strangers, strangers
        assert not troubles, troubles

    def _note_request(self, request: Request) -> None:
        self.requested.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        refused = any(f"responded with a status of {status} " in message.text for status in self._refusals)
        if message.type in {"error", "warning"} and not refused:
            self.troubles.append(message.text)

    def _note_error(self, error: WebError) -> None:
        self.troubles.append(str(error.error))


@contextmanager
def visiting(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """A person who visits the page at this address; checked when the visit ends well.

    Args:
        browser: the browser.
        address: where the page is served, such as ``http://127.0.0.1:3010``.
        options: for Playwright's ``new_context``, such as ``viewport`` or ``color_scheme``.
    """
    context = browser.new_context(base_url=address, reduced_motion="reduce", **options)
    try:
        visit = Visit(context)
        yield visit
        visit.check()
    finally:
        context.close()


def accessibility_violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is shown now, one line for each element.

    The script comes in by the debugging protocol, as the page's policy lets no inline script in.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    # An engine that judged nothing finds nothing wrong.
    assert any(rule["id"] == "color-contrast" for rule in found["passes"] + found["violations"])
    return [
        f"{rule['id']} ({rule['impact']}): {json.dumps(node['target'])} {node['html'][:160]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def has_visible_focus(page: Page) -> bool:
    """Whether something has the focus, can be seen in the window, and is marked by an outline or a shadow."""
    seen: bool = page.evaluate(
        """() => {
            const element = document.activeElement
            if (!element || element === document.body || !element.matches(':focus-visible')) return false
            const style = getComputedStyle(element), box = element.getBoundingClientRect()
            const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
            const inside = box.bottom > 0 && box.top < innerHeight && box.width > 1 && box.height > 1
            const line = element.getClientRects()[0]
            const top = document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2)
            const covered = !element.contains(top) && !top?.contains(element)
            return (outlined || style.boxShadow !== 'none') && inside && !covered
        }"""
    )
    return seen


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "data" or parts.hostname in {"127.0.0.1", "localhost"}


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
