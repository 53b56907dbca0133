"""The door in front of each stand-in: reads the request, lets faults in, remembers, and sends the answer.

An ASGI application. What makes a connection break needs the transport, which ASGI does not show: the hosting
puts it into the scope as ``sandbox.transport``.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Protocol

from starlette.datastructures import Headers, QueryParams

from vx_pipeline.sandbox.faults import Fault, FaultBox, FaultKind
from vx_pipeline.sandbox.journal import Journal
from vx_pipeline.sandbox.messages import Answer, Incoming
from vx_pipeline.sandbox.rules import Rules
from vx_pipeline.sandbox.trouble import Trouble

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HTML = (
    b"<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Please try again</h1></body></html>"
)


@dataclass(frozen=True)
class Caller:
    """Who asks, and for which page."""

    token_id: str | None = None
    scopes: tuple[str, ...] = ()
    page: int | None = None
    page_size: int | None = None


class System(Protocol):
    """A stand-in: turns requests into answers. All calls come from one thread."""

    name: str

    def caller(self, incoming: Incoming) -> Caller:
        """Who asks; reads nothing but the request."""

    def answer(self, incoming: Incoming, trouble: Trouble) -> Answer:
        """Carries the request out."""

    def failure(self, fault: Fault) -> Answer:
        """The answer of a ``STATUS`` or ``RATE_LIMITED`` fault in the system's own shape."""


class Doorway:
    """Stands between the HTTP server and one system.

    Args:
        system: who answers.
        rules: the running sandbox.
        journal: where requests are remembered; None if they are not.
        box: the faults in force.
        stopping: set when the servers stop, which ends every hanging answer.
    """

    def __init__(
        self,
        system: System,
        rules: Rules,
        journal: Journal | None,
        box: FaultBox,
        stopping: asyncio.Event,
    ) -> None:
        self._system = system
        self._rules = rules
        self._journal = journal
        self._box = box
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        incoming = await _read(scope, receive)
        caller = self._system.caller(incoming)
        trouble = Trouble(self._box, self._system.name, incoming, caller.page)
        at = self._rules.clock()
        if fault := trouble.claim(FaultKind.HANG):
            self._remember(at, incoming, caller, trouble, None)
            await self._hang(self._rules.hang_seconds if fault.seconds is None else fault.seconds, receive)
            return await _break_off(scope, receive)
        if trouble.claim(FaultKind.REQUEST_LOST):
            self._remember(at, incoming, caller, trouble, None)
            return await _break_off(scope, receive)
        answer = self._instead(trouble) or self._system.answer(incoming, trouble)
        lost = trouble.claim(FaultKind.ANSWER_LOST)
        cut = trouble.claim(FaultKind.CUT_BODY) if answer.body else None
        # Before the first byte leaves: who has the answer finds the request in the journal.
        self._remember(at, incoming, caller, trouble, None if lost else answer)
        if lost:
            return await _break_off(scope, receive)
        await self._send(answer, send, cut=cut is not None)
        if cut:
            # Closing, unlike aborting, first sends what was written.
            scope["sandbox.transport"].close()
            await _until_gone(receive)
        return None

    def _instead(self, trouble: Trouble) -> Answer | None:
        if trouble.claim(FaultKind.HTML_PAGE):
            return Answer(200, _HTML, {"Content-Type": "text/html; charset=utf-8"})
        fault = trouble.claim(FaultKind.STATUS, FaultKind.RATE_LIMITED)
        if fault is None:
            return None
        if fault.kind is FaultKind.STATUS and fault.html:
            return Answer(fault.status, _HTML, {"Content-Type": "text/html; charset=utf-8"})
        return self._system.failure(fault)

    async def _hang(self, seconds: float, receive: Receive) -> None:
        """Until the time is over, the client has gone, or the servers stop."""
        waits = [asyncio.create_task(self._stopping.wait()), asyncio.create_task(_until_gone(receive))]
        _, pending = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    def _remember(
        self, at: float, incoming: Incoming, caller: Caller, trouble: Trouble, answer: Answer | None
    ) -> None:
        if self._journal is None:
            return
        self._journal.add_request(
            system=self._system.name,
            at=at,
            method=incoming.method,
            path=incoming.path,
            query=str(incoming.query),
            page=caller.page,
            page_size=caller.page_size,
            token_id=caller.token_id,
            scopes=caller.scopes,
            status=answer.status if answer else None,
            error_id=answer.error_id if answer else None,
            body_size=len(answer.body) if answer else 0,
            fault=trouble.names,
        )

    async def _send(self, answer: Answer, send: Send, *, cut: bool) -> None:
        headers = {"Date": formatdate(self._rules.clock(), usegmt=True), **answer.headers}
        if answer.status != 204:
            headers["Content-Length"] = str(len(answer.body))
        encoded = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        body = answer.body[: len(answer.body) // 2] if cut else answer.body
        await send({"type": "http.response.body", "body": body, "more_body": cut})


async def _read(scope: Scope, receive: Receive) -> Incoming:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return Incoming(
        method=scope["method"],
        path=scope["path"],
        query=QueryParams(scope["query_string"]),
        headers=Headers(raw=scope["headers"]),
        body=body,
    )


async def _break_off(scope: Scope, receive: Receive) -> None:
    scope["sandbox.transport"].abort()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
