"""Answering what the gate held: which steps, what that will do to whom, a name and a note, and then the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.errors import VxError
from vx_pipeline.journal.approvals import Answer, answer_held
from vx_pipeline.journal.plans import StoredPlan
from vx_pipeline.review import words
from vx_pipeline.review.decide import LONGEST_NOTE, take_name
from vx_pipeline.review.plan_pages import find_plan, read_steps
from vx_pipeline.review.plans import Step, counts_of
from vx_pipeline.review.site import Visit

SHORTEST_NOTE = 3

_MOST = 20_000

CAUSES: Mapping[Answer, Sequence[str]] = {
    Answer.APPROVE: (
        "What stands below is written to Orah by the next run, or within a minute where the sensors are on.",
        "The word holds for exactly these changes. When anything about one of them changes before it is written, "
        "a person is asked again.",
    ),
    Answer.REFUSE: (
        "What stands below is not written. Orah stays as it is.",
        "As long as a run wants the very same change it stays refused, and nobody is asked again. When anything "
        "about it changes, a person is asked anew.",
    ),
}


@dataclass(frozen=True)
class Asked:
    """What a form asks to answer.

    Args:
        plan: the plan that it was made from.
        answer: approve or refuse.
        steps: the chosen ones, as they stand now.
        seen: number of the newest answer that the form's page showed.
    """

    plan: StoredPlan
    answer: Answer
    steps: Sequence[Step]
    seen: int


def confirm_answer_page(visit: Visit) -> Response:
    """Exactly what the answer will do, and to whom."""
    plan = _plan(visit)
    if (stopped := _stopped(visit, plan)) is not None:
        return stopped
    asked = _asked(visit, plan)
    if not asked.steps:
        visit.tell(done="told", strong="Nothing was ticked", told="tick at least one change first")
        return visit.go(visit.at("plan"))
    if (step := _answered_meanwhile(asked)) is not None:
        return _meanwhile_page(visit, step)
    visit.note("view", f"{asked.answer.value} {_subject(asked)}, to be confirmed")
    return _confirm_page(visit, asked)


def answer_action(visit: Visit) -> Response:
    """Records the answer, or says why it cannot be."""
    plan = _plan(visit)
    if (stopped := _stopped(visit, plan)) is not None:
        return stopped
    asked = _asked(visit, plan)
    if not asked.steps:
        raise HTTPException(400)
    if (step := _answered_meanwhile(asked)) is not None:
        return _meanwhile_page(visit, step)
    take_name(visit)
    note = visit.text("note", LONGEST_NOTE)
    if not visit.named:
        return _confirm_page(visit, asked, wrong="Please tell your name: it stands beside the answer.")
    if len(note) < SHORTEST_NOTE:
        return _confirm_page(visit, asked, wrong="Please say why, in a word or two.")
    try:
        count = answer_held(
            visit.journal,
            plan,
            answer=asked.answer,
            actor=visit.actor,
            note=note,
            via="page",
            at=visit.now,
            steps=[step.number for step in asked.steps],
        )
    except VxError as error:
        # A run has made another plan in this very moment.
        return _changed_page(visit, "Nothing was recorded", error.what)
    if asked.answer is Answer.APPROVE:
        told = "written by the next run, or within a minute where the sensors are on; vx apply does it now"
        visit.tell(done="told", strong=f"{count:,} approved", told=told)
    else:
        told = "not written, and not asked again while nothing about it changes"
        visit.tell(done="told", strong=f"{count:,} refused", told=told)
    return visit.go(visit.at("plan"))


def _confirm_page(visit: Visit, asked: Asked, wrong: str = "") -> Response:
    changes = words.counted(len(asked.steps), "change")
    return visit.page(
        "plan_confirm.html",
        422 if wrong else 200,
        plan=asked.plan,
        answer=asked.answer.value,
        question=f"{asked.answer.value.capitalize()} {changes}?",
        button=f"{asked.answer.value.capitalize()} {len(asked.steps):,}",
        steps=asked.steps,
        counts=[told for _, _, listed in counts_of(asked.steps) for told in listed],
        causes=CAUSES[asked.answer],
        seen=asked.seen,
        note=visit.text("note", LONGEST_NOTE),
        shortest=SHORTEST_NOTE,
        wrong=wrong,
    )


def _plan(visit: Visit) -> StoredPlan:
    return find_plan(visit, visit.text("plan", 64))


def _stopped(visit: Visit, plan: StoredPlan) -> Response | None:
    """Why nothing of the plan can be answered: another plan took its place, or the gate is closed."""
    if not visit.is_current(plan):
        return _changed_page(
            visit,
            "A newer plan took this one's place",
            "A run has planned anew since this page was shown. Please look at what it wants, and answer that.",
        )
    if plan.hold_reason:
        return _changed_page(
            visit,
            "The gate is closed",
            f"{plan.hold_reason.rstrip('.')}. Nobody can open it; only a sound read does.",
        )
    return None


def _asked(visit: Visit, plan: StoredPlan) -> Asked:
    """The chosen steps, each named by its number and its change's fingerprint.

    Raises:
        HTTPException: there is no such answer or step, a step is another change than the form showed, or it cannot
            be answered.
    """
    answer, seen = visit.text("answer"), visit.number("seen")
    if answer not in set(Answer) or seen is None:
        raise HTTPException(400)
    steps = {f"{step.number} {step.fingerprint}": step for step in read_steps(visit, plan)}
    # Once each: a step that is named twice is still one answer.
    named = list(dict.fromkeys(str(value) for value in visit.form.getlist("step")))[:_MOST]
    chosen = [steps.get(each) for each in named]
    if any(step is None for step in chosen):
        raise HTTPException(400)
    found = [step for step in chosen if step is not None]
    if any(not step.is_open for step in found):
        raise VxError(
            f"Plan {plan.plan_id} does not hold all of these changes any more.",
            kept="Nothing was recorded.",
            remedy="Look at the plan again.",
        )
    return Asked(plan, Answer(answer), sorted(found, key=lambda step: step.number), seen)


def _answered_meanwhile(asked: Asked) -> Step | None:
    """A chosen step that somebody else answered after the page was shown."""
    return next((step for step in asked.steps if step.answer and step.answer.number > asked.seen), None)


def _meanwhile_page(visit: Visit, step: Step) -> Response:
    assert step.answer is not None
    word = "approved" if step.answer.answer is Answer.APPROVE else "refused"
    return _changed_page(
        visit,
        f"{step.answer.actor} {word} one of them meanwhile",
        f"{step.name or step.kind} (Veracross {step.key}), {visit.ago(step.answer.at)}. Please look again.",
    )


def _changed_page(visit: Visit, title: str, told: str) -> Response:
    visit.note("refused", f"answer to plan {visit.text('plan', 64)}")
    return visit.page("changed.html", 409, case_address=visit.at("plan"), title=title, told=told)


def _subject(asked: Asked) -> str:
    return f"plan {asked.plan.plan_id} steps {', '.join(str(step.number) for step in asked.steps)}"
