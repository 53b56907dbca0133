"""What changes about parents and guardians in Orah, and why."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from vx_pipeline.journal.contacts import ContactMemory
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, differences
from vx_pipeline.warehouse.derive import derive
from vx_pipeline.warehouse.rows import read_rows

Row = Mapping[str, Any]
"""A row of ``sync.wanted_contacts`` (a person) or ``sync.contact_ties`` (a student and a person)."""

_TEXT = ("title", "first_name", "last_name", "mobile_phone", "home_phone", "address")
"""Fields that are plain text in both systems."""


@dataclass(frozen=True)
class _Case:
    """What the contacts of one plan have in common.

    Args:
        orah_owns: fields that are written to new records only.
        children: Veracross ids of the students who are in scope, and have a record or get one.
        memory: what we wrote before.
        first_seen: when each contact in Orah was first seen, gone ones included; as the warehouse keeps moments.
    """

    orah_owns: frozenset[str]
    children: frozenset[int]
    memory: ContactMemory
    first_seen: Mapping[int, datetime] = field(default_factory=dict)


def contact_changes(
    connection: duckdb.DuckDBPyConnection,
    policies: Policies,
    *,
    children: Collection[int],
    memory: ContactMemory,
) -> list[Change]:
    """Compares the contacts that Veracross wants with those that Orah has.

    Contacts without a person of Veracross behind them are left alone, and so are those of a student whose contacts
    could not be read. Who has died or lost custody is taken away all the same, from students who left, too.

    Args:
        connection: the school's warehouse, in a transaction; roster, contacts of Orah and their links are there.
        policies: the school's rules.
        children: Veracross ids of the students who are in scope, linked or made by the same plan.
        memory: what we wrote before; from the journal.

    Returns:
        The changes by person: the record itself, then the students it gets, then those it loses.
    """
    if not policies.contacts.synced:
        return []
    connection.execute("CREATE SCHEMA IF NOT EXISTS sync")
    derive(connection, "vx_pipeline.sync", "wanted_contacts")
    derive(connection, "vx_pipeline.sync", "contact_ties")
    ties: dict[int, list[Row]] = defaultdict(list)
    for tie in read_rows(connection, "FROM sync.contact_ties ORDER BY person_id, student_id"):
        ties[tie["person_id"]].append(tie)
    case = _Case(
        orah_owns=frozenset(policies.orah_owns),
        children=frozenset(children),
        memory=memory,
        first_seen=dict(connection.execute("SELECT id, _first_seen_at FROM orah.contacts").fetchall()),
    )
    changes = [
        change
        for person in read_rows(connection, "FROM sync.wanted_contacts ORDER BY person_id")
        for change in _person(person, ties[person["person_id"]], case)
    ]
    return changes + list(_unread(ties, case))


def _person(person: Row, ties: Sequence[Row], case: _Case) -> Iterator[Change]:
    wanted = []
    for tie in ties:
        if not tie["is_synced"] or tie["student_id"] not in case.children or tie["is_contested"]:
            continue
        if (tie["student_id"], tie["person_id"]) in case.memory.custody_ended and not tie["has_custody"]:
            reason = (
                f"was taken from student {tie['student_id']} when custody had ended; "
                "comes back only with legal custody in Veracross"
            )
            yield _change(Action.SKIP, person, None, {}, reason)
        else:
            wanted.append(tie)
    if wanted and person["question"]:
        yield _change(Action.SKIP, person, None, {}, f"{person['question']}; a person has to look")
    elif wanted and person["orah_id"] is None:
        yield from _new(person, ties, wanted, case)
    elif wanted and not person["orah_missing"]:
        yield from _linked(person, wanted, case)
    yield from _urgent(person, ties)
    if person["orah_id"] in case.memory.ours:
        yield from _ended(person, ties, case)


def _new(person: Row, ties: Sequence[Row], wanted: Sequence[Row], case: _Case) -> Iterator[Change]:
    """A new contact, once it is certain that none of the children has it."""
    if any(tie["orah_student_id"] and not _is_open(tie) and not tie["has_left"] for tie in ties):
        return
    if reason := _why_not_created(person, case):
        yield _change(Action.SKIP, person, None, {}, reason)
        return
    values = {name: person[name] for name in (*_TEXT, "email")} | {"relationship": _relationship(wanted)}
    fields = {name: Difference(None, value) for name, value in values.items() if value is not None}
    fields["students"] = Difference(None, [{"student_id": tie["student_id"]} for tie in wanted])
    yield _change(
        Action.CREATE, person, None, fields, f"{wanted[0]['why']}; no contact in Orah is this person"
    )


def _why_not_created(person: Row, case: _Case) -> str | None:
    if not person["first_name"] and not person["last_name"]:
        return "Veracross has no name; a contact in Orah needs one"
    before = case.memory.written.get(person["person_id"])
    if before is None or before in case.memory.given_up:
        return None
    said_at, made_at = person["said_new_at"], case.first_seen.get(before)
    if said_at is not None and made_at is not None and made_at < said_at:
        return None
    return "had a contact in Orah that is not found now; a second one needs a person to say so"


def _linked(person: Row, wanted: Sequence[Row], case: _Case) -> Iterator[Change]:
    """The fields of a contact, and the students who are not tied to it yet."""
    contact = person["orah_id"]
    tied = [tie for tie in wanted if tie["is_tied"] and _is_open(tie)]
    if tied and (fields := _fields(person, wanted, case.orah_owns)):
        reason = f"linked by {person['rule']}; Veracross says otherwise"
        yield _change(Action.UPDATE, person, contact, fields, reason)
    for tie in wanted:
        if not tie["is_tied"] and (tie["orah_student_id"] is None or _is_open(tie)):
            fields = {"students": Difference(None, {"student_id": tie["student_id"]})}
            yield _change(Action.LINK, person, contact, fields, tie["why"])


def _urgent(person: Row, ties: Sequence[Row]) -> Iterator[Change]:
    """Who has died or lost custody goes at once, whoever made the contact."""
    for tie in ties:
        if not tie["urgent"]:
            continue
        contacts = ([person["orah_id"]] if tie["is_tied"] else []) + tie["other_contacts"]
        if contacts and tie["is_contested"]:
            reason = f"{tie['why']}, but it is in doubt which record is student {tie['student_id']}'s; look at once"
            yield _change(Action.SKIP, person, None, {}, reason, urgent=True)
            continue
        for contact in contacts:
            yield _unlink(person, contact, tie, urgent=True)
        if not contacts and person["question"] and tie["orah_student_id"]:
            reason = (
                f"{tie['why']}; {person['question']}: see whether student {tie['student_id']} still has it"
            )
            yield _change(Action.SKIP, person, None, {}, reason, urgent=True)


def _ended(person: Row, ties: Sequence[Row], case: _Case) -> Iterator[Change]:
    """Who may not be a contact any more goes if we made or adopted the contact. Who left keeps the contacts."""
    for tie in ties:
        in_scope = tie["student_id"] in case.children and not tie["has_left"] and _is_open(tie)
        if tie["is_synced"] is False and not tie["urgent"] and tie["is_tied"] and in_scope:
            yield _unlink(person, person["orah_id"], tie, urgent=False)


def _unread(ties: Mapping[int, Sequence[Row]], case: _Case) -> Iterator[Change]:
    """One line for all students whose contacts could not be read."""
    closed = {
        tie["student_id"]
        for rows in ties.values()
        for tie in rows
        if tie["student_id"] in case.children
        and tie["orah_student_id"]
        and not tie["is_contested"]
        and not tie["has_left"]
        and not _is_open(tie)
    }
    if closed:
        reason = f"the contacts of {len(closed)} students could not be read; left alone until they can be"
        yield Change(Entity.CONTACT, Action.SKIP, 0, None, {}, reason)


def _is_open(tie: Row) -> bool:
    """Whether it is known which contacts the student has in Orah."""
    return bool(tie["is_read"]) and not tie["is_contested"]


def _fields(person: Row, wanted: Sequence[Row], orah_owns: frozenset[str]) -> dict[str, Difference]:
    fields = differences(
        {name: person[f"orah_{name}"] for name in _TEXT}, {name: person[name] for name in _TEXT}
    )
    if person["email"] and (person["orah_email"] or "").strip().lower() != person["email"]:
        fields["email"] = Difference(person["orah_email"], person["email"])
    # One contact has one relationship, and may be a mother to one student and a stepmother to another.
    if person["orah_relationship"] not in {tie["relationship"] for tie in wanted if tie["relationship"]}:
        label = _relationship(wanted)
        fields |= differences({"relationship": person["orah_relationship"]}, {"relationship": label})
    return {name: difference for name, difference in fields.items() if name not in orah_owns}


def _relationship(wanted: Sequence[Row]) -> str | None:
    """What the person is to most of the students; among equals, to the one with the smallest id."""
    labels = Counter(tie["relationship"] for tie in wanted if tie["relationship"])
    return labels.most_common(1)[0][0] if labels else None


def _unlink(person: Row, contact: int, tie: Row, *, urgent: bool) -> Change:
    fields = {"students": Difference({"student_id": tie["student_id"]}, None)}
    return _change(Action.UNLINK, person, contact, fields, tie["why"], urgent=urgent)


def _change(
    action: Action,
    person: Row,
    contact: int | None,
    fields: Mapping[str, Difference],
    reason: str,
    *,
    urgent: bool = False,
) -> Change:
    return Change(Entity.CONTACT, action, person["person_id"], contact, fields, reason, urgent=urgent)
