"""What is wrong, since when, and about whom; and the pins: whom the sync leaves alone, who said so, until when."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.errors import VxError
from vx_pipeline.journal.cases import VERACROSS, Person
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.journal.pins import Pin, add_pin, end_pin, pins_on
from vx_pipeline.journal.problems import RED, YELLOW, Problem, open_problems
from vx_pipeline.review import words
from vx_pipeline.review.decide import LONGEST_NOTE, asked_person, take_name
from vx_pipeline.review.plan_words import known_name
from vx_pipeline.review.site import Visit

COLOURS = {RED: "The sync stopped", YELLOW: "Left out, and the sync went on"}

_PINNABLE = {
    Entity.STUDENT: (
        "first_name",
        "alt_name",
        "last_name",
        "email",
        "year_level",
        "student_type",
        "house",
        "room_number",
        "bed_number",
        "deactivated",
    ),
    Entity.CONTACT: (
        "title",
        "first_name",
        "last_name",
        "relationship",
        "email",
        "mobile_phone",
        "home_phone",
        "address",
    ),
    Entity.HOUSE: ("name",),
}
"""Fields that a sync writes; a person's own further ones come from their record."""


@dataclass(frozen=True)
class About:
    """Whom a problem or a pin is about.

    Args:
        entity: kind of record.
        key: the Veracross id.
        kind: of record, in words.
        name: empty where nobody knows it; then there is no page about it either.
    """

    entity: str
    key: int
    kind: str
    name: str


def problems_page(visit: Visit) -> Response:
    """What is wrong, the worst and oldest first, and the pins that hold."""
    problems = open_problems(visit.journal, visit.school)
    pins = pins_on(visit.journal, visit.school, _today(visit))
    visit.note("view", "problems")
    return visit.page(
        "problems.html",
        groups=[
            (colour, COLOURS.get(colour, colour), [(each, _about_problem(visit, each)) for each in listed])
            for colour, listed in groupby(problems, key=lambda problem: problem.colour)
        ],
        total=len(problems),
        red=sum(problem.colour == RED for problem in problems),
        pins=[(pin, _about(visit, pin.entity, pin.key)) for pin in pins],
    )


def end_pin_page(visit: Visit) -> Response:
    """Asks before a pin is taken away."""
    pin = _pin(visit)
    visit.note("view", f"pin {pin.pin_id}: {pin.entity} {pin.key}")
    return visit.page("pin_end.html", pin=pin, about=_about(visit, pin.entity, pin.key))


def end_pin_action(visit: Visit) -> Response:
    """Takes a pin away."""
    pin = _pin(visit)
    _need_name(visit)
    end_pin(visit.journal, school=visit.school, pin_id=pin.pin_id, by=visit.actor, at=visit.now)
    visit.tell(
        done="told",
        strong="Taken away",
        told=f"pin {pin.pin_id}; the sync looks after {pin.entity} {pin.key} again",
    )
    return visit.go(visit.at("problems"))


def pin_action(visit: Visit) -> Response:
    """Pins a person, a house, or one field.

    Raises:
        HTTPException: the person or the field cannot be pinned.
        VxError: the last day is no day, or name or reason is missing.
    """
    person = asked_person(visit)
    key, field = pinned_key(person), visit.text("field")
    if key is None or (field and field not in pinnable_fields(person)):
        raise HTTPException(400)
    last_day = _day(visit.text("last_day"))
    _need_name(visit)
    zone = visit.site.schools[visit.school]
    pin_id = add_pin(
        visit.journal,
        school=visit.school,
        entity=person.entity.value,
        key=key,
        field=field,
        reason=visit.text("reason", LONGEST_NOTE),
        author=visit.actor,
        # Its day is the school's, against which the last day is held.
        at=visit.now.astimezone(zone),
        last_day=last_day,
    )
    visit.tell(done="told", strong="Pinned", told=f"{person.entity.value} {key}, pin {pin_id}")
    entity = "" if person.entity is Entity.STUDENT else person.entity.value
    return visit.go(visit.at("person", person.system, person.person_id, entity=entity))


def pinned_key(person: Person) -> int | None:
    """The Veracross id that a pin of this record is about; None where there is nobody, or nothing is written."""
    if person.entity not in _PINNABLE:
        return None
    return person.person_id if person.system == VERACROSS else person.linked_to


def pinnable_fields(person: Person) -> list[str]:
    """The fields that can be pinned, in the order of their labels."""
    own = {*_PINNABLE.get(person.entity, ()), *person.wanted}
    # The id is what holds the two records together.
    return sorted(own - {"sis_id"}, key=words.field)


def pins_of(visit: Visit, person: Person) -> list[Pin]:
    """The pins that hold on somebody today."""
    key = pinned_key(person)
    pins = pins_on(visit.journal, visit.school, _today(visit)) if key is not None else []
    return [pin for pin in pins if (pin.entity, pin.key) == (person.entity.value, key)]


def _about_problem(visit: Visit, problem: Problem) -> About | None:
    return _about(visit, problem.entity, problem.key) if problem.key else None


def _about(visit: Visit, entity: str, key: int) -> About:
    kind = words.ENTITIES.get(entity, entity.replace("_", " ").capitalize())
    return About(entity, key, kind, known_name(visit.directory, entity, VERACROSS, key))


def _pin(visit: Visit) -> Pin:
    number = visit.path_number("number")
    for pin in pins_on(visit.journal, visit.school, _today(visit)):
        if pin.pin_id == number:
            return pin
    raise HTTPException(404)


def _need_name(visit: Visit) -> None:
    take_name(visit)
    if not visit.named:
        raise VxError(
            "A pin needs a named person.", kept="Nothing was changed.", remedy="Go back and tell your name."
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise VxError(
            "The last day is no day.", kept="Nothing was pinned.", remedy="Write it as 2026-12-31."
        ) from None


def _today(visit: Visit) -> date:
    return visit.now.astimezone(visit.site.schools[visit.school]).date()
