"""One person, one class, or one plan taken back: what happens between two nights, on somebody's word."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from vx_pipeline.assets.contacts import link_contacts, read_contacts
from vx_pipeline.assets.matching import link_houses, link_students
from vx_pipeline.assets.on_demand import derive_roster, read_class, read_person
from vx_pipeline.assets.orah import read_list
from vx_pipeline.assets.school_sync import Purpose, apply_plan, plan_school, record_judged
from vx_pipeline.errors import NotFoundError, VxError
from vx_pipeline.journal.intents import landed_changes
from vx_pipeline.journal.pins import pins_on
from vx_pipeline.journal.plans import StoredPlan, get_plan
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync.apply import Applied
from vx_pipeline.sync.changes import Action, Change, Entity
from vx_pipeline.sync.pinning import without_pinned
from vx_pipeline.sync.stored import to_changes
from vx_pipeline.sync.undo import Orah, undo_changes
from vx_pipeline.warehouse.rows import read_rows


@dataclass(frozen=True)
class Single:
    """What became of it: the plan that was made, what was written, and how many requests Veracross was asked."""

    plan: StoredPlan
    applied: Applied
    requests: Mapping[str, int]


def sync_person(session: SchoolSession, person_id: int, run_id: str | None, actor: str) -> Single:
    """Reads one student from Veracross, and brings just this student, house and contacts over to Orah.

    Raises:
        NotFoundError: Veracross lists no student with this id.
        HeldError: the gate is closed.
        VxError: a read failed; nothing was changed.
    """
    read = read_person(session, person_id)
    if not read.found:
        raise NotFoundError(
            f"Veracross lists no student {person_id}.",
            kept="Nothing was changed.",
            remedy=f"Look at the number, and at `vx why {person_id}`.",
        )
    return _bring_over(session, {person_id}, run_id, Purpose("person", str(person_id), actor), read.requests)


def sync_class(session: SchoolSession, class_id: int, run_id: str | None, actor: str) -> Single:
    """Reads one class or team and who is in it, and brings those students over to Orah.

    Raises:
        NotFoundError: Veracross lists no class with this id.
        HeldError: the gate is closed.
        VxError: a read failed; nothing was changed.
    """
    read = read_class(session, class_id)
    if not read.found:
        raise NotFoundError(f"Veracross lists no class or team {class_id}.", kept="Nothing was changed.")
    derive_roster(session)
    with session.reading() as connection:
        members = connection.execute(
            "SELECT person_id FROM roster.group_members WHERE group_id = $id AND role = 'student'",
            {"id": class_id},
        ).fetchall()
    people = {row[0] for row in members}
    return _bring_over(session, people, run_id, Purpose("class", str(class_id), actor), read.requests)


def undo(session: SchoolSession, plan_or_run: str, run_id: str | None, actor: str) -> Single:
    """Takes back what a plan wrote, as far as it still is as we left it and is not pinned, through the same gate.

    Raises:
        NotFoundError: there is no such plan, or it wrote nothing.
        HeldError: the gate is closed.
    """
    plan = get_plan(session.journal, session.key, plan_or_run)
    landed = landed_changes(session.journal, plan.plan_id) if plan else {}
    if plan is None or not landed:
        raise NotFoundError(
            f"Nothing was written by {plan_or_run!r}: it is no plan or run of this school, or it wrote nothing.",
            kept="Nothing was changed.",
            remedy="See which there are on the review page, under Plans.",
        )
    changes = to_changes(plan.rows)
    _read_orah(session)
    # What the plan made anew is not linked yet.
    link_students(session)
    link_houses(session)
    with session.reading() as connection:
        touched = _students_of_contacts(connection, changes, landed)
    if touched:
        read_contacts(session, only=touched)
    with session.reading() as connection:
        orah = _orah(connection)
    pins = pins_on(session.journal, session.key, session.today())
    turned = without_pinned(undo_changes(changes, landed, orah), pins)
    purpose = Purpose("undo", plan.plan_id, actor)
    stored = record_judged(session, turned, run_id, purpose)
    return Single(stored, _write(session, stored), {})


def _bring_over(
    session: SchoolSession,
    people: set[int],
    run_id: str | None,
    purpose: Purpose,
    requests: Mapping[str, int],
) -> Single:
    derive_roster(session)
    _read_orah(session)
    link_students(session)
    link_houses(session)
    if session.school.policies.contacts.synced:
        read_contacts(session, only=people)
    link_contacts(session)
    with session.reading() as connection:
        adults = connection.execute(
            "SELECT DISTINCT person_id FROM roster.contacts WHERE list_contains($people, student_id)",
            {"people": sorted(people)},
        ).fetchall()
    chosen = about(people, {row[0] for row in adults})
    stored = plan_school(session, run_id, purpose=purpose, select=chosen)
    return Single(stored, _write(session, stored), requests)


def about(people: set[int], adults: set[int]) -> Callable[[Sequence[Change]], list[Change]]:
    """Chooses the changes of these students: their records, the houses these need, and their contacts."""

    def select(changes: Sequence[Change]) -> list[Change]:
        students = [one for one in changes if one.entity is Entity.STUDENT and one.key in people]
        dorms = {
            pair.after["dorm_id"]
            for one in students
            for name, pair in one.fields.items()
            if name == "house" and pair.after
        }
        return [
            one
            for one in changes
            if (one.entity is Entity.STUDENT and one.key in people)
            or (one.entity is Entity.HOUSE and one.key in dorms and one.action is not Action.DELETE)
            or (one.entity is Entity.CONTACT and _is_theirs(one, people, adults))
        ]

    return select


def _is_theirs(change: Change, people: set[int], adults: set[int]) -> bool:
    """A contact is shared between brothers and sisters; a tie is one child's."""
    if change.action in (Action.LINK, Action.UNLINK):
        return bool(people & _children(change))
    return change.key in adults


def _children(change: Change) -> set[int]:
    """The students whom a change of a contact names."""
    pair = change.fields.get("students")
    named = [side for side in (pair.before, pair.after) if side] if pair else []
    listed = [child for side in named for child in (side if isinstance(side, list) else [side])]
    return {child["student_id"] for child in listed if "student_id" in child}


def _write(session: SchoolSession, stored: StoredPlan) -> Applied:
    applied = apply_plan(session, stored)
    if applied.failed:
        raise VxError(
            f"{len(applied.failed)} of the plan's changes were not written. The first: {applied.failures[0]}",
            kept="The others are done.",
            remedy="The next night tries them again.",
        )
    return applied


def _read_orah(session: SchoolSession) -> None:
    for table in ("students", "houses"):
        read_list(session, table)


def _students_of_contacts(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], landed: Mapping[str, int | None]
) -> set[int]:
    """The students, by Veracross id, whose contacts have to be seen before a plan is turned round."""
    contacts = [one for one in changes if one.entity is Entity.CONTACT]
    if not contacts:
        return set()
    tied = connection.execute(
        """
        SELECT DISTINCT link.veracross_id FROM orah.contact_students AS tie
        JOIN matching.student_links AS link ON link.orah_id = tie.student_id
        WHERE list_contains($contacts, tie.contact_id)
        """,
        {"contacts": sorted({record for record in landed.values() if record is not None})},
    ).fetchall()
    return {row[0] for row in tied}.union(*(_children(one) for one in contacts))


def _orah(connection: duckdb.DuckDBPyConnection) -> Orah:
    """Orah as the warehouse has it, in the words of a plan."""
    records: dict[tuple[Entity, int], dict[str, Any]] = {}
    for entity, table in (
        (Entity.HOUSE, "houses"),
        (Entity.STUDENT, "students"),
        (Entity.CONTACT, "contacts"),
    ):
        for row in read_rows(connection, f"SELECT * FROM orah.{table} WHERE _missing_since IS NULL"):
            house = row.pop("house__id", None)
            # A school's additional fields are no columns of their own.
            more = json.loads(row.pop("_extra") or "{}")
            records[entity, row["id"]] = row | more | {"house": None if house is None else {"id": house}}
    tied: dict[int, list[int]] = {}
    for contact, student in connection.execute(
        "SELECT contact_id, student_id FROM orah.contact_students"
    ).fetchall():
        tied.setdefault(contact, []).append(student)
    for (entity, record_id), record in records.items():
        if entity is Entity.CONTACT:
            record["students"] = tied.get(record_id, [])
    return Orah(
        records,
        houses=dict(connection.execute("SELECT dorm_id, orah_id FROM matching.house_links").fetchall()),
        students=dict(
            connection.execute("SELECT veracross_id, orah_id FROM matching.student_links").fetchall()
        ),
    )
