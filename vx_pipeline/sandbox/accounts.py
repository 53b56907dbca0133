"""Veracross's authorization server: tokens for client credentials, introspection, revocation.

Source: Veracross's Authorization API documentation. Assumed: a missing scope is ``invalid_request``; asking for a
scope that the school did not grant is refused like an unknown one; introspection and revocation follow RFC 7662
and RFC 7009.
"""

import hmac
import uuid
from urllib.parse import parse_qs

from vx_pipeline.sandbox.doorway import Caller
from vx_pipeline.sandbox.faults import Fault, FaultKind
from vx_pipeline.sandbox.messages import Answer, Incoming, Refusal, Router, json_answer
from vx_pipeline.sandbox.rules import GRANTABLE_SCOPES, Rules
from vx_pipeline.sandbox.tokens import TokenStore
from vx_pipeline.sandbox.trouble import Trouble

_FORM_TYPE = "application/x-www-form-urlencoded"


class Accounts:
    """Serves ``/{school_route}/oauth/...``."""

    name = "veracross"

    def __init__(self, rules: Rules, tokens: TokenStore) -> None:
        self._rules = rules
        self._tokens = tokens
        self._router = Router(
            {
                ("POST", "/{route}/oauth/token"): self._token,
                ("POST", "/{route}/oauth/introspect"): self._introspect,
                ("POST", "/{route}/oauth/revoke"): self._revoke,
            }
        )

    def caller(self, incoming: Incoming) -> Caller:
        """Nobody has a token here yet; the scopes are those that are asked for."""
        try:
            return Caller(scopes=tuple(_form(incoming.body).get("scope", "").split()))
        except Refusal:
            return Caller()

    def answer(self, incoming: Incoming, trouble: Trouble) -> Answer:
        """Carries the request out."""
        try:
            target, parameters = self._router.find(incoming.method, incoming.path)
            if parameters["route"] != self._rules.school.route:
                raise Refusal(404, "There is no school with this route.", code="not_found")
            if incoming.media_type != _FORM_TYPE:
                raise Refusal(415, f"The body must be {_FORM_TYPE}.", code="unsupported_media_type")
            form = _form(incoming.body)
            self._check_client(form)
            return target(form)
        except Refusal as refusal:
            return _error(refusal.status, refusal.code, refusal.message)

    def failure(self, fault: Fault) -> Answer:
        """The error of an ordered fault."""
        status = 429 if fault.kind is FaultKind.RATE_LIMITED else fault.status
        return _error(status, "temporarily_unavailable", "The server could not answer this time.")

    def _check_client(self, form: dict[str, str]) -> None:
        """``client_secret_post`` is the only way: an ``Authorization`` header is not looked at."""
        ours = self._rules.credentials
        pairs = (("client_id", ours.client_id), ("client_secret", ours.client_secret))
        if not all(hmac.compare_digest(form.get(name, "").encode(), mine.encode()) for name, mine in pairs):
            raise Refusal(401, "Client authentication failed.", code="invalid_client")

    def _token(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") != "client_credentials":
            raise Refusal(400, "The grant type is not supported.", code="unsupported_grant_type")
        scopes = tuple(dict.fromkeys(form.get("scope", "").split(" "))) if form.get("scope") else ()
        if not scopes:
            raise Refusal(400, "The scope is missing.")
        if not set(scopes) <= self._rules.granted_scopes & set(GRANTABLE_SCOPES):
            raise Refusal(400, "The requested scope is invalid or unknown.", code="invalid_scope")
        token = self._tokens.issue(scopes, self._rules.token_life_seconds)
        return json_answer(
            200,
            {
                "access_token": token.value,
                "created_at": int(token.created_at),
                "expires_in": int(token.expires_at - token.created_at),
                "scope": " ".join(scopes),
                "token_type": "Bearer",
            },
            headers={"Cache-Control": "no-store"},
        )

    def _introspect(self, form: dict[str, str]) -> Answer:
        token = self._tokens.find(form.get("token"))
        if token is None or not self._tokens.is_live(token):
            return json_answer(200, {"active": False})
        return json_answer(
            200,
            {
                "active": True,
                "scope": " ".join(token.scopes),
                "client_id": self._rules.credentials.client_id,
                "token_type": "Bearer",
                "iat": int(token.created_at),
                "exp": int(token.expires_at),
            },
        )

    def _revoke(self, form: dict[str, str]) -> Answer:
        if token := self._tokens.find(form.get("token")):
            token.revoked = True
        return json_answer(200, {})


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=bool(body), keep_blank_values=True)
    except ValueError:
        raise Refusal(400, "The body is not a form.") from None
    if any(len(values) > 1 for values in fields.values()):
        raise Refusal(400, "A parameter stands there twice.")
    return {name: values[0] for name, values in fields.items()}


def _error(status: int, code: str, description: str) -> Answer:
    error_id = uuid.uuid4().hex
    content = {"error": code, "error_description": description, "error_id": error_id}
    return json_answer(status, content, error_id=error_id)
