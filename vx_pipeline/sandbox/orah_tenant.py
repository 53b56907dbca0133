"""The records of the Orah tenant: finding, serving, creating, changing and deleting them.

A record is served without its private keys, and its references show the records they name as they are now.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from vx_pipeline.sandbox.messages import Refusal
from vx_pipeline.sandbox.orah_bodies import utc_milliseconds
from vx_pipeline.sandbox.rules import Rules

Record = dict[str, Any]

_REFERENCES: dict[str, tuple[str, ...]] = {
    "student": ("id", "sis_id"),
    "house": ("id", "sis_id"),
    "location": ("id", "name"),
    "leave_type": ("id", "name", "short_code"),
    "leave": ("id",),
}
"""Models that other records refer to under their own name, and what a reference shows."""

_UNSTAMPED = frozenset({"location_record", "roll"})
"""Models whose records do not show when they were made and changed (seen of location records)."""


class Tenant:
    """The live records of one Orah tenant, by model.

    Args:
        rules: the running sandbox.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._last_ids: dict[str, int] = {}

    def all(self, model: str) -> list[Record]:
        """The records of a model as held; the list itself."""
        return self._rules.school.orah.setdefault(model, [])

    def find(self, model: str, record_id: int) -> Record | None:
        """A record as held, None if there is none (any more)."""
        return next((record for record in self.all(model) if record["id"] == record_id), None)

    def get(self, model: str, record_id: int) -> Record:
        """A record as held.

        Raises:
            Refusal: 404.
        """
        record = self.find(model, record_id)
        if record is None:
            raise Refusal(404, f"There is no {model} with this id.")
        return record

    def serve(self, records: Iterable[Mapping[str, Any]]) -> list[Record]:
        """Records as a client may see them."""
        referred = {model: {one["id"]: one for one in self.all(model)} for model in _REFERENCES}
        return [_served(record, referred) for record in records]

    def serve_one(self, record: Mapping[str, Any]) -> Record:
        """A record as a client may see it."""
        return self.serve([record])[0]

    def reference(self, model: str, record_id: int) -> Record | None:
        """How other records show this one; None if there is none."""
        record = self.find(model, record_id)
        return record and _reference(model, record)

    def now(self) -> datetime:
        """The sandbox's clock."""
        return datetime.fromtimestamp(self._rules.clock(), UTC)

    def new_id(self, model: str) -> int:
        """An id that no record of the model has or had."""
        highest = max((record["id"] for record in self.all(model)), default=0)
        self._last_ids[model] = max(highest, self._last_ids.get(model, 0)) + 1
        return self._last_ids[model]

    def new_record(self, model: str, fields: Mapping[str, Any]) -> Record:
        """A record with an id and stamps of its own, not held yet."""
        stamp = utc_milliseconds(self.now())
        record = {"model": model, "id": self.new_id(model), **fields}
        return record if model in _UNSTAMPED else record | {"created_at": stamp, "updated_at": stamp}

    def create(self, model: str, fields: Mapping[str, Any], *, lands: bool, action: str = "create") -> Record:
        """A new record; if it does not land it is only what the answer would show."""
        record = self.new_record(model, fields)
        if lands:
            self.all(model).append(record)
            self._remember(model, action, record["id"], {}, self.serve_one(record))
        return record

    def update(self, model: str, record: Record, fields: Mapping[str, Any], *, lands: bool) -> Record:
        """The record with the fields changed; the held one is changed only if it lands."""
        changed = {**record, **fields, "updated_at": utc_milliseconds(self.now())}
        if lands:
            shown = ["students" if name == "_student_ids" else name for name in fields]
            before = self.serve_one(record)
            record.update(changed)
            after = self.serve_one(record)
            self._remember(
                model,
                "update",
                record["id"],
                {name: before.get(name) for name in shown},
                {name: after[name] for name in shown},
            )
        return changed

    def delete(self, model: str, record: Record, *, lands: bool) -> None:
        """Removes a record for good."""
        if lands:
            before = self.serve_one(record)
            self.remove(model, record)
            self._remember(model, "delete", record["id"], before, {})

    def remove(self, model: str, record: Record) -> None:
        """Removes a record, unseen by the journal; its id is not given out again."""
        held = self.all(model)
        self._last_ids[model] = max(self._last_ids.get(model, 0), record["id"])
        held[:] = [other for other in held if other is not record]

    def _remember(
        self, model: str, action: str, record_id: int, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        self._rules.journal.add_write(
            system="orah",
            at=self._rules.clock(),
            entity=model,
            action=action,
            target_id=record_id,
            before=before,
            after=after,
        )


def _reference(model: str, record: Mapping[str, Any]) -> Record:
    return {name: record.get(name) for name in _REFERENCES[model]}


def _served(record: Mapping[str, Any], referred: Mapping[str, Mapping[int, Record]]) -> Record:
    served = {name: value for name, value in record.items() if not name.startswith("_")}
    for model, known in referred.items():
        held = served.get(model)
        if isinstance(held, dict) and held["id"] in known:
            served[model] = _reference(model, known[held["id"]])
    if "_student_ids" in record:
        students = referred["student"]
        served["students"] = [
            _reference("student", students[student_id])
            for student_id in record["_student_ids"]
            if student_id in students
        ]
    return served


def locations_tree(flat: Iterable[Record]) -> list[Record]:
    """The top locations as served, each with its ``child_locations`` inside one another."""
    flat = list(flat)
    nodes: dict[int, Record] = {one["id"]: {**_served(one, {}), "child_locations": []} for one in flat}
    top: list[Record] = []
    for one in flat:
        parent = nodes.get(one["_parent_id"])
        (top if parent is None else parent["child_locations"]).append(nodes[one["id"]])
    return top
