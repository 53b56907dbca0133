"""Pushes that are wanted: noted before they are asked for, asked for again when due, told when they stay away."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from vx_pipeline.attendance.again import RETRY
from vx_pipeline.automation.looking import quarter
from vx_pipeline.automation.news import Wish, digest
from vx_pipeline.journal.due_pushes import EVERYBODY, pushes_due, pushes_owed, wish_push
from vx_pipeline.journal.problems import RED, Trouble
from vx_pipeline.session import SchoolSession

GATHER_MINUTES = 5
"""Whoever is due in the same five minutes of the clock is asked for together, as soon as the first of them is due.
While runs wait for their turn, each minute would otherwise ask for another one."""

BEHIND = timedelta(hours=1)
"""How long a push may stay away before somebody is told."""


def note_wishes(session: SchoolSession, wishes: Iterable[Wish]) -> None:
    """Notes pushes before they are asked for: a run may be lost in the queue, or never come to its first line.

    The push that comes through takes them out. One of everybody has an hour for that, any other one a quarter.
    """
    # Later than the look's own reading: a push that read Orah before this moment may not know of it.
    at = session.now().astimezone(UTC)
    for wish in wishes:
        due_at = at + (BEHIND if EVERYBODY in wish.orah_ids else RETRY)
        wish_push(session.journal, session.key, wish.day, wish.orah_ids, at=at, due_at=due_at)


def due_wishes(session: SchoolSession, now: datetime) -> list[Wish]:
    """Days that are to be pushed now. One whose push does not come through is asked for again a quarter later.

    A push of everybody is longer, and asked for again once an hour. Whoever is due first takes along whoever else
    is due in these minutes.
    """
    oldest = now.date() - timedelta(days=session.school.policies.attendance.days_back)
    wishes = []
    for day, moments in pushes_due(session.journal, session.key, now=_end_of_minutes(now)).items():
        if not oldest <= day <= now.date():
            continue
        everybody = moments.pop(EVERYBODY, None)
        if everybody is not None and everybody <= now:
            hour = now.replace(minute=0, second=0, microsecond=0)
            wishes.append(_due(day, {EVERYBODY: everybody}, hour.isoformat()))
        if moments and min(moments.values()) <= now:
            wishes.append(_due(day, moments, quarter(now)))
    return wishes


def _end_of_minutes(now: datetime) -> datetime:
    begun = now.replace(minute=now.minute - now.minute % GATHER_MINUTES, second=0, microsecond=0)
    return begun + timedelta(minutes=GATHER_MINUTES)


def _due(day: date, moments: Mapping[int, datetime], asked_in: str) -> Wish:
    told = [f"{orah_id}@{moment.isoformat()}" for orah_id, moment in moments.items()]
    return Wish(day, tuple(moments), f"due:{asked_in}:{digest(told)}", is_due=True)


def behind(session: SchoolSession, now: datetime) -> list[Trouble]:
    """A trouble where marks are behind: a push was wanted an hour ago, and none came through."""
    oldest = now.date() - timedelta(days=session.school.policies.attendance.days_back)
    owed = pushes_owed(session.journal, session.key, before=now.astimezone(UTC) - BEHIND)
    # A day that has left the edit window is not asked for any more, and forgotten by the next push.
    days = ", ".join(str(day) for day in owed if day >= oldest)
    if not days:
        return []
    told = (
        f"marks are behind: for more than an hour no push of {days} has come through. "
        "Look at the runs of push_attendance"
    )
    return [Trouble(RED, "push", 0, told)]
