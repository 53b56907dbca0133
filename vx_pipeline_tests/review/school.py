"""A small school for the review page: a matching of invented people, as a run would have recorded it.

The first cases are made by hand and named below; the rest fill up to any number.
"""

import hashlib
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import Candidate, Case, Evidence, Matching, Person, Relative, record_matching
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.matching.fold import fold

SCHOOL = "hillcrest"

NICKNAME = "student-v101"
"""Jonathan Smith, in Orah as Jon Smith: one candidate far ahead; an e-mail and a year level will change."""

TWINS = "student-v102"
"""Heidi Marlowe, whose twin Heide is at the school, too: two candidates close together."""

CONFLICT = "student-v103"
"""Kwame Mensah: the record that carries his id shows another name and birth date."""

NOBODY = "student-v104"
"""Zofia Łukaszewicz: no candidate."""

CONTESTED = "student-v105"
"""Amélie Fontaine: linked by her e-mail, and now the birth dates differ."""

REOPENED = "student-v106"
"""Sven Müller: decided once, and since then his last name changed in Orah."""

ORPHAN = "student-o590"
"""Orah's record of Priya Raman, behind whom nobody stands."""

STAFF = "staff-v701"
"""Grace Odell of the staff, whose e-mail differs."""

HOUSE = "house-v7"
"""North House, called Northern House in Orah."""

BULK = "same name and year level"
"""The pattern of the cases that can be confirmed in bulk."""

HOUSES = ("North House", "South House", "East House", "West House")
GRADES = tuple(f"Grade {number}" for number in range(7, 13))
_FIRST = [
    begin + end
    for begin in ("Al", "Be", "Ca", "Da", "El", "Fe", "Jo", "Ka", "Le", "Ma", "No", "Ta")
    for end in ("ra", "lia", "mon", "nis", "rek")
]
_LAST = [
    begin + end
    for begin in ("Ash", "Birk", "Cald", "Dorn", "Fern", "Hart", "Lind", "Nor", "Oak", "Red", "Sand", "Thorn")
    for end in ("berg", "combe", "feld", "gate", "holm", "ley", "mann", "wick")
]


def record_school(
    journal: Journal,
    *,
    school: str = SCHOOL,
    cases: int = 24,
    linked: int = 40,
    at: datetime | None = None,
    read_at: datetime | None = None,
    run_id: str = "run-1",
    seed: int = 7,
    left: Collection[int] = (),
    rule: str | None = None,
) -> None:
    """Records a matching: the cases named above and ordinary ones up to ``cases``, and linked students.

    Args:
        journal: where to.
        school: the school's key.
        cases: how many cases there are; the hand-made ones are the first of them.
        linked: how many further students are linked already.
        at: when the run was; an hour ago if not given.
        read_at: how old the picture is; as ``at`` if not given.
        run_id: the run's id.
        seed: another seed is another crowd.
        left: ids of Veracross of those who are at the school no more.
        rule: what all candidates have as the rule that fits, if not their own.
    """
    at = at or datetime.now(UTC) - timedelta(hours=1)
    made = [*_by_hand(at), *_crowd(cases, at, seed)][:cases]
    if rule is not None:
        made = [
            replace(one, candidates=tuple(replace(each, rule=rule) for each in one.candidates))
            for one in made
        ]
    people = [*_people_by_hand(), *_crowd_people(cases, seed), *_linked_people(linked, at, seed)]
    people = [_leaver(one) if one.person_id in left else one for one in people]
    matching = Matching(
        school=school,
        run_id=run_id,
        at=at,
        read_at=read_at or at,
        policy_version="3",
        counts={
            "students": sum(one.system == "veracross" and one.entity == Entity.STUDENT for one in people),
            "records": sum(one.system == "orah" and one.entity == Entity.STUDENT for one in people),
            "linked": linked + 2,
            "linked by sis_id": linked // 2,
            "linked by name and birth date": linked - linked // 2,
            "linked by email": 1,
            "linked by decision": 1,
            "waiting": len(made),
            "conflicts": sum(case.kind == "conflict" for case in made),
        },
    )
    record_matching(journal, matching, made, people)


def crowd_name(number: int, seed: int = 7) -> tuple[str, str]:
    """First and last name of the ordinary case with this number, counted from 0."""
    chance = random.Random(f"{seed}-{number}")
    return chance.choice(_FIRST), chance.choice(_LAST)


def bulk_case(number: int) -> str:
    """The id of the ordinary case with this number, counted from 0. Each third is of the bulk pattern."""
    return f"student-v{2000 + number}"


def person(
    system: str,
    person_id: int,
    entity: Entity = Entity.STUDENT,
    *,
    days: Sequence[date] = (),
    **shown: str | None,
) -> Person:
    """A person whose digests and searched names follow from what is shown."""
    deciding = ("first_name", "preferred_name", "alt_name", "last_name", "birth_date", "email", "grade")
    names = (
        shown.get(name) for name in ("preferred_name", "first_name", "alt_name", "middle_name", "last_name")
    )
    return Person(
        system=system,
        entity=entity,
        person_id=person_id,
        shown=shown,
        folded=" ".join(dict.fromkeys(" ".join(fold(name) for name in names if name).split())),
        digests={name: _digest(shown.get(name)) for name in deciding},
        wanted=_wanted(system, person_id, shown),
        days_away=tuple(days),
        linked_to=None,
        rule=None,
        linked_at=None,
        score=None,
        evidence=(),
    )


def evidence(*lines: tuple[str, str | None, str | None, str, float]) -> tuple[Evidence, ...]:
    """Evidence with its running total, from ``field, ours, theirs, level, bits``."""
    total, made = 0.0, []
    for field, ours, theirs, level, bits in lines:
        total += bits
        made.append(Evidence(field, ours, theirs, level, bits, total))
    return tuple(made)


def candidate(
    orah_id: int, lines: tuple[Evidence, ...], *, rank: int = 1, gap: float | None = None, **told: Any
) -> Candidate:
    """A candidate whose score is the evidence's total."""
    more: dict[str, Any] = {"rule": "short first name and birth date", "why": "", "conflict": False} | told
    return Candidate(orah_id=orah_id, rank=rank, score=lines[-1].total, gap=gap, evidence=lines, **more)


def _by_hand(at: datetime) -> list[Case]:
    common = {
        "orah_id": None,
        "pattern": None,
        "relatives": (),
        "entity": Entity.STUDENT,
        "kind": "unmatched",
    }
    jon = evidence(
        ("last_name", "Smith", "Smith", "exact", 6.1),
        ("first_name", "Jonathan", "Jon", "nickname", 5.0),
        ("birth_date", "2010-03-14", "2010-03-14", "exact", 12.0),
        ("middle_name", "Paul", "P.", "initial", 3.0),
        ("sex", "Male", "Male", "same", 1.0),
        ("email", "j.smith@example.org", None, "missing", 0.0),
    )
    other_smith = evidence(
        ("last_name", "Smith", "Smith", "exact", 6.1),
        ("first_name", "Jonathan", "Joanna", "different", -4.5),
        ("birth_date", "2010-03-14", "2010-03-17", "near", 6.0),
        ("sex", "Male", "Female", "different", -5.0),
    )
    heidi = evidence(
        ("last_name", "Marlowe", "Marlowe", "exact", 9.4),
        ("first_name", "Heidi", "Heidi", "exact", 8.2),
        ("birth_date", "2011-09-02", "2011-09-02", "exact", 12.0),
        ("sex", "Female", "Female", "same", 1.0),
    )
    heide = evidence(
        ("last_name", "Marlowe", "Marlowe", "exact", 9.4),
        ("first_name", "Heidi", "Heide", "near", 5.0),
        ("birth_date", "2011-09-02", "2011-09-02", "exact", 12.0),
        ("sex", "Female", "Female", "same", 1.0),
    )
    kwame = evidence(
        ("sis_id", "103", "103", "same", 15.0),
        ("last_name", "Mensah", "Boateng", "different", -5.5),
        ("first_name", "Kwame", "Kofi", "different", -4.5),
        ("birth_date", "2009-05-30", "2012-01-08", "different", -7.0),
        ("sex", "Male", "Male", "same", 1.0),
    )
    amelie = evidence(
        ("email", "a.fontaine@example.org", "a.fontaine@example.org", "own", 15.0),
        ("last_name", "Fontaine", "Fontaine", "exact", 10.7),
        ("first_name", "Amélie", "Amelie", "exact", 9.1),
        ("birth_date", "2008-11-21", "2009-12-21", "different", -7.0),
    )
    sven = evidence(
        ("sis_id", "106", "106", "same", 15.0),
        ("last_name", "Müller", "Müller-Lindqvist", "part", 5.5),
        ("first_name", "Sven", "Sven", "exact", 7.9),
        ("birth_date", "2010-07-07", "2010-07-07", "exact", 12.0),
    )
    grace = evidence(
        ("last_name", "Odell", "Odell", "exact", 11.0),
        ("first_name", "Grace", "Grace", "exact", 8.0),
        ("email", "godell@example.org", "grace.odell@example.org", "different", -0.5),
    )
    north = evidence(("last_name", "North House", "Northern House", "near", 5.0))
    return [
        _case(
            at,
            **common,
            case_id=NICKNAME,
            veracross_id=101,
            reason="The first name is a short form, and nothing else confirms it.",
            house="North House",
            grade="Grade 10",
            candidates=(
                candidate(
                    501,
                    jon,
                    gap=20.1,
                    why="A short first name needs an e-mail of their own or a full middle name beside it.",
                ),
                candidate(502, other_smith, rank=2, gap=-20.1, why="Another first name, another sex."),
            ),
        ),
        _case(
            at,
            **{**common, "relatives": (Relative("veracross", 112, "twin"), Relative("orah", 504, "twin"))},
            case_id=TWINS,
            veracross_id=102,
            reason="There is a twin, and the first names are nearly the same.",
            house="South House",
            grade="Grade 9",
            candidates=(
                candidate(
                    503, heidi, gap=3.2, why="The next best record is only 3.2 bits behind: 6 are needed."
                ),
                candidate(
                    504,
                    heide,
                    rank=2,
                    gap=-3.2,
                    why="A twin with the same birth date has a first name close to this one.",
                ),
            ),
        ),
        _case(
            at,
            **{**common, "kind": "conflict"},
            case_id=CONFLICT,
            veracross_id=103,
            reason="The record that carries the student's id shows another name and another birth date.",
            house="East House",
            grade="Grade 11",
            candidates=(
                candidate(
                    505,
                    kwame,
                    conflict=True,
                    rule="sis_id",
                    why="The id says yes; name and birth date say no.",
                ),
            ),
        ),
        _case(
            at,
            **common,
            case_id=NOBODY,
            veracross_id=104,
            reason="No record in Orah comes near.",
            house=None,
            grade="Grade 8",
            candidates=(),
        ),
        _case(
            at,
            **{**common, "kind": "contested", "orah_id": 506},
            case_id=CONTESTED,
            veracross_id=105,
            reason="The link stands, but the birth dates have come to differ.",
            house="West House",
            grade="Grade 12",
            candidates=(
                candidate(
                    506, amelie, conflict=True, rule="email", why="The same e-mail, but another birth date."
                ),
            ),
        ),
        _case(
            at,
            **{**common, "kind": "reopened", "orah_id": 507},
            case_id=REOPENED,
            veracross_id=106,
            reason="The last name changed in Orah after this was decided.",
            house="North House",
            grade="Grade 10",
            candidates=(candidate(507, sven, rule="decision", why="A deciding field changed since."),),
        ),
        _case(
            at,
            **{**common, "kind": "orphan", "orah_id": 590},
            case_id=ORPHAN,
            veracross_id=None,
            reason="Nobody in Veracross stands behind this record.",
            house="South House",
            grade="Grade 9",
            candidates=(),
        ),
        _case(
            at,
            **{**common, "entity": Entity.STAFF},
            case_id=STAFF,
            veracross_id=701,
            reason="The names agree, the e-mail differs.",
            house=None,
            grade=None,
            candidates=(candidate(801, grace, rule="name", why="Staff are linked by e-mail only."),),
        ),
        _case(
            at,
            **{**common, "entity": Entity.HOUSE},
            case_id=HOUSE,
            veracross_id=7,
            reason="The names of the houses are close, but not the same.",
            house="North House",
            grade=None,
            candidates=(candidate(901, north, rule="name", why="Houses are linked by the same name only."),),
        ),
    ]


def _case(at: datetime, **values: Any) -> Case:
    scores = [each.score for each in values["candidates"]]
    return Case(score=max(scores, default=0.0), opened_at=at, **values)


def _people_by_hand() -> list[Person]:
    hers: dict[str, Any] = {"sex": "Female", "status": "at the school"}
    his: dict[str, Any] = {"sex": "Male", "status": "at the school"}
    active: dict[str, Any] = {"status": "active", "student_type": "Boarding"}
    away = [date(2026, 11, day) for day in (18, 19, 23)]
    students = [
        person(
            "veracross",
            101,
            first_name="Jonathan",
            preferred_name=None,
            middle_name="Paul",
            last_name="Smith",
            birth_date="2010-03-14",
            grade="Grade 10",
            email="j.smith@example.org",
            house="North House",
            student_type="Boarding",
            **his,
        ),
        _pupil(102, "Heidi", "Marlowe", "2011-09-02", "Grade 9", "South House", **hers),
        _pupil(112, "Heide", "Marlowe", "2011-09-02", "Grade 9", "South House", **hers),
        _pupil(103, "Kwame", "Mensah", "2009-05-30", "Grade 11", "East House", **his),
        _pupil(104, "Zofia", "Łukaszewicz", "2012-02-12", "Grade 8", None, **hers),
        _pupil(105, "Amélie", "Fontaine", "2008-11-21", "Grade 12", "West House", **hers),
        _pupil(106, "Sven", "Müller", "2010-07-07", "Grade 10", "North House", **his),
    ]
    records = [
        person(
            "orah",
            501,
            first_name="Jon",
            middle_name="P.",
            last_name="Smith",
            birth_date="2010-03-14",
            sex="Male",
            grade="Grade 9",
            email=None,
            house="North House",
            days=away,
            **active,
        ),
        _record(502, "Joanna", "Smith", "2010-03-17", "Grade 10", "East House", sex="Female", **active),
        _record(503, "Heidi", "Marlowe", "2011-09-02", "Grade 9", "South House", sex="Female", **active),
        _record(504, "Heide", "Marlowe", "2011-09-02", "Grade 9", "South House", sex="Female", **active),
        _record(
            505, "Kofi", "Boateng", "2012-01-08", "Grade 8", "East House", sis_id="103", sex="Male", **active
        ),
        person(
            "orah",
            506,
            first_name="Amelie",
            last_name="Fontaine",
            birth_date="2009-12-21",
            sex="Female",
            grade="Grade 12",
            email="a.fontaine@example.org",
            house="West House",
            **active,
        ),
        _record(
            507, "Sven", "Müller-Lindqvist", "2010-07-07", "Grade 10", "North House", sis_id="106", **active
        ),
        _record(590, "Priya", "Raman", "2011-06-18", "Grade 9", "South House", sex="Female", **active),
    ]
    links = {105: (506, "email"), 106: (507, "decision")}
    linked_at = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
    back = {theirs: ours for ours, (theirs, _) in links.items()}
    students = [
        replace(one, linked_to=links[one.person_id][0], rule=links[one.person_id][1], linked_at=linked_at)
        if one.person_id in links
        else one
        for one in students
    ]
    records = [
        replace(one, linked_to=back[one.person_id], linked_at=linked_at) if one.person_id in back else one
        for one in records
    ]
    others = [
        person(
            "veracross", 701, Entity.STAFF, first_name="Grace", last_name="Odell", email="godell@example.org"
        ),
        person(
            "orah", 801, Entity.STAFF, first_name="Grace", last_name="Odell", email="grace.odell@example.org"
        ),
        person("veracross", 7, Entity.HOUSE, last_name="North House"),
        person("orah", 901, Entity.HOUSE, last_name="Northern House"),
    ]
    return [*students, *records, *others]


def _pupil(
    person_id: int, first: str, last: str, born: str, grade: str, house: str | None, **more: Any
) -> Person:
    told: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "birth_date": born,
        "grade": grade,
        "house": house,
    }
    email = f"{fold(first)[0]}.{fold(last)}@example.org"
    kind = "Boarding" if house else "Day"
    return person("veracross", person_id, email=email, student_type=kind, **told, **more)


def _record(
    person_id: int, first: str, last: str, born: str | None, grade: str, house: str, **more: Any
) -> Person:
    told: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "birth_date": born,
        "grade": grade,
        "house": house,
    }
    return person("orah", person_id, **told, **more)


def _leaver(one: Person) -> Person:
    return replace(one, shown={**one.shown, "status": "left"}, wanted={"deactivated": True})


def _crowd(cases: int, at: datetime, seed: int) -> Iterator[Case]:
    for number in range(cases):
        first, last = crowd_name(number, seed)
        bulk = number % 3 == 0
        lines = evidence(
            ("last_name", last, last if bulk else last + "e", "exact" if bulk else "near", 5.0 + number % 7),
            ("first_name", first, first, "exact", 6.0 + number % 5 + number % 11 / 10),
            ("birth_date", _born(number), None, "missing", 0.0),
            ("grade", _grade(number), _grade(number), "same", 2.5),
        )
        yield _case(
            at,
            case_id=bulk_case(number),
            entity=Entity.STUDENT,
            kind="unmatched",
            veracross_id=2000 + number,
            orah_id=None,
            reason="Only name and year level agree."
            if bulk
            else "The last names are close, but not the same.",
            pattern=BULK if bulk else None,
            house=HOUSES[number % 4],
            grade=_grade(number),
            relatives=(),
            candidates=(
                candidate(
                    6000 + number,
                    lines,
                    gap=9.0,
                    rule="name, birth date unknown",
                    why="A name alone is not enough.",
                ),
            ),
        )


def _crowd_people(cases: int, seed: int) -> Iterator[Person]:
    for number in range(cases):
        first, last = crowd_name(number, seed)
        house, grade = HOUSES[number % 4], _grade(number)
        yield _pupil(2000 + number, first, last, _born(number), grade, house, status="at the school")
        theirs = last if number % 3 == 0 else last + "e"
        yield _record(
            6000 + number, first, theirs, None, grade, house, status="active", student_type="Boarding"
        )


def _linked_people(linked: int, at: datetime, seed: int) -> Iterator[Person]:
    for number in range(linked):
        first, last = crowd_name(100_000 + number, seed)
        house, grade, born = HOUSES[number % 4], _grade(number), _born(number)
        ours = _pupil(20_000 + number, first, last, born, grade, house, status="at the school")
        theirs = _record(60_000 + number, first, last, born, grade, house, sis_id=str(20_000 + number))
        lines = evidence(
            ("last_name", last, last, "exact", 8.0),
            ("first_name", first, first, "exact", 7.0),
            ("birth_date", born, born, "exact", 12.0),
        )
        rule = "sis_id" if number % 2 else "name and birth date"
        yield replace(
            ours, linked_to=60_000 + number, rule=rule, linked_at=at, score=lines[-1].total, evidence=lines
        )
        yield replace(theirs, linked_to=20_000 + number, rule=rule, linked_at=at)


def _born(number: int) -> str:
    return (date(2009, 1, 1) + timedelta(days=number * 13 % 1900)).isoformat()


def _grade(number: int) -> str:
    return GRADES[number % len(GRADES)]


def _digest(value: str | None) -> str | None:
    return hashlib.sha256(fold(value).encode()).hexdigest()[:16] if value else None


def _wanted(system: str, person_id: int, shown: Mapping[str, str | None]) -> dict[str, Any]:
    fields = {
        "sis_id": str(person_id) if system == "veracross" else shown.get("sis_id"),
        "first_name": shown.get("preferred_name") or shown.get("first_name"),
        "last_name": shown.get("last_name"),
        "email": shown.get("email"),
        "year_level": shown.get("grade"),
        "student_type": shown.get("student_type"),
    }
    return {name: value for name, value in fields.items() if value is not None or system == "orah"}
