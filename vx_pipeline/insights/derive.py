"""Building the tables of the insights: sessions, insights as of a day, and alerts as of that day."""

from dataclasses import dataclass
from datetime import date, datetime, time

import duckdb

from vx_pipeline.attendance_policy import InsightsPolicy
from vx_pipeline.insights.status_kinds import status_kinds
from vx_pipeline.insights.windows import spans, terms_are_over
from vx_pipeline.policies import Policies
from vx_pipeline.warehouse.derive import derive

_PACKAGE = "vx_pipeline.insights"


@dataclass(frozen=True)
class UnknownStatus:
    """A status that means nothing to the insights.

    Args:
        code: of the school's value list.
        label: what the list calls it; its code where no list tells.
        sessions: how many sessions have it.
    """

    code: str
    label: str
    sessions: int


def build_sessions(connection: duckdb.DuckDBPyConnection, policies: Policies) -> list[UnknownStatus]:
    """Makes ``attendance.sessions`` anew, of all days that were read.

    Args:
        connection: the school's warehouse, in a transaction.
        policies: the school's rules.

    Returns:
        The statuses that mean nothing to the insights, by label.
    """
    labels = [
        label
        for (label,) in connection.execute(
            "SELECT DISTINCT status_label FROM veracross.class_attendance WHERE status_label IS NOT NULL"
        ).fetchall()
    ]
    kinds = status_kinds(labels, policies)
    connection.execute("CREATE SCHEMA IF NOT EXISTS attendance")
    derive(connection, _PACKAGE, "sessions", {"labels": [*kinds], "kinds": [*kinds.values()]})
    unknown = connection.execute(
        """
        SELECT min(status), status_label, count(*) FROM attendance.sessions
        WHERE kind = 'unknown' GROUP BY status_label ORDER BY status_label
        """
    )
    return [UnknownStatus(*row) for row in unknown.fetchall()]


def build_insights(
    connection: duckdb.DuckDBPyConnection, policy: InsightsPolicy, as_of: date, now: datetime
) -> date | None:
    """Makes the rows of ``attendance.insights`` of a day anew; those of other days stay.

    Args:
        connection: the school's warehouse, in a transaction, with sessions and roster.
        policy: the school's rules.
        as_of: the last day of all windows.
        now: this moment in the school's time zone: meetings that have not begun do not count.

    Returns:
        Where the term was made to begin because ``policy.term_starts`` names no term of this school year; None
        where it does, or where it names none at all.
    """
    year_start = _year_start(connection, as_of)
    windows = spans(as_of, term_starts=policy.term_starts, year_start=year_start)
    parameters = {
        "as_of": as_of,
        "until": min(datetime.combine(as_of, time.max), now.replace(tzinfo=None)),
        "windows": [span.window for span in windows],
        "first_days": [span.first_day for span in windows],
        "last_days": [span.last_day for span in windows],
        "before_firsts": [span.before_first for span in windows],
        "before_lasts": [span.before_last for span in windows],
    }
    derive(connection, _PACKAGE, "insights", parameters)
    return year_start if terms_are_over(as_of, policy.term_starts, year_start) else None


def build_alerts(connection: duckdb.DuckDBPyConnection, policy: InsightsPolicy, as_of: date) -> None:
    """Makes the rows of ``attendance.alerts`` of a day anew, and says of all days since when each lasts.

    Args:
        connection: the school's warehouse, in a transaction, with the insights of that day.
        policy: the school's rules.
        as_of: the day.
    """
    rules = policy.alerts
    parameters = {
        "as_of": as_of,
        "rules": [rule.name for rule in rules],
        "windows": [rule.window for rule in rules],
        "measures": [rule.measure for rule in rules],
        "at_least": [rule.at_least for rule in rules],
        "at_most": [rule.at_most for rule in rules],
        "fewest_sessions": [rule.fewest_sessions for rule in rules],
    }
    derive(connection, _PACKAGE, "alerts", parameters)


def _year_start(connection: duckdb.DuckDBPyConnection, as_of: date) -> date:
    """The first day of the school year: the one that most of its dorms share, not more than a year ago.

    Without such dates it is the first day with attendance since July.
    """
    july = date(as_of.year if as_of.month >= 7 else as_of.year - 1, 7, 1)
    found = connection.execute(
        """
        SELECT coalesce(
            (
                SELECT begin_date FROM roster.dorms
                WHERE begin_date BETWEEN $as_of::DATE - INTERVAL 1 YEAR AND $as_of AND end_date >= $as_of
                GROUP BY begin_date ORDER BY count(*) DESC, begin_date LIMIT 1
            ),
            (SELECT min(attendance_date) FROM attendance.sessions WHERE attendance_date BETWEEN $july AND $as_of),
            $as_of
        )
        """,
        {"as_of": as_of, "july": july},
    ).fetchall()
    first: date = found[0][0]
    return first
