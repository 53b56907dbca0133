"""Changes of class attendance rows: what may be changed, and changing it. Clients and teachers both do it here."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from vx_pipeline.sandbox.contract import is_leaf, operations
from vx_pipeline.sandbox.messages import Refusal
from vx_pipeline.sandbox.rules import Rules

Record = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {"number": (int, float), "string": (str,), "boolean": (bool,)}


class AttendanceRows:
    """The attendance rows of a school.

    Args:
        rules: the running sandbox.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def find(self, row_id: int) -> Record | None:
        """The row with this id."""
        return next(
            (row for row in self._rules.school.veracross["list_class_attendance"] if row["id"] == row_id),
            None,
        )

    def read_changes(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The changes if they are allowed.

        Raises:
            Refusal: 400 for a field that is unknown, read-only or of another type, or a status that is no code.
        """
        _check(data, operations()["update_class_attendance"]["request_data"])
        # Null is what a row holds in which nobody took attendance.
        if data.get("status") is not None and not self._is_code(data["status"]):
            raise Refusal(400, "status is not a code of this school.")
        return data

    def change(self, row: Record, changes: Mapping[str, Any]) -> tuple[Record, Record]:
        """Changes a row; returns the fields that were given, as they were and as they are."""
        before = {name: row[name] for name in changes}
        for name, value in changes.items():
            row[name] = {**row[name], **value} if isinstance(value, dict) and row[name] else value
        row["last_modified_date"] = datetime.fromtimestamp(self._rules.clock(), UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        return before, {name: row[name] for name in changes}

    def _is_code(self, status: Any) -> bool:
        blocks = self._rules.school.value_lists["list_class_attendance"]
        codes = {
            str(item["id"]) for block in blocks if "status" in block["fields"] for item in block["items"]
        }
        return str(status) in codes


def _check(data: Mapping[str, Any], described: Mapping[str, Any]) -> None:
    for name, value in data.items():
        field = described.get(name)
        if field is None:
            raise Refusal(400, f"The field {name} is unknown.")
        if not is_leaf(field):
            if not isinstance(value, dict):
                raise Refusal(400, f"The field {name} is an object.")
            _check(value, field)
        elif field.get("read_only"):
            raise Refusal(400, f"The field {name} is read-only.")
        elif value is not None and not _has_type(value, field):
            raise Refusal(400, f"The field {name} is a {field['type']}.")


def _has_type(value: Any, field: Mapping[str, Any]) -> bool:
    # To Python a boolean is a number.
    if not isinstance(value, _TYPES[field["type"]]) or isinstance(value, bool) != (
        field["type"] == "boolean"
    ):
        return False
    return field.get("format") != "date" or _is_date(str(value))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
