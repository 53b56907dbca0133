"""The application: routes, templates, sessions, and the pages for what goes wrong."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from vx_pipeline.errors import ServiceError, VxError
from vx_pipeline.insights.pictures import STYLE_SHEET
from vx_pipeline.journal import Journal
from vx_pipeline.review import (
    approving,
    attendance_pages,
    bulk,
    case,
    decide,
    finding,
    login,
    mark_pages,
    overview,
    past,
    person,
    plan_pages,
    queue,
    troubles,
    why,
)
from vx_pipeline.review.access import AccessSettings, Sessions, Tries, is_loopback
from vx_pipeline.review.directory import Directories
from vx_pipeline.review.newest import CurrentPlans
from vx_pipeline.review.security import LOOPBACK_HOSTS, STATIC, Guard
from vx_pipeline.review.site import Handler, Site, page

_FOLDER = Path(__file__).parent
_SESSION_SECONDS = 12 * 3600

TROUBLES = {
    400: ("That did not make sense", "The address or the form asks for something that cannot be."),
    403: ("This form is not valid any more", "Nothing was written. Load the page again, and try anew."),
    404: (
        "There is no such page",
        "It may have been there before the last run, or the address has a slip in it.",
    ),
    405: ("That is not how it works", "This address takes another kind of request."),
    413: ("That is too long", "Nothing was written. The form holds more than any form of this page does."),
    421: (
        "Not under this name",
        "The review page is not served under this name. Use the address that it printed.",
    ),
    500: ("Something went wrong here", "What was decided before is kept. The log says where it happened."),
    503: ("The journal cannot be reached", "Nothing was written. Try again in a moment."),
}


def create_app(
    journal: Journal,
    schools: Mapping[str, ZoneInfo],
    *,
    days_back: Mapping[str, int],
    signing_key: str,
    access: AccessSettings | None = None,
    host: str = "127.0.0.1",
) -> ASGIApp:
    """The review page as an ASGI application.

    Args:
        journal: the open journal.
        schools: the schools' keys and time zones.
        days_back: by school, its edit window for attendance.
        signing_key: signs the session cookies.
        access: who may come in; nobody has to log in without it.
        host: the address that it will listen on.
    """
    access = access if access is not None else AccessSettings(users={}, hosts=())
    local = is_loopback(host)
    kept = (Directories(), CurrentPlans(), Tries(), Sessions())
    site = Site(journal, schools, days_back, access, _templates(), *kept)
    session = Middleware(
        SessionMiddleware,
        secret_key=signing_key,
        session_cookie="vx_review",
        max_age=_SESSION_SECONDS,
        same_site="strict",
        # Where there is a public name, there is a proxy with TLS before it.
        https_only=bool(access.hosts) or not local,
    )
    app = Starlette(routes=_routes(), middleware=[session])
    app.state.site = site
    app.add_exception_handler(HTTPException, _on_status)
    app.add_exception_handler(VxError, _on_error)
    # Makes the page; the guard then writes into the log where it happened, and no more.
    app.add_exception_handler(Exception, _on_status)
    hosts = (
        LOOPBACK_HOSTS | {host.strip("[]").lower(), *access.hosts}
        if local
        else frozenset(access.hosts) or None
    )
    return Guard(app, hosts=hosts, trouble=lambda request, status: _trouble(site, status))


def _routes() -> list[BaseRoute]:
    def get(path: str, handler: Handler, *, public: bool = False) -> Route:
        return Route(path, page(handler, public=public), methods=["GET"])

    def post(path: str, handler: Handler, *, public: bool = False) -> Route:
        return Route(path, page(handler, public=public), methods=["POST"])

    return [
        Route(f"{STATIC}/{STYLE_SHEET.name}", _colours_of_pictures, methods=["GET"]),
        Mount(STATIC, StaticFiles(directory=_FOLDER / "static")),
        get("/", overview.schools_page),
        get("/login", login.login_page, public=True),
        post("/login", login.login_action, public=True),
        post("/logout", login.logout_action),
        get("/name", login.name_page),
        post("/name", login.name_action),
        get("/{school}/", overview.overview_page),
        get("/{school}/queue", queue.queue_page),
        get("/{school}/case/{case_id}", case.case_page),
        get("/{school}/case/{case_id}/decide", decide.confirm_page),
        post("/{school}/case/{case_id}/decide", decide.decide_action),
        get("/{school}/groups", bulk.groups_page),
        get("/{school}/groups/look", bulk.group_page),
        post("/{school}/groups/confirm", bulk.confirm_group_page),
        post("/{school}/groups/decide", bulk.decide_group_action),
        get("/{school}/search", finding.search_page),
        get("/{school}/search.json", finding.search_json),
        get("/{school}/decisions", past.decisions_page),
        get("/{school}/decisions/{number}/undo", past.undo_page),
        post("/{school}/decisions/{number}/undo", past.undo_action),
        get("/{school}/plan", plan_pages.newest_plan_page),
        post("/{school}/plan/confirm", approving.confirm_answer_page),
        post("/{school}/plan/answer", approving.answer_action),
        get("/{school}/plan/{plan_id}", plan_pages.plan_page),
        get("/{school}/plans", plan_pages.plans_page),
        get("/{school}/attendance", attendance_pages.attendance_page),
        get("/{school}/attendance/marks", mark_pages.marks_page),
        get("/{school}/attendance/marks/confirm", mark_pages.confirm_marks_page),
        post("/{school}/attendance/marks/confirm", mark_pages.confirm_marks_page),
        post("/{school}/attendance/marks/answer", mark_pages.answer_marks_action),
        get("/{school}/attendance/house", attendance_pages.house_page),
        get("/{school}/attendance/student/{student_id}", attendance_pages.student_page),
        get("/{school}/problems", troubles.problems_page),
        get("/{school}/pins/{number}/end", troubles.end_pin_page),
        post("/{school}/pins/{number}/end", troubles.end_pin_action),
        get("/{school}/person/{system}/{person_id}", person.person_page),
        get("/{school}/why/{system}/{person_id}", why.why_page),
        get("/{school}/person/{system}/{person_id}/decide", decide.confirm_page),
        post("/{school}/person/{system}/{person_id}/decide", decide.decide_action),
        post("/{school}/person/{system}/{person_id}/pin", troubles.pin_action),
    ]


async def _colours_of_pictures(request: Request) -> Response:
    return FileResponse(STYLE_SHEET)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _trouble(site: Site, status: int, error: VxError | None = None) -> Response:
    title, text = TROUBLES.get(status, TROUBLES[500])
    template = site.templates.get_template("trouble.html")
    return HTMLResponse(template.render(title=title, text=text, error=error), status)


async def _on_status(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _trouble(request.app.state.site, status)


async def _on_error(request: Request, error: Exception) -> Response:
    status = 503 if isinstance(error, ServiceError) else 400
    return _trouble(request.app.state.site, status, error if isinstance(error, VxError) else None)
