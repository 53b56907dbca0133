"""Faults that a test orders: which requests they hit, and how often.

A fault hits requests of its `system` whose path matches `path` (a glob whose ``*`` also matches ``/``), and
whose method and page match where those are given. It lets the first `after` of them pass, then hits `times` of
them (None: all from then on). Without a `path` it hits every route but those of the authorization server.
Kinds that change a list, a page, a token or a write wait for a request that has one.

=================  ==========================================================================================
kind               what the client sees
=================  ==========================================================================================
RATE_LIMITED       429; `reset`: ``right``, ``past``, ``absent``, ``date`` (an HTTP date) or ``garbage``
STATUS             `status` (500) in the system's own error shape; with `html` a gateway's HTML page
HTML_PAGE          200 and an HTML page instead of JSON
TOKEN_EXPIRED      401: the token that is used expires (Veracross)
TOKEN_REVOKED      401: the token that is used is revoked (Veracross)
HANG               no answer for `seconds` (the sandbox's ``hang_seconds``), then the connection closes
REQUEST_LOST       the connection closes without an answer; nothing was done
ANSWER_LOST        the request is carried out, then the connection closes without an answer
CUT_BODY           the announced length is longer than what comes; the connection closes in the middle
NO_EFFECT          a write is answered as usual and changes nothing
EMPTY_LIST         the list holds nothing
SHRUNKEN_LIST      the list holds only its first `fraction`, in the order served
ROW_INSERTED       after page `page` a copy of the list's first row, with a new id, comes to stand before it
ROW_REMOVED        after page `page` the list's first row is deleted for good
DUPLICATED_ROW     the page's first row comes again at its end; with `field`, holding `value` there the 2nd time
FIELD_RENAMED      `field` is called `value` in every row
FIELD_RETYPED      `field` has another type in every row that has it: text becomes a list, the rest text
FIELD_DROPPED      no row has `field`
ROW_MUTATED        `field` of the row with `record_id` (without: the list's first row) holds `value`
=================  ==========================================================================================

What is answered instead of being carried out is not counted by the rate window. Lists span pages: a list fault
that shall hold for a whole read needs ``times=None``. `field` may be a dotted path, as ``block.id``.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class FaultKind(StrEnum):
    """What goes wrong; the table of this module says how."""

    RATE_LIMITED = "rate_limited"
    STATUS = "status"
    HTML_PAGE = "html_page"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_REVOKED = "token_revoked"
    HANG = "hang"
    REQUEST_LOST = "request_lost"
    ANSWER_LOST = "answer_lost"
    CUT_BODY = "cut_body"
    NO_EFFECT = "no_effect"
    EMPTY_LIST = "empty_list"
    SHRUNKEN_LIST = "shrunken_list"
    ROW_INSERTED = "row_inserted"
    ROW_REMOVED = "row_removed"
    DUPLICATED_ROW = "duplicated_row"
    FIELD_RENAMED = "field_renamed"
    FIELD_RETYPED = "field_retyped"
    FIELD_DROPPED = "field_dropped"
    ROW_MUTATED = "row_mutated"


TOKEN_KINDS = frozenset({FaultKind.TOKEN_EXPIRED, FaultKind.TOKEN_REVOKED})
SHIFTS = frozenset({FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED})
FIELD_KINDS = frozenset(
    {FaultKind.FIELD_RENAMED, FaultKind.FIELD_RETYPED, FaultKind.FIELD_DROPPED, FaultKind.ROW_MUTATED}
)
RESETS = frozenset({"right", "past", "absent", "date", "garbage"})


@dataclass(frozen=True)
class Fault:
    """One fault; the module's table says which kind reads which of the last fields.

    Args:
        kind: what goes wrong.
        system: ``veracross`` or ``orah``.
        path: glob on the path, e.g. ``*/students``; None for every data route.
        method: HTTP method; None for any.
        page: ``X-Page-Number`` (from 1; 1 where a request names none) or Orah's ``page_index`` (from 0).
        times: how many requests it hits; None for all from then on.
        after: how many it lets pass before.
        status: HTTP status of ``STATUS``.
        html: whether ``STATUS`` comes with HTML.
        reset: what ``X-Rate-Limit-Reset`` says.
        seconds: how long ``HANG`` hangs.
        fraction: what ``SHRUNKEN_LIST`` keeps.
        field: field path.
        value: new value or name.
        record_id: id of the row.
    """

    kind: FaultKind
    system: str = "veracross"
    path: str | None = None
    method: str | None = None
    page: int | None = None
    times: int | None = 1
    after: int = 0
    status: int = 500
    html: bool = False
    reset: str = "right"
    seconds: float | None = None
    fraction: float = 0.5
    field: str | None = None
    value: Any = None
    record_id: int | None = None

    def __post_init__(self) -> None:
        """Refuses a fault that could never do what it says.

        Raises:
            ValueError: a parameter is missing or makes no sense.
        """
        problems = {
            "there is no such kind": not isinstance(self.kind, FaultKind),
            "system is veracross or orah": self.system not in {"veracross", "orah"},
            "Orah has no tokens": self.system == "orah" and self.kind in TOKEN_KINDS,
            "a shift needs its page": self.kind in SHIFTS and self.page is None,
            "a field fault needs its field": self.kind in FIELD_KINDS and not self.field,
            "a new name is needed": self.kind is FaultKind.FIELD_RENAMED and not isinstance(self.value, str),
            "there is no such reset": self.reset not in RESETS,
            "fraction lies between 0 and 1": not 0 <= self.fraction < 1,
            "times is 1 or more, after 0 or more": (self.times is not None and self.times < 1)
            or self.after < 0,
        }
        found = [problem for problem, applies in problems.items() if applies]
        if found:
            raise ValueError("; ".join(found))

    def fits(self, system: str, method: str, path: str, page: int | None) -> bool:
        """Whether it is about such a request."""
        return (
            self.system == system
            and (fnmatchcase(path, self.path) if self.path is not None else "/oauth/" not in path)
            and self.method in {None, method}
            and (self.page is None or self.page == page)
        )


class FaultBox:
    """The faults in force, and how often each has been met."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._met: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Puts a fault into force."""
        with self._lock:
            self._met.append((fault, [0]))

    def clear(self) -> None:
        """Ends all faults."""
        with self._lock:
            self._met.clear()

    def claim(
        self, kinds: Collection[FaultKind], system: str, method: str, path: str, page: int | None
    ) -> list[Fault]:
        """The faults of these kinds that hit this request; each of them counts it."""
        hits = []
        with self._lock:
            for fault, met in self._met:
                if fault.kind in kinds and fault.fits(system, method, path, page):
                    met[0] += 1
                    past = met[0] - fault.after
                    if past > 0 and (fault.times is None or past <= fault.times):
                        hits.append(fault)
        return hits
