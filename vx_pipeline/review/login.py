"""Coming in and going out, and the name that decisions are signed with where nobody logs in."""

import threading
from urllib.parse import urlsplit

from starlette.responses import Response

from vx_pipeline import clock
from vx_pipeline.journal.audit import record_view
from vx_pipeline.review.access import came_from, check_password
from vx_pipeline.review.decide import take_name
from vx_pipeline.review.site import LONGEST_NAME, Visit

_LONGEST_PASSWORD = 1000
_CHECKS = threading.BoundedSemaphore(2)
"""A check takes 32 MB and a core for a moment; more at once would take the machine from those who are in."""
_PATIENCE_SECONDS = 5


def login_page(visit: Visit) -> Response:
    """The form."""
    if not visit.site.access.users or visit.user is not None:
        return visit.go(_own(visit.text("next", 500)))
    return visit.page("login.html", next=_own(visit.text("next", 500)), wrong="", name="")


def login_action(visit: Visit) -> Response:
    """Checks the password. After too many wrong ones there is a pause, whatever is typed."""
    access, tries = visit.site.access, visit.site.tries
    name, path = visit.text("name", LONGEST_NAME), _own(visit.text("next", 500))
    client = visit.request.client
    forwarded = visit.request.headers.get("x-forwarded-for", "")
    address = came_from(client.host if client else "", forwarded, access)
    pause = tries.begin(name, address, clock.now().timestamp())
    if pause:
        _note(visit, "login paused", name)
        wrong = f"Too many wrong passwords. Please wait {int(pause) + 1} seconds."
        return visit.page("login.html", 429, next=path, wrong=wrong, name=name)
    password = visit.form.get("password")
    if not _CHECKS.acquire(timeout=_PATIENCE_SECONDS):
        wrong = "Too many people log in at this moment. Please try again."
        return visit.page("login.html", 429, next=path, wrong=wrong, name=name)
    try:
        fits = isinstance(password, str) and check_password(access, name, password[:_LONGEST_PASSWORD])
    finally:
        _CHECKS.release()
    if not fits:
        _note(visit, "login refused", name)
        return visit.page("login.html", 401, next=path, wrong="Name or password is wrong.", name=name)
    tries.right(name, address)
    # A session from before must not become one that is logged in.
    visit.site.sessions.end(visit.request.session.get("login"))
    visit.request.session.clear()
    visit.request.session["login"] = visit.site.sessions.begin(name)
    _note(visit, "login", name)
    return visit.go(path)


def logout_action(visit: Visit) -> Response:
    """Ends the session."""
    _note(visit, "logout", visit.user or "")
    visit.site.sessions.end(visit.request.session.get("login"))
    visit.request.session.clear()
    return visit.go("/login" if visit.site.access.users else "/")


def name_page(visit: Visit) -> Response:
    """The name that decisions are signed with."""
    return visit.page("name.html", next=_own(visit.text("next", 500)))


def name_action(visit: Visit) -> Response:
    """Keeps another name."""
    take_name(visit)
    return visit.go(_own(visit.text("next", 500)))


def _note(visit: Visit, action: str, name: str) -> None:
    """Only names that exist: people type passwords into the wrong field."""
    actor = name if name in visit.site.access.users else "unknown"
    record_view(visit.journal, school="", actor=actor, action=action, subject="", at=visit.now)


def _own(path: str) -> str:
    """A path of this page; never another site's."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    safe = (
        path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and "\\" not in path
    )
    return path if safe else "/"
