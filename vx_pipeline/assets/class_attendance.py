"""Class attendance, day by day: the classes that met are asked, most of them only for what changed.

Attendance is one request for each class, so a day asks just its own classes, and a class that was read whole in
the last days is asked for its changes. All that a run reads is landed in one transaction, or none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg

from vx_pipeline import clock
from vx_pipeline.assets.catalog import KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.landings import landing_check_specs, landing_checks, landing_counts
from vx_pipeline.assets.partitions import SCHOOL_DAYS, school_and_day
from vx_pipeline.assets.resources import Schools
from vx_pipeline.session import SchoolSession
from vx_pipeline.veracross import ENDPOINTS, CompleteRead
from vx_pipeline.warehouse.class_reads import (
    DueReads,
    classes_with_rows,
    due_reads,
    forget_rejected,
    note_class_reads,
)
from vx_pipeline.warehouse.kinds import likely_record_id
from vx_pipeline.warehouse.landing import Landed, Scope, land_within
from vx_pipeline.warehouse.parents import attended_classes
from vx_pipeline.warehouse.reads import note_read
from vx_pipeline.warehouse.tables import prepare_tables

CLASS_ATTENDANCE = dg.AssetKey(["veracross", "class_attendance"])

_ENDPOINT = ENDPOINTS["class_attendance"]
_KEPT_FRESH_BY = timedelta(days=1)
"""The run of today or of yesterday asks for all that keeps the table fresh; that of an older day does not."""

MOST_IDS = 50


@dataclass(frozen=True)
class DayRead:
    """What the run of one day read and landed.

    Args:
        due: the classes that were asked, and how.
        reads: what came, whole classes first.
        empty: classes that came without any row where rows are stored: those rows stay as they were.
        landed: what the landing did; None when no class was to be asked.
    """

    due: DueReads
    reads: tuple[CompleteRead, ...]
    empty: tuple[int, ...]
    landed: Landed | None

    @property
    def requests(self) -> int:
        """Requests sent, retries included."""
        return sum(read.requests for read in self.reads)


@dg.asset(
    key=CLASS_ATTENDANCE,
    partitions_def=SCHOOL_DAYS,
    deps=[dg.AssetKey(["veracross", "meeting_times"]), dg.AssetKey(["veracross", "classes"])],
    group_name="veracross",
    kinds=KINDS,
    owners=OWNERS,
    description=f"`GET {_ENDPOINT.path}` of Veracross for the classes that met on the day: each whole every few "
    "days, and what changed in between. A run brings all rows of these classes up to date, not only the day's.",
    metadata={"scope": _ENDPOINT.scope, "token": _ENDPOINT.area.value},
    check_specs=[
        *landing_check_specs(CLASS_ATTENDANCE.path),
        dg.AssetCheckSpec(
            name="no_class_came_empty",
            asset=CLASS_ATTENDANCE,
            description="No class lost all of its rows at once. Such rows stay as they were, and a person looks.",
        ),
    ],
)
def class_attendance(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one student in one class meeting; key: id."""
    school, day = school_and_day(context.partition_key)
    with plain_failures():
        session = schools.open(school)
        read = read_day(session, day)
        with session.reading() as connection:
            metadata = table_metadata(connection, _ENDPOINT.collection.name, _counts(read))
    context.log.info("%d requests for the classes of %s", read.requests, day)
    return dg.MaterializeResult(
        metadata=metadata | _numbers(read, day),
        check_results=[*landing_checks(read.landed or _NOTHING), _none_empty(read.empty)],
    )


def read_day(session: SchoolSession, day: date) -> DayRead:
    """Reads the classes that met on a day and lands all of it, or nothing.

    The warehouse is not open while the network is waited for.

    Raises:
        VxError: the meetings were not read yet, or a class could not be read whole.
    """
    days = session.school.policies.insights.whole_read_days
    with session.writing() as connection:
        classes = attended_classes(connection, first=day, last=day)
        due = due_reads(connection, classes, now=session.now(), whole_read_days=days)
        prepare_tables(connection, _ENDPOINT.collection)
    if not classes:
        return DayRead(due, (), (), None)
    read_at = session.now()
    reads = [session.run(session.veracross.read(_ENDPOINT, parents=due.whole))]
    if due.changed_since is not None:
        since = {"on_or_after_last_modified_date": due.changed_since.isoformat()}
        reads.append(session.run(session.veracross.read(_ENDPOINT, parents=due.changes, parameters=since)))
    came = {likely_record_id(row.get("internal_class_id")) for row in reads[0].rows}
    with session.writing() as connection:
        empty = classes_with_rows(connection, set(due.whole) - came)
        whole = [one for one in due.whole if one not in empty]
        forget_rejected(connection, whole)
        landed = land_within(
            connection,
            _ENDPOINT.collection,
            [row for read in reads for row in read.rows],
            read_at=read_at,
            value_lists=[found for read in reads for found in read.value_lists],
            scope=Scope(
                "internal_class_id IN (SELECT unnest($classes::BIGINT[]))",
                {"classes": whole},
                part=f"the classes of {day}",
            ),
            # Emptiness is judged class by class, above.
            may_be_empty=True,
        )
        note_class_reads(connection, whole=whole, changes=due.changes, read_at=read_at)
        if day >= session.today() - _KEPT_FRESH_BY:
            note_read(connection, _ENDPOINT.collection, clock.stored(read_at), whole=True)
    return DayRead(due, tuple(reads), tuple(sorted(empty)), landed)


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
            f"No class that takes attendance is known to meet on {day}. Meetings are known for the days that "
            "policies.meetings_days_back and meetings_days_ahead name."
        )
    elif read.reads[-1].rate_remaining is not None:
        numbers["requests_left_in_window"] = read.reads[-1].rate_remaining
    return numbers


def _none_empty(classes: Sequence[int]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="no_class_came_empty",
        passed=not classes,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"classes": ", ".join(str(one) for one in classes[:MOST_IDS])},
    )
