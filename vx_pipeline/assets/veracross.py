"""One asset for each Veracross endpoint but class attendance, made from the list of endpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import dagster as dg
import duckdb

from vx_pipeline.assets.catalog import KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.landings import landing_check_specs, landing_checks, landing_counts
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.policies import Policies
from vx_pipeline.session import SchoolSession
from vx_pipeline.veracross import CompleteRead
from vx_pipeline.veracross.contract import ENDPOINTS, Endpoint
from vx_pipeline.warehouse.landing import WHOLE, Landed, Scope, land
from vx_pipeline.warehouse.parents import dorm_ids, meeting_classes

PARENTS = {
    "dorm_students": ("dorms",),
    "meeting_times": ("classes", "dorms"),
}
"""Which endpoints a fan-out endpoint needs to know whom to ask about."""

ALWAYS_ASKED = {"parents": {"include_deceased": "true"}}
"""Without it, a parent who dies would seem to vanish, and the child's contact would lose the reason."""


@dataclass(frozen=True)
class Ask:
    """What is asked of an endpoint: for which parents, with which filters, and what part that covers."""

    parents: Sequence[int] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    scope: Scope = WHOLE


def plan_ask(table: str, connection: duckdb.DuckDBPyConnection, policies: Policies, today: date) -> Ask:
    """What to ask of a fan-out endpoint: only dorms that exist, and only classes that can meet in the period."""
    if table == "dorm_students":
        dorms = dorm_ids(connection)
        return Ask(parents=dorms, scope=_of_parents("dorm_id", dorms))
    if table == "meeting_times":
        first = today - timedelta(days=max(policies.meetings_days_back, policies.attendance.days_back))
        last = today + timedelta(days=policies.meetings_days_ahead)
        classes = meeting_classes(
            connection, first=first, last=last, inactive_labels=policies.inactive_class_statuses
        )
        period = {"on_or_after_date": first.isoformat(), "on_or_before_date": last.isoformat()}
        return Ask(classes, period, _of_parents("internal_class_id", classes, "date", first, last))
    raise KeyError(table)


def _of_parents(
    column: str, parents: Sequence[int], day: str = "", first: date | None = None, last: date | None = None
) -> Scope:
    where = f"{column} IN (SELECT unnest($parents))"
    parameters: dict[str, Any] = {"parents": list(parents)}
    if day:
        where += f" AND {day} BETWEEN $first AND $last"
        parameters |= {"first": first, "last": last}
    return Scope(where, parameters)


def build_endpoint_asset(endpoint: Endpoint) -> dg.AssetsDefinition:
    """The asset that reads one endpoint whole and lands it as ``veracross.<table>``."""
    table = endpoint.collection.table
    used = ", ".join(field.name for field in endpoint.collection.fields if field.used)

    @dg.asset(
        key=["veracross", table],
        partitions_def=SCHOOLS,
        deps=[dg.AssetKey(["veracross", parent]) for parent in PARENTS.get(table, ())],
        group_name="veracross",
        kinds=KINDS,
        owners=OWNERS,
        description=f"`GET {endpoint.path}` of Veracross, read whole or not at all. The pipeline rests on: {used}.",
        metadata={"scope": endpoint.scope, "token": endpoint.area.value},
        check_specs=landing_check_specs(["veracross", table]),
    )
    def endpoint_asset(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
        with plain_failures():
            session = schools.open(context.partition_key)
            read, landed, metadata = extract_and_land(session, endpoint)
        context.log.info("%s: %d rows, %d requests", table, landed.rows, read.requests)
        return dg.MaterializeResult(metadata=metadata, check_results=landing_checks(landed))

    return endpoint_asset


def extract_and_land(
    session: SchoolSession, endpoint: Endpoint
) -> tuple[CompleteRead, Landed, dict[str, Any]]:
    """Reads an endpoint whole and lands it; the warehouse is not open while the network is waited for."""
    table = endpoint.collection.table
    ask = Ask(parameters=ALWAYS_ASKED.get(table, {}))
    if table in PARENTS:
        with session.reading() as connection:
            ask = plan_ask(table, connection, session.school.policies, session.today())
    read_at = session.now()
    read = session.run(
        session.veracross.read(endpoint, parents=ask.parents, parameters=dict(ask.parameters) or None)
    )
    with session.landing() as connection:
        landed = land(
            connection,
            endpoint.collection,
            read.rows,
            read_at=read_at,
            value_lists=read.value_lists,
            scope=ask.scope,
        )
        metadata = table_metadata(connection, endpoint.collection.name, _counts(read, landed))
    return read, landed, metadata | _numbers(read)


def _counts(read: CompleteRead, landed: Landed) -> dict[str, Any]:
    return {
        "current rows": landed.rows,
        **landing_counts(landed),
        "requests": read.requests,
        "passes": read.passes,
    }


def _numbers(read: CompleteRead) -> dict[str, Any]:
    numbers: dict[str, Any] = {"requests": read.requests, "seconds": round(read.seconds, 3)}
    if read.rate_remaining is not None:
        numbers["requests_left_in_window"] = read.rate_remaining
    return numbers


@dg.asset(
    key=["veracross", "value_lists"],
    partitions_def=SCHOOLS,
    deps=[dg.AssetKey(["veracross", table]) for table in ENDPOINTS],
    group_name="veracross",
    kinds=KINDS,
    owners=OWNERS,
    description="The school's own codes and labels, from every list that came with an endpoint.",
)
def value_lists(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one code of one field of one collection; key: collection, field, code."""
    with plain_failures(), schools.open(context.partition_key).writing() as connection:
        connection.execute(
            """
            CREATE OR REPLACE TABLE veracross.value_lists AS
            SELECT collection, field, code, label, category, sort_key, obsolete
            FROM veracross.value_list_items
            ORDER BY ALL
            """
        )
        return dg.MaterializeResult(metadata=table_metadata(connection, "veracross.value_lists"))


ENDPOINT_ASSETS = [
    build_endpoint_asset(endpoint) for table, endpoint in ENDPOINTS.items() if table != "class_attendance"
]
"""Of a school at a time; class attendance is read by day (assets/class_attendance.py)."""
