"""Staff and faculty: enough teachers for the timetable, and the others who keep a boarding school going."""

from datetime import timedelta

from vx_pipeline.sandbox.school.model import Family, Person, StaffMember
from vx_pipeline.sandbox.school.names import NameSource, ascii_word
from vx_pipeline.sandbox.school.setting import Setting, some

_OTHER_JOBS = (
    ("Dorm Parent", "Residential Life"),
    ("Director of Residential Life", "Residential Life"),
    ("Head Coach", "Athletics"),
    ("School Nurse", "Health Center"),
    ("Registrar", "Administration"),
    ("Dean of Students", "Administration"),
)


def build(
    setting: Setting, names: NameSource, families: list[Family], teachers: dict[str, int]
) -> list[StaffMember]:
    """The staff: `teachers` of each subject, and about one other person for every fourteen students.

    Some are also parents, and where there are any, a former student and a current one work for the school
    too; all of them keep the one person id they have.
    """
    rng = setting.rng("staff")
    jobs: list[tuple[str, str, str | None]] = [
        (f"{subject} Teacher", subject, subject) for subject, count in teachers.items() for _ in range(count)
    ]
    others = max(len(_OTHER_JOBS), setting.students // 14)
    jobs += [(*_OTHER_JOBS[number % len(_OTHER_JOBS)], None) for number in range(others)]
    known = _known_people(families, setting, len(jobs))
    rng.shuffle(jobs)
    staff = []
    for number, (title, department, subject) in enumerate(jobs):
        person = (
            known[number]
            if number < len(known)
            else _new_person(setting, names, rng.choice(("Female", "Male")))
        )
        person.roles = [*person.roles, "Faculty" if subject else "Staff"]
        hired = setting.this_year.first - timedelta(days=rng.randrange(0, 9000))
        staff.append(StaffMember(person, title, department, subject, hired))
    for member in staff:
        _give_work_email(member, setting)
    for member in some(rng, [m for m in staff if not m.subject], 0.06, 1):
        member.terminated = setting.this_year.first - timedelta(days=rng.randrange(30, 300))
    for member in some(rng, [m for m in staff if len(m.person.roles) == 1], 0.03, 1):
        member.person.email = None
    return staff


def _known_people(families: list[Family], setting: Setting, jobs: int) -> list[Person]:
    rng = setting.rng("staff who are family")
    homes = [f for f in families if not any(home.abroad for home in f.homes) and f.guardians[0].person.email]
    parents = [family.guardians[0].person for family in some(rng, homes, 0.1 * jobs / max(1, len(homes)), 2)]
    pupils = [pupil for family in families for pupil in family.pupils]
    graduates = [pupil.person for pupil in pupils if pupil.left and pupil.left < setting.last_year.first]
    working = [pupil.person for pupil in pupils if pupil.left is None and pupil.grade >= 12]
    return [*parents, *some(rng, graduates, 0.02, 1), *some(rng, working, 0.001, 1)]


def _new_person(setting: Setting, names: NameSource, gender: str) -> Person:
    culture = names.culture()
    person = Person(
        setting.people.next(),
        names.given(culture, gender),
        None,
        names.family(culture),
        None,
        gender,
        culture,
    )
    person.prefix = "Ms." if gender == "Female" else "Mr."
    return person


def _give_work_email(member: StaffMember, setting: Setting) -> None:
    person = member.person
    if "Student" in person.roles:
        return
    local = ".".join(word for word in (ascii_word(person.first), ascii_word(person.last or "")) if word)
    person.username = f"{local or 'staff'}{person.id % 1000}"
    person.email = f"{person.username}@{setting.route}.example.edu"
