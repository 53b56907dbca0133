"""Houses, locations and leave types of the Orah tenant, made by hand by the people of the school.

What a location's `type` may be is assumed; nothing public says.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from vx_pipeline.sandbox.school.boarding import Boarding
from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.setting import Ids, Setting, utc_milliseconds

_LEAVE_TYPES = (("Weekend Leave", "WL"), ("Day Leave", "DL"), ("Medical", "MED"), ("School Trip", "TRIP"))


@dataclass(frozen=True)
class Places:
    """Houses and locations.

    Args:
        houses: house records; `by_dorm` finds them by the name of their dorm.
        locations: flat, parents before children.
        dorm_locations: the location of each dorm, by the dorm's name.
        named: the other locations by name.
    """

    houses: list[Record] = field(default_factory=list)
    by_dorm: dict[str, Record] = field(default_factory=dict)
    locations: list[Record] = field(default_factory=list)
    dorm_locations: dict[str, Record] = field(default_factory=dict)
    named: dict[str, Record] = field(default_factory=dict)


def build(setting: Setting, boarding: Boarding) -> Places:
    """A house and a location for each dorm, some with another name, and the places every school has."""
    rng = setting.rng("orah places")
    places = Places()
    _houses(places, setting, boarding, rng)
    ids = Ids(rng, 2_000)

    def place(name: str, kind: str, state: str, parent: Record | None = None) -> Record:
        record = {
            "model": "location",
            "id": ids.next(),
            "name": name,
            "type": kind,
            "state": state,
            "_parent_id": parent and parent["id"],
        }
        places.locations.append(record)
        return record

    campus = place("Campus", "group", "on_grounds")
    dorms = place("Dorms", "group", "on_grounds", campus)
    for name, house in places.by_dorm.items():
        places.dorm_locations[name] = place(house["name"].strip(), "house", "on_grounds", dorms)
    for name in (
        "Academic Building",
        "Dining Hall",
        "Library",
        "Health Center",
        "Athletics Center",
        "Chapel",
    ):
        places.named[name] = place(name, "area", "on_grounds", campus)
    away = place("Off Campus", "group", "off_grounds")
    for name in ("Town", "Weekend Leave", "Medical Appointment", "College Visit"):
        places.named[name] = place(name, "area", "off_grounds", away)
    places.named["Home"] = place("Home", "area", "home")
    return places


def _houses(places: Places, setting: Setting, boarding: Boarding, rng: random.Random) -> None:
    ids = Ids(rng, 300)
    dorms = boarding.of_year(setting.this_year)
    odd = set(rng.sample(range(len(dorms)), max(1, len(dorms) // 4)))
    old_ids = {dorm.name: dorm.id for dorm in boarding.of_year(setting.last_year)}
    linked = rng.randrange(len(dorms))
    for number, dorm in enumerate(dorms):
        name = _own_spelling(dorm.name, rng) if number in odd else dorm.name
        # One house was linked once, to the id that the dorm had last year.
        sis_id = str(old_ids[dorm.name]) if number == linked else None
        places.by_dorm[dorm.name] = house_record(setting, ids.next(), name, sis_id, rng)
    places.houses.extend(places.by_dorm.values())
    for name in ("Day Students", "Old Gatehouse (closed)"):
        places.houses.append(house_record(setting, ids.next(), name, None, rng))


def _own_spelling(name: str, rng: random.Random) -> str:
    first, kind = name.split(maxsplit=1)
    return rng.choice((first, f"{first} Hse", f"{name} ", f"{first.upper()} {kind}", f"The {name}"))


def house_record(
    setting: Setting, house_id: int, name: str, sis_id: str | None, rng: random.Random
) -> Record:
    """One house."""
    made = tenant_moment(setting, rng)
    return {
        "model": "house",
        "id": house_id,
        "name": name,
        "sis_id": sis_id,
        "created_at": made,
        "updated_at": made,
    }


def tenant_moment(setting: Setting, rng: random.Random) -> str:
    """A moment in the first weeks of the tenant, about a year ago."""
    start = datetime.combine(setting.today - timedelta(days=370), time(8), setting.zone)
    return utc_milliseconds(start + timedelta(milliseconds=rng.randrange(30 * 86_400_000)))


def leave_types(setting: Setting) -> list[Record]:
    """Leave types of the tenant."""
    ids = Ids(setting.rng("leave types"), 40)
    return [
        {"model": "leave_type", "id": ids.next(), "name": name, "short_code": short}
        for name, short in _LEAVE_TYPES
    ]
