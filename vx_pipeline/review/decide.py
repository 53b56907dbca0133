"""Deciding a case: what it will cause, a note, and then the decision itself."""

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.cases import Case, get_case
from vx_pipeline.journal.decisions import DecidedMeanwhile, Kind, decide
from vx_pipeline.review.compare import display_name, side_by_side
from vx_pipeline.review.effects import WHEN, effects_of
from vx_pipeline.review.pair import Pair, newest_number, own_side, read_pair
from vx_pipeline.review.queue import address_after, chosen_filters
from vx_pipeline.review.site import LONGEST_NAME, Visit

LONGEST_NOTE = 2000

_QUESTIONS = {
    Kind.SAME: "The same person?",
    Kind.NEW: "Someone new?",
    Kind.NEVER: "Never the same?",
    Kind.LATER: "Decide later?",
    Kind.UNLINK: "Take the link away?",
    Kind.MERGE: "Two records of one person?",
}


@dataclass(frozen=True)
class Asked:
    """What a form asks to decide."""

    case: Case
    kind: Kind
    pair: Pair
    newest: int
    seal: str


def confirm_page(visit: Visit) -> Response:
    """What the decision would cause, and the form that makes it."""
    asked = _asked(visit)
    pair = asked.pair
    if asked.seal != pair.seal:
        return changed_page(visit, case_address=_address(visit, asked))
    return visit.page(
        "confirm.html",
        case=asked.case,
        kind=asked.kind,
        question=_question(asked),
        pair=pair,
        names=[display_name(person) if person else "" for person in (pair.ours, pair.theirs)],
        rows=side_by_side(pair.ours, pair.theirs, _evidence(asked)) if pair.ours and pair.theirs else [],
        effects=effects_of(asked.kind, pair.ours, pair.theirs, linked=pair.linked),
        when=WHEN,
        newest=asked.newest,
        seal=asked.seal,
        back=_address(visit, asked),
        way=_way(visit),
    )


def decide_action(visit: Visit) -> Response:
    """Records the decision and goes on to the next case."""
    asked = _asked(visit)
    pair = asked.pair
    address = _address(visit, asked)
    if asked.seal != pair.seal:
        return changed_page(visit, case_address=address)
    take_name(visit)
    effects = effects_of(asked.kind, pair.ours, pair.theirs, linked=pair.linked)
    try:
        decision = decide(
            visit.journal,
            school=visit.school,
            entity=pair.entity,
            kind=asked.kind,
            veracross_id=pair.veracross_id,
            orah_id=pair.orah_id,
            note=visit.text("note", LONGEST_NOTE),
            actor=visit.actor,
            via="page",
            at=visit.now,
            seen=pair.seen,
            days=effects.days,
            newest_seen=asked.newest,
        )
    except DecidedMeanwhile as news:
        return meanwhile_page(visit, news, case_address=address)
    visit.note("decide", f"decision {decision.number}: {decision.told}")
    visit.tell(
        done=asked.kind.value,
        number=decision.number,
        entity=pair.entity.value,
        veracross=pair.veracross_id,
        orah=pair.orah_id,
        case=asked.case.case_id,
    )
    place = visit.number("at") or 0
    return visit.go(address_after(visit, asked.case.case_id, chosen_filters(visit), place))


def meanwhile_page(visit: Visit, news: DecidedMeanwhile, **context: Any) -> Response:
    """Somebody else was quicker, or decided otherwise before: who, what, and when."""
    visit.note("refused", f"decision {news.decision.number} stands in the way")
    return visit.page("meanwhile.html", 409, news=news, decision=news.decision, **context)


def changed_page(visit: Visit, *, case_address: str) -> Response:
    """The records are not as they were shown: a run has read them anew."""
    return visit.page("changed.html", 409, case_address=case_address)


def take_name(visit: Visit) -> None:
    """Keeps the name that was told with the first decision."""
    name = " ".join(visit.text("name", LONGEST_NAME).split())
    if name and visit.user is None:
        visit.request.session["name"] = name


def _asked(visit: Visit) -> Asked:
    """The question, read from the address or the form.

    Raises:
        HTTPException: there is no such case, record or kind of decision.
    """
    case = get_case(visit.journal, visit.school, visit.request.path_params["case_id"])
    if case is None:
        raise HTTPException(404)
    kind = visit.text("answer")
    if kind not in {each.value for each in _QUESTIONS}:
        raise HTTPException(400)
    pair = read_pair(visit, case.entity, visit.number("veracross"), visit.number("orah"))
    own = pair.veracross_id if case.veracross_id is not None else pair.orah_id
    if own != (case.veracross_id if case.veracross_id is not None else case.orah_id):
        raise HTTPException(400)
    if Kind(kind) is Kind.NEW:
        pair = own_side(case, pair)
    newest = visit.number("newest")
    return Asked(
        case, Kind(kind), pair, newest_number(visit) if newest is None else newest, visit.text("seal")
    )


def _question(asked: Asked) -> str:
    if asked.kind is Kind.NEW and asked.pair.veracross_id is None:
        return "Nobody in Veracross?"
    return _QUESTIONS[asked.kind]


def _evidence(asked: Asked) -> Any:
    found = (each.evidence for each in asked.case.candidates if each.orah_id == asked.pair.orah_id)
    return next(found, ())


def _address(visit: Visit, asked: Asked) -> str:
    """The case again, with the same two records beside each other."""
    other = visit.number("orah") if asked.case.veracross_id is not None else visit.number("veracross")
    return visit.at("case", asked.case.case_id, other=other, **_way(visit))


def _way(visit: Visit) -> dict[str, str]:
    """The place in the queue and the filters that lead on to the next case."""
    place = visit.number("at")
    return {**({} if place is None else {"at": str(place)}), **chosen_filters(visit)}
