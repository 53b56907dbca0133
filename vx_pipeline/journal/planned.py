"""What the newest plans mean to do about one person, and how far that has come.

People are known by their Veracross id, records that nobody stands behind by their Orah id. What ties a contact to a
student is a step about the contact, and told of the student as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.ledger import LARGEST_ID
from vx_pipeline.journal.plans import PlanRow
from vx_pipeline.journal.tables import intents, outcomes, plan_rows, plans

STUDENT, CONTACT = "student", "contact"

TIES = "students"
"""Field of a contact's step that names students by Veracross id: one of a tie, a list of them of a new contact."""


@dataclass(frozen=True)
class Planned:
    """What one plan holds about a person.

    Args:
        plan_id: the plan.
        at: when it was made.
        purpose: ``sync``, ``person``, ``class`` or ``undo``.
        hold_reason: why nothing of the plan may be written; None when the gate is open.
        rows: the rows about the person, in the order of their steps.
        written: steps of them -> how they ended, where they were tried; None for an end that is not known.
    """

    plan_id: str
    at: datetime
    purpose: str
    hold_reason: str | None
    rows: tuple[PlanRow, ...] = field(repr=False)
    written: Mapping[int, str | None]


def planned_about(
    journal: Journal, school: str, *, veracross_id: int | None, orah_id: int | None
) -> list[Planned]:
    """What the school's newest whole plan, and later plans for less, hold about a person; newest first.

    The whole plan is among them with no rows, too: it says that nothing changes. Empty before the first plan.
    """
    with journal.begin() as connection:
        newest = select(func.max(plans.c.created_at)).where(
            plans.c.school == school, plans.c.purpose == "sync"
        )
        since = connection.execute(newest).scalar()
        query = select(plans).where(plans.c.school == school).order_by(plans.c.created_at.desc())
        if since is not None:
            query = query.where(plans.c.created_at >= since)
        found = []
        for plan in connection.execute(query.limit(20)).mappings().all():
            rows = _rows_about(connection, plan["plan_id"], veracross_id, orah_id)
            if rows or plan["purpose"] == "sync":
                written = _ends(connection, school, plan["plan_id"], rows)
                found.append(
                    Planned(
                        plan["plan_id"],
                        plan["created_at"],
                        plan["purpose"],
                        plan["hold_reason"],
                        rows,
                        written,
                    )
                )
    return found


def is_id(number: int | None) -> bool:
    """Whether a number can be anybody's id."""
    return number is not None and 0 < number <= LARGEST_ID


def of_person(
    key: ColumnElement[Any], entity: ColumnElement[Any], veracross_id: int | None
) -> ColumnElement[bool]:
    """The condition that a row is about a person. The key of a house is a dorm's, which may be the same number."""
    if not is_id(veracross_id):
        return false()
    return and_(key == veracross_id, entity.in_((STUDENT, CONTACT)))


def _rows_about(
    connection: Connection, plan_id: str, veracross_id: int | None, orah_id: int | None
) -> tuple[PlanRow, ...]:
    about = of_person(plan_rows.c.key, plan_rows.c.entity, veracross_id)
    if is_id(orah_id):
        about = or_(about, and_(plan_rows.c.target_id == orah_id, plan_rows.c.entity == STUDENT))
    is_tie = and_(plan_rows.c.entity == CONTACT, plan_rows.c.field == TIES)
    query = (
        select(plan_rows)
        .where(plan_rows.c.plan_id == plan_id, or_(about, is_tie))
        .order_by(plan_rows.c.step, plan_rows.c.field)
    )
    rows = [
        PlanRow(**{name: row[name] for name in PlanRow.__dataclass_fields__})
        for row in connection.execute(query).mappings()
    ]
    ours = {
        row.step
        for row in rows
        if not _is_tie(row) or row.key == veracross_id or veracross_id in students_of(row)
    }
    return tuple(row for row in rows if row.step in ours)


def _is_tie(row: PlanRow) -> bool:
    return row.entity == CONTACT and row.field == TIES


def students_of(row: PlanRow) -> frozenset[int]:
    """The students that a row of a contact names, before or after, by Veracross id."""
    named: list[Any] = []
    for side in (row.before, row.after) if row.field == TIES else ():
        named += side if isinstance(side, list) else [side]
    return frozenset(
        one["student_id"] for one in named if isinstance(one, dict) and isinstance(one.get("student_id"), int)
    )


def _ends(
    connection: Connection, school: str, plan_id: str, rows: Sequence[PlanRow]
) -> dict[int, str | None]:
    """How the steps ended that were tried."""
    steps = {row.change: row.step for row in rows if row.change}
    if not steps:
        return {}
    query = (
        select(intents.c.change, outcomes.c.result)
        .outerjoin(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(intents.c.school == school, intents.c.cause == plan_id, intents.c.change.in_(steps))
        .order_by(intents.c.intent_id)
    )
    return {steps[row.change]: row.result for row in connection.execute(query)}
