"""The truth: who goes to a school. Children in families, with everything a system might know of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching.schools.names import (
    ALIKE,
    CALLED,
    EAST_ASIA,
    KINDS,
    SHARES,
    STREETS,
    Names,
    names_of,
)
from benchmarks.matching.schools.rates import Rates
from benchmarks.matching.schools.typing_errors import plain_letters, some

SCHOOL_YEAR = 2026
GRADES = 13
"""Kindergarten is 0, the last year 12."""


@dataclass
class Children:
    """The children of a school, one position in every list for each.

    ``born`` and ``grade`` belong together but for a few who are a year older or younger. ``twin`` is the position
    of the other twin, or -1. ``own_email`` and ``number`` are the school's own and unique, but for those that the
    school gave to a newcomer after a leaver.
    """

    family: list[int]
    origin: list[str]
    girl: list[bool]
    first: list[str]
    called: list[str | None]
    middle: list[str | None]
    last: list[str]
    born: list[date]
    grade: list[int]
    twin: list[int]
    street: list[str]
    postcode: list[str]
    parent_email: list[str]
    own_email: list[str]
    number: list[str]

    def __len__(self) -> int:
        return len(self.family)

    def siblings(self) -> dict[int, list[int]]:
        """Positions of the children of each family."""
        found: dict[int, list[int]] = {}
        for position, family in enumerate(self.family):
            found.setdefault(family, []).append(position)
        return found


def make_children(count: int, rates: Rates, rng: np.random.Generator, *, domain: str) -> Children:
    """Makes a school of ``count`` children whose own addresses are on the given mail domain."""
    sizes = _family_sizes(count, rng)
    twins = _twin_families(sizes, count, rates, rng)
    kinds = list(SHARES)
    origins = rng.choice(len(kinds), size=len(sizes), p=list(SHARES.values()))
    school = Children([], [], [], [], [], [], [], [], [], [], [], [], [], [], [])
    for family, (size, origin) in enumerate(zip(sizes, origins, strict=True)):
        _add_family(school, family, size, kinds[origin], bool(twins[family]), rates, rng)
    _make_namesakes(school, rates, rng)
    _give_addresses(school, rng, domain)
    return school


def _one_of(values: Sequence[str], rng: np.random.Generator) -> str:
    return values[int(rng.integers(len(values)))]


def _family_sizes(count: int, rng: np.random.Generator) -> list[int]:
    sizes: list[int] = []
    left = count
    while left:
        size = min(left, int(rng.choice([1, 2, 3], p=[0.68, 0.25, 0.07])))
        sizes.append(size)
        left -= size
    return sizes


def _twin_families(sizes: list[int], count: int, rates: Rates, rng: np.random.Generator) -> NDArray[np.bool_]:
    several = np.array(sizes) > 1
    share = rates.twins * count / 2 / max(1, several.sum())
    chosen: NDArray[np.bool_] = several & (rng.random(len(sizes)) < share)
    return chosen


def _add_family(
    school: Children, family: int, size: int, origin: str, twins: bool, rates: Rates, rng: np.random.Generator
) -> None:
    names = names_of(origin)
    last = _last_name(names, origin, rng)
    street = f"{rng.integers(1, 400)} {_one_of(STREETS, rng)} {_one_of(KINDS, rng)}"
    postcode = f"02{rng.integers(400):03d}"
    grade = int(rng.integers(GRADES))
    for which in range(size):
        is_twin = twins and which == 1
        if which and not is_twin:
            step = int(rng.integers(1, 5))
            grade = grade + step if grade + step < GRADES else max(0, grade - step)
        position = len(school)
        school.family.append(family)
        school.origin.append(origin)
        school.last.append(last if rng.random() > 0.04 else _last_name(names, origin, rng))
        school.girl.append(bool(rng.random() < 0.5))
        school.first.append("")
        _choose_first(
            school, position, names, twin_of=position - 1 if is_twin else None, rates=rates, rng=rng
        )
        school.called.append(_called(school.first[position], origin, school.girl[position], rates, rng))
        school.middle.append(_middle(names, school.girl[position], school.first[position], rates, rng))
        school.grade.append(grade)
        if is_twin:
            school.born.append(school.born[position - 1])
            school.last[position] = school.last[position - 1]
            school.twin[position - 1] = position
            school.twin.append(position - 1)
        else:
            school.born.append(_birth_date(grade, rng))
            school.twin.append(-1)
        school.street.append(street)
        school.postcode.append(postcode)
        parent = plain_letters(last).lower().replace(" ", "").replace("'", "")
        school.parent_email.append(f"{parent}{family}@post.example.org")


def _pick(values: NDArray[np.object_], shares: NDArray[np.float64], rng: np.random.Generator) -> str:
    # A search in the running sum is many times quicker than Generator.choice with shares.
    return str(values[min(len(values) - 1, int(np.searchsorted(np.cumsum(shares), rng.random())))])


def _last_name(names: Names, origin: str, rng: np.random.Generator) -> str:
    last = _pick(names.last, names.last_shares, rng)
    double = 0.6 if origin == "spanish" else 0.02 if origin in EAST_ASIA else 0.035
    if rng.random() >= double:
        return last
    second = _pick(names.last, names.last_shares, rng)
    if second == last:
        return last
    return f"{last} {second}" if origin == "spanish" else f"{last}-{second}"


def _given(names: Names, girl: bool, rng: np.random.Generator) -> str:
    if girl:
        return _pick(names.girls, names.girls_shares, rng)
    return _pick(names.boys, names.boys_shares, rng)


def _choose_first(
    school: Children,
    position: int,
    names: Names,
    *,
    twin_of: int | None,
    rates: Rates,
    rng: np.random.Generator,
) -> None:
    taken = {school.first[other] for other in _family_so_far(school, position)}
    if twin_of is not None:
        school.girl[position] = school.girl[twin_of] if rng.random() < 0.65 else not school.girl[twin_of]
        if rng.random() < rates.near_twins:
            if school.origin[position] in EAST_ASIA:
                name = _sharing_a_syllable(school.first[twin_of], names, school.girl[position], rng)
                if name not in taken:
                    school.first[position] = name
                    return
            else:
                one, two = ALIKE[int(rng.integers(len(ALIKE)))]
                if one not in taken - {school.first[twin_of]} and two not in taken:
                    school.first[twin_of], school.first[position] = one, two
                    return
    for _ in range(20):
        name = _given(names, school.girl[position], rng)
        if name not in taken:
            break
    school.first[position] = name


def _family_so_far(school: Children, position: int) -> list[int]:
    found = []
    for other in range(position - 1, -1, -1):
        if school.family[other] != school.family[position]:
            break
        found.append(other)
    return found


def _sharing_a_syllable(first: str, names: Names, girl: bool, rng: np.random.Generator) -> str:
    parts = first.replace("-", " ").split(" ")
    other = _given(names, girl, rng).replace("-", " ").split(" ")[-1]
    return ("-" if "-" in first else " ").join([parts[0], other]) if len(parts) > 1 else f"{first} {other}"


def _called(first: str, origin: str, girl: bool, rates: Rates, rng: np.random.Generator) -> str | None:
    if origin in EAST_ASIA:
        if rng.random() >= rates.preferred_east_asia:
            return None
        return _given(names_of("english"), girl, rng)
    if rng.random() >= rates.preferred:
        return None
    if known := CALLED.get(first):
        return _one_of(known, rng)
    if len(first) > 5 and rng.random() < 0.5:
        return first[: int(rng.integers(3, 5))]
    other = _given(names_of(origin), girl, rng)
    return other if other != first else None


def _middle(names: Names, girl: bool, first: str, rates: Rates, rng: np.random.Generator) -> str | None:
    if rng.random() >= rates.middle:
        return None
    middle = _given(names, girl, rng)
    return middle if middle != first else None


def _birth_date(grade: int, rng: np.random.Generator) -> date:
    held_back = int(rng.random() < 0.03) - int(rng.random() < 0.02)
    begin = date(SCHOOL_YEAR - grade - 6 - held_back, 9, 1)
    return begin + timedelta(days=int(rng.integers(365)))


def _make_namesakes(school: Children, rates: Rates, rng: np.random.Generator) -> None:
    for position in some(len(school), rates.namesakes, rng):
        other = int(rng.integers(len(school)))
        if school.family[other] == school.family[position] or school.twin[position] >= 0:
            continue
        school.first[position], school.last[position] = school.first[other], school.last[other]
        school.girl[position], school.origin[position] = school.girl[other], school.origin[other]
        if rng.random() < rates.namesakes_same_birthday:
            school.born[position] = school.born[other]
            school.grade[position] = school.grade[other]


def _give_addresses(school: Children, rng: np.random.Generator, domain: str) -> None:
    full = rng.random() < 0.5
    given: dict[str, int] = {}
    for first, last in zip(school.first, school.last, strict=True):
        plain = ["".join(filter(str.isalnum, plain_letters(name).lower())) for name in (first, last)]
        user = ".".join(plain) if full else plain[0][:1] + plain[1]
        given[user] = given.get(user, 0) + 1
        school.own_email.append(f"{user}{given[user] if given[user] > 1 else ''}@{domain}")
    numbers = 20_000 + rng.permutation(4 * len(school))[: len(school)]
    school.number.extend(str(number) for number in numbers)
