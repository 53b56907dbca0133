"""`vx doctor`: tries every scope, route, file and clock of a school and says what to do about each trouble."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from vx_pipeline.errors import ServiceError, VxError
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import ORAH_HOSTS
from vx_pipeline.veracross.contract import ENDPOINTS, UPDATE_CLASS_ATTENDANCE, Endpoint, WriteEndpoint
from vx_pipeline.veracross.probing import Standing
from vx_pipeline.warehouse.connection import open_warehouse

LARGEST_SKEW_SECONDS = 120


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
    routes = {
        "orah student/list": session.orah.students,
        "orah house/list": session.orah.houses,
        "orah location/tree": session.orah.locations,
    }
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
    region = session.school.orah_region
    override = bool(session.school.orah_api_url) and not session.school.sandbox
    yield _finding(
        "orah region",
        not override,
        f"{region}: {session.school.orah_url}",
        f"ORAH_API_URL is set and wins over the region ({ORAH_HOSTS[region]}); unset it unless you mean it.",
    )


def _labels(session: SchoolSession) -> Iterator[Finding]:
    """Whether the labels in the policies are labels of this school. Needs a first sync."""
    policy = session.school.policies.attendance
    try:
        with session.reading() as connection:
            labels = {
                row[0].strip().lower()
                for row in connection.execute(
                    """
                    SELECT label FROM veracross.value_list_items
                    WHERE collection = 'class_attendance' AND field = 'status' AND NOT coalesce(obsolete, FALSE)
                    """
                ).fetchall()
            }
    except (VxError, duckdb.Error):
        # Before the first sync there is nothing to look at.
        return
    for label in (policy.absent_status, policy.present_status):
        yield _finding(
            f"attendance label {label!r}",
            label.strip().lower() in labels,
            "in use" if label.strip().lower() in labels else "not a label of this school",
            f"Set policies.attendance to one of: {', '.join(sorted(labels))}.",
        )


def environment() -> str:
    """Which of the environment variables are set, by name; values are never shown."""
    names = ("VERACROSS_", "ORAH_", "SCHOOL_", "VX_", "DAGSTER_HOME")
    return ", ".join(sorted(name for name in os.environ if name.startswith(names))) or "none"
