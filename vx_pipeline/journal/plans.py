"""Plans as they were made: every difference a row, kept whatever became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, func, insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.tables import plan_rows, plans


@dataclass(frozen=True)
class PlanRow:
    """One field of one step. ``field`` is empty for a step that changes no field.

    ``change`` is the fingerprint of the step, ``verdict`` what the gate says of it: ``write``, ``held``,
    ``postponed``, ``refused`` or ``skip``.
    """

    step: int
    entity: str
    action: str
    key: int
    target_id: int | None
    field: str
    before: Any
    after: Any
    reason: str
    cause: str = "veracross"
    urgent: bool = False
    change: str = ""
    verdict: str = "write"
    verdict_reason: str = ""


@dataclass(frozen=True)
class StoredPlan:
    """A plan read back from the journal.

    ``hold_reason`` says why the gate is closed for all of it. ``purpose`` is ``sync``, ``person``, ``class`` or
    ``undo``, and ``subject`` the person, the class, or the plan that is undone. ``inputs`` are hashes of what the
    plan rests on: ``veracross``, ``orah`` and ``settings``.
    """

    plan_id: str
    school: str
    created_at: datetime
    run_id: str | None
    fingerprint: str
    hold_reason: str | None
    rows: tuple[PlanRow, ...]
    purpose: str = "sync"
    subject: str | None = None
    actor: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def held_steps(self) -> tuple[int, ...]:
        """The steps that wait for a person."""
        return tuple(sorted({row.step for row in self.rows if row.verdict == "held"}))

    @property
    def is_held(self) -> bool:
        """Whether a person has to look: the gate is closed, or some steps wait."""
        return bool(self.hold_reason or self.held_steps)


def record_plan(
    journal: Journal,
    *,
    school: str,
    at: datetime,
    run_id: str | None,
    fingerprint: str,
    hold_reason: str | None,
    rows: Sequence[PlanRow],
    purpose: str = "sync",
    subject: str | None = None,
    actor: str | None = None,
    inputs: Mapping[str, str] | None = None,
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
                purpose=purpose,
                subject=subject,
                actor=actor,
                inputs=dict(inputs or {}),
            )
        )
        if rows:
            connection.execute(insert(plan_rows), [{"plan_id": plan_id, **vars(row)} for row in rows])
    return plan_id


def latest_plan(journal: Journal, school: str) -> StoredPlan | None:
    """The school's newest plan, or None before the first one."""
    with journal.begin() as connection:
        plan_id = newest_plan_id(connection, school)
        return _read(connection, school, plan_id) if plan_id else None


def get_plan(journal: Journal, school: str, plan_id: str) -> StoredPlan | None:
    """A plan of the school by its id, by the run that made it, or by the beginning of either if that is unique."""
    matching = select(plans.c.plan_id).where(
        plans.c.school == school,
        plans.c.plan_id.startswith(plan_id, autoescape=True)
        | plans.c.run_id.startswith(plan_id, autoescape=True),
    )
    with journal.begin() as connection:
        found = connection.execute(matching.limit(2)).scalars().all()
        return _read(connection, school, found[0]) if len(found) == 1 else None


def plan_exists(journal: Journal, school: str, plan_id: str) -> bool:
    """Whether the journal knows the plan."""
    query = select(plans.c.plan_id).where(plans.c.school == school, plans.c.plan_id == plan_id)
    with journal.begin() as connection:
        return connection.execute(query).first() is not None


def recent_plans(journal: Journal, school: str, limit: int = 50) -> list[StoredPlan]:
    """The newest plans first, without their rows."""
    query = select(plans).where(plans.c.school == school).order_by(plans.c.created_at.desc()).limit(limit)
    with journal.begin() as connection:
        return [_stored(row, ()) for row in connection.execute(query).mappings()]


def undo_plans(journal: Journal, school: str) -> list[StoredPlan]:
    """The plans that took something back, oldest first."""
    query = select(plans.c.plan_id).where(plans.c.school == school, plans.c.purpose == "undo")
    with journal.begin() as connection:
        found = connection.execute(query.order_by(plans.c.created_at)).scalars().all()
        return [_read(connection, school, plan_id) for plan_id in found]


def current_plans(journal: Journal, school: str) -> list[StoredPlan]:
    """The plans that no other took the place of, newest first, without their rows.

    The newest plan of the whole school takes the place of all before it. One of a person, a class or an undo takes
    the place of the one before about the same only, so that what waits in the school's plan stays in sight.
    """
    with journal.begin() as connection:
        return [_stored(row, ()) for row in _current(connection, school)]


def replaced_by(connection: Connection, plan: StoredPlan) -> str | None:
    """The id of the plan that took this one's place, in a transaction that is under way; None while none did."""
    current = _current(connection, plan.school)
    if any(row["plan_id"] == plan.plan_id for row in current):
        return None
    return str(current[0]["plan_id"]) if current else None


def _current(connection: Connection, school: str) -> list[RowMapping]:
    query = select(plans).where(plans.c.school == school)
    whole = select(func.max(plans.c.created_at)).where(plans.c.school == school, plans.c.purpose == "sync")
    since = connection.execute(whole).scalar()
    if since is not None:
        query = query.where(plans.c.created_at >= since)
    found: dict[tuple[str, str | None], RowMapping] = {}
    for row in connection.execute(query.order_by(plans.c.created_at.desc())).mappings():
        found.setdefault((row["purpose"], row["subject"]), row)
    return list(found.values())


def newest_plan_id(connection: Connection, school: str) -> str | None:
    """The id of the school's newest plan, in a transaction that is under way."""
    newest = select(plans.c.plan_id).where(plans.c.school == school).order_by(plans.c.created_at.desc())
    found: str | None = connection.execute(newest.limit(1)).scalar()
    return found


def _read(connection: Connection, school: str, plan_id: str) -> StoredPlan:
    query = select(plans).where(plans.c.school == school, plans.c.plan_id == plan_id)
    found = connection.execute(query).mappings().one()
    return _stored(found, _rows(connection, plan_id))


def _rows(connection: Connection, plan_id: str) -> tuple[PlanRow, ...]:
    query = (
        select(plan_rows).where(plan_rows.c.plan_id == plan_id).order_by(plan_rows.c.step, plan_rows.c.field)
    )
    return tuple(
        PlanRow(**{name: row[name] for name in PlanRow.__dataclass_fields__})
        for row in connection.execute(query).mappings()
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
        purpose=plan["purpose"],
        subject=plan["subject"],
        actor=plan["actor"],
        inputs=plan["inputs"] or {},
    )
