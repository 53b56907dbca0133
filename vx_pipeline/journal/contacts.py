"""What we wrote about contacts in Orah: which are ours, what has ended, and whose contacts our writes touched.

Bodies of contact writes name students by ``student_ids`` (Orah ids, of a new contact), or by ``student_id``
(Veracross) and ``orah_student_id`` where one student is tied to a contact or taken from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.intents import Result
from vx_pipeline.journal.tables import intents, outcomes

_ADOPTING = frozenset({"create", "update", "link"})


@dataclass(frozen=True)
class ContactMemory:
    """What the contacts' planning has to remember.

    Args:
        written: by Veracross person, the contact in Orah that we last made or changed for them: made or adopted.
        given_up: contacts in Orah of which our last write took a student away, or that we deleted.
        custody_ended: student and person, both of Veracross, whom we parted because custody had ended or the
            person had died, or meant to.
    """

    written: Mapping[int, int] = field(default_factory=dict)
    given_up: frozenset[int] = frozenset()
    custody_ended: frozenset[tuple[int, int]] = frozenset()

    @property
    def ours(self) -> frozenset[int]:
        """The contacts in Orah that we made or adopted."""
        return frozenset(self.written.values())


@dataclass(frozen=True)
class ContactWrite:
    """One write about a contact, whatever became of it. All ids are Orah's.

    Args:
        at: when it was meant.
        contact_id: the contact; None for one that was to be made and is not known.
        student_ids: the students it named.
    """

    at: datetime
    contact_id: int | None
    student_ids: frozenset[int]


def contact_memory(journal: Journal, school: str) -> ContactMemory:
    """What was written about a school's contacts, up to now."""
    written: dict[int, int] = {}
    owners: dict[int, int] = {}
    given_up: set[int] = set()
    ended: set[tuple[int, int]] = set()
    with journal.begin() as connection:
        for row in connection.execute(_writes(school)).mappings():
            if row["action"] == "unlink" and row["body"].get("urgent"):
                ended.add((row["body"]["student_id"], row["key"]))
            if row["result"] is None or not Result(row["result"]).landed:
                continue
            person, contact = row["key"], row["contact_id"]
            if row["action"] in _ADOPTING:
                given_up.discard(contact)
                before = owners.get(contact, person)
                if before != person and written.get(before) == contact:
                    del written[before]
                owners[contact], written[person] = person, contact
            else:
                given_up.add(contact)
    return ContactMemory(written, frozenset(given_up), frozenset(ended))


def contact_writes(journal: Journal, school: str, since: datetime) -> list[ContactWrite]:
    """The writes about contacts from a moment on, oldest first."""
    with journal.begin() as connection:
        rows = connection.execute(_writes(school).where(intents.c.at >= since)).mappings().all()
    return [ContactWrite(row["at"], row["contact_id"], _students(row["body"])) for row in rows]


def _writes(school: str) -> Select[Any]:
    return (
        select(
            intents.c.at,
            intents.c.action,
            intents.c.key,
            intents.c.body,
            outcomes.c.result,
            func.coalesce(outcomes.c.target_id, intents.c.target_id).label("contact_id"),
        )
        .outerjoin(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(intents.c.school == school, intents.c.system == "orah", intents.c.entity == "contact")
        .order_by(intents.c.intent_id)
    )


def _students(body: Mapping[str, Any]) -> frozenset[int]:
    named = [*body.get("student_ids", ()), body.get("orah_student_id")]
    return frozenset(student for student in named if student is not None)
