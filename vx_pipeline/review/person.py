"""Everything known about one person: the record, the link and its evidence, the case, the decisions."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.cases import get_case, get_person
from vx_pipeline.journal.decisions import Entity, history
from vx_pipeline.journal.open_cases import open_case
from vx_pipeline.review.case import enough_bits
from vx_pipeline.review.chart import waterfall
from vx_pipeline.review.compare import display_name, side_by_side
from vx_pipeline.review.site import Visit


def person_page(visit: Visit) -> Response:
    """One person of one system.

    Raises:
        HTTPException: the newest run saw no such record.
    """
    system, person_id = visit.request.path_params["system"], visit.request.path_params["person_id"]
    entity = visit.text("entity") or Entity.STUDENT.value
    if system not in ("veracross", "orah") or entity not in set(Entity) or person_id >= 2**63:
        raise HTTPException(404)
    person = get_person(visit.journal, visit.school, Entity(entity), system, person_id)
    if person is None:
        raise HTTPException(404)
    elsewhere = "orah" if system == "veracross" else "veracross"
    other = None
    if person.linked_to is not None:
        other = get_person(visit.journal, visit.school, person.entity, elsewhere, person.linked_to)
    ours, theirs = (person, other) if system == "veracross" else (other, person)
    case_id = f"{entity}-{system[0]}{person_id}"
    visit.note("view", f"{entity} {system} {person_id}")
    evidence = ours.evidence if ours and theirs else ()
    return visit.page(
        "person.html",
        person=person,
        other=other,
        elsewhere=elsewhere,
        name=display_name(person),
        rows=side_by_side(ours, theirs, evidence),
        chart=waterfall(evidence, enough_bits(visit.directory.matching)) if evidence else None,
        link=ours if ours and ours.linked_to is not None else person,
        case=get_case(visit.journal, visit.school, case_id),
        waiting=open_case(visit.journal, visit.school, case_id),
        decisions=history(
            visit.journal,
            visit.school,
            entity=person.entity,
            veracross_id=person_id if system == "veracross" else None,
            orah_id=person_id if system == "orah" else None,
            limit=50,
        ),
        directory=visit.directory,
    )
