"""The search page, and the same as JSON for results that come while somebody types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from vx_pipeline.journal.cases import ORAH, VERACROSS, get_case
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.review import words
from vx_pipeline.review.compare import display_name
from vx_pipeline.review.search import LONGEST_QUERY, Hit
from vx_pipeline.review.site import Visit

MOST_HITS = 30


@dataclass(frozen=True)
class Asking:
    """Whom somebody is looked for.

    Args:
        place: path below the school of the page that asks.
        query: what of the query says so.
        entity: kind of record.
        wanted: the system to look in.
    """

    place: tuple[object, ...]
    query: Mapping[str, str]
    entity: Entity
    wanted: str


def search_page(visit: Visit) -> Response:
    """The search with its results."""
    asking = _asking(visit)
    hits = _found(visit, asking)
    return visit.page(
        "search.html",
        typed=visit.text("q", LONGEST_QUERY),
        hits=hits,
        asking=asking,
        told=_told(len(hits)),
    )


def search_json(visit: Visit) -> Response:
    """The results alone."""
    hits = _found(visit, _asking(visit))
    return JSONResponse({"told": _told(len(hits)), "hits": hits})


def _found(visit: Visit, asking: Asking | None) -> list[dict[str, Any]]:
    """The hits; noted in the audit by their number alone, because what was typed is somebody's name."""
    typed = visit.text("q", LONGEST_QUERY)
    if not typed:
        return []
    system, entity = (None, None) if asking is None else (asking.wanted, asking.entity)
    found = visit.directory.index.find(typed, MOST_HITS, system=system, entity=entity)
    visit.note("search", words.counted(len(found), "hit"))
    return [_hit(visit, hit, asking) for hit in found]


def _hit(visit: Visit, hit: Hit, asking: Asking | None) -> dict[str, Any]:
    person = hit.person
    path = visit.at("person", person.system, person.person_id, entity=_unless_student(person.entity.value))
    if asking is not None:
        path = visit.at(*asking.place, other=person.person_id, entity=asking.query.get("entity"))
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
        "action": "Compare" if asking is not None else "Open",
    }


def _asking(visit: Visit) -> Asking | None:
    """The case, or the person without one, that somebody is looked for."""
    case_id, system, person_id = visit.text("case", 64), visit.text("of"), visit.number("id")
    if case_id:
        case = get_case(visit.journal, visit.school, case_id)
        if case is None:
            return None
        wanted = VERACROSS if case.veracross_id is None else ORAH
        return Asking(("case", case_id), {"case": case_id}, case.entity, wanted)
    entity = visit.text("entity") or Entity.STUDENT.value
    if system not in (VERACROSS, ORAH) or entity not in set(Entity) or person_id is None:
        return None
    query = {"of": system, "id": str(person_id), "entity": _unless_student(entity)}
    wanted = ORAH if system == VERACROSS else VERACROSS
    return Asking(("person", system, person_id), query, Entity(entity), wanted)


def _told(count: int) -> str:
    return f"{words.counted(count, 'person', 'people')} found" if count else "Nobody found"


def _unless_student(entity: str) -> str:
    return "" if entity == "student" else entity
