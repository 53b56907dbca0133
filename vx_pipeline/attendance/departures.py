"""What a movement that names a pass says of it: the way out, being where the pass leads, or the way back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from vx_pipeline.attendance.absences import Places, Record
from vx_pipeline.orah.assumed import Pass, leave_of, parse_moment

EARLY = timedelta(hours=1)
"""How long before its planned start a student may leave on a pass; what names it earlier is of an earlier plan."""

LATE = timedelta(days=3)
"""How long after it. Shorter than ``LOOKBACK``: were the way out older than what is read, another move that
names the pass must not be taken for it."""

AT_ITS_START = timedelta(minutes=15)
"""How close to the planned start a move counts as the way out that does not tell by its place which way it is."""


def by_pass(movements: Iterable[Record]) -> Mapping[int, list[Record]]:
    """The movements that name each pass, in order of time."""
    found: dict[int, list[Record]] = defaultdict(list)
    for record in sorted(movements, key=lambda one: (parse_moment(one["record_time"]), one["id"])):
        if (leave_id := leave_of(record)) is not None:
            found[leave_id].append(record)
    return found


def departure(one: Pass, naming: Iterable[Record], places: Places) -> Record | None:
    """The movement with which a student left on a pass; None where none is known, and the planned start counts.

    It is the first that names the pass, if that leads away from class or may do so. Actual times beat planned ones.

    Args:
        one: the pass.
        naming: the movements that name it, in order of time.
        places: which locations mean away.
    """
    in_time = (
        record
        for record in naming
        if one.start - EARLY <= parse_moment(record["record_time"]) <= one.start + LATE
    )
    first = next(in_time, None)
    if first is None or (one.is_over and one.end and parse_moment(first["record_time"]) >= one.end):
        return None
    return first if _leads_away(one, first, places) else None


def is_there(one: Pass, record: Record) -> bool:
    """Whether a movement says that the student is where the pass leads, also where that is on the grounds."""
    place_id = (record["location"] or {}).get("id")
    return bool(record["type"] == "in" and place_id is not None and place_id == one.place_id)


def _leads_away(one: Pass, record: Record, places: Places) -> bool:
    at, place_id = parse_moment(record["record_time"]), (record["location"] or {}).get("id")
    if places.is_reset(at):
        return False
    if record["type"] == "out" and place_id is not None:
        # Out of a place that means away is the way back.
        return place_id not in places.away
    if places.is_departure(record) or is_there(one, record):
        return True
    return (one.place_id is None or place_id is None) and abs(at - one.start) <= AT_ITS_START
