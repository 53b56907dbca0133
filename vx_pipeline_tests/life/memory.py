"""What somebody remembers who watches both systems from outside: what the feed showed, and what people said.

Nothing of it comes from the pipeline's stores but the rows of a plan that a person answered.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from vx_pipeline.journal.plans import PlanRow
from vx_pipeline.policies import Policies
from vx_pipeline.sandbox.journal import WriteEntry
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.records import PARENTS, STUDENTS, LittleSchool

Place = tuple[int, str]
"""Orah id of a student and field."""

APPROVAL_LASTS = timedelta(days=7)


@dataclass(frozen=True)
class Pinned:
    """A pin that was set: of a ``student`` or ``contact``, by Veracross id; ``field`` empty for all of it."""

    entity: str
    key: int
    field: str
    last_day: date | None

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.last_day is None or day <= self.last_day


@dataclass(frozen=True)
class Word:
    """A person's yes to a value: when, and under which rules."""

    value: Any
    at: datetime
    policies: Policies

    def holds(self, now: datetime, policies: Policies) -> bool:
        """Whether it still counts."""
        return policies == self.policies and now - self.at <= APPROVAL_LASTS


@dataclass
class Memory:
    """What is remembered from night to night.

    Args:
        records: the one record in Orah of each person who has one.
        ours: records of students that we ever wrote.
        seen: the last row of each student that came in a whole read and could be understood.
        missing: in how many whole reads in a row a student who was seen did not come.
        removed: when we removed which record without a person's word.
        pins: what is pinned, by number.
        approved: what a person approved; the removal of a student stands at ``deactivated``.
        unwanted: what a person refused or took back.
        new_refused: persons of whom no record shall be made.
        ended: children and the parents who must not be beside them.
        people: the person behind each contact in Orah, told by the name that it once had.
        hand_made: records of students that people made.
        hand_contacts: contacts that people made.
        by_hand: records that a person deactivated.
        away: since when which record's student is off the grounds.
        made: how often a record was made for a person.
    """

    records: dict[int, int]
    ours: set[int]
    seen: dict[int, Record]
    missing: Counter[int] = field(default_factory=Counter)
    removed: list[tuple[datetime, int]] = field(default_factory=list)
    pins: dict[int, Pinned] = field(default_factory=dict)
    approved: dict[Place, Word] = field(default_factory=dict)
    unwanted: dict[Place, Any] = field(default_factory=dict)
    new_refused: set[int] = field(default_factory=set)
    ended: set[tuple[int, int]] = field(default_factory=set)
    people: dict[int, int] = field(default_factory=dict)
    hand_made: set[int] = field(default_factory=set)
    hand_contacts: set[int] = field(default_factory=set)
    by_hand: set[int] = field(default_factory=set)
    away: dict[int, datetime] = field(default_factory=dict)
    made: Counter[int] = field(default_factory=Counter)

    @property
    def persons(self) -> dict[int, int]:
        """The person behind each record."""
        return {record: person for person, record in self.records.items()}

    def read(self, school: LittleSchool, poisoned: Iterable[int]) -> None:
        """Takes in a whole read of the students: who came, and with what."""
        listed = {row["id"]: row for row in school.veracross[STUDENTS]}
        for gone in self.seen.keys() - listed.keys():
            self.missing[gone] += 1
        for student in listed:
            self.missing.pop(student, None)
        self.seen |= {one: dict(row) for one, row in listed.items() if one not in set(poisoned)}

    def meet_contacts(self, school: LittleSchool) -> None:
        """Remembers whose contact each is, by the name that it was made with."""
        names = {(row["first_name"], row["last_name"]): row["id"] for row in school.veracross[PARENTS]}
        for contact in school.orah["contact"]:
            person = names.get((contact["first_name"], contact["last_name"]))
            if person is not None and contact["id"] not in self.hand_contacts:
                self.people.setdefault(contact["id"], person)

    def take_in(self, writes: Iterable[WriteEntry]) -> None:
        """Remembers what was written about students."""
        for write in writes:
            if write.entity != "student":
                continue
            self.ours.add(write.target_id)
            if write.action == "create":
                person = int(write.after["sis_id"])
                self.records[person] = write.target_id
                self.made[person] += 1

    def hear(self, rows: Iterable[PlanRow], at: datetime, policies: Policies | None) -> None:
        """Remembers a person's answer to rows of a plan: a yes under these rules, or with None a no."""
        for row in rows:
            if row.entity != "student":
                continue
            if row.target_id is None:
                (self.new_refused.discard if policies else self.new_refused.add)(row.key)
                continue
            removes = row.action in ("deactivate", "delete")
            place = (row.target_id, "deactivated" if removes else row.field)
            value = True if removes else row.after
            if policies is None:
                self.unwanted[place] = value
                self.approved.pop(place, None)
            else:
                self.approved[place] = Word(value, at, policies)
                self.unwanted.pop(place, None)

    def took_back(self, writes: Iterable[WriteEntry]) -> None:
        """Remembers what an undo wrote over: nobody wants that again."""
        for write in writes:
            if write.entity == "student":
                for name, value in write.before.items():
                    if write.after.get(name) != value:
                        self.unwanted[write.target_id, name] = value
                        self.approved.pop((write.target_id, name), None)

    def pins_on(self, entity: str, key: int, day: date) -> set[str]:
        """The pinned fields of a person's record; ``""`` among them when all of it is."""
        return {
            pin.field
            for pin in self.pins.values()
            if (pin.entity, pin.key) == (entity, key) and pin.holds(day)
        }


def same(planned: Any, written: Any) -> bool:
    """Whether a value as a plan names it, or as it was written before, is what was written."""
    if isinstance(planned, Mapping) and isinstance(written, Mapping):
        if "dorm_id" in planned:
            return bool(written["sis_id"] == str(planned["dorm_id"]))
        return bool(planned["id"] == written["id"])
    return bool(planned == written)
