"""One generated school: the children, who of them is known where, and both systems' frames."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.matching.pool import Pool, frame, same_people
from benchmarks.matching.schools.children import Children, make_children
from benchmarks.matching.schools.rates import Rates
from benchmarks.matching.schools.shown import Fields, shown_by_ours, shown_by_theirs
from benchmarks.matching.schools.typing_errors import some


@dataclass(frozen=True)
class Schools:
    """Makes school ``number`` of a set; half of the schools have fewer than 850 students.

    Args:
        first_seed: the seed of school 0; sets of schools share none.
        fields: what both systems keep.
        least, most: students of a school, counted over both systems.
    """

    first_seed: int
    fields: Fields = field(default_factory=Fields)
    least: int = 200
    most: int = 3800

    def __call__(self, number: int) -> Pool:
        """The school."""
        size = np.random.default_rng([self.first_seed, number]).lognormal(np.log(850), 0.7)
        return make_school(self.first_seed + number, int(np.clip(size, self.least, self.most)), self.fields)


def make_school(seed: int, students: int, fields: Fields | None = None, rates: Rates | None = None) -> Pool:
    """Generates a school; the same arguments give the same school.

    Args:
        seed: numbers the school.
        students: how many children there are, counted over both systems.
        fields: which fields both systems keep.
        rates: how often what goes wrong.
    """
    fields, rates = fields or Fields(), rates or Rates()
    rng = np.random.default_rng([seed, students])
    school = make_children(students, rates, rng, domain=f"s{seed}.example.edu")
    in_ours, in_theirs = _who_is_where(school, rates, rng)
    _recycle(school, in_ours, in_theirs, rates, rng)
    # A record entered twice is shown twice, each time with mistakes of its own.
    ours = _in_any_order(in_ours, rates.double_ours, rng)
    theirs = _in_any_order(in_theirs, rates.double_theirs, rng)
    our_ids, their_ids = _ids(len(ours), 1_000, rng), _ids(len(theirs), 700_000, rng)
    known = {email for email in school.parent_email if rng.random() < rates.parent_email_known}
    shown = (
        _frame(our_ids, shown_by_ours(school, ours, fields, rates, rng), known),
        _frame(their_ids, shown_by_theirs(school, theirs, fields, rates, rng), known),
    )
    return Pool(f"school-{seed}", *shown, same_people(our_ids, ours, their_ids, theirs))


def _who_is_where(school: Children, rates: Rates, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    chance = rng.random(len(school))
    only_ours = chance < rates.only_ours
    only_theirs = (chance >= rates.only_ours) & (chance < rates.only_ours + rates.only_theirs)
    for child, twin in enumerate(school.twin):
        if twin > child and rng.random() < rates.split_twins:
            only_ours[[child, twin]] = (True, False)
            only_theirs[[child, twin]] = (False, True)
    return np.flatnonzero(~only_theirs).tolist(), np.flatnonzero(~only_ours).tolist()


def _recycle(
    school: Children, in_ours: list[int], in_theirs: list[int], rates: Rates, rng: np.random.Generator
) -> None:
    """Gives leavers' addresses and numbers to newcomers, rather to one with the leaver's surname or initial."""
    newcomers = sorted(set(in_ours) - set(in_theirs))
    leavers = sorted(set(in_theirs) - set(in_ours))
    if not newcomers:
        return
    for leaver in leavers:
        if rng.random() < rates.email_recycled:
            school.own_email[_follower(school, leaver, newcomers, rng)] = school.own_email[leaver]
    for at in some(len(leavers), rates.number_recycled, rng):
        newcomer = newcomers[int(rng.integers(len(newcomers)))]
        school.number[newcomer] = school.number[leavers[at]]


def _follower(school: Children, leaver: int, newcomers: list[int], rng: np.random.Generator) -> int:
    for alike in (school.last, [name[:1] for name in school.first]):
        near = [child for child in newcomers if alike[child] == alike[leaver]]
        if near:
            return near[int(rng.integers(len(near)))]
    return newcomers[int(rng.integers(len(newcomers)))]


def _in_any_order(children: list[int], twice: float, rng: np.random.Generator) -> list[int]:
    again = [children[at] for at in some(len(children), twice, rng)]
    shuffled: list[int] = rng.permutation(children + again).tolist()
    return shuffled


def _ids(count: int, begin: int, rng: np.random.Generator) -> list[int]:
    ids: list[int] = (begin + rng.permutation(2 * count)[:count]).tolist()
    return ids


def _frame(ids: list[int], columns: dict[str, list[Any]], family_emails: set[str]) -> pd.DataFrame:
    made = frame({"person_id": ids, **columns})
    made["family_email"] = made["email"].isin(family_emails)
    return made
