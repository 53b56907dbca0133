"""Veracross's Data API v3: lists, and the one update.

Source: Veracross's API documentation, and the contract file for every path, scope, parameter and field. Assumed:

* What is checked first: token, rate window, school route and path, method, scope, ``Accept``, then the rest.
* A request with a live token counts in its rate window whatever comes of it, but for the 429 itself. A request
  without one is told of an unused window.
* ``X-Page-Number`` and ``X-Page-Size`` that are no numbers in range are refused, not corrected.
* ``X-API-Value-Lists`` other than ``include`` is ignored.
* An update of a field to a value of another type than the contract's is refused; null empties a text,
  and a status: a row holds none while nobody has taken attendance.
"""

import json
import math
import uuid
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from vx_pipeline.sandbox.contract import operations
from vx_pipeline.sandbox.doorway import Caller
from vx_pipeline.sandbox.faults import Fault, FaultKind
from vx_pipeline.sandbox.lists import Lists, page_of
from vx_pipeline.sandbox.messages import JSON_TYPE, Answer, Incoming, Refusal, Router, json_answer
from vx_pipeline.sandbox.rate import RateWindows, Spent, rate_headers
from vx_pipeline.sandbox.rules import Rules
from vx_pipeline.sandbox.tokens import Token, TokenStore
from vx_pipeline.sandbox.trouble import Trouble
from vx_pipeline.sandbox.updates import AttendanceRows

_REASONS = {400: "bad_request", 401: "unauthorized", 404: "not_found", 405: "method_not_allowed"}
_REASONS |= {406: "not_acceptable", 429: "too_many_requests"}


class DataApi:
    """Serves ``/{school_route}/v3/...``."""

    name = "veracross"

    def __init__(self, rules: Rules, tokens: TokenStore, rows: AttendanceRows) -> None:
        self._rules = rules
        self._tokens = tokens
        self._rows = rows
        self._windows = RateWindows(lambda: rules.clock())
        self._lists = Lists(rules.school)
        self._router = Router(
            {(described["method"], _pattern(described)): name for name, described in operations().items()}
        )

    def caller(self, incoming: Incoming) -> Caller:
        """Whose token it is, live or not, and the page."""
        token = self._tokens.find(incoming.bearer)
        try:
            page, size = page_of(incoming)
        except Refusal:
            page, size = None, None
        return Caller(token.id if token else None, token.scopes if token else (), page, size)

    def answer(self, incoming: Incoming, trouble: Trouble) -> Answer:
        """Carries the request out."""
        spent = self._unused_window()
        try:
            token = self._token(incoming, trouble)
            spent = self._windows.spend(
                token.id, limit=self._rules.rate_limit, seconds=self._rules.rate_window_seconds
            )
            if spent.exceeded:
                raise Refusal(429, "Too many requests.")
            return self._carry_out(incoming, token, trouble, spent)
        except Refusal as refusal:
            return _error(refusal.status, refusal.message, spent.headers)

    def failure(self, fault: Fault) -> Answer:
        """The error of an ordered fault."""
        if fault.kind is FaultKind.STATUS:
            return _error(fault.status, "The server could not answer this time.", {})
        now, window = self._rules.clock(), self._rules.rate_window_seconds
        resets = {
            "right": str(math.ceil(now + window)),
            "past": str(math.floor(now) - 60),
            "date": formatdate(now + window, usegmt=True),
            "garbage": "soon",
        }
        headers = rate_headers(self._rules.rate_limit, 0, resets.get(fault.reset, ""))
        if fault.reset == "absent":
            del headers["X-Rate-Limit-Reset"]
        return _error(429, "Too many requests.", headers)

    def _token(self, incoming: Incoming, trouble: Trouble) -> Token:
        """The live token of a request.

        Raises:
            Refusal: 401.
        """
        if not incoming.bearer:
            raise Refusal(401, "A bearer token is required.")
        token = self._tokens.find(incoming.bearer)
        if token is None:
            raise Refusal(401, "The access token is invalid.")
        if self._tokens.is_live(token) and (
            fault := trouble.claim(FaultKind.TOKEN_EXPIRED, FaultKind.TOKEN_REVOKED)
        ):
            token.revoked = fault.kind is FaultKind.TOKEN_REVOKED
            token.expires_at = min(token.expires_at, self._rules.clock())
        if token.revoked:
            raise Refusal(401, "The access token was revoked.")
        if not self._tokens.is_live(token):
            raise Refusal(401, "The access token expired.")
        return token

    def _carry_out(self, incoming: Incoming, token: Token, trouble: Trouble, spent: Spent) -> Answer:
        operation, parameters = self._router.find(incoming.method, incoming.path)
        if parameters.pop("school_route") != self._rules.school.route:
            raise Refusal(404, "There is no school with this route.")
        described = operations()[operation]
        if described["scope"] not in token.scopes:
            raise Refusal(401, "The access token has insufficient scope for this request.")
        if not _accepts_json(incoming.headers.get("accept")):
            raise Refusal(406, f"There is only {JSON_TYPE} here.")
        if operation == "update_class_attendance":
            return self._update(incoming, parameters, trouble, spent)
        page = page_of(incoming)
        rows = self._lists.page(operation, described, parameters, incoming.query, page, trouble)
        content: dict[str, Any] = {"data": rows}
        if incoming.headers.get("x-api-value-lists", "").lower() == "include":
            content["value_lists"] = self._rules.school.value_lists.get(operation, [])
        return json_answer(200, content, headers=spent.headers)

    def _update(
        self, incoming: Incoming, parameters: Mapping[str, int], trouble: Trouble, spent: Spent
    ) -> Answer:
        if incoming.query:
            raise Refusal(400, "There are no query parameters here.")
        row = self._rows.find(parameters["id"])
        if row is None or row["internal_class_id"] != parameters["internal_class_id"]:
            raise Refusal(404, "There is no such attendance row in this class.")
        changes = self._rows.read_changes(_data(incoming))
        if trouble.write_lands():
            before, after = self._rows.change(row, changes)
            self._rules.journal.add_write(
                system=self.name,
                at=self._rules.clock(),
                entity="class_attendance",
                action="update",
                target_id=row["id"],
                before=before,
                after=after,
            )
        return Answer(204, headers=spent.headers)

    def _unused_window(self) -> Spent:
        limit = self._rules.rate_limit
        return Spent(
            limit, limit, math.ceil(self._rules.clock() + self._rules.rate_window_seconds), exceeded=False
        )


def _pattern(described: Mapping[str, Any]) -> str:
    path = described["path"]
    for name in described.get("path_params", {}):
        path = path.replace(f"{{{name}}}", f"{{{name}:int}}")
    return "/{school_route}/v3" + str(path)


def _accepts_json(accept: str | None) -> bool:
    if accept is None:
        return True
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        refused = any(p.startswith("q=") and not p[2:].strip("0.") for p in parameters)
        if media in {JSON_TYPE, "application/*", "*/*"} and not refused:
            return True
    return False


def _data(incoming: Incoming) -> Mapping[str, Any]:
    """The ``data`` of an update's body.

    Raises:
        Refusal: 400 for a malformed body.
    """
    if incoming.media_type != JSON_TYPE:
        raise Refusal(400, f"The body must be {JSON_TYPE}.")
    try:
        body = json.loads(incoming.body)
    except ValueError:
        raise Refusal(400, "The body is not JSON.") from None
    if not isinstance(body, dict) or set(body) != {"data"} or not isinstance(body["data"], dict):
        raise Refusal(400, 'The body must be {"data": {...}}.')
    return body["data"]


def _error(status: int, message: str, headers: Mapping[str, str]) -> Answer:
    error_id = uuid.uuid4().hex
    content = {"error": f"{_REASONS.get(status, 'server_error')}: {message}", "error_id": error_id}
    return json_answer(status, content, headers=headers, error_id=error_id)
