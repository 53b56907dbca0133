"""Reading from Orah what it knows about some days: movements, passes, rolls, and which of them it showed."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vx_pipeline.attendance.absences import Away, Places, periods_away
from vx_pipeline.attendance.days import Days
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import AccessError, NotFoundError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.marks import OurMark
from vx_pipeline.journal.push_memory import note_pass, passes_to_read
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import Pass, RollResult, leave_of, parse_moment, read_pass, roll_results

log = logging.getLogger(__name__)

LOOKBACK = timedelta(days=4)
"""How long before the first day movements are read: who left for a long weekend is still away on Monday.

Movements cost two requests for each 200, so this is short; ``STILL_AWAY`` covers who stays away for longer."""

STILL_AWAY = timedelta(days=14)
"""How old a student's latest movement may be and still say where the student is. Older ones say nothing: a
student who is not signed in and out any more must not count as away for ever."""


@dataclass(frozen=True)
class OrahSays:
    """What Orah says about some days.

    Args:
        periods: every student's periods away.
        rolls: results of class rolls.
        shown: the evidence that the read showed: ``m<id>`` movements, ``p<id>`` passes, also those that are
            gone, ``r<id>`` rolls.
        unread: the kinds of evidence that could not be read, or are not wanted, ``p`` and ``r``; and single passes
            that were not understood.
        not_understood: entries of class rolls that tell nothing.
    """

    periods: list[Away]
    rolls: list[RollResult]
    shown: frozenset[str]
    unread: frozenset[str]
    not_understood: int

    def has_shown(self, evidence: Iterable[str]) -> bool:
        """Whether all of this evidence was there to be seen."""
        return self.shown.issuperset(evidence)

    def cannot_tell(self, evidence: Iterable[str]) -> bool:
        """Whether some of this evidence was not asked for, so that missing it means nothing."""
        return any(one in self.unread or one[:1] in self.unread for one in evidence)


@dataclass(frozen=True)
class OrahReader:
    """Where what Orah knows is read, and by which rules.

    Args:
        orah: the school's Orah.
        journal: remembers the ids of passes.
        school: the school's key.
        zone: its time zone.
        policy: its rules.
    """

    orah: OrahClient
    journal: Journal
    school: str
    zone: ZoneInfo
    policy: AttendancePolicy

    async def read(
        self,
        days: Days,
        *,
        now: datetime,
        marks: Sequence[OurMark] = (),
        orah_ids: Collection[int] | None = None,
    ) -> OrahSays:
        """Everything about these days.

        Costs three requests, one more with rolls, and one for each pass that reaches into the days; with more than
        one page of movements or rolls, at least two for each page.

        Args:
            days: the days.
            now: this moment; nothing after it is known.
            marks: what we wrote on these days; the evidence behind it is read again, however old it is.
            orah_ids: of which students; all without it.

        Raises:
            VxError: Orah did not answer as it should.
        """
        first = datetime.combine(days.first, time.min, tzinfo=self.zone)
        last = min(now, datetime.combine(days.last + timedelta(days=1), time.min, tzinfo=self.zone))
        locations = await self.orah.locations()
        places, listed = Places.of(locations, self.policy, self.zone), {one["id"] for one in locations}
        since = min([first - LOOKBACK, *(mark.because.known_from for mark in marks)])
        movements = await self._movements(since, first, last)
        self._note_passes(movements, now, orah_ids)
        leave_ids = passes_to_read(self.journal, self.school, first=first, last=last, orah_ids=orah_ids)
        behind = {int(one[1:]) for mark in marks for one in mark.because.evidence if one.startswith("p")}
        passes, gone, unread = await self._passes(sorted(behind.union(leave_ids)), now)
        rolls, roll_ids, not_understood, rolls_unread = await self._rolls(first, last)
        periods = periods_away(movements, passes, places)
        # A movement to a place that the list does not have is not understood this time: the list may be short.
        shown = [
            f"m{record['id']}"
            for record in movements
            if record["location"] is None or record["location"]["id"] in listed
        ]
        shown += [f"p{one.leave_id}" for one in passes] + [f"p{one}" for one in gone]
        shown += [f"r{roll_id}" for roll_id in roll_ids]
        return OrahSays(
            [one for one in periods if orah_ids is None or one.orah_id in orah_ids],
            [one for one in rolls if orah_ids is None or one.orah_id in orah_ids],
            frozenset(shown),
            frozenset(unread) | ({"r"} if rolls_unread else set()),
            not_understood,
        )

    async def _movements(self, since: datetime, first: datetime, last: datetime) -> list[dict[str, Any]]:
        latest = [
            record
            for record in await self.orah.latest_movements()
            if parse_moment(record["record_time"]) >= first - STILL_AWAY
        ]
        # Read after the latest ones, so that who comes back in between is seen to be back.
        timeline = await self.orah.movements(since, last) if since < last else []
        return list({record["id"]: record for record in [*latest, *timeline]}.values())

    def _note_passes(
        self, movements: Iterable[Mapping[str, Any]], now: datetime, orah_ids: Collection[int] | None
    ) -> None:
        """Movements are where the ids of passes come from; each pass is noted once, however many name it."""
        named = {
            leave_of(record)
            for record in movements
            if record["student"] and (orah_ids is None or record["student"]["id"] in orah_ids)
        }
        for leave_id in sorted(one for one in named if one is not None):
            note_pass(self.journal, self.school, leave_id, at=now)

    async def _passes(
        self, leave_ids: Iterable[int], now: datetime
    ) -> tuple[list[Pass], list[int], set[str]]:
        """These passes, the ids of those that are gone, and what was not read: some of them, or ``p`` for all."""
        found, gone, unread = [], [], set()
        for leave_id in leave_ids:
            try:
                one = read_pass(await self.orah.leave(leave_id))
            except NotFoundError:
                gone.append(leave_id)
                continue
            except AccessError as error:
                log.warning("passes are not read: %s", error.what)
                return [], [], {"p"}
            if one is None:
                log.warning("pass %s is malformed and tells nothing", leave_id)
                unread.add(f"p{leave_id}")
                continue
            note_pass(
                self.journal,
                self.school,
                leave_id,
                at=now,
                orah_id=one.orah_id,
                starts_at=one.start,
                ends_at=one.end,
            )
            found.append(one)
        return found, gone, unread

    async def _rolls(self, first: datetime, last: datetime) -> tuple[list[RollResult], list[int], int, bool]:
        """Results, the ids of all rolls, entries not understood, and whether rolls are left out."""
        if not self.policy.rolls or first >= last:
            return [], [], 0, not self.policy.rolls
        try:
            records = await self.orah.rolls(first, last)
        except AccessError as error:
            log.warning("rolls are not read: %s", error.what)
            return [], [], 0, True
        read = [roll_results(record) for record in records]
        return (
            [result for results, _ in read for result in results],
            [record["id"] for record in records if isinstance(record.get("id"), int)],
            sum(unknown for _, unknown in read),
            False,
        )
