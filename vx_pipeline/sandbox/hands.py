"""What people of a school do by hand in either system. Nothing of it stands in the journal.

Tests that hold the sandbox use ``sandbox.hands``; others come by the control address, whose bodies these methods
take: a mapping of JSON values, times in ISO 8601 with an offset. What is wrong raises ``Refusal``.
"""

from collections.abc import Mapping
from typing import Any

from vx_pipeline.sandbox.messages import Refusal
from vx_pipeline.sandbox.orah_bodies import moment, utc_milliseconds, whole_number
from vx_pipeline.sandbox.orah_fields import new_fields, read_fields
from vx_pipeline.sandbox.orah_tenant import Record, Tenant
from vx_pipeline.sandbox.roll_entries import read_entry
from vx_pipeline.sandbox.rules import Rules
from vx_pipeline.sandbox.updates import AttendanceRows

Given = Mapping[str, Any]

_LEAVE_IDS = {"student_id": "student", "leave_type_id": "leave_type", "location_id": "location"}
_LEAVE_FIELDS = ("status", "start_time", "end_time")


class Hands:
    """Whoever works at the school.

    Args:
        rules: the running sandbox.
        tenant: Orah's records.
        rows: the attendance rows of Veracross.
    """

    def __init__(self, rules: Rules, tenant: Tenant, rows: AttendanceRows) -> None:
        self._rules = rules
        self._tenant = tenant
        self._rows = rows

    def move(self, given: Given) -> Record:
        """A student moves.

        ``student_id``, ``location_id`` (null for ``out``), ``record_time`` (now), ``type`` (``in`` or ``out``;
        ``in``), ``leave_id`` (of the pass behind it; none).
        """
        _only(given, "student_id", "location_id", "record_time", "type", "leave_id")
        student_id = whole_number(given.get("student_id"), "student_id")
        self._tenant.get("student", student_id)
        kind, location = given.get("type", "in"), self._location(given.get("location_id"))
        if kind not in ("in", "out") or (kind == "in" and location is None):
            raise Refusal(400, "type is in (with a location) or out.")
        fields = {
            "type": kind,
            "record_time": self._time(given.get("record_time")),
            "location": location,
            "student": self._tenant.reference("student", student_id),
        }
        return self._add("location_record", fields | self._leave_of(given))

    def change_move(self, record_id: int, given: Given) -> Record:
        """A movement is corrected: ``record_time``, ``location_id``, ``leave_id`` (null takes it off)."""
        _only(given, "record_time", "location_id", "leave_id")
        record = self._tenant.get("location_record", record_id)
        changes = self._leave_of(given)
        if "record_time" in given:
            changes["record_time"] = self._time(given["record_time"])
        if "location_id" in given:
            changes["location"] = self._location(given["location_id"])
            if record["type"] == "in" and changes["location"] is None:
                raise Refusal(400, "An in needs a location.")
        record.update(changes)
        if "leave_id" in given and given["leave_id"] is None:
            record.pop("leave", None)
        return self._tenant.serve_one(record)

    def delete_move(self, record_id: int) -> None:
        """A movement is deleted."""
        self._tenant.remove("location_record", self._tenant.get("location_record", record_id))

    def give_leave(self, given: Given) -> Record:
        """A pass is given.

        ``student_id``, ``leave_type_id``, ``start_time``, ``end_time``, ``status`` (``Active`` or ``Scheduled``, by
        its start), ``location_id`` (null).
        """
        _only(given, *_LEAVE_IDS, *_LEAVE_FIELDS)
        return self._add("leave", new_fields(self._tenant, "leave", _leave_data(given)))

    def change_leave(self, leave_id: int, given: Given) -> Record:
        """A pass is edited, ended or cancelled: ``status``, ``start_time``, ``end_time``, ``location_id``."""
        _only(given, "location_id", *_LEAVE_FIELDS)
        record = self._tenant.get("leave", leave_id)
        record.update(read_fields(self._tenant, "leave", _leave_data(given)))
        record["updated_at"] = utc_milliseconds(self._tenant.now())
        return self._tenant.serve_one(record)

    def delete_leave(self, leave_id: int) -> None:
        """A pass is deleted; the movements that it made go on naming it."""
        self._tenant.remove("leave", self._tenant.get("leave", leave_id))

    def take_roll(self, given: Given) -> Record:
        """A roll is taken.

        ``students``, each with ``student_id``, ``status``, ``reason`` (``{"name", "type"}``; some Unexcused one but
        for Present) and ``source`` (``roll``); ``type`` (``class`` or ``house``; ``class``), ``start_time`` (now),
        ``end_time`` (null), ``status`` (``Completed``), ``name``.
        """
        _only(given, "students", "type", "start_time", "end_time", "status", "name")
        listed, kind = given.get("students"), given.get("type", "class")
        if kind not in ("class", "house") or not isinstance(listed, list) or not listed:
            raise Refusal(400, "type is class or house, students is a list that is not empty.")
        texts = {"status": given.get("status", "Completed"), "name": given.get("name", "Roll")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise Refusal(400, "status and name are text.")
        entries = [read_entry(self._tenant, one, source="roll") for one in listed]
        end = given.get("end_time")
        fields = {
            "type": kind,
            **texts,
            "start_time": self._time(given.get("start_time")),
            "end_time": None if end is None else self._time(end),
            "students": entries,
        }
        return self._add("roll", fields)

    def change_roll(self, roll_id: int, given: Given) -> Record:
        """The entry of one student is edited: ``student_id``, ``status``, ``reason``, ``source`` (``edit``)."""
        roll = self._tenant.get("roll", roll_id)
        entry = read_entry(self._tenant, given, source="edit")
        for number, held in enumerate(roll["students"]):
            if held["student"]["id"] == entry["student"]["id"]:
                roll["students"][number] = entry
                return self._tenant.serve_one(roll)
        raise Refusal(404, "The student is not on this roll.")

    def mark(self, row_id: int, given: Given) -> Record:
        """A teacher edits an attendance row: ``status`` (a code), ``notes``."""
        _only(given, "status", "notes")
        row = self._rows.find(row_id)
        if row is None:
            raise Refusal(404, "There is no such attendance row.")
        self._rows.change(row, self._rows.read_changes(given))
        return row

    def cancel_class(self, given: Given) -> Record:
        """A class does not meet on a day: ``internal_class_id``, ``date``.

        Its meeting times and its attendance rows of that day vanish; the answer says how many of each.
        """
        _only(given, "internal_class_id", "date")
        class_id = whole_number(given.get("internal_class_id"), "internal_class_id")
        veracross, gone = self._rules.school.veracross, {}
        for name, operation, field in (
            ("meetings", "list_academics_class_meeting_times", "date"),
            ("rows", "list_class_attendance", "attendance_date"),
        ):
            held = veracross[operation]
            left = [
                row for row in held if (row["internal_class_id"], row[field]) != (class_id, given.get("date"))
            ]
            gone[name] = len(held) - len(left)
            held[:] = left
        if not any(gone.values()):
            raise Refusal(404, "The class does not meet on this day.")
        return gone

    def _add(self, model: str, fields: Given) -> Record:
        record = self._tenant.new_record(model, fields)
        self._tenant.all(model).append(record)
        return self._tenant.serve_one(record)

    def _time(self, value: Any) -> str:
        return utc_milliseconds(self._tenant.now() if value is None else moment(value))

    def _location(self, location_id: Any) -> Record | None:
        if location_id is None:
            return None
        self._tenant.get("location", whole_number(location_id, "location_id"))
        return self._tenant.reference("location", location_id)

    def _leave_of(self, given: Given) -> Record:
        if given.get("leave_id") is None:
            return {}
        leave_id = whole_number(given["leave_id"], "leave_id")
        return {"leave": {"id": self._tenant.get("leave", leave_id)["id"]}}


def _only(given: Given, *allowed: str) -> None:
    if set(given) - set(allowed):
        raise Refusal(400, f"The body is an object with {', '.join(allowed)}.")


def _leave_data(given: Given) -> Record:
    """A body as the fields of a leave, which name other records by references."""
    data = {name: given[name] for name in _LEAVE_FIELDS if name in given}
    for name, field in _LEAVE_IDS.items():
        if name in given:
            data[field] = None if given[name] is None else {"id": given[name]}
    return data
