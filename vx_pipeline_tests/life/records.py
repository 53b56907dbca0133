"""Records of the little school in the shapes of both systems, whole down to the last empty field."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from vx_pipeline.sandbox.faults import Fault
from vx_pipeline.sandbox.school import School
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.setting import utc_milliseconds, utc_seconds
from vx_pipeline.sandbox.school.value_lists import contract

STUDENTS, PARENTS, STAFF = "list_students", "list_parents", "list_staff_faculty"
HOUSEHOLDS, RELATIONSHIPS, CONTACT_INFO = "list_households", "list_relationships", "list_contact_info"
DORMS, DORM_STUDENTS = "list_boarding_dorms", "list_boarding_dorm_students"
CLASSES, ENROLLMENTS, ROSTERS = "list_classes", "list_academics_enrollments", "list_athletics_rosters"

GUARDIAN_FLAGS = (
    *("emergency", "pick_up", "parent_portal_access", "profile_update_permission"),
    *("receive_general_correspondence", "receive_report_cards", "receive_invoices", "medical_notification"),
)
"""What a parent with custody may do and is told."""


@dataclass
class LittleSchool(School):
    """A school that goes on living.

    Args:
        last_id: the highest id that any Veracross record ever had; one count for all of them.
        unlisted: students whom the feed does not show though nobody changed anything about them, by id.
        broken: which feed is out of order, and how; ``feed_events`` keeps it.
    """

    last_id: int = 1000
    unlisted: dict[int, Record] = field(default_factory=dict)
    broken: list[tuple[str, Fault]] = field(default_factory=list)

    def new_id(self) -> int:
        """An id that no record has or had."""
        self.last_id += 1
        return self.last_id

    def new_orah_id(self, model: str) -> int:
        """An id that no record of the model has; ``hands.remove_contact`` sees to it that none had it."""
        return max((record["id"] for record in self.orah[model]), default=0) + 1

    def code(self, operation: str, name: str, label: str) -> int:
        """The school's code of a label in a field of an operation.

        Raises:
            KeyError: the field has no list, or the list no such label.
        """
        for block in self.value_lists[operation]:
            if name in block["fields"]:
                return {item["description"]: int(item["id"]) for item in block["items"]}[label]
        raise KeyError(name)

    def label(self, operation: str, name: str, code: int) -> str:
        """The label of a code, the other way about."""
        for block in self.value_lists[operation]:
            if name in block["fields"]:
                return {int(item["id"]): str(item["description"]) for item in block["items"]}[code]
        raise KeyError(name)

    def row(self, operation: str, record_id: int) -> Record:
        """A Veracross record as held, to be changed in place.

        Raises:
            KeyError: there is none.
        """
        for row in self.veracross[operation]:
            if row["id"] == record_id:
                return row
        raise KeyError(record_id)

    def add(self, operation: str, at: datetime, **given: Any) -> Record:
        """Puts in a new Veracross record; fields that are not given are null.

        Args:
            operation: its name in the contract.
            at: when somebody typed it in.
            given: fields, nested ones as dictionaries; the id where the person has one already.
        """
        known = contract()["endpoints"][operation]["record"]
        assert set(given) <= set(known), set(given) - set(known)
        record = {**_empty(known), "id": None, **given}
        if record["id"] is None:
            record["id"] = self.new_id()
        self.veracross[operation].append(record)
        stamp(record, at)
        return record

    def add_orah(self, model: str, at: datetime, **given: Any) -> Record:
        """Puts in a new record of Orah, as by hand; fields that are not given are those of an empty form."""
        moment = utc_milliseconds(at)
        record = {"model": model, "id": self.new_orah_id(model), **_FORMS[model], **given}
        if model in _STAMPED:
            record |= {"created_at": moment, "updated_at": moment}
        self.orah[model].append(record)
        return record

    @property
    def zone(self) -> ZoneInfo:
        """The school's time zone."""
        return ZoneInfo(self.timezone)


def stamp(record: Record, at: datetime) -> None:
    """Dates a change of a Veracross record, where records of its kind say when they were changed."""
    if "last_modified_date" in record:
        record["last_modified_date"] = utc_seconds(at)


def _empty(described: Record) -> Record:
    return {
        name: None if isinstance(field.get("type"), str) else _empty(field)
        for name, field in described.items()
    }


_STAMPED = ("student", "house", "contact")
_FORMS: dict[str, Record] = {
    "student": {
        **dict.fromkeys(("sis_id", "first_name", "last_name", "alt_name", "email", "year_level", "house")),
        **dict.fromkeys(("room_number", "bed_number")),
        "student_type": "Boarding",
        "deactivated": False,
        "is_international": False,
    },
    "house": {"name": None, "sis_id": None},
    "contact": {
        **dict.fromkeys(("title", "first_name", "last_name", "relationship", "email")),
        **dict.fromkeys(("home_phone", "mobile_phone", "address")),
        "_student_ids": [],
    },
    "location": {"type": "area", "state": "on_grounds", "_parent_id": None},
}
