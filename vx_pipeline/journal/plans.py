"""Plans as they were made: every difference a row, kept whatever became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.tables import plan_rows, plans


@dataclass(frozen=True)
class PlanRow:
    """One field of one step. ``field`` is empty for a step that changes no field."""

    step: int
    entity: str
    action: str
    key: int
    target_id: int | None
    field: str
    before: Any
    after: Any
    reason: str


@dataclass(frozen=True)
class StoredPlan:
    """A plan read back from the journal."""

    plan_id: str
    school: str
    created_at: datetime
    run_id: str | None
    fingerprint: str
    hold_reason: str | None
    rows: tuple[PlanRow, ...]


def record_plan(
    journal: Journal,
    *,
    school: str,
    at: datetime,
    run_id: str | None,
    fingerprint: str,
    hold_reason: str | None,
    rows: Sequence[PlanRow],
) -> str:
    """Stores a plan and returns its id."""
    plan_id = str(uuid4())
    with journal.begin() as connection:
        connection.execute(
            insert(plans).values(
                plan_id=plan_id,
                school=school,
                created_at=at,
                run_id=run_id,
                fingerprint=fingerprint,
                hold_reason=hold_reason,
            )
        )
        if rows:
            connection.execute(insert(plan_rows), [{"plan_id": plan_id, **vars(row)} for row in rows])
    return plan_id


def latest_plan(journal: Journal, school: str) -> StoredPlan | None:
    """The school's newest plan, or None before the first one."""
    newest = select(plans).where(plans.c.school == school).order_by(plans.c.created_at.desc()).limit(1)
    with journal.begin() as connection:
        found = connection.execute(newest).mappings().first()
        return _stored(found, _rows(connection.execute, found["plan_id"])) if found else None


def _rows(execute: Any, plan_id: str) -> tuple[PlanRow, ...]:
    query = (
        select(plan_rows).where(plan_rows.c.plan_id == plan_id).order_by(plan_rows.c.step, plan_rows.c.field)
    )
    return tuple(
        PlanRow(**{name: row[name] for name in PlanRow.__dataclass_fields__})
        for row in execute(query).mappings()
    )


def _stored(plan: RowMapping, rows: tuple[PlanRow, ...]) -> StoredPlan:
    return StoredPlan(
        plan_id=plan["plan_id"],
        school=plan["school"],
        created_at=plan["created_at"],
        run_id=plan["run_id"],
        fingerprint=plan["fingerprint"],
        hold_reason=plan["hold_reason"],
        rows=rows,
    )
