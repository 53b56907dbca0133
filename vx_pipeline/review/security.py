"""What every request passes: the Host header, the origin of a form, and the headers of the answer."""

import hmac
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/-/static"
"""Where the style sheet and the script are; no school's key begins with a hyphen."""

_MANY = 1_048_576
LARGEST_FORMS = {
    "/login": 16_384,
    "/groups/confirm": _MANY,
    "/groups/decide": _MANY,
    "/plan/confirm": _MANY,
    "/plan/answer": _MANY,
}
"""Bytes of a form by the end of its path; any other one has at most ``LARGEST_FORM``."""
LARGEST_FORM = 65_536

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}

_ON_THE_WAY = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>Opening</title></head>
<body><main><h1>Opening the review page</h1><p><a href="">Go on</a></p></main></body></html>
"""

log = logging.getLogger(__name__)

Trouble = Callable[[Request, int], Response]
"""Makes the page for a request that is refused or went wrong, from the status."""


class Guard:
    """Wraps the application.

    Args:
        app: the application.
        hosts: names that it may be asked for by; None for any. A page elsewhere whose name leads to this machine
            could otherwise read it (DNS rebinding).
        trouble: makes the page of a refusal.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str] | None, trouble: Trouble) -> None:
        self._app = app
        self._hosts = hosts
        self._trouble = trouble

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            answer = self._refusal(Request(scope)) or self._app
            await answer(scope, _limited(receive, _largest(scope["path"])), send_guarded)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw must not print people's data
            log.error("The review page failed: %s", _place(error))
            if not started:
                await self._trouble(Request(scope), 500)(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        if self._hosts is not None and _host(request.headers) not in self._hosts:
            return self._trouble(request, 421)
        if request.method not in ("GET", "HEAD") and not _same_origin(request.headers):
            return self._trouble(request, 403)
        if _declared(request.headers) > _largest(request.url.path):
            return self._trouble(request, 413)
        if _comes_from_elsewhere(request):
            return HTMLResponse(_ON_THE_WAY)
        return None


def csrf_token(request: Request) -> str:
    """The session's token; made when first asked for."""
    token: str = request.session.setdefault("csrf", secrets.token_urlsafe(32))
    return token


def is_csrf_token(request: Request, given: str) -> bool:
    """Whether a form carries the session's token; in constant time."""
    token = request.session.get("csrf", "")
    return bool(token) and hmac.compare_digest(token.encode(), given.encode(errors="replace"))


def _largest(path: str) -> int:
    return next((size for end, size in LARGEST_FORMS.items() if path.endswith(end)), LARGEST_FORM)


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0


def _limited(receive: Receive, largest: int) -> Receive:
    """Stops reading a form that is longer than it may be; its length need not be told beforehand."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > largest:
            raise HTTPException(413)
        return message

    return limited


def _host(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _same_origin(headers: Headers) -> bool:
    """Whether a form was sent by one of our own pages.

    Browsers say so in Sec-Fetch-Site (to https and to this machine). Their Origin may be "null", because the pages
    ask for no referrer. What sends neither header is no browser, and it still needs the session's token.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin not in (None, "null"):
        return _netloc(origin) == headers.get("host") and site in (None, "same-origin")
    return site == "same-origin" if site is not None or origin == "null" else True


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _comes_from_elsewhere(request: Request) -> bool:
    """A link on another site: the browser keeps the strict cookie back, so the page asks for itself again."""
    headers = request.headers
    return (
        request.method == "GET"
        and headers.get("sec-fetch-site") == "cross-site"
        and headers.get("sec-fetch-mode") == "navigate"
    )


def _add_headers(headers: MutableHeaders, path: str) -> None:
    for name, value in _HEADERS.items():
        headers[name] = value
    headers["Cache-Control"] = "no-cache" if path.startswith(STATIC) else "no-store"


def _place(error: BaseException) -> str:
    """The kind of an error and where it came from, without its message: that may quote a person."""
    trace, place = error.__traceback__, "unknown"
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
