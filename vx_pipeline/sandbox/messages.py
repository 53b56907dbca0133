"""What goes in and out of every stand-in: requests, answers, refusals, and which route a request means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.datastructures import Headers, QueryParams
from starlette.routing import compile_path

T = TypeVar("T")
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Incoming:
    """A request whose body was read whole."""

    method: str
    path: str
    query: QueryParams
    headers: Headers
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if the request names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def bearer(self) -> str | None:
        """The bearer token of the request, if it has one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None


@dataclass(frozen=True)
class Answer:
    """A whole answer; `error_id` repeats what stands in the body, for the journal."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error_id: str | None = None


def json_answer(
    status: int, content: Any, *, headers: Mapping[str, str] | None = None, error_id: str | None = None
) -> Answer:
    """An answer with a JSON body."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return Answer(status, body, {"Content-Type": JSON_TYPE, **(headers or {})}, error_id)


class Refusal(Exception):  # noqa: N818 - the field's word; nothing went wrong here
    """A request that gets an error; each system puts it into its own shape.

    Args:
        status: HTTP status.
        message: for a person.
        code: the machine-readable ``error`` of OAuth answers.
    """

    def __init__(self, status: int, message: str, *, code: str = "invalid_request") -> None:
        self.status = status
        self.message = message
        self.code = code
        super().__init__(message)


class Router(Generic[T]):
    """Finds what stands behind a method and a path, with Starlette's path patterns."""

    def __init__(self, routes: Mapping[tuple[str, str], T]) -> None:
        self._routes = []
        for (method, path), target in routes.items():
            pattern, _, convertors = compile_path(path)
            self._routes.append((method, pattern, convertors, target))

    def find(self, method: str, path: str) -> tuple[T, dict[str, Any]]:
        """The target and the path's parameters.

        Raises:
            Refusal: 404 if no route has the path, 405 if one has, for another method.
        """
        known_path = False
        for allowed, pattern, convertors, target in self._routes:
            if match := pattern.match(path):
                if method == allowed:
                    found = match.groupdict()
                    return target, {name: convertors[name].convert(text) for name, text in found.items()}
                known_path = True
        if known_path:
            raise Refusal(405, f"{method} is not allowed here.")
        raise Refusal(404, "There is nothing at this path.")
