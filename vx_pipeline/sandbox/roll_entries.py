"""What a roll says of one student.

Documented: the codes, that Late and Absent have a reason of one of three types, that Present has none, and the
three sources. The shape is assumed.
"""

from collections.abc import Mapping
from typing import Any

from vx_pipeline.sandbox.messages import Refusal
from vx_pipeline.sandbox.orah_bodies import whole_number
from vx_pipeline.sandbox.orah_tenant import Record, Tenant

STATUSES = ("Present", "Late", "Absent")
REASON_TYPES = ("Excused", "Unexcused", "Not Expected")
SOURCES = ("roll", "pass", "edit")

_USUAL_REASON = {"name": "Not seen", "type": "Unexcused"}


def read_entry(tenant: Tenant, given: Any, *, source: str) -> Record:
    """An entry from ``student_id``, ``status``, ``reason`` (Unexcused, but for Present) and ``source``.

    Raises:
        Refusal: 400 for what cannot stand there, 404 for a student who does not exist.
    """
    if not isinstance(given, Mapping) or set(given) - {"student_id", "status", "reason", "source"}:
        raise Refusal(400, "An entry is an object with student_id, status, reason, source.")
    student_id = whole_number(given.get("student_id"), "student_id")
    tenant.get("student", student_id)
    status, source = given.get("status"), given.get("source", source)
    if status not in STATUSES or source not in SOURCES:
        raise Refusal(400, "status is Present, Late or Absent, source is roll, pass or edit.")
    reason = given.get("reason", None if status == "Present" else _USUAL_REASON)
    if (reason is None) != (status == "Present") or not (reason is None or _is_reason(reason)):
        raise Refusal(400, "Late and Absent have a reason with name and type, Present has none.")
    return {
        "student": tenant.reference("student", student_id),
        "status": status,
        "reason": reason and dict(reason),
        "source": source,
    }


def _is_reason(reason: Any) -> bool:
    return (
        isinstance(reason, Mapping)
        and set(reason) == {"name", "type"}
        and isinstance(reason["name"], str)
        and reason["type"] in REASON_TYPES
    )
