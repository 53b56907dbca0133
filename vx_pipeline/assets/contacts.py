"""Parents and guardians in Orah, as assets: read back student by student, and who of them is who in Veracross."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import dagster as dg

from vx_pipeline.assets.catalog import DERIVED_KINDS, KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.landings import landing_check_specs, landing_checks
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.journal.contacts import contact_memory, contact_writes
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.matching.contacts import match_contacts
from vx_pipeline.matching.rulings import read_rulings
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync.contact_reading import Answers, ask, known_ties, prepare, store, students_to_read
from vx_pipeline.warehouse.landing import Landed

CONTACTS = dg.AssetKey(["orah", "contacts"])
CONTACT_LINKS = dg.AssetKey(["matching", "contact_links"])

MOST_IDS = 50


@dataclass(frozen=True)
class ContactsRead:
    """What became of reading contacts.

    Args:
        requests: how many were sent, tries in vain included.
        students: whose contacts came whole; ids of Orah.
        failed: whose did not, and why; these contacts are left alone until they do. Ids of Orah.
        landed: what the contacts that came did to the table.
    """

    requests: int
    students: frozenset[int]
    landed: Landed
    failed: Mapping[int, str] = field(default_factory=dict)


def read_contacts(session: SchoolSession, only: Collection[int] | None = None) -> ContactsRead:
    """Reads from Orah the contacts that may have changed, and lands them as ``orah.contacts``.

    The network is never waited for while the warehouse is open.

    Args:
        session: the school; its roster and student links are there.
        only: Veracross ids of students to be read whatever was read before, and nobody else; by default those of
            the whole school whose contacts may have changed.
    """
    policy = session.school.policies.contacts
    now = session.now()
    # Whoever was read longer ago is read anyway.
    writes = contact_writes(session.journal, session.key, now - timedelta(days=policy.reread_days + 1))
    with session.writing() as connection:
        prepare(connection)
        ties = known_ties(connection)
        asked = (
            students_to_read(connection, now=now, reread_days=policy.reread_days, writes=writes, only=only)
            if policy.synced
            else {}
        )
    answers, requests = Answers(), 0
    if asked:
        sent = session.orah.requests
        answers = session.run(ask(session.orah, asked, ties))
        requests = session.orah.requests - sent
    with session.landing() as connection:
        landed = store(connection, answers, asked=asked, ties=ties, read_at=now)
    failed = {student: why for student, why in sorted(answers.failed.items()) if student in asked}
    return ContactsRead(requests, frozenset(asked) - failed.keys(), landed, failed)


@dg.asset(
    key=CONTACTS,
    partitions_def=SCHOOLS,
    deps=[
        dg.AssetKey(["roster", "contacts"]),
        dg.AssetKey(["roster", "leavers"]),
        dg.AssetKey(["orah", "students"]),
        dg.AssetKey(["matching", "student_links"]),
    ],
    group_name="orah",
    kinds=KINDS,
    owners=OWNERS,
    check_specs=[
        *landing_check_specs(CONTACTS.path),
        dg.AssetCheckSpec(
            name="contacts_are_read",
            asset=CONTACTS,
            description="The contacts of everybody who was asked about came; the others' are left alone.",
        ),
    ],
    description="The contacts of the students whose contacts may have changed, one request a student.",
)
def orah_contacts(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one contact. Trouble with contacts stops nothing else: it is said, and they are left alone."""
    with plain_failures():
        session = schools.open(context.partition_key)
        read = read_contacts(session)
        with session.reading() as connection:
            counts = {name: getattr(read.landed, name) for name in ("added", "changed", "vanished")}
            metadata = table_metadata(connection, "orah.contacts", counts)
    metadata |= {"requests": read.requests, "students read": len(read.students)}
    ids = ", ".join(str(student) for student in list(read.failed)[:MOST_IDS])
    whole = dg.AssetCheckResult(
        check_name="contacts_are_read",
        passed=not read.failed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "not read": len(read.failed),
            "ids in Orah": ids,
            "why": "; ".join(sorted(set(read.failed.values()))),
        },
    )
    return dg.MaterializeResult(metadata=metadata, check_results=[*landing_checks(read.landed), whole])


def link_contacts(session: SchoolSession) -> None:
    """Works out which contact in Orah is which parent, from what was read last and what people decided."""
    rulings = read_rulings(session.journal, session.key, Entity.CONTACT)
    written = contact_memory(session.journal, session.key).written
    with session.writing() as connection:
        match_contacts(connection, written=written, rulings=rulings)


@dg.asset(
    key=CONTACT_LINKS,
    partitions_def=SCHOOLS,
    deps=[dg.AssetKey(["roster", "contacts"]), CONTACTS, dg.AssetKey(["matching", "student_links"])],
    group_name="matching",
    kinds=DERIVED_KINDS,
    owners=OWNERS,
    description="Which contact in Orah is which parent: by decision, by what we wrote, by e-mail and name.",
)
def contact_links(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one linked parent or guardian."""
    with plain_failures():
        session = schools.open(context.partition_key)
        link_contacts(session)
        with session.reading() as connection:
            counts = dict(
                connection.execute(
                    "SELECT rule, count(*) FROM matching.contact_links GROUP BY ALL ORDER BY ALL"
                ).fetchall()
            )
            (questions,) = connection.execute("SELECT count(*) FROM matching.contact_questions").fetchall()[0]
            metadata = table_metadata(connection, "matching.contact_links", counts)
    return dg.MaterializeResult(metadata=metadata | {"questions": questions})
