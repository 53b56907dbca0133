"""A look at Orah between two pushes: what is new there, and whose day is to be pushed for it.

What a look has seen goes into its cursor; losing that does no harm, because what was written stands in the journal,
and pushing a day again changes nothing that is right.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from vx_pipeline.attendance.absences import Places
from vx_pipeline.automation.news import OVERLAP, Found, News, Seen, Wish, checksum, digest, is_new, seen_after
from vx_pipeline.errors import AccessError, NotFoundError, ServiceError
from vx_pipeline.journal.intents import has_written
from vx_pipeline.journal.push_memory import passes_to_read, pushes_due
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import read_pass, roll_results
from vx_pipeline.session import SchoolSession

LOOK_SECONDS = 10.0
"""How long a look at one school may take. Dagster gives a tick, with all its schools, one minute."""

LOOK_BACK_MINUTES = 15
"""How often a look goes over the whole day, for what was edited, deleted or entered late; a look at every tick
would cost a large school dozens of requests a minute."""

NIGHT = timedelta(hours=6)
"""For so long after midnight a look over the whole day takes yesterday in, too."""


@dataclass(frozen=True)
class Tick:
    """What one look found, and the cursor for the next one."""

    wishes: tuple[Wish, ...]
    cursor: str


def look(session: SchoolSession, cursor: str | None) -> Tick:
    """Looks at what is new in Orah since the cursor.

    Costs one request, one more with rolls, and one for the locations where something moved. Once in a quarter of an
    hour it looks at the whole day: at least two requests for each page of movements or rolls if there is more than
    one, and one for each pass of the day. Without a cursor it looks at the whole edit window.

    Raises:
        ServiceError: Orah did not answer within ``LOOK_SECONDS``.
    """
    now = session.now()
    seen = _read_cursor(cursor)
    # Opened before the session's loop is busy.
    orah = session.orah
    found = session.run(_in_time(_read(session, orah, seen, now)))
    news = News(session.school.zone, now)
    news.of_movements(found, seen)
    news.of_others(found, seen)
    after = seen_after(seen, found, now, zone=session.school.zone, quarter=quarter(now))
    return Tick((*news.wishes(), *_due(session, now)), json.dumps(vars(after), separators=(",", ":")))


def _due(session: SchoolSession, now: datetime) -> list[Wish]:
    """Days that are to be pushed again now. A push takes them out; one that failed is asked for a quarter later."""
    return [
        Wish(
            day,
            tuple(moments),
            f"due:{quarter(now)}:"
            + digest([f"{orah_id}@{moment.isoformat()}" for orah_id, moment in moments.items()]),
        )
        for day, moments in pushes_due(session.journal, session.key, now=now).items()
    ]


def _read_cursor(cursor: str | None) -> Seen:
    """The cursor of the look before; one that cannot be read counts as lost."""
    try:
        return Seen(**json.loads(cursor)) if cursor else Seen()
    except (ValueError, TypeError):
        return Seen()


def quarter(now: datetime) -> str:
    """The quarter of an hour in which a moment lies, named by its start."""
    minute = now.minute - now.minute % LOOK_BACK_MINUTES
    return now.replace(minute=minute, second=0, microsecond=0).isoformat()


async def _in_time(work: Any) -> Found:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            found: Found = await work
            return found
    except TimeoutError:
        raise ServiceError(
            f"Orah did not answer within {LOOK_SECONDS:.0f} s.",
            kept="Nothing is lost: the next tick looks from the same moment on.",
        ) from None


async def _read(session: SchoolSession, orah: OrahClient, seen: Seen, now: datetime) -> Found:
    policy, zone = session.school.policies.attendance, session.school.zone
    whole = seen.looked != quarter(now)
    since = _since(session, seen, now, whole=whole)
    movements = await orah.movements(since, now)
    places = None
    if any(is_new(record, seen) for record in movements):
        places = Places.of(await orah.locations(), policy, zone)
    others: dict[str, tuple[int, date, tuple[int, ...]]] = {}
    midnight = datetime.combine(now.date(), time.min, tzinfo=zone)
    if policy.rolls:
        others |= await _rolls(session, orah, since if whole else midnight, now)
    if whole:
        others |= await _passes(session, orah, midnight, now)
    return Found(since.astimezone(zone).date() if whole else None, movements, places, others)


def _since(session: SchoolSession, seen: Seen, now: datetime, *, whole: bool) -> datetime:
    zone, policy = session.school.zone, session.school.policies.attendance
    if not seen.until:
        # A school that begins has no history to make good; a lost cursor has.
        lost = has_written(session.journal, session.key, "class_attendance")
        first = now.date() - timedelta(days=policy.days_back if lost else 0)
        return datetime.combine(first, time.min, tzinfo=zone)
    since = datetime.fromisoformat(seen.until) - OVERLAP
    if not whole:
        return since
    first = min(since, now - NIGHT).astimezone(zone).date()
    oldest = now.date() - timedelta(days=policy.days_back)
    return datetime.combine(max(first, oldest), time.min, tzinfo=zone)


async def _rolls(
    session: SchoolSession, orah: OrahClient, since: datetime, now: datetime
) -> dict[str, tuple[int, date, tuple[int, ...]]]:
    found: dict[str, tuple[int, date, tuple[int, ...]]] = {}
    try:
        records = await orah.rolls(since, now)
    except AccessError:
        return {}
    for record in records:
        results, _ = roll_results(record)
        if results:
            day = results[0].taken_at.astimezone(session.school.zone).date()
            ids = tuple(sorted({result.orah_id for result in results}))
            found[f"r{results[0].roll_id}"] = (checksum(record), day, ids)
    return found


async def _passes(
    session: SchoolSession, orah: OrahClient, midnight: datetime, now: datetime
) -> dict[str, tuple[int, date, tuple[int, ...]]]:
    found: dict[str, tuple[int, date, tuple[int, ...]]] = {}
    known = passes_to_read(session.journal, session.key, first=midnight, last=now)
    for leave_id, orah_id in known.items():
        try:
            record = await orah.leave(leave_id)
        except AccessError:
            return {}
        except NotFoundError:
            if orah_id is not None:
                found[f"p{leave_id}"] = (0, now.date(), (orah_id,))
            continue
        if one := read_pass(record):
            found[f"p{leave_id}"] = (checksum(record), now.date(), (one.orah_id,))
    return found
