"""Checks across tables: contradictions and broken references that a person at the school can mend."""

from collections.abc import Iterator

import dagster as dg

from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import school_of_run
from vx_pipeline.assets.resources import Schools
from vx_pipeline.errors import ConfigurationError
from vx_pipeline.settings import load_settings

REFERENCES = {
    (
        "enrollments",
        "person_id",
    ): "SELECT id FROM veracross.students UNION SELECT id FROM veracross.staff_faculty",
    ("enrollments", "internal_class_id"): "SELECT id FROM veracross.classes",
    ("dorm_students", "student_id"): "SELECT id FROM veracross.students",
    ("dorm_students", "dorm_id"): "SELECT id FROM veracross.dorms",
    ("meeting_times", "internal_class_id"): "SELECT id FROM veracross.classes",
    ("class_attendance", "student_id"): "SELECT id FROM veracross.students",
    ("athletics_rosters", "person_id"): "SELECT id FROM veracross.students",
}
"""What a column refers to. Ids of persons are shared across roles."""

MOST_IDS = 50


@dg.asset_check(
    asset=["roster", "boarders"],
    additional_deps=[["roster", "boarder_contradictions"]],
    description="No dorm enrolment says two things at once. Lists the students' ids by kind of contradiction.",
)
def no_boarder_contradictions(
    context: dg.AssetCheckExecutionContext, schools: Schools
) -> dg.AssetCheckResult:
    """Warns: the rule still decides, but a person should look."""
    with plain_failures(), schools.open(_school(context)).reading() as connection:
        kinds = connection.execute(
            """
            SELECT contradiction, count(*), list(student_id ORDER BY student_id)
            FROM roster.boarder_contradictions GROUP BY contradiction ORDER BY contradiction
            """
        ).fetchall()
    metadata: dict[str, int | str] = {}
    for kind, count, ids in kinds:
        metadata[kind] = count
        metadata[f"{kind}_students"] = ", ".join(str(one) for one in ids[:MOST_IDS])
    return dg.AssetCheckResult(passed=not kinds, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


def build_reference_check(table: str, column: str) -> dg.AssetChecksDefinition:
    """The check that every id in a column exists where it points to."""

    @dg.asset_check(
        name=f"{column}_is_known",
        asset=["veracross", table],
        additional_deps=sorted(_tables(REFERENCES[table, column])),
        description=f"Every {column} of {table} is the id of a record that was read.",
    )
    def reference_check(context: dg.AssetCheckExecutionContext, schools: Schools) -> dg.AssetCheckResult:
        with plain_failures(), schools.open(_school(context)).reading() as connection:
            rows = connection.execute(
                f"""
                SELECT DISTINCT {column} FROM veracross.{table}
                WHERE _missing_since IS NULL AND {column} IS NOT NULL
                    AND {column} NOT IN ({REFERENCES[table, column]})
                ORDER BY {column}
                """
            ).fetchall()
        unknown = [row[0] for row in rows]
        return dg.AssetCheckResult(
            passed=not unknown,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"unknown": len(unknown), "ids": ", ".join(str(one) for one in unknown[:MOST_IDS])},
        )

    return reference_check


def _school(context: dg.AssetCheckExecutionContext) -> str:
    """The partition of the run. A check that is run by itself has none, which is clear for one school only."""
    key = school_of_run(context.run.tags)
    keys = [key] if key else load_settings().school_keys()
    if len(keys) > 1:
        raise ConfigurationError(
            "A check runs for one school.",
            remedy="Materialise the asset for that school: its checks run too.",
        )
    return keys[0]


def _tables(query: str) -> Iterator[dg.AssetKey]:
    for word in query.split():
        if word.startswith("veracross."):
            yield dg.AssetKey(word.split("."))


CHECKS = [no_boarder_contradictions, *(build_reference_check(*reference) for reference in REFERENCES)]
