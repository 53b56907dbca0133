"""Reading contacts back from Orah, student by student, and only of those whose contacts may have changed."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.errors import AccessError, NotFoundError, VxError
from vx_pipeline.journal.contacts import ContactWrite
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.collections import CONTACTS
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.derive import derive
from vx_pipeline.warehouse.landing import Landed, Scope, land
from vx_pipeline.warehouse.tables import prepare_tables

CONCURRENCY = 4
"""Reads under way at once."""

_MOST_IN_VAIN = 8
"""So many reads in vain, and none that went well in between, and the rest is not tried."""

Ties = Mapping[int, frozenset[int]]
"""The students of each contact, both of Orah."""


@dataclass
class Answers:
    """What Orah said about the contacts of some students.

    Args:
        contacts: the contacts that came, by id.
        came_for: the students for whom each came.
        read: the students whose contacts came whole.
        failed: why the contacts of a student did not come; ids are Orah's.
    """

    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    came_for: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    read: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes ``orah.contacts``, ``contact_students`` and ``contact_reads`` where they are not there yet.

    ``contact_reads`` has a row a student of Orah: ``read_at`` of the last read that went well, ``wanted_hash`` of
    what Veracross said of the contacts then, ``failed_at`` when the newest read did not go well.
    """
    prepare_tables(connection, CONTACTS)
    connection.execute("CREATE SCHEMA IF NOT EXISTS sync")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS orah.contact_reads "
        "(student_id BIGINT, read_at TIMESTAMP, wanted_hash VARCHAR, failed_at TIMESTAMP)"
    )
    derive(connection, "vx_pipeline.sync", "contact_students")


def students_to_read(
    connection: duckdb.DuckDBPyConnection,
    *,
    now: datetime,
    reread_days: int,
    writes: Iterable[ContactWrite],
    only: Collection[int] | None = None,
) -> dict[int, str]:
    """Whose contacts are read now: Orah id to the hash of what Veracross says of the contacts.

    Args:
        connection: the school's warehouse, in a transaction, prepared, with roster and student links.
        now: the moment of reading.
        reread_days: each student is read again after so many days.
        writes: what we wrote about contacts since then at least; from the journal.
        only: Veracross ids of those to be read whatever was read before, and nobody else.
    """
    parameters = {
        "now": stored(now),
        "reread_days": reread_days,
        "touched": sorted(_touched(connection, writes)),
        "only": None if only is None else sorted(only),
    }
    derive(connection, "vx_pipeline.sync", "contacts_due", parameters)
    return dict(connection.execute("SELECT orah_id, wanted_hash FROM sync.contacts_due").fetchall())


def known_ties(connection: duckdb.DuckDBPyConnection) -> Ties:
    """The students of each contact, as they were last read."""
    rows = connection.execute(
        "SELECT contact_id, list(student_id) FROM orah.contact_students GROUP BY contact_id"
    ).fetchall()
    return {contact: frozenset(students) for contact, students in rows}


async def ask(orah: OrahClient, students: Collection[int], ties: Ties) -> Answers:
    """Reads the contacts of the students, one request each.

    A contact that came for none of its students that were read may have gone, or may be another student's alone by
    now: its other students are read, too, so that the two can be told apart. Those may have been deleted since.
    """
    answers = Answers()
    await _ask_each(orah, sorted(students), answers, may_be_gone=False)
    waiting = _others(answers, ties)
    while waiting:
        await _ask_each(orah, sorted(waiting), answers, may_be_gone=True)
        waiting = _others(answers, ties)
    return answers


def _others(answers: Answers, ties: Ties) -> set[int]:
    """The students who were not asked about yet, of contacts that did not come where they were."""
    asked = answers.read | answers.failed.keys()
    return {
        student
        for contact, whose in ties.items()
        if contact not in answers.contacts and whose & answers.read and not whose & answers.failed.keys()
        for student in whose - asked
    }


async def _ask_each(
    orah: OrahClient, students: Collection[int], answers: Answers, *, may_be_gone: bool
) -> None:
    turns = asyncio.Semaphore(CONCURRENCY)
    in_vain = 0
    refusal: AccessError | None = None

    async def ask_one(student: int) -> None:
        nonlocal in_vain, refusal
        async with turns:
            if refusal is not None or in_vain >= _MOST_IN_VAIN:
                answers.failed[student] = refusal.what if refusal else "too many reads before it were in vain"
                return
            try:
                came = await orah.contacts_of(student)
            except VxError as error:
                if may_be_gone and isinstance(error, NotFoundError):
                    answers.read.add(student)
                    return
                in_vain += 1
                refusal = error if isinstance(error, AccessError) else refusal
                answers.failed[student] = error.what
                return
            in_vain = 0
            answers.read.add(student)
            for contact in came:
                answers.contacts[contact["id"]] = contact
                answers.came_for[contact["id"]].add(student)

    async with asyncio.TaskGroup() as group:
        for student in students:
            group.create_task(ask_one(student))


def store(
    connection: duckdb.DuckDBPyConnection,
    answers: Answers,
    *,
    asked: Mapping[int, str],
    ties: Ties,
    read_at: datetime,
) -> Landed:
    """Lands the contacts that came, and notes whose were read. Adds to ``answers.failed`` what cannot be stored.

    Missing is a contact only if all of its students were read and it came for none of them.

    Args:
        connection: the school's warehouse, prepared, outside a transaction.
        answers: what came.
        asked: whom ``students_to_read`` named, with their hashes.
        ties: the ties before.
        read_at: when the read began.
    """
    proven = sorted(contact for contact, students in ties.items() if students <= answers.read)
    scope = Scope("list_contains(CAST($contacts AS BIGINT[]), id)", {"contacts": proven})
    rows = list(answers.contacts.values())
    try:
        landed = land(connection, CONTACTS, rows, read_at=read_at, scope=scope, may_be_empty=True)
    except VxError as error:
        answers.failed |= dict.fromkeys(asked, error.what)
        landed = land(connection, CONTACTS, [], read_at=read_at, scope=Scope("FALSE"), may_be_empty=True)
    with transaction(connection):
        rejected = connection.execute(
            "SELECT id FROM orah.rejected_rows WHERE collection = 'contacts' AND read_at = $at",
            {"at": stored(read_at)},
        ).fetchall()
        for (contact,) in rejected:
            answers.failed |= dict.fromkeys(answers.came_for[contact], "a contact of theirs cannot be read")
        _note(connection, answers, asked, stored(read_at))
        derive(connection, "vx_pipeline.sync", "contact_students")
    return landed


def _note(
    connection: duckdb.DuckDBPyConnection, answers: Answers, asked: Mapping[int, str], at: datetime
) -> None:
    failed = [student for student in asked if student in answers.failed]
    read = [student for student in asked if student not in answers.failed]
    connection.execute(
        """
        INSERT INTO orah.contact_reads BY NAME
        SELECT unnest(CAST($failed AS BIGINT[])) AS student_id
        EXCEPT SELECT student_id FROM orah.contact_reads
        """,
        {"failed": failed},
    )
    connection.execute(
        "UPDATE orah.contact_reads SET failed_at = $at WHERE list_contains(CAST($failed AS BIGINT[]), student_id)",
        {"at": at, "failed": failed},
    )
    connection.execute(
        "DELETE FROM orah.contact_reads WHERE list_contains(CAST($read AS BIGINT[]), student_id)",
        {"read": read},
    )
    connection.execute(
        """
        INSERT INTO orah.contact_reads BY NAME
        SELECT unnest(CAST($read AS BIGINT[])) AS student_id, CAST($at AS TIMESTAMP) AS read_at,
            unnest(CAST($hashes AS VARCHAR[])) AS wanted_hash
        """,
        {"read": read, "at": at, "hashes": [asked[student] for student in read]},
    )


def _touched(connection: duckdb.DuckDBPyConnection, writes: Iterable[ContactWrite]) -> set[int]:
    """The students to whose contacts we wrote since they were read."""
    read_at = dict(connection.execute("SELECT student_id, read_at FROM orah.contact_reads").fetchall())
    ties = known_ties(connection)
    touched = set()
    for write in writes:
        whose = write.student_ids
        if write.contact_id is not None:
            whose |= ties.get(write.contact_id, frozenset())
        touched |= {one for one in whose if read_at.get(one) is None or read_at[one] <= stored(write.at)}
    return touched
