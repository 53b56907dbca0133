"""What each class meeting's mark should say by Orah: absent, late or present, and on what that rests.

A pass comes before a roll, and a roll before a movement: Orah itself lets a pass beat the teacher's mark, and who
took the roll saw the student. Whoever leaves after that is not there any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vx_pipeline.attendance.absences import Away, reason_type
from vx_pipeline.attendance.missed import Meeting, Missed, left_after, missed_meetings
from vx_pipeline.attendance_policy import AttendancePolicy, ReasonType
from vx_pipeline.orah.assumed import RollResult

ROLL_MARGIN = timedelta(minutes=10)
"""A roll is taken a little before its class begins, at the earliest."""


class Outcome(StrEnum):
    """What the mark should say; ``PRESENT`` where a roll says so."""

    ABSENT = "absent"
    LATE = "late"
    PRESENT = "present"


@dataclass(frozen=True)
class Wanted:
    """What Orah says about one student in one class meeting.

    Args:
        meeting: the meeting.
        outcome: absent, late or present.
        source: ``pass``, ``roll`` or ``movement``.
        name: the pass's type, the roll's reason or the place; may be empty.
        reason_type: Excused, Unexcused or Not Expected; None where a roll does not say.
        share: the share of the meeting missed, 0 to 1; of a roll's word 1 for absent, otherwise 0.
        evidence: ``m<id>`` movements, ``p<id>`` passes, ``r<id>`` rolls.
        known_from: the earliest moment of the evidence.
    """

    meeting: Meeting
    outcome: Outcome
    source: str
    name: str
    reason_type: ReasonType | None
    share: float
    evidence: tuple[str, ...]
    known_from: datetime

    @property
    def cause(self) -> str:
        """What is said and why, without regard to the school's settings: they may change afterwards."""
        if self.source == "roll":
            return f"{self._cause_before}|{self.reason_type or ''}"
        # Of a place or a pass it is the settings that name a reason type.
        return self._cause_before

    @property
    def _cause_before(self) -> str:
        """The cause as marks in an older journal have it, without a roll's reason type."""
        return f"{self.outcome.value}|{self.source}|{self.name}"

    def is_said_by(self, cause: str) -> bool:
        """Whether a mark that was written for this cause says just this."""
        return cause in (self.cause, self._cause_before)


def source_of(cause: str) -> str:
    """Whether a pass, a roll or a movement said what a cause tells; empty where nothing was said any more."""
    return "".join(cause.split("|")[1:2])


def wanted_marks(
    periods: Iterable[Away],
    rolls: Iterable[RollResult],
    meetings: Sequence[Meeting],
    *,
    now: datetime,
    policy: AttendancePolicy,
) -> list[Wanted]:
    """What each meeting's mark should say; meetings about which Orah says nothing are left out."""
    by_student: dict[int, list[Away]] = defaultdict(list)
    for period in periods:
        by_student[period.orah_id].append(period)
    tracked = [meeting for meeting in meetings if meeting.is_tracked]
    taken = rolls_by_meeting(rolls, meetings)
    found = []
    for meeting in tracked:
        own, roll = by_student[meeting.orah_id], taken.get(meeting)
        seen = _seen_at(roll) if roll else None
        left = left_after(own, seen) if seen else []
        missed, missed_since = _missed(own, meeting, now), _missed(left, meeting, now)
        found.append(_wanted(meeting, missed, roll, missed_since, policy))
    return [one for one in found if one is not None]


def rolls_by_meeting(
    rolls: Iterable[RollResult], meetings: Iterable[Meeting]
) -> Mapping[Meeting, RollResult]:
    """The last roll result of each meeting.

    A roll does not name its class, so that a student who belongs in two classes at once has no result. Nor does one
    that was opened while a class went on and closed in the time of the next, unless the earlier class had another
    roll before. A class without attendance may have been the roll's, unless it meets at the same time as one with:
    then nobody is there.
    """
    by_student: dict[int, list[Meeting]] = defaultdict(list)
    for meeting in meetings:
        by_student[meeting.orah_id].append(meeting)
    found: dict[Meeting, RollResult] = {}
    for result in sorted(rolls, key=lambda one: (one.taken_at, one.roll_id)):
        possible = [one for one in by_student[result.orah_id] if _may_be_of(result, one)]
        tracked = [one for one in possible if one.is_tracked]
        possible = [
            one for one in possible if one.is_tracked or not any(_meet(one, other) for other in tracked)
        ]
        going = [one for one in possible if one.starts_at <= result.taken_at]
        coming = [one for one in possible if one not in going]
        own = found.get(going[0]) if len(going) == 1 else None
        has_own = own is not None and result.ends_at is not None and own.roll_id != result.roll_id
        if coming and has_own and not any(_meet(going[0], one) for one in coming):
            possible = coming
        if len(possible) == 1:
            found[possible[0]] = result
    return found


def _may_be_of(result: RollResult, meeting: Meeting) -> bool:
    """Whether a roll may have been taken in a meeting; one that ended before it began was not."""
    if result.taken_at >= meeting.starts_at:
        return result.taken_at < meeting.ends_at
    is_near = result.taken_at >= meeting.starts_at - ROLL_MARGIN
    return is_near and (result.ends_at is None or result.ends_at > meeting.starts_at)


def _meet(one: Meeting, other: Meeting) -> bool:
    """Whether two meetings are at the same time."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _missed(periods: Iterable[Away], meeting: Meeting, now: datetime) -> Missed | None:
    return next(iter(missed_meetings(periods, [meeting], now=now)), None)


def _wanted(
    meeting: Meeting,
    missed: Missed | None,
    roll: RollResult | None,
    missed_since: Missed | None,
    policy: AttendancePolicy,
) -> Wanted | None:
    if missed and missed.share_on_pass >= policy.absent_share:
        on_pass = next(one for one in missed.periods if one.on_pass)
        return _of_time_away(missed, on_pass, Outcome.ABSENT, policy)
    if missed_since and missed_since.share >= policy.absent_share:
        return _of_time_away(missed_since, missed_since.periods[0], Outcome.ABSENT, policy)
    if roll:
        return _of_roll(meeting, roll)
    if missed and missed.share >= policy.absent_share:
        return _of_time_away(missed, missed.periods[0], Outcome.ABSENT, policy)
    if missed and missed.share_late >= policy.late_share:
        return _of_time_away(missed, missed.periods[0], Outcome.LATE, policy)
    return None


def _of_time_away(missed: Missed, away: Away, outcome: Outcome, policy: AttendancePolicy) -> Wanted:
    return Wanted(
        meeting=missed.meeting,
        outcome=outcome,
        source="pass" if away.pass_type else "movement",
        name=away.name,
        reason_type=reason_type(away.name, policy),
        share=missed.share,
        # All of it: were only a part missing in a later read, the mark must not go back at once.
        evidence=tuple(dict.fromkeys(found for one in missed.periods for found in one.evidence)),
        known_from=min(one.known_from or one.start for one in missed.periods),
    )


def _seen_at(roll: RollResult) -> datetime | None:
    """When the student was there by a roll; who was late came while it was taken. None where it does not tell."""
    # An edit may be of later than any movement: what it says stands.
    if roll.status == "Absent" or roll.source == "edit":
        return None
    return roll.ends_at or roll.taken_at if roll.status == "Late" else roll.taken_at


def _of_roll(meeting: Meeting, roll: RollResult) -> Wanted:
    outcome = Outcome(roll.status.lower())
    return Wanted(
        meeting=meeting,
        outcome=outcome,
        source="roll",
        name=roll.reason or "",
        reason_type=roll.reason_type,
        share=1.0 if outcome is Outcome.ABSENT else 0.0,
        evidence=(f"r{roll.roll_id}",),
        known_from=roll.taken_at,
    )
