"""The history of decisions, and taking one back."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.errors import VxError
from vx_pipeline.journal.decisions import DecidedMeanwhile, Decision, Kind, history, standing, undo
from vx_pipeline.journal.open_cases import open_case
from vx_pipeline.review.decide import LONGEST_NOTE, meanwhile_page, take_name
from vx_pipeline.review.site import LONGEST_NAME, Visit

PAGE = 50
_MOST = 5000


def decisions_page(visit: Visit) -> Response:
    """What was decided, newest first."""
    kind, actor, before = visit.text("kind"), visit.text("actor", LONGEST_NAME), visit.number("before")
    if kind and kind not in set(Kind):
        raise HTTPException(400)
    found = history(
        visit.journal,
        visit.school,
        kind=Kind(kind) if kind else None,
        actor=actor or None,
        limit=PAGE + 1,
        before=before,
    )
    everything = history(visit.journal, visit.school, limit=_MOST)
    visit.note("view", "decisions")
    return visit.page(
        "decisions.html",
        decisions=found[:PAGE],
        older=found[PAGE - 1].number if len(found) > PAGE else None,
        before=before,
        kind=kind,
        actor=actor,
        kinds=list(Kind),
        actors=sorted({each.actor for each in everything}, key=str.casefold),
        undone={each.undoes for each in everything},
        standing={each.number for each in standing(visit.journal, visit.school)},
        directory=visit.directory,
    )


def undo_page(visit: Visit) -> Response:
    """Asks before a decision is taken back."""
    decision = _decision(visit)
    visit.note("view", f"decision {decision.number}: {decision.told}")
    return visit.page("undo.html", decision=decision, directory=visit.directory)


def undo_action(visit: Visit) -> Response:
    """Takes a decision back."""
    decision = _decision(visit)
    take_name(visit)
    case_id = visit.text("case", 64)
    back = visit.at("decisions")
    try:
        taken = undo(
            visit.journal,
            school=visit.school,
            number=decision.number,
            note=visit.text("note", LONGEST_NOTE),
            actor=visit.actor,
            via="page",
            at=visit.now,
            action="undo",
        )
    except DecidedMeanwhile as news:
        return meanwhile_page(visit, news, case_address=back)
    visit.tell(done="undo", number=taken.number, told=f"decision {decision.number} no longer counts", case="")
    if case_id and open_case(visit.journal, visit.school, case_id) is not None:
        back = visit.at("case", case_id)
    return visit.go(back)


def _decision(visit: Visit) -> Decision:
    number = visit.path_number("number")
    found = history(visit.journal, visit.school, before=number + 1, limit=1)
    if not found or found[0].number != number:
        raise HTTPException(404)
    if found[0].kind is Kind.UNDO:
        raise VxError(
            f"Decision {number} takes another one back, and cannot be taken back itself.",
            kept="Nothing was written.",
            remedy="Decide anew instead.",
        )
    return found[0]
