"""What Orah has no public route for, delivered as files for its import."""

from collections import defaultdict

import dagster as dg

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.catalog import OWNERS, markdown_table
from vx_pipeline.assets.checks import MOST_IDS
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.assets.troubles import of_set_aside
from vx_pipeline.delivery.collect import READS, ROSTER, collect
from vx_pipeline.delivery.import_files import ImportFiles
from vx_pipeline.delivery.rows import Delivery, SetAside
from vx_pipeline.delivery.writer import Delivered
from vx_pipeline.session import SchoolSession

IMPORT_FILES = dg.AssetKey(["delivery", "import_files"])


@dg.asset(
    key=IMPORT_FILES,
    partitions_def=SCHOOLS,
    deps=[
        *(dg.AssetKey(["roster", table]) for table in (*ROSTER, "dorms")),
        *(dg.AssetKey(["veracross", table]) for table in READS),
        dg.AssetKey(["matching", "student_links"]),
        dg.AssetKey(["matching", "review_queue"]),
    ],
    group_name="delivery",
    kinds={"duckdb", "csv"},
    owners=OWNERS,
    description="Staff, groups with their members, and students as files for Orah's CSV import: a folder for each "
    "delivery, `import/latest` for the one that counts, and what was skipped with its reason.",
    check_specs=[
        dg.AssetCheckSpec(
            name="nothing_set_aside",
            asset=IMPORT_FILES,
            description="No record had to be skipped. Lists the ids by reason.",
        )
    ],
)
def import_files(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Nothing is written where the last delivery holds just this already."""
    with plain_failures():
        session = schools.open(context.partition_key)
        delivery, delivered = deliver(session)
        tell_troubles(session, "delivery", of_set_aside(delivery.set_aside))
    return dg.MaterializeResult(
        metadata={
            "counts": dg.MetadataValue.md(markdown_table(("file", "rows"), delivered.rows.items())),
            "path": dg.MetadataValue.path(str(delivered.path)),
            "new content": delivered.is_new,
            "set aside": len(delivery.set_aside),
            "groups kept as delivered before": ", ".join(map(str, delivery.kept_groups[:MOST_IDS])),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="nothing_set_aside",
                passed=not delivery.set_aside,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=_ids_by_reason(delivery.set_aside),
            )
        ],
    )


def deliver(session: SchoolSession) -> tuple[Delivery, Delivered]:
    """Collects a school's delivery and writes it as files."""
    policies = session.school.policies
    writer = ImportFiles(
        session.warehouse_path.with_name("import"),
        school=session.key,
        keep=policies.import_files_kept,
        now=session.now,
    )
    before = writer.last_delivery()
    with session.writing() as connection:
        delivery = collect(connection, policies, before)
    return delivery, writer.write(delivery)


def _ids_by_reason(set_aside: tuple[SetAside, ...]) -> dict[str, str]:
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for one in set_aside:
        keys[f"{one.entity}: {one.reason}"].append(one.key)
    return {reason: f"{len(ids)}: {', '.join(ids[:MOST_IDS])}" for reason, ids in keys.items()}
