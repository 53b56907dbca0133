"""Every assumption about Orah that no public page confirms, in one place. The README lists them.

When a live tenant answers otherwise, this is the package to change; nothing else rests on these shapes.
"""

from vx_pipeline.orah.assumed.passes import Pass, leave_of, read_pass
from vx_pipeline.orah.assumed.records import (
    BOARDING,
    BOARDING_TYPES,
    DAY,
    DAY_TYPES,
    contacts_body,
    create_body,
    delete_body,
    every_student,
    get_body,
    is_contact,
    is_location_record,
    same_value,
    students_of,
    update_body,
)
from vx_pipeline.orah.assumed.rolls import RollResult, is_going_on, roll_results
from vx_pipeline.orah.assumed.values import is_whole_number, parse_moment

__all__ = [
    "BOARDING",
    "BOARDING_TYPES",
    "DAY",
    "DAY_TYPES",
    "Pass",
    "RollResult",
    "contacts_body",
    "create_body",
    "delete_body",
    "every_student",
    "get_body",
    "is_contact",
    "is_going_on",
    "is_location_record",
    "is_whole_number",
    "leave_of",
    "parse_moment",
    "read_pass",
    "roll_results",
    "same_value",
    "students_of",
    "update_body",
]
