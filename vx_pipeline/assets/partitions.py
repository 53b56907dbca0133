"""The partitions of the assets: the schools, and of attendance each day of a school."""

from collections.abc import Mapping
from datetime import date

import dagster as dg

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


def school_of_run(tags: Mapping[str, str]) -> str | None:
    """The school that a run is for, by the run's tags; None for a run without a partition."""
    return tags.get("dagster/partition/school") or tags.get("dagster/partition")


def school_day_key(school: str, day: date) -> dg.MultiPartitionKey:
    """The partition of a school's day."""
    return dg.MultiPartitionKey({"school": school, "day": day.isoformat()})
