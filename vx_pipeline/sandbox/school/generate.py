"""Puts the school together: every part in the order in which one rests on another."""

import random
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from vx_pipeline.sandbox.school import (
    academics,
    athletics,
    attendance,
    boarding,
    families,
    leaves,
    movements,
    orah_people,
    orah_places,
    people,
    rolls,
    staff,
)
from vx_pipeline.sandbox.school.model import Community, Record, School
from vx_pipeline.sandbox.school.names import NameSource
from vx_pipeline.sandbox.school.setting import Ids, Setting, school_years
from vx_pipeline.sandbox.school.value_lists import Catalog

_MEETING_DAYS = timedelta(days=21)


def generate(
    *,
    students: int = 420,
    seed: int = 7,
    today: date,
    route: str = "sandbox",
    timezone: str = "America/New_York",
    attendance_days: int = 10,
) -> School:
    """A school of invented people in both systems; the same arguments give an equal school.

    Args:
        students: how many current students; 20 or more.
        seed: decides everything that is left to chance.
        today: the school's today, which lies in term whatever the date.
        route: the school route; also names the school's mail domain, ``<route>.example.edu``.
        timezone: IANA name of the school's time zone.
        attendance_days: school days of class attendance, up to and including today. About five rows for each
            student and day.

    Raises:
        ValueError: too small a school to hold everything that real ones do.
    """
    if students < 20:
        raise ValueError(f"a school needs at least 20 students to be one, not {students}")
    setting = _setting(students, seed, today, route, timezone, attendance_days)
    names = NameSource(seed)
    homes = families.build(setting, names)
    current = [pupil for family in homes for pupil in family.pupils if pupil.left is None]
    plans = academics.plan(current)
    community = Community(homes, staff.build(setting, names, homes, academics.teachers_needed(plans)), names)
    beds = boarding.build(setting, community)
    places = orah_places.build(setting, beds)
    tenant = orah_people.build(setting, community, beds, places)
    absences = movements.plan_absences(setting, tenant)
    veracross = people.records(setting, community)
    veracross |= {
        "list_boarding_dorms": boarding.dorm_records(setting, beds),
        "list_boarding_dorm_students": boarding.dorm_student_records(beds),
    }
    veracross |= _school_work(setting, community, plans, absences)
    moves = movements.location_records(setting, tenant, places, beds, absences)
    leave_types = orah_places.leave_types(setting)
    given = leaves.build(setting, tenant, places, leave_types, absences, moves)
    marks = veracross["list_class_attendance"]
    return School(
        route=route,
        timezone=timezone,
        today=today,
        veracross=veracross,
        value_lists={operation: setting.catalog.blocks(operation) for operation in veracross},
        orah={
            "student": [entry.record for entry in tenant.entries],
            "house": places.houses,
            "location": places.locations,
            "location_record": moves,
            "contact": orah_people.contacts(setting, community, tenant),
            "leave_type": leave_types,
            "leave": given.records,
            "roll": rolls.house_rolls(setting, tenant, places)
            + rolls.class_rolls(setting, tenant, marks, absences, given),
        },
        truth=tenant.truth,
    )


def describe(school: School) -> dict[str, int]:
    """How many records there are, by operation and by ``orah.<model>``, and how many students are current."""
    current = sum("Student" in row["roles"].split(", ") for row in school.veracross["list_students"])
    counts = {"students_current": current, "students_in_both": len(school.truth)}
    counts |= {operation: len(rows) for operation, rows in school.veracross.items()}
    return counts | {f"orah.{model}": len(rows) for model, rows in school.orah.items()}


def _setting(
    students: int, seed: int, today: date, route: str, timezone: str, attendance_days: int
) -> Setting:
    last_year, this_year, next_year = school_years(today)
    years = {year.code: year.label for year in (last_year, this_year, next_year)}
    catalog = Catalog(random.Random(f"{seed}:codes"), years, rooms=students // 18 + 8)
    return Setting(
        students=students,
        seed=seed,
        today=today,
        route=route,
        timezone=timezone,
        attendance_days=attendance_days,
        catalog=catalog,
        last_year=last_year,
        this_year=this_year,
        next_year=next_year,
        people=Ids(random.Random(f"{seed}:people"), 20_000),
        classes=Ids(random.Random(f"{seed}:classes"), 5_000),
        zone=ZoneInfo(timezone),
    )


def _school_work(
    setting: Setting,
    community: Community,
    plans: list[academics.Plan],
    absences: list[attendance.Absence],
) -> dict[str, list[Record]]:
    """Classes, memberships, meetings, teams and attendance."""
    teams, rosters = athletics.records(setting, community)
    class_rows: list[Record] = []
    enrollments: list[Record] = []
    ids = Ids(setting.rng("enrollment ids"), 100_000)
    for year in setting.years:
        made = academics.classes(setting, community, plans, year)
        academics.enroll(setting, academics.pupils_of(setting, community, year), made)
        class_rows += academics.class_records(setting, made)
        enrollments += academics.enrollment_records(setting, made, ids)
        if year is setting.this_year:
            in_session = made
    days = attendance.school_days(setting)
    first = min([setting.today - _MEETING_DAYS, *days])
    return {
        "list_classes": class_rows + teams,
        "list_academics_enrollments": enrollments,
        "list_academics_class_meeting_times": list(
            academics.meeting_time_records(setting, in_session, first, setting.today + _MEETING_DAYS)
        ),
        "list_athletics_rosters": rosters,
        "list_class_attendance": list(attendance.records(setting, in_session, absences)),
    }
