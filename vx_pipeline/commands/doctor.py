"""`vx doctor`: tries every scope, route, file and clock of a school and says what to do about each trouble."""

import os
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from vx_pipeline.commands.doctor_dagster import dagster_configuration
from vx_pipeline.commands.doctor_labels import each_known, known_labels
from vx_pipeline.commands.findings import Finding, finding
from vx_pipeline.errors import AccessError, NotFoundError, ServiceError, VxError
from vx_pipeline.orah.assumed import leave_of
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import ORAH_HOSTS
from vx_pipeline.veracross.contract import ENDPOINTS, UPDATE_CLASS_ATTENDANCE, Endpoint, WriteEndpoint
from vx_pipeline.veracross.probing import Standing
from vx_pipeline.warehouse.connection import open_warehouse

LARGEST_SKEW_SECONDS = 120

ROLLS, PASSES = "orah roll/timeline", "orah leave/get-single"
OPTIONAL = {
    ROLLS: "Rolls are not carried over; movements and passes are.",
    PASSES: "Passes are not carried over; movements alone tell who is away.",
}
"""Routes that a school may do without, and what it then goes without."""


def examine(session: SchoolSession) -> Iterator[Finding]:
    """Everything there is to try for one school, each finding as soon as it is known.

    Raises:
        ConfigurationError: the school's settings are not complete, so that there is nothing to try.
    """
    session.school  # noqa: B018 - settings that are wrong are told before anything is tried
    yield from _files(session)
    yield from dagster_configuration(session.settings)
    yield from _veracross(session)
    yield from _orah(session)
    yield from known_labels(session)
    yield finding("time zone", True, f"{session.school.timezone}: it is {session.now():%Y-%m-%d %H:%M} there")


def _trouble(what: str, error: VxError) -> Finding:
    if isinstance(error, AccessError) and what in OPTIONAL:
        return Finding(what, True, f"{error.what} {OPTIONAL[what]}")
    return Finding(what, False, error.what, error.remedy or "Run it again later.")


def _files(session: SchoolSession) -> Iterator[Finding]:
    home = session.settings.home
    private = not home.exists() or home.stat().st_mode & 0o077 == 0
    yield finding("folder", private, str(home.absolute()), f"Others may look into it: chmod 700 {home}")
    try:
        with open_warehouse(session.warehouse_path, wait_seconds=2):
            yield finding("warehouse", True, str(session.warehouse_path))
    except VxError as error:
        yield _trouble("warehouse", error)
    try:
        with session.journal.begin():
            yield finding("journal", True, "can be written")
    except VxError as error:
        yield _trouble("journal", error)
    except OSError as error:
        told = f"{error.strerror} ({error.filename})"
        yield finding("journal", False, told, "Look at the permissions of its folder.")


def _veracross(session: SchoolSession) -> Iterator[Finding]:
    skew: float | None = None
    endpoints: list[Endpoint | WriteEndpoint] = [*ENDPOINTS.values(), UPDATE_CLASS_ATTENDANCE]
    for endpoint in endpoints:
        probe = session.run(session.veracross.probe(endpoint))
        if probe.clock_skew_seconds is not None:
            skew = probe.clock_skew_seconds
        well = probe.standing is Standing.GRANTED
        yield Finding(endpoint.scope, well, probe.detail or probe.standing.value, probe.remedy)
        if probe.standing is Standing.UNREACHABLE and skew is None:
            # Nothing has answered yet, so the others would only say the same.
            return
    if skew is not None:
        yield finding(
            "clock",
            abs(skew) <= LARGEST_SKEW_SECONDS,
            f"{abs(skew):.0f} s apart from Veracross",
            "Set this machine's clock: tokens and cursors rest on it.",
        )


def _orah(session: SchoolSession) -> Iterator[Finding]:
    now = session.now()
    students, locations = "orah student/list", "orah location/tree"
    routes: dict[str, Callable[[], Coroutine[Any, Any, list[dict[str, Any]]]]] = {
        students: session.orah.students,
        "orah house/list": session.orah.houses,
        locations: session.orah.locations,
        "orah location-record/timeline": lambda: session.orah.movements(now - timedelta(hours=1), now),
        ROLLS: lambda: session.orah.rolls(now - timedelta(hours=1), now),
        PASSES: lambda: _any_pass(session),
    }
    if not session.school.policies.attendance.rolls:
        del routes[ROLLS]
    for what, read in routes.items():
        try:
            records = session.run(read())
        except ServiceError as error:
            # Asking takes long when nobody answers; one silent route speaks for the others.
            yield _trouble(what, error)
            break
        except VxError as error:
            yield _trouble(what, error)
        else:
            yield finding(what, True, f"{len(records)} records")
            if what == students and session.school.policies.contacts.synced:
                yield from _contacts(session, records)
            if what == locations:
                places = {str(place.get("name") or "").strip() for place in records}
                yield from each_known("away place", session.school.policies.attendance.away_places, places)
    region = session.school.orah_region
    told = f"{region}: {session.school.orah_url}"
    if session.school.orah_api_url and not session.school.sandbox:
        told += f". ORAH_API_URL wins over the region ({ORAH_HOSTS[region]}); unset it unless you mean it."
    yield finding("orah region", True, told)


async def _any_pass(session: SchoolSession) -> list[dict[str, Any]]:
    """A pass that a latest movement names, if there is one; otherwise the answer to an id that may name none."""
    named = [leave_of(movement) for movement in await session.orah.latest_movements()]
    try:
        return [await session.orah.leave(next((leave for leave in named if leave is not None), 1))]
    except NotFoundError:
        return []


def _contacts(session: SchoolSession, students: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Contacts are read student by student, so there has to be one to try it with."""
    what = "orah contact/list-by-student"
    for student in students[:1]:
        try:
            found = session.run(session.orah.contacts_of(student["id"]))
        except VxError as error:
            yield _trouble(what, error)
        else:
            yield finding(what, True, f"{len(found)} records of student {student['id']}")


def environment() -> str:
    """Which of the environment variables are set, by name; values are never shown."""
    names = ("VERACROSS_", "ORAH_", "SCHOOL_", "VX_", "DAGSTER_HOME")
    return ", ".join(sorted(name for name in os.environ if name.startswith(names))) or "none"
