"""The people of each school in memory: for the search, and for names beside ids."""

import threading
from datetime import datetime

from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import Matching, PersonSummary, get_people, latest_matching
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.review.compare import display_name
from vx_pipeline.review.search import SearchIndex


class Directory:
    """Everybody of one school as its newest run saw them.

    Args:
        matching: that run; None before the first one.
        people: its people, of both systems.
    """

    def __init__(self, matching: Matching | None, people: list[PersonSummary]) -> None:
        self.matching = matching
        self.index = SearchIndex(people)
        self._people = {(person.entity, person.system, person.person_id): person for person in people}

    def find(self, entity: Entity, system: str, person_id: int | None) -> PersonSummary | None:
        """One record; None when the newest run saw none."""
        return None if person_id is None else self._people.get((entity, system, person_id))

    def name(self, entity: Entity, system: str, person_id: int | None) -> str:
        """A record's name; empty when the newest run saw no such record."""
        person = self.find(entity, system, person_id)
        return display_name(person) if person else ""


class Directories:
    """The directory of each school, made anew when a run has replaced the people."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[tuple[str, datetime] | None, Directory]] = {}
        self._lock = threading.Lock()

    def of(self, journal: Journal, school: str) -> Directory:
        """The school's directory."""
        matching = latest_matching(journal, school)
        key = (matching.run_id, matching.at) if matching else None
        with self._lock:
            made = self._made.get(school)
            if made is None or made[0] != key:
                people = get_people(journal, school) if matching else []
                made = self._made[school] = (key, Directory(matching, people))
        return made[1]
