"""Passes of the tenant, which Orah's API calls leaves.

Assumed: a movement that a pass made names it under ``leave``; a pass that is over is ``Ended``, and its
``end_time`` is when it really ended; one that is called off is ``Cancelled``.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from vx_pipeline.sandbox.school.attendance import Absence
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.orah_people import Entry, Tenant
from vx_pipeline.sandbox.school.orah_places import Places
from vx_pipeline.sandbox.school.setting import Ids, Setting, some, utc_milliseconds

_TYPE_OF_PLACE = {"Town": "Day Leave", "Medical Appointment": "Medical", "College Visit": "School Trip"}
_OTHERS = ("Scheduled", "Cancelled")


@dataclass(frozen=True)
class Given:
    """The passes of a tenant.

    Args:
        records: all leave records.
        behind: leave records by the absence that each is behind.
    """

    records: list[Record]
    behind: Mapping[Absence, Record]


def build(
    setting: Setting,
    tenant: Tenant,
    places: Places,
    types: Sequence[Record],
    absences: Sequence[Absence],
    movements: Sequence[Record],
) -> Given:
    """Passes behind every second absence whose end is known or planned, and a few that made nobody go.

    The movements out and back name their pass.
    """
    rng = setting.rng("leaves")
    maker = _Maker(setting, rng, {kind["name"]: kind for kind in types})
    entries = {entry.pupil.id: entry for entry in tenant.active if entry.pupil}
    moves = {(move["student"]["id"], move["record_time"]): move for move in movements}
    behind = {}
    for absence in absences[::2]:
        entry = entries[absence.student_id]
        left = moves.get((entry.record["id"], maker.moment(absence.start)))
        if left is None or (absence.end is None and absence.start.date() != setting.today):
            continue
        end = absence.end or datetime.combine(setting.today, time(15))
        record = maker.leave(
            entry, left["location"], absence.start, end, "Ended" if absence.end else "Active"
        )
        for move in (left, moves.get((entry.record["id"], maker.moment(end)))):
            if move is not None:
                move["leave"] = {"id": record["id"]}
        behind[absence] = record
    gone = {absence.student_id for absence in absences}
    here = [entry for student, entry in entries.items() if student not in gone]
    records = list(behind.values())
    for number, entry in enumerate(some(rng, here, 0.01, 4)):
        status = _OTHERS[number % len(_OTHERS)]
        shift = timedelta(days=rng.randrange(1, 4))
        on = setting.today + (shift if status == "Scheduled" else -shift)
        start = datetime.combine(on, time(10)) + timedelta(minutes=rng.randrange(90))
        records.append(maker.leave(entry, places.named["Town"], start, start + timedelta(hours=2), status))
    return Given(records, behind)


class _Maker:
    def __init__(self, setting: Setting, rng: random.Random, types: Mapping[str, Record]) -> None:
        self._setting, self._types = setting, types
        self._ids = Ids(rng, 9_000)

    def moment(self, local: datetime) -> str:
        """Local naive time as Orah writes it."""
        return utc_milliseconds(local.replace(tzinfo=self._setting.zone))

    def leave(self, entry: Entry, location: Record, start: datetime, end: datetime, status: str) -> Record:
        """One leave record."""
        kind = self._types[_TYPE_OF_PLACE[location["name"]]]
        made = self.moment(start - timedelta(days=4))
        return {
            "model": "leave",
            "id": self._ids.next(),
            "student": entry.reference,
            "leave_type": {name: kind[name] for name in ("id", "name", "short_code")},
            "location": {"id": location["id"], "name": location["name"]},
            "start_time": self.moment(start),
            "end_time": self.moment(end),
            "status": status,
            "created_at": made,
            "updated_at": made,
        }
