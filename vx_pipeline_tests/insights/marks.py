"""Class attendance in a few rows: students in a house, marks as Veracross has them, and the tables made of them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import duckdb

from vx_pipeline.attendance_policy import InsightsPolicy
from vx_pipeline.insights.derive import build_alerts, build_insights, build_sessions
from vx_pipeline.policies import Policies
from vx_pipeline.schema import ValueList
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.world import READ_AT, TODAY, build_roster, school

STATUSES = {
    "present": (1, "Present"),
    "late": (2, "Tardy"),
    "excused": (3, "Absent - Excused"),
    "unexcused": (4, "Absent - Unexcused"),
    "no_reason": (7, "Absent"),
    "not_expected": (5, "Field Trip"),
    "unknown": (6, "Code Blue"),
    "untaken": (None, None),
}
"""For each kind a status of this school: its code and label."""

EVENING = datetime.combine(TODAY, datetime.max.time())

Connection = duckdb.DuckDBPyConnection
Row = dict[str, Any]


def mark(
    identity: int, student: int, day: date, kind: str, *, at: str = "09:00", class_id: int | None = 100
) -> Row:
    """An attendance row. Its block is the hour of its time."""
    hour = at.partition(":")[0]
    return {
        "id": identity,
        "internal_class_id": class_id,
        "student_id": student,
        "student_name": None,
        "attendance_date": day.isoformat(),
        "block": {"id": int(hour), "description": None, "abbreviation": None},
        "start_time": f"{day}T{at}:00",
        "end_time": None,
        "status": STATUSES[kind][0],
        "notes": None,
        "last_modified_date": None,
    }


def students(connection: Connection, *ids: int) -> None:
    """Boarders of Maple House, in the 9th grade; the school year began on the first of September."""
    school(
        connection,
        students=[{"id": one, "first_name": "Kit", "last_name": "Moss"} for one in ids],
        dorms=[{"id": 7, "description": "Maple House"}],
        dorm_students=[{"id": one, "student_id": one, "dorm_id": 7} for one in ids],
    )
    build_roster(connection)


def land_marks(connection: Connection, rows: Iterable[Row]) -> None:
    """Lands all attendance rows there are; those that are not among them any more are missing."""
    items = [{"id": code, "description": label} for code, label in STATUSES.values() if code is not None]
    land(
        connection,
        ENDPOINTS["class_attendance"].collection,
        [*rows],
        read_at=READ_AT,
        value_lists=[ValueList(("status",), items)],
        may_be_empty=True,
    )


def build(
    connection: Connection,
    as_of: date = TODAY,
    policy: InsightsPolicy | None = None,
    now: datetime = EVENING,
) -> dict[str, int]:
    """Builds all tables as of a day; gives the statuses of no known meaning."""
    policy = policy or InsightsPolicy()
    with transaction(connection):
        unknown = build_sessions(connection, Policies(insights=policy))
        build_insights(connection, policy, as_of, now)
        build_alerts(connection, policy, as_of)
    return {status.label: status.sessions for status in unknown}


def term_named_late(connection: Connection, policy: InsightsPolicy, as_of: date = TODAY) -> date | None:
    """Builds as of a day; where the term was made to begin because the settings name none of the year."""
    with transaction(connection):
        build_sessions(connection, Policies(insights=policy))
        return build_insights(connection, policy, as_of, EVENING)


def insight(connection: Connection, student: int, window: str, as_of: date = TODAY) -> Row:
    """The one row of a student and window."""
    cursor = connection.execute(
        'SELECT * FROM attendance.insights WHERE student_id = $student AND "window" = $window AND as_of = $as_of',
        {"student": student, "window": window, "as_of": as_of},
    )
    names: Sequence[str] = [column[0] for column in cursor.description or ()]
    [found] = cursor.fetchall()
    return dict(zip(names, found, strict=True))
