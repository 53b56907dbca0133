"""Families: who is born to whom, where they live, and when the children came to the school and left it."""

import random
from datetime import date, timedelta

from vx_pipeline.sandbox.school.model import Family, Guardian, Home, Person, Pupil
from vx_pipeline.sandbox.school.names import CULTURES, Culture, NameSource, ascii_word, feminine
from vx_pipeline.sandbox.school.nicknames import NICKNAMES
from vx_pipeline.sandbox.school.setting import Setting, some

_GRADE_WEIGHTS = {8: 12, 9: 20, 10: 22, 11: 22, 12: 20, 13: 4}
_NEAR_NAMES = (
    ("Mari", "Mara"),
    ("Jessie", "Jessica"),
    ("Heidi", "Heide"),
    ("Jon", "John"),
    ("Alex", "Alexis"),
)
_ENGLISH = CULTURES[0]
_PRIVATE_DOMAINS = ("example.com", "example.org", "example.net")


def build(setting: Setting, names: NameSource) -> list[Family]:
    """All families, with exactly ``setting.students`` current students and a quarter as many former ones.

    The first families are of every kind (together, apart, a twin pair, one grown-up, grandparents as
    guardians), so that even the smallest school has them.
    """
    rng = setting.rng("families")
    maker = _Maker(setting, names, rng)
    families: list[Family] = []
    missing = setting.students
    while missing:
        number = len(families)
        twins = number % 40 == 2 and missing >= 2
        children = 2 if twins else min(missing, rng.choices((1, 2, 3), (80, 17, 3))[0])
        shape = ("together", "apart", "together", "guardian", "single")[number] if number < 5 else None
        family = maker.family(shape)
        maker.add_current(family, children, twins=twins)
        families.append(family)
        missing -= children
    _add_former(families, maker, setting, rng)
    _blur(families, setting, rng)
    return families


class _Maker:
    """Makes families and children one at a time, all from one random stream."""

    def __init__(self, setting: Setting, names: NameSource, rng: random.Random) -> None:
        self._setting, self._names, self._rng = setting, names, rng

    def person(self, culture: Culture, gender: str | None, last: str | None) -> Person:
        """Somebody with a name and an id; women of Slavic families bear their form of the last name."""
        rng = self._rng
        if last and culture.tradition == "slavic" and gender == "Female":
            last = feminine(last)
        middle = self._names.given(culture, gender) if rng.random() < 0.4 else None
        first = self._names.given(culture, gender)
        person = Person(self._setting.people.next(), first, middle, last, None, gender, culture)
        if culture.tradition == "mononym":
            # Systems demand a last name where there is none, so people type something.
            person.middle, person.last = None, rng.choice((None, ".", first, last))
        return person

    def family(self, shape: str | None = None) -> Family:
        """Grown-ups and homes, no children yet."""
        rng, culture = self._rng, self._names.culture()
        shape = shape or rng.choices(("together", "apart", "single", "guardian"), (66, 21, 10, 3))[0]
        last = self._names.family(culture)
        family = Family(culture, last, [self._home(culture, last)])
        if shape == "guardian":
            relation = rng.choice(("Guardian", "Grandmother", "Grandfather"))
            self._guardian(family, relation, None if relation == "Guardian" else last, home=0)
            return family
        other_last = last if rng.random() < 0.6 and shape != "apart" else self._names.family(culture)
        mother = self._guardian(family, "Mother", other_last, home=0)
        if shape == "single":
            return family
        if shape == "apart":
            family.homes.append(self._home(culture, last))
        father = self._guardian(family, "Father", last, home=len(family.homes) - 1)
        if shape == "together":
            mother.spouse, father.spouse = father.person, mother.person
            mother.heads_household = False
        else:
            self._separate(family, father)
        return family

    def add_current(self, family: Family, children: int, *, twins: bool) -> None:
        """Current students; twins share grade, birthday, last name, and sometimes nearly the first name."""
        for number in range(children):
            grade = self._rng.choices(list(_GRADE_WEIGHTS), list(_GRADE_WEIGHTS.values()))[0]
            pupil = self._pupil(family, grade)
            if twins and number == 1:
                first = family.pupils[0]
                pupil.twin, first.twin = first, pupil
                pupil.grade, pupil.birthday, pupil.entry = first.grade, first.birthday, first.entry
                pupil.person.last = first.person.last
                if self._rng.random() < 0.4:
                    first.person.first, pupil.person.first = self._rng.choice(_NEAR_NAMES)
                    first.person.preferred = pupil.person.preferred = None
            family.pupils.append(pupil)

    def add_former(self, family: Family, *, this_year: bool) -> None:
        """A graduate or somebody who withdrew, in an earlier year or within this one."""
        rng, year = self._rng, self._setting.this_year
        graduated = not this_year and rng.random() < 0.6
        grade = 12 if graduated else rng.randrange(8, 13)
        pupil = self._pupil(family, grade)
        gone = 0 if this_year else rng.randrange(4)
        pupil.birthday -= timedelta(days=365 * (gone + (0 if this_year else 1)))
        if this_year:
            pupil.left = year.first + timedelta(days=rng.randrange(10, 75))
            pupil.entry = year.first - timedelta(weeks=52)
        else:
            pupil.left = year.first - timedelta(
                weeks=52 * gone, days=70 if graduated else rng.randrange(71, 300)
            )
            pupil.entry = pupil.left - timedelta(days=rng.randrange(200, 1200))
        pupil.exit_shown = pupil.left
        pupil.status = "Graduated" if graduated else "Withdrawn"
        pupil.person.roles = ["Alumni"] if graduated else ["Former Student"]
        family.pupils.append(pupil)

    def _pupil(self, family: Family, grade: int) -> Pupil:
        rng, year = self._rng, self._setting.this_year
        gender = rng.choices(("Female", "Male", "Non-binary"), (49, 49, 2))[0]
        last = family.last
        mother = next((g.person.last for g in family.guardians if g.relation == "Mother"), None)
        if family.culture.tradition == "double" and mother:
            last = f"{last} {mother}"
        person = self.person(family.culture, gender, last)
        person.roles = ["Student"]
        person.household_id = family.homes[0].id
        person.preferred = self._preferred(person)
        birthday = _birthday(rng, grade, year.first)
        years_here = rng.randrange(0, max(1, min(grade - 7, 4)) + 1)
        entry = year.first - timedelta(weeks=52 * years_here)
        return Pupil(person, grade, birthday, entry)

    def _preferred(self, person: Person) -> str | None:
        rng = self._rng
        if person.culture.abroad >= 0.6 and rng.random() < 0.3:
            return self._names.given(_ENGLISH, person.gender)
        chance = rng.random()
        if chance < 0.12:
            return person.first
        if chance < 0.22 and person.middle:
            return person.middle
        if chance < 0.5 and person.first in NICKNAMES:
            return rng.choice(NICKNAMES[person.first])
        if chance < 0.25 and len(person.first) > 5:
            return person.first[: rng.choice((3, 4))].strip(" -'")
        return None

    def _home(self, culture: Culture, last: str) -> Home:
        style = self._rng.choice(("The {} Family", "{} Household", "{}"))
        abroad = self._rng.random() < culture.abroad
        return Home(self._setting.people.next(), style.format(last), culture, abroad)

    def _guardian(self, family: Family, relation: str, last: str | None, *, home: int) -> Guardian:
        female = relation in ("Mother", "Stepmother", "Grandmother") or (
            relation == "Guardian" and self._rng.random() < 0.5
        )
        culture = family.culture
        person = self.person(culture, "Female" if female else "Male", last or self._names.family(culture))
        person.household_id = family.homes[home].id
        person.roles = ["Grandparent" if relation.startswith("Grand") else "Parent"]
        person.prefix = self._rng.choice(("Mrs.", "Ms.", "Dr.") if female else ("Mr.", "Mr.", "Dr."))
        local = ascii_word(person.first)[:1] + ascii_word(person.last or "") or "family"
        if self._rng.random() < 0.93:
            person.email = f"{local}{self._rng.randrange(1000)}@{self._rng.choice(_PRIVATE_DOMAINS)}"
        guardian = Guardian(person, relation, heads_household=True)
        family.guardians.append(guardian)
        return guardian

    def _separate(self, family: Family, father: Guardian) -> None:
        """The father's home is elsewhere; custody is shared or not, and there may be somebody new."""
        father.resident = False
        if self._rng.random() < 0.3:
            father.custody, father.custody_status = False, "Sole - mother"
        else:
            for guardian in family.guardians:
                guardian.custody_status = self._rng.choice(("Joint", None))
        if self._rng.random() < 0.4:
            new = self._guardian(family, "Stepmother", family.last, home=1)
            new.resident = new.custody = new.heads_household = False
            new.spouse, father.spouse = father.person, new.person


def _birthday(rng: random.Random, grade: int, year_first: date) -> date:
    return year_first - timedelta(days=365 * (grade + 5) + rng.randrange(30, 395))


def _add_former(families: list[Family], maker: _Maker, setting: Setting, rng: random.Random) -> None:
    former = max(6, setting.students // 4)
    this_year = max(2, former // 10)
    siblings = former * 2 // 5
    chosen = some(rng, families, siblings / len(families), 1)
    for number in range(former):
        if number < len(chosen):
            family = chosen[number]
        else:
            family = maker.family()
            families.append(family)
        maker.add_former(family, this_year=number % (former // this_year) == 0)


def _blur(families: list[Family], setting: Setting, rng: random.Random) -> None:
    """What real records have: exit dates ahead, late entries, missing dates, shared e-mails, the dead."""
    year, today = setting.this_year, setting.today
    current = [pupil for family in families for pupil in family.pupils if pupil.left is None]
    for pupil in some(rng, current, 0.01, 2):
        pupil.exit_shown = today + timedelta(days=rng.randrange(5, 60))
    for pupil in some(rng, [p for p in current if not p.twin], 0.03, 2):
        pupil.entry = year.first + timedelta(days=rng.randrange(7, 80))
    for pupil in some(rng, current, 0.01, 1):
        pupil.status = "On Leave"
    gone = [pupil for family in families for pupil in family.pupils if pupil.left]
    for pupil in some(rng, gone, 0.05, 1):
        pupil.exit_shown = None
    _give_emails(current + gone, setting, rng)
    for family in some(rng, [f for f in families if len(f.guardians) > 1], 0.04, 2):
        family.guardians[1].person.email = family.guardians[0].person.email
    with_email = [f for f in families if f.guardians[0].person.email]
    for family in some(rng, with_email, 0.02, 1):
        family.pupils[0].person.email = family.guardians[0].person.email
    for family in some(rng, [f for f in families if len(f.guardians) > 1], 0.015, 1):
        family.guardians[1].deceased = True
        family.guardians[1].custody = False


def _give_emails(pupils: list[Pupil], setting: Setting, rng: random.Random) -> None:
    taken: set[str] = set()
    for pupil in pupils:
        person = pupil.person
        base = ascii_word(person.first)[:1] + ascii_word(person.last or person.preferred or "")
        username = base if len(base) > 2 and base not in taken else f"{base}{person.id % 10_000}"
        taken.add(username)
        person.username = username
        chance = rng.random()
        if chance < 0.9:
            person.email = f"{username}@{setting.route}.example.edu"
        elif chance < 0.95:
            person.email = f"{username}.{rng.randrange(100)}@{rng.choice(_PRIVATE_DOMAINS)}"
