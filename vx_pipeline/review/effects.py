"""What a decision will cause, told before it is made."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from vx_pipeline.journal.cases import Person
from vx_pipeline.journal.decisions import Kind
from vx_pipeline.review import words
from vx_pipeline.sync.effects import would_change

WHEN = (
    "It takes effect with the next run. Where the Dagster daemon runs, that starts by itself within a minute."
)

LEFT = "has left the school: the record will be deactivated"


@dataclass(frozen=True)
class Change:
    """One field of a record in Orah."""

    field: str
    now: Any
    then: Any

    @property
    def label(self) -> str:
        """The field's label."""
        return words.field(self.field)


@dataclass(frozen=True)
class Effects:
    """What a decision causes.

    Args:
        sentences: in words, the most important first.
        changes: fields that the next run will write in Orah.
        days: days whose attendance is carried over.
    """

    sentences: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    days: tuple[date, ...] = ()


def effects_of(
    kind: Kind, ours: Person | None, theirs: Person | None, *, linked: bool, last: bool = False
) -> Effects:
    """What deciding about these two records causes.

    Args:
        kind: the decision.
        ours: the record in Veracross.
        theirs: the record in Orah.
        linked: whether the two are linked now.
        last: whether no other candidate is left.
    """
    sentences: tuple[str, ...]
    if kind is Kind.SAME and ours is not None and theirs is not None:
        changes = tuple(
            Change(name, *pair) for name, pair in would_change(ours.wanted, theirs.wanted).items()
        )
        sentences = (_of_link(linked, ours, theirs), _of_changes(len(changes)))
        if any(change.field == "deactivated" and change.then for change in changes):
            sentences += (f"Veracross {ours.person_id} {LEFT}.",)
        return Effects(sentences, changes, theirs.days_away)
    if kind is Kind.UNLINK:
        sentences = (
            "The two records are no longer linked, and they will never be linked or suggested together again.",
            "Nothing is deleted in Orah. What was written there before stays until somebody changes it.",
        )
        return Effects(sentences, days=theirs.days_away if theirs else ())
    if kind is Kind.NEW and ours is None:
        return Effects(("The record in Orah stays as it is, and nobody is asked about it again.",))
    sentences = {
        Kind.NEW: (
            "A new record will be made in Orah by the next run.",
            "No record that is there now is changed.",
        ),
        Kind.NEVER: ("The two will never be linked or suggested together again.", "Nothing changes in Orah."),
        Kind.MERGE: (
            "The record in Orah counts as a second record of this person. Please merge the two by hand in Orah.",
            "Until then it is left alone: nothing is written to it.",
        ),
    }.get(kind, ("Nothing changes. The case waits at the end of the queue.",))
    if last and kind in (Kind.NEVER, Kind.MERGE):
        sentences += ("Nobody else is left: the next run asks whether this is somebody new.",)
    return Effects(sentences)


@dataclass(frozen=True)
class Sum:
    """What many links cause together: how many links, records changed, changes by field, and days."""

    links: int
    records: int
    fields: tuple[tuple[str, int], ...]
    days: int


def sum_of(effects: Iterable[Effects]) -> Sum:
    """Adds up the effects of links."""
    each = list(effects)
    fields = Counter(change.label for one in each for change in one.changes)
    return Sum(
        links=len(each),
        records=sum(bool(one.changes) for one in each),
        fields=tuple(fields.most_common()),
        days=sum(len(one.days) for one in each),
    )


def _of_link(linked: bool, ours: Person, theirs: Person) -> str:
    if linked:
        return "The link stays as it is."
    told = [f"Veracross {ours.person_id} and Orah {theirs.person_id} will be linked."]
    if ours.linked_to is not None:
        told.append(f"The link of Veracross {ours.person_id} with Orah {ours.linked_to} ends.")
    if theirs.linked_to is not None:
        told.append(f"The link of Orah {theirs.person_id} with Veracross {theirs.linked_to} ends.")
    return " ".join(told)


def _of_changes(count: int) -> str:
    return (
        f"{words.counted(count, 'field')} will change in Orah."
        if count
        else "Nothing will change in Orah's record."
    )
