"""One student or one class, read between two nights with as few requests as it takes.

Everything is read before anything is landed, and landed in one transaction. What does not come in such a read
is no news: it is in another household, or was not asked for. Only a list that is whole for the person, the class
or the dorm can miss a row in it, and a whole list is landed as whole.

How many requests a student costs: one each for students (by household), relationships, households and contact
info (what changed), dorms, enrollments and athletics; one for each home of the parents; one for each dorm in use.
Whole lists come on top only where the narrow question did not bring somebody who must be somewhere.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import duckdb

from vx_pipeline.assets.partial_reads import PartialReads, ids_in, people_of, rows_of
from vx_pipeline.assets.veracross import Ask
from vx_pipeline.policies import Policies
from vx_pipeline.roster.derive import DERIVATIONS, build
from vx_pipeline.session import SchoolSession
from vx_pipeline.veracross import CompleteRead
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.landing import Scope, land


@dataclass(frozen=True)
class PersonRead:
    """What became of reading one student.

    Args:
        person_id: who was asked for.
        found: whether Veracross lists a student with this id; if not, nothing else was asked.
        requests: how many were sent, by table.
        set_aside: rows that could not be stored, by table; their people count as present, with what was known.
        read_at: when the reading began, in the school's time zone.
    """

    person_id: int
    found: bool
    requests: Mapping[str, int]
    set_aside: Mapping[str, int]
    read_at: datetime


@dataclass(frozen=True)
class ClassRead:
    """What became of reading one class or team.

    Args:
        class_id: which was asked for (internal id).
        found: whether Veracross lists it; if not, nothing else was asked.
        unknown_people: ids of people in it whom no read of the students has brought yet; sorted.
        requests: how many were sent, by table.
        set_aside: rows that could not be stored, by table.
        read_at: when the reading began, in the school's time zone.
    """

    class_id: int
    found: bool
    unknown_people: tuple[int, ...]
    requests: Mapping[str, int]
    set_aside: Mapping[str, int]
    read_at: datetime


def read_person(session: SchoolSession, person_id: int) -> PersonRead:
    """Reads and lands a student: record, family, dorm, classes and teams. The caller keeps other runs out.

    Raises:
        WarehouseError: the school has not been read whole yet.
        VxError: Veracross refused, or a list could not be read or landed; nothing was changed.
    """
    reads = PartialReads(session)
    known_home = reads.stored("SELECT household_id FROM veracross.students WHERE id = $id", id=person_id)
    found = _read_student(reads, person_id, known_home)
    if found:
        record = [row for row in reads.rows("students") if person_id in ids_in([row], "id")]
        related = ids_in(reads.read("relationships", rows_of("person_id", person_id)), "related_person_id")
        _read_parents(reads, ids_in(record, "household_id"), related)
        reads.read("households", reads.changes("households"))
        reads.read("contact_info", reads.changes("contact_info"))
        _read_dorms(reads)
        for table in ("enrollments", "athletics_rosters"):
            reads.read(table, rows_of("person_id", person_id))
        groups = [*reads.rows("enrollments"), *reads.rows("athletics_rosters")]
        if reads.unknown("classes", ids_in(groups, "internal_class_id")):
            reads.read("classes", reads.changes("classes"))
    return PersonRead(person_id, found, reads.requests, reads.land(), reads.read_at)


def read_class(session: SchoolSession, class_id: int) -> ClassRead:
    """Reads and lands a class or team and who is in it. The caller keeps other runs out.

    What changed among the classes is one request of few rows, however many classes there are; the whole list
    of more than a thousand is four or more. It is read only for a class that we know nothing of otherwise.

    Raises:
        WarehouseError: the school has not been read whole yet.
        VxError: Veracross refused, or a list could not be read or landed; nothing was changed.
    """
    reads = PartialReads(session)
    reads.read("classes", reads.changes("classes"))
    if reads.unknown("classes", {class_id}):
        reads.read("classes", Ask())
    found = not reads.unknown("classes", {class_id})
    members: set[int] = set()
    if found:
        for table in ("enrollments", "athletics_rosters"):
            members |= ids_in(reads.read(table, rows_of("internal_class_id", class_id)), "person_id")
    strangers = tuple(sorted(reads.unknown("students", members)))
    return ClassRead(class_id, found, strangers, reads.requests, reads.land(), reads.read_at)


def derive_roster(session: SchoolSession) -> None:
    """Builds every roster table anew from what is landed: all of them, or none."""
    with session.writing() as connection:
        for derivation in DERIVATIONS:
            build(connection, derivation.table, session.school.policies, session.today())


def _read_student(reads: PartialReads, person_id: int, known_home: set[int]) -> bool:
    """Asks for the household as we know it, and for the whole list where the student is not in it."""
    for household in known_home:
        if person_id in ids_in(reads.read("students", people_of(household)), "id"):
            return True
    return person_id in ids_in(reads.read("students", Ask()), "id")


def _read_parents(reads: PartialReads, home: set[int], related: set[int]) -> None:
    """Asks for both homes as we know them, and for the whole list where a parent is in neither.

    Who is related and no parent that we know of may be a brother or sister: they are students.
    """
    for household in home:
        reads.read("parents", people_of(household))
    elsewhere = related - ids_in(reads.rows("parents"), "id")
    others = "SELECT household_id FROM veracross.parents WHERE id IN (SELECT unnest($ids))"
    for household in sorted(reads.stored(others, ids=[*elsewhere]) - home):
        reads.read("parents", people_of(household))
    elsewhere -= ids_in(reads.rows("parents"), "id")
    known = "SELECT id FROM veracross.parents WHERE id IN (SELECT unnest($ids))"
    if reads.stored(known, ids=[*elsewhere]) or reads.unknown("students", elsewhere):
        reads.read("parents", Ask())


def _read_dorms(reads: PartialReads) -> None:
    """Asks for every dorm, and for the students of those in use today: any of them may be the new one."""
    read = reads.complete("dorms", Ask())
    dorms = _dorms_in_use(read, reads.policies, reads.read_at)
    part = f"dorm_id in {', '.join(str(dorm) for dorm in dorms)}"
    scope = Scope("dorm_id IN (SELECT unnest($dorms))", {"dorms": dorms}, part)
    reads.read("dorm_students", Ask(parents=dorms, scope=scope))


def _dorms_in_use(read: CompleteRead, policies: Policies, read_at: datetime) -> list[int]:
    """Judged by the roster's own rule on this very answer, in a database that is gone afterwards."""
    with closing(duckdb.connect()) as scratch:
        dorms = read.endpoint.collection
        land(scratch, dorms, read.rows, read_at=read_at, value_lists=read.value_lists)
        with transaction(scratch):
            build(scratch, "dorms", policies, read_at.date())
        found = scratch.execute("SELECT dorm_id FROM roster.dorms WHERE in_use ORDER BY dorm_id").fetchall()
    return [dorm for (dorm,) in found]
