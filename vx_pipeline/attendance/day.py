"""One day's push, from what Orah says to what became of each row."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from vx_pipeline.attendance.absences import Away
from vx_pipeline.attendance.days import Days, days_away
from vx_pipeline.attendance.items import Links, items, place_of, row_key
from vx_pipeline.attendance.judging import Item, Update
from vx_pipeline.attendance.missed import Meeting, next_due
from vx_pipeline.attendance.push import push_marks
from vx_pipeline.attendance.reading import OrahReader
from vx_pipeline.attendance.wanted import Wanted, wanted_marks
from vx_pipeline.attendance.writing import Pusher, settle_open_intents
from vx_pipeline.journal.decisions import Entity, Kind, standing
from vx_pipeline.journal.due_pushes import EVERYBODY, begin_push, plan_push
from vx_pipeline.journal.mark_questions import open_questions
from vx_pipeline.journal.marks import Place, our_marks
from vx_pipeline.journal.push_memory import (
    doubted_since,
    forget_unmatched,
    note_unmatched,
    trust_again,
)

RETRY = timedelta(minutes=15)
"""When a row is looked at again that could not be written, or that Veracross does not have yet."""

RETRY_LATER = timedelta(hours=6)
"""When an earlier day is looked at again of which Orah did not answer for a pass: it may never do so."""

AGAIN_SOON = timedelta(minutes=5, seconds=30)
"""When a mark is looked at again whose evidence was missing for the first time."""


@dataclass(frozen=True)
class SchoolDay:
    """What the warehouse knows of a school's day.

    Args:
        day: the day.
        meetings: class meetings of linked students who belong in them.
        links: who is who.
        words: by place, what a page tells of the meeting; may hold names.
    """

    day: date
    meetings: Sequence[Meeting]
    links: Links
    words: Mapping[Place, Mapping[str, str]]


@dataclass(frozen=True)
class PushedDay:
    """What became of a day.

    Args:
        periods: who was away when, by Orah.
        updates: what became of each row.
        unmatched: records in Orah with time away, or missed by a roll, that are nobody's, by id.
        not_understood: entries of class rolls that tell nothing.
        label_troubles: labels of the settings that the school's list does not have; None where it was not read.
        passes_unread: passes that were not understood or not answered; marks that rest on them stay.
    """

    periods: Sequence[Away]
    updates: Sequence[Update]
    unmatched: Sequence[int]
    not_understood: int
    label_troubles: Sequence[str] | None
    passes_unread: int = 0


async def push_day(
    pusher: Pusher, reader: OrahReader, known: SchoolDay, orah_ids: Collection[int] | None = None
) -> PushedDay:
    """Reads Orah, compares, writes what may be written, and notes what a later push must not forget.

    Pushing a day again changes nothing that is right. A day outside the edit window is not touched.

    Args:
        pusher: where marks are written, and by which rules.
        reader: where Orah is read.
        known: the day.
        orah_ids: only these students; all without it.

    Raises:
        AccessError: one of the systems refuses us altogether.
        VxError: Orah could not be read; nothing was written.
    """
    # In UTC, because moments are reckoned from it, also in the nights on which the clocks change.
    day, now = known.day, pusher.now().astimezone(UTC)
    today = now.astimezone(reader.zone).date()
    if not today - timedelta(days=pusher.policy.days_back) <= day <= today:
        return PushedDay((), (), (), 0, None)
    # Should this push not come to its end, it is made again.
    covered = [EVERYBODY] if orah_ids is None else orah_ids
    begin_push(pusher.journal, pusher.school, day, covered, at=now, due_at=now + RETRY)
    await settle_open_intents(pusher)
    of_students = {known.links.students[one] for one in orah_ids or () if one in known.links.students}
    ours = our_marks(pusher.journal, pusher.school, day, orah_ids=orah_ids, student_ids=of_students)
    students = None if orah_ids is None else {*orah_ids, *(mark.place.orah_id for mark in ours)}
    says = await reader.read(Days(day, day), now=now, marks=ours, orah_ids=students)
    meetings = [one for one in known.meetings if students is None or one.orah_id in students]
    wanted = wanted_marks(says.periods, says.rolls, meetings, now=now, policy=pusher.policy)
    said: dict[tuple[int, int, date, str | None], list[Wanted]] = defaultdict(list)
    for found in wanted:
        said[row_key(place_of(found.meeting))].append(found)
    trusted = [
        one.mark.attendance_id
        for one in ours
        if says.has_shown(one.because.evidence)
        or any(found.is_said_by(one.because.cause) for found in said[row_key(one.place)])
    ]
    trust_again(pusher.journal, pusher.school, trusted)
    tracked = [one for one in meetings if one.is_tracked]
    looked_at = items(
        wanted,
        ours,
        tracked,
        says=says,
        links=replace(known.links, denied=_denied(pusher)),
        words=known.words,
        doubt=lambda attendance_id: now - doubted_since(pusher.journal, pusher.school, attendance_id, at=now),
    )
    said_nothing = _asked_in_vain(pusher, day, students, looked_at)
    done = await push_marks(pusher, looked_at, said_nothing=said_nothing)
    fresh = [one.attendance_id for one in done.updates if one.was_written and one.attendance_id is not None]
    trust_again(pusher.journal, pusher.school, fresh)
    due = next_due(says.periods, tracked, now=now, absent_share=pusher.policy.absent_share)
    due = _with_retries(due, done.updates, says.read_again, now, is_today=day == today)
    plan_push(pusher.journal, pusher.school, day, due, looked_at=students, read_at=now)
    away = set(days_away(says.periods, days=Days(day, day), zone=reader.zone))
    away |= {one.orah_id for one in says.rolls if one.status != "Present"}
    unmatched = sorted(away - set(known.links.students))
    note_unmatched(pusher.journal, pusher.school, day, unmatched, at=now)
    pushed = known.links.students if students is None else students & set(known.links.students)
    forget_unmatched(pusher.journal, pusher.school, day, pushed)
    return PushedDay(
        # A pass that goes on may have an end, and being overdue after it, in the future.
        [one for one in says.periods if one.start <= now],
        done.updates,
        unmatched,
        says.not_understood,
        done.label_troubles,
        says.passes_unread,
    )


def _asked_in_vain(
    pusher: Pusher, day: date, students: Collection[int] | None, looked_at: Sequence[Item]
) -> list[int]:
    """The rows of a day with open questions that this push has no reason to look at any more."""
    rows = {row_key(item.place) for item in looked_at}
    asked = [one.question for one in open_questions(pusher.journal, pusher.school)]
    return [
        one.theirs.attendance_id
        for one in asked
        if one.place.attendance_date == day
        and (students is None or one.place.orah_id in students)
        and row_key(one.place) not in rows
    ]


def _denied(pusher: Pusher) -> frozenset[tuple[int, int]]:
    """Pairs of student and record in Orah of which a person said that they are not the same."""
    return frozenset(
        (one.veracross_id, one.orah_id)
        for one in standing(pusher.journal, pusher.school)
        if one.entity is Entity.STUDENT
        and one.kind in (Kind.NEVER, Kind.UNLINK)
        and one.veracross_id is not None
        and one.orah_id is not None
    )


def _with_retries(
    due: Mapping[int, datetime],
    updates: Sequence[Update],
    read_again: Collection[int],
    now: datetime,
    *,
    is_today: bool,
) -> dict[int, datetime]:
    again = now + (RETRY if is_today else RETRY_LATER)
    found = {**due, **{one: min(again, due.get(one, again)) for one in read_again}}
    for update in updates:
        if update.result == "failed" or (update.result == "no_row" and is_today):
            moment = now + RETRY
        elif update.result == "waiting":
            moment = now + AGAIN_SOON
        else:
            continue
        orah_id = update.item.place.orah_id
        found[orah_id] = min(moment, found.get(orah_id, moment))
    return found
