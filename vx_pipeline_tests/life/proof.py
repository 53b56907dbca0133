"""What must hold of the writes of one night, told by the stand-in's own journal and by what is true."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vx_pipeline.policies import Policies
from vx_pipeline.sandbox.journal import WriteEntry
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline_tests.life.memory import Memory, same
from vx_pipeline_tests.life.records import LittleSchool
from vx_pipeline_tests.life.truth import in_doubt, leave_signal, out_of_scope, wanted_record

FEWEST, WEEK, SMALLEST_GROUP, GROUP_SHARE = 3, timedelta(days=7), 5, 0.25
PASS_LASTS = timedelta(days=14)
BOARDING_FIELDS = frozenset({"house", "room_number", "bed_number", "student_type"})


@dataclass(frozen=True)
class Night:
    """What was written in one go, and what it has to be measured by.

    Args:
        school: the live records.
        now: its end, in the school's time zone.
        policies: the rules in force.
        writes: what was written to Orah.
        before: the records of students as they were before.
        undone: the writes that a person had taken back, when this is an undo.
        beds_certain: whether no list of dorms was out of order lately.
    """

    school: LittleSchool
    now: datetime
    policies: Policies
    writes: Sequence[WriteEntry]
    before: Mapping[int, Record]
    undone: Sequence[WriteEntry] | None = None
    beds_certain: bool = True

    def of(self, entity: str) -> list[WriteEntry]:
        """The writes about one kind of record."""
        return [write for write in self.writes if write.entity == entity]


def removed_by(night: Night) -> list[WriteEntry]:
    """The writes by which a student disappears from Orah's roll calls."""
    return [write for write in night.of("student") if write.action == "delete" or _turns(write, active=False)]


def check(night: Night, memory: Memory) -> None:
    """Checks the writes of a night against what was remembered before it.

    Raises:
        AssertionError: somebody was removed by mistake, or one of the other promises was broken.
    """
    _every_removal_is_proven(night, memory)
    _removals_keep_to_the_budget(night, memory)
    _only_records_of_somebody_are_written(night, memory)
    _nobody_is_made_twice(night, memory)
    _pins_hold(night, memory)
    if night.undone is None:
        _no_means_no(night, memory)
        _what_orah_owns_stays(night)
    _the_turn_of_the_year_is_kept(night)
    _who_must_not_see_a_child_is_not_tied_to_it(night, memory)
    _each_intent_has_one_effect(night)


def _every_removal_is_proven(night: Night, memory: Memory) -> None:
    for write in removed_by(night):
        person = memory.persons[write.target_id]
        if night.undone is not None:
            brought = {one.target_id for one in night.undone if one.action == "create" or _turns(one, True)}
            assert write.target_id in brought, ("an undo removes somebody it did not bring", person)
            continue
        if memory.missing[person] < 2 and not leave_signal(
            night.school, memory.seen[person], night.now.date()
        ):
            assert write.target_id in memory.ours, ("not ours to remove", person)
            scope = out_of_scope(night.school, memory.seen[person], night.policies, night.now.date())
            uncertain = night.policies.synced != "both" and not night.beds_certain
            assert scope or uncertain, ("removed without a proof", person)
        if write.action == "delete":
            assert night.policies.removal == "delete"
            assert night.before[write.target_id]["deactivated"], ("deleted at once", person)


def _removals_keep_to_the_budget(night: Night, memory: Memory) -> None:
    unseen = {write.target_id for write in removed_by(night) if not approved(write, memory, night)}
    week = {record for at, record in memory.removed if night.now - at < WEEK} | unseen
    active = {number for number, record in night.before.items() if not record["deactivated"]}
    assert len(unseen) <= max(FEWEST, 0.01 * len(active)), ("too many in one run", unseen)
    assert not unseen or len(week) <= max(FEWEST, 0.03 * len(active)), ("too many in a week", week)
    groups = defaultdict(set)
    for number in active:
        record = night.before[number]
        groups["grade", record["year_level"]].add(number)
        groups["house", record["house"] and record["house"]["id"]].add(number)
    for (kind, name), members in groups.items():
        if name is not None and len(members) >= SMALLEST_GROUP:
            assert len(unseen & members) <= GROUP_SHARE * len(members), ("too many of one", kind, name)
    for record_id in unseen:
        since = memory.away.get(record_id)
        assert since is None or night.now - since > PASS_LASTS, ("removed on an active pass", record_id)


def _only_records_of_somebody_are_written(night: Night, memory: Memory) -> None:
    known = set(memory.records.values())
    for write in night.of("student"):
        assert write.action == "create" or write.target_id in known, ("nobody's record", write)
        if _turns(write, active=True):
            assert write.target_id not in memory.by_hand, ("a person had deactivated it", write)
    for write in night.of("contact"):
        assert write.target_id not in memory.hand_contacts, ("a contact made by hand", write)


def _nobody_is_made_twice(night: Night, memory: Memory) -> None:
    for write in night.of("student"):
        if write.action == "create":
            person = int(write.after["sis_id"])
            assert memory.made[person] == 0, ("made twice", person)
            assert person not in memory.records, ("has a record already", person)
    bearers = defaultdict(list)
    owners = memory.persons
    for record in night.school.orah["student"]:
        person = owners.get(record["id"]) or (record["sis_id"] and int(record["sis_id"]))
        if person and not record["deactivated"]:
            bearers[person].append(record["id"])
    assert all(len(records) == 1 for records in bearers.values()), ("two records of one person", bearers)


def _pins_hold(night: Night, memory: Memory) -> None:
    persons = memory.persons
    for write in night.of("student"):
        person = int(write.after["sis_id"]) if write.action == "create" else persons[write.target_id]
        pinned = memory.pins_on("student", person, night.now.date())
        assert "" not in pinned, ("a pinned record", write)
        if write.action != "create":
            assert not pinned & _changed(write), ("a pinned field", write)
    for write in night.of("contact"):
        parent = memory.people.get(write.target_id)
        if parent and "" in memory.pins_on("contact", parent, night.now.date()):
            assert _parts(write), ("a pinned contact", write)


def _no_means_no(night: Night, memory: Memory) -> None:
    for write in night.of("student"):
        if write.action == "create":
            assert int(write.after["sis_id"]) not in memory.new_refused, ("a refused record", write)
            continue
        for name in _changed(write):
            place = write.target_id, name
            if place in memory.unwanted:
                assert not same(memory.unwanted[place], write.after[name]), ("a person said no", write)


def _what_orah_owns_stays(night: Night) -> None:
    for entity in ("student", "contact"):
        for write in night.of(entity):
            if write.action == "update":
                assert not set(night.policies.orah_owns) & _changed(write), ("Orah owns it", write)


def _the_turn_of_the_year_is_kept(night: Night) -> None:
    mode = night.policies.rollover.mode_on(night.now.date())
    if mode == "frozen":
        assert all(write.entity == "contact" and _parts(write) for write in night.writes), "frozen"
    if mode == "adds_only":
        assert not removed_by(night), "only additions"
        assert all(write.action == "create" or _turns(write, True) for write in night.of("student"))


def _who_must_not_see_a_child_is_not_tied_to_it(night: Night, memory: Memory) -> None:
    persons = memory.persons
    for write in night.of("contact"):
        parent = memory.people.get(write.target_id)
        for child in _children(write.after) - _children(write.before):
            assert (persons.get(child), parent) not in memory.ended, ("tied to a lost child", write)


def _each_intent_has_one_effect(night: Night) -> None:
    effects = Counter(
        (write.entity, write.action, write.target_id, json.dumps(write.after, sort_keys=True))
        for write in night.writes
    )
    assert max(effects.values(), default=0) <= 1, ("written twice", effects)
    made = Counter(
        (write.after["first_name"], write.after["last_name"])
        for write in night.of("contact")
        if write.action == "create"
    )
    assert max(made.values(), default=0) <= 1, ("a contact made twice", made)


def ties_that_should_have_ended(school: LittleSchool, memory: Memory) -> list[tuple[int, int]]:
    """Children who still have a contact in Orah that they must not have: child and parent."""
    persons = memory.persons
    certain = {
        record["id"]
        for record in school.orah["student"]
        if record["id"] in persons and not in_doubt(memory.seen[persons[record["id"]]], record)
    }
    return [
        (persons[record], memory.people[contact["id"]])
        for contact in school.orah["contact"]
        for record in certain.intersection(contact["_student_ids"])
        if (persons[record], memory.people.get(contact["id"])) in memory.ended
    ]


def not_carried_over(
    school: LittleSchool, memory: Memory, policies: Policies, now: datetime
) -> Iterator[str]:
    """What Orah says otherwise than Veracross about students who are synced, though nobody wanted it so."""
    held = {record["id"]: record for record in school.orah["student"]}
    houses = {house["id"]: house["sis_id"] for house in school.orah["house"]}
    for person, record_id in memory.records.items():
        row, record = memory.seen.get(person), held.get(record_id)
        if row is None or record is None or record_id in memory.by_hand or in_doubt(row, record):
            continue
        left = memory.pins_on("student", person, now.date()) | set(policies.orah_owns)
        left |= {name for one, name in memory.unwanted if one == record_id}
        if left & {"", "deactivated"}:
            continue
        if left & BOARDING_FIELDS:
            left |= BOARDING_FIELDS
        found = {
            **record,
            "house": record["house"] and houses[record["house"]["id"]],
            "email": (record["email"] or "").lower(),
        }
        for name, value in _wanted(school, memory, policies, row, now).items():
            if name not in left and found[name] != value:
                yield f"{name} of {person} is {found[name]!r} and should be {value!r}"


def _wanted(
    school: LittleSchool, memory: Memory, policies: Policies, row: Record, now: datetime
) -> dict[str, Any]:
    """What the record of a student should say; nothing for those of whom the settings say nothing."""
    today = now.date()
    if memory.missing[row["id"]] >= 2 or leave_signal(school, row, today):
        return {"deactivated": True}
    if row["entry_date"] > today.isoformat() or out_of_scope(school, row, policies, today):
        return {}
    return wanted_record(school, row, today)


def _turns(write: WriteEntry, active: bool) -> bool:
    """Whether a write turns a record from one to the other."""
    return "deactivated" in _changed(write) and write.after["deactivated"] is not active


def _changed(write: WriteEntry) -> set[str]:
    if write.action != "update":
        return set()
    return {name for name, value in write.after.items() if write.before.get(name) != value}


def approved(write: WriteEntry, memory: Memory, night: Night) -> bool:
    """Whether a person had approved just this removal."""
    word = memory.approved.get((write.target_id, "deactivated"))
    return word is not None and word.value is True and word.holds(night.now, night.policies)


def _children(side: Mapping[str, object]) -> set[int]:
    named = side.get("students", [])
    assert isinstance(named, list)
    return {child["id"] for child in named}


def _parts(write: WriteEntry) -> bool:
    """Whether all that a write does is to take a contact from students."""
    return write.action == "delete" or (
        _changed(write) == {"students"} and _children(write.after) < _children(write.before)
    )


def at_of(write: WriteEntry) -> datetime:
    """When something was written, aware."""
    return datetime.fromtimestamp(write.at, UTC)
