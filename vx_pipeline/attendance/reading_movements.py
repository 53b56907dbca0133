"""Reading movements from Orah as far back as it takes to know where everybody was when a day began."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from vx_pipeline.attendance.absences import STILL_AWAY, Places, Record
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import parse_moment

LOOKBACK = timedelta(days=4)
"""How long before the first day movements are read: who left for a long weekend is still away on Monday.

Movements cost two requests for each 200, so this is short; ``STILL_AWAY`` is read for whom it is not enough."""


async def read_movements(
    orah: OrahClient,
    places: Places,
    *,
    first: datetime,
    last: datetime,
    known_from: Iterable[datetime] = (),
    orah_ids: Collection[int] | None = None,
) -> list[dict[str, Any]]:
    """The movements up to the end of some days that tell where everybody was during them, each once.

    Costs one request and those for the timeline; where somebody may have come back who left before ``LOOKBACK``,
    also those for the timeline of ten more days.

    Args:
        orah: the school's Orah.
        places: which locations mean away.
        first: the begin of the first day.
        last: the end of the last day, or now.
        known_from: moments from which the timeline must be read in any case.
        orah_ids: about whom it must tell; everybody without it.
    """
    since, oldest = min([first - LOOKBACK, *known_from]), first - STILL_AWAY
    latest = [one for one in await orah.latest_movements() if parse_moment(one["record_time"]) >= oldest]
    # Read after the latest ones, so that who comes back in between is seen to be back.
    timeline = await orah.movements(since, last) if since < last else []
    found = [*latest, *timeline]
    unknown = _unknown_before(first, found, last=last, places=places)
    if orah_ids is not None:
        unknown &= set(orah_ids)
    if unknown and oldest < since:
        earlier = await orah.movements(oldest, since)
        found += [one for one in earlier if one["student"] and one["student"]["id"] in unknown]
    return list({one["id"]: one for one in found}.values())


def _unknown_before(
    first: datetime, movements: Iterable[Record], *, last: datetime, places: Places
) -> set[int]:
    """Students who may have been away when the first day began, because their first movement may be the way back.

    Who leaves first was there. What lies after the last day says nothing of what was before it.
    """
    earliest: dict[int, tuple[datetime, Record]] = {}
    for record in movements:
        if record["student"]:
            at, student = parse_moment(record["record_time"]), record["student"]["id"]
            if student not in earliest or at < earliest[student][0]:
                earliest[student] = (at, record)
    return {
        student
        for student, (at, record) in earliest.items()
        if at > last or (at >= first and not places.is_departure(record) and not places.is_reset(at))
    }
