"""What class attendance tells, by day: sessions, insights, alerts. Numbers and ids only in what Dagster keeps."""

from datetime import date
from zlib import crc32

import dagster as dg
import duckdb

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.catalog import DERIVED_KINDS, OWNERS, markdown_table, table_metadata
from vx_pipeline.assets.class_attendance import CLASS_ATTENDANCE
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOL_DAYS, is_newest, refuse_unknown_day, school_and_day
from vx_pipeline.assets.resources import Schools
from vx_pipeline.insights.derive import UnknownStatus, build_alerts, build_insights, build_sessions
from vx_pipeline.journal.problems import YELLOW, Trouble

SESSIONS = dg.AssetKey(["attendance", "sessions"])
INSIGHTS = dg.AssetKey(["attendance", "insights"])
ALERTS = dg.AssetKey(["attendance", "alerts"])

ATTENDANCE = "attendance"
"""What a trouble is about that stops the insights."""

ATTENDANCE_RUN = "attendance run"
"""Who finds that a run of these assets stopped, and that one came through again."""

MOST_IDS = 50


@dg.asset(
    key=SESSIONS,
    partitions_def=SCHOOL_DAYS,
    deps=[CLASS_ATTENDANCE],
    group_name="attendance",
    kinds=DERIVED_KINDS,
    owners=OWNERS,
    description="Each student's class meetings and what became of them, by the meaning of the school's own "
    "statuses. All days that were read, because a teacher may mend a mark of last week.",
    check_specs=[
        dg.AssetCheckSpec(
            name="every_status_is_known",
            asset=SESSIONS,
            description="It is clear what each status means. The others count neither for a student nor against; "
            "policies.insights.status_kinds says what they mean.",
        )
    ],
)
def sessions(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one student in one class meeting."""
    school, day = school_and_day(context.partition_key)
    with plain_failures():
        session = schools.open(school)
        with session.writing() as connection:
            unknown = build_sessions(connection, session.school.policies)
            counts = connection.execute(
                """
                SELECT kind, count(*) FROM attendance.sessions WHERE attendance_date = $day
                GROUP BY kind ORDER BY kind
                """,
                {"day": day},
            ).fetchall()
            metadata = table_metadata(connection, "attendance.sessions", dict(counts))
        tell_troubles(session, "insights", [_trouble(status) for status in unknown])
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            dg.AssetCheckResult(
                check_name="every_status_is_known",
                passed=not unknown,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={f"status {status.label!r}": status.sessions for status in unknown},
            )
        ],
    )


def _trouble(status: UnknownStatus) -> Trouble:
    """Each status is a trouble of its own: the next one must not be silent because the first was told."""
    told = f"nobody said what {status.label!r} means, so it counts neither way"
    # Codes of a value list are numbers or words.
    key = int(status.code) if status.code.isdecimal() else crc32(status.code.encode())
    return Trouble(YELLOW, "attendance status", key, f"{told} (policies.insights.status_kinds)")


@dg.asset(
    key=INSIGHTS,
    partitions_def=SCHOOL_DAYS,
    deps=[
        SESSIONS,
        dg.AssetKey(["roster", "students"]),
        dg.AssetKey(["roster", "boarders"]),
        dg.AssetKey(["roster", "dorms"]),
    ],
    group_name="attendance",
    kinds=DERIVED_KINDS,
    owners=OWNERS,
    description="Counts, rate and streaks of each student at the school, in the windows that end on the day: seven "
    "days, thirty days, and the term.",
)
def insights(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one student and window as of the day; other days' rows stay."""
    school, day = school_and_day(context.partition_key)
    with plain_failures():
        session = schools.open(school)
        refuse_unknown_day(day, today=session.today())
        with session.writing() as connection:
            term_from = build_insights(connection, session.school.policies.insights, day, session.now())
            metadata = table_metadata(connection, "attendance.insights")
            metadata["as of the day"] = dg.MetadataValue.md(_overview(connection, day))
        if is_newest(day, today=session.today()):
            tell_troubles(session, "terms", _terms_over(term_from))
    return dg.MaterializeResult(metadata=metadata)


def _terms_over(term_from: date | None) -> list[Trouble]:
    if term_from is None:
        return []
    told = f"policies.insights.term_starts names none of this school year, so it is counted from {term_from}"
    return [Trouble(YELLOW, "term", 0, told)]


def _overview(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """The day's windows over the whole school: who is in them, and what was missed."""
    rows = connection.execute(
        """
        SELECT
            "window", count(*), count(*) FILTER (WHERE sessions > 0), sum(sessions), sum(absent), sum(untaken),
            sum(unknown), round(sum(present + late) / nullif(sum(present + late + absent), 0), 4)
        FROM attendance.insights WHERE as_of = $day GROUP BY "window" ORDER BY "window"
        """,
        {"day": day},
    ).fetchall()
    heads = ("window", "students", "with sessions", "sessions", "absent", "untaken", "unknown", "rate")
    return markdown_table(heads, rows)


@dg.asset(
    key=ALERTS,
    partitions_def=SCHOOL_DAYS,
    deps=[INSIGHTS],
    group_name="attendance",
    kinds=DERIVED_KINDS,
    owners=OWNERS,
    description="Students whose figures reach the bound of one of the school's rules (policies.insights.alerts), "
    "and since when.",
)
def alerts(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one student and rule as of the day; other days' rows stay."""
    school, day = school_and_day(context.partition_key)
    with plain_failures():
        session = schools.open(school)
        refuse_unknown_day(day, today=session.today())
        with session.writing() as connection:
            build_alerts(connection, session.school.policies.insights, day)
            metadata = table_metadata(connection, "attendance.alerts")
            found = connection.execute(
                """
                SELECT rule, count(*), count(*) FILTER (WHERE since = as_of), list(student_id ORDER BY student_id)
                FROM attendance.alerts WHERE as_of = $day GROUP BY rule ORDER BY rule
                """,
                {"day": day},
            ).fetchall()
    rows = [(rule, count, new, ", ".join(map(str, ids[:MOST_IDS]))) for rule, count, new, ids in found]
    metadata["as of the day"] = dg.MetadataValue.md(
        markdown_table(("rule", "students", "new", "students' ids"), rows)
    )
    metadata["alerts"] = sum(count for _, count, _, _ in found)
    return dg.MaterializeResult(metadata=metadata)
