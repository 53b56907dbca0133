"""What the journal remembers that a plan and its gate need to know."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import duckdb

from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import Answer, Approval, standing_answers
from vx_pipeline.journal.intents import (
    known_students,
    landed_changes,
    last_write,
    records_made,
    removals_since,
    standing_deactivations,
    students_made,
)
from vx_pipeline.journal.pins import pins_on
from vx_pipeline.journal.plans import get_plan, latest_plan, plan_exists, undo_plans
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Entity, fingerprint
from vx_pipeline.sync.gate import Objection, Place, Recollection, place_of
from vx_pipeline.sync.inputs import SETTINGS, settings_hash
from vx_pipeline.sync.planning import Baseline
from vx_pipeline.sync.stored import to_changes

WEEK = timedelta(days=7)


def baseline(journal: Journal, school: str, policies: Policies, now: datetime) -> Baseline:
    """What a plan rests on besides the warehouse."""
    before = latest_plan(journal, school)
    return Baseline(
        policies=policies,
        now=now,
        deactivated_by_us=standing_deactivations(journal, school),
        known_students=known_students(journal, school),
        made_at=students_made(journal, school),
        made_houses=records_made(journal, school, Entity.HOUSE.value),
        pins=pins_on(journal, school, now.date()),
        settings_changed=before is not None and before.inputs.get(SETTINGS) != settings_hash(policies),
    )


def recollection(
    journal: Journal,
    school: str,
    connection: duckdb.DuckDBPyConnection,
    *,
    now: datetime,
    on_pass: frozenset[int] | None,
    of_a_part: bool = False,
) -> Recollection:
    """What the gate knows besides the warehouse.

    Args:
        journal: the open journal.
        school: the school's key.
        connection: the school's warehouse, for the plan that it saw last.
        now: the moment of planning.
        on_pass: the Orah ids of students on an active pass; None when that could not be read.
        of_a_part: whether the plan is about a part of Veracross that was read just now.
    """
    answers = standing_answers(journal, school)
    return Recollection(
        now=now,
        last_write=last_write(journal, school, "orah"),
        removed_this_week=removals_since(journal, school, now - WEEK),
        answers=answers,
        objections=_objections(journal, school, answers),
        on_pass=on_pass,
        baseline=_baseline_trouble(journal, school, connection),
        of_a_part=of_a_part,
    )


def remember_plan(connection: duckdb.DuckDBPyConnection, plan_id: str) -> None:
    """Notes in the warehouse which plan of the journal it saw last, so that a swap of either is noticed."""
    connection.execute(
        "CREATE OR REPLACE TABLE sync.last_plan AS SELECT $plan_id AS plan_id", {"plan_id": plan_id}
    )


def _baseline_trouble(journal: Journal, school: str, connection: duckdb.DuckDBPyConnection) -> str | None:
    """A warehouse that was rebuilt, or a journal from a backup, does not know what happened since.

    One run then sets the two right, and the next one may write.
    """
    known = connection.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'sync' AND table_name = 'last_plan'"
    ).fetchone()
    if not known:
        if latest_plan(journal, school) is None:
            return None
        return "the warehouse was made anew and has no earlier read to compare with: this run sets that right"
    row = connection.execute("SELECT plan_id FROM sync.last_plan").fetchone()
    if row and not plan_exists(journal, school, row[0]):
        return (
            "the journal does not know the last plan, as if restored from a backup: this run sets that right"
        )
    return None


def _objections(journal: Journal, school: str, answers: Mapping[str, Approval]) -> dict[Place, Objection]:
    """What people took back or refused; at each place the newest."""
    found = sorted(
        [*_taken_back(journal, school), *_refused(journal, school, answers)], key=lambda one: one[0]
    )
    return {place: objection for _, place, objection in found}


def _taken_back(journal: Journal, school: str) -> Iterator[tuple[datetime, Place, Objection]]:
    """What undo plans wrote, as the values that they took back."""
    for plan in undo_plans(journal, school):
        landed = landed_changes(journal, plan.plan_id)
        at, actor = plan.created_at, plan.actor or "somebody"
        for change in to_changes(plan.rows):
            if fingerprint(change) not in landed:
                continue
            for name, pair in change.fields.items():
                yield at, place_of(change, name), Objection(pair.before, actor, at.date())
            if change.action is Action.DELETE:
                made = (change.entity, change.key, Action.CREATE.value)
                yield at, made, Objection(None, actor, at.date())


def _refused(
    journal: Journal, school: str, answers: Mapping[str, Approval]
) -> Iterator[tuple[datetime, Place, Objection]]:
    """What was refused, field by field: a change that is another one by now may still want the same of a field."""
    refused = {mark: one for mark, one in answers.items() if one.answer is Answer.REFUSE}
    for plan_id in sorted({one.plan_id for one in refused.values()}):
        plan = get_plan(journal, school, plan_id)
        for change in to_changes(plan.rows) if plan else ():
            if (answer := refused.get(fingerprint(change))) is None:
                continue
            at, actor = answer.at, answer.actor
            if change.action in (Action.CREATE, Action.DELETE):
                record = (change.entity, change.key, change.action.value)
                yield at, record, Objection(None, actor, at.date(), "refused this")
                continue
            for name, pair in change.fields.items():
                yield at, place_of(change, name), Objection(pair.after, actor, at.date(), "refused this")
