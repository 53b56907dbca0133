"""Orah's Open API: ``POST /open-api/<resource>/<action>``.

Seen or documented: the routes, the envelopes, the key, the codes, lists that are complete in one answer, filters
and paging inside ``query``, that a deleted student is 404, and that there is no list of contacts or leaves.
Assumed, because nothing public says it:

* Bodies of writes: create ``{"data": {...}}``, update and delete ``{"query": {"id": N}, "data": {...}}``,
  get-single ``{"query": {"id": N}}``; the answer is ``{"data": record}``, of a deleted record its last state.
* ``student/list`` without a filter brings all students; ``{"query": {"deactivated": true}}`` only those.
* ``contact/list-by-student`` takes ``{"query": {"student": {"id": N}}}``; a contact shows its ``students``.
* ``student/update-location`` takes ``{"query": {"id": N}, "data": {"location": {"id": M}}}`` and answers with the
  location record it made.
* Timelines come newest first; both ends of the range are included. ``roll/timeline`` takes a ``status``.
* ``location/tree`` is nested unless ``nested`` is false; only then are there no ``child_locations``.
* ``location-record/get-current`` brings the latest record of each student who has one.
* A location record that a pass made shows it as ``leave: {"id": N}``, also when the pass is gone; others have no
  such field. There is no other way to learn the id of a pass.
* A roll has a ``type`` (``class`` or ``house``), a ``status`` (``Completed``) and ``students``: the reference of a
  ``student``, a ``status`` (``Present``, ``Late`` or ``Absent``), and in class rolls a ``reason`` (name and type;
  null for Present) and a ``source`` (``roll``, ``pass`` or ``edit``).
* Only a house without students can be deleted (400). A leave without a status is Active or Scheduled by its times.
* What is checked first: path, method, key, permission, body.
"""

import hmac
from collections.abc import Callable
from typing import Any

from vx_pipeline.sandbox import orah_bodies
from vx_pipeline.sandbox.doorway import Caller
from vx_pipeline.sandbox.faults import Fault, FaultKind
from vx_pipeline.sandbox.messages import Answer, Incoming, Refusal, Router, json_answer
from vx_pipeline.sandbox.orah_bodies import PAGING, Body, read_body, reference
from vx_pipeline.sandbox.orah_fields import new_fields, read_fields
from vx_pipeline.sandbox.orah_tenant import Record, Tenant, locations_tree
from vx_pipeline.sandbox.rules import Rules
from vx_pipeline.sandbox.trouble import Trouble

Action = Callable[[Body, Trouble], Any]
_TIMELINE = ("date_range", *sorted(PAGING))


class OrahApi:
    """Serves ``/open-api/...``."""

    name = "orah"

    def __init__(self, rules: Rules, tenant: Tenant) -> None:
        self._rules = rules
        self._tenant = tenant
        actions: dict[str, Action] = {
            "student/list": self._students,
            "student/update-location": self._update_location,
            "house/list": lambda body, trouble: self._list("house", body, trouble),
            "leave-type/list": lambda body, trouble: self._list("leave_type", body, trouble),
            "contact/list-by-student": self._contacts_of_student,
            "location/tree": self._locations,
            "location-record/get-current": self._current_locations,
            "location-record/timeline": lambda b, t: self._timeline("location_record", "record_time", b, t),
            "roll/timeline": self._rolls,
            "roll/get-single": lambda body, trouble: self._get("roll", body),
            "pastoral/timeline": lambda b, t: self._timeline("pastoral", "created_at", b, t),
        }
        for model in ("student", "house", "contact", "leave"):
            actions |= self._writes_of(model)
        # There is no public route for one house; it is found in the list.
        del actions["house/get-single"]
        self._router = Router(
            {("POST", f"/open-api/{route}"): (route, action) for route, action in actions.items()}
        )

    def caller(self, incoming: Incoming) -> Caller:
        """Whether the key is ours, and the page."""
        key = incoming.bearer or ""
        known = hmac.compare_digest(key.encode(), self._rules.credentials.orah_api_key.encode())
        page, size = None, None
        try:
            query = read_body(incoming).query
            if set(query) & (PAGING | {"date_range"}):
                page, size = orah_bodies.page_of(query)
        except Refusal:
            pass
        return Caller("orah-key" if known else None, (), page, size)

    def answer(self, incoming: Incoming, trouble: Trouble) -> Answer:
        """Carries the request out."""
        try:
            (route, action), _ = self._router.find(incoming.method, incoming.path)
            if self.caller(incoming).token_id is None:
                raise Refusal(401, "The API key is not valid.")
            if route.partition("/")[0] in self._rules.orah_forbidden:
                raise Refusal(403, "The API key has no permission for this entity.")
            return json_answer(200, {"data": action(read_body(incoming), trouble)})
        except Refusal as refusal:
            return _error(refusal.status, refusal.message)

    def failure(self, fault: Fault) -> Answer:
        """The error of an ordered fault."""
        status = 429 if fault.kind is FaultKind.RATE_LIMITED else fault.status
        return _error(status, "The server could not answer this time.")

    def _writes_of(self, model: str) -> dict[str, Action]:
        return {
            f"{model}/get-single": lambda body, trouble: self._get(model, body),
            f"{model}/create": lambda body, trouble: self._create(model, body, trouble),
            f"{model}/update": lambda body, trouble: self._update(model, body, trouble),
            f"{model}/delete": lambda body, trouble: self._delete(model, body, trouble),
        }

    def _served(self, records: list[Record], trouble: Trouble) -> list[Record]:
        return trouble.page_as_served(trouble.list_as_served(self._tenant.serve(records)))

    def _list(self, model: str, body: Body, trouble: Trouble) -> list[Record]:
        body.only()
        return self._served(self._tenant.all(model), trouble)

    def _students(self, body: Body, trouble: Trouble) -> list[Record]:
        body.only("deactivated")
        students = self._tenant.all("student")
        if "deactivated" in body.query:
            wanted = body.query["deactivated"]
            if not isinstance(wanted, bool):
                raise Refusal(400, "query.deactivated is true or false.")
            students = [student for student in students if student["deactivated"] is wanted]
        return self._served(students, trouble)

    def _contacts_of_student(self, body: Body, trouble: Trouble) -> list[Record]:
        body.only("student")
        student = self._tenant.get("student", reference(body.query.get("student"), "query.student"))
        contacts = self._tenant.all("contact")
        return self._served([c for c in contacts if student["id"] in c["_student_ids"]], trouble)

    def _locations(self, body: Body, trouble: Trouble) -> list[Record]:
        body.only("nested")
        nested = body.query.get("nested", True)
        if not isinstance(nested, bool):
            raise Refusal(400, "query.nested is true or false.")
        if nested:
            return locations_tree(self._tenant.all("location"))
        return self._served(self._tenant.all("location"), trouble)

    def _current_locations(self, body: Body, trouble: Trouble) -> list[Record]:
        body.only()
        latest: dict[int, Record] = {}
        for record in sorted(self._tenant.all("location_record"), key=lambda record: record["record_time"]):
            latest[record["student"]["id"]] = record
        known = {student["id"] for student in self._tenant.all("student")}
        return self._served([latest[student_id] for student_id in latest if student_id in known], trouble)

    def _rolls(self, body: Body, trouble: Trouble) -> list[Record]:
        status = body.query.get("status", "All")
        if not isinstance(status, str):
            raise Refusal(400, "query.status is text.")
        return self._timeline("roll", "start_time", body, trouble, status=status)

    def _timeline(
        self, model: str, time_field: str, body: Body, trouble: Trouble, *, status: str | None = None
    ) -> list[Record]:
        body.only(*_TIMELINE, *(["status"] if status else []))
        period, (index, size) = orah_bodies.period_of(body.query), orah_bodies.page_of(body.query)
        found = [record for record in self._tenant.all(model) if period.holds(record[time_field])]
        if status not in {None, "All"}:
            found = [record for record in found if record["status"] == status]
        found.sort(key=lambda record: (record[time_field], record["id"]), reverse=True)
        served = trouble.list_as_served(self._tenant.serve(found))
        served = trouble.page_as_served(served[index * size : (index + 1) * size])
        if found and (shift := trouble.shift_after_page()):
            held = self._tenant.all(model)
            if shift is FaultKind.ROW_REMOVED:
                held[:] = [record for record in held if record is not found[0]]
            else:
                held.append({**found[0], "id": self._tenant.new_id(model)})
        return served

    def _get(self, model: str, body: Body) -> Record:
        body.only("id")
        return self._tenant.serve_one(self._tenant.get(model, body.record_id()))

    def _create(self, model: str, body: Body, trouble: Trouble) -> Record:
        body.only(data=True)
        fields = new_fields(self._tenant, model, body.data or {})
        return self._tenant.serve_one(self._tenant.create(model, fields, lands=trouble.write_lands()))

    def _update(self, model: str, body: Body, trouble: Trouble) -> Record:
        body.only("id", data=True)
        record = self._tenant.get(model, body.record_id())
        fields = read_fields(self._tenant, model, body.data or {})
        return self._tenant.serve_one(self._tenant.update(model, record, fields, lands=trouble.write_lands()))

    def _delete(self, model: str, body: Body, trouble: Trouble) -> Record:
        body.only("id")
        record = self._tenant.get(model, body.record_id())
        if model == "house" and any(
            student["house"] and student["house"]["id"] == record["id"]
            for student in self._tenant.all("student")
        ):
            raise Refusal(400, "The house has students.")
        served = self._tenant.serve_one(record)
        self._tenant.delete(model, record, lands=trouble.write_lands())
        return served

    def _update_location(self, body: Body, trouble: Trouble) -> Record:
        body.only("id", data=True)
        student = self._tenant.get("student", body.record_id())
        if set(body.data or {}) != {"location"}:
            raise Refusal(400, 'data must be {"location": {"id": ...}}.')
        location = self._tenant.reference(
            "location", reference((body.data or {})["location"], "data.location")
        )
        if location is None:
            raise Refusal(400, "data.location names a location that does not exist.")
        fields = {
            "type": "in",
            "record_time": orah_bodies.utc_milliseconds(self._tenant.now()),
            "location": location,
            "student": {"id": student["id"], "sis_id": student["sis_id"]},
        }
        lands = trouble.write_lands()
        return self._tenant.serve_one(
            self._tenant.create("location_record", fields, lands=lands, action="move")
        )


def _error(status: int, message: str) -> Answer:
    return json_answer(status, {"error": {"message": message}})
