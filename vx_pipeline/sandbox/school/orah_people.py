"""Students and contacts of an Orah tenant that a school has kept by hand for about a year.

People type what they know: nicknames, last names from before a marriage, last year's grade, a number copied
from the wrong line. Nothing here is arranged so that records are easy to tell apart.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from vx_pipeline.sandbox.school.boarding import Boarding
from vx_pipeline.sandbox.school.model import Community, Family, Pupil, Record
from vx_pipeline.sandbox.school.names import NameSource, ascii_word
from vx_pipeline.sandbox.school.orah_places import Places, tenant_moment
from vx_pipeline.sandbox.school.setting import Ids, Setting, some
from vx_pipeline.sandbox.school.spelling import typed
from vx_pipeline.sandbox.school.value_lists import GRADES

_TEST_STUDENTS = (
    ("Test", "Student"),
    ("Orah", "Demo"),
    ("TEST", "Boarder"),
    ("Demo", "Student 2"),
    ("Sample", "Child"),
)


@dataclass(eq=False)
class Entry:
    """A student record of Orah and who it stands for (nobody, for test students)."""

    record: Record
    pupil: Pupil | None

    @property
    def reference(self) -> Record:
        """The student as other records name them."""
        return {"id": self.record["id"], "sis_id": self.record["sis_id"]}


@dataclass(frozen=True)
class Tenant:
    """All student records, and the truth about them (Veracross student id to Orah student id)."""

    entries: list[Entry]
    truth: dict[int, int]

    @property
    def active(self) -> list[Entry]:
        """Records of current students that are not deactivated, one for each of them."""
        theirs = set(self.truth.values())
        return [
            entry
            for entry in self.entries
            if entry.pupil
            and entry.pupil.left is None
            and not entry.record["deactivated"]
            and entry.record["id"] in theirs
        ]


def build(setting: Setting, community: Community, boarding: Boarding, places: Places) -> Tenant:
    """Enter about 92 % of the current students, some leavers, a few people twice, and test students."""
    rng = setting.rng("orah people")
    typist = _Typist(setting, community.names, boarding, places, rng)
    known = _who_was_entered(community, setting, rng)
    rng.shuffle(known)
    entries = [typist.entry(pupil) for pupil in known]
    truth = {pupil.id: entry.record["id"] for pupil, entry in zip(known, entries, strict=True)}
    for entry in some(rng, [e for e in entries if e.pupil and e.pupil.left is None], 0.008, 2):
        # Somebody forgot that this student was there already.
        assert entry.pupil
        again = typist.entry(entry.pupil)
        again.record["sis_id"] = None
        entries.append(again)
    for first, last in _TEST_STUDENTS[: rng.randrange(3, 6)]:
        entries.append(typist.test_student(first, last))
    _paste_wrong_ids(entries, rng)
    return Tenant(entries, truth)


def _who_was_entered(community: Community, setting: Setting, rng: random.Random) -> list[Pupil]:
    known = {p.id: p for p in some(rng, community.current, 0.92, 1)}
    pairs = [(p, p.twin) for p in community.current if p.twin and p.id < p.twin.id]
    for number, (one, other) in enumerate(pairs):
        # Every third pair is split between the systems: only one of the two was entered.
        known[one.id] = one
        if number % 3 == 1 or (len(pairs) == 1 and setting.seed % 2):
            known.pop(other.id, None)
        else:
            known[other.id] = other
    for pupil in community.pupils:
        if pupil.left:
            recent = setting.today - pupil.left < timedelta(days=365)
            if rng.random() < (0.75 if recent else 0.1):
                known[pupil.id] = pupil
    if not any(pupil.left for pupil in known.values()):
        leaver = next(p for p in community.pupils if p.left)
        known[leaver.id] = leaver
    return list(known.values())


def _paste_wrong_ids(entries: list[Entry], rng: random.Random) -> None:
    """Student numbers of another child and of somebody who left, one with a stray blank, one with zeros."""
    with_pupil = [e for e in entries if e.pupil]
    linked = [e for e in with_pupil if e.record["sis_id"]]
    bare = [e for e in with_pupil if not e.record["sis_id"] and e.pupil and e.pupil.left is None]
    rng.shuffle(bare)
    leavers = [e.pupil for e in with_pupil if e.pupil and e.pupil.left]
    if len(bare) >= 3 and bare[1].pupil:
        bare[0].record["sis_id"] = str(bare[1].pupil.id)
        if leavers:
            bare[2].record["sis_id"] = str(rng.choice(leavers).id)
    for entry, spoil in zip(rng.sample(linked, min(2, len(linked))), (" {}", "00{}"), strict=False):
        entry.record["sis_id"] = spoil.format(entry.record["sis_id"])


class _Typist:
    """Whoever enters students into Orah."""

    def __init__(
        self, setting: Setting, names: NameSource, boarding: Boarding, places: Places, rng: random.Random
    ) -> None:
        self._setting, self._names, self._places, self._rng = setting, names, places, rng
        self._beds = boarding.current()
        self._ids = Ids(rng, 10_000)

    def entry(self, pupil: Pupil) -> Entry:
        """A student as somebody typed them in."""
        rng, person = self._rng, pupil.person
        first, last, alternative = typed(person, self._names, rng)
        bed = self._beds.get(pupil.id)
        house = self._house(pupil)
        year = pupil.grade - (1 if pupil.grade > 8 and rng.random() < 0.1 else 0)
        label = GRADES[year] if rng.random() < 0.95 else rng.choice((f"Grade {year}", str(year)))
        gone = pupil.left is not None
        record = self._record(first, last)
        record |= {
            "sis_id": str(pupil.id) if rng.random() < 0.33 else None,
            "alt_name": alternative,
            "email": self._email(pupil),
            "year_level": label if rng.random() < 0.98 else None,
            "house": house,
            "room_number": bed.room if bed and rng.random() < 0.7 else None,
            "bed_number": str(bed.bed) if bed and bed.bed and rng.random() < 0.5 else None,
            "student_type": self._type(pupil),
            "deactivated": rng.random() < (0.45 if gone else 0.01),
            "is_international": person.culture.abroad >= 0.6 and rng.random() < 0.9,
        }
        return Entry(record, pupil)

    def test_student(self, first: str, last: str) -> Entry:
        """A record for trying things out, in a house and with a grade like a real one."""
        record = self._record(first, last)
        record |= {
            "year_level": "9th Grade",
            "house": _house_reference(self._rng.choice(self._places.houses)),
        }
        return Entry(record, None)

    def _record(self, first: str, last: str | None) -> Record:
        made = tenant_moment(self._setting, self._rng)
        return {
            "model": "student",
            "id": self._ids.next(),
            "sis_id": None,
            "first_name": first,
            "last_name": last,
            "alt_name": None,
            "email": None,
            "year_level": None,
            "house": None,
            "room_number": None,
            "bed_number": None,
            "student_type": "Boarding",
            "deactivated": False,
            "is_international": False,
            "created_at": made,
            "updated_at": made,
        }

    def _house(self, pupil: Pupil) -> Record | None:
        bed, chance = self._beds.get(pupil.id), self._rng.random()
        if chance < 0.03:
            return None
        if chance < 0.06:
            return _house_reference(self._rng.choice(self._places.houses))
        if bed:
            return _house_reference(self._places.by_dorm[bed.dorm.name])
        day_students = next(house for house in self._places.houses if house["name"] == "Day Students")
        return _house_reference(day_students) if self._rng.random() < 0.6 else None

    def _type(self, pupil: Pupil) -> str:
        chance = self._rng.random()
        right, wrong = ("Boarding", "Day") if pupil.boards else ("Day", "Boarding")
        return wrong if chance < 0.02 else "FlexiBoarding" if chance < 0.05 else right

    def _email(self, pupil: Pupil) -> str | None:
        chance, person = self._rng.random(), pupil.person
        if chance < 0.12:
            return None
        local = ascii_word(person.preferred or person.first) or "student"
        if chance < 0.18:
            return f"{local}{self._rng.randrange(2000, 2013)}@example.com"
        if chance < 0.21:
            return f"{local}.{ascii_word(person.last or '')}@{self._setting.route}.example.edu"
        if chance < 0.25 and person.email:
            return person.email.upper()
        return person.email


def _house_reference(house: Record) -> Record:
    return {"id": house["id"], "sis_id": house["sis_id"]}


def contacts(setting: Setting, community: Community, tenant: Tenant) -> list[Record]:
    """Contacts entered for about two families of five; the fields follow Orah's import file (assumed)."""
    rng = setting.rng("orah contacts")
    ids = Ids(rng, 50_000)
    entered = {entry.pupil.id: entry.record["id"] for entry in tenant.active if entry.pupil}
    return [
        contact
        for family in some(rng, community.families, 0.4, 1)
        for contact in _family_contacts(setting, family, entered, ids, rng)
    ]


def _family_contacts(
    setting: Setting, family: Family, entered: dict[int, int], ids: Ids, rng: random.Random
) -> Iterator[Record]:
    students = [entered[pupil.id] for pupil in family.pupils if pupil.id in entered]
    if not students:
        return
    for guardian in family.guardians[: rng.choice((1, 2, 2, 3))]:
        made = tenant_moment(setting, rng)
        yield {
            "model": "contact",
            "id": ids.next(),
            "title": guardian.person.prefix if rng.random() < 0.5 else None,
            "first_name": guardian.person.first,
            "last_name": guardian.person.last,
            "relationship": guardian.relation if rng.random() < 0.8 else "Parent",
            "email": guardian.person.email if rng.random() < 0.85 else None,
            "home_phone": None,
            "mobile_phone": f"+1 603 555 0{rng.randrange(100, 200)}" if rng.random() < 0.6 else None,
            "address": None,
            "created_at": made,
            "updated_at": made,
            "_student_ids": students,
        }
