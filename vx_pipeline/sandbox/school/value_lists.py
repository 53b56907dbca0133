"""The school's value lists: which codes it gave to which labels, and the blocks that explain them.

Codes differ from school to school (here: from seed to seed), and item ids are strings in some lists and
numbers in others, while records always carry numbers. Only the school year's code is its calendar year. All
labels are ours, in the words that schools use.
"""

import json
import random
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

SUBJECTS = (
    "English",
    "Mathematics",
    "Science",
    "History",
    "World Languages",
    "Visual Arts",
    "Computer Science",
)
BLOCKS = ("A", "B", "C", "D", "E", "F", "G")
SPORTS = ("Soccer", "Rowing", "Volleyball", "Cross Country", "Basketball", "Squash", "Swimming", "Ice Hockey")
COUNTRIES = {
    "en_US": "United States",
    "zh_CN": "China",
    "ko_KR": "South Korea",
    "es_MX": "Mexico",
    "en_IN": "India",
    "vi_VN": "Vietnam",
    "ja_JP": "Japan",
    "de_DE": "Germany",
    "fr_FR": "France",
    "ar_AA": "Saudi Arabia",
    "pl_PL": "Poland",
    "tr_TR": "Turkey",
    "nl_NL": "Netherlands",
    "pt_BR": "Brazil",
    "en_NG": "Nigeria",
    "ga_IE": "Ireland",
    "sv_SE": "Sweden",
    "cs_CZ": "Czech Republic",
    "zu_ZA": "South Africa",
    "id_ID": "Indonesia",
}
"""Countries by the Faker locale of the families who live there."""
GRADES = {
    8: "8th Grade",
    9: "9th Grade",
    10: "10th Grade",
    11: "11th Grade",
    12: "12th Grade",
    13: "Post-Graduate",
}
ABSENT_EXCUSED, ABSENT_UNEXCUSED = "Absent - Excused", "Absent - Unexcused"

_LABELS: dict[str, tuple[str, ...]] = {
    "gender": ("Female", "Male", "Non-binary"),
    "grade_level": ("7th Grade", *GRADES.values()),
    "school_level": ("Middle School", "Upper School"),
    "homeroom": tuple(f"Advisory {number}" for number in range(1, 13)),
    "campus": ("Main Campus", "Lakeside Campus"),
    "role": ("Student", "Former Student", "Alumni", "Parent", "Grandparent", "Guardian", "Faculty", "Staff"),
    "enrollment_status": ("Attending", "Withdrawn", "Graduated", "On Leave"),
    "student_group": ("Red", "Blue", "International", "Proctor"),
    "name_prefix": ("Mr.", "Mrs.", "Ms.", "Dr.", "Mx.", "Rev."),
    "name_suffix": ("Jr.", "Sr.", "III", "Ph.D."),
    "faculty_type": ("Full-time", "Part-time", "Substitute"),
    "department": (*SUBJECTS, "Residential Life", "Athletics", "Administration", "Health Center"),
    "employee_code": ("Regular", "Temporary", "Contractor"),
    "country": tuple(COUNTRIES.values()),
    "relationship": (
        *("Mother", "Father", "Stepmother", "Stepfather", "Guardian"),
        *("Grandmother", "Grandfather", "Grandparent", "Sibling", "Host Parent"),
    ),
    "class_status": ("Active", "Inactive", "Past", "Future"),
    "dorm_status": ("Active", "Inactive", "Past", "Future"),
    "course_type": ("Academic", "Athletics", "Activity"),
    "subject": (*SUBJECTS, "Athletics"),
    "class_level": ("Regular", "Honors", "AP"),
    "team_level": ("Varsity", "Junior Varsity", "Thirds"),
    "grading_period": ("Fall Term", "Winter Term", "Spring Term"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "block": tuple(f"Block {letter}" for letter in BLOCKS),
    "jersey_size": ("S", "M", "L", "XL"),
    "sport": SPORTS,
    "attendance_status": ("Present", "Late", ABSENT_EXCUSED, ABSENT_UNEXCUSED, "Dismissed", "Tardy (old)"),
}
_CATEGORIES = {
    "attendance_status": {
        "Present": ("Present",),
        "Late": ("Late", "Tardy (old)"),
        "Absent": (ABSENT_EXCUSED, ABSENT_UNEXCUSED, "Dismissed"),
    }
}
_OBSOLETE = {"Tardy (old)", "Substitute", "Thirds"}

_FIELD_LISTS = {
    "campus.id": "campus",
    "related_person_role": "role",
    "suffix": "name_suffix",
    "primary_grade_level": "grade_level",
    "grade_level_id": "grade_level",
    "course.course_type": "course_type",
    "subject.id": "subject",
    "department.id": "department",
    "grading_period.id": "grading_period",
    "day.id": "day",
    "block.id": "block",
    "room.id": "room",
}
_OPERATION_LISTS = {
    ("list_boarding_dorms", "status"): "dorm_status",
    ("list_classes", "status"): "class_status",
    ("list_class_attendance", "status"): "attendance_status",
    ("list_academics_enrollments", "level"): "class_level",
    ("list_athletics_rosters", "level"): "team_level",
}


@dataclass(frozen=True)
class ValueList:
    """Labels and codes of one list; `as_text` lists key their items by strings."""

    codes: dict[str, int]
    categories: dict[str, tuple[str, ...]]
    as_text: bool


class Catalog:
    """All value lists of one school.

    Args:
        rng: decides the codes.
        years: code and label of the school years.
        rooms: how many rooms the school has.
    """

    def __init__(self, rng: random.Random, years: dict[int, str], rooms: int) -> None:
        labels = _LABELS | {"room": tuple(f"Room {100 + number}" for number in range(1, rooms + 1))}
        self._lists: dict[str, ValueList] = {}
        for name, texts in labels.items():
            codes = rng.sample(range(1, 3 * len(texts) + 20), len(texts))
            as_text = rng.random() < 0.4
            self._lists[name] = ValueList(
                dict(zip(texts, codes, strict=True)), _CATEGORIES.get(name, {}), as_text
            )
        self._lists["school_year"] = ValueList({label: code for code, label in years.items()}, {}, False)

    def code(self, value_list: str, label: str) -> int:
        """The school's code for a label.

        Raises:
            KeyError: the school has no such list or label.
        """
        return self._lists[value_list].codes[label]

    def blocks(self, operation: str) -> list[dict[str, Any]]:
        """The ``value_lists`` of an operation: one block for each list, naming its fields."""
        fields: dict[str, list[str]] = {}
        for name in contract()["endpoints"][operation]["value_list_fields"]:
            value_list = _OPERATION_LISTS.get((operation, name)) or _FIELD_LISTS.get(name, name)
            fields.setdefault(value_list, []).append(name)
        return [{"fields": names, **self._content(value_list)} for value_list, names in fields.items()]

    def _content(self, name: str) -> dict[str, Any]:
        value_list = self._lists[name]
        items = []
        for position, (label, code) in enumerate(value_list.codes.items(), start=1):
            item: dict[str, Any] = {
                "id": str(code) if value_list.as_text else code,
                "description": label,
                "sort_key": position * 10,
            }
            for number, labels in enumerate(value_list.categories.values(), start=1):
                if label in labels:
                    item["category"] = number
            if label in _OBSOLETE:
                item["obsolete"] = True
            items.append(item)
        categories = [{"id": n, "description": text} for n, text in enumerate(value_list.categories, start=1)]
        return {"items": items, "categories": categories}


@cache
def contract() -> dict[str, Any]:
    """The contract file, which is data to the sandbox as it is to the pipeline."""
    text = files("vx_pipeline").joinpath("contracts/veracross_v3.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
