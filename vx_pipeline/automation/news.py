"""What is new between two looks at Orah: whose day is worth a push, and why."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from vx_pipeline.automation.seen import (
    OVERLAP,
    Found,
    Other,
    Seen,
    checksum,
    follow,
    in_order,
    is_new,
    sums_of,
)
from vx_pipeline.journal.due_pushes import EVERYBODY
from vx_pipeline.orah.assumed import leave_of, parse_moment


@dataclass(frozen=True)
class Wish:
    """A push that is worth it: a day, whose, and a name that is equal for equal looks from the same cursor.

    Args:
        day: the day.
        orah_ids: whose; ``EVERYBODY`` for all.
        reason: the name.
        is_due: whether it is asked for because a note is due, and needless once another push took the note out.
    """

    day: date
    orah_ids: tuple[int, ...]
    reason: str
    is_due: bool = False


class News:
    """Collects whose day is worth a push, and why.

    Args:
        zone: the school's time zone.
        now: this moment in it.
        oldest: the first day of the edit window; what is about earlier days is no news.
    """

    def __init__(self, zone: ZoneInfo, now: datetime, oldest: date) -> None:
        self._zone = zone
        self._now = now
        self._oldest = oldest
        self._ids: dict[date, set[int]] = defaultdict(set)
        self._reasons: dict[date, list[str]] = defaultdict(list)

    def add(self, day: date, orah_ids: Iterable[int], reasons: Iterable[str]) -> None:
        """These students' day is worth a push, for these reasons."""
        if self._oldest <= day <= self._now.date():
            self._ids[day].update(orah_ids)
            self._reasons[day].extend(reasons)

    def of_movements(self, found: Found, seen: Seen) -> None:
        """Departures, ways back of whoever was away, and whatever was entered late, edited or deleted."""
        away, on_pass = set(seen.away), _on_pass(seen, self._now.date())
        for record in in_order(found.movements):
            if not record["student"] or found.places is None:
                continue
            student, at = record["student"]["id"], parse_moment(record["record_time"])
            if is_new(record, seen):
                late = found.whole_from is None and at < self._now - OVERLAP
                known = str(self._day(at)) in seen.sums
                # Where it leads to the health centre, only its pass tells that a movement is one out of class.
                departs = found.places.is_departure(record) or leave_of(record) is not None
                moves = departs or student in away or student in on_pass
                if (moves or late) and not (found.whole_from and known):
                    self.add(self._day(at), [student], [f"m{record['id']}:{checksum(record)}"])
            follow(away, record, found.places)
        if found.whole_from:
            self._of_whole_days(found, seen)

    def _of_whole_days(self, found: Found, seen: Seen) -> None:
        """Students whose movements of a day are not those that were seen, one by one, before."""
        sums = sums_of(found.movements, self._zone)
        for day, before in seen.sums.items():
            if found.whole_from is None or date.fromisoformat(day) < found.whole_from:
                continue
            now = sums.get(day, {})
            changed = sorted(
                int(student)
                for student in before.keys() | now.keys()
                if before.get(student) != now.get(student)
            )
            told = [f"s{student}:{now.get(str(student), 0)}" for student in changed]
            if changed:
                self.add(date.fromisoformat(day), changed, told)

    def of_others(self, others: Mapping[str, Other], seen: Seen) -> None:
        """Rolls and passes that are new or other than before: whom they were about, and whom they are about now."""
        for name, other in others.items():
            before = seen.others.get(name)
            if before is None or before.checksum != other.checksum:
                told = f"{name}:{other.checksum}"
                for one in (other, before) if before else (other,):
                    for day in self._days(one):
                        self.add(day, {*other.orah_ids, *(before.orah_ids if before else ())}, [told])

    def of_rolls_that_are_gone(self, found: Found, seen: Seen) -> None:
        """Rolls of days that were looked at whole, and that are not there any more."""
        if found.whole_from is None or not found.rolls_read:
            return
        for name, before in seen.others.items():
            if name.startswith("r") and before.first >= found.whole_from and name not in found.others:
                self.add(before.first, before.orah_ids, [f"{name}:gone"])

    def wishes(self, looked_from: str) -> tuple[Wish, ...]:
        """One wish for each day with news, oldest first.

        Args:
            looked_from: names the cursor. What is as it was two looks ago, but not one look ago, is news again.
        """
        return tuple(
            Wish(
                day,
                (EVERYBODY,) if EVERYBODY in self._ids[day] else tuple(sorted(self._ids[day])),
                digest({looked_from, *self._reasons[day]}),
            )
            for day in sorted(self._ids)
            if self._ids[day]
        )

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def _days(self, other: Other) -> list[date]:
        """The days of the edit window that a roll or a pass touches."""
        window = range((self._now.date() - self._oldest).days + 1)
        return [day for number in window if other.touches(day := self._oldest + timedelta(days=number))]


def _on_pass(seen: Seen, day: date) -> set[int]:
    """Students with a pass on a day: they may be away without a movement that says so."""
    return {
        orah_id
        for name, other in seen.others.items()
        if name.startswith("p") and other.touches(day)
        for orah_id in other.orah_ids
    }


def digest(reasons: Collection[str]) -> str:
    """A short name for reasons, equal for equal ones in any order."""
    return hashlib.sha256("\n".join(sorted(reasons)).encode()).hexdigest()[:16]
