"""What all pages share: where the journal is, who asks, and how an answer is made."""

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from vx_pipeline import clock
from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import standing_answers
from vx_pipeline.journal.audit import record_view
from vx_pipeline.journal.mark_counts import count_waiting_marks
from vx_pipeline.journal.plans import StoredPlan
from vx_pipeline.review import words
from vx_pipeline.review.access import AccessSettings, Sessions, Tries
from vx_pipeline.review.directory import Directories, Directory
from vx_pipeline.review.newest import CurrentPlans
from vx_pipeline.review.plans import waiting_steps
from vx_pipeline.review.security import csrf_token, is_csrf_token

LONGEST_NAME = 60
_MOST_FIELDS = 50_000


@dataclass(frozen=True)
class Site:
    """The running page.

    Args:
        journal: where cases are read and decisions written.
        schools: the schools' keys and time zones.
        days_back: by school, its edit window for attendance.
        access: who may come in.
        templates: the pages.
        directories: the people of each school, kept in memory.
        current_plans: the plans of each school that are in force, kept in memory.
        tries: passwords that were tried.
        sessions: who is logged in.
    """

    journal: Journal
    schools: Mapping[str, ZoneInfo]
    days_back: Mapping[str, int]
    access: AccessSettings
    templates: jinja2.Environment
    directories: Directories
    current_plans: CurrentPlans
    tries: Tries
    sessions: Sessions


class Visit:
    """One request: who asks, about which school, with which form."""

    def __init__(self, site: Site, request: Request, form: FormData) -> None:
        self.site = site
        self.request = request
        self.form = form
        self.now = clock.now()
        self.school: str = request.path_params.get("school", "")
        if self.school and self.school not in site.schools:
            raise HTTPException(404)

    @property
    def journal(self) -> Journal:
        """The journal."""
        return self.site.journal

    @property
    def directory(self) -> Directory:
        """The people of the school, as its newest run saw them."""
        return self.site.directories.of(self.journal, self.school)

    @cached_property
    def current_plans(self) -> tuple[StoredPlan, ...]:
        """The school's plans in force, newest first: that of the whole school, and later ones about less."""
        return self.site.current_plans.of(self.journal, self.school)

    @cached_property
    def newest_plan(self) -> StoredPlan | None:
        """The plan to look at: one that waits for a person, that of the whole school first; None before any."""
        plans = sorted(self.current_plans, key=lambda plan: plan.purpose != "sync")
        waits = (plan for plan in plans if plan.hold_reason or self._waiting[plan.plan_id])
        return next(waits, next(iter(plans), None))

    @cached_property
    def waiting_steps(self) -> int:
        """How many changes of the plans in force wait for a person."""
        return sum(self._waiting.values())

    @cached_property
    def waiting_marks(self) -> int:
        """How many questions about marks nobody has answered."""
        return count_waiting_marks(self.journal, self.school)

    @cached_property
    def _waiting(self) -> dict[str, int]:
        plans = self.current_plans
        if not any(plan.held_steps for plan in plans):
            return dict.fromkeys((plan.plan_id for plan in plans), 0)
        answers = standing_answers(self.journal, self.school)
        return {plan.plan_id: waiting_steps(plan, answers) for plan in plans}

    def waiting_elsewhere(self, plan: StoredPlan) -> list[StoredPlan]:
        """Other plans in force of which something waits."""
        return [
            one for one in self.current_plans if one.plan_id != plan.plan_id and self._waiting[one.plan_id]
        ]

    def is_current(self, plan: StoredPlan) -> bool:
        """Whether no other plan took this one's place."""
        return any(one.plan_id == plan.plan_id for one in self.current_plans)

    @property
    def user(self) -> str | None:
        """Who logged in. The login ends when they log out, and when the page is started anew."""
        name = self.site.sessions.user(self.request.session.get("login", ""))
        return name if name in self.site.access.users else None

    @property
    def named(self) -> bool:
        """Whether we know who decides: by login, or because they told their name."""
        return self.user is not None or bool(self.request.session.get("name"))

    @property
    def actor(self) -> str:
        """Who asks; the name of the system's account until another one is told."""
        return self.user or self.request.session.get("name") or _account()

    def text(self, name: str, longest: int = 200) -> str:
        """A field of the form, or of the query where there is no form; empty when it is missing."""
        found = self.form.get(name) if self.request.method == "POST" else self.request.query_params.get(name)
        return found.strip()[:longest] if isinstance(found, str) else ""

    def number(self, name: str) -> int | None:
        """A whole number of the form or the query; None when it is missing.

        Raises:
            HTTPException: it is something else.
        """
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise HTTPException(400)
        return int(text)

    def path_number(self, name: str) -> int:
        """A whole number of the path.

        Raises:
            HTTPException: it is something else, or larger than any id.
        """
        text = str(self.request.path_params[name])
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise HTTPException(404)
        return int(text)

    @property
    def here(self) -> str:
        """The address of this page with its query, to come back to."""
        return _path_and_query(self.request)

    def at(self, *path: object, **query: object) -> str:
        """The address of one of the school's pages. Empty parts of the query are left out."""
        return address(self.school, *path, **query)

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page from a template."""
        common = {"visit": self, "words": words, "message": self._message(), "csrf": csrf_token(self.request)}
        text = self.site.templates.get_template(template).render(common | context)
        return HTMLResponse(text, status)

    def tell(self, **message: object) -> None:
        """Leaves a message for the school's next page. It travels in a cookie, so it holds ids, never names."""
        self.request.session["message"] = {"school": self.school, **message}

    def _message(self) -> Any:
        """The message that was left for this school; another school's waits for its own pages."""
        message = self.request.session.get("message")
        if not isinstance(message, dict) or not self.school or message.get("school") != self.school:
            return None
        return self.request.session.pop("message")

    def go(self, path: str) -> Response:
        """Sends the browser on to another page."""
        return RedirectResponse(path, 303)

    def note(self, action: str, subject: str) -> None:
        """Notes in the audit what was looked at or done."""
        record_view(
            self.journal, school=self.school, actor=self.actor, action=action, subject=subject, at=self.now
        )

    def ago(self, at: datetime) -> str:
        """How long ago a moment was."""
        return words.ago(at, self.now)

    def moment(self, at: datetime) -> str:
        """A moment in the school's own time."""
        return words.moment(at, self.site.schools[self.school])


def address(school: str, *path: object, **query: object) -> str:
    """The address of a school's page."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    place = "/" + "/".join(str(part) for part in (school, *path))
    return f"{place}?{urlencode(kept)}" if kept else place


Handler = Callable[[Visit], Response]


def page(handler: Handler, *, public: bool = False) -> Callable[[Request], Any]:
    """An endpoint from a plain function: the form read and proven ours, the login asked for.

    Args:
        handler: answers a visit; runs in a thread, because it waits for the database.
        public: whether it is there for those who have not logged in.
    """

    async def endpoint(request: Request) -> Response:
        visit = Visit(request.app.state.site, request, FormData())
        # Before the form is read: a stranger's may be long.
        if visit.site.access.users and not public and visit.user is None:
            wanted = visit.here if request.method == "GET" else "/"
            return RedirectResponse(f"/login?{urlencode({'next': wanted})}", 303)
        if request.method == "POST":
            visit.form = await request.form(max_fields=_MOST_FIELDS, max_files=0)
            token = visit.form.get("csrf")
            if not isinstance(token, str) or not is_csrf_token(request, token):
                raise HTTPException(403)
        return await run_in_threadpool(handler, visit)

    return endpoint


def _path_and_query(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _account() -> str:
    """The system's name for whoever started the page."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
