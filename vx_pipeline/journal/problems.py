"""What is wrong, from the run that first met it until the run that did not any more.

Yellow: an item was left out and the sync went on. Red: the sync stopped. Each source of troubles tells all that it
finds; what it does not find any more is closed. Somebody is alerted once for each change of state, not every night.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.sync_tables import problems

YELLOW, RED = "yellow", "red"


@dataclass(frozen=True)
class Trouble:
    """Something wrong that a run met.

    Args:
        colour: ``yellow`` or ``red``.
        entity: kind of record, or ``run`` for the sync itself.
        key: its Veracross id; 0 where it is about no record.
        reason: in plain words, without names.
    """

    colour: str
    entity: str
    key: int
    reason: str


@dataclass(frozen=True)
class Problem:
    """A trouble in time. ``times`` counts the runs that met it; ``closed_at`` is None while it lasts."""

    number: int
    source: str
    colour: str
    entity: str
    key: int
    reason: str
    opened_at: datetime
    seen_at: datetime
    times: int
    closed_at: datetime | None

    @property
    def told(self) -> str:
        """The problem in words, with ids alone."""
        about = f"{self.entity} {self.key}" if self.key else self.entity
        return f"{about}: {self.reason}"


@dataclass(frozen=True)
class News:
    """What changed between two runs: somebody is told about this, and about nothing else."""

    opened: tuple[Problem, ...]
    closed: tuple[Problem, ...]


def record_troubles(
    journal: Journal, school: str, source: str, found: Sequence[Trouble], *, at: datetime
) -> News:
    """Takes in all that a source found in one run: opens, keeps and closes problems.

    Two troubles of one source about the same record are one problem; it is red if either is.
    """
    wanted: dict[tuple[str, int], Trouble] = {}
    for trouble in sorted(found, key=lambda one: (one.entity, one.key, one.colour != RED, one.reason)):
        wanted.setdefault((trouble.entity, trouble.key), trouble)
    opened, closed = [], []
    with journal.begin_alone() as connection:
        lasting = {(one.entity, one.key): one for one in _open(connection, school, source)}
        for place, problem in lasting.items():
            if place not in wanted or wanted[place].colour != problem.colour:
                _change(connection, problem, closed_at=at)
                closed.append(problem)
        for place, trouble in wanted.items():
            before = lasting.get(place)
            if before is not None and before.colour == trouble.colour:
                _change(connection, before, seen_at=at, times=before.times + 1, reason=trouble.reason)
                continue
            values = {"source": source, **vars(trouble), "opened_at": at, "seen_at": at, "times": 1}
            inserted = connection.execute(
                insert(problems).values(school=school, **values)
            ).inserted_primary_key
            assert inserted is not None
            opened.append(Problem(number=int(inserted[0]), closed_at=None, **values))
    return News(tuple(opened), tuple(closed))


def open_problems(journal: Journal, school: str) -> list[Problem]:
    """What is wrong now, red first, then the oldest."""
    with journal.begin() as connection:
        found = _open(connection, school)
    return sorted(found, key=lambda one: (one.colour != RED, one.opened_at, one.number))


def _open(connection: Connection, school: str, source: str | None = None) -> list[Problem]:
    query = select(problems).where(problems.c.school == school, problems.c.closed_at.is_(None))
    if source is not None:
        query = query.where(problems.c.source == source)
    return [
        Problem(**{name: row[name] for name in Problem.__dataclass_fields__})
        for row in connection.execute(query.order_by(problems.c.number)).mappings()
    ]


def _change(connection: Connection, problem: Problem, **values: object) -> None:
    connection.execute(update(problems).where(problems.c.number == problem.number).values(**values))
