"""One day's push, from what Orah says to what became of each row."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta

from vx_pipeline.attendance.absences import Away
from vx_pipeline.attendance.again import RETRY, with_retries
from vx_pipeline.attendance.days import Days, days_away
from vx_pipeline.attendance.items import Links, items, place_of, row_key
from vx_pipeline.attendance.looked_at import Item, Update
from vx_pipeline.attendance.missed import Meeting, next_due
from vx_pipeline.attendance.push import push_marks
from vx_pipeline.attendance.reading import OrahReader, OrahSays
from vx_pipeline.attendance.settling import settle_open_intents, take_in_late
from vx_pipeline.attendance.wanted import Wanted, source_of, wanted_marks
from vx_pipeline.attendance.writing import Pusher
from vx_pipeline.journal.decisions import Entity, Kind, standing
from vx_pipeline.journal.due_pushes import EVERYBODY, begin_push, plan_push
from vx_pipeline.journal.mark_questions import open_questions
from vx_pipeline.journal.marks import OurMark, Place, our_marks
from vx_pipeline.journal.push_memory import (
    doubted_since,
    forget_unmatched,
    note_unmatched,
    trust_again,
)


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
        in_window: whether the day lies in the edit window; otherwise nothing was looked at.
    """

    periods: Sequence[Away]
    updates: Sequence[Update]
    unmatched: Sequence[int]
    not_understood: int
    label_troubles: Sequence[str] | None
    passes_unread: int = 0
    in_window: bool = True


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
        return PushedDay((), (), (), 0, None, in_window=False)
    # Should this push not come to its end, it is made again.
    covered = [EVERYBODY] if orah_ids is None else orah_ids
    begin_push(pusher.journal, pusher.school, day, covered, at=now, due_at=now + RETRY)
    await settle_open_intents(pusher)
    await take_in_late(pusher, day)
    students, ours = _concerned(pusher, known, orah_ids)
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
        links=_with_decisions(pusher, known.links),
        words=known.words,
        doubt=lambda attendance_id: now - doubted_since(pusher.journal, pusher.school, attendance_id, at=now),
    )
    said_nothing = _asked_in_vain(pusher, day, students, looked_at, says)
    done = await push_marks(pusher, looked_at, said_nothing=said_nothing)
    fresh = [one.attendance_id for one in done.updates if one.was_written and one.attendance_id is not None]
    trust_again(pusher.journal, pusher.school, fresh)
    due = next_due(says.periods, tracked, now=now, absent_share=pusher.policy.absent_share)
    due = with_retries(due, done.updates, says.read_again, day=day, today=today, now=now)
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


def _concerned(
    pusher: Pusher, known: SchoolDay, orah_ids: Collection[int] | None
) -> tuple[set[int] | None, list[OurMark]]:
    """The records in Orah that a push has to look at, all where it is None, and what we wrote for them.

    A link may have moved since: with a student come all records that the student was taken for, and the one that
    is the student's now. None of them may be judged without the others.
    """
    if orah_ids is None:
        return None, our_marks(pusher.journal, pusher.school, known.day)
    links, found, before = known.links, set(orah_ids), set[int]()
    ours: list[OurMark] = []
    while found != before:
        before = set(found)
        students = {links.students[one] for one in found if one in links.students}
        ours = our_marks(pusher.journal, pusher.school, known.day, orah_ids=found, student_ids=students)
        found |= {mark.place.orah_id for mark in ours}
        found |= {
            links.orah_ids[mark.place.student_id] for mark in ours if mark.place.student_id in links.orah_ids
        }
    return found, ours


def _asked_in_vain(
    pusher: Pusher, day: date, students: Collection[int] | None, looked_at: Sequence[Item], says: OrahSays
) -> list[int]:
    """The rows of a day with open questions that this push has no reason to look at any more.

    None where passes or rolls could not be read at all. Where single ones were not, the questions that may rest on
    them stay: those that a pass or a roll, as the case is, gave rise to, and those of the students concerned.
    """
    unread = says.unread - ({"r"} if not pusher.policy.rolls else set())
    if unread & {"p", "r"}:
        return []
    unsure = {
        source for kind, source in (("p", "pass"), ("r", "roll")) if any(one[0] == kind for one in unread)
    }
    rows = {row_key(item.place) for item in looked_at}
    asked = [one.question for one in open_questions(pusher.journal, pusher.school)]
    return [
        one.theirs.attendance_id
        for one in asked
        if one.place.attendance_date == day
        and (students is None or one.place.orah_id in students)
        and row_key(one.place) not in rows
        and not (unsure and (one.cause is None or source_of(one.cause) in unsure))
        and one.place.orah_id not in says.read_again
    ]


def _with_decisions(pusher: Pusher, links: Links) -> Links:
    """The links, with the pairs of which a person said that they are not the same, or a second record."""
    pairs: dict[Kind, set[tuple[int, int]]] = {Kind.NEVER: set(), Kind.UNLINK: set(), Kind.MERGE: set()}
    for one in standing(pusher.journal, pusher.school):
        if one.entity is not Entity.STUDENT or one.veracross_id is None or one.orah_id is None:
            continue
        if one.kind in pairs:
            pairs[one.kind].add((one.veracross_id, one.orah_id))
    return replace(
        links,
        denied=frozenset(pairs[Kind.NEVER] | pairs[Kind.UNLINK]),
        second=frozenset(pairs[Kind.MERGE]),
    )
