"""Attendance for people: files beside the import files, the page's views, and a picture in Dagster by ids alone."""

import base64
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from vx_pipeline.assets.alerts import MOST_TOLD, tell_news, tell_troubles
from vx_pipeline.assets.catalog import OWNERS, markdown_table
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.insights import ALERTS, ATTENDANCE_RUN, INSIGHTS, SESSIONS
from vx_pipeline.assets.partitions import SCHOOL_DAYS, is_newest, refuse_unknown_day, school_and_day
from vx_pipeline.assets.resources import Schools
from vx_pipeline.assets.unwatched import tell_unwatched
from vx_pipeline.delivery.attendance_files import AttendanceDelivery, collect_attendance, write_attendance
from vx_pipeline.delivery.writer import Delivered
from vx_pipeline.insights.day import AttendanceDay, read_day
from vx_pipeline.insights.house_week import house_week, house_week_by_id, kinds_in_house, most_missed
from vx_pipeline.insights.houses import house_order
from vx_pipeline.insights.legend import missed, percent, rate
from vx_pipeline.insights.pictures import draw
from vx_pipeline.journal.attendance_views import (
    Alert,
    Mark,
    Marks,
    Published,
    Standing,
    new_alerts,
    publish_attendance,
)
from vx_pipeline.session import SchoolSession
from vx_pipeline.warehouse.connection import publish_read_copy

ATTENDANCE_FILES = dg.AssetKey(["delivery", "attendance_files"])

MOST_ROWS = 40
"""Students in the picture that Dagster keeps with every run."""


@dg.asset(
    key=ATTENDANCE_FILES,
    partitions_def=SCHOOL_DAYS,
    deps=[SESSIONS, INSIGHTS, ALERTS, dg.AssetKey(["roster", "students"])],
    group_name="delivery",
    kinds={"duckdb", "csv"},
    owners=OWNERS,
    description="Figures, alerts and a picture of each house's week as files (`import/attendance/latest`), and the "
    "same on the review page. Both show the newest day: a run for an older one leaves them as they are, but for "
    "that day's marks on the page.",
)
def attendance_files(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Nothing is written where the last delivery holds just this already. Analysts get a fresh copy, too."""
    school, as_of = school_and_day(context.partition_key)
    with plain_failures():
        session = schools.open(school)
        refuse_unknown_day(as_of, today=session.today())
        day, delivery = collect_day(session, as_of)
        changed = publish_day(session, day)
        delivered = deliver_day(session, delivery)
        publish_read_copy(session.warehouse_path)
        # The last asset of the daily job: its run came through. That of an older day says nothing about the newest.
        if is_newest(as_of, today=session.today()):
            tell_troubles(session, ATTENDANCE_RUN, [])
            tell_unwatched(session)
    return dg.MaterializeResult(
        metadata={
            **_told(delivered),
            "alerts": len(day.alerts),
            "days new on the page": changed,
            "houses": dg.MetadataValue.md(_houses(day)),
            **_picture(day),
        }
    )


def collect_day(session: SchoolSession, as_of: date) -> tuple[AttendanceDay, AttendanceDelivery]:
    """A school's attendance as of a day, and what is delivered of it.

    Raises:
        VxError: there are no insights of that day.
    """
    with session.reading() as connection:
        day = read_day(connection, as_of, session.now())
        pictures = {house: draw(house_week(day, house), standalone=True) for house in day.houses}
        return day, collect_attendance(connection, as_of, pictures)


def publish_day(session: SchoolSession, day: AttendanceDay) -> int:
    """Brings the page's views up to date, and tells of alerts that are new; returns how many days changed there."""
    alerts = [Alert(**alert) for alert in day.alerts]
    new = new_alerts(session.journal, session.key, day.as_of, alerts)
    length = (day.as_of - day.shown_from).days + 1
    changed = publish_attendance(
        session.journal,
        session.key,
        Published(day.as_of, day.first_day, session.now()),
        days={
            each: _marks(day, each)
            for each in (day.shown_from + timedelta(days=one) for one in range(length))
        },
        standing=[
            Standing(one.student_id, one.house, one.grade, one.is_boarder, _plain(one.windows))
            for one in day.students
        ],
        alerts=alerts,
    )
    if new:
        tell_news(session, alert_words(new), number=len(new))
    return changed


def alert_words(alerts: Sequence[Alert]) -> str:
    """Alerts in one line, by rule and with ids alone: ``2 new attendance alerts. Often late: student 7, 9``."""
    by_rule: dict[str, list[int]] = {}
    for alert in alerts:
        by_rule.setdefault(alert.rule, []).append(alert.student_id)
    heading = "1 new attendance alert" if len(alerts) == 1 else f"{len(alerts)} new attendance alerts"
    return f"{heading}. {'; '.join(_rule_words(rule, ids) for rule, ids in sorted(by_rule.items()))}"


def _rule_words(rule: str, ids: Sequence[int]) -> str:
    more = f" and {len(ids) - MOST_TOLD} more" if len(ids) > MOST_TOLD else ""
    return f"{rule}: student {', '.join(map(str, ids[:MOST_TOLD]))}{more}"


def deliver_day(session: SchoolSession, delivery: AttendanceDelivery) -> Delivered | None:
    """Writes the files; None where those of a later day stay."""
    return write_attendance(
        session.warehouse_path.with_name("import") / "attendance",
        delivery,
        school=session.key,
        keep=session.school.policies.import_files_kept,
        now=session.now,
    )


def _marks(day: AttendanceDay, each: date) -> dict[int, Marks]:
    return {
        student_id: tuple(Mark(*one) for one in sessions)
        for student_id, sessions in day.marks.get(each, {}).items()
    }


def _plain(windows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The figures as JSON can hold them: days and moments as ISO 8601."""
    return {
        window: {
            name: value.isoformat() if isinstance(value, date) else value for name, value in figures.items()
        }
        for window, figures in windows.items()
    }


def _told(delivered: Delivered | None) -> dict[str, Any]:
    if delivered is None:
        return {"new content": False, "files": "A later day was delivered already, and stays."}
    return {
        "path": dg.MetadataValue.path(str(delivered.path)),
        "new content": delivered.is_new,
        "files": dg.MetadataValue.md(markdown_table(("file", "rows"), delivered.rows.items())),
    }


def _houses(day: AttendanceDay) -> str:
    """Each house's last seven days in numbers."""
    rows = []
    for house in sorted(day.houses, key=house_order):
        kinds = kinds_in_house(day, house)
        rows.append(
            (house, len(day.houses[house]), percent(rate(kinds)), missed(kinds)[0], kinds.count("late"))
        )
    return markdown_table(("house", "students", "attended", "missed", "late"), rows)


def _picture(day: AttendanceDay) -> dict[str, dg.MetadataValue]:
    """The week of the house that missed most, as Dagster shows it: an image within Markdown."""
    house = most_missed(day)
    if house is None:
        return {}
    drawn = draw(house_week_by_id(day, house, MOST_ROWS), standalone=True, hover=False)
    encoded = base64.b64encode(drawn.encode()).decode()
    return {
        "week of the house that missed most": dg.MetadataValue.md(
            f"![Class attendance by student id](data:image/svg+xml;base64,{encoded})"
        )
    }
