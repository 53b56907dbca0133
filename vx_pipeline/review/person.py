"""Everything known about one person: the record, the link and its evidence, the case, the decisions."""

from collections.abc import Iterator

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.attendance_views import student_term
from vx_pipeline.journal.cases import ORAH, VERACROSS, Person, get_case
from vx_pipeline.journal.decisions import Entity, Kind, history
from vx_pipeline.journal.open_cases import open_case
from vx_pipeline.review.actions import Offer, actions_at
from vx_pipeline.review.chart import waterfall
from vx_pipeline.review.compare import display_name, has_left, side_by_side
from vx_pipeline.review.decide import asked_person
from vx_pipeline.review.effects import LEFT
from vx_pipeline.review.pair import Pair, newest_number, read_pair
from vx_pipeline.review.site import Visit
from vx_pipeline.review.strength import enough_bits
from vx_pipeline.review.troubles import pinnable_fields, pinned_key, pins_of


def person_page(visit: Visit) -> Response:
    """One person of one system, with what can be decided about them where no case asks.

    Raises:
        HTTPException: the newest run saw no such record.
    """
    newest = newest_number(visit)
    person = asked_person(visit)
    entity, system, person_id = person.entity, person.system, person.person_id
    elsewhere = ORAH if system == VERACROSS else VERACROSS
    case_id = f"{entity.value}-{system[0]}{person_id}"
    case = get_case(visit.journal, visit.school, case_id)
    picked = visit.number("other") if person.linked_to is None and case is None else None
    pair = _pair(visit, person, picked)
    evidence = pair.ours.evidence if pair.ours and pair.linked else ()
    way = {} if entity == Entity.STUDENT else {"entity": entity.value}
    place = ("person", system, person_id)
    waiting = open_case(visit.journal, visit.school, case_id)
    visit.note("view", f"{entity.value} {system} {person_id}")
    return visit.page(
        "person.html",
        person=person,
        pair=pair,
        picked=picked,
        elsewhere=elsewhere,
        name=display_name(person),
        rows=side_by_side(pair.ours, pair.theirs, evidence),
        chart=waterfall(evidence, enough_bits(visit.directory.matching)) if evidence else None,
        link=pair.ours if pair.ours and pair.ours.linked_to is not None else person,
        left=LEFT if picked and has_left(pair.ours) else "",
        case=case,
        waiting=waiting,
        actions=[]
        if waiting or (case and person.linked_to is None)
        else actions_at(visit, place, system, pair, _offered(person, pair), newest, way),
        match_with=""
        if case or person.linked_to is not None
        else visit.at("search", of=system, id=person_id, **way),
        decisions=history(
            visit.journal,
            visit.school,
            entity=entity,
            veracross_id=person_id if system == VERACROSS else None,
            orah_id=person_id if system == ORAH else None,
            limit=50,
        ),
        directory=visit.directory,
        pins=pins_of(visit, person),
        attends=_attends(visit, person),
        pinnable=[] if pinned_key(person) is None else pinnable_fields(person),
        pin_form=visit.at("person", system, person_id, "pin"),
    )


def _pair(visit: Visit, person: Person, picked: int | None) -> Pair:
    """The person beside the one that they are linked with, or that was picked to be looked at.

    Raises:
        HTTPException: the newest run saw no such record.
    """
    other = person.linked_to if picked is None else picked
    own = person.system == VERACROSS
    pair = read_pair(
        visit, person.entity, person.person_id if own else other, other if own else person.person_id
    )
    if picked is not None and (pair.theirs if own else pair.ours) is None:
        raise HTTPException(404)
    return pair


def _attends(visit: Visit, person: Person) -> int | None:
    """The Veracross id of a student who has figures of attendance."""
    student_id = person.person_id if person.system == VERACROSS else person.linked_to
    if person.entity != Entity.STUDENT or student_id is None:
        return None
    return student_id if student_term(visit.journal, visit.school, student_id) else None


def _offered(person: Person, pair: Pair) -> Iterator[Offer]:
    """What can be decided where no case asks."""
    house = person.entity == Entity.HOUSE
    if person.linked_to is not None:
        if pair.linked:
            yield Kind.UNLINK, "Unlink", "u", "danger"
        return
    if pair.ours is not None and pair.theirs is not None:
        yield Kind.SAME, "Same house" if house else "Same person", "s", "main"
        yield Kind.NEVER, "Never the same", "x", "danger"
    if person.system == ORAH:
        yield Kind.NEW, "Nobody in Veracross", "n", ""
    else:
        yield Kind.NEW, "A new house" if house else "Someone new", "n", ""
