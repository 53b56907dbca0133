"""Veracross's endpoints as data: paths, scopes, fields and filters come from the contract file.

The contract file (``vx_pipeline/contracts/veracross_v3.json``) was taken from Veracross's public Data API v3
reference. What stands here is only what that reference cannot know: our table names, which token serves which
endpoint, and which fields the pipeline rests on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from vx_pipeline.schema import Collection, Field, Kind


class Area(StrEnum):
    """An area of data with a token of its own.

    Veracross advises one token for each area, with few scopes each. The rate limit counts per token, and of
    one application's tokens only ten live at a time.
    """

    PEOPLE = "people"
    BOARDING = "boarding"
    ACADEMICS = "academics"
    ATHLETICS = "athletics"
    ATTENDANCE = "attendance"
    ATTENDANCE_WRITE = "attendance_write"


@dataclass(frozen=True)
class Endpoint:
    """A list of records that can be read.

    Args:
        operation: its name in the contract file.
        path: below ``/v3``, with the parameter of a fan-out endpoint in braces.
        scope: what the school must grant.
        area: whose token and rate budget it uses.
        collection: its records; the table is named in here.
        query: the filters that the contract lists.
        path_param: name of the path parameter of an endpoint that is read once for each parent record.
        parent_field: the field of a record that repeats the parent's id.
    """

    operation: str
    path: str
    scope: str
    area: Area
    collection: Collection
    query: frozenset[str]
    path_param: str | None = None
    parent_field: str | None = None


@dataclass(frozen=True)
class WriteEndpoint:
    """A record that can be changed with PATCH.

    Args:
        operation: its name in the contract file.
        path: below ``/v3``, with its parameters in braces.
        scope: what the school must grant.
        area: whose token and rate budget it uses.
        writable: the fields that the contract does not mark as read-only.
    """

    operation: str
    path: str
    scope: str
    area: Area
    writable: frozenset[str]


@dataclass(frozen=True)
class _Table:
    """What we add to an operation of the contract."""

    operation: str
    area: Area
    used: str
    parent_field: str | None = None


_TABLES = {
    "students": _Table(
        "list_students",
        Area.PEOPLE,
        "id first_name last_name preferred_name email_1 grade_level household_id entry_date exit_date roles"
        " enrollment_status",
    ),
    "staff_faculty": _Table(
        "list_staff_faculty", Area.PEOPLE, "id first_name last_name email_1 date_terminated roles"
    ),
    "parents": _Table("list_parents", Area.PEOPLE, "id first_name last_name email_1"),
    "households": _Table(
        "list_households",
        Area.PEOPLE,
        "id address_line_1 address_line_2 address_line_3 city state_or_province zip country",
    ),
    "relationships": _Table(
        "list_relationships",
        Area.PEOPLE,
        "id person_id related_person_id relationship resident legal_custody emergency pick_up"
        " parent_portal_access",
    ),
    "contact_info": _Table("list_contact_info", Area.PEOPLE, "id mobile_phone home_phone"),
    "dorms": _Table(
        "list_boarding_dorms", Area.BOARDING, "id description status school_year begin_date end_date"
    ),
    "dorm_students": _Table(
        "list_boarding_dorm_students",
        Area.BOARDING,
        "id student_id dorm_id room_number bed_number currently_enrolled late_date_enrolled date_withdrawn",
        parent_field="dorm_id",
    ),
    "classes": _Table("list_classes", Area.ACADEMICS, "id description status school_year"),
    "enrollments": _Table(
        "list_academics_enrollments",
        Area.ACADEMICS,
        "id internal_class_id person_id currently_enrolled late_date_enrolled date_withdrawn",
    ),
    "meeting_times": _Table(
        "list_academics_class_meeting_times",
        Area.ACADEMICS,
        "id internal_class_id date start_time end_time block.id",
        parent_field="internal_class_id",
    ),
    "athletics_rosters": _Table(
        "list_athletics_rosters",
        Area.ATHLETICS,
        "id internal_class_id person_id currently_enrolled late_date_enrolled date_withdrawn",
    ),
    "class_attendance": _Table(
        "list_class_attendance",
        Area.ATTENDANCE,
        "id internal_class_id student_id attendance_date block.id status notes",
        parent_field="internal_class_id",
    ),
}

_CODES_BY_MEANING = frozenset({"campus_id"})
"""Codes that no endpoint lists among its value lists, though another spelling (``campus.id``) is one."""


def _load() -> Mapping[str, Mapping[str, Any]]:
    text = (files("vx_pipeline") / "contracts" / "veracross_v3.json").read_text(encoding="utf-8")
    operations: Mapping[str, Mapping[str, Any]] = json.loads(text)["endpoints"]
    return operations


def _leaves(
    record: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The fields of a record with their paths; a nested object has no ``type`` of its own."""
    for name, described in record.items():
        if isinstance(described.get("type"), str):
            yield (*above, name), described
        else:
            yield from _leaves(described, (*above, name))


def _kind(path: tuple[str, ...], described: Mapping[str, Any], codes: frozenset[str]) -> Kind:
    # What is a code anywhere is a code everywhere: only class meetings list a value list for block.id, and
    # they are joined by it with attendance rows.
    if ".".join(path) in codes:
        return Kind.CODE
    if described["type"] == "number":
        return Kind.ID if path[-1] == "id" or path[-1].endswith("_id") else Kind.NUMBER
    if described["type"] == "boolean":
        return Kind.FLAG
    formats = {"date": Kind.DATE, "date-time": Kind.TIMESTAMP}
    return formats.get(described.get("format", ""), Kind.TEXT)


def _endpoint(name: str, table: _Table, described: Mapping[str, Any], codes: frozenset[str]) -> Endpoint:
    used = set(table.used.split())
    fields = tuple(
        Field(path, _kind(path, field, codes), used=".".join(path) in used)
        for path, field in _leaves(described["record"])
    )
    return Endpoint(
        operation=table.operation,
        path=described["path"],
        scope=described["scope"],
        area=table.area,
        collection=Collection("veracross", name, fields),
        query=frozenset(described["query"]),
        path_param=next(iter(described.get("path_params", {})), None),
        parent_field=table.parent_field,
    )


def _endpoints(operations: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Endpoint]:
    listed = (described.get("value_list_fields", ()) for described in operations.values())
    codes = _CODES_BY_MEANING.union(*listed)
    return MappingProxyType(
        {name: _endpoint(name, table, operations[table.operation], codes) for name, table in _TABLES.items()}
    )


def _attendance_update(described: Mapping[str, Any]) -> WriteEndpoint:
    return WriteEndpoint(
        operation="update_class_attendance",
        path=described["path"],
        scope=described["scope"],
        area=Area.ATTENDANCE_WRITE,
        writable=frozenset(
            path[0] for path, field in _leaves(described["request_data"]) if not field.get("read_only")
        ),
    )


_OPERATIONS = _load()

ENDPOINTS: Mapping[str, Endpoint] = _endpoints(_OPERATIONS)
"""Every list we read, by table name."""

UPDATE_CLASS_ATTENDANCE = _attendance_update(_OPERATIONS["update_class_attendance"])
"""The only thing that is ever written to Veracross."""


def scopes(area: Area) -> tuple[str, ...]:
    """The scopes of an area's token, sorted."""
    all_endpoints: tuple[Endpoint | WriteEndpoint, ...] = (*ENDPOINTS.values(), UPDATE_CLASS_ATTENDANCE)
    return tuple(sorted({endpoint.scope for endpoint in all_endpoints if endpoint.area is area}))
