"""What people decided, as the matcher takes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.decisions import Decision, Entity, Kind, decisions_after
from vx_pipeline.journal.ledger import Ledger

Pair = tuple[int, int]
"""Veracross id, Orah id."""


@dataclass(frozen=True)
class Rulings:
    """The standing decisions about one kind of record. They come before any evidence.

    Args:
        linked: the same, said a person.
        refused: not the same; neither a link nor a rival of one.
        new: nobody whom Orah had at that moment is this person; a record may be made.
        set_aside: records of Orah that are to be merged, or of nobody in Veracross: not linked, not asked about.
        taken_back: said to be the same, and then undone; what that link left in Orah is no evidence.
        newest: number of the newest decision that was looked at; 0 when there was none.
    """

    linked: frozenset[Pair] = frozenset()
    refused: frozenset[Pair] = frozenset()
    new: Mapping[int, datetime] = field(default_factory=dict)
    set_aside: frozenset[int] = frozenset()
    taken_back: frozenset[Pair] = frozenset()
    newest: int = 0


def read_rulings(journal: Journal, school: str, entity: Entity) -> Rulings:
    """What stands about one kind of record at one school, read at one moment."""
    return rulings(decisions_after(journal, 0, school), entity)


def rulings(decisions: Sequence[Decision], entity: Entity) -> Rulings:
    """The rulings about one kind of record, from all decisions of a school, oldest first."""
    linked, refused, set_aside = set(), set(), set()
    new: dict[int, datetime] = {}
    for decision in Ledger(decisions).standing():
        if decision.entity is not entity:
            continue
        ours, theirs = decision.veracross_id, decision.orah_id
        match decision.kind:
            case Kind.SAME if ours is not None and theirs is not None:
                linked.add((ours, theirs))
            case Kind.NEVER | Kind.UNLINK if ours is not None and theirs is not None:
                refused.add((ours, theirs))
            case Kind.MERGE if ours is not None and theirs is not None:
                set_aside.add(theirs)
            case Kind.NEW if ours is not None:
                new[ours] = decision.at
            case Kind.NEW if theirs is not None:
                set_aside.add(theirs)
    return Rulings(
        frozenset(linked),
        frozenset(refused),
        new,
        frozenset(set_aside),
        taken_back=frozenset(_taken_back(decisions, entity)) - linked,
        newest=max((decision.number for decision in decisions), default=0),
    )


def _taken_back(decisions: Sequence[Decision], entity: Entity) -> Iterator[Pair]:
    undone = {decision.undoes for decision in decisions}
    for decision in decisions:
        if decision.entity is entity and decision.kind is Kind.SAME and decision.number in undone:
            assert decision.veracross_id is not None
            assert decision.orah_id is not None
            yield decision.veracross_id, decision.orah_id
