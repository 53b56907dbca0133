"""Which attendance rows a push looks at: those that Orah says something about, and those that we wrote before."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from vx_pipeline.attendance.looked_at import NOT_MET, Item
from vx_pipeline.attendance.missed import Meeting
from vx_pipeline.attendance.reading import OrahSays
from vx_pipeline.attendance.wanted import Outcome, Wanted
from vx_pipeline.journal.marks import OurMark, Place

DOUBT = timedelta(minutes=5)
"""How long the evidence of a mark must be missing before it is believed to be gone: one read may be short."""

_MISSING = "what the mark rests on is missing in Orah for the first time; it is changed if it stays away"

_OTHER_RECORD = "the student's link has moved to another record in Orah, which says nothing of this class"

_WEIGHT = {Outcome.ABSENT: 2, Outcome.LATE: 1, Outcome.PRESENT: 0}

Doubt = Callable[[int], timedelta]
"""How long the evidence of an attendance row has been missing; asking notes that it is missing now."""


@dataclass(frozen=True)
class Links:
    """Who in Orah is who in Veracross.

    Args:
        orah_ids: by student, the record in Orah, of links that nobody doubts.
        students: by record, the student, of the same links.
        contested: students whose link is in doubt.
        denied: pairs of student and record of which a person said that they are not the same.
        second: pairs of which a person said that the record is a second one of the student, to be merged in Orah.
    """

    orah_ids: Mapping[int, int]
    students: Mapping[int, int]
    contested: frozenset[int]
    denied: frozenset[tuple[int, int]] = frozenset()
    second: frozenset[tuple[int, int]] = frozenset()


def read_links(connection: duckdb.DuckDBPyConnection) -> Links:
    """The links as the last matching left them."""
    rows = connection.execute(
        "SELECT veracross_id, orah_id, contested IS NOT NULL FROM matching.student_links ORDER BY veracross_id"
    ).fetchall()
    sure = {student: orah_id for student, orah_id, contested in rows if not contested}
    return Links(
        sure,
        {orah_id: student for student, orah_id in sure.items()},
        frozenset(student for student, _, contested in rows if contested),
    )


def items(
    wanted: Iterable[Wanted],
    ours: Iterable[OurMark],
    meetings: Iterable[Meeting],
    *,
    says: OrahSays,
    links: Links,
    words: Mapping[Place, Mapping[str, str]],
    doubt: Doubt,
) -> list[Item]:
    """The rows to look at, one for each student, class, day and block.

    Args:
        wanted: what Orah says.
        ours: what we wrote on these days.
        meetings: the meetings that there are.
        says: what Orah showed.
        links: who is who.
        words: by place, what a page tells of the meeting; may hold names.
        doubt: asks how long evidence has been missing.
    """
    by_place: dict[Place, Wanted] = {}
    for one in sorted(wanted, key=lambda one: (_WEIGHT[one.outcome], one.share)):
        # Two meetings of a class in one block share a row, and the graver one counts.
        by_place[place_of(one.meeting)] = one
    # A row that we wrote is ours whichever record in Orah it was for: the link may be another one by now.
    before = {row_key(mark.place): mark for mark in ours}
    said = {row_key(place) for place in by_place}
    blocks: dict[tuple[int, int, date], set[str | None]] = defaultdict(set)
    for meeting in meetings:
        blocks[meeting.student_id, meeting.class_id, meeting.date].add(meeting.block_id)
    found = []
    left = [mark.place for row, mark in before.items() if row not in said]
    for place in sorted([*by_place, *left], key=_order):
        says_so, mark = by_place.get(place), before.get(row_key(place))
        if mark is None and says_so is not None and says_so.outcome is Outcome.PRESENT:
            # A row begins with present: reading the class of everybody who was there would cost dozens of requests.
            continue
        meets = blocks[place.student_id, place.class_id, place.attendance_date]
        leave, waits, asks = "", False, ""
        if mark is not None and (says_so is None or not says_so.is_said_by(mark.because.cause)):
            # What says something else now was evidently read, though others may not be understood in the same roll.
            before_now = set(mark.because.evidence).difference(says_so.evidence if says_so else ())
            leave = _why_left(mark, says_so, before_now, says=says, links=links, meets=meets)
            if not leave and not _was_wrong_link(mark.place, links) and not says.has_shown(before_now):
                waits = doubt(mark.mark.attendance_id) < DOUBT
            if says_so is None and _has_other_record(mark.place, links):
                asks = _OTHER_RECORD
        found.append(
            Item(
                place,
                says_so,
                mark,
                words.get(place, {}),
                _MISSING if waits else leave,
                waits=waits,
                asks=asks,
                moved=_has_moved(mark, meets, links),
                blocks=frozenset(meets - {place.block_id}),
            )
        )
    return found


def _has_moved(mark: OurMark | None, meets: Collection[str | None], links: Links) -> bool:
    """Whether the class meets in other blocks of the day now, and no longer where we wrote a mark."""
    if mark is None or not meets or _was_wrong_link(mark.place, links):
        return False
    return mark.place.block_id not in meets


def place_of(meeting: Meeting) -> Place:
    """The place in class attendance of a student's meeting."""
    return Place(meeting.student_id, meeting.orah_id, meeting.class_id, meeting.date, meeting.block_id)


def row_key(place: Place) -> tuple[int, int, date, str | None]:
    """Of which row a place tells, whichever record in Orah is the student's."""
    return place.student_id, place.class_id, place.attendance_date, place.block_id


def _why_left(
    mark: OurMark,
    says_so: Wanted | None,
    evidence: Collection[str],
    *,
    says: OrahSays,
    links: Links,
    meets: Collection[str | None],
) -> str:
    """Why a mark of ours stays although Orah says nothing or something else; empty where it follows Orah."""
    place = mark.place
    if _was_wrong_link(place, links):
        return ""
    if place.student_id in links.contested or place.student_id not in links.orah_ids:
        return "the student's link is in doubt or gone, so that nobody can tell"
    if says_so is None and (place.student_id, place.orah_id) in links.second:
        return "it was written for a second record of the same student, of which the other does not know"
    if not meets:
        return NOT_MET
    if says.cannot_tell(evidence):
        return "what the mark rests on was not read from Orah this time"
    return ""


def _was_wrong_link(place: Place, links: Links) -> bool:
    """Whether the record in Orah is known to be another student's, or not this one's."""
    owner = links.students.get(place.orah_id)
    denied = (place.student_id, place.orah_id) in links.denied
    return denied or (owner is not None and owner != place.student_id)


def _has_other_record(place: Place, links: Links) -> bool:
    """Whether the student has another record in Orah by now, and nobody said whose the earlier one is."""
    record = links.orah_ids.get(place.student_id)
    return record not in (None, place.orah_id) and not _was_wrong_link(place, links)


def _order(place: Place) -> tuple[int, str, str, int, int]:
    # A block may be unknown, and None has no order.
    return (
        place.class_id,
        place.attendance_date.isoformat(),
        place.block_id or "",
        place.student_id,
        place.orah_id,
    )
