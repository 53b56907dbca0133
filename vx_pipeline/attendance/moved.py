"""Marks of ours whose class was given another block of the day: the row is the same, and stands elsewhere."""

from collections.abc import Sequence
from dataclasses import replace

from vx_pipeline.attendance.looked_at import Item
from vx_pipeline.attendance.rows import Row, block_of, is_about, row_with
from vx_pipeline.journal.marks import Place


def at_their_rows(items: Sequence[Item], rows: Sequence[Row]) -> list[Item]:
    """The items of a class and day with those that moved at the places of their rows, one item for each.

    Args:
        items: as they are by the meetings that were landed.
        rows: the class's rows as just read.
    """
    arrived = {place: item for item in items if (place := _where(item, rows)) is not None}
    stayed = [item for item in items if _where(item, rows) is None]
    taken = {_row(item.place) for item in stayed}
    found = [_with_mark(item, arrived.get(_row(item.place))) for item in stayed]
    return found + [
        replace(item, place=replace(item.place, block_id=block), moved=False)
        for (student_id, block), item in arrived.items()
        if (student_id, block) not in taken
    ]


def _row(place: Place) -> tuple[int, str | None]:
    """Which row of a class and day a place is about."""
    return place.student_id, place.block_id


def _where(item: Item, rows: Sequence[Row]) -> tuple[int, str | None] | None:
    """Where the row of an item that moved stands now; None where it did not, or the row is not there."""
    if not item.moved or item.ours is None:
        return None
    row = row_with(rows, item.ours.mark.attendance_id)
    if row is None or not is_about(row, item.place) or block_of(row) not in item.blocks:
        return None
    return item.place.student_id, block_of(row)


def _with_mark(item: Item, arrived: Item | None) -> Item:
    """What Orah says about a row, and what we wrote to it where it stood before."""
    if arrived is None or arrived.ours is None or item.ours is not None:
        return item
    item = replace(item, ours=arrived.ours)
    if not item.corrected:
        return item
    return replace(item, leave=arrived.leave, waits=arrived.waits)
