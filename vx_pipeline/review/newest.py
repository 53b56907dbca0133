"""The newest plan of each school, kept in memory: every page tells whether it waits for somebody."""

import threading

from vx_pipeline.journal import Journal
from vx_pipeline.journal.plans import StoredPlan, get_plan, recent_plans


class NewestPlans:
    """The newest plans, read anew when a run has made another one. A plan never changes once it is stored."""

    def __init__(self) -> None:
        self._read: dict[str, StoredPlan] = {}
        self._lock = threading.Lock()

    def of(self, journal: Journal, school: str) -> StoredPlan | None:
        """The school's newest plan with its rows; None before the first one."""
        newest = recent_plans(journal, school, limit=1)
        if not newest:
            return None
        with self._lock:
            read = self._read.get(school)
            if read is None or read.plan_id != newest[0].plan_id:
                read = get_plan(journal, school, newest[0].plan_id)
                if read is not None:
                    self._read[school] = read
        return read
