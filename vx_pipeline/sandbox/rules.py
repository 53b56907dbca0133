"""What every stand-in is given: the school, the rules that a test may change while it runs, and the journal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from vx_pipeline.sandbox.journal import Journal
from vx_pipeline.sandbox.school import School

GRANTABLE_SCOPES = (
    "academics.classes.meeting_times:list",
    "academics.enrollments:list",
    "athletics.rosters:list",
    "boarding.dorms.students:list",
    "boarding.dorms:list",
    "classes.attendance:list",
    "classes.attendance:update",
    "classes:list",
    "contact_info:list",
    "households:list",
    "parents:list",
    "relationships:list",
    "staff_faculty:list",
    "students:list",
)
"""The scopes that a school grants for this integration. Source: Veracross's article on it."""


@dataclass(frozen=True)
class Credentials:
    """What a client needs to be let in; made anew for every sandbox."""

    client_id: str
    client_secret: str = field(repr=False)
    orah_api_key: str = field(repr=False)


class Rules(Protocol):
    """The part of a running sandbox that the stand-ins rest on. Read at each request, so it may change.

    Args:
        school: the live records.
        clock: epoch seconds; tests may turn it.
        credentials: what is let in.
        journal: where requests and writes are remembered.
        granted_scopes: what the school granted to the OAuth application.
        orah_forbidden: resources of Orah (``student``, ``house``, ...) that the key may not touch.
        token_life_seconds: how long a new token lives.
        rate_limit: requests in a window.
        rate_window_seconds: length of the window that a token's first request opens.
        hang_seconds: how long a hanging answer hangs, unless the fault says.
    """

    school: School
    clock: Callable[[], float]
    credentials: Credentials
    journal: Journal
    granted_scopes: set[str]
    orah_forbidden: set[str]
    token_life_seconds: float
    rate_limit: int
    rate_window_seconds: float
    hang_seconds: float
