"""Classes of three school years, who takes them, and when they meet."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from vx_pipeline.sandbox.school.model import Community, Person, Pupil, Record
from vx_pipeline.sandbox.school.setting import Ids, SchoolYear, Setting, day, some
from vx_pipeline.sandbox.school.timetable import WEEKDAYS, block_record, slots
from vx_pipeline.sandbox.school.value_lists import BLOCKS, GRADES, SUBJECTS

_SEATS = 24
_LESSONS_PER_TEACHER = 5
_GRADE_WORDS = {13: "PG"}


@dataclass(frozen=True)
class Plan:
    """A class before it has a teacher or an id: where it stands in the timetable."""

    grade: int
    block: int
    track: int
    subject: str


@dataclass(eq=False)
class SchoolClass:
    """A class of one year. `roster` holds (pupil, first day or None, first day no longer in it or None)."""

    id: int
    plan: Plan
    year: SchoolYear
    number: int
    teacher: Person
    room: int
    tracks_attendance: bool | None
    roster: list[tuple[Pupil, date | None, date | None]] = field(default_factory=list)

    @property
    def code(self) -> str:
        """E.g. ``ENG10-2``."""
        return f"{self.plan.subject[:3].upper()}{_word(self.plan.grade)}-{self.number}"

    @property
    def description(self) -> str:
        """E.g. ``English 10 - 2``."""
        return f"{self.plan.subject} {_word(self.plan.grade)} - {self.number}"


def _word(grade: int) -> str:
    return _GRADE_WORDS.get(grade, str(grade))


def plan(pupils: Sequence[Pupil]) -> list[Plan]:
    """The sections that these pupils need: for each grade and block, one for about every 24 of its pupils.

    Tracks walk through the subjects in step, so whoever stays in one track meets no subject twice.
    """
    sizes = Counter(pupil.grade for pupil in pupils)
    plans = []
    for grade in sorted(sizes):
        tracks = max(1, round(sizes[grade] * (len(BLOCKS) - 1) / len(BLOCKS) / _SEATS))
        for block, track in itertools.product(range(len(BLOCKS)), range(tracks)):
            plans.append(Plan(grade, block, track, SUBJECTS[(block + track + grade) % len(SUBJECTS)]))
    return plans


def teachers_needed(plans: Sequence[Plan]) -> dict[str, int]:
    """Teachers of each subject: none teaches more than five lessons, or two in one block."""
    needed = {}
    for subject in SUBJECTS:
        blocks = Counter(p.block for p in plans if p.subject == subject)
        needed[subject] = max(-(-blocks.total() // _LESSONS_PER_TEACHER), max(blocks.values(), default=1))
    return needed


def classes(
    setting: Setting, community: Community, plans: Sequence[Plan], year: SchoolYear
) -> list[SchoolClass]:
    """The classes of one year, without pupils yet."""
    rng = setting.rng(f"classes {year.code}")
    faculty: dict[str, Iterator[Person]] = {}
    for subject in SUBJECTS:
        faculty[subject] = itertools.cycle([m.person for m in community.staff if m.subject == subject])
    rooms = dict.fromkeys(range(len(BLOCKS)), 0)
    numbers: Counter[tuple[str, int]] = Counter()
    made = []
    # In block order, the teachers of a subject take turns and never meet themselves in one block.
    for p in sorted(plans, key=lambda p: p.block):
        rooms[p.block] += 1
        numbers[p.subject, p.grade] += 1
        made.append(
            SchoolClass(
                id=setting.classes.next(),
                plan=p,
                year=year,
                number=numbers[p.subject, p.grade],
                teacher=next(faculty[p.subject]),
                room=rooms[p.block],
                tracks_attendance=True,
            )
        )
    for school_class in some(rng, made, 0.02, 1):
        school_class.tracks_attendance = False
    for school_class in some(rng, [c for c in made if c.tracks_attendance], 0.02, 1):
        school_class.tracks_attendance = None
    return made


def pupils_of(setting: Setting, community: Community, year: SchoolYear) -> list[Pupil]:
    """Who takes classes in a year: all who were there; of next year only the sixth part that chose early."""
    if year is setting.next_year:
        return [p for p in community.current if p.grade < 12][::6]
    return [p for p in community.pupils if p.entry <= year.last and (p.left is None or p.left > year.first)]


def enroll(setting: Setting, pupils: Sequence[Pupil], made: Sequence[SchoolClass]) -> None:
    """Put each pupil into one class in six of the seven blocks, with the changes that a year brings.

    A change of section ends one membership on the day that the other begins, in the same block, so nobody
    is ever in two places at once.
    """
    year = made[0].year
    rng = setting.rng(f"enrollments {year.code}")
    sections: dict[tuple[int, int], list[SchoolClass]] = defaultdict(list)
    for school_class in made:
        sections[school_class.plan.grade, school_class.plan.block].append(school_class)
    grades = sorted({grade for grade, _ in sections})
    for pupil in pupils:
        grade = min(grades, key=lambda g: abs(g - (pupil.grade + year.code - setting.this_year.code)))
        track = rng.randrange(len(sections[grade, 0]))
        free = rng.randrange(len(BLOCKS))
        first = pupil.entry if pupil.entry > year.first else None
        last = pupil.left if pupil.left and year.first <= pupil.left <= year.last else None
        for block in range(len(BLOCKS)):
            if block == free:
                continue
            ahead = grade + 1 if rng.random() < 0.08 and (grade + 1, block) in sections else grade
            options = sections[ahead, block]
            chosen = options[track % len(options)] if rng.random() < 0.75 else rng.choice(options)
            settled = first or last or year.code > setting.this_year.code
            change = (
                None if settled or rng.random() > 0.04 else year.first + timedelta(days=rng.randrange(7, 100))
            )
            chosen.roster.append((pupil, first, change or last))
            others = [c for c in options if c is not chosen] or [
                c for g in (grade - 1, grade + 1) for c in sections.get((g, block), []) if c is not chosen
            ]
            if change and others and rng.random() < 0.8:
                rng.choice(others).roster.append((pupil, change, last))


def class_records(setting: Setting, made: Sequence[SchoolClass]) -> list[Record]:
    """Records of ``/classes``."""
    rng = setting.rng(f"class records {made[0].year.code}")
    rows = [_class_record(setting, c) for c in made]
    for row in rows:
        row["last_modified_date"] = setting.modified(rng)
        row["internal_group_id"] = row["id"] + 500_000 if rng.random() < 0.95 else None
        row["lms_sync_enabled"] = rng.random() < 0.5
    for row in some(rng, rows, 0.02, 1):
        row["room"] = {"id": None, "abbreviation": None, "description": None}
    for row in some(rng, rows, 0.01, 1):
        row["primary_teacher"] = {"id": None, "name": None}
    return rows


def _class_record(setting: Setting, c: SchoolClass) -> Record:
    code, grade, subject = setting.code, c.plan.grade, c.plan.subject
    course = 1000 + 100 * SUBJECTS.index(subject) + grade
    return {
        "id": c.id,
        "class_id": c.code,
        "description": c.description,
        "status": code("class_status", c.year.status),
        "school_year": code("school_year", c.year.label),
        "campus_id": code("campus", "Main Campus"),
        "campus_description": "Main Campus",
        "primary_grade_level": code("grade_level", GRADES[grade]),
        "school_level": code("school_level", "Middle School" if grade == 8 else "Upper School"),
        "course": {
            "id": course,
            "course_id": f"{subject[:3].upper()}{_word(grade)}",
            "name": f"{subject} {_word(grade)}",
            "course_type": code("course_type", "Academic"),
        },
        "primary_teacher": {"id": c.teacher.id, "name": c.teacher.full_name},
        "room": {
            "id": code("room", f"Room {100 + c.room}"),
            "abbreviation": str(100 + c.room),
            "description": f"Room {100 + c.room}",
        },
        "subject": {"id": code("subject", subject), "description": subject},
        "department": {"id": code("department", subject), "description": subject},
        "virtual_meeting_url": None,
        "last_modified_date": None,
        "internal_group_id": None,
        "track_class_attendance": c.tracks_attendance,
        "lms_sync_enabled": None,
    }


def enrollment_records(setting: Setting, made: Sequence[SchoolClass], ids: Ids) -> Iterator[Record]:
    """Records of ``/academics/enrollments``, one for each membership."""
    rng = setting.rng(f"enrollment records {made[0].year.code}")
    for c in made:
        for pupil, first, last in c.roster:
            in_session = c.year is setting.this_year
            begun = first is None or first <= setting.today
            ended = last is not None and last <= setting.today
            yield {
                "id": ids.next(),
                "internal_class_id": c.id,
                "class_description": c.description,
                "class_status": setting.code("class_status", c.year.status),
                "primary_teacher": {
                    "id": c.teacher.id,
                    "name_prefix": c.teacher.prefix,
                    "first_name": c.teacher.first,
                    "middle_name": c.teacher.middle,
                    "last_name": c.teacher.last,
                    "name_suffix": None,
                    "preferred_name": c.teacher.preferred,
                },
                "person_id": pupil.id,
                "person_name": pupil.person.full_name,
                "grade_level_id": setting.code("grade_level", GRADES[pupil.grade]),
                "currently_enrolled": in_session and begun and not ended,
                "late_date_enrolled": day(first),
                "date_withdrawn": day(last),
                "level": setting.code(
                    "class_level", rng.choices(("Regular", "Honors", "AP"), (80, 14, 6))[0]
                ),
                "exclude_from_transcript": rng.random() < 0.01,
                "notes": "Schedule change" if last and rng.random() < 0.3 else None,
                "last_modified_date": setting.modified(rng),
            }


def meeting_time_records(
    setting: Setting, made: Sequence[SchoolClass], first: date, last: date
) -> Iterator[Record]:
    """Records of ``/academics/classes/{id}/meeting_times`` from `first` to `last`, both included."""
    rng = setting.rng("meeting times")
    ids = Ids(rng, 900_000)
    term = {
        "id": setting.code("grading_period", "Fall Term"),
        "description": "Fall Term",
        "abbreviation": "FT",
    }
    by_block = [list(slots(block, first, last)) for block in range(len(BLOCKS))]
    for c in made:
        room = f"Room {100 + c.room}"
        for slot in by_block[c.plan.block]:
            weekday = WEEKDAYS[slot.date.weekday()]
            has_room = rng.random() < 0.99
            yield {
                "id": ids.next(),
                "internal_class_id": c.id,
                "date": day(slot.date),
                "start_time": slot.start,
                "end_time": slot.end,
                "grading_period": dict(term),
                "day": {
                    "id": setting.code("day", weekday),
                    "description": weekday,
                    "abbreviation": weekday[:3],
                },
                "block": block_record(setting, c.plan.block),
                "room": {"id": setting.code("room", room), "description": room}
                if has_room
                else _NO_ROOM.copy(),
            }


_NO_ROOM: Record = {"id": None, "description": None}
