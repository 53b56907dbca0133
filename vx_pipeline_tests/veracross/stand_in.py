"""A Veracross of one test: real HTTP on loopback, answering byte for byte what the test wants.

For the faults that no well-behaved server can produce: cut bodies, hangs, HTML, headers that make no sense.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from vx_pipeline.veracross import RateLimit, RetryPolicy, VeracrossClient

ROUTE = "stjames"
CLIENT_ID = "client-of-the-test"
SECRET = "s3cret-of-the-test&="
FAST = RetryPolicy(attempts=5, wait_initial=0.001, wait_max=0.002)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def page(self) -> int:
        return int(self.headers["x-page-number"])

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())

    @property
    def token(self) -> str:
        return self.headers["authorization"].removeprefix("Bearer ")


@dataclass(frozen=True)
class Answer:
    """What is sent, after ``delay`` seconds; ``cut`` closes in the middle, ``silent`` without a word."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False
    hang: bool = False
    drip: bool = False
    delay: float = 0.0

    def encode(self) -> tuple[bytes, bytes]:
        content = b"" if self.body is None else self.body
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        lines = [f"HTTP/1.1 {self.status} Answer", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), content


def rows(*records: Any) -> Answer:
    return Answer({"data": list(records)})


def people(first: int, last: int) -> list[dict[str, Any]]:
    """Records with the ids from first to last."""
    return [{"id": number, "last_name": f"Person{number}"} for number in range(first, last + 1)]


class StandIn:
    """Answers with what ``answer`` returns; hands out numbered tokens unless ``answer_token`` is replaced."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.answer_token: Callable[[Request], Answer] = self.give_token
        self.requests: list[Request] = []
        self.token_requests: list[Request] = []

    def give_token(self, request: Request) -> Answer:
        number = len(self.token_requests)
        return Answer(
            {"access_token": f"token-{number}", "expires_in": 3600, "scope": request.form["scope"][0]}
        )

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def client(self, **changes: Any) -> VeracrossClient:
        options: dict[str, Any] = {
            "school_route": ROUTE,
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "api_url": self.url,
            "accounts_url": self.url,
            "retry": FAST,
            "rate_limit": RateLimit(300, 0.05),
            "timeout_seconds": 1,
        }
        return VeracrossClient(**{**options, **changes})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                if request.path.endswith("/oauth/token"):
                    self.token_requests.append(request)
                    answer = self.answer_token(request)
                else:
                    self.requests.append(request)
                    answer = self.answer(request)
                await asyncio.sleep(answer.delay)
                if not await _send(writer, answer):
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client hung up, or the test is over
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Request(method, url.path, parse_qs(url.query), headers, body)


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> bool:
    """Sends the answer; whether the connection goes on."""
    if answer.silent:
        return False
    if answer.hang:
        await asyncio.sleep(3600)
    head, body = answer.encode()
    if answer.cut:
        writer.write(head + body[: len(body) // 2])
        await writer.drain()
        return False
    writer.write(head)
    for start in range(0, len(body), 1 if answer.drip else len(body) or 1):
        writer.write(body[start : start + 1] if answer.drip else body)
        await writer.drain()
        if answer.drip:
            await asyncio.sleep(0.02)
    return True


def with_stand_in(answer: Callable[[Request], Answer], use: Callable[[StandIn], Awaitable[None]]) -> StandIn:
    """Runs a test's coroutine beside its server, in an event loop of their own."""

    async def both() -> StandIn:
        async with StandIn(answer) as veracross:
            await use(veracross)
        return veracross

    return asyncio.run(both())
