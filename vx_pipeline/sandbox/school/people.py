"""Veracross records of people: students, staff, parents, households, relationships, contact info."""

import random
from collections.abc import Iterator

from vx_pipeline.sandbox.school.model import (
    Community,
    Family,
    Guardian,
    Home,
    Person,
    Pupil,
    Record,
    StaffMember,
)
from vx_pipeline.sandbox.school.setting import Ids, Setting, day, some
from vx_pipeline.sandbox.school.value_lists import COUNTRIES, GRADES

_NON_LATIN_ADDRESSES = frozenset({"zh_CN", "ko_KR", "ja_JP", "ar_AA"})
_HOUSES = ("Aquila", "Cygnus", "Lyra", "Orion")


def records(setting: Setting, community: Community) -> dict[str, list[Record]]:
    """The six collections of people, by operation."""
    return {
        "list_students": _students(setting, community),
        "list_staff_faculty": _staff(setting, community.staff),
        "list_parents": _parents(setting, community.families),
        "list_households": _households(setting, community),
        "list_relationships": list(_relationships(setting, community.families)),
        "list_contact_info": _contact_info(setting, community),
    }


def _students(setting: Setting, community: Community) -> list[Record]:
    rng = setting.rng("student records")
    teachers = [m.person for m in community.staff if m.subject and not m.terminated]
    rows = [_student(setting, rng, pupil, teachers) for pupil in community.pupils]
    for field, share in (("birthday", 0.01), ("gender", 0.01), ("grade_level", 0.005), ("advisor", 0.02)):
        for row in some(rng, rows, share, 1):
            row[field] = None
    for row in some(rng, rows, 0.003, 1):
        row["birthday"] = "1900-01-01"
    return rows


def _student(setting: Setting, rng: random.Random, pupil: Pupil, teachers: list[Person]) -> Record:
    person, code = pupil.person, setting.code
    homeroom_teacher = rng.choice(teachers) if pupil.left is None and rng.random() < 0.7 else None
    advisor = rng.choice(teachers) if pupil.left is None and rng.random() < 0.9 else None
    house = rng.randrange(len(_HOUSES)) if rng.random() < 0.6 else None
    return {
        "id": person.id,
        "first_name": person.first,
        "middle_name": person.middle,
        "last_name": person.last,
        "preferred_name": person.preferred,
        "household_id": person.household_id,
        "gender": code("gender", person.gender),
        "email_1": person.email,
        "grade_level": code("grade_level", GRADES[pupil.grade]),
        "school_level": code("school_level", _school_level(pupil.grade)),
        "graduation_year": setting.this_year.code + 1 + max(0, 12 - pupil.grade),
        "homeroom": code("homeroom", f"Advisory {rng.randrange(1, 13)}") if homeroom_teacher else None,
        "homeroom_teacher": _reference(homeroom_teacher),
        "advisor": _reference(advisor),
        "campus": {"description": "Main Campus", "id": code("campus", "Main Campus")},
        "username": person.username,
        "entry_date": day(pupil.entry),
        "exit_date": day(pupil.exit_shown),
        "birthday": day(pupil.birthday),
        "roles": ", ".join(person.roles),
        "last_modified_date": setting.modified(rng),
        "enrollment_status": code("enrollment_status", pupil.status),
        "house": {
            "id": None if house is None else house + 1,
            "name": None if house is None else _HOUSES[house],
        },
        "student_group": code("student_group", "International") if rng.random() < 0.1 else None,
        "locker_number": str(rng.randrange(1, 900)) if rng.random() < 0.5 else None,
    }


def _school_level(grade: int) -> str:
    return "Middle School" if grade == 8 else "Upper School"


def _reference(person: Person | None) -> Record:
    return {"name": person and person.full_name, "id": person and person.id}


def _staff(setting: Setting, staff: list[StaffMember]) -> list[Record]:
    rng, code = setting.rng("staff records"), setting.code
    return [
        {
            "id": member.person.id,
            "name_prefix": code("name_prefix", member.person.prefix),
            "name_suffix": code("name_suffix", "Ph.D.") if rng.random() < 0.03 else None,
            "first_name": member.person.first,
            "middle_name": member.person.middle,
            "last_name": member.person.last,
            "preferred_name": member.person.preferred,
            "household_id": member.person.household_id,
            "gender": code("gender", member.person.gender),
            "faculty_type": code("faculty_type", "Full-time") if member.subject else None,
            "department": code("department", member.department),
            "job_title": member.job_title if rng.random() < 0.95 else None,
            "employee_code": code("employee_code", "Regular"),
            "date_hired": day(member.hired),
            "date_terminated": day(member.terminated),
            "campus": code("campus", "Main Campus"),
            "roles": ", ".join(member.person.roles),
            "email_1": member.person.email,
            "username": member.person.username,
            "last_modified_date": setting.modified(rng),
            "school_levels": [code("school_level", "Upper School")],
        }
        for member in staff
    ]


def _parents(setting: Setting, families: list[Family]) -> list[Record]:
    rng, code = setting.rng("parent records"), setting.code
    return [
        {
            "id": guardian.person.id,
            "household_id": guardian.person.household_id,
            "head_of_household": guardian.heads_household,
            "name_prefix": code("name_prefix", guardian.person.prefix),
            "first_name": guardian.person.first,
            "first_nick_name": guardian.person.first[:3] if rng.random() < 0.08 else None,
            "preferred_name": guardian.person.preferred,
            "middle_name": guardian.person.middle,
            "last_name": guardian.person.last,
            "name_suffix": code("name_suffix", "Jr.") if rng.random() < 0.01 else None,
            "spouse": {
                "id": guardian.spouse and guardian.spouse.id,
                "name": _reference(guardian.spouse)["name"],
            },
            "gender": code("gender", guardian.person.gender),
            "roles": ", ".join(guardian.person.roles),
            "email_1": guardian.person.email,
            "username": guardian.person.username,
            "last_modified_date": setting.modified(rng),
        }
        for family in families
        for guardian in family.guardians
    ]


def _households(setting: Setting, community: Community) -> list[Record]:
    rng = setting.rng("households")
    return [
        _household(setting, rng, community, home) for family in community.families for home in family.homes
    ]


def _household(setting: Setting, rng: random.Random, community: Community, home: Home) -> Record:
    locale = home.culture.locale if home.abroad else "en_US"
    faker = community.names.faker("en_US" if locale in _NON_LATIN_ADDRESSES else locale)
    abroad = locale != "en_US"
    return {
        "id": home.id,
        "name": home.name,
        "address_line_1": faker.street_address(),
        "address_line_2": f"Apt. {rng.randrange(1, 40)}" if rng.random() < 0.15 else None,
        "address_line_3": None,
        "city": faker.city(),
        "state_or_province": None if abroad else faker.state_abbr(),
        "zip": faker.postcode() if rng.random() < 0.97 else None,
        "country": setting.code("country", COUNTRIES[locale]) if abroad or rng.random() < 0.7 else None,
        "phone": _phone(rng) if rng.random() < 0.6 else None,
        "last_modified_date": setting.modified(rng),
    }


def _phone(rng: random.Random) -> str:
    """A number from the ranges kept for fiction (555-01xx in North America, 7700 900xxx in Britain)."""
    area, line = rng.randrange(201, 990), rng.randrange(100, 200)
    return rng.choice(
        (f"({area}) 555-0{line}", f"+1 {area} 555 0{line}", f"{area}-555-0{line}", f"+44 7700 900{line}")
    )


def _relationships(setting: Setting, families: list[Family]) -> Iterator[Record]:
    """One row from each child to each grown-up of the family, and one from each child to each sibling.

    That `person_id` is the child, and the name the related person's, is our assumption; the contract says
    neither.
    """
    rng = setting.rng("relationships")
    ids = Ids(rng, 30_000)
    for family in families:
        for pupil in family.pupils:
            for guardian in family.guardians:
                yield _relationship(setting, rng, ids, pupil, guardian)
            for sibling in family.pupils:
                if sibling is not pupil:
                    kin = Guardian(sibling.person, "Sibling", custody=False)
                    yield _relationship(setting, rng, ids, pupil, kin)


def _relationship(setting: Setting, rng: random.Random, ids: Ids, pupil: Pupil, other: Guardian) -> Record:
    person, parental = other.person, other.custody
    step = other.relation.startswith("Step")
    return {
        "id": ids.next(),
        "person_id": pupil.id,
        "related_person_id": person.id,
        "first_name": person.first,
        "middle_name": person.middle,
        "last_name": person.last,
        "preferred_name": person.preferred,
        "relationship": setting.code("relationship", other.relation) if rng.random() < 0.995 else None,
        "resident": other.resident,
        "custody_status": other.custody_status,
        "legal_custody": parental if rng.random() < 0.98 else None,
        "emergency": (parental or step) and not other.deceased and rng.random() < 0.9,
        "pick_up": (parental or step) and not other.deceased,
        "parent_portal_access": parental and not other.deceased and rng.random() < 0.95,
        "profile_update_permission": parental and not other.deceased,
        "receive_general_correspondence": parental and not other.deceased,
        "receive_report_cards": parental and not other.deceased,
        "receive_invoices": parental and not other.deceased and rng.random() < 0.6,
        "receive_other": None,
        "medical_notification": parental and not other.deceased,
        "last_modified_date": setting.modified(rng),
        "related_person_is_deceased": other.deceased,
    }


def _contact_info(setting: Setting, community: Community) -> list[Record]:
    rng = setting.rng("contact info")
    everybody: dict[int, Person] = {}
    for family in community.families:
        everybody |= {guardian.person.id: guardian.person for guardian in family.guardians}
        everybody |= {pupil.id: pupil.person for pupil in family.pupils}
    everybody |= {member.person.id: member.person for member in community.staff}
    return [
        {
            "id": person.id,
            "name": person.full_name,
            "household_id": person.household_id,
            "email_1": person.email,
            "email_2": f"home{person.id}@example.net" if rng.random() < 0.1 else None,
            "home_phone": _phone(rng) if rng.random() < 0.4 else None,
            "mobile_phone": _phone(rng) if rng.random() < 0.75 else None,
            "business_phone": _phone(rng) if rng.random() < 0.15 else None,
            "last_modified_date": setting.modified(rng),
            "text_message_opt_in": rng.random() < 0.5,
        }
        for person in everybody.values()
    ]
