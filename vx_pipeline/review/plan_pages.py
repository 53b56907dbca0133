"""The pages that show plans: the newest one with what waits for a person, an older one, and the list of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.approvals import standing_answers
from vx_pipeline.journal.intents import LANDED, count_outcomes, landed_changes
from vx_pipeline.journal.plans import StoredPlan, get_plan, recent_plans
from vx_pipeline.journal.verdicts import count_verdicts
from vx_pipeline.review import words
from vx_pipeline.review.plan_words import HELD, POSTPONED, PURPOSES, REFUSED, SKIP, VERDICTS, WRITE
from vx_pipeline.review.plans import Step, counts_of, headline, held_groups, steps_of
from vx_pipeline.review.site import Visit

MOST_STEPS = 50
"""Steps of a section that nobody has to answer; a link shows all."""

_PLANS = 50


@dataclass(frozen=True)
class Section:
    """Steps that nobody has to answer, under one verdict."""

    verdict: str
    label: str
    told: str
    steps: Sequence[Step]
    total: int


@dataclass(frozen=True)
class Entry:
    """One plan of the list.

    Args:
        plan: the plan without its rows.
        purpose: in words.
        steps: the number of steps of each verdict, in words.
        held: how many steps were held for a person.
        written: how many writes landed.
        failed: how many did not.
    """

    plan: StoredPlan
    purpose: str
    steps: Sequence[str]
    held: int
    written: int
    failed: int


def newest_plan_page(visit: Visit) -> Response:
    """The newest plan."""
    plan = visit.newest_plan
    if plan is None:
        visit.note("view", "plan")
        return visit.page("plan.html", plan=None)
    return _plan_page(visit, plan)


def plan_page(visit: Visit) -> Response:
    """A plan by its id.

    Raises:
        HTTPException: the school has no such plan.
    """
    return _plan_page(visit, find_plan(visit, str(visit.request.path_params["plan_id"])))


def plans_page(visit: Visit) -> Response:
    """The plans of the last weeks, newest first."""
    plans = recent_plans(visit.journal, visit.school, limit=_PLANS)
    counts = count_verdicts(visit.journal, [plan.plan_id for plan in plans])
    visit.note("view", "plans")
    return visit.page(
        "plans.html", entries=[_entry(visit, plan, counts.get(plan.plan_id, {})) for plan in plans]
    )


def find_plan(visit: Visit, plan_id: str) -> StoredPlan:
    """A plan of the school by its whole id.

    Raises:
        HTTPException: there is none.
    """
    plan = next((one for one in visit.current_plans if one.plan_id == plan_id), None)
    if plan is not None:
        return plan
    plan = get_plan(visit.journal, visit.school, plan_id)
    if plan is None or plan.plan_id != plan_id:
        raise HTTPException(404)
    return plan


def read_steps(visit: Visit, plan: StoredPlan) -> list[Step]:
    """A plan's steps with what became of them until now."""
    return steps_of(
        plan,
        visit.directory,
        answers=standing_answers(visit.journal, visit.school),
        landed=landed_changes(visit.journal, plan.plan_id),
        is_newest=visit.is_current(plan),
    )


def _plan_page(visit: Visit, plan: StoredPlan) -> Response:
    is_newest = visit.is_current(plan)
    steps, show_all, tick = read_steps(visit, plan), visit.text("show") == "all", visit.text("tick")
    groups = held_groups(steps)
    outcomes = count_outcomes(visit.journal, plan.plan_id)
    visit.note("view", f"plan {plan.plan_id}")
    return visit.page(
        "plan.html",
        plan=plan,
        is_newest=is_newest,
        headline=headline(plan, steps, is_newest=is_newest),
        purpose=PURPOSES.get(plan.purpose, plan.purpose),
        counts=counts_of(steps),
        show_all=show_all,
        groups=groups,
        ticked={
            step.number
            for place, (_, each) in enumerate(groups, start=1)
            for step in each
            if step.waits and tick in ("all", str(place))
        },
        waiting=sum(step.waits for step in steps),
        elsewhere=visit.waiting_elsewhere(plan),
        approved=sum(step.told.startswith("approved") for step in steps),
        can_answer=any(step.is_open for step in steps),
        sections=[
            section for verdict in (SKIP, POSTPONED, WRITE) if (section := _section(steps, verdict, show_all))
        ],
        written=sum(outcomes.get(result, 0) for result in LANDED),
        failed=sum(number for result, number in outcomes.items() if result not in LANDED),
        # A mark for what nobody has seen yet: an answer that comes after this page was made.
        seen=max((step.answer.number for step in steps if step.answer), default=0),
    )


def _section(steps: Sequence[Step], verdict: str, show_all: bool) -> Section | None:
    found = [step for step in steps if step.verdict == verdict]
    if not found:
        return None
    label = "Left alone, to be looked at" if verdict == SKIP else VERDICTS[verdict]
    shown = found if show_all else found[:MOST_STEPS]
    return Section(verdict, label, words.counted(len(found), "change"), shown, len(found))


def _entry(visit: Visit, plan: StoredPlan, counts: dict[str, int]) -> Entry:
    outcomes = count_outcomes(visit.journal, plan.plan_id)
    written = sum(outcomes.get(result, 0) for result in LANDED)
    told = {HELD: "held", REFUSED: "refused", SKIP: "left alone", POSTPONED: "postponed", WRITE: "to write"}
    return Entry(
        plan=plan,
        purpose=PURPOSES.get(plan.purpose, plan.purpose),
        steps=[f"{counts[verdict]:,} {label}" for verdict, label in told.items() if counts.get(verdict)],
        held=counts.get(HELD, 0),
        written=written,
        failed=sum(outcomes.values()) - written,
    )
