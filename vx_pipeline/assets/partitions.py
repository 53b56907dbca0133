"""The partitions of the assets: the schools, and of attendance each day of a school."""

from collections.abc import Mapping
from datetime import date, timedelta

import dagster as dg

from vx_pipeline.errors import VxError
from vx_pipeline.settings import load_settings

SCHOOLS = dg.StaticPartitionsDefinition(load_settings().school_keys())
"""One partition for each configured school. Reading settings needs neither network nor secrets."""

DAYS = dg.DailyPartitionsDefinition(start_date="2025-07-01", timezone="Etc/GMT-14", end_offset=1)
"""Days of attendance, each in its school's own calendar. The clock is that of the zone in which a day begins first,
so that today is there wherever the school is."""

SCHOOL_DAYS = dg.MultiPartitionsDefinition({"school": SCHOOLS, "day": DAYS})
"""One partition for each school and day."""


def school_and_day(partition_key: str) -> tuple[str, date]:
    """The school and the day that a partition of ``SCHOOL_DAYS`` stands for."""
    found = SCHOOL_DAYS.get_partition_key_from_str(partition_key).keys_by_dimension
    return found["school"], date.fromisoformat(found["day"])


def refuse_unknown_day(day: date, *, today: date) -> None:
    """Lets the days pass of which attendance can tell: figures of a day to come would hide those of today.

    Args:
        day: the day that is asked for.
        today: the day it is at the school.

    Raises:
        VxError: the day has not begun at the school, or no partition stands for it.
    """
    kept = "Nothing was read; insights, files and pages are as they were."
    if day > today:
        raise VxError(f"{day} has not begun at the school, where it is {today}.", kept=kept)
    if not DAYS.has_partition_key(day.isoformat()):
        raise VxError(
            f"Attendance of {day} is not kept.",
            kept=kept,
            remedy=f"Choose a day from {DAYS.get_first_partition_key()} on.",
        )


def is_newest(day: date, *, today: date) -> bool:
    """Whether a run for the day keeps attendance fresh, as each night's does: it is today or yesterday."""
    return day >= today - timedelta(days=1)


def school_of_run(tags: Mapping[str, str]) -> str | None:
    """The school that a run is for, by the run's tags; None for a run without a partition."""
    return tags.get("dagster/partition/school") or tags.get("dagster/partition")


def school_day_key(school: str, day: date) -> dg.MultiPartitionKey:
    """The partition of a school's day."""
    return dg.MultiPartitionKey({"school": school, "day": day.isoformat()})
