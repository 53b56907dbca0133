"""The one place that asks what time it is: no day is computed at import, and tests can turn the clock."""

from datetime import UTC, datetime, tzinfo


def now(zone: tzinfo = UTC) -> datetime:
    """The current moment, aware, in the given time zone."""
    return datetime.now(zone)


def stored(moment: datetime) -> datetime:
    """The moment as the warehouse keeps it: in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
