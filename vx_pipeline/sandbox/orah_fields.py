"""What may be written to Orah's records: fields, types, references. Bodies of writes are assumed throughout.

Fields are those of the models that were seen; of contacts those of Orah's import file. Assumed: ``id``, ``model``
and the stamps cannot be written; a student needs a first name, a house its name, a contact its students; a
``student_type`` is one of four; a reference must name an existing record; ids of the SIS need not be unique; a
tenant may have text fields of its own on a student, here ``custom_1`` and ``custom_2``, which a record shows once
they were written.
"""

from collections.abc import Callable, Mapping
from typing import Any

from vx_pipeline.sandbox.messages import Refusal
from vx_pipeline.sandbox.orah_bodies import moment, reference, utc_milliseconds
from vx_pipeline.sandbox.orah_tenant import Tenant

Check = Callable[[Tenant, Any, str], Any]
"""Takes a value as written and its field's name, and returns it as held; raises ``Refusal``."""

CUSTOM = ("custom_1", "custom_2")
"""A student's fields that the tenant added (assumed)."""

STUDENT_TYPES = frozenset({"Boarding", "Day", "FlexiBoarding", "Remote"})


def _text(tenant: Tenant, value: Any, name: str) -> Any:
    if not isinstance(value, str | None):
        raise Refusal(400, f"{name} is text or null.")
    return value


def _name(tenant: Tenant, value: Any, name: str) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise Refusal(400, f"{name} is text that is not empty.")
    return value


def _flag(tenant: Tenant, value: Any, name: str) -> Any:
    if not isinstance(value, bool):
        raise Refusal(400, f"{name} is true or false.")
    return value


def _student_type(tenant: Tenant, value: Any, name: str) -> Any:
    if value not in STUDENT_TYPES:
        raise Refusal(400, f"{name} is one of {', '.join(sorted(STUDENT_TYPES))}.")
    return value


def _time(tenant: Tenant, value: Any, name: str) -> Any:
    return utc_milliseconds(moment(value))


def _reference(model: str) -> Check:
    def check(tenant: Tenant, value: Any, name: str) -> Any:
        record_id = reference(value, name)
        shown = tenant.reference(model, record_id)
        if shown is None:
            raise Refusal(400, f"{name} names a {model} that does not exist.")
        return shown

    return check


def _or_null(check: Check) -> Check:
    return lambda tenant, value, name: None if value is None else check(tenant, value, name)


def _students(tenant: Tenant, value: Any, name: str) -> Any:
    if not isinstance(value, list) or not value:
        raise Refusal(400, f"{name} is a list of students that is not empty.")
    return [_reference("student")(tenant, one, name)["id"] for one in value]


_FIELDS: dict[str, dict[str, Check]] = {
    "student": {
        **dict.fromkeys(("sis_id", "last_name", "alt_name", "email", "year_level"), _text),
        **dict.fromkeys(("room_number", "bed_number", *CUSTOM), _text),
        "first_name": _name,
        "house": _or_null(_reference("house")),
        "student_type": _student_type,
        **dict.fromkeys(("deactivated", "is_international"), _flag),
    },
    "house": {"name": _name, "sis_id": _text},
    "contact": {
        **dict.fromkeys(("title", "first_name", "last_name", "relationship", "email"), _text),
        **dict.fromkeys(("home_phone", "mobile_phone", "address"), _text),
        "students": _students,
    },
    "leave": {
        "student": _reference("student"),
        "leave_type": _reference("leave_type"),
        "location": _or_null(_reference("location")),
        "start_time": _time,
        "end_time": _time,
        "status": _name,
    },
}
_NEEDED = {
    "student": ("first_name",),
    "house": ("name",),
    "contact": ("students",),
    "leave": ("student", "leave_type", "start_time", "end_time"),
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "student": {"student_type": "Boarding", "deactivated": False, "is_international": False}
}

MODELS = frozenset(_FIELDS)


def read_fields(tenant: Tenant, model: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a write as the record will hold them.

    Raises:
        Refusal: 400 for an unknown field or a value that cannot stand there.
    """
    unknown = set(data) - set(_FIELDS[model])
    if unknown:
        raise Refusal(400, f"A {model} has no writable {', '.join(sorted(unknown))}.")
    fields = {name: _FIELDS[model][name](tenant, value, name) for name, value in data.items()}
    if "students" in fields:
        fields["_student_ids"] = fields.pop("students")
    return fields


def new_fields(tenant: Tenant, model: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new record, those that are not given included.

    Raises:
        Refusal: 400, also for what is missing.
    """
    missing = [name for name in _NEEDED[model] if name not in data]
    if missing:
        raise Refusal(400, f"A {model} needs {', '.join(missing)}.")
    given = read_fields(tenant, model, data)
    empty = {name: None for name in _FIELDS[model] if name not in ("students", *CUSTOM)}
    fields = {**empty, **_DEFAULTS.get(model, {}), **given}
    if model == "leave" and fields["status"] is None:
        fields["status"] = "Active" if moment(fields["start_time"]) <= tenant.now() else "Scheduled"
    return fields
