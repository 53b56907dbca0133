"""The plans of each school that are in force, kept in memory: every page tells whether they wait for somebody."""

import threading

from vx_pipeline.journal import Journal
from vx_pipeline.journal.plans import StoredPlan, current_plans, get_plan


class CurrentPlans:
    """The plans in force, read anew when a run has made another one. A plan never changes once it is stored."""

    def __init__(self) -> None:
        self._read: dict[str, dict[str, StoredPlan]] = {}
        self._lock = threading.Lock()

    def of(self, journal: Journal, school: str) -> tuple[StoredPlan, ...]:
        """The school's plans in force with their rows, newest first; none before the first one."""
        ids = [plan.plan_id for plan in current_plans(journal, school)]
        with self._lock:
            known = self._read.get(school, {})
            found = {one: known.get(one) or get_plan(journal, school, one) for one in ids}
            self._read[school] = {one: plan for one, plan in found.items() if plan is not None}
            return tuple(self._read[school].values())
