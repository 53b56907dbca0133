"""A look at Orah between two pushes: what is new there, and whose day is to be pushed for it.

What a look has seen goes into its cursor; losing that does no harm, because what was written stands in the journal,
and pushing a day again changes nothing that is right.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar

from vx_pipeline.attendance.absences import Places
from vx_pipeline.automation.news import News, Wish
from vx_pipeline.automation.pass_round import read_passes
from vx_pipeline.automation.seen import OVERLAP, Found, Other, Seen, checksum, is_new, seen_after
from vx_pipeline.errors import AccessError, ServiceError, in_words
from vx_pipeline.journal.due_pushes import EVERYBODY
from vx_pipeline.journal.intents import first_written
from vx_pipeline.journal.push_memory import passes_known
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import roll_results
from vx_pipeline.session import SchoolSession

LOOK_SECONDS = 10.0
"""How long the look at the last minutes may take. Dagster gives the tick of a sensor one minute."""

WHOLE_SECONDS = 12.0
"""How long the look at the whole day may take after that."""

LOOK_BACK_MINUTES = 15
"""How often a look goes over the whole day, for what was edited, deleted or entered late; a look at every tick
would cost a large school dozens of requests a minute."""

NIGHT = timedelta(hours=6)
"""For so long after midnight a look over the whole day takes yesterday in, too."""

GAP = timedelta(hours=1)
"""After a longer time without a look everybody is pushed, day by day, instead of reading all that has moved."""

T = TypeVar("T")


@dataclass(frozen=True)
class Look:
    """What one look found.

    Args:
        wishes: the pushes that are worth it.
        seen: what the next look begins from.
        trouble: what could not be looked at, and why.
    """

    wishes: tuple[Wish, ...]
    seen: Seen
    trouble: str = ""


def look(session: SchoolSession, seen: Seen) -> Look:
    """Looks at what is new in Orah since the look before.

    Costs one request, one more with rolls, and one for the locations where something moved. Once in a quarter of an
    hour it looks at the whole day, too: one request more, at least two for each page of movements if there is more
    than one, and one for each pass of the day, a few at a time. On a new day, and where the cursor is lost or old,
    everybody is to be pushed.

    Raises:
        VxError: the last minutes could not be read. Nothing is lost: the next look begins from the same moment.
    """
    now, orah, policy = session.now(), session.orah, session.school.policies.attendance
    zone, oldest = session.school.zone, now.date() - timedelta(days=policy.days_back)
    if seen.until is not None and seen.until > now + OVERLAP:
        # Nobody has looked at what is to come: the cursor was edited, or the clock.
        seen = Seen(began=seen.began)
    news = News(zone, now, oldest)
    for day in _everybody_since(session, seen, now):
        news.add(day, [EVERYBODY], ["everybody"])
    before = seen if seen.until and now - seen.until <= GAP else _anew(seen)
    # In UTC, because moments are reckoned from it, also in the nights on which the clocks change.
    since = min(before.until or now, now).astimezone(UTC) - OVERLAP
    midnight = datetime.combine(now.date(), time.min, tzinfo=zone)
    quick = session.run(_in_time(LOOK_SECONDS, _read(session, orah, before, None, since, midnight, now)))
    news.of_movements(quick, before)
    news.of_others(quick.others, before)
    after, troubles = seen_after(before, quick, now, zone), []
    first = _whole_from(before, now, oldest)
    for look_further in (
        partial(_look_at_whole_days, session, orah, first=first),
        partial(_look_at_passes, session, orah, first=midnight),
    ):
        try:
            after = look_further(after, now, news)
        except Exception as error:  # noqa: BLE001 - what the last minutes brought must not be lost to it
            troubles.append(in_words(error))
    looked_from = seen.until.isoformat() if seen.until else quarter(now)
    return Look(news.wishes(looked_from), after, " ".join(troubles))


def quarter(now: datetime) -> str:
    """The quarter of an hour in which a moment lies, named by its start."""
    minute = now.minute - now.minute % LOOK_BACK_MINUTES
    return now.replace(minute=minute, second=0, microsecond=0).isoformat()


def _everybody_since(session: SchoolSession, seen: Seen, now: datetime) -> list[date]:
    """The days of which everybody is to be pushed before this look can go on.

    Who left yesterday and is still away has no movement today. And a school that begins has no history to make
    good, but a lost cursor has.
    """
    today = now.date()
    oldest = today - timedelta(days=session.school.policies.attendance.days_back)
    last = seen.until.astimezone(session.school.zone).date() if seen.until else None
    if seen.until is None or last is None:
        written = first_written(session.journal, session.key, "class_attendance")
        first = oldest if written is not None else today
    elif now - seen.until > GAP:
        first = max(last, oldest)
    elif last < today:
        first = today
    else:
        return []
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]


def _anew(seen: Seen) -> Seen:
    """What is left of a cursor that is too old to go on from."""
    return replace(seen, until=None, recent={}, sums={})


def _whole_from(before: Seen, now: datetime, oldest: date) -> date:
    if before.until is None:
        return now.date()
    return max(min(before.until - OVERLAP, now - NIGHT).astimezone(now.tzinfo).date(), oldest)


async def _in_time(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise ServiceError(
            f"Orah did not answer within {seconds:.0f} s.",
            kept="Nothing is lost: the next tick looks from the same moment on.",
        ) from None


async def _read(
    session: SchoolSession,
    orah: OrahClient,
    seen: Seen,
    whole_from: date | None,
    since: datetime,
    rolls_since: datetime,
    now: datetime,
) -> Found:
    policy, zone = session.school.policies.attendance, session.school.zone
    movements = await orah.movements(since, now)
    places = None
    if any(is_new(record, seen) for record in movements):
        places = Places.of(await orah.locations(), policy, zone)
    rolls = await _rolls(session, orah, seen, rolls_since, now) if policy.rolls else None
    return Found(whole_from, movements, places, rolls or {}, rolls is not None)


async def _rolls(
    session: SchoolSession, orah: OrahClient, seen: Seen, since: datetime, now: datetime
) -> dict[str, Other] | None:
    """Class rolls by name; None where they may not be read. One that is not over any more is about nobody."""
    found: dict[str, Other] = {}
    try:
        records = await orah.rolls(since, now)
    except AccessError:
        return None
    for record in records:
        results, _ = roll_results(record)
        name = f"r{record['id']}"
        before = seen.others.get(name)
        if not results and before is None:
            continue
        day = results[0].taken_at.astimezone(session.school.zone).date() if results else None
        ids = tuple(sorted({result.orah_id for result in results}))
        first = day or (before.first if before else now.date())
        found[name] = Other(checksum(record), ids, first, first)
    return found


def _look_at_whole_days(
    session: SchoolSession, orah: OrahClient, seen: Seen, now: datetime, news: News, *, first: date
) -> Seen:
    """Looks at the day, and by night at the day before, once in a quarter of an hour."""
    if seen.looked == quarter(now):
        return seen
    start = datetime.combine(first, time.min, tzinfo=session.school.zone)
    whole = session.run(_in_time(WHOLE_SECONDS, _read(session, orah, seen, first, start, start, now)))
    news.of_movements(whole, seen)
    news.of_others(whole.others, seen)
    news.of_rolls_that_are_gone(whole, seen)
    return replace(seen_after(seen, whole, now, session.school.zone), looked=quarter(now))


def _look_at_passes(
    session: SchoolSession, orah: OrahClient, seen: Seen, now: datetime, news: News, *, first: datetime
) -> Seen:
    """Goes on with the round of passes, or begins one where a new quarter of an hour has begun."""
    if not seen.pass_after and seen.passes == quarter(now):
        return seen
    known = passes_known(session.journal, session.key, first=first, last=now)
    read = session.run(read_passes(orah, known, seen.others, seen.pass_after, session.school.zone))
    news.of_others(read.found, seen)
    names = {f"p{one.leave_id}" for one in known}
    others = {name: other for name, other in seen.others.items() if name in names or name.startswith("r")}
    begun = seen.passes if seen.pass_after else quarter(now)
    return replace(seen, passes=begun, pass_after=read.after, others={**others, **read.found})
