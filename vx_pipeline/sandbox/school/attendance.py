"""Class attendance of the last school days, as teachers left it."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from vx_pipeline.sandbox.school.academics import SchoolClass
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.setting import Ids, Setting, utc_seconds, weekdays_back
from vx_pipeline.sandbox.school.timetable import Slot, block_record, slots
from vx_pipeline.sandbox.school.value_lists import ABSENT_EXCUSED, ABSENT_UNEXCUSED

_NOTES = {
    "Late": ("Overslept", "Came from the health center", None),
    ABSENT_EXCUSED: ("Doctor's appointment", "College visit", None),
    ABSENT_UNEXCUSED: (None, "Not seen"),
    "Dismissed": ("Left early",),
}


@dataclass(frozen=True)
class Absence:
    """Somebody off the grounds, in local naive times; without an end nobody saw them return."""

    student_id: int
    start: datetime
    end: datetime | None

    def covers(self, slot: Slot) -> bool:
        """Whether it overlaps this meeting; an absence without an end lasts until the end of its day."""
        begin, finish = datetime.fromisoformat(slot.start), datetime.fromisoformat(slot.end)
        end = self.end or self.start.replace(hour=23, minute=59)
        return self.start < finish and begin < end


def school_days(setting: Setting) -> list[date]:
    """The last ``attendance_days`` weekdays of this school year up to today (included), oldest first."""
    days = list(islice(weekdays_back(setting.today), setting.attendance_days))
    return sorted(on for on in days if on >= setting.this_year.first)


def records(setting: Setting, made: Sequence[SchoolClass], absences: Sequence[Absence]) -> Iterator[Record]:
    """One row for each student, class, date and block, in classes that do not say that they track none.

    Present is what a row begins as. Who was off the grounds has been marked absent by some teachers and not
    by others. In one lesson of a hundred nobody took attendance, and the status is null.
    """
    days = school_days(setting)
    if not days:
        return
    rng = setting.rng("attendance")
    ids = Ids(rng, 4_000_000)
    away: dict[int, list[Absence]] = defaultdict(list)
    for absence in absences:
        away[absence.student_id].append(absence)
    marker = _Marker(setting, rng)
    for c in made:
        if c.tracks_attendance is False:
            continue
        for slot in slots(c.plan.block, days[0], days[-1]):
            taken = rng.random() > 0.01
            for pupil, first, last in c.roster:
                if (first and slot.date < first) or (last and slot.date >= last):
                    continue
                is_away = any(absence.covers(slot) for absence in away.get(pupil.id, ()))
                status = marker.status(slot, is_away=is_away) if taken else None
                yield {
                    "id": ids.next(),
                    "internal_class_id": c.id,
                    "student_id": pupil.id,
                    "student_name": pupil.person.full_name,
                    "attendance_date": slot.date.isoformat(),
                    "block": block_record(setting, c.plan.block),
                    "start_time": slot.start,
                    "end_time": slot.end,
                    "status": setting.code("attendance_status", status),
                    "notes": rng.choice(_NOTES.get(status or "", (None,))),
                    "last_modified_date": marker.stamp(slot),
                }


class _Marker:
    """A teacher with a pen: what they mark, and when."""

    def __init__(self, setting: Setting, rng: random.Random) -> None:
        self._setting, self._rng = setting, rng
        self._stamps: dict[str, str] = {}
        self._noon = datetime.combine(setting.today, time(12))

    def status(self, slot: Slot, *, is_away: bool) -> str:
        """The label of a mark; lessons after noon of today have not been, and stand at Present."""
        if datetime.fromisoformat(slot.start) >= self._noon:
            return "Present"
        if is_away:
            return self._rng.choices(("Present", ABSENT_UNEXCUSED, ABSENT_EXCUSED, "Late"), (55, 25, 10, 10))[
                0
            ]
        chance = self._rng.random()
        if chance < 0.94:
            return "Present"
        return self._rng.choices(("Late", ABSENT_EXCUSED, ABSENT_UNEXCUSED, "Dismissed"), (50, 30, 15, 5))[0]

    def stamp(self, slot: Slot) -> str:
        """Ten minutes into the meeting, and at the latest noon of today; UTC."""
        if slot.start not in self._stamps:
            marked = min(datetime.fromisoformat(slot.start) + timedelta(minutes=10), self._noon)
            self._stamps[slot.start] = utc_seconds(marked.replace(tzinfo=self._setting.zone))
        return self._stamps[slot.start]
