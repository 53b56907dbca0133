"""Fixtures for the review page."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline_tests.review.browser import chromium
from vx_pipeline_tests.review.school import record_school
from vx_pipeline_tests.review.serving import serving
from vx_pipeline_tests.review.visitor import Visitor

Visitors = Callable[..., Visitor]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: starting it takes half a second, a context of one's own nothing."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def visitors(journal: Journal) -> Iterator[Visitors]:
    """Makes visitors of one served journal; ``served`` is what `serving` takes, heeded the first time."""
    with ExitStack() as stack:
        addresses: list[str] = []

        def visit(**served: Any) -> Visitor:
            if not addresses:
                addresses.append(stack.enter_context(serving(journal, **served)))
            visitor = Visitor(addresses[0])
            stack.callback(visitor.close)
            return visitor

        yield visit


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A visitor of a small school that is there for the whole module: for tests that only look."""
    journal = open_journal(tmp_path_factory.mktemp("review"))
    record_school(journal)
    with serving(journal) as address:
        visitor = Visitor(address)
        yield visitor
        visitor.close()
    journal.close()


@pytest.fixture
def visitor(journal: Journal, visitors: Visitors) -> Visitor:
    """A visitor of a small school."""
    record_school(journal)
    return visitors()
