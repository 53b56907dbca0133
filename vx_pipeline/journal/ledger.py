"""The rules of decisions, without a database: what stands, and what contradicts what.

A decision is never changed. What stands is worked out from all of them: what was not taken back, and of several
about the same thing the newest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from vx_pipeline.errors import VxError


class Entity(StrEnum):
    """What kind of record a decision is about."""

    STUDENT = "student"
    STAFF = "staff"
    CONTACT = "contact"
    HOUSE = "house"


class Kind(StrEnum):
    """What was decided.

    ``SAME``: the two records are one person (or house). ``NEW``: nobody in the other system is this person; of
    Veracross: a new record may be made in Orah; of Orah: the record is left alone. ``NEVER``: the two are never the
    same. ``LATER``: the case waits, nothing changes. ``UNLINK``: the link there was is wrong; counts as never from
    now on. ``MERGE``: the Orah record is a second record of this person, to be merged by hand in Orah. ``UNDO``:
    takes back an earlier decision.
    """

    SAME = "same"
    NEW = "new"
    NEVER = "never"
    LATER = "later"
    UNLINK = "unlink"
    MERGE = "merge"
    UNDO = "undo"


Seen = Mapping[str, Sequence[str | None]]
"""Deciding field -> (digest of Veracross's value, digest of Orah's value)."""

LARGEST_ID = 2**63 - 1
"""What a database can keep as an id."""

PAIRS = frozenset({Kind.SAME, Kind.NEVER, Kind.UNLINK, Kind.MERGE})
"""Kinds that are about two records."""

_TAKES_PLACE_OF = {
    Kind.SAME: {Kind.SAME},
    Kind.NEVER: {Kind.NEVER, Kind.UNLINK},
    Kind.UNLINK: {Kind.SAME, Kind.NEVER, Kind.UNLINK},
    Kind.MERGE: {Kind.MERGE},
}
"""Which standing decision about the same pair a newer one may replace; any other contradicts it."""

_CLAIMS = frozenset({Kind.SAME, Kind.MERGE})
"""Kinds that say whose an Orah record is."""


@dataclass(frozen=True)
class Decision:
    """One thing that a person decided.

    Args:
        number: the order of decisions over all schools.
        school: the school's key.
        entity: kind of record.
        kind: what was decided.
        veracross_id: the person (or dorm) in Veracross. An undo bears the ids of what it takes back.
        orah_id: the record in Orah.
        note: why, in the person's own words; may hold names.
        actor: who decided.
        via: ``page``, ``shell`` or ``import``.
        at: when.
        seen: fingerprint of the deciding fields as they were seen.
        days: days of attendance that the decision touches, as they were shown.
        undoes: number of the decision that an undo takes back.
    """

    number: int
    school: str
    entity: Entity
    kind: Kind
    veracross_id: int | None
    orah_id: int | None
    note: str = field(repr=False)
    actor: str
    via: str
    at: datetime
    seen: Seen = field(repr=False)
    days: tuple[date, ...]
    undoes: int | None

    @property
    def told(self) -> str:
        """What was decided, in words, with ids alone."""
        ours, theirs = f"{self.entity.value} {self.veracross_id}", f"Orah's {self.orah_id}"
        return {
            Kind.SAME: f"{ours} is {theirs}",
            Kind.NEW: (
                f"{theirs} is nobody in Veracross"
                if self.veracross_id is None
                else f"{ours} is nobody in Orah"
            ),
            Kind.NEVER: f"{ours} is never {theirs}",
            Kind.LATER: f"{theirs if self.veracross_id is None else ours} waits",
            Kind.UNLINK: f"{ours} is not {theirs}, to which it was linked",
            Kind.MERGE: f"{ours} has a second record, {theirs}",
            Kind.UNDO: f"decision {self.undoes} is taken back",
        }[self.kind]


class DecidedMeanwhile(VxError):  # noqa: N818 - it is news, not a fault
    """Somebody decided otherwise, or earlier. ``decision`` is theirs."""

    def __init__(self, decision: Decision, *, remedy: str = "") -> None:
        self.decision = decision
        super().__init__(
            f"Decision {decision.number} stands in the way: {decision.told} "
            f"(by {decision.actor}, {decision.at:%Y-%m-%d %H:%M} UTC).",
            kept="Nothing was written.",
            remedy=remedy
            or f"Look at it again; if that decision is wrong, take it back first (number {decision.number}).",
        )


def contradicts(newer: Decision, standing: Decision) -> bool:
    """Whether a decision cannot be true beside one that stands. Both are of one school and entity."""
    kinds = {newer.kind, standing.kind}
    if Kind.LATER in kinds:
        return False
    same_person = newer.veracross_id == standing.veracross_id
    same_record = newer.orah_id == standing.orah_id
    if kinds <= PAIRS and same_person and same_record:
        return standing.kind not in _TAKES_PLACE_OF[newer.kind]
    if Kind.NEW in kinds:
        return (kinds == {Kind.SAME, Kind.NEW} and same_person) or (len(kinds & _CLAIMS) == 1 and same_record)
    if kinds == {Kind.SAME}:
        return same_person or same_record
    # Two people cannot both own a record, whether as their first or as their second.
    return kinds <= _CLAIMS and same_record


class Ledger:
    """Decisions of one school in their order, and what stands of them.

    Args:
        decisions: all that are to be judged together, oldest first.
    """

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._rows: dict[int, Decision] = {}
        self._undone: dict[int, Decision] = {}
        self._about: dict[tuple[str, Entity, int], list[Decision]] = {}
        for decision in decisions:
            self.add(decision)

    def add(self, decision: Decision) -> None:
        """Takes a newer decision in, without judging it."""
        self._rows[decision.number] = decision
        if decision.undoes is not None:
            self._undone[decision.undoes] = decision
        for key in _records(decision):
            self._about.setdefault(key, []).append(decision)

    def standing(self) -> list[Decision]:
        """What stands, oldest first: not undone, no undo, and of several about the same thing the newest."""
        return self._standing_of(self._rows.values())

    def standing_about(self, decision: Decision) -> list[Decision]:
        """What stands about either record of a decision."""
        rows = {row.number: row for key in _records(decision) for row in self._about.get(key, ())}
        return self._standing_of(rows[number] for number in sorted(rows))

    def newest_about(self, decision: Decision) -> Decision | None:
        """The newest row about either record of a decision, undo rows too."""
        newest = [self._about[key][-1] for key in _records(decision) if key in self._about]
        return max(newest, key=lambda row: row.number, default=None)

    def get(self, number: int) -> Decision | None:
        """The decision with this number."""
        return self._rows.get(number)

    def obstacle(self, decision: Decision) -> Decision | None:
        """The newest standing decision that contradicts this one; None when it may stand."""
        found = [row for row in self.standing_about(decision) if contradicts(decision, row)]
        return found[-1] if found else None

    def undone_by(self, number: int) -> Decision | None:
        """The row that takes a decision back."""
        return self._undone.get(number)

    def _standing_of(self, rows: Iterable[Decision]) -> list[Decision]:
        newest: dict[object, Decision] = {}
        for row in rows:
            if row.kind is not Kind.UNDO and row.number not in self._undone:
                newest[_subject(row)] = row
        return sorted(newest.values(), key=lambda row: row.number)


def _records(decision: Decision) -> list[tuple[str, Entity, int]]:
    ids = (("veracross", decision.veracross_id), ("orah", decision.orah_id))
    return [(system, decision.entity, record) for system, record in ids if record is not None]


def _subject(decision: Decision) -> object:
    """What a decision is about. Waiting is no answer, so it takes no answer's place."""
    return decision.entity, decision.veracross_id, decision.orah_id, decision.kind is Kind.LATER
