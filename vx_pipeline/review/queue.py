"""The queue: which cases wait, filtered and a page at a time; and the way from one case to the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.decisions import Entity
from vx_pipeline.journal.open_cases import OpenCase, OpenCases, open_case, open_cases
from vx_pipeline.review import words
from vx_pipeline.review.site import Visit
from vx_pipeline.review.strength import enough_bits, strength

PAGE = 50
"""Cases on a page."""

_LABELS = {
    "entity": "Who",
    "kind": "What",
    "house": "House",
    "grade": "Grade",
    "reason": "Reason",
    "pattern": "Group",
}


@dataclass(frozen=True)
class Choice:
    """One value of a filter and how many cases choosing it would show."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Filter:
    """One filter of the queue."""

    name: str
    label: str
    choices: tuple[Choice, ...]


def chosen_filters(visit: Visit) -> dict[str, str]:
    """The filters that the address or the form names."""
    return {name: value for name in _LABELS if (value := visit.text(name))}


def filtered(
    visit: Visit, chosen: Mapping[str, str], *, offset: int, limit: int, put_off: bool | None = None
) -> OpenCases:
    """The cases that wait and fit.

    Raises:
        HTTPException: there is no such kind of record.
    """
    values = dict(chosen)
    entity = values.pop("entity", None)
    if entity is not None and entity not in set(Entity):
        raise HTTPException(400)
    return open_cases(
        visit.journal,
        visit.school,
        entity=Entity(entity) if entity else None,
        put_off=put_off,
        offset=offset,
        limit=limit,
        **values,
    )


def queue_page(visit: Visit) -> Response:
    """The list of cases."""
    chosen = chosen_filters(visit)
    offset = min(visit.number("from") or 0, 1_000_000)
    found = filtered(visit, chosen, offset=offset, limit=PAGE)
    visit.note("view", "queue")
    return visit.page(
        "queue.html",
        found=found,
        chosen=chosen,
        filters=filters_of(found, chosen),
        offset=offset,
        page_size=PAGE,
        directory=visit.directory,
        enough=enough_bits(visit.directory.matching),
        strength=strength,
    )


def filters_of(found: OpenCases, chosen: Mapping[str, str]) -> list[Filter]:
    """The filters that have something to choose from."""
    made = []
    for name, label in _LABELS.items():
        counts = found.counts[name]
        values = sorted(counts, key=_natural)
        if name in chosen and chosen[name] not in counts:
            values.append(chosen[name])
        if len(values) > 1 or name in chosen:
            choices = (
                Choice(value, _told(name, value), counts.get(value, 0), chosen.get(name) == value)
                for value in values
            )
            made.append(Filter(name, label, tuple(choices)))
    return made


def case_at(visit: Visit, chosen: Mapping[str, str], place: int) -> str | None:
    """The address of the case at a place of the queue; beyond the end, of the first one.

    None when nothing is left but what was put off: that is not pushed at anybody again.
    """
    for start in dict.fromkeys((max(place, 0), 0)):
        found = filtered(visit, chosen, offset=start, limit=1, put_off=False).cases
        if found:
            return case_address(visit, found[0], chosen, start)
    return None


def case_address(visit: Visit, found: OpenCase, chosen: Mapping[str, str], place: int) -> str:
    """A case's address, with the place in the queue that leads on to the next one."""
    return visit.at("case", found.case.case_id, at=str(place), **chosen)


def address_after(visit: Visit, case_id: str, chosen: Mapping[str, str], place: int) -> str:
    """Where to go when something was decided: the case again while it still waits, else the one in its place."""
    still = open_case(visit.journal, visit.school, case_id)
    if still is not None and still.later is None:
        return case_address(visit, still, chosen, place)
    return case_at(visit, chosen, place) or case_at(visit, {}, 0) or visit.at("queue")


def _told(name: str, value: str) -> str:
    known = {"entity": words.ENTITIES, "kind": words.CASE_KINDS}.get(name, {})
    return known.get(value, words.plain(value))


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Grade 9 before Grade 10."""
    parts = "".join(sign if sign.isdigit() else f" {sign} " for sign in text).split()
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]
