"""Two records beside each other, and the fingerprint of what is shown of them."""

import hashlib
import json
from dataclasses import dataclass

from vx_pipeline.journal.cases import VERACROSS, Person, get_person, seen_fields
from vx_pipeline.journal.decisions import Entity, Seen, history
from vx_pipeline.review.site import Visit
from vx_pipeline.sync.effects import would_change


@dataclass(frozen=True)
class Pair:
    """Two records of one kind; a side may be missing or unknown to the newest run."""

    entity: Entity
    veracross_id: int | None
    orah_id: int | None
    ours: Person | None
    theirs: Person | None

    @property
    def linked(self) -> bool:
        """Whether the two are linked now."""
        return self.ours is not None and self.orah_id is not None and self.ours.linked_to == self.orah_id

    @property
    def seen(self) -> Seen:
        """The fingerprint of what is shown."""
        return seen_fields(self.ours, self.theirs)

    @property
    def seal(self) -> str:
        """A short digest of all that a decision was made by, to tell whether a form still shows what is there."""
        ours, theirs = self.ours, self.theirs
        shown = {
            "seen": {name: list(values) for name, values in self.seen.items()},
            "linked": [person and person.linked_to for person in (ours, theirs)],
            "status": [person and person.shown.get("status") for person in (ours, theirs)],
            "changes": would_change(ours.wanted, theirs.wanted) if ours and theirs else {},
            "days": [str(day) for day in theirs.days_away] if theirs else [],
        }
        return hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()[:16]


def read_pair(visit: Visit, entity: Entity, veracross_id: int | None, orah_id: int | None) -> Pair:
    """Two records as the newest run saw them."""
    ours, theirs = (
        get_person(visit.journal, visit.school, entity, system, number) if number is not None else None
        for system, number in (("veracross", veracross_id), ("orah", orah_id))
    )
    return Pair(entity, veracross_id, orah_id, ours, theirs)


def newest_number(visit: Visit) -> int:
    """The number of the school's newest decision: whatever is decided later was not seen on this page."""
    newest = history(visit.journal, visit.school, limit=1)
    return newest[0].number if newest else 0


def own_side(pair: Pair, system: str) -> Pair:
    """One system's record without any beside it, as in the decision that it has no other."""
    if system == VERACROSS:
        return Pair(pair.entity, pair.veracross_id, None, pair.ours, None)
    return Pair(pair.entity, None, pair.orah_id, None, pair.theirs)
