"""What the faults in force do to one request: to its lists, its pages, its write."""

import copy
from collections.abc import Collection, Sequence
from typing import Any

from vx_pipeline.sandbox.faults import FIELD_KINDS, SHIFTS, Fault, FaultBox, FaultKind
from vx_pipeline.sandbox.messages import Incoming

Record = dict[str, Any]


class Trouble:
    """The faults of one request. A stand-in asks it at each point where something can go wrong.

    Args:
        box: the faults in force.
        system: whose request it is.
        incoming: the request.
        page: which page it asks for.
    """

    def __init__(self, box: FaultBox, system: str, incoming: Incoming, page: int | None) -> None:
        self._box = box
        self._about = (system, incoming.method, incoming.path, page)
        self._taken: list[Fault] = []

    @property
    def names(self) -> str:
        """The faults that took part so far, joined by blanks."""
        return " ".join(fault.kind for fault in self._taken)

    def claim(self, *kinds: FaultKind) -> Fault | None:
        """The first fault of these kinds that hits this request, if any does."""
        found = self._claim(kinds)
        return found[0] if found else None

    def write_lands(self) -> bool:
        """Whether the write that is about to happen shall happen."""
        return self.claim(FaultKind.NO_EFFECT) is None

    def shift_after_page(self) -> FaultKind | None:
        """How the list changes once this page was taken from it."""
        fault = self.claim(*SHIFTS)
        return fault.kind if fault else None

    def list_as_served(self, rows: Sequence[Record]) -> list[Record]:
        """The list, in the order served, as the faults leave it; the rows themselves stay untouched."""
        served = list(rows)
        if self.claim(FaultKind.EMPTY_LIST):
            return []
        if fault := self.claim(FaultKind.SHRUNKEN_LIST):
            served = served[: int(len(served) * fault.fraction)]
        for fault in self._claim(FIELD_KINDS):
            served = _with_field_fault(served, fault)
        return served

    def page_as_served(self, rows: Sequence[Record]) -> list[Record]:
        """One page as the faults leave it."""
        served = list(rows)
        if served and (fault := self.claim(FaultKind.DUPLICATED_ROW)):
            again = copy.deepcopy(served[0])
            if fault.field:
                _put(again, fault.field, fault.value)
            served.append(again)
        return served

    def _claim(self, kinds: Collection[FaultKind]) -> list[Fault]:
        found = self._box.claim(kinds, *self._about)
        self._taken += found
        return found


def _with_field_fault(rows: list[Record], fault: Fault) -> list[Record]:
    assert fault.field is not None
    changed = []
    for number, row in enumerate(rows):
        if fault.kind is FaultKind.ROW_MUTATED:
            if (number == 0) if fault.record_id is None else (row.get("id") == fault.record_id):
                row = copy.deepcopy(row)
                _put(row, fault.field, fault.value)
        else:
            row = copy.deepcopy(row)
            _change(row, fault)
        changed.append(row)
    return changed


def _change(row: Record, fault: Fault) -> None:
    assert fault.field is not None
    place, name = _place(row, fault.field)
    if place is None or name not in place:
        return
    value = place.pop(name)
    if fault.kind is FaultKind.FIELD_RENAMED:
        place[fault.value] = value
    elif fault.kind is FaultKind.FIELD_RETYPED:
        place[name] = _retyped(value)


def _retyped(value: Any) -> Any:
    if value is None:
        return None
    return [value] if isinstance(value, str) else str(value)


def _put(row: Record, field: str, value: Any) -> None:
    place, name = _place(row, field)
    if place is not None:
        place[name] = value


def _place(row: Record, field: str) -> tuple[Record | None, str]:
    """The object that holds the field, and the field's name in it."""
    *above, name = field.split(".")
    place: Any = row
    for step in above:
        place = place.get(step) if isinstance(place, dict) else None
    return (place if isinstance(place, dict) else None), name
