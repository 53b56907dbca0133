"""Plans with held changes, as a run would leave them in the journal."""

from datetime import UTC, datetime
from typing import Any

from vx_pipeline.journal import Journal
from vx_pipeline.journal.plans import PlanRow, StoredPlan, get_plan, record_plan

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SCHOOL = "north"


def row(step: int, verdict: str = "held", **values: Any) -> PlanRow:
    """The deactivation of the student with the step's number."""
    given: dict[str, Any] = {
        "step": step,
        "entity": "student",
        "action": "deactivate",
        "key": step,
        "target_id": 500 + step,
        "field": "deactivated",
        "before": False,
        "after": True,
        "reason": "the exit date is reached",
        "change": f"change-{step}",
        "verdict": verdict,
    }
    return PlanRow(**{**given, **values})


def stored_plan(journal: Journal, *rows: PlanRow, school: str = SCHOOL, **values: Any) -> StoredPlan:
    """A plan that was made now under the rules ``rules``."""
    given: dict[str, Any] = {
        "at": NOW,
        "run_id": None,
        "fingerprint": "f",
        "hold_reason": None,
        "inputs": {"settings": "rules"},
    }
    plan_id = record_plan(journal, school=school, rows=rows, **{**given, **values})
    plan = get_plan(journal, school, plan_id)
    assert plan is not None
    return plan
