"""When a day is pushed again for what this push could not bring to an end."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from vx_pipeline.attendance.looked_at import Update

RETRY = timedelta(minutes=15)
"""When a row is looked at again that could not be written, or that Veracross does not have yet."""

AGAIN_SOON = timedelta(minutes=5, seconds=30)
"""When a mark is looked at again whose evidence was missing for the first time."""

RETRY_LATER = timedelta(hours=6)
"""When an earlier day is looked at again of which Orah did not answer for a pass: it may never do so."""

LATER = timedelta(hours=1)
"""When a row of today is looked at again that waits for a person to mend the settings, or one of an earlier day."""


def with_retries(
    due: Mapping[int, datetime],
    updates: Iterable[Update],
    read_again: Iterable[int],
    *,
    day: date,
    today: date,
    now: datetime,
) -> dict[int, datetime]:
    """By Orah id, the next moment of each student's push; the earliest where there are several.

    A row that Veracross does not have is looked for until the end of the next day: by then the night's read has
    told of classes that were cancelled, and what is missing still is told to a person.

    Args:
        due: the moments at which the time itself changes what there is to say.
        updates: what became of the rows.
        read_again: students of whom Orah did not answer for a pass.
        day: the day of the meetings.
        today: the school's day.
        now: this moment.
    """
    found, days_ago = dict(due), (today - day).days
    waits = [(one, RETRY_LATER if days_ago else RETRY) for one in read_again]
    waits += [
        (update.item.place.orah_id, wait)
        for update in updates
        if (wait := _wait(update.result, days_ago=days_ago)) is not None
    ]
    for orah_id, wait in waits:
        found[orah_id] = min(now + wait, found.get(orah_id, now + wait))
    return found


def _wait(result: str, *, days_ago: int) -> timedelta | None:
    if result == "waiting":
        return AGAIN_SOON
    if days_ago == 0:
        return {"failed": RETRY, "no_row": RETRY, "blocked": LATER}.get(result)
    # What waits for the settings is pushed with the whole window in the morning.
    return LATER if result == "failed" or (result == "no_row" and days_ago == 1) else None
