"""Orah as it is now: its students and houses, landed the same way as Veracross."""

from collections.abc import Awaitable, Callable
from typing import Any

import dagster as dg

from vx_pipeline.assets.catalog import KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.landings import landing_check_specs, landing_checks
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.collections import HOUSES, STUDENTS
from vx_pipeline.schema import Collection
from vx_pipeline.session import SchoolSession
from vx_pipeline.warehouse.landing import Landed, land

READS: dict[str, tuple[Collection, Callable[[OrahClient], Awaitable[list[dict[str, Any]]]]]] = {
    "students": (STUDENTS, OrahClient.students),
    "houses": (HOUSES, OrahClient.houses),
}
"""The lists of Orah that are complete in one answer, by table."""


def build_orah_asset(table: str) -> dg.AssetsDefinition:
    """The asset that reads one list of Orah and lands it as ``orah.<table>``."""
    collection, _ = READS[table]

    @dg.asset(
        key=["orah", table],
        partitions_def=SCHOOLS,
        group_name="orah",
        kinds=KINDS,
        owners=OWNERS,
        check_specs=landing_check_specs(["orah", table]),
        description=f"Every record of Orah's {table}, active or not, as it was before this run wrote anything.",
    )
    def orah_asset(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
        with plain_failures():
            session = schools.open(context.partition_key)
            landed, numbers = read_list(session, table)
            with session.reading() as connection:
                counts = {"current rows": landed.rows, "added": landed.added, "changed": landed.changed}
                metadata = table_metadata(connection, collection.name, counts)
        return dg.MaterializeResult(metadata=metadata | numbers, check_results=landing_checks(landed))

    return orah_asset


def read_list(session: SchoolSession, table: str) -> tuple[Landed, dict[str, Any]]:
    """Reads one list of Orah and lands it; the number of requests and seconds come along."""
    collection, read = READS[table]
    read_at = session.now()
    sent = session.orah.requests
    rows = session.run(_gather(read, session.orah))
    numbers = {
        "requests": session.orah.requests - sent,
        "seconds": round((session.now() - read_at).total_seconds(), 3),
    }
    with session.landing() as connection:
        return land(connection, collection, rows, read_at=read_at), numbers


async def _gather(
    read: Callable[[OrahClient], Awaitable[list[dict[str, Any]]]], client: OrahClient
) -> list[dict[str, Any]]:
    return await read(client)


ORAH_ASSETS = [build_orah_asset(table) for table in READS]
