"""The search page, and the same as JSON for results that come while somebody types."""

from typing import Any

from starlette.responses import JSONResponse, Response

from vx_pipeline.journal.cases import Case, get_case
from vx_pipeline.review import words
from vx_pipeline.review.compare import display_name
from vx_pipeline.review.search import LONGEST_QUERY, Hit
from vx_pipeline.review.site import Visit

MOST_HITS = 30


def search_page(visit: Visit) -> Response:
    """The search with its results."""
    case = _case(visit)
    hits = _found(visit, case)
    return visit.page(
        "search.html",
        typed=visit.text("q", LONGEST_QUERY),
        hits=hits,
        case=case,
        told=_told(len(hits)),
    )


def search_json(visit: Visit) -> Response:
    """The results alone."""
    hits = _found(visit, _case(visit))
    return JSONResponse({"told": _told(len(hits)), "hits": hits})


def _found(visit: Visit, case: Case | None) -> list[dict[str, Any]]:
    """The hits; noted in the audit by their number alone, because what was typed is somebody's name."""
    typed = visit.text("q", LONGEST_QUERY)
    if not typed:
        return []
    system = None if case is None else "veracross" if case.veracross_id is None else "orah"
    entity = None if case is None else case.entity
    found = visit.directory.index.find(typed, MOST_HITS, system=system, entity=entity)
    visit.note("search", words.counted(len(found), "hit"))
    return [_hit(visit, hit, case) for hit in found]


def _hit(visit: Visit, hit: Hit, case: Case | None) -> dict[str, Any]:
    person = hit.person
    path = visit.at("person", person.system, person.person_id, entity=_unless_student(person.entity.value))
    if case is not None:
        path = visit.at("case", case.case_id, other=person.person_id)
    about = [words.ENTITIES[person.entity]] if person.entity != "student" else []
    about += [value for name in ("grade", "house", "status") if (value := person.shown.get(name))]
    elsewhere = "Orah" if person.system == "veracross" else "Veracross"
    return {
        "name": display_name(person),
        "system": words.SYSTEMS[person.system],
        "id": person.person_id,
        "about": ", ".join(about),
        "linked": f"linked with {elsewhere} {person.linked_to}"
        if person.linked_to is not None
        else "not linked",
        "is_linked": person.linked_to is not None,
        "path": path,
        "action": "Compare" if case is not None else "Open",
    }


def _case(visit: Visit) -> Case | None:
    case_id = visit.text("case", 64)
    return get_case(visit.journal, visit.school, case_id) if case_id else None


def _told(count: int) -> str:
    return f"{words.counted(count, 'person', 'people')} found" if count else "Nobody found"


def _unless_student(entity: str) -> str:
    return "" if entity == "student" else entity
