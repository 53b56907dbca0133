"""One token for each area of data: asked for when first needed, before it expires, and once after a 401.

Built on Authlib's transport-neutral parts. Its ready-made ``authlib.integrations.httpx_client`` is not used:
it warns with httpx 0.28, and silently changes to httpx2 as soon as that happens to be installed.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any, NoReturn

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749 import OAuth2Token
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from vx_pipeline.errors import AccessError
from vx_pipeline.veracross.failures import PassingError, RefusedError, check_status, json_of

log = logging.getLogger(__name__)

_LEEWAY_SECONDS = 60
_KEPT = "Nothing was changed; the last good tables stay."


class TokenAuth(httpx.Auth):
    """Puts a bearer token on requests, and gets it.

    A request that is answered with 401 is sent once more with a new token: the status alone does not tell
    whether the old one was expired or revoked, or the scope is missing. A second 401 is final.

    Args:
        name: whose token, for messages.
        scopes: what the token is asked for.
        school_route: the school's part of Veracross's addresses.
        accounts_url: the authorization server.
        client_id: of the school's OAuth application.
        client_secret: its secret; in no message, log or repr.
        http: sends the token request; belongs to the running event loop, as this object does.
    """

    def __init__(
        self,
        *,
        name: str,
        scopes: tuple[str, ...],
        school_route: str,
        accounts_url: str,
        client_id: str,
        client_secret: str,
        http: httpx.AsyncClient,
    ) -> None:
        self._name = name
        self._scopes = scopes
        self._route = school_route
        self._url = f"{accounts_url}/{school_route}/oauth/token"
        # The only client authentication that Veracross knows.
        self._client = ClientAuth(client_id, client_secret, "client_secret_post")
        self._http = http
        self._token: OAuth2Token | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"TokenAuth({self._name!r}, school_route={self._route!r})"

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sends the request with a token, and once more with a new one after a 401.

        Raises:
            AccessError: refused again, or no token is to be had.
            PassingError: the authorization server is in trouble; the request itself was not processed.
        """
        token = await self.token()
        response = yield _signed(request, token)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        # Frees its connection: the token call needs one, and all of them may hold such an answer.
        await response.aread()
        log.info(
            "Veracross refused the token of %s at %s; asking for a new one.", self._name, request.url.path
        )
        token = await self.token(instead_of=token)
        response = yield _signed(request, token)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._refused_again(request.url.path, token)

    async def token(self, *, instead_of: OAuth2Token | None = None) -> OAuth2Token:
        """A token that should work; requests that need one at the same time share one call.

        Args:
            instead_of: the token that was just refused.

        Raises:
            AccessError: the application, its scopes or the school route are refused.
            PassingError: the authorization server is in trouble.
        """
        async with self._lock:
            # Compared by identity: another request may have replaced the refused one in the meantime.
            if self._token is None or self._token is instead_of or _expires_soon(self._token):
                self._token = await self._ask()
            return self._token

    @property
    def granted(self) -> frozenset[str]:
        """The scopes that the current token says it holds; what was asked for if it says nothing."""
        said = self._token.get("scope") if self._token is not None else None
        return frozenset(str(said).split() if said else self._scopes)

    async def _ask(self) -> OAuth2Token:
        body = prepare_token_request("client_credentials", scope=" ".join(self._scopes))
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        _, headers, body = self._client.prepare("POST", self._url, headers, body)  # type: ignore[no-untyped-call]
        try:
            response = await self._http.post(self._url, content=body, headers=headers)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise PassingError(f"no token: {type(error).__name__} at the authorization server") from None
        try:
            check_status(response)
        except RefusedError:
            self._refused(response)
        except PassingError as trouble:
            raise PassingError(
                f"no token: {trouble.reason}", status=trouble.status, error_id=trouble.error_id
            ) from None
        answer = json_of(response)
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise PassingError("no token in the answer of the authorization server")
        log.info("New Veracross token for %s.", self._name)
        # Of the times in the answer only the life counts, on our own clock: a wrong host clock must not make
        # a token look old.
        life = _seconds(answer.get("expires_in"))
        return OAuth2Token(
            {"access_token": answer["access_token"], "scope": answer.get("scope"), "expires_in": life}
        )

    def _refused(self, response: httpx.Response) -> NoReturn:
        error = _oauth_error(response)
        if response.status_code == httpx.codes.NOT_FOUND:
            raise AccessError(
                f"Veracross knows no school route {self._route!r} (404 for the token of {self._name}).",
                kept=_KEPT,
                remedy="Correct VERACROSS_SCHOOL_ROUTE: it is the part of the school's Veracross address "
                "after the host name.",
            )
        if error == "invalid_client" or response.status_code == httpx.codes.UNAUTHORIZED:
            raise AccessError(
                f"Veracross does not accept the OAuth application of school {self._route!r} "
                f"(status {response.status_code} for the token of {self._name}).",
                kept=_KEPT,
                remedy="Check VERACROSS_CLIENT_ID and VERACROSS_CLIENT_SECRET with the school's "
                "OAuth_App_Admin.",
            )
        if error == "invalid_scope":
            raise ScopeRefusedError(
                f"School {self._route!r} has not granted every scope of {self._name}: "
                f"{', '.join(self._scopes)}.",
                kept=_KEPT,
                remedy="The school's OAuth_App_Admin grants them to the OAuth application.",
            )
        raise AccessError(
            f"Veracross refused a token for {self._name} of school {self._route!r} "
            f"(status {response.status_code}).",
            kept=_KEPT,
            remedy="Check the OAuth application with the school's OAuth_App_Admin; `vx doctor` tries again.",
        )

    def _refused_again(self, path: str, token: OAuth2Token) -> NoReturn:
        missing = sorted(set(self._scopes) - self.granted)
        about = (
            f"The token lacks: {', '.join(missing)}." if missing else f"Scopes: {', '.join(self._scopes)}."
        )
        raise AccessError(
            f"Veracross refused a new token of {self._name} at {path} (401). {about}",
            kept=_KEPT,
            remedy=f"The OAuth_App_Admin of school {self._route!r} grants scopes to the OAuth application.",
        )


class ScopeRefusedError(AccessError):
    """The authorization server gives no token with all of these scopes."""


def _signed(request: httpx.Request, token: OAuth2Token) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token['access_token']}"
    return request


def _expires_soon(token: OAuth2Token) -> bool:
    """Whether a new token is due. Without a known life it is used until it is refused."""
    life = token["expires_in"]
    # A short life must not make every request ask for a token.
    leeway = min(_LEEWAY_SECONDS, life // 10) if isinstance(life, int) else 0
    return bool(token.is_expired(leeway=leeway))


def _seconds(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _oauth_error(response: httpx.Response) -> Any:
    """The ``error`` code of RFC 6749, section 5.2: a fixed word, not wording."""
    try:
        body = response.json()
    except ValueError:
        return None
    return body.get("error") if isinstance(body, dict) else None
