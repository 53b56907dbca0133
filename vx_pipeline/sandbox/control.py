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
``POST /orah/location-record``              a student moves
``POST /orah/location-record/{id}``         a movement is corrected
``DELETE /orah/location-record/{id}``       a movement is deleted
``POST /orah/leave``                        a pass is given
``POST /orah/leave/{id}``                   a pass is edited, ended or cancelled
``DELETE /orah/leave/{id}``                 a pass is deleted
``POST /orah/roll``                         a roll is taken
``POST /orah/roll/{id}``                    the entry of one student on a roll is edited
``POST /veracross/attendance/{id}``         a teacher edits a row
``POST /veracross/class-cancelled``         a class does not meet on a day
==========================================  =======================================================================

Bodies of what people do are described where it is done, in ``hands.py``.
Answers are ``{"data": ...}`` (but for the journal), refusals ``{"error": "..."}``. Nothing of this stands in the
journal. It listens on loopback only and asks for no credentials: everybody in here is invented.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from vx_pipeline.sandbox.doorway import Caller
from vx_pipeline.sandbox.faults import Fault, FaultBox, FaultKind
from vx_pipeline.sandbox.hands import Hands
from vx_pipeline.sandbox.messages import Answer, Incoming, Refusal, Router, json_answer
from vx_pipeline.sandbox.rules import Rules
from vx_pipeline.sandbox.trouble import Trouble

Target = Callable[..., dict[str, Any]]
"""Takes the request and the path's parameters, and returns the answer's body."""


class Control:
    """Serves the control address."""

    name = "control"

    def __init__(self, rules: Rules, box: FaultBox, hands: Hands) -> None:
        self._rules = rules
        self._box = box
        self._router: Router[Target] = Router(
            {
                ("GET", "/journal"): self._journal,
                ("POST", "/faults"): self._add_fault,
                ("DELETE", "/faults"): self._clear_faults,
                ("GET", "/counts"): self._counts,
                ("GET", "/school/{operation}"): self._records,
                ("POST", "/orah/location-record"): _new(hands.move),
                ("POST", "/orah/location-record/{record_id:int}"): _change(hands.change_move),
                ("DELETE", "/orah/location-record/{record_id:int}"): _delete(hands.delete_move),
                ("POST", "/orah/leave"): _new(hands.give_leave),
                ("POST", "/orah/leave/{record_id:int}"): _change(hands.change_leave),
                ("DELETE", "/orah/leave/{record_id:int}"): _delete(hands.delete_leave),
                ("POST", "/orah/roll"): _new(hands.take_roll),
                ("POST", "/orah/roll/{record_id:int}"): _change(hands.change_roll),
                ("POST", "/veracross/attendance/{record_id:int}"): _change(hands.mark),
                ("POST", "/veracross/class-cancelled"): _new(hands.cancel_class),
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


def _new(hand: Callable[[Mapping[str, Any]], Any]) -> Target:
    """What takes a body alone."""
    return lambda incoming: {"data": hand(_object(incoming))}


def _change(hand: Callable[[int, Mapping[str, Any]], Any]) -> Target:
    """What takes a record's id and a body."""
    return lambda incoming, record_id: {"data": hand(record_id, _object(incoming))}


def _delete(hand: Callable[[int], None]) -> Target:
    """What takes a record's id alone."""

    def answer(incoming: Incoming, record_id: int) -> dict[str, Any]:
        hand(record_id)
        return {"data": None}

    return answer


def _object(incoming: Incoming) -> dict[str, Any]:
    """The JSON object of the body."""
    try:
        given = json.loads(incoming.body)
    except ValueError:
        raise Refusal(400, "The body is not JSON.") from None
    if not isinstance(given, dict):
        raise Refusal(400, "The body is an object.")
    return given
