"""The page of one case: two records side by side, the other candidates, the evidence, and what can be decided."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.cases import ORAH, VERACROSS, Candidate, Case, get_case
from vx_pipeline.journal.decisions import Entity, Kind, history
from vx_pipeline.journal.open_cases import OpenCase, open_case
from vx_pipeline.review.actions import Action, actions_at
from vx_pipeline.review.chart import waterfall
from vx_pipeline.review.compare import about, display_name, has_left, side_by_side
from vx_pipeline.review.effects import LEFT, effects_of
from vx_pipeline.review.pair import Pair, newest_number, read_pair
from vx_pipeline.review.queue import chosen_filters, filtered
from vx_pipeline.review.site import Visit
from vx_pipeline.review.strength import enough_bits, strength


@dataclass(frozen=True)
class Option:
    """A record that could be the other one."""

    orah_id: int
    name: str
    told: str
    score: float | None
    strength: str
    state: str
    current: bool


def case_page(visit: Visit) -> Response:
    """One case.

    Raises:
        HTTPException: the newest run did not ask it.
    """
    case_id = visit.request.path_params["case_id"]
    newest = newest_number(visit)
    case = get_case(visit.journal, visit.school, case_id)
    if case is None:
        raise HTTPException(404)
    chosen, place = chosen_filters(visit), visit.number("at")
    around = None if place is None else filtered(visit, chosen, offset=max(place - 1, 0), limit=3)
    waiting = next((each for each in around.cases if each.case.case_id == case_id), None) if around else None
    if waiting is None:
        # The queue has moved on since the link was made, or there was none.
        around, waiting = None, open_case(visit.journal, visit.school, case_id)
    pair = _pair(visit, case, waiting)
    candidate = next((each for each in case.candidates if each.orah_id == pair.orah_id), None)
    enough = enough_bits(visit.directory.matching)
    visit.note("view", case_id if pair.orah_id is None else f"{case_id} with orah {pair.orah_id}")
    return visit.page(
        "case.html",
        case=case,
        waiting=waiting,
        pair=pair,
        candidate=candidate,
        rows=side_by_side(pair.ours, pair.theirs, candidate.evidence if candidate else ()),
        chart=waterfall(candidate.evidence, enough) if candidate else None,
        options=_options(visit, case, waiting, pair.orah_id, enough),
        actions=_actions(visit, case, pair, newest, {"at": _text(place), **chosen}),
        effects=_effects_of_link(pair),
        relatives=_relatives(visit, case),
        left=LEFT if has_left(pair.ours) else "",
        decisions=history(
            visit.journal,
            visit.school,
            entity=case.entity,
            veracross_id=pair.veracross_id,
            orah_id=pair.orah_id,
            limit=20,
        ),
        name=_name(visit, case, pair),
        picked=pair.orah_id is not None and pair.veracross_id is not None and candidate is None,
        directory=visit.directory,
        chosen=chosen,
        place=_text(place),
        around=around,
    )


def _pair(visit: Visit, case: Case, waiting: OpenCase | None) -> Pair:
    """The case's own record beside the one that was picked, or the best that nobody has ruled out."""
    picked = visit.number("other")
    if case.veracross_id is None:
        pair = read_pair(visit, case.entity, picked, case.orah_id)
        if picked is not None and pair.ours is None:
            raise HTTPException(404)
        return pair
    out = (waiting.refused | waiting.taken) if waiting else frozenset()
    proposed = [case.orah_id, *(each.orah_id for each in case.candidates)]
    left = [each for each in proposed if each is not None and each not in out]
    pair = read_pair(visit, case.entity, case.veracross_id, picked or (left[0] if left else None))
    if picked is not None and pair.theirs is None:
        raise HTTPException(404)
    return pair


def _options(
    visit: Visit, case: Case, waiting: OpenCase | None, current: int | None, enough: float | None
) -> list[Option]:
    return [
        _option(visit, case, waiting, candidate, current, enough)
        for candidate in sorted(case.candidates, key=lambda each: each.rank)
    ]


def _option(
    visit: Visit,
    case: Case,
    waiting: OpenCase | None,
    each: Candidate,
    current: int | None,
    enough: float | None,
) -> Option:
    person = visit.directory.find(case.entity, "orah", each.orah_id)
    state = "linked now" if each.orah_id == case.orah_id else ""
    if waiting and each.orah_id in waiting.refused:
        state = "decided: not the same"
    elif waiting and each.orah_id in waiting.taken:
        state = "decided: somebody else's"
    return Option(
        orah_id=each.orah_id,
        name=display_name(person) if person else f"Orah {each.orah_id}",
        told=about(person),
        score=each.score,
        strength="contradiction" if each.conflict else strength(each.score, enough),
        state=state,
        current=each.orah_id == current,
    )


def _actions(visit: Visit, case: Case, pair: Pair, newest: int, way: Mapping[str, str]) -> list[Action]:
    side = VERACROSS if case.veracross_id is not None else ORAH
    return actions_at(visit, ("case", case.case_id), side, pair, _offered(case, pair), newest, way)


def _offered(case: Case, pair: Pair) -> Iterator[tuple[Kind, str, str, str]]:
    """Kind, label, key and tone of what can be decided about these two records."""
    both, house = pair.ours is not None and pair.theirs is not None, case.entity == Entity.HOUSE
    if both and pair.linked:
        yield Kind.SAME, "Keep the link", "s", "main"
        yield Kind.UNLINK, "Unlink", "u", "danger"
    elif both:
        yield Kind.SAME, "Same house" if house else "Same person", "s", "main"
    if case.veracross_id is None:
        yield Kind.NEW, "Nobody in Veracross", "n", ""
    elif pair.ours is not None and not pair.ours.linked_to:
        yield Kind.NEW, "A new house" if house else "Someone new", "n", ""
    if both and not pair.linked:
        yield Kind.NEVER, "Never the same", "x", "danger"
    yield Kind.LATER, "Later", "l", ""
    if both and not pair.linked and not house:
        yield Kind.MERGE, "Merge needed", "m", ""


def _text(place: int | None) -> str:
    return "" if place is None else str(place)


def _effects_of_link(pair: Pair) -> object:
    if pair.ours is None or pair.theirs is None:
        return None
    return effects_of(Kind.SAME, pair.ours, pair.theirs, linked=pair.linked)


def _relatives(visit: Visit, case: Case) -> list[tuple[str, str, int, str, str]]:
    """Relation, system, id, name, and what else tells them apart."""
    made = []
    for each in case.relatives:
        person = visit.directory.find(case.entity, each.system, each.person_id)
        shown = person.shown if person else {}
        told = ", ".join(value for name in ("birth_date", "grade", "house") if (value := shown.get(name)))
        name = visit.directory.name(case.entity, each.system, each.person_id)
        made.append((each.relation, each.system, each.person_id, name, told))
    return made


def _name(visit: Visit, case: Case, pair: Pair) -> str:
    person = pair.ours if case.veracross_id is not None else pair.theirs
    return display_name(person) if person else case.case_id
