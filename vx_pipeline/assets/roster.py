"""The roster tables as assets, made from the list of derivations."""

import dagster as dg

from vx_pipeline.assets.catalog import DERIVED_KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.roster.derive import DERIVATIONS, Derivation, build


def build_roster_asset(derivation: Derivation) -> dg.AssetsDefinition:
    """The asset that derives ``roster.<table>``."""

    @dg.asset(
        key=["roster", derivation.table],
        partitions_def=SCHOOLS,
        deps=[dg.AssetKey(source.split(".")) for source in derivation.sources],
        group_name="roster",
        kinds=DERIVED_KINDS,
        owners=OWNERS,
        description=derivation.description,
    )
    def roster_asset(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
        with plain_failures():
            session = schools.open(context.partition_key)
            with session.writing() as connection:
                build(connection, derivation.table, session.school.policies, session.today())
                return dg.MaterializeResult(metadata=table_metadata(connection, f"roster.{derivation.table}"))

    return roster_asset


ROSTER_ASSETS = [build_roster_asset(derivation) for derivation in DERIVATIONS]
