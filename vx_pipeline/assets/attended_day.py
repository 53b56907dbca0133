"""What the run of one day reads of class attendance, and how it lands: all of it in one transaction, or none.

Attendance is one request for each class. A day asks its own classes. The run of today or of yesterday also asks
those that met in the days before, because a teacher may correct a mark long after the lesson, and so may a push.
A class that was read whole in the last days is asked for its changes alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb

from vx_pipeline import clock
from vx_pipeline.assets.partitions import is_newest, refuse_unknown_day
from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.journal.problems import YELLOW, Trouble
from vx_pipeline.session import SchoolSession
from vx_pipeline.veracross import ENDPOINTS, CompleteRead
from vx_pipeline.warehouse.class_reads import (
    DueReads,
    classes_with_rows,
    due_reads,
    forget_rejected,
    note_class_reads,
)
from vx_pipeline.warehouse.kinds import likely_record_id
from vx_pipeline.warehouse.landing import Landed, Scope, land_within
from vx_pipeline.warehouse.parents import attended_classes
from vx_pipeline.warehouse.reads import last_whole_read, note_read
from vx_pipeline.warehouse.tables import prepare_tables

MOST_UNREAD = 3
"""Classes of a run that may fail, as one does that was deleted since the night; more is a matter of the whole."""

_ENDPOINT = ENDPOINTS["class_attendance"]
_MEETINGS = ENDPOINTS["meeting_times"].collection.name
_MEETINGS_LAG = timedelta(days=1)
"""Meetings that were read so long before the day tell of it well enough."""


@dataclass(frozen=True)
class DayRead:
    """What the run of one day read and landed.

    Args:
        due: the classes that were asked, and how.
        reads: what came, whole classes first.
        empty: classes that came without any row where rows are stored: those rows stay as they were.
        landed: what the landing did; None when no class was to be asked.
        meetings_read_on: the day on which the meetings were read last; None where nobody noted it.
    """

    due: DueReads
    reads: tuple[CompleteRead, ...]
    empty: tuple[int, ...]
    landed: Landed | None
    meetings_read_on: date | None = None

    @property
    def requests(self) -> int:
        """Requests sent, retries included."""
        return sum(read.requests for read in self.reads)

    @property
    def unread(self) -> Mapping[int, str]:
        """Classes that were left out because they could not be read, and why; their rows stay as they were."""
        return {one: told for read in self.reads for one, told in read.unread.items()}

    def troubles(self, day: date) -> list[Trouble]:
        """What a run of the day leaves out, so that it does not look like a day on which all is well."""
        found = [
            Trouble(YELLOW, "class", one, f"its attendance was left out: {told}")
            for one, told in self.unread.items()
        ]
        if self.meetings_read_on is not None and self.meetings_read_on < day - _MEETINGS_LAG:
            told = f"class meetings were last read on {self.meetings_read_on}, so a class may not have been asked"
            found.append(Trouble(YELLOW, "meetings", 0, told))
        return found


def read_day(session: SchoolSession, day: date) -> DayRead:
    """Reads the classes of a day and lands all of it, or nothing.

    The warehouse is not open while the network is waited for.

    Raises:
        VxError: the day has not begun, the meetings were not read yet, or more than a few classes could not be
            read whole.
    """
    refuse_unknown_day(day, today=session.today())
    policies = session.school.policies
    with session.writing() as connection:
        classes = attended_classes(connection, first=_first_day(session, day), last=day)
        due = due_reads(
            connection, classes, now=session.now(), whole_read_days=policies.insights.whole_read_days
        )
        prepare_tables(connection, _ENDPOINT.collection)
        meetings_read_on = _read_on(session, connection)
    if not classes:
        return DayRead(due, (), (), None, meetings_read_on)
    read_at = session.now()
    reads = _read(session, due)
    unread = {one for read in reads for one in read.unread}
    if unread == set(classes):
        raise IncompleteReadError(
            f"None of the classes {', '.join(map(str, classes))} could be read.",
            kept="The last good table stays as it is.",
            remedy="Run again later.",
        )
    came = {likely_record_id(row.get("internal_class_id")) for row in reads[0].rows}
    with session.writing() as connection:
        empty = classes_with_rows(connection, set(due.whole) - unread - came)
        whole = [one for one in due.whole if one not in empty | unread]
        forget_rejected(connection, whole)
        landed = land_within(
            connection,
            _ENDPOINT.collection,
            [row for read in reads for row in read.rows],
            read_at=read_at,
            value_lists=[found for read in reads for found in read.value_lists],
            scope=Scope(
                "internal_class_id IN (SELECT unnest($classes::BIGINT[]))",
                {"classes": whole},
                part=f"the classes of {day}",
            ),
            # Emptiness is judged class by class, above.
            may_be_empty=True,
        )
        changes = set(due.changes) - unread
        note_class_reads(connection, whole=whole, changes=changes, read_at=read_at)
        if is_newest(day, today=session.today()):
            note_read(connection, _ENDPOINT.collection, clock.stored(read_at), whole=True)
    return DayRead(due, reads, tuple(sorted(empty)), landed, meetings_read_on)


def _first_day(session: SchoolSession, day: date) -> date:
    """From which day on classes are asked if they met: our own marks come back as far as they may be written."""
    policies = session.school.policies
    back = max(policies.insights.corrections_days, policies.attendance.days_back)
    return day - timedelta(days=back) if is_newest(day, today=session.today()) else day


def _read_on(session: SchoolSession, connection: duckdb.DuckDBPyConnection) -> date | None:
    read_at: datetime | None = last_whole_read(connection, _MEETINGS)
    return read_at and read_at.replace(tzinfo=UTC).astimezone(session.school.zone).date()


def _read(session: SchoolSession, due: DueReads) -> tuple[CompleteRead, ...]:
    whole = session.run(session.veracross.read(_ENDPOINT, parents=due.whole, may_fail=MOST_UNREAD))
    if due.changed_since is None:
        return (whole,)
    since = {"on_or_after_last_modified_date": due.changed_since.isoformat()}
    left = MOST_UNREAD - len(whole.unread)
    changes = session.veracross.read(_ENDPOINT, parents=due.changes, parameters=since, may_fail=left)
    return whole, session.run(changes)
