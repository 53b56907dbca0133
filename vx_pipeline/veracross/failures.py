"""Which troubles of a request may pass, which will not, and how an answer is told apart.

Decided by status and shape alone: Veracross may change its wording without notice.
"""

import re
from typing import Any

import httpx

_ERROR_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")


class FailedRequestError(Exception):
    """A request that brought nothing usable. Stays inside this room; callers turn it into words for people.

    Args:
        reason: what happened, without anything out of the answer's body.
        status: the answer's status, if there was one.
        error_id: Veracross's own number for the trouble, worth quoting to its support.
    """

    def __init__(self, reason: str, *, status: int | None = None, error_id: str | None = None) -> None:
        self.reason = reason
        self.status = status
        self.error_id = error_id
        super().__init__(f"{reason} (error_id {error_id})" if error_id else reason)


class PassingError(FailedRequestError):
    """Nothing was done and a later try may go well."""


class RefusedError(FailedRequestError):
    """Another try would end the same way."""


def check_status(response: httpx.Response) -> None:
    """Lets a success through.

    Raises:
        PassingError: a busy or broken server (429, 5xx), or a redirect, as a login page or a gateway sends.
        RefusedError: any other status.
    """
    if response.is_success:
        return
    status = response.status_code
    passing = status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error or response.is_redirect
    kind = PassingError if passing else RefusedError
    raise kind(f"status {status}", status=status, error_id=_error_id(response))


def json_of(response: httpx.Response) -> Any:
    """The body as JSON.

    Raises:
        PassingError: it is something else, e.g. the HTML of a gateway.
    """
    try:
        return response.json()
    except ValueError:
        raise PassingError("an answer that is not JSON", status=response.status_code) from None


def _error_id(response: httpx.Response) -> str | None:
    try:
        body = response.json()
    except ValueError:
        return None
    found = body.get("error_id") if isinstance(body, dict) else None
    # Anything that does not look like a number of a trouble could be data about people.
    return str(found) if isinstance(found, str | int) and _ERROR_ID.fullmatch(str(found)) else None
