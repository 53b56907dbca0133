"""Who in Orah is who in Veracross, as assets."""

from collections.abc import Iterator

import dagster as dg

from vx_pipeline.assets.catalog import DERIVED_KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.matching.match import match_houses, match_students

_STUDENT_SOURCES = (
    ("roster", "students"),
    ("orah", "students"),
    ("veracross", "parents"),
    ("veracross", "staff_faculty"),
)


@dg.multi_asset(
    partitions_def=SCHOOLS,
    specs=[
        dg.AssetSpec(
            ["matching", table],
            deps=[dg.AssetKey(source) for source in _STUDENT_SOURCES],
            group_name="matching",
            kinds=DERIVED_KINDS,
            owners=OWNERS,
            description=description,
        )
        for table, description in (
            ("student_links", "Who in Orah is who in Veracross, for certain, with the rule that says so."),
            (
                "review_queue",
                "What a person has to decide: students without a certain link, with candidates.",
            ),
        )
    ],
)
def student_matches(context: dg.AssetExecutionContext, schools: Schools) -> Iterator[dg.MaterializeResult]:
    """Links students, and queues what is not certain."""
    with plain_failures():
        session = schools.open(context.partition_key)
        with session.writing() as connection:
            match_students(connection, now=session.now())
            metadata = {
                table: table_metadata(
                    connection,
                    f"matching.{table}",
                    dict(
                        connection.execute(
                            f"SELECT {column}, count(*) FROM matching.{table} GROUP BY ALL ORDER BY ALL"
                        ).fetchall()
                    ),
                )
                for table, column in (("student_links", "rule"), ("review_queue", "reason"))
            }
    for table, values in metadata.items():
        yield dg.MaterializeResult(asset_key=["matching", table], metadata=values)


@dg.asset(
    key=["matching", "house_links"],
    partitions_def=SCHOOLS,
    deps=[dg.AssetKey(["roster", "houses"]), dg.AssetKey(["orah", "houses"])],
    group_name="matching",
    kinds=DERIVED_KINDS,
    owners=OWNERS,
    description="Which house in Orah is which dorm in use: by id, otherwise by exact name.",
)
def house_links(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one linked dorm."""
    with plain_failures(), schools.open(context.partition_key).writing() as connection:
        match_houses(connection)
        return dg.MaterializeResult(metadata=table_metadata(connection, "matching.house_links"))
