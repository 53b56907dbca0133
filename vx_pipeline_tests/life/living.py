"""A school that is watched from outside while it lives: what happens is remembered, what is written is proved."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from vx_pipeline.assets.single_sync import undo
from vx_pipeline.errors import VxError
from vx_pipeline.journal.approvals import Answer, answer_held
from vx_pipeline.journal.pins import add_pin, end_pin
from vx_pipeline.journal.plans import StoredPlan, latest_plan
from vx_pipeline.policies import Policies, RolloverPolicy
from vx_pipeline.sandbox.faults import FaultKind
from vx_pipeline.sandbox.journal import WriteEntry
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.setting import utc_milliseconds
from vx_pipeline_tests.life import events, family_events, feed_events, hand_events, proof
from vx_pipeline_tests.life.memory import Memory, Pinned
from vx_pipeline_tests.life.night import FAMILIES, GROUPS, Life
from vx_pipeline_tests.life.people import family_of
from vx_pipeline_tests.life.records import STUDENTS, LittleSchool
from vx_pipeline_tests.life.school import little_school
from vx_pipeline_tests.life.settled import living_on, quick_home, settled
from vx_pipeline_tests.life.truth import leave_signal, parents_of
from vx_pipeline_tests.life.writing import plan_and_apply

T = TypeVar("T")

QUIET = GROUPS | FAMILIES
CLOSING = frozenset({"students", "dorms", "dorm_students"})
"""Tables of Veracross without which nothing is planned."""

_TO_REST = 3
"""Nights after which the next one writes nothing: two reads that agree, and the writes of what was approved."""

_DOUBTFUL = 3  # nights in which a list of dorms that was out of order may still be felt


class School:
    """The little school with somebody who watches it.

    Args:
        life: the school at work.

    Attributes:
        memory: what is remembered.
        written: plans that wrote, and what.
        faulty: what is out of order; ``closing`` those of them that must keep a night from writing anything.
        poisoned: students whose record cannot be understood.
        nights: how many there were.
        years: how many school years ended.
    """

    def __init__(self, life: Life) -> None:
        self.life = life
        self.written: list[tuple[str, list[WriteEntry]]] = []
        self.faulty: set[str] = set()
        self.closing: set[str] = set()
        self.poisoned: set[int] = set()
        self.plan: StoredPlan | None = None
        self.nights = self.years = self.away_days = 0
        self.beds_doubtful = 0
        self.dead: set[int] = set()
        fresh = {record["id"]: record for record in little_school(self.live.today).orah["student"]}
        ours = {one["id"] for one in self.live.orah["student"] if one != fresh.get(one["id"])}
        records = dict(self.live.truth)
        for record in self.live.orah["student"]:
            if record["id"] not in fresh:
                records[int(record["sis_id"])] = record["id"]
        self.memory = Memory(records, ours, {row["id"]: dict(row) for row in self.live.veracross[STUDENTS]})
        self.memory.hand_made = {one for one in fresh if one not in records.values()}
        self.memory.made.update(records.keys() - self.live.truth.keys())
        self.memory.meet_contacts(self.live)
        self.memory.hand_contacts = {
            one["id"] for one in self.live.orah["contact"] if one["id"] not in self.memory.people
        }
        self.town = self.live.add_orah("location", self.moment, name="Town", state="off_grounds")

    @classmethod
    @contextmanager
    def living(cls) -> Iterator[Self]:
        """The school after two quiet nights."""
        begun = settled(plan_and_apply, quiet=QUIET)
        with quick_home() as home, living_on(begun, home, plan_and_apply, QUIET) as life:
            yield cls(life)

    @property
    def live(self) -> LittleSchool:
        """The live records."""
        return self.life.school

    @property
    def moment(self) -> datetime:
        """This moment in the school's time zone."""
        return events.moment(self.life.sandbox)

    @property
    def policies(self) -> Policies:
        """The rules in force."""
        return self.life.session.school.policies

    # Who is there.

    def one(self, candidates: Sequence[T], pick: int) -> T:
        """One of them."""
        return candidates[pick % len(candidates)]

    def current(self) -> list[int]:
        """Those whom the feed shows as students of today; everybody listed when nobody is."""
        found = sorted(row["id"] for row in events.current_students(self.life.sandbox))
        return found or sorted(row["id"] for row in self.live.veracross[STUDENTS])

    def left(self) -> list[int]:
        """Those who left, as the feed says, and may come back."""
        today = self.moment.date()
        return sorted(
            row["id"] for row in self.live.veracross[STUDENTS] if leave_signal(self.live, row, today)
        )

    def families(self) -> list[tuple[int, int]]:
        """Children and their living parents."""
        listed = {row["id"] for row in self.live.veracross[STUDENTS]}
        return sorted(
            {pair for pair in parents_of(self.live) if pair[0] in listed and pair[1] not in self.dead}
        )

    def lost_custody(self) -> list[tuple[int, int]]:
        """Children and the living parents who lost custody of them."""
        return sorted(pair for pair in self.memory.ended if pair[1] not in self.dead)

    # What happens.

    def enrol_sibling(self, of: int, first: str) -> None:
        """A brother or sister comes."""
        new = events.enrol_sibling(self.life.sandbox, of, first)
        parents = family_of(self.live, new).parents.values()
        self.memory.ended |= {(new, parent) for parent in parents if parent in self.dead}

    def lose_custody(self, student: int, parent: int) -> None:
        """A parent loses custody of one child."""
        family_events.remove_custody(self.life.sandbox, student, parent)
        self.memory.ended.add((student, parent))

    def restore_custody(self, student: int, parent: int, *, legal: bool) -> None:
        """A parent has a right again, or the whole of it."""
        family_events.restore_custody(self.life.sandbox, student, parent, legal=legal)
        if legal:
            self.memory.ended.discard((student, parent))

    def die(self, parent: int) -> None:
        """A parent dies."""
        family_events.die(self.life.sandbox, parent)
        self.dead.add(parent)
        self.memory.ended |= {pair for pair in parents_of(self.live) if pair[1] == parent}

    def switch_by_hand(self, record: int, *, on: bool) -> None:
        """Somebody activates or deactivates a record in Orah."""
        if hand_events.held(self.life.sandbox, "student", record)["deactivated"] is not on:
            return
        if on:
            hand_events.reactivate(self.life.sandbox, record)
            self.memory.by_hand.discard(record)
        else:
            hand_events.deactivate(self.life.sandbox, record)
            self.memory.by_hand.add(record)

    def make_by_hand(self, first: str, last: str) -> None:
        """Somebody makes a record of a student in Orah."""
        self.memory.hand_made.add(hand_events.add_student(self.life.sandbox, first, last))

    def move(self, record: int, *, away: bool) -> None:
        """A student leaves the grounds, or comes back to campus."""
        campus = next(one for one in self.live.orah["location"] if one["name"] == "Campus")
        place = self.town if away else campus
        self.live.orah["location_record"].append(
            {
                "model": "location_record",
                "id": self.live.new_orah_id("location_record"),
                "type": "in",
                "record_time": utc_milliseconds(self.moment),
                "location": {"id": place["id"], "name": place["name"]},
                "student": {"id": record, "sis_id": None},
            }
        )
        self.memory.away.pop(record, None)
        if away:
            self.memory.away[record] = self.moment

    def holidays(self, days: int) -> None:
        """Time in which nobody does anything; three times at most, or the school year would end."""
        if self.away_days < 90:
            self.away_days += days
            self.life.clock.moment += timedelta(days=days)

    # What goes wrong.

    def break_feed(self, table: str, how: str) -> None:
        """A list of Veracross fails, is empty or short; students who do not come are ``events.vanish``."""
        sandbox = self.life.sandbox
        if how == "fail" or table == "students":
            feed_events.fail(sandbox, table)
        elif how == "empty":
            feed_events.empty(sandbox, table)
        else:
            feed_events.shrink(sandbox, table, 0.5 if how == "short" else 0.9)
        self.faulty.add(table)
        if (table in CLOSING and how in ("fail", "empty")) or table == "students":
            self.closing.add(table)
        if table in ("dorms", "dorm_students"):
            self.beds_doubtful = _DOUBTFUL

    def break_orah(self, what: str, how: str) -> None:
        """A list of Orah fails, is empty or short; or where students are, or single records cannot be read."""
        sandbox = self.life.sandbox
        self.faulty.add(what)
        if what == "places":
            feed_events.lose_places(sandbox)
        elif what == "records":
            feed_events.hide_records(sandbox)
        elif how in ("fail", "empty"):
            feed_events.fail_orah(sandbox, what, FaultKind.STATUS if how == "fail" else FaultKind.EMPTY_LIST)
            self.closing.add(what)
        else:
            feed_events.shrink_orah(sandbox, what, 0.5 if how == "short" else 0.96)
            if what == "student" and how == "short":
                self.closing.add("half of them")

    def break_writes(self, route: str, kind: FaultKind, times: int) -> None:
        """Some writes to Orah go wrong."""
        feed_events.trouble_writes(self.life.sandbox, route, kind, times)
        self.faulty.add("writes")

    def poison(self, student: int) -> None:
        """One student's record cannot be understood."""
        feed_events.garble(self.life.sandbox, student)
        self.poisoned.add(student)
        self.faulty.add("a record")

    def mend(self) -> None:
        """Everything is whole again."""
        feed_events.mend(self.life.sandbox)
        self.faulty.clear()
        self.closing.clear()
        self.poisoned.clear()

    # What people decide.

    def held_steps(self) -> list[int]:
        """The steps of the newest plan that somebody can answer."""
        if self.plan is None or self.plan.hold_reason:
            return []
        return list(self.plan.held_steps)

    def answer(self, steps: Sequence[int], *, approve: bool) -> None:
        """A person answers steps of the newest plan."""
        session, plan = self.life.session, self.plan
        assert plan is not None
        answer_held(
            session.journal,
            plan,
            answer=Answer.APPROVE if approve else Answer.REFUSE,
            actor="Registrar",
            note="",
            via="page",
            at=session.now(),
            steps=steps,
        )
        rows = [row for row in plan.rows if row.step in set(steps)]
        self.memory.hear(rows, self.moment, self.policies if approve else None)

    def pin(self, entity: str, key: int, field: str, days: int | None) -> None:
        """A person pins somebody, or one field."""
        session = self.life.session
        last_day = None if days is None else session.today() + timedelta(days=days)
        values: dict[str, Any] = {"entity": entity, "key": key, "field": field, "last_day": last_day}
        number = add_pin(
            session.journal,
            school=session.key,
            reason="asked",
            author="Registrar",
            at=session.now(),
            **values,
        )
        self.memory.pins[number] = Pinned(**values)

    def unpin(self, number: int) -> None:
        """A person takes a pin away."""
        session = self.life.session
        end_pin(session.journal, school=session.key, pin_id=number, by="Registrar", at=session.now())
        del self.memory.pins[number]

    def set_policies(self, **given: Any) -> None:
        """Somebody edits the school's rules."""
        school = self.life.session.school
        policies = Policies.model_validate({**dict(school.policies), **given})
        self.life.session.__dict__["school"] = school.model_copy(update={"policies": policies})

    def undo(self) -> None:
        """A person takes back the last plan that wrote."""
        plan_id, undone = self.written[-1]
        mark, before = self._mark()
        try:
            undo(self.life.session, plan_id, None, "Registrar")
        except VxError:
            assert self.faulty or not self._since(mark)
        writes = self._since(mark)
        self._prove(writes, before, undone)
        self.memory.took_back(writes)
        self._take_in(writes)

    # Nights.

    def night(self, *, later: bool = True) -> list[WriteEntry]:
        """A night, and the proof of what it wrote."""
        mark, before = self._mark()
        night = self.life.night() if later else self.life.run()
        self.nights += 1
        assert ("veracross.students" in night.failed) is ("students" in self.closing), night.failed
        if "veracross.students" not in night.failed:
            self.memory.read(self.live, self.poisoned)
        writes = self._since(mark)
        if self.closing:
            assert not writes, ("written on a night that was not whole", self.closing, writes)
        self._prove(writes, before, None)
        if not self.faulty:
            assert not night.failed, night.failed
            ties = proof.ties_that_should_have_ended(self.live, self.memory)
            assert not ties, ("still beside the child", ties)
        self._take_in(writes)
        # What two reads did not bring is gone, as far as anybody can tell.
        self.closing.discard("half of them")
        self.beds_doubtful -= "dorms" not in self.faulty and "dorm_students" not in self.faulty
        return writes

    def comes_to_rest(self) -> None:
        """Once all is mended and answered, a few nights later nothing is left to be written."""
        self.mend()
        self.set_policies(rollover=RolloverPolicy())
        for night in range(_TO_REST + 1):
            writes = self.night(later=False)
            held = self.held_steps()
            # Of what is missing a second read has to say so.
            if night and not writes and not held:
                break
            assert night < _TO_REST, ("it does not come to rest", writes, held)
            self._approve_all()
        left = list(proof.not_carried_over(self.live, self.memory, self.policies, self.moment))
        assert not left, left

    def _approve_all(self) -> None:
        if steps := self.held_steps():
            self.answer(steps, approve=True)

    def _mark(self) -> tuple[int, dict[int, Record]]:
        records = {record["id"]: copy.copy(record) for record in self.live.orah["student"]}
        return self.life.sandbox.journal.last_number, records

    def _since(self, mark: int) -> list[WriteEntry]:
        return [
            write
            for write in self.life.sandbox.journal.writes
            if write.number > mark and write.system == "orah"
        ]

    def _prove(
        self, writes: list[WriteEntry], before: dict[int, Record], undone: list[WriteEntry] | None
    ) -> None:
        night = proof.Night(
            self.live, self.moment, self.policies, writes, before, undone, self.beds_doubtful <= 0
        )
        proof.check(night, self.memory)
        for write in proof.removed_by(night):
            if not proof.approved(write, self.memory, night):
                self.memory.removed.append((proof.at_of(write), write.target_id))
            self.memory.approved.pop((write.target_id, "deactivated"), None)

    def _take_in(self, writes: list[WriteEntry]) -> None:
        self.memory.take_in(writes)
        self.memory.meet_contacts(self.live)
        self.plan = latest_plan(self.life.session.journal, self.life.session.key)
        if writes and self.plan is not None:
            self.written.append((self.plan.plan_id, writes))
