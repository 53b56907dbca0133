"""Intents and outcomes: a write is noted before it is sent, and what became of it after.

An intent without an outcome means that we were interrupted in between. Whoever writes next looks at the other
system and settles it; nothing is ever sent a second time on suspicion.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, insert, or_, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.tables import intents, outcomes


class Result(StrEnum):
    """How a write ended.

    ``DONE``: the other system said so. ``CONFIRMED``: the answer was lost, reading back showed our values.
    ``ABSENT``: the answer was lost, reading back showed that nothing was written. ``FAILED``: it was refused, or
    nobody can tell any more.
    """

    DONE = "done"
    CONFIRMED = "confirmed"
    ABSENT = "absent"
    FAILED = "failed"

    @property
    def landed(self) -> bool:
        """Whether the other system holds what we meant to write."""
        return self in (Result.DONE, Result.CONFIRMED)


LANDED = tuple(result.value for result in Result if result.landed)
"""The results, as stored, after which the other system holds what we meant to write."""


@dataclass(frozen=True)
class Intent:
    """One write as it was meant. ``target_id`` is None for a record that did not exist yet.

    ``change`` is the fingerprint of the planned change behind it, ``approval`` the number of the person's word that
    let it pass.
    """

    intent_id: int
    school: str
    at: datetime
    system: str
    entity: str
    action: str
    key: int
    target_id: int | None
    body: Mapping[str, Any]
    cause: str
    change: str | None = None
    approval: int | None = None


def record_intent(
    journal: Journal,
    *,
    school: str,
    at: datetime,
    system: str,
    entity: str,
    action: str,
    key: int,
    target_id: int | None,
    body: Mapping[str, Any],
    cause: str,
    change: str | None = None,
    approval: int | None = None,
) -> int:
    """Notes a write that is about to be sent and returns its id. It is on disk when this returns."""
    values = {
        "school": school,
        "at": at,
        "system": system,
        "entity": entity,
        "action": action,
        "key": key,
        "target_id": target_id,
        "body": dict(body),
        "cause": cause,
        "change": change,
        "approval": approval,
    }
    with journal.begin() as connection:
        inserted = connection.execute(insert(intents).values(**values)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def record_outcome(
    journal: Journal,
    intent_id: int,
    result: Result,
    *,
    at: datetime,
    target_id: int | None = None,
    detail: str = "",
) -> None:
    """Notes what became of an intent."""
    with journal.begin() as connection:
        connection.execute(
            insert(outcomes).values(
                intent_id=intent_id, at=at, result=result.value, target_id=target_id, detail=detail
            )
        )


def open_intents(journal: Journal, school: str, system: str) -> list[Intent]:
    """Intents without an outcome, oldest first: writes that an interruption left in the dark."""
    query = (
        select(intents)
        .outerjoin(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(and_(intents.c.school == school, intents.c.system == system, outcomes.c.intent_id.is_(None)))
        .order_by(intents.c.intent_id)
    )
    with journal.begin() as connection:
        return [_intent(row) for row in connection.execute(query).mappings()]


def standing_deactivations(journal: Journal, school: str) -> dict[int, datetime]:
    """The Orah students whom we deactivated and did not reactivate since, and when; by Orah id."""
    query = (
        _landed(school, "student")
        .where(intents.c.action.in_(["deactivate", "reactivate"]))
        .order_by(intents.c.intent_id)
    )
    standing: dict[int, datetime] = {}
    with journal.begin() as connection:
        for row in connection.execute(query).mappings():
            if row["action"] == "deactivate":
                standing[row["record_id"]] = row["at"]
            else:
                standing.pop(row["record_id"], None)
    return standing


def known_students(journal: Journal, school: str) -> frozenset[int]:
    """The Veracross ids of the students whose record in Orah we ever made or changed."""
    with journal.begin() as connection:
        return frozenset(row["key"] for row in connection.execute(_landed(school, "student")).mappings())


def students_made(journal: Journal, school: str) -> dict[int, datetime]:
    """By Veracross id, when we last made a record in Orah for a student."""
    with journal.begin() as connection:
        rows = connection.execute(_landed(school, "student")).mappings().all()
    made: dict[int, datetime] = {}
    for row in rows:
        if row["action"] == "create":
            made[row["key"]] = max(row["at"], made.get(row["key"], row["at"]))
    return made


def removals_since(journal: Journal, school: str, since: datetime) -> int:
    """How many students were removed since a moment without a person's word.

    A write without an outcome counts: it may have landed.
    """
    query = (
        select(func.count(intents.c.target_id.distinct()))
        .outerjoin(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(
            intents.c.school == school,
            intents.c.system == "orah",
            intents.c.entity == "student",
            intents.c.action.in_(["deactivate", "delete"]),
            intents.c.approval.is_(None),
            intents.c.at >= since,
            or_(outcomes.c.result.in_(LANDED), outcomes.c.result.is_(None)),
        )
    )
    with journal.begin() as connection:
        return int(connection.execute(query).scalar_one())


def landed_changes(journal: Journal, cause: str) -> dict[str, int | None]:
    """The changes of one plan that were written: fingerprint to the id of the record in Orah."""
    query = (
        select(intents.c.change, func.coalesce(outcomes.c.target_id, intents.c.target_id))
        .join(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(intents.c.cause == cause, intents.c.change.is_not(None), outcomes.c.result.in_(LANDED))
    )
    with journal.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def records_made(journal: Journal, school: str, entity: str) -> dict[int, int]:
    """The records in Orah that we made and did not delete since: Orah id to the Veracross id behind it."""
    made: dict[int, int] = {}
    with journal.begin() as connection:
        for row in connection.execute(_landed(school, entity).order_by(intents.c.intent_id)).mappings():
            if row["action"] == "create":
                made[row["record_id"]] = row["key"]
            elif row["action"] == "delete":
                made.pop(row["record_id"], None)
    return made


def last_write(journal: Journal, school: str, system: str) -> datetime | None:
    """When we last meant to write to a system, whatever became of it; None before the first time."""
    query = select(func.max(intents.c.at)).where(intents.c.school == school, intents.c.system == system)
    with journal.begin() as connection:
        found: datetime | None = connection.execute(query).scalar()
    return found


def _landed(school: str, entity: str) -> Select[Any]:
    record_id = func.coalesce(outcomes.c.target_id, intents.c.target_id).label("record_id")
    return (
        select(intents.c.key, intents.c.action, intents.c.at, record_id)
        .join(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(
            intents.c.school == school,
            intents.c.system == "orah",
            intents.c.entity == entity,
            outcomes.c.result.in_(LANDED),
        )
    )


def count_outcomes(journal: Journal, cause: str) -> dict[str, int]:
    """How the writes of one cause ended: result to count."""
    query = (
        select(outcomes.c.result, func.count())
        .join(intents, outcomes.c.intent_id == intents.c.intent_id)
        .where(intents.c.cause == cause)
        .group_by(outcomes.c.result)
    )
    with journal.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _intent(row: RowMapping) -> Intent:
    return Intent(**{name: row[name] for name in Intent.__dataclass_fields__})


def count_writes_since(journal: Journal, school: str, entity: str, since: datetime) -> int:
    """How many writes of an entity were sent since a moment without a person's word, and may have landed."""
    query = (
        select(intents.c.body)
        .outerjoin(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(
            intents.c.school == school,
            intents.c.entity == entity,
            intents.c.at > since,
            or_(outcomes.c.result.is_(None), outcomes.c.result.in_(LANDED)),
        )
    )
    with journal.begin() as connection:
        return sum(not body.get("by_person") for body in connection.execute(query).scalars())


def first_written(journal: Journal, school: str, entity: str) -> datetime | None:
    """When we first set out to write an entity; None where we never did."""
    query = select(intents.c.at).where(intents.c.school == school, intents.c.entity == entity)
    with journal.begin() as connection:
        found: datetime | None = connection.execute(query.order_by(intents.c.intent_id).limit(1)).scalar()
    return found
