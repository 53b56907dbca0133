"""Dorms of three school years and who sleeps in which bed, with the contradictions that real schools have."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from vx_pipeline.sandbox.school.model import Community, Pupil, Record
from vx_pipeline.sandbox.school.setting import Ids, SchoolYear, Setting, day, some

_NAMES = (
    *("Abbott", "Beaumont", "Carrow", "Dunmore", "Ellery", "Fairbank"),
    *("Garrison", "Hollis", "Ives", "Jarrett", "Kimball", "Lowell"),
)
_KINDS = ("House", "Hall", "Cottage", "Lodge", "Court", "Place")
_BEDS_PER_DORM = 30
_ROOMS_PER_FLOOR = 8


@dataclass(eq=False)
class Dorm:
    """A dorm of one school year; the same building has another id each year."""

    id: int
    name: str
    gender: str
    year: SchoolYear
    head_id: int | None


@dataclass(eq=False)
class Allocation:
    """A student's row in a dorm."""

    id: int
    pupil: Pupil
    dorm: Dorm
    room: str | None
    floor: int | None
    bed: int | None
    enrolled: bool
    begins: date | None = None
    ends: date | None = None
    notes: str | None = None


@dataclass(frozen=True)
class Boarding:
    """All dorms and allocations."""

    dorms: list[Dorm]
    allocations: list[Allocation]

    def of_year(self, year: SchoolYear) -> list[Dorm]:
        """The dorms of one school year."""
        return [dorm for dorm in self.dorms if dorm.year is year]

    def current(self) -> dict[int, Allocation]:
        """Student id to a current allocation (the later one for who has two)."""
        return {a.pupil.id: a for a in self.allocations if a.enrolled and a.dorm.year.status == "Active"}


def build(setting: Setting, community: Community) -> Boarding:
    """Decide who boards (about 60 % of the current students, most of those from abroad) and where."""
    rng = setting.rng("boarding")
    _choose_boarders(setting, community, rng)
    heads = [m.person.id for m in community.staff if m.department == "Residential Life" and not m.terminated]
    boarders = sum(pupil.boards for pupil in community.current)
    names = _dorm_names(max(4, round(boarders / _BEDS_PER_DORM)))
    ids = Ids(rng, 60_000)
    dorms: list[Dorm] = []
    allocations: list[Allocation] = []
    for year in setting.years:
        of_year = []
        for number, name in enumerate(names):
            gender = ("Female", "Male")[number % 2]
            head = rng.choice(heads) if heads and rng.random() < 0.9 else None
            of_year.append(Dorm(setting.classes.next(), name, gender, year, head))
        dorms += of_year
        sleepers = [p for p in community.pupils if p.boards and _sleeps_in(p, year, setting, rng)]
        allocations += _allocate(sleepers, of_year, setting, rng, ids)
    boarding = Boarding(dorms, allocations)
    _move_some(boarding, setting, rng, ids)
    _contradict(boarding, community, setting, rng, ids)
    return boarding


def _choose_boarders(setting: Setting, community: Community, rng: random.Random) -> None:
    abroad = {p.id for f in community.families for p in f.pupils if f.homes[0].abroad}
    current = sorted(
        community.current, key=lambda p: rng.random() + (0.8 if p.id in abroad else 0), reverse=True
    )
    for pupil in current[: round(0.6 * len(current))]:
        pupil.boards = True
    for pupil in community.pupils:
        if pupil.left:
            pupil.boards = rng.random() < 0.6


def _dorm_names(count: int) -> list[str]:
    pairs = [f"{name} {kind}" for kind in _KINDS for name in _NAMES]
    return [
        pairs[n % len(pairs)] + (f" {n // len(pairs) + 1}" if n >= len(pairs) else "") for n in range(count)
    ]


def _sleeps_in(pupil: Pupil, year: SchoolYear, setting: Setting, rng: random.Random) -> bool:
    if year is setting.next_year:
        return pupil.left is None and pupil.grade < 12 and rng.random() < 0.6
    return (
        pupil.entry <= year.last
        and pupil.entry <= setting.today
        and (not pupil.left or pupil.left > year.first)
    )


def _allocate(
    sleepers: Sequence[Pupil], dorms: Sequence[Dorm], setting: Setting, rng: random.Random, ids: Ids
) -> Iterator[Allocation]:
    """Two beds to a room, dorms by gender as far as the record tells it."""
    filled = dict.fromkeys((dorm.id for dorm in dorms), 0)
    for pupil in rng.sample(sleepers, len(sleepers)):
        options = [d for d in dorms if d.gender == pupil.person.gender] or list(dorms)
        dorm = min(options, key=lambda d: filled[d.id])
        room, floor, bed = _place(filled[dorm.id])
        filled[dorm.id] += 1
        year, gone = dorm.year, pupil.left and pupil.left <= dorm.year.last
        yield Allocation(
            id=ids.next(),
            pupil=pupil,
            dorm=dorm,
            room=room,
            floor=floor,
            bed=bed,
            enrolled=year is setting.this_year and not gone,
            begins=pupil.entry if pupil.entry > year.first else None,
            ends=pupil.left if gone else None,
        )


def _place(number: int) -> tuple[str, int, int]:
    room, bed = divmod(number, 2)
    floor, door = divmod(room, _ROOMS_PER_FLOOR)
    return f"{floor + 1}{door + 1:02}", floor + 1, bed + 1


def _move_some(boarding: Boarding, setting: Setting, rng: random.Random, ids: Ids) -> None:
    """Ordinary moves within the year: out of one dorm and into another on the same day."""
    dorms = boarding.of_year(setting.this_year)
    there_all_year = [a for a in boarding.current().values() if a.begins is None]
    for old in some(rng, there_all_year, 0.03, 1):
        moved = setting.this_year.first + timedelta(days=rng.randrange(7, 80))
        old.enrolled, old.ends, old.notes = False, moved, "Moved"
        new = rng.choice([d for d in dorms if d is not old.dorm])
        room, floor, bed = _place(rng.randrange(40))
        boarding.allocations.append(
            Allocation(ids.next(), old.pupil, new, room, floor, bed, True, begins=moved)
        )


def _contradict(
    boarding: Boarding, community: Community, setting: Setting, rng: random.Random, ids: Ids
) -> None:
    """Plant what data entry leaves behind, each kind on students of its own."""
    dorms = boarding.of_year(setting.this_year)
    settled = [a for a in boarding.current().values() if a.begins is None]
    rng.shuffle(settled)

    def take(share: float) -> list[Allocation]:
        count = max(1, round(share * len(settled)))
        taken = settled[:count]
        del settled[:count]
        return taken

    def spare(pupil: Pupil, dorm: Dorm, *, enrolled: bool) -> Allocation:
        room, floor, bed = _place(rng.randrange(40))
        return Allocation(ids.next(), pupil, dorm, room, floor, bed, enrolled)

    # In two dorms at once.
    for a in take(0.01):
        boarding.allocations.append(
            spare(a.pupil, rng.choice([d for d in dorms if d is not a.dorm]), enrolled=True)
        )
    # Withdrawn, still flagged as enrolled.
    for a in take(0.01):
        a.ends = setting.today - timedelta(days=rng.randrange(1, 40))
    # Has a room, is not flagged, and nothing says why.
    for a in take(0.01):
        a.enrolled = False
    # Flagged, without a room.
    for a in take(0.02):
        a.room = a.floor = a.bed = None
    # Moves in on a day that is still ahead; the first one is flagged all the same.
    for number, a in enumerate(take(0.01)):
        a.begins, a.enrolled = setting.today + timedelta(days=rng.randrange(3, 30)), number == 0
    # Left the school, the bed was never given up.
    gone = [a for a in boarding.allocations if a.dorm.year is setting.this_year and a.pupil.left]
    for a in some(rng, gone, 0.1, 1):
        a.enrolled, a.ends = True, None
    # Last year's bed of somebody who lives at home this year.
    days = [p for p in community.current if not p.boards and p.entry < setting.this_year.first]
    last_year = boarding.of_year(setting.last_year)
    for pupil in some(rng, days, 0.02, 1):
        boarding.allocations.append(spare(pupil, rng.choice(last_year), enrolled=True))


def dorm_records(setting: Setting, boarding: Boarding) -> list[Record]:
    """Records of ``/boarding/dorms``; a few lack their status or dates."""
    rng = setting.rng("dorm records")
    rows = [
        {
            "id": dorm.id,
            "abbreviation": dorm.name[:3].upper() if rng.random() < 0.9 else None,
            "description": dorm.name,
            "status": setting.code("dorm_status", dorm.year.status),
            "school_year": setting.code("school_year", dorm.year.label),
            "dorm_head_id": dorm.head_id,
            "track_attendance": rng.random() < 0.7,
            "begin_date": day(dorm.year.first),
            "end_date": day(dorm.year.last),
            "last_modified_date": setting.modified(rng),
        }
        for dorm in boarding.dorms
    ]
    blanks: tuple[tuple[SchoolYear, Callable[[Record], None]], ...] = (
        (setting.this_year, lambda row: row.update(begin_date=None, end_date=None)),
        (setting.last_year, lambda row: row.update(status=None)),
        (setting.next_year, lambda row: row.update(end_date=None)),
    )
    for year, blank in blanks:
        code = setting.code("school_year", year.label)
        blank(rng.choice([row for row in rows if row["school_year"] == code]))
    return rows


def dorm_student_records(boarding: Boarding) -> list[Record]:
    """Records of ``/boarding/dorms/{id}/students`` of all dorms."""
    return [
        {
            "id": a.id,
            "student_id": a.pupil.id,
            "dorm_id": a.dorm.id,
            "dorm": a.dorm.name,
            "room_number": a.room,
            "floor_number": a.floor,
            "bed_number": a.bed,
            "currently_enrolled": a.enrolled,
            "late_date_enrolled": day(a.begins),
            "date_withdrawn": day(a.ends),
            "notes": a.notes,
        }
        for a in boarding.allocations
    ]
