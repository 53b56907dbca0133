"""How a name comes out when somebody types it from memory."""

import random
import unicodedata

from vx_pipeline.sandbox.school.model import Person
from vx_pipeline.sandbox.school.names import NameSource
from vx_pipeline.sandbox.school.nicknames import NICKNAMES


def typed(person: Person, names: NameSource, rng: random.Random) -> tuple[str, str | None, str | None]:
    """First, last and alternative name of a student as they stand in Orah."""
    first, alternative = person.first, None
    if person.preferred and rng.random() < 0.65:
        first = person.preferred
        alternative = person.first if rng.random() < 0.5 else None
    elif person.preferred and rng.random() < 0.3:
        alternative = person.preferred
    if person.first in NICKNAMES and rng.random() < 0.3:
        first = rng.choice(NICKNAMES[person.first])
    elif person.middle and rng.random() < 0.03:
        first = f"{first} {person.middle}"
    last = _last_name(person, names, rng)
    if rng.random() < 0.4:
        first, last = without_marks(first), last and without_marks(last)
    if rng.random() < 0.03:
        first = slip(first, rng)
    if last and rng.random() < 0.03:
        last = slip(last, rng)
    if last and rng.random() < 0.012:
        first, last = last, first
    return _case(first, rng), last and _case(last, rng), alternative


def without_marks(name: str) -> str:
    """The name without diacritics, as many keyboards give it (letters such as ł and ø stay)."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def slip(name: str, rng: random.Random) -> str:
    """One slip of the finger: two letters swapped, one left out, one doubled, one next to it."""
    if len(name) < 3:
        return name
    at = rng.randrange(1, len(name) - 1)
    return rng.choice(
        (
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + rng.choice("aeiourstn") + name[at + 1 :],
        )
    )


def _last_name(person: Person, names: NameSource, rng: random.Random) -> str | None:
    """Now and then another last name than on record, or half of a double one."""
    last = person.last
    if not last:
        return rng.choice((person.first, "-", None))
    chance = rng.random()
    if chance < 0.02:
        return names.family(person.culture)
    if chance < 0.03:
        return f"{last}-{names.family(person.culture)}"
    parts = last.replace("-", " ").split()
    if len(parts) > 1 and rng.random() < 0.3:
        return rng.choice((parts[0], parts[-1]))
    return last


def _case(name: str, rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.01:
        return name.upper()
    if chance < 0.02:
        return name.lower()
    return f"{name} " if chance < 0.03 else name
