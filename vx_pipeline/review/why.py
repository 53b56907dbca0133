"""Why a person is in Orah as they are, or is not: what `vx why` tells, on a page."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.cases import ORAH, VERACROSS
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.journal.open_cases import open_case
from vx_pipeline.review.site import Visit
from vx_pipeline.sync.why import why


def why_page(visit: Visit) -> Response:
    """Everything known of a person by their Veracross id, or a record's by its Orah id. Nobody is a 404.

    Raises:
        HTTPException: there is no such system, or the id is no number.
    """
    system, person_id = visit.request.path_params["system"], visit.path_number("person_id")
    if system not in (VERACROSS, ORAH):
        raise HTTPException(404)
    found = why(
        visit.journal,
        visit.school,
        veracross_id=person_id if system == VERACROSS else None,
        orah_id=person_id if system == ORAH else None,
        now=visit.now.astimezone(visit.site.schools[visit.school]),
        details=True,
    )
    visit.note("why", f"{system} {person_id}")
    ids = [
        (name, number) for name, number in ((VERACROSS, found.veracross_id), (ORAH, found.orah_id)) if number
    ]
    seen = [pair for pair in ids if visit.directory.find(Entity.STUDENT, *pair) is not None]
    case_ids = [f"student-{name[0]}{number}" for name, number in seen]
    return visit.page(
        "why.html",
        status=200 if found.found else 404,
        found=found,
        ids=ids or [(system, person_id)],
        name=next((visit.directory.name(Entity.STUDENT, *pair) for pair in seen), ""),
        pages=seen,
        case_id=next((each for each in case_ids if open_case(visit.journal, visit.school, each)), ""),
    )
