"""Asks what the school granted, without reading anybody's record into the pipeline."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx

from vx_pipeline.errors import AccessError
from vx_pipeline.veracross.auth import ScopeRefusedError, TokenAuth
from vx_pipeline.veracross.contract import Endpoint, WriteEndpoint
from vx_pipeline.veracross.exchange import Exchange
from vx_pipeline.veracross.failures import FailedRequestError
from vx_pipeline.veracross.transport import Tally


class Standing(StrEnum):
    """What a probe found out."""

    GRANTED = "granted"
    MISSING_SCOPE = "missing_scope"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Probe:
    """Whether an endpoint can be used.

    Args:
        operation: the endpoint's name in the contract.
        scope: what it needs.
        standing: the finding.
        detail: why, for people; empty if granted.
        remedy: what to do; empty if granted.
        clock_skew_seconds: Veracross's clock minus ours, exact to a second or two; None if it told no time.
    """

    operation: str
    scope: str
    standing: Standing
    detail: str = ""
    remedy: str = ""
    clock_skew_seconds: float | None = None


OneScope = Callable[[str], TokenAuth]
"""Makes a token for a single scope."""


async def probe(exchange: Exchange, endpoint: Endpoint | WriteEndpoint, one_scope: OneScope) -> Probe:
    """Reads a page of one row; for a write, only asks for its token.

    An endpoint that is read for each parent is asked for a parent that does not exist: "not found" is an
    answer that only a granted scope gets.
    """
    token = exchange.tokens[endpoint.area]
    try:
        # An area's token is refused as a whole; which of its scopes is missing, only single ones tell.
        try:
            await token.token()
        except ScopeRefusedError:
            await one_scope(endpoint.scope).token()
            return Probe(
                endpoint.operation,
                endpoint.scope,
                Standing.GRANTED,
                detail=f"Granted, but another scope of {endpoint.area} is not.",
            )
        if endpoint.scope not in token.granted:
            return _missing(endpoint)
        if isinstance(endpoint, WriteEndpoint):
            return Probe(endpoint.operation, endpoint.scope, Standing.GRANTED)
        return await _read_one_row(exchange, endpoint)
    except ScopeRefusedError:
        return _missing(endpoint)
    except AccessError as error:
        return Probe(endpoint.operation, endpoint.scope, Standing.REFUSED, error.what, error.remedy)
    except FailedRequestError as failure:
        return Probe(
            endpoint.operation,
            endpoint.scope,
            Standing.UNREACHABLE,
            f"Veracross did not answer {endpoint.path}: {failure}.",
            "Check the network and VERACROSS_API_URL, and try again later.",
        )


async def _read_one_row(exchange: Exchange, endpoint: Endpoint) -> Probe:
    path = endpoint.path
    if endpoint.path_param is not None:
        path = path.format(**{endpoint.path_param: 0})
    headers = {"X-Page-Number": "1", "X-Page-Size": "1"}
    request = exchange.request(endpoint.area, "GET", path, Tally(), headers=headers)
    try:
        response = await exchange.send(endpoint.area, request)
    except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
        raise FailedRequestError(type(error).__name__) from None
    no_such_parent = (httpx.codes.NOT_FOUND, httpx.codes.BAD_REQUEST)
    if not response.is_success and not (endpoint.path_param and response.status_code in no_such_parent):
        raise FailedRequestError(f"status {response.status_code}", status=response.status_code)
    return Probe(
        endpoint.operation,
        endpoint.scope,
        Standing.GRANTED,
        clock_skew_seconds=_clock_skew(response.headers.get("Date")),
    )


def _clock_skew(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date or "").timestamp() - time.time()
    except ValueError:
        return None


def _missing(endpoint: Endpoint | WriteEndpoint) -> Probe:
    return Probe(
        endpoint.operation,
        endpoint.scope,
        Standing.MISSING_SCOPE,
        f"The school has not granted {endpoint.scope}.",
        "The school's OAuth_App_Admin grants it to the OAuth application.",
    )
