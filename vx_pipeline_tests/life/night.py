"""A quick night: the rooms that the nightly job calls, in its order, without Dagster around them.

Time stands still but for ticks, and goes on by a day from night to night, for the pipeline and both stand-ins
alike. A read that fails keeps what rests on it from being done, as a failed asset does in a run.
"""

import pickle
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline import clock
from vx_pipeline.assets.matching import link_houses, link_students
from vx_pipeline.assets.orah import READS
from vx_pipeline.assets.veracross import PARENTS, extract_and_land
from vx_pipeline.errors import VxError
from vx_pipeline.roster.derive import DERIVATIONS, build
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.veracross.contract import ENDPOINTS, Endpoint
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.life.records import LittleSchool
from vx_pipeline_tests.life.session import Clock, QuickSession
from vx_pipeline_tests.running import point_at

UNREAD = frozenset({"meeting_times", "class_attendance"})
"""Attendance has its own tests; the roster does not rest on these."""

GROUPS = frozenset({"staff_faculty", "classes", "enrollments", "athletics_rosters"})
FAMILIES = frozenset({"parents", "households", "relationships", "contact_info"})
"""Tables that may be quiet: not read again while nothing changes, because each read takes its time."""

_NIGHT = time(2)
_SETTLED = 2  # reads: the second is the one that says that a row is gone

PlanAndApply = Callable[[SchoolSession], Any]
"""What is done to Orah once everything was read and matched; its answer is kept in the night's record."""


def only_reading(session: SchoolSession) -> None:
    """Writes nothing: for what ends with the roster."""


@dataclass
class Night:
    """What came of a night.

    Args:
        failed: what went wrong, by step (``veracross.students``, ``roster.leavers``, ``matching``, ``sync``).
        skipped: the steps that were not done because they rest on one that failed.
        applied: what ``plan_and_apply`` answered; None if it came to nothing.
    """

    failed: dict[str, VxError] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    applied: Any = None

    def step(self, name: str, rests_on: tuple[str, ...], work: Callable[[], Any]) -> Any:
        """Does a step, unless something that it rests on was not done."""
        if any(source in self.failed or source in self.skipped for source in rests_on):
            self.skipped.add(name)
            return None
        try:
            return work()
        except VxError as trouble:
            self.failed[name] = trouble
            return None


class Life:
    """A school at work, night after night.

    Args:
        sandbox: both systems.
        clock: their time, and the pipeline's.
        session: the pipeline's way to them; the same one every night.
        plan_and_apply: what writes to Orah.
        quiet: tables that are not read again once two reads in a row brought the same.

    Attributes:
        known: what the reads of each quiet table brought, and how many in a row brought just that.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        clock: Clock,
        session: SchoolSession,
        plan_and_apply: PlanAndApply,
        quiet: Collection[str] = GROUPS,
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.session = session
        self.plan_and_apply = plan_and_apply
        self.quiet = quiet
        self.known: dict[str, tuple[bytes, int]] = {}

    @property
    def school(self) -> LittleSchool:
        """The live records."""
        assert isinstance(self.sandbox.school, LittleSchool)
        return self.sandbox.school

    def night(self) -> Night:
        """Lets a day go by and runs the nightly job."""
        self.clock.moment += timedelta(days=1)
        return self.run()

    def run(self) -> Night:
        """Runs the nightly job once more without letting time go by, as somebody with a button does."""
        served = {name: self._as_served(name) for name in self.quiet}
        settled = {name for name, content in served.items() if self.known.get(name) == (content, _SETTLED)}
        endpoints = [one for name, one in ENDPOINTS.items() if name not in UNREAD and name not in settled]
        night = run_night(self.session, self.plan_and_apply, endpoints)
        for name in set(served) - settled:
            before, times = self.known.pop(name, (b"", 0))
            if f"veracross.{name}" not in night.failed:
                self.known[name] = (served[name], times + 1 if before == served[name] else 1)
        return night

    def _as_served(self, table: str) -> bytes:
        faults = [fault for broken, fault in self.school.broken if broken == table]
        return pickle.dumps((self.school.veracross[ENDPOINTS[table].operation], faults))

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """A query's rows from the warehouse."""
        with self.session.reading() as connection:
            return connection.execute(query, list(parameters)).fetchall()


@contextmanager
def living(
    school: LittleSchool,
    home: Path,
    plan_and_apply: PlanAndApply = only_reading,
    quiet: Collection[str] = GROUPS,
) -> Iterator[Life]:
    """A school at work with a home of its own; it begins in the night of the school's today.

    Args:
        school: the school; it is changed by what happens.
        home: an empty folder.
        plan_and_apply: what writes to Orah.
        quiet: tables that are not read again once two reads in a row brought the same.
    """
    turned = Clock(datetime.combine(school.today, _NIGHT, school.zone))
    with pytest.MonkeyPatch.context() as patched, Sandbox(school=school) as sandbox:
        sandbox.clock = turned.epoch
        patched.setattr(clock, "now", turned.now)
        point_at(sandbox, home, patched)
        with QuickSession(load_settings(), SANDBOX) as session:
            yield Life(sandbox, turned, session, plan_and_apply, quiet)


def run_night(session: SchoolSession, plan_and_apply: PlanAndApply, endpoints: Iterable[Endpoint]) -> Night:
    """Reads these endpoints and Orah, derives, matches, plans and applies."""
    night = Night()
    for endpoint in endpoints:
        table = endpoint.collection.table
        parents = tuple(f"veracross.{parent}" for parent in PARENTS.get(table, ()))
        night.step(f"veracross.{table}", parents, partial(extract_and_land, session, endpoint))
    for table in READS:
        night.step(f"orah.{table}", (), partial(_read_orah, session, table))
    for derivation in DERIVATIONS:
        night.step(
            f"roster.{derivation.table}", derivation.sources, partial(_build, session, derivation.table)
        )
    night.step("matching.student_links", _STUDENT_SOURCES, partial(link_students, session))
    night.step("matching.house_links", ("roster.houses", "orah.houses"), partial(link_houses, session))
    night.applied = night.step("sync", _PLAN_SOURCES, partial(plan_and_apply, session))
    return night


_STUDENT_SOURCES = ("roster.students", "orah.students", "veracross.parents", "veracross.staff_faculty")
_PLAN_SOURCES = (
    *("roster.students", "roster.boarders", "roster.leavers", "roster.houses"),
    *("matching.student_links", "matching.house_links", "orah.students", "orah.houses"),
)


def _read_orah(session: SchoolSession, table: str) -> None:
    collection, read = READS[table]
    read_at = session.now()
    rows = session.run(_awaited(read(session.orah)))
    with session.landing() as connection:
        land(connection, collection, rows, read_at=read_at)


async def _awaited(answer: Any) -> Any:
    return await answer


def _build(session: SchoolSession, table: str) -> None:
    with session.writing() as connection:
        build(connection, table, session.school.policies, session.today())
