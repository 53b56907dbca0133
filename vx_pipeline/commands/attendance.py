"""`vx attendance`: a day's class attendance read, and what it tells: alerts, houses, a week as a picture."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg
from rich.console import Console
from rich.text import Text

from vx_pipeline.assets.attendance_delivery import collect_day
from vx_pipeline.assets.partitions import refuse_unknown_day
from vx_pipeline.commands import runs
from vx_pipeline.commands.console import console, open_session, print_json, progress_bar, table
from vx_pipeline.commands.report import print_failures
from vx_pipeline.insights.day import AttendanceDay
from vx_pipeline.insights.house_week import house_week_by_id, kinds_in_house, most_missed
from vx_pipeline.insights.legend import LOOKS, look_of, missed, percent, rate
from vx_pipeline.session import SchoolSession

MOST_ALERTS = 10
MOST_STUDENTS = 14
"""Rows of the picture in the terminal; the whole one is a file."""

_COLOURS = {
    "unexcused": "white on red",
    "no_reason": "black on bright_red",
    "excused": "black on yellow",
    "late": "black on cyan",
    "unknown": "white on magenta",
    "present": "green",
}


def attendance(school: str, *, day: date | None, as_json: bool) -> int:
    """Runs the daily job for a day, today without one, and prints its insights; returns the exit code."""
    with open_session(school, quiet=as_json) as session:
        as_of = day or session.today()
        refuse_unknown_day(as_of, today=session.today())
        session.preflight()
        with (
            runs.instance(session.settings) as instance,
            progress_bar("Attendance", quiet=as_json) as progress,
        ):
            outcome = runs.run_job(instance, "attendance", session.key, day=as_of, progress=progress)
        if as_json:
            print_json(_facts(session, as_of, outcome))
        else:
            print_read(console, outcome, as_of)
            if outcome.success:
                print_insights(console, session, as_of)
    return 0 if outcome.success else 1


def read_day(console: Console, instance: dg.DagsterInstance, session: SchoolSession, day: date) -> bool:
    """Runs the daily job for a day and says what was read; whether it came through."""
    with progress_bar("Attendance") as progress:
        outcome = runs.run_job(instance, "attendance", session.key, day=day, progress=progress)
    print_read(console, outcome, day)
    return outcome.success


def print_read(console: Console, outcome: runs.Outcome, day: date) -> None:
    """What was read of a day."""
    print_failures(console, outcome)
    read = outcome.read.get("veracross/class_attendance", {})
    console.print(
        f"Class attendance of {day:%A %d %B}: {read.get('dagster/row_count', 0):,} rows stored, "
        f"{read.get('requests', 0)} requests."
    )


def print_insights(console: Console, session: SchoolSession, day: date) -> None:
    """Alerts, every house's week in numbers, and the week of the house that missed most. Ids alone."""
    found, _ = collect_day(session, day)
    shown = [
        (one["student_id"], one["rule"], one["window"].replace("_", " "), _figure(one), one["since"])
        for one in found.alerts[:MOST_ALERTS]
    ]
    heads = ("student", "alert", "window", "figure", "since")
    console.print(table(f"Alerts as of {found.as_of} ({len(found.alerts)})", heads, shown), Text())
    houses = ("house", "students", "attended", "absent", "late")
    console.print(
        table("The last seven days", houses, [_house(found, name) for name in sorted(found.houses)])
    )
    _picture(console, found)
    folder = session.warehouse_path.with_name("import") / "attendance" / "latest"
    console.print(
        f"Pictures with names: {folder}, and {session.settings.review_url}/{session.key}/attendance"
    )


def _figure(alert: Mapping[str, Any]) -> str:
    """What made an alert: a share in per cent, anything else as it is counted."""
    value = float(alert["value"])
    return percent(value) if alert["measure"] == "rate" else f"{value:,.0f}"


def _house(day: AttendanceDay, name: str) -> tuple[str, int, str, int, int]:
    kinds = kinds_in_house(day, name)
    return name, len(day.houses[name]), percent(rate(kinds)), missed(kinds)[0], kinds.count("late")


def _picture(console: Console, day: AttendanceDay) -> None:
    """A house's week in letters and colours; of a boarding house where there is one."""
    boarders = replace(day, students=tuple(one for one in day.students if one.is_boarder))
    house = most_missed(boarders) or most_missed(day)
    if house is None:
        return
    week = house_week_by_id(day, house, MOST_STUDENTS)
    console.print(Text(f"\n{week.heading}", style="bold"))
    for row in week.rows:
        cells = Text(f"{row.label:>8} ")
        for mark in row.cells:
            cells.append(f"{look_of(mark.kind).letter or ' '} ", style=_COLOURS.get(mark.kind, "dim"))
        cells.append(f" {row.rate}", style="bold")
        console.print(cells)
    console.print(
        Text(", ".join(f"{look.letter} {look.words.lower()}" for look in LOOKS if look.letter), style="dim")
    )


def _facts(session: SchoolSession, day: date, outcome: runs.Outcome) -> dict[str, Any]:
    facts: dict[str, Any] = {"run_id": outcome.run_id, "school": session.key, "as_of": day}
    facts["failures"] = outcome.failures
    if outcome.success:
        found, _ = collect_day(session, day)
        facts["alerts"] = [dict(alert) for alert in found.alerts]
        names = ("house", "students", "attended", "absent", "late")
        facts["houses"] = [
            dict(zip(names, _house(found, name), strict=True)) for name in sorted(found.houses)
        ]
    return facts
