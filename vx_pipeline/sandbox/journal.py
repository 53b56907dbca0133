"""What happened: every request and every write that landed. Tests prove their invariants on it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RequestEntry:
    """One request and how it was answered.

    Args:
        number: counts up over requests and writes together.
        system: ``veracross`` (the authorization server included) or ``orah``.
        at: epoch seconds of the sandbox's clock, when the request was complete.
        method: HTTP method.
        path: without the query.
        query: as sent.
        page: which page was asked for, said or by default: ``X-Page-Number`` (from 1), or in Orah's timelines
            ``page_index`` (from 0). None where it cannot be read or there are no pages.
        page_size: likewise.
        token_id: which token or key was used, never the secret; None if it is not one of ours.
        scopes: of the token; of a request for a token, those it asks for.
        status: None if no answer was sent.
        error_id: of Veracross's errors.
        body_size: bytes of the whole answer's body, even if it was cut.
        fault: the faults that took part, joined by blanks.
    """

    number: int
    system: str
    at: float
    method: str
    path: str
    query: str
    page: int | None
    page_size: int | None
    token_id: str | None
    scopes: tuple[str, ...]
    status: int | None
    error_id: str | None
    body_size: int
    fault: str


@dataclass(frozen=True)
class WriteEntry:
    """One change that a client made; what a teacher or the control address did is not one.

    Args:
        number: counts up over requests and writes together.
        system: ``veracross`` or ``orah``.
        at: epoch seconds of the sandbox's clock.
        entity: ``class_attendance``, or a model of Orah: ``student``, ``house``, ...
        action: ``create``, ``update``, ``delete`` or ``move``.
        target_id: id of the record.
        before: the fields it touched as they were; empty for a new record.
        after: the same fields afterwards; empty for a deleted record.
    """

    number: int
    system: str
    at: float
    entity: str
    action: str
    target_id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]


class Journal:
    """Filled by the servers' thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._requests: list[RequestEntry] = []
        self._writes: list[WriteEntry] = []

    @property
    def requests(self) -> tuple[RequestEntry, ...]:
        """All requests so far, in the order of their answers."""
        with self._lock:
            return tuple(self._requests)

    @property
    def writes(self) -> tuple[WriteEntry, ...]:
        """All writes so far."""
        with self._lock:
            return tuple(self._writes)

    @property
    def last_number(self) -> int:
        """The number of the latest entry; 0 before the first."""
        with self._lock:
            return self._number

    def clear(self) -> None:
        """Forgets the entries; numbers go on."""
        with self._lock:
            self._requests.clear()
            self._writes.clear()

    def add_request(self, **entry: Any) -> None:
        """Remembers a request; the arguments are those of :class:`RequestEntry` without its number."""
        with self._lock:
            self._number += 1
            self._requests.append(RequestEntry(number=self._number, **entry))

    def add_write(self, **entry: Any) -> None:
        """Remembers a write; the arguments are those of :class:`WriteEntry` without its number."""
        with self._lock:
            self._number += 1
            self._writes.append(WriteEntry(number=self._number, **entry))
