from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from vx_pipeline_tests.world import open_school


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_school(tmp_path) as opened:
        yield opened
