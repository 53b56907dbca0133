"""A look at Orah between two pushes: what is new there, and whose day is to be pushed for it.

What a look has seen goes into its cursor; losing that does no harm, because what was written stands in the journal,
and pushing a day again changes nothing that is right.
"""

import asyncio
import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vx_pipeline.attendance.absences import Places
from vx_pipeline.errors import AccessError, NotFoundError, ServiceError
from vx_pipeline.journal.intents import has_written
from vx_pipeline.journal.push_memory import passes_to_read, plan_push, pushes_due
from vx_pipeline.orah.assumed import parse_moment, read_pass, roll_results
from vx_pipeline.session import SchoolSession

LOOK_SECONDS = 10.0
"""How long a look at one school may take. Dagster gives a tick, with all its schools, one minute."""

LOOK_BACK_MINUTES = 15
"""How often a look goes over the whole day, for what was edited, deleted or entered late; a look at every tick
would cost a large school dozens of requests a minute."""

OVERLAP = timedelta(minutes=10)
"""How far each look goes back behind the one before: movements may be entered a little late."""

NIGHT = timedelta(hours=6)
"""For so long after midnight a look over the whole day takes yesterday in, too."""

ASKED_AGAIN = timedelta(minutes=15)
"""When a push is asked for again that has not come to a good end by then."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Wish:
    """A push that is worth it: a day, whose, and a name that is equal for equal looks."""

    day: date
    orah_ids: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Tick:
    """What one look found, and the cursor for the next one."""

    wishes: tuple[Wish, ...]
    cursor: str


@dataclass
class Seen:
    """What earlier looks have seen; the cursor.

    Args:
        until: the moment looked up to, ISO 8601; empty before the first look.
        looked: the quarter of an hour of the last look at the whole day.
        recent: checksums of the movements that the next look sees again, by id.
        sums: by day and student, the sum of the checksums of all movements of that day.
        away: students whose last movement led to a place that means away.
        others: checksums of rolls and passes of the day.
    """

    until: str = ""
    looked: str = ""
    recent: dict[str, int] = field(default_factory=dict)
    sums: dict[str, dict[str, int]] = field(default_factory=dict)
    away: list[int] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)


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
    found = session.run(_in_time(_read(session, seen, now)))
    news = _News(session.school.zone, now)
    news.of_movements(found, seen)
    news.of_others(found, seen)
    due = pushes_due(session.journal, session.key, now=now)
    for day, moments in due.items():
        news.add(day, moments, [f"{orah_id}@{moment.isoformat()}" for orah_id, moment in moments.items()])
    wishes = news.wishes()
    for wish in wishes:
        # The run may never start, or end badly; whoever is still there then is asked for again.
        again = dict.fromkeys(wish.orah_ids, now + ASKED_AGAIN)
        plan_push(session.journal, session.key, wish.day, again, looked_at=wish.orah_ids)
    after = _after(seen, found, now, session.school.zone)
    return Tick(wishes, json.dumps(vars(after), separators=(",", ":")))


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


@dataclass(frozen=True)
class _Found:
    """What a look read.

    Args:
        whole_from: the first day that was read whole; None when only the last minutes were.
        movements: location records.
        places: which locations mean away; None where nothing moved.
        others: by ``r<id>`` or ``p<id>``, the checksum, the day, and whom it is about.
    """

    whole_from: date | None
    movements: Sequence[Record]
    places: Places | None
    others: Mapping[str, tuple[int, date, tuple[int, ...]]]


async def _in_time(work: Any) -> _Found:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            found: _Found = await work
            return found
    except TimeoutError:
        raise ServiceError(
            f"Orah did not answer within {LOOK_SECONDS:.0f} s.",
            kept="Nothing is lost: the next tick looks from the same moment on.",
        ) from None


async def _read(session: SchoolSession, seen: Seen, now: datetime) -> _Found:
    orah, policy, zone = session.orah, session.school.policies.attendance, session.school.zone
    whole = seen.looked != quarter(now)
    since = _since(session, seen, now, whole=whole)
    movements = await orah.movements(since, now)
    places = None
    if any(seen.recent.get(str(record["id"])) != _checksum(record) for record in movements):
        places = Places.of(await orah.locations(), policy, zone)
    others: dict[str, tuple[int, date, tuple[int, ...]]] = {}
    midnight = datetime.combine(now.date(), time.min, tzinfo=zone)
    if policy.rolls:
        others |= await _rolls(session, since if whole else midnight, now)
    if whole:
        others |= await _passes(session, midnight, now)
    return _Found(since.astimezone(zone).date() if whole else None, movements, places, others)


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
    session: SchoolSession, since: datetime, now: datetime
) -> dict[str, tuple[int, date, tuple[int, ...]]]:
    found: dict[str, tuple[int, date, tuple[int, ...]]] = {}
    try:
        records = await session.orah.rolls(since, now)
    except AccessError:
        return {}
    for record in records:
        results, _ = roll_results(record)
        if results:
            day = results[0].taken_at.astimezone(session.school.zone).date()
            ids = tuple(sorted({result.orah_id for result in results}))
            found[f"r{results[0].roll_id}"] = (_checksum(record), day, ids)
    return found


async def _passes(
    session: SchoolSession, midnight: datetime, now: datetime
) -> dict[str, tuple[int, date, tuple[int, ...]]]:
    found: dict[str, tuple[int, date, tuple[int, ...]]] = {}
    for leave_id in passes_to_read(session.journal, session.key, first=midnight, last=now):
        try:
            record = await session.orah.leave(leave_id)
        except (AccessError, NotFoundError):
            continue
        if one := read_pass(record):
            found[f"p{leave_id}"] = (_checksum(record), now.date(), (one.orah_id,))
    return found


class _News:
    """Collects whose day is worth a push, and why."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone = zone
        self._now = now
        self._ids: dict[date, set[int]] = defaultdict(set)
        self._reasons: dict[date, list[str]] = defaultdict(list)

    def add(self, day: date, orah_ids: Iterable[int], reasons: Iterable[str]) -> None:
        self._ids[day].update(orah_ids)
        self._reasons[day].extend(reasons)

    def of_movements(self, found: _Found, seen: Seen) -> None:
        """Departures, ways back of whoever was away, and whatever was entered late, edited or deleted."""
        away = set(seen.away)
        for record in sorted(found.movements, key=_order):
            if not record["student"] or found.places is None:
                continue
            student, at = record["student"]["id"], parse_moment(record["record_time"])
            departs = found.places.is_departure(record)
            if seen.recent.get(str(record["id"])) != _checksum(record):
                late = found.whole_from is None and at < self._now - OVERLAP
                known = str(self._day(at)) in seen.sums
                if (departs or student in away or late) and not (found.whole_from and known):
                    self.add(self._day(at), [student], [f"m{record['id']}:{_checksum(record)}"])
            away = away | {student} if departs else away - {student}
        if found.whole_from:
            self._of_whole_days(found, seen)

    def _of_whole_days(self, found: _Found, seen: Seen) -> None:
        """Students whose movements of a day are not those that were seen, one by one, before."""
        sums = _sums(found.movements, self._zone)
        for day, before in seen.sums.items():
            if found.whole_from is None or date.fromisoformat(day) < found.whole_from:
                continue
            now = sums.get(day, {})
            changed = sorted(
                int(student)
                for student in before.keys() | now.keys()
                if before.get(student) != now.get(student)
            )
            told = [f"s{student}:{now.get(str(student), 0)}" for student in changed]
            if changed:
                self.add(date.fromisoformat(day), changed, told)

    def of_others(self, found: _Found, seen: Seen) -> None:
        """Rolls and passes that are new or other than before."""
        for name, (checksum, day, orah_ids) in found.others.items():
            if seen.others.get(name) != checksum:
                self.add(day, orah_ids, [f"{name}:{checksum}"])

    def wishes(self) -> tuple[Wish, ...]:
        """One wish for each day with news, oldest first."""
        return tuple(
            Wish(day, tuple(sorted(self._ids[day])), _digest(self._reasons[day]))
            for day in sorted(self._ids)
            if self._ids[day]
        )

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()


def _after(seen: Seen, found: _Found, now: datetime, zone: ZoneInfo) -> Seen:
    """What has been seen after a look."""
    away = set(seen.away)
    if found.places is not None:
        for record in sorted(found.movements, key=_order):
            if record["student"]:
                student = record["student"]["id"]
                away = away | {student} if found.places.is_departure(record) else away - {student}
    if found.whole_from is None:
        sums = {day: dict(students) for day, students in seen.sums.items()}
        for record in found.movements:
            if seen.recent.get(str(record["id"])) != _checksum(record):
                _add(sums, record, zone, before=seen.recent.get(str(record["id"]), 0))
        others = seen.others
    else:
        sums = _sums(found.movements, zone)
        sums.setdefault(now.date().isoformat(), {})
        others = {}
    return Seen(
        until=now.isoformat(),
        looked=quarter(now),
        recent={
            str(record["id"]): _checksum(record)
            for record in found.movements
            if parse_moment(record["record_time"]) >= now - 2 * OVERLAP
        },
        sums=sums,
        away=sorted(away),
        others={**others, **{name: one[0] for name, one in found.others.items()}},
    )


def _sums(movements: Iterable[Record], zone: ZoneInfo) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for record in movements:
        _add(sums, record, zone)
    return sums


def _add(sums: dict[str, dict[str, int]], record: Record, zone: ZoneInfo, before: int = 0) -> None:
    """Adds a movement to its student's sum; the order in which movements come does not matter."""
    if not record["student"]:
        return
    day = parse_moment(record["record_time"]).astimezone(zone).date().isoformat()
    student = str(record["student"]["id"])
    of_day = sums.setdefault(day, {})
    of_day[student] = (of_day.get(student, 0) + _checksum(record) - before) % 2**32


def _order(record: Record) -> tuple[datetime, int]:
    return parse_moment(record["record_time"]), record["id"]


def _checksum(record: Record) -> int:
    """Of all that a mark could rest on; how Orah refers to the student may change without meaning anything."""
    told = {**record, "student": (record.get("student") or {}).get("id")}
    return zlib.crc32(json.dumps(told, sort_keys=True, default=str).encode())


def _digest(reasons: Collection[str]) -> str:
    return hashlib.sha256("\n".join(sorted(reasons)).encode()).hexdigest()[:16]
