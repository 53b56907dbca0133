"""The resources: a warehouse for a school's own assets, and one run a school at a time."""

from pathlib import Path

import dagster as dg
import pytest

from vx_pipeline.assets.resources import WarehouseResource
from vx_pipeline.errors import WarehouseError
from vx_pipeline.session import alone
from vx_pipeline.settings import Settings
from vx_pipeline.warehouse.connection import open_warehouse


def test_a_schools_own_asset_reads_the_warehouse_and_lets_go_of_it(tmp_path: Path) -> None:
    warehouse = WarehouseResource(database=str(tmp_path / "{school}" / "warehouse.duckdb"))
    with open_warehouse(tmp_path / "north" / "warehouse.duckdb") as connection:
        connection.execute("CREATE TABLE houses AS SELECT 1 AS id")

    @dg.asset
    def own(warehouse: WarehouseResource) -> None:
        with warehouse.get_connection("north") as connection:
            assert connection.execute("SELECT count(*) FROM houses").fetchall() == [(1,)]
            raise RuntimeError("on purpose")

    result = dg.materialize([own], resources={"warehouse": warehouse}, raise_on_error=False)
    assert not result.success
    with open_warehouse(tmp_path / "north" / "warehouse.duckdb", wait_seconds=0) as connection:
        connection.execute("CREATE TABLE free AS SELECT 1 AS id")


def test_a_second_run_of_a_school_is_kept_out_and_another_schools_is_not(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with alone(settings, "north"):
        with (
            pytest.raises(WarehouseError, match="Another run of school 'north'"),
            alone(settings, "north", wait_seconds=0),
        ):
            pass
        with alone(settings, "south", wait_seconds=0):
            pass
    with alone(settings, "north", wait_seconds=0):
        pass
