"""Finding people in both systems at once, however the name is typed.

Names are cut into words. Each word that somebody types is compared with every different word once (rapidfuzz, over
some thousand words), and a person's score is the mean of the best word for each one typed. So the order of words
does not matter, and a name that is only begun, or a short form, counts nearly as much as the very name.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from nicknames import NickNamer
from rapidfuzz import process
from rapidfuzz.distance import OSA

from vx_pipeline.journal.cases import PersonSummary
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.matching.fold import fold

LONGEST_QUERY = 80
_MOST_WORDS = 6
_LEAST_SCORE = 0.7
_SPARE = 10
_BEGUN = np.float32(0.95)
_SHORT = np.float32(0.85)
_SHORTEST_FORM = 3
_LONG_FORMS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Hit:
    """A person found. ``score`` is 1 for the very words."""

    person: PersonSummary
    score: float


class SearchIndex:
    """The people of one school, ready to be searched. Built once for each run's picture.

    Args:
        people: everybody, of both systems.
    """

    def __init__(self, people: Iterable[PersonSummary]) -> None:
        self.people = list(people)
        places: dict[str, int] = {}
        rows = [
            [places.setdefault(word, len(places)) for word in _words_of(person)] for person in self.people
        ]
        self._words = list(places)
        # Short rows are filled up with a word that nothing is like.
        self._rows = np.full((len(rows), max((len(row) for row in rows), default=1) or 1), len(places))
        for number, row in enumerate(rows):
            self._rows[number, : len(row)] = row
        self._ids = sorted(
            {
                (one, number)
                for number, person in enumerate(self.people)
                for one in (
                    str(person.person_id),
                    person.shown.get("sis_id"),
                    person.shown.get("student_number"),
                )
                if one
            }
        )

    def find(
        self, query: str, limit: int = 20, *, system: str | None = None, entity: Entity | None = None
    ) -> list[Hit]:
        """The best hits first.

        Args:
            query: names in any order, spelt more or less, or an id.
            limit: at most so many.
            system: only people of this system.
            entity: only records of this kind.
        """
        text = query.strip()[:LONGEST_QUERY]
        if not text or not self.people:
            return []
        scores = self._by_id(text) if text.isdecimal() else self._by_name(fold(text).split()[:_MOST_WORDS])
        found = np.flatnonzero(scores >= _LEAST_SCORE)
        # The best of many by score alone: the order by name is for those that are shown.
        best = found[np.argsort(-scores[found], kind="stable")]
        hits: list[Hit] = []
        for number in best:
            person = self.people[number]
            if (system is None or person.system == system) and (entity is None or person.entity == entity):
                hits.append(Hit(person, round(float(scores[number]), 3)))
            if len(hits) >= limit * _SPARE:
                break
        hits.sort(key=lambda hit: (-hit.score, hit.person.folded, hit.person.system, hit.person.person_id))
        return hits[:limit]

    def _by_id(self, digits: str) -> Floats:
        scores = np.zeros(len(self.people), np.float32)
        for one, number in self._ids[bisect_left(self._ids, (digits, 0)) :]:
            if not one.startswith(digits):
                break
            scores[number] = max(scores[number], np.float32(1.0 if one == digits else 0.9))
        return scores

    def _by_name(self, typed: Sequence[str]) -> Floats:
        if not typed or not self._words:
            return np.zeros(len(self.people), np.float32)
        total = np.zeros(len(self.people), np.float32)
        for word in typed:
            likeness = np.append(self._likeness(word), np.float32(0))
            total += likeness[self._rows].max(axis=1)
        return total / np.float32(len(typed))

    def _likeness(self, typed: str) -> Floats:
        """How much each known word is like the typed one: whole, begun, or as a short form."""
        if len(typed) < 2:
            return np.array([0.9 if one.startswith(typed) else 0.0 for one in self._words], np.float32)
        whole = process.cdist([typed], self._words, scorer=OSA.normalized_similarity, dtype=np.float32)[0]
        begins = [one[: len(typed)] for one in self._words]
        begun = process.cdist([typed], begins, scorer=OSA.normalized_similarity, dtype=np.float32)[0]
        likeness = np.asarray(np.maximum(whole, begun * _BEGUN), np.float32)
        short = _short_forms(typed)
        for number, one in enumerate(self._words):
            if one in short or (len(one) >= _SHORTEST_FORM and typed.startswith(one)):
                likeness[number] = max(likeness[number], _SHORT)
        return likeness


@cache
def _names() -> NickNamer:
    return NickNamer()


def _short_forms(name: str) -> set[str]:
    """What a name is called for short, and what it may be short for."""
    return {*_names().nicknames_of(name), *_names().canonicals_of(name)}


def _words_of(person: PersonSummary) -> list[str]:
    """The words of all names, and the other way to write an umlaut in plain letters."""
    shown = (value for name, value in person.shown.items() if value and name.endswith("name"))
    long_forms = (fold(value.lower().translate(_LONG_FORMS)) for value in shown)
    return list(dict.fromkeys(" ".join((person.folded, *long_forms)).split()))
