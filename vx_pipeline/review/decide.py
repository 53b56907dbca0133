"""Deciding a case: what it will cause, a note, and then the decision itself."""

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.cases import ORAH, VERACROSS, Case, Person, get_case, get_person
from vx_pipeline.journal.decisions import DecidedMeanwhile, Entity, Kind, decide
from vx_pipeline.journal.open_cases import open_case
from vx_pipeline.review.compare import display_name, has_left, side_by_side
from vx_pipeline.review.effects import LEFT, WHEN, Effects, effects_of
from vx_pipeline.review.pair import Pair, newest_number, own_side, read_pair
from vx_pipeline.review.queue import address_after, chosen_filters
from vx_pipeline.review.site import LONGEST_NAME, Visit
from vx_pipeline.review.strength import STRONG, candidates_left, enough_bits, strength

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
    """What a form asks to decide.

    Args:
        place: path below the school of the page that asks: a case's, or a person's.
        case: the case, if there is one.
        side: the system of the record that the page is about.
        kind: the decision.
        pair: the two records.
        newest: number of the newest decision that was seen.
        seal: what the records were like when they were shown.
    """

    place: tuple[object, ...]
    case: Case | None
    side: str
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
    visit.note("view", f"{asked.kind.value} of {_subject(asked)}, to be confirmed")
    return visit.page(
        "confirm.html",
        form=visit.at(*asked.place, "decide"),
        kind=asked.kind,
        question=_question(asked),
        pair=pair,
        names=[display_name(person) if person else "" for person in (pair.ours, pair.theirs)],
        rows=side_by_side(pair.ours, pair.theirs, _evidence(asked)) if pair.ours and pair.theirs else [],
        effects=_effects(visit, asked),
        strong=_strong_candidates(visit, asked),
        left=LEFT if asked.kind is Kind.SAME and has_left(pair.ours) else "",
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
    effects = _effects(visit, asked)
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
            action="decide",
        )
    except DecidedMeanwhile as news:
        return meanwhile_page(visit, news, case_address=address)
    visit.tell(
        done=asked.kind.value,
        number=decision.number,
        entity=pair.entity.value,
        veracross=pair.veracross_id,
        orah=pair.orah_id,
        case=asked.case.case_id if asked.case else "",
    )
    if asked.case is None:
        return visit.go(visit.at(*asked.place, **_way(visit)))
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
    place, case, entity, side, own = _subject_of(visit)
    kind = visit.text("answer")
    if kind not in {each.value for each in _QUESTIONS}:
        raise HTTPException(400)
    pair = read_pair(visit, entity, visit.number("veracross"), visit.number("orah"))
    if own != (pair.veracross_id if side == VERACROSS else pair.orah_id):
        raise HTTPException(400)
    if Kind(kind) is Kind.NEW:
        pair = own_side(pair, side)
    newest = visit.number("newest")
    return Asked(
        place,
        case,
        side,
        Kind(kind),
        pair,
        newest_number(visit) if newest is None else newest,
        visit.text("seal"),
    )


def _subject_of(visit: Visit) -> tuple[tuple[object, ...], Case | None, Entity, str, int | None]:
    """The page that asks, its case, and kind, system and id of the record that it is about.

    Raises:
        HTTPException: the newest run knows neither the case nor the person.
    """
    case_id = visit.request.path_params.get("case_id")
    if case_id is None:
        person = asked_person(visit)
        place = ("person", person.system, person.person_id)
        return place, None, person.entity, person.system, person.person_id
    case = get_case(visit.journal, visit.school, case_id)
    if case is None:
        raise HTTPException(404)
    if case.veracross_id is not None:
        return ("case", case_id), case, case.entity, VERACROSS, case.veracross_id
    return ("case", case_id), case, case.entity, ORAH, case.orah_id


def asked_person(visit: Visit) -> Person:
    """The person that the path names.

    Raises:
        HTTPException: the newest run saw no such record.
    """
    system, entity = visit.request.path_params["system"], visit.text("entity") or Entity.STUDENT.value
    person_id = visit.path_number("person_id")
    if system not in (VERACROSS, ORAH) or entity not in set(Entity):
        raise HTTPException(404)
    person = get_person(visit.journal, visit.school, Entity(entity), system, person_id)
    if person is None:
        raise HTTPException(404)
    return person


def _effects(visit: Visit, asked: Asked) -> Effects:
    pair = asked.pair
    waiting = open_case(visit.journal, visit.school, asked.case.case_id) if asked.case else None
    left = {each.orah_id for each in candidates_left(waiting)} if waiting else set()
    return effects_of(asked.kind, pair.ours, pair.theirs, linked=pair.linked, last=left == {pair.orah_id})


def _strong_candidates(visit: Visit, asked: Asked) -> list[tuple[str, int]]:
    """Name and id of those whom somebody new would be a second record of, as it looks."""
    waiting = open_case(visit.journal, visit.school, asked.case.case_id) if asked.case else None
    if asked.kind is not Kind.NEW or waiting is None:
        return []
    enough = enough_bits(visit.directory.matching)
    return [
        (visit.directory.name(asked.pair.entity, ORAH, each.orah_id), each.orah_id)
        for each in candidates_left(waiting)
        if not each.conflict and strength(each.score, enough) == STRONG
    ]


def _subject(asked: Asked) -> str:
    """Ids alone, for the audit."""
    if asked.case is not None:
        beside = "" if asked.pair.orah_id is None else f" with orah {asked.pair.orah_id}"
        return f"{asked.case.case_id}{beside}"
    ids = (("veracross", asked.pair.veracross_id), ("orah", asked.pair.orah_id))
    return f"{asked.pair.entity.value} " + " and ".join(
        f"{system} {number}" for system, number in ids if number is not None
    )


def _question(asked: Asked) -> str:
    if asked.kind is Kind.NEW and asked.pair.veracross_id is None:
        return "Nobody in Veracross?"
    return _QUESTIONS[asked.kind]


def _evidence(asked: Asked) -> Any:
    if asked.case is None:
        return asked.pair.ours.evidence if asked.pair.ours and asked.pair.linked else ()
    found = (each.evidence for each in asked.case.candidates if each.orah_id == asked.pair.orah_id)
    return next(found, ())


def _address(visit: Visit, asked: Asked) -> str:
    """The page that asked again, with the same two records beside each other."""
    other = visit.number("orah" if asked.side == VERACROSS else "veracross")
    return visit.at(*asked.place, other=other, **_way(visit))


def _way(visit: Visit) -> dict[str, str]:
    """The place in the queue and the filters that lead on to the next case."""
    place = visit.number("at")
    return {**({} if place is None else {"at": str(place)}), **chosen_filters(visit)}
