"""Teams, which Veracross keeps as classes, and their rosters."""

import random
from datetime import timedelta

from vx_pipeline.sandbox.school.model import Community, Pupil, Record
from vx_pipeline.sandbox.school.setting import Ids, SchoolYear, Setting, day, some
from vx_pipeline.sandbox.school.value_lists import GRADES, SPORTS

_PUPILS_PER_TEAM = 45
_SQUAD = 16


def records(setting: Setting, community: Community) -> tuple[list[Record], list[Record]]:
    """Team classes (for ``/classes``; they have no academic meeting times) and ``/athletics/rosters``."""
    rng = setting.rng("athletics")
    ids = Ids(rng, 70_000)
    coaches = [m.person for m in community.staff if m.department == "Athletics"] or [
        community.staff[0].person
    ]
    teams: list[Record] = []
    rosters: list[Record] = []
    for year in (setting.last_year, setting.this_year):
        players = [
            p
            for p in community.pupils
            if p.here_on(year.last if year is setting.last_year else setting.today)
        ]
        for number in range(max(3, setting.students // _PUPILS_PER_TEAM)):
            sport = SPORTS[number % len(SPORTS)]
            level = ("Varsity", "Junior Varsity", "Thirds")[number // len(SPORTS) % 3]
            coach = rng.choice(coaches)
            team = _team(setting, rng, year, f"{level} {sport}")
            team["primary_teacher"] = {"id": coach.id, "name": coach.full_name}
            teams.append(team)
            for pupil in rng.sample(players, min(_SQUAD, len(players))):
                rosters.append(
                    _place(setting, rng, ids, team, pupil, level, current=year is setting.this_year)
                )
    for row in some(rng, [row for row in rosters if row["currently_enrolled"]], 0.03, 1):
        row["currently_enrolled"] = False
        row["date_withdrawn"] = day(setting.today - timedelta(days=rng.randrange(1, 40)))
    return teams, rosters


def _team(setting: Setting, rng: random.Random, year: SchoolYear, name: str) -> Record:
    code = setting.code
    class_id = setting.classes.next()
    return {
        "id": class_id,
        "class_id": f"TEAM-{class_id}",
        "description": name,
        "status": code("class_status", year.status),
        "school_year": code("school_year", year.label),
        "campus_id": code("campus", "Main Campus"),
        "campus_description": "Main Campus",
        "primary_grade_level": None,
        "school_level": code("school_level", "Upper School"),
        "course": {
            "id": 90_000,
            "course_id": "ATH",
            "name": name,
            "course_type": code("course_type", "Athletics"),
        },
        "primary_teacher": {"id": None, "name": None},
        "room": {"id": None, "abbreviation": None, "description": None},
        "subject": {"id": code("subject", "Athletics"), "description": "Athletics"},
        "department": {"id": code("department", "Athletics"), "description": "Athletics"},
        "virtual_meeting_url": None,
        "last_modified_date": setting.modified(rng),
        "internal_group_id": class_id + 500_000,
        "track_class_attendance": rng.choice((False, False, None)),
        "lms_sync_enabled": False,
    }


def _place(
    setting: Setting, rng: random.Random, ids: Ids, team: Record, pupil: Pupil, level: str, *, current: bool
) -> Record:
    return {
        "id": ids.next(),
        "internal_class_id": team["id"],
        "person_id": pupil.id,
        "first_name": pupil.person.preferred or pupil.person.first,
        "last_name": pupil.person.last,
        "suffix": None,
        "grade_level_id": setting.code("grade_level", GRADES[pupil.grade]),
        "currently_enrolled": current,
        "late_date_enrolled": None,
        "date_withdrawn": None,
        "level": setting.code("team_level", level),
        "jersey_size": setting.code("jersey_size", rng.choice(("S", "M", "L", "XL")))
        if rng.random() < 0.8
        else None,
        "jersey_number": str(rng.randrange(1, 100)) if rng.random() < 0.8 else None,
        "position": None,
        "height": None,
        "weight": None,
        "captain": rng.random() < 0.08,
        "lettered": rng.random() < 0.2,
        "exclude_from_transcript": False,
        "notes": None,
    }
