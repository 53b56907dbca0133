"""Class attendance, day by day, as an asset: what was asked, what came, and what was left out."""

from collections.abc import Collection
from datetime import date
from typing import Any

import dagster as dg

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.attended_day import DayRead, read_day
from vx_pipeline.assets.catalog import KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.landings import landing_check_specs, landing_checks, landing_counts
from vx_pipeline.assets.partitions import SCHOOL_DAYS, is_newest, school_and_day
from vx_pipeline.assets.resources import Schools
from vx_pipeline.veracross import ENDPOINTS
from vx_pipeline.warehouse.landing import Landed

CLASS_ATTENDANCE = dg.AssetKey(["veracross", "class_attendance"])

_ENDPOINT = ENDPOINTS["class_attendance"]

MOST_IDS = 50


@dg.asset(
    key=CLASS_ATTENDANCE,
    partitions_def=SCHOOL_DAYS,
    deps=[dg.AssetKey(["veracross", "meeting_times"]), dg.AssetKey(["veracross", "classes"])],
    group_name="veracross",
    kinds=KINDS,
    owners=OWNERS,
    description=f"`GET {_ENDPOINT.path}` of Veracross for the classes that met on the day, and of today or "
    "yesterday also for those of the days before: each whole every few days, and what changed in between. A run "
    "brings all rows of these classes up to date, not only the day's.",
    metadata={"scope": _ENDPOINT.scope, "token": _ENDPOINT.area.value},
    check_specs=[
        *landing_check_specs(CLASS_ATTENDANCE.path),
        dg.AssetCheckSpec(
            name="no_class_came_empty",
            asset=CLASS_ATTENDANCE,
            description="No class lost all of its rows at once. Such rows stay as they were, and a person looks.",
        ),
        dg.AssetCheckSpec(
            name="every_class_was_read",
            asset=CLASS_ATTENDANCE,
            description="No class was left out because it could not be read. Its rows stay as they were.",
        ),
    ],
)
def class_attendance(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one student in one class meeting; key: id."""
    school, day = school_and_day(context.partition_key)
    with plain_failures():
        session = schools.open(school)
        read = read_day(session, day)
        if is_newest(day, today=session.today()):
            tell_troubles(session, "class attendance", read.troubles(day))
        with session.reading() as connection:
            metadata = table_metadata(connection, _ENDPOINT.collection.name, _counts(read))
    context.log.info("%d requests for the classes of %s", read.requests, day)
    return dg.MaterializeResult(
        metadata=metadata | _numbers(read, day),
        check_results=[
            *landing_checks(read.landed or _NOTHING),
            _none_of("no_class_came_empty", read.empty),
            _none_of("every_class_was_read", read.unread),
        ],
    )


_NOTHING = Landed(rows=0, added=0, changed=0, unchanged=0, vanished=0, returned=0, rejected=0)


def _counts(read: DayRead) -> dict[str, Any]:
    landed = read.landed or _NOTHING
    return {
        "classes asked whole": len(read.due.whole),
        "classes asked for changes": len(read.due.changes),
        "rows that came": sum(len(one.rows) for one in read.reads),
        **landing_counts(landed),
        "requests": read.requests,
    }


def _numbers(read: DayRead, day: date) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "requests": read.requests,
        "seconds": round(sum(one.seconds for one in read.reads), 3),
    }
    if not read.reads:
        numbers["nothing asked"] = (
            f"No class that takes attendance is known to meet on {day} or just before. Meetings are known for the "
            "days that policies.meetings_days_back and meetings_days_ahead name."
        )
    elif read.reads[-1].rate_remaining is not None:
        numbers["requests_left_in_window"] = read.reads[-1].rate_remaining
    return numbers


def _none_of(check: str, classes: Collection[int]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=check,
        passed=not classes,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"classes": ", ".join(str(one) for one in [*classes][:MOST_IDS])},
    )
