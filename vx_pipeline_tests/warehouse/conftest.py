from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from vx_pipeline.warehouse.connection import open_warehouse


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "school" / "warehouse.duckdb") as opened:
        yield opened
