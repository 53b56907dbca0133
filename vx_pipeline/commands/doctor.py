"""`vx doctor`: tries every scope, route, file and clock of a school and says what to do about each trouble."""

import os
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb

from vx_pipeline.attendance.mapping import named_labels
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

STATUSES = """
    SELECT DISTINCT trim(label) FROM veracross.value_list_items
    WHERE collection = 'class_attendance' AND field = 'status' AND NOT coalesce(obsolete, FALSE)
"""
ROLES = """
    SELECT DISTINCT trim(unnest(string_split(roles, ','))) FROM veracross.students WHERE _missing_since IS NULL
"""
GRADES = """
    SELECT DISTINCT trim(grade_level_label) FROM veracross.students
    UNION
    SELECT trim(label) FROM veracross.value_list_items
    WHERE collection = 'students' AND field = 'grade_level' AND NOT coalesce(obsolete, FALSE)
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. ``remedy`` is empty when all is well."""

    what: str
    well: bool
    told: str
    remedy: str = ""


def examine(session: SchoolSession) -> Iterator[Finding]:
    """Everything there is to try for one school, each finding as soon as it is known.

    Raises:
        ConfigurationError: the school's settings are not complete, so that there is nothing to try.
    """
    session.school  # noqa: B018 - settings that are wrong are told before anything is tried
    yield from _files(session)
    yield from _veracross(session)
    yield from _orah(session)
    yield from _labels(session)
    yield _finding(
        "time zone", True, f"{session.school.timezone}: it is {session.now():%Y-%m-%d %H:%M} there"
    )


def _finding(what: str, well: bool, told: str, remedy: str = "") -> Finding:
    return Finding(what, well, told, "" if well else remedy)


def _trouble(what: str, error: VxError) -> Finding:
    if isinstance(error, AccessError) and what in OPTIONAL:
        return Finding(what, True, f"{error.what} {OPTIONAL[what]}")
    return Finding(what, False, error.what, error.remedy or "Run it again later.")


def _files(session: SchoolSession) -> Iterator[Finding]:
    home = session.settings.home
    private = not home.exists() or home.stat().st_mode & 0o077 == 0
    yield _finding("folder", private, str(home.absolute()), f"Others may look into it: chmod 700 {home}")
    try:
        with open_warehouse(session.warehouse_path, wait_seconds=2):
            yield _finding("warehouse", True, str(session.warehouse_path))
    except VxError as error:
        yield _trouble("warehouse", error)
    try:
        with session.journal.begin():
            yield _finding("journal", True, "can be written")
    except VxError as error:
        yield _trouble("journal", error)
    except OSError as error:
        told = f"{error.strerror} ({error.filename})"
        yield _finding("journal", False, told, "Look at the permissions of its folder.")


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
        yield _finding(
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
            yield _finding(what, True, f"{len(records)} records")
            if what == students and session.school.policies.contacts.synced:
                yield from _contacts(session, records)
            if what == locations:
                places = {str(place.get("name") or "").strip() for place in records}
                yield from _each_known("away place", session.school.policies.attendance.away_places, places)
    region = session.school.orah_region
    told = f"{region}: {session.school.orah_url}"
    if session.school.orah_api_url and not session.school.sandbox:
        told += f". ORAH_API_URL wins over the region ({ORAH_HOSTS[region]}); unset it unless you mean it."
    yield _finding("orah region", True, told)


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
            yield _finding(what, True, f"{len(found)} records of student {student['id']}")


def _labels(session: SchoolSession) -> Iterator[Finding]:
    """Whether the labels in the policies are labels of this school, as far as a sync has read them."""
    policies = session.school.policies
    try:
        with session.reading() as connection:
            statuses = _read_labels(connection, STATUSES)
            roles = _read_labels(connection, ROLES)
            grades = _read_labels(connection, GRADES)
    except VxError:
        # Before the first sync there is nothing to look at; a broken file was told above.
        return
    yield from _each_known("attendance label", named_labels(policies.attendance), statuses)
    yield from _each_known("grade", policies.grades, grades)
    if roles:
        active = _folded(policies.active_roles) & _folded(roles)
        yield _finding(
            "active roles",
            bool(active),
            ", ".join(sorted(active)) or "no student has one of them, so every student would count as left",
            f"Set policies.active_roles to some of: {', '.join(sorted(roles))}.",
        )


def _each_known(what: str, labels: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """A finding for each label; none where nothing is known yet."""
    for label in labels if known else ():
        yield _finding(
            f"{what} {label!r}",
            bool(_folded([label]) & _folded(known)),
            "in use" if _folded([label]) & _folded(known) else "not known in this school",
            f"Correct it in the policies. There are: {', '.join(sorted(known))}.",
        )


def _folded(labels: Iterable[str]) -> set[str]:
    return {label.strip().lower() for label in labels}


def _read_labels(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    """The labels that a query finds; none where its table was not read yet."""
    try:
        return {label for (label,) in connection.execute(query).fetchall() if label}
    except duckdb.CatalogException:
        return set()


def environment() -> str:
    """Which of the environment variables are set, by name; values are never shown."""
    names = ("VERACROSS_", "ORAH_", "SCHOOL_", "VX_", "DAGSTER_HOME")
    return ", ".join(sorted(name for name in os.environ if name.startswith(names))) or "none"
