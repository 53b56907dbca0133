"""What people decided, as the matcher takes it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.decisions import Decision, Entity, Kind, decisions_after, standing

Pair = tuple[int, int]
"""Veracross id, Orah id."""


@dataclass(frozen=True)
class Rulings:
    """The standing decisions about one kind of record. They come before any evidence.

    Args:
        linked: the same, said a person.
        refused: not the same; neither a link nor a rival of one.
        new: nobody in Orah is this person; a record may be made.
        set_aside: records of Orah that nobody is asked about again: to be merged, or of nobody in Veracross.
        taken_back: said to be the same, and then undone; what that link left in Orah is no evidence.
    """

    linked: frozenset[Pair] = frozenset()
    refused: frozenset[Pair] = frozenset()
    new: frozenset[int] = frozenset()
    set_aside: frozenset[int] = frozenset()
    taken_back: frozenset[Pair] = frozenset()


def read_rulings(journal: Journal, school: str, entity: Entity) -> Rulings:
    """What stands about one kind of record at one school."""
    return rulings(standing(journal, school), decisions_after(journal, 0, school), entity)


def rulings(standing: Iterable[Decision], ever: Iterable[Decision], entity: Entity) -> Rulings:
    """The rulings about one kind of record, from the standing decisions and all that were ever made."""
    linked, refused, new, set_aside = set(), set(), set(), set()
    for decision in standing:
        if decision.entity is not entity:
            continue
        ours, theirs = decision.veracross_id, decision.orah_id
        match decision.kind:
            case Kind.SAME if ours is not None and theirs is not None:
                linked.add((ours, theirs))
            case Kind.NEVER | Kind.UNLINK if ours is not None and theirs is not None:
                refused.add((ours, theirs))
            case Kind.MERGE if ours is not None and theirs is not None:
                refused.add((ours, theirs))
                set_aside.add(theirs)
            case Kind.NEW if ours is not None:
                new.add(ours)
            case Kind.NEW if theirs is not None:
                set_aside.add(theirs)
    return Rulings(
        frozenset(linked),
        frozenset(refused),
        frozenset(new),
        frozenset(set_aside),
        taken_back=frozenset(_taken_back(ever, entity)) - linked,
    )


def _taken_back(ever: Iterable[Decision], entity: Entity) -> Iterator[Pair]:
    decisions = list(ever)
    undone = {decision.undoes for decision in decisions}
    for decision in decisions:
        if decision.entity is entity and decision.kind is Kind.SAME and decision.number in undone:
            assert decision.veracross_id is not None
            assert decision.orah_id is not None
            yield decision.veracross_id, decision.orah_id
