"""The control address: what tests and demos do to a sandbox in another process. No part of any real system.

==========================================  =======================================================================
route                                       what it does
==========================================  =======================================================================
``GET /journal?since=N``                    ``{"requests": [...], "writes": [...], "last": M}``: entries with a
                                            number above N (0), and the number of the latest
``POST /faults``                            puts a fault into force; the fields of ``Fault`` as JSON
``DELETE /faults``                          ends all faults
``GET /counts``                             records by operation, and by ``orah.<model>``
``GET /school/{operation}``                 the records as held, also of ``orah.<model>``, private keys included
``POST /orah/location-record``              a student moves: ``student_id``, ``location_id`` (null for ``out``),
                                            ``record_time`` (now), ``type`` (``in`` or ``out``; ``in``)
``POST /veracross/attendance/{id}``         a teacher edits a row: ``status``, ``notes``
==========================================  =======================================================================

Answers are ``{"data": ...}`` (but for the journal), refusals ``{"error": "..."}``. Nothing of this stands in the
journal. It listens on loopback only and asks for no credentials: everybody in here is invented.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from vx_pipeline.sandbox.doorway import Caller
from vx_pipeline.sandbox.faults import Fault, FaultBox, FaultKind
from vx_pipeline.sandbox.messages import Answer, Incoming, Refusal, Router, json_answer
from vx_pipeline.sandbox.orah_bodies import moment, utc_milliseconds, whole_number
from vx_pipeline.sandbox.orah_tenant import Tenant
from vx_pipeline.sandbox.rules import Rules
from vx_pipeline.sandbox.trouble import Trouble
from vx_pipeline.sandbox.updates import AttendanceRows


class Control:
    """Serves the control address."""

    name = "control"

    def __init__(self, rules: Rules, box: FaultBox, rows: AttendanceRows, tenant: Tenant) -> None:
        self._rules = rules
        self._box = box
        self._rows = rows
        self._tenant = tenant
        self._router: Router[Callable[..., dict[str, Any]]] = Router(
            {
                ("GET", "/journal"): self._journal,
                ("POST", "/faults"): self._add_fault,
                ("DELETE", "/faults"): self._clear_faults,
                ("GET", "/counts"): self._counts,
                ("GET", "/school/{operation}"): self._records,
                ("POST", "/orah/location-record"): self._move,
                ("POST", "/veracross/attendance/{row_id:int}"): self._edit_attendance,
            }
        )

    def caller(self, incoming: Incoming) -> Caller:
        """Anybody on this machine."""
        return Caller()

    def answer(self, incoming: Incoming, trouble: Trouble) -> Answer:
        """Carries the request out."""
        try:
            target, parameters = self._router.find(incoming.method, incoming.path)
            return json_answer(200, target(incoming, **parameters))
        except Refusal as refusal:
            return json_answer(refusal.status, {"error": refusal.message})

    def failure(self, fault: Fault) -> Answer:
        """Faults are about the stand-ins; this address has none."""
        return json_answer(fault.status, {"error": "ordered"})

    def _journal(self, incoming: Incoming) -> dict[str, Any]:
        since = incoming.query.get("since", "0")
        if not since.isdecimal():
            raise Refusal(400, "since is a whole number.")
        journal = self._rules.journal
        last = journal.last_number
        return {
            name: [asdict(entry) for entry in entries if int(since) < entry.number <= last]
            for name, entries in (("requests", journal.requests), ("writes", journal.writes))
        } | {"last": last}

    def _add_fault(self, incoming: Incoming) -> dict[str, Any]:
        given = _object(incoming)
        try:
            self._box.add(Fault(**{**given, "kind": FaultKind(given.get("kind", ""))}))
        except (TypeError, ValueError) as error:
            raise Refusal(400, f"This is no fault: {error}.") from None
        return {"data": None}

    def _clear_faults(self, incoming: Incoming) -> dict[str, Any]:
        self._box.clear()
        return {"data": None}

    def _counts(self, incoming: Incoming) -> dict[str, Any]:
        school = self._rules.school
        counts = {operation: len(rows) for operation, rows in school.veracross.items()}
        return {"data": counts | {f"orah.{model}": len(rows) for model, rows in school.orah.items()}}

    def _records(self, incoming: Incoming, operation: str) -> dict[str, Any]:
        school = self._rules.school
        system, _, model = operation.partition(".")
        found = school.orah.get(model) if system == "orah" else school.veracross.get(operation)
        if found is None:
            raise Refusal(404, "There is no such collection.")
        return {"data": found}

    def _move(self, incoming: Incoming) -> dict[str, Any]:
        given = _object(incoming, "student_id", "location_id", "record_time", "type")
        student = self._tenant.get("student", whole_number(given.get("student_id"), "student_id"))
        location, kind = None, given.get("type", "in")
        if given.get("location_id") is not None:
            self._tenant.get("location", whole_number(given["location_id"], "location_id"))
            location = self._tenant.reference("location", given["location_id"])
        if kind not in {"in", "out"} or (kind == "in" and location is None):
            raise Refusal(400, "type is in (with a location) or out.")
        at = moment(given["record_time"]) if "record_time" in given else self._tenant.now()
        record = {
            "model": "location_record",
            "id": self._tenant.new_id("location_record"),
            "type": kind,
            "record_time": utc_milliseconds(at),
            "location": location,
            "student": self._tenant.reference("student", student["id"]),
        }
        self._tenant.all("location_record").append(record)
        return {"data": record}

    def _edit_attendance(self, incoming: Incoming, row_id: int) -> dict[str, Any]:
        row = self._rows.find(row_id)
        if row is None:
            raise Refusal(404, "There is no such attendance row.")
        self._rows.change(row, self._rows.read_changes(_object(incoming, "status", "notes")))
        return {"data": row}


def _object(incoming: Incoming, *allowed: str) -> dict[str, Any]:
    """The JSON object of the body, with no other keys than these where some are named."""
    try:
        given = json.loads(incoming.body)
    except ValueError:
        raise Refusal(400, "The body is not JSON.") from None
    if not isinstance(given, dict) or (allowed and set(given) - set(allowed)):
        raise Refusal(400, f"The body is an object with {', '.join(allowed) or 'the fields of a fault'}.")
    return given
