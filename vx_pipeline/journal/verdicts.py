"""How many steps of which plan the gate let pass, held, or left out: for lists of plans, without their rows."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import func, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.tables import plan_rows


def count_verdicts(journal: Journal, plan_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """By plan, the number of steps of each verdict; a plan without steps is not in it."""
    query = (
        select(plan_rows.c.plan_id, plan_rows.c.verdict, func.count(plan_rows.c.step.distinct()))
        .where(plan_rows.c.plan_id.in_(plan_ids))
        .group_by(plan_rows.c.plan_id, plan_rows.c.verdict)
    )
    counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with journal.begin() as connection:
        for plan_id, verdict, number in connection.execute(query):
            counts[plan_id][verdict] = number
    return dict(counts)
