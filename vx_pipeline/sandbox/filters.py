"""The query parameters of Veracross's lists: which rows they let through.

The names and types are the contract's. What they compare is mostly plain from the name. Assumed, because nothing
public says it:

* Dates may be given as a date or as a moment (without an offset: UTC); the bounds are included; a date as upper
  bound of a moment includes that day; a row without the value never passes.
* ``role`` is a code of the value list and means: has this role, whatever other roles there are. For ``/parents``,
  where the parameter is text and there is no value list, it is the role's label.
* Deceased people are left out of ``/parents`` unless ``include_deceased=true``.
* ``school_year``, ``course_type`` and ``subject`` of rows that do not have them are those of their class or dorm.
* ``sport`` is the last word or words of the team's description.
* An empty value, a value of another type, or a parameter given twice is refused.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any

from starlette.datastructures import QueryParams

from vx_pipeline.sandbox.contract import leaves
from vx_pipeline.sandbox.messages import Refusal
from vx_pipeline.sandbox.school import School

Record = dict[str, Any]
Values = Callable[[Record], Collection[Any]]
"""The values of a row that a parameter is compared with; one equal value is enough."""
Passes = Callable[[Record], bool]

_PATHS = {
    "homeroom_teacher_id": "homeroom_teacher.id",
    "advisor_id": "advisor.id",
    "campus_id": "campus.id",
    "course_type": "course.course_type",
    "room_id": "room.id",
    "internal_course_id": "course.id",
    "primary_teacher_id": "primary_teacher.id",
    "block_id": "block.id",
    "block_description": "block.description",
    "grading_period_id": "grading_period.id",
}
"""Where a parameter's value stands, if it is not the record's field of the same name."""

_BOUND = re.compile(r"on_or_(before|after)_(.+)")


def compile_filters(
    operation: str, described: Mapping[str, Any], query: QueryParams, school: School
) -> list[Passes]:
    """What each query parameter lets through.

    Raises:
        Refusal: 400 for an unknown parameter or a value that cannot be read.
    """
    filters = []
    for name, text in query.multi_items():
        if name not in described["query"]:
            raise Refusal(400, f"The parameter {name} is unknown.")
        if len(query.getlist(name)) > 1:
            raise Refusal(400, f"The parameter {name} stands there twice.")
        if bound := _BOUND.fullmatch(name):
            filters.append(_date_bound(bound[1], bound[2], text))
        elif name != "include_deceased":
            wanted = _wanted(name, described["query"][name], text)
            filters.append(_equals(_values(operation, described, name, school), wanted))
    if "include_deceased" in described["query"]:
        include = "include_deceased" in query and _wanted("", "boolean", query["include_deceased"])
        if not include:
            filters.append(_is_alive(school))
    return filters


def _wanted(name: str, kind: str, text: str) -> Any:
    if kind == "number" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    if kind == "string" and text:
        if name.endswith("date"):
            _moment(text)
        return text
    raise Refusal(400, f"The value of {name or 'include_deceased'} is not a {kind}.")


def _equals(values: Values, wanted: Any) -> Passes:
    return lambda row: wanted in values(row)


def _date_bound(side: str, path: str, text: str) -> Passes:
    bound = _moment(text)

    def passes(row: Record) -> bool:
        value = _get(row, path)
        if value is None:
            return False
        at = _moment(value)
        if isinstance(at, datetime) and isinstance(bound, datetime):
            return at <= bound if side == "before" else at >= bound
        day, limit = _day(at), _day(bound)
        return day <= limit if side == "before" else day >= limit

    return passes


def _moment(text: str) -> date | datetime:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "A date is not one.") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(at: date | datetime) -> date:
    return at.date() if isinstance(at, datetime) else at


def _get(row: Record, path: str) -> Any:
    value: Any = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _values(operation: str, described: Mapping[str, Any], name: str, school: School) -> Values:
    if special := _SPECIAL.get((operation, name)):
        return special(school)
    known = dict(leaves(described["record"]))
    path = name if name in known else _PATHS[name]
    return lambda row: (_get(row, path),)


def _roles_of(row: Record) -> list[str]:
    return [role for role in (row.get("roles") or "").split(", ") if role]


def _role_codes(school: School) -> dict[str, int]:
    """Codes by label. The lists of all operations are the same list."""
    blocks = school.value_lists["list_students"]
    items = (item for block in blocks if "role" in block["fields"] for item in block["items"])
    return {item["description"]: int(item["id"]) for item in items}


def _own_roles(school: School) -> Values:
    codes = _role_codes(school)
    return lambda row: [codes[role] for role in _roles_of(row) if role in codes]


def _own_role_labels(school: School) -> Values:
    return _roles_of


def _roles_of_person(field: str) -> Callable[[School], Values]:
    def made(school: School) -> Values:
        codes, roles = _role_codes(school), dict[int, set[int]]()
        for operation in ("list_students", "list_staff_faculty", "list_parents"):
            for row in school.veracross[operation]:
                found = {codes[role] for role in _roles_of(row) if role in codes}
                roles.setdefault(row["id"], set()).update(found)
        return lambda row: roles.get(row[field], ())

    return made


def _of_parent(operation: str, reference: str, path: str) -> Callable[[School], Values]:
    """A value of the class or dorm that a row belongs to."""

    def made(school: School) -> Values:
        found = {row["id"]: _get(row, path) for row in school.veracross[operation]}
        return lambda row: (found.get(row[reference]),)

    return made


def _sport(school: School) -> Values:
    blocks = school.value_lists["list_athletics_rosters"]
    sports = [item for block in blocks if "sport" in block["fields"] for item in block["items"]]
    names = {row["id"]: row["description"] or "" for row in school.veracross["list_classes"]}

    def of(row: Record) -> list[int]:
        name = names.get(row["internal_class_id"], "")
        return [int(sport["id"]) for sport in sports if name.endswith(sport["description"])]

    return of


def _school_levels(school: School) -> Values:
    return lambda row: row.get("school_levels") or ()


def _is_alive(school: School) -> Passes:
    deceased = {
        row["related_person_id"]
        for row in school.veracross["list_relationships"]
        if row.get("related_person_is_deceased")
    }
    return lambda row: row["id"] not in deceased


_CLASS = ("list_classes", "internal_class_id")
_SPECIAL: dict[tuple[str, str], Callable[[School], Values]] = {
    ("list_students", "role"): _own_roles,
    ("list_staff_faculty", "role"): _own_roles,
    ("list_staff_faculty", "school_level"): _school_levels,
    ("list_parents", "role"): _own_role_labels,
    ("list_relationships", "role"): _roles_of_person("person_id"),
    ("list_relationships", "related_person_role"): _roles_of_person("related_person_id"),
    ("list_contact_info", "role"): _roles_of_person("id"),
    ("list_boarding_dorm_students", "school_year"): _of_parent(
        "list_boarding_dorms", "dorm_id", "school_year"
    ),
    ("list_academics_enrollments", "school_year"): _of_parent(*_CLASS, "school_year"),
    ("list_academics_enrollments", "course_type"): _of_parent(*_CLASS, "course.course_type"),
    ("list_academics_enrollments", "subject"): _of_parent(*_CLASS, "subject.id"),
    ("list_athletics_rosters", "school_year"): _of_parent(*_CLASS, "school_year"),
    ("list_athletics_rosters", "sport"): _sport,
}
