from collections.abc import Iterator

import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline_tests.sandbox.clients import Caller


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    """A client of the test's own sandbox."""
    caller = Caller(sandbox)
    yield caller
    caller.http.close()
