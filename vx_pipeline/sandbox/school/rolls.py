"""Orah's rolls: those of the houses in the evening, and those of a few classes a day.

What a roll's students look like is assumed, and that its ``type`` is ``house`` or ``class``.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby

from vx_pipeline.sandbox.school.attendance import Absence
from vx_pipeline.sandbox.school.leaves import Given
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.orah_people import Entry, Tenant
from vx_pipeline.sandbox.school.orah_places import Places
from vx_pipeline.sandbox.school.setting import Ids, Setting, utc_milliseconds
from vx_pipeline.sandbox.school.timetable import Slot
from vx_pipeline.sandbox.school.value_lists import ABSENT_EXCUSED, ABSENT_UNEXCUSED

_CLASSES_A_DAY = 3
_SETTLED_DAYS = 7
_REASONS = {
    "Late": (("Overslept", "Unexcused"), ("Health center", "Excused"), ("School trip", "Not Expected")),
    ABSENT_EXCUSED: (
        ("Doctor's appointment", "Excused"),
        ("Family", "Excused"),
        ("College visit", "Excused"),
    ),
    ABSENT_UNEXCUSED: (("Not seen", "Unexcused"),),
}


def house_rolls(setting: Setting, tenant: Tenant, places: Places) -> list[Record]:
    """The evening rolls of the last two days in each house."""
    rng = setting.rng("rolls")
    ids = Ids(rng, 6_000)
    by_house: dict[int, list[Entry]] = {}
    for entry in tenant.active:
        if entry.record["house"]:
            by_house.setdefault(entry.record["house"]["id"], []).append(entry)
    made = []
    for back in (2, 1):
        start = datetime.combine(setting.today - timedelta(days=back), time(20), setting.zone)
        for house in places.houses:
            students = [
                {
                    "student": entry.reference,
                    "status": rng.choices(("Present", "Late", "Absent"), (94, 3, 3))[0],
                }
                for entry in by_house.get(house["id"], [])
            ]
            if students:
                about = {"house": {"id": house["id"], "sis_id": house["sis_id"]}}
                made.append(
                    _roll(ids, "house", "Evening Roll", start, timedelta(minutes=30), students) | about
                )
    return made


def class_rolls(
    setting: Setting, tenant: Tenant, rows: Sequence[Record], absences: Sequence[Absence], given: Given
) -> list[Record]:
    """Rolls of a few classes on each school day before today, taken by the teachers who mark in Orah, too.

    What they say is what Veracross's rows say. Of the last seven days there are only classes in which nobody was
    absent unexcused, was dismissed, or was away while marked as somebody who came. Before that, who was away on a
    pass is absent by it whatever the row says: in Orah a pass beats the teacher's mark.

    Args:
        setting: the setting.
        tenant: the students of Orah.
        rows: the class attendance of Veracross.
        absences: who was away when.
        given: the passes behind them.
    """
    rng = setting.rng("class rolls")
    ids = Ids(rng, 60_000)
    taker = _Taker(setting, tenant, absences, given, rng)
    by_day: dict[str, list[list[Record]]] = defaultdict(list)
    for (day, _, _), group in groupby(
        rows, key=lambda row: (row["attendance_date"], row["internal_class_id"], row["start_time"])
    ):
        by_day[day].append(list(group))
    made = []
    for day in sorted(by_day):
        settled = date.fromisoformat(day) < setting.today - timedelta(days=_SETTLED_DAYS)
        if date.fromisoformat(day) >= setting.today:
            continue
        fit = [meeting for meeting in by_day[day] if taker.is_fit(meeting, settled=settled)]
        # Where nobody was missing there is little to see.
        fit.sort(key=taker.missing, reverse=True)
        for meeting in fit[:_CLASSES_A_DAY]:
            start = datetime.fromisoformat(meeting[0]["start_time"]).replace(tzinfo=setting.zone)
            students = taker.entries(meeting)
            made.append(_roll(ids, "class", "Class Roll", start, timedelta(minutes=10), students))
    return made


class _Taker:
    """Takes rolls of classes."""

    def __init__(
        self, setting: Setting, tenant: Tenant, absences: Sequence[Absence], given: Given, rng: random.Random
    ) -> None:
        labels = ("Present", "Late", ABSENT_EXCUSED, ABSENT_UNEXCUSED, "Dismissed")
        self._labels = {setting.code("attendance_status", label): label for label in labels}
        self._entries = {entry.pupil.id: entry for entry in tenant.active if entry.pupil}
        self._absences = {absence.student_id: absence for absence in absences}
        self._passes: Mapping[Absence, Record] = given.behind
        self._rng = rng

    def is_fit(self, meeting: Sequence[Record], *, settled: bool) -> bool:
        """Whether attendance was taken and, unless it was long ago, says what Orah would say."""
        labels = {self._labels.get(row["status"]) for row in meeting}
        if None in labels or not any(row["student_id"] in self._entries for row in meeting):
            return False
        return settled or (
            labels <= {"Present", "Late", ABSENT_EXCUSED}
            and all(
                self._labels[row["status"]] == ABSENT_EXCUSED
                for row in meeting
                if self._away(row) is not None
            )
        )

    def missing(self, meeting: Sequence[Record]) -> tuple[int, int]:
        """How many were on a pass, and how many were not there, or late."""
        on_pass = sum(
            self._away(row) in self._passes for row in meeting if row["student_id"] in self._entries
        )
        return on_pass, sum(self._labels[row["status"]] != "Present" for row in meeting)

    def entries(self, meeting: Sequence[Record]) -> list[Record]:
        """What the roll says of each student whom Orah knows."""
        return [
            {"student": self._entries[row["student_id"]].reference, **self._said(row)}
            for row in meeting
            if row["student_id"] in self._entries
        ]

    def _said(self, row: Record) -> Record:
        label, absence = self._labels[row["status"]], self._away(row)
        if absence is not None and absence in self._passes:
            name = self._passes[absence]["leave_type"]["name"]
            return {"status": "Absent", "reason": {"name": name, "type": "Excused"}, "source": "pass"}
        if label not in _REASONS:
            return {"status": "Present", "reason": None, "source": "roll"}
        name, kind = self._rng.choice(_REASONS[label])
        source = self._rng.choices(("roll", "edit"), (4, 1))[0]
        status = "Late" if label == "Late" else "Absent"
        return {"status": status, "reason": {"name": name, "type": kind}, "source": source}

    def _away(self, row: Record) -> Absence | None:
        absence = self._absences.get(row["student_id"])
        slot = Slot(date.fromisoformat(row["attendance_date"]), row["start_time"], row["end_time"])
        return absence if absence and absence.covers(slot) else None


def _roll(
    ids: Ids, kind: str, name: str, start: datetime, lasting: timedelta, students: list[Record]
) -> Record:
    return {
        "model": "roll",
        "id": ids.next(),
        "type": kind,
        "name": name,
        "status": "Completed",
        "start_time": utc_milliseconds(start),
        "end_time": utc_milliseconds(start + lasting),
        "students": students,
    }
