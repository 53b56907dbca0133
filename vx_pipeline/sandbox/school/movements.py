"""Where students were in the last days: Orah's location records, and the absences behind them.

Moving only ever adds a new ``in``; now and then somebody signs out, which names no location.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice

from vx_pipeline.sandbox.school.attendance import Absence
from vx_pipeline.sandbox.school.boarding import Boarding
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.orah_people import Entry, Tenant
from vx_pipeline.sandbox.school.orah_places import Places
from vx_pipeline.sandbox.school.setting import Ids, Setting, some, utc_milliseconds, weekdays_back

_DAYS = 14
_DAYS_IN_LARGE_SCHOOLS = 3
_LARGE_SCHOOL = 2_500
_OFF_GROUNDS = ("Town", "Medical Appointment", "College Visit")

Move = tuple[datetime, str, Record | None]
"""Local time, ``in`` or ``out``, and the location (None where the record names none)."""


def plan_absences(setting: Setting, tenant: Tenant) -> list[Absence]:
    """Students who leave the grounds in the middle of one of the last ten school days, once each.

    A third are never seen to return that day. One left this morning, if today is a school day.
    """
    rng = setting.rng("absences")
    days = [on for on in islice(weekdays_back(setting.today), 10) if on < setting.today]
    absences = []
    for number, entry in enumerate(some(rng, tenant.active, 0.03, 5)):
        assert entry.pupil
        start = datetime.combine(rng.choice(days), time(8, 20)) + timedelta(minutes=rng.randrange(0, 200))
        end = start + timedelta(minutes=rng.randrange(50, 240)) if number % 3 else None
        if number == 0 and setting.today.weekday() < 5:
            start, end = datetime.combine(setting.today, time(9, 10)), None
        absences.append(Absence(entry.pupil.id, start, end))
    return absences


def location_records(
    setting: Setting, tenant: Tenant, places: Places, boarding: Boarding, absences: Sequence[Absence]
) -> list[Record]:
    """Location records up to noon of today, in order of time."""
    rng = setting.rng("movements")
    days = _DAYS if setting.students <= _LARGE_SCHOOL else _DAYS_IN_LARGE_SCHOOLS
    noon = datetime.combine(setting.today, time(12))
    beds = boarding.current()
    away = {absence.student_id: absence for absence in absences}
    moves: list[tuple[Move, Entry]] = []
    for entry in tenant.active:
        assert entry.pupil
        bed = beds.get(entry.pupil.id)
        dorm = places.dorm_locations[bed.dorm.name] if bed else None
        walk = _walk(
            rng, places, dorm, setting.today - timedelta(days=days), setting.today, away.get(entry.pupil.id)
        )
        moves += [(move, entry) for move in walk if move[0] <= noon]
    moves.sort(key=lambda pair: (pair[0][0], pair[1].record["id"]))
    ids = Ids(rng, 800_000)
    return [
        {
            "model": "location_record",
            "id": ids.next(),
            "type": kind,
            "record_time": utc_milliseconds(at.replace(tzinfo=setting.zone)),
            "location": location and {"id": location["id"], "name": location["name"]},
            "student": entry.reference,
        }
        for (at, kind, location), entry in moves
    ]


def _walk(
    rng: random.Random, places: Places, dorm: Record | None, first: date, last: date, absence: Absence | None
) -> Iterator[Move]:
    """One student's moves from `first` to `last`, both included; `dorm` is None for who lives at home."""
    for shift in range((last - first).days + 1):
        on = first + timedelta(days=shift)
        if on.weekday() < 5:
            gone = absence if absence and absence.start.date() == on else None
            yield from _school_day(rng, places, dorm, on, gone)
        elif dorm and on.weekday() == 5 and rng.random() < 0.1:
            yield _at(rng, on, 9), "in", places.named["Weekend Leave"]
            if rng.random() < 0.9:
                yield _at(rng, on + timedelta(days=1), 19), "in", dorm


def _school_day(
    rng: random.Random, places: Places, dorm: Record | None, on: date, absence: Absence | None
) -> Iterator[Move]:
    if absence or rng.random() < 0.97:
        morning = (
            "Academic Building"
            if rng.random() < 0.9
            else rng.choice(("Dining Hall", "Library", "Health Center"))
        )
        yield _at(rng, on, 7), "in", places.named[morning]
    if absence:
        yield absence.start, "in", places.named[rng.choice(_OFF_GROUNDS)]
        if not absence.end:
            return
        yield absence.end, "in", places.named["Academic Building"]
    if dorm and rng.random() < 0.97:
        yield _at(rng, on, 17), "in", dorm
    elif not dorm and rng.random() < 0.1:
        yield _at(rng, on, 17), "out", None
    elif not dorm:
        yield _at(rng, on, 17), "in", places.named["Home"]


def _at(rng: random.Random, on: date, hour: int) -> datetime:
    return datetime.combine(on, time(hour)) + timedelta(seconds=rng.randrange(3_500))
