"""The weekly look for what a nightly difference cannot see: our records that nobody stands behind any more."""

from collections import Counter

import dagster as dg

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.catalog import DERIVED_KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.journal.contacts import contact_memory
from vx_pipeline.journal.intents import records_made
from vx_pipeline.journal.problems import YELLOW, Trouble
from vx_pipeline.session import SchoolSession
from vx_pipeline.warehouse.derive import derive

ORPHANS = dg.AssetKey(["sync", "orphans"])

OVERDUE_DAYS = 7
"""A leaver still active so many days after leaving is overdue: held, refused, pinned, or forgotten."""

MOST_IDS = 50


@dg.asset(
    key=ORPHANS,
    partitions_def=SCHOOLS,
    deps=[
        dg.AssetKey(["orah", "students"]),
        dg.AssetKey(["orah", "houses"]),
        dg.AssetKey(["orah", "contacts"]),
        dg.AssetKey(["roster", "leavers"]),
        dg.AssetKey(["roster", "students"]),
        dg.AssetKey(["roster", "dorms"]),
        dg.AssetKey(["roster", "contacts"]),
        dg.AssetKey(["matching", "student_links"]),
        dg.AssetKey(["matching", "house_links"]),
        dg.AssetKey(["matching", "contact_links"]),
    ],
    group_name="sync",
    kinds=DERIVED_KINDS,
    owners=OWNERS,
    description="Records in Orah that we made and no living person stands behind, and leavers overdue. Every week.",
    check_specs=[
        dg.AssetCheckSpec(
            name="no_orphans",
            asset=ORPHANS,
            description="Every record of ours in Orah has somebody behind it.",
        )
    ],
)
def orphans(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one record in Orah. Nothing is removed here: a person looks, and decides."""
    with plain_failures():
        session = schools.open(context.partition_key)
        found = find_orphans(session)
        tell_troubles(session, "orphans", [_trouble(*row) for row in found])
        with session.reading() as connection:
            counts = Counter(entity for entity, *_ in found)
            metadata = table_metadata(connection, "sync.orphans", counts)
    listed = ", ".join(f"{entity} {orah_id}" for entity, orah_id, _, _ in found[:MOST_IDS])
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            dg.AssetCheckResult(
                check_name="no_orphans",
                passed=not found,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"records in Orah": listed},
            )
        ],
    )


def _trouble(entity: str, orah_id: int, veracross_id: int | None, why: str) -> Trouble:
    of = f" (Veracross {veracross_id})" if veracross_id is not None else ""
    return Trouble(YELLOW, f"orah {entity}", orah_id, f"{why}{of}")


def find_orphans(session: SchoolSession) -> list[tuple[str, int, int | None, str]]:
    """Makes ``sync.orphans`` and returns its rows: entity, Orah id, Veracross id where one is known, and why."""
    journal, school = session.journal, session.key
    parameters = {
        "made_students": sorted(records_made(journal, school, "student")),
        "made_houses": sorted(records_made(journal, school, "house")),
        "our_contacts": sorted(contact_memory(journal, school).ours),
        "today": session.today(),
        "overdue_days": OVERDUE_DAYS,
    }
    with session.writing() as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS sync")
        derive(connection, "vx_pipeline.sync", "orphans", parameters)
        return connection.execute("SELECT entity, orah_id, veracross_id, why FROM sync.orphans").fetchall()
