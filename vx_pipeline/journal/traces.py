"""What was ever written about one person, with its end and with whose word, and whose a record in Orah is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, false, func, or_, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.intents import LANDED
from vx_pipeline.journal.matching_tables import match_cases
from vx_pipeline.journal.planned import CONTACT, STUDENT, is_id, of_person
from vx_pipeline.journal.sync_tables import approvals
from vx_pipeline.journal.tables import intents, outcomes


@dataclass(frozen=True)
class Write:
    """One write that was meant, and what became of it.

    Args:
        at: when it was noted, just before it was sent.
        system: ``orah`` or ``veracross``.
        key: the person that it is about; of a tie the contact.
        target_id: the record's id in that system; None where none was made.
        values: the fields that were sent.
        cause: the plan, or the run of a push.
        result: how it ended; None when we were interrupted in between.
        detail: what was told about the end, with ids alone.
        actor: who let it pass, where somebody had to; then ``note`` says why, and ``said_at`` when.
    """

    at: datetime
    system: str
    entity: str
    action: str
    key: int
    target_id: int | None
    values: Mapping[str, Any] = field(repr=False)
    cause: str
    result: str | None
    detail: str
    actor: str | None
    note: str | None = field(repr=False)
    said_at: datetime | None

    @property
    def landed(self) -> bool:
        """Whether the other system holds what was sent."""
        return self.result in LANDED


def writes_about(
    journal: Journal, school: str, *, veracross_id: int | None, orah_id: int | None
) -> list[Write]:
    """Every write about a person, or about an Orah student record, in either system; newest first.

    Of a student also those about contacts that name the student.
    """
    about = of_person(intents.c.key, intents.c.entity, veracross_id)
    if is_id(veracross_id):
        # A mark of class attendance bears its student's id.
        about = or_(about, and_(intents.c.key == veracross_id, intents.c.system == "veracross"))
    if is_id(orah_id):
        record = func.coalesce(intents.c.target_id, outcomes.c.target_id)
        about = or_(about, and_(record == orah_id, intents.c.entity == STUDENT, intents.c.system == "orah"))
    query = (
        select(intents, outcomes.c.result, outcomes.c.detail, outcomes.c.target_id.label("made_id"))
        .add_columns(approvals.c.actor, approvals.c.note, approvals.c.at.label("said_at"))
        .outerjoin(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .outerjoin(approvals, approvals.c.number == intents.c.approval)
        .where(intents.c.school == school)
    )
    with journal.begin() as connection:
        rows = {row["intent_id"]: row for row in connection.execute(query.where(about)).mappings()}
        for row in connection.execute(query.where(_may_name(veracross_id, orah_id))).mappings():
            if _names(row["body"], veracross_id, orah_id):
                rows[row["intent_id"]] = row
    return [
        Write(
            at=row["at"],
            system=row["system"],
            entity=row["entity"],
            action=row["action"],
            key=row["key"],
            target_id=row["target_id"] if row["target_id"] is not None else row["made_id"],
            values=row["body"],
            cause=row["cause"],
            result=row["result"],
            detail=row["detail"] or "",
            actor=row["actor"],
            note=row["note"],
            said_at=row["said_at"],
        )
        for _, row in sorted(rows.items(), reverse=True)
    ]


def person_behind(journal: Journal, school: str, entity: str, orah_id: int) -> int | None:
    """The Veracross id of whom we last wrote a record of Orah for; None when we never did."""
    if not is_id(orah_id):
        return None
    record = func.coalesce(outcomes.c.target_id, intents.c.target_id)
    query = (
        select(intents.c.key)
        .join(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(
            intents.c.school == school,
            intents.c.system == "orah",
            intents.c.entity == entity,
            record == orah_id,
            outcomes.c.result.in_(LANDED),
        )
        .order_by(intents.c.intent_id.desc())
        .limit(1)
    )
    with journal.begin() as connection:
        found: int | None = connection.execute(query).scalar()
    return found


def asked_about(journal: Journal, school: str, orah_id: int) -> list[int]:
    """The students for whom the newest run names an Orah record as a candidate."""
    query = select(match_cases.c.veracross_id, match_cases.c.candidate_ids).where(
        match_cases.c.school == school,
        match_cases.c.entity == STUDENT,
        match_cases.c.veracross_id.is_not(None),
    )
    with journal.begin() as connection:
        return sorted(row.veracross_id for row in connection.execute(query) if orah_id in row.candidate_ids)


def _may_name(veracross_id: int | None, orah_id: int | None) -> ColumnElement[bool]:
    """The condition that a write about a contact may name the student: which holds digits, not what they mean."""
    text = cast(intents.c.body, Text)
    numbers = [text.contains(str(number)) for number in (veracross_id, orah_id) if is_id(number)]
    return and_(intents.c.system == "orah", intents.c.entity == CONTACT, or_(false(), *numbers))


def _names(body: Mapping[str, Any], veracross_id: int | None, orah_id: int | None) -> bool:
    """Whether a write about a contact names the student, as the one that is tied or as one of a new contact."""
    if veracross_id is not None and body.get("student_id") == veracross_id:
        return True
    return orah_id is not None and (
        body.get("orah_student_id") == orah_id or orah_id in body.get("student_ids", ())
    )
