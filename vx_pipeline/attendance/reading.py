"""Reading from Orah what it knows about some days: movements, passes, rolls, and which of them it showed."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vx_pipeline.attendance.absences import Away, Places
from vx_pipeline.attendance.days import Days
from vx_pipeline.attendance.periods import periods_away
from vx_pipeline.attendance.reading_movements import read_movements
from vx_pipeline.attendance.reading_passes import read_passes
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import AccessError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.marks import OurMark
from vx_pipeline.journal.push_memory import note_pass, passes_to_read
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import RollResult, is_going_on, leave_of, roll_results

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OrahSays:
    """What Orah says about some days.

    Args:
        periods: every student's periods away.
        rolls: results of class rolls.
        shown: the evidence that the read showed: ``m<id>`` movements, ``p<id>`` passes, also those that are
            gone, ``r<id>`` rolls.
        unread: the kinds of evidence that could not be read, or are not wanted, ``p`` and ``r``; and single passes
            and rolls that were not understood, not answered, or opened again.
        not_understood: entries of class rolls that tell nothing.
        passes_unread: passes that were not understood or not answered.
        read_again: students of whom a pass was not answered this time.
    """

    periods: list[Away]
    rolls: list[RollResult]
    shown: frozenset[str]
    unread: frozenset[str]
    not_understood: int
    passes_unread: int = 0
    read_again: frozenset[int] = frozenset()

    def has_shown(self, evidence: Iterable[str]) -> bool:
        """Whether all of this evidence was there to be seen."""
        return self.shown.issuperset(evidence)

    def cannot_tell(self, evidence: Iterable[str]) -> bool:
        """Whether some of this evidence was not asked for, so that missing it means nothing."""
        return any(one in self.unread or one[:1] in self.unread for one in evidence)


@dataclass(frozen=True)
class _Rolls:
    """What class rolls say, which of them were seen to say it, which cannot tell, and entries not understood."""

    results: Sequence[RollResult] = ()
    shown: Sequence[str] = ()
    unread: Sequence[str] = ()
    not_understood: int = 0


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
        one page of movements or rolls, at least two for each page. Movements of ten more days are read where
        somebody may have come back who was away for longer than ``LOOKBACK``.

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
        movements = await read_movements(
            self.orah,
            places,
            first=first,
            last=last,
            known_from=[mark.because.known_from for mark in marks],
            orah_ids=orah_ids,
        )
        self._note_passes(movements, now, orah_ids)
        leave_ids = passes_to_read(self.journal, self.school, first=first, last=last, orah_ids=orah_ids)
        behind = {
            int(one[1:]): mark.place.orah_id
            for mark in marks
            for one in mark.because.evidence
            if one.startswith("p")
        }
        answered = {**behind, **{one: owner for one, owner in leave_ids.items() if owner is not None}}
        # Those that were answered before come first, and then the newest: old ones that never answer keep no other
        # from being read.
        order = sorted({**behind, **leave_ids}, key=lambda one: (one not in answered, -one))
        passes = await read_passes(self.orah, self.journal, self.school, order, now=now)
        rolls = await self._rolls(first, last)
        periods = periods_away(movements, passes.passes, places, rolls.results)
        # A movement to a place that the list does not have is not understood this time: the list may be short.
        shown = [
            f"m{record['id']}"
            for record in movements
            if record["location"] is None or record["location"]["id"] in listed
        ]
        owners = answered | _owners(movements)
        failed = {owner for one in passes.failed if (owner := owners.get(one)) is not None}
        return OrahSays(
            [one for one in periods if orah_ids is None or one.orah_id in orah_ids],
            [one for one in rolls.results if orah_ids is None or one.orah_id in orah_ids],
            frozenset([*shown, *passes.shown, *rolls.shown]),
            frozenset([*passes.unread, *rolls.unread]),
            rolls.not_understood,
            len(passes.not_understood) + len(passes.failed),
            frozenset(one for one in failed if orah_ids is None or one in orah_ids),
        )

    def _note_passes(
        self, movements: Iterable[Mapping[str, Any]], now: datetime, orah_ids: Collection[int] | None
    ) -> None:
        """Movements are where the ids of passes come from; each pass is noted once, however many name it."""
        for leave_id, orah_id in sorted(_owners(movements).items()):
            if orah_ids is None or orah_id in orah_ids:
                note_pass(self.journal, self.school, leave_id, at=now)

    async def _rolls(self, first: datetime, last: datetime) -> _Rolls:
        if not self.policy.rolls or first >= last:
            return _Rolls(unread=() if self.policy.rolls else ("r",))
        try:
            records = await self.orah.rolls(first, last)
        except AccessError as error:
            log.warning("rolls are not read: %s", error.what)
            return _Rolls(unread=("r",))
        results: list[RollResult] = []
        shown: list[str] = []
        unread: list[str] = []
        not_understood = 0
        for record in records:
            said, unknown = roll_results(record)
            results += said
            not_understood += unknown
            # An entry that nobody understands, or a roll that is being corrected, takes no mark back.
            (unread if unknown or is_going_on(record) else shown).append(f"r{record['id']}")
        return _Rolls(results, shown, unread, not_understood)


def _owners(movements: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """Whose the passes are that movements name, by the id of the pass."""
    return {
        leave_id: record["student"]["id"]
        for record in movements
        if record["student"] and (leave_id := leave_of(record)) is not None
    }
