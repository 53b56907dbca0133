"""When classes meet: seven blocks rotate through five periods a day, each three or four times a week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from vx_pipeline.sandbox.school.model import Record
from vx_pipeline.sandbox.school.setting import Setting
from vx_pipeline.sandbox.school.value_lists import BLOCKS

PERIODS = (("08:00", "08:55"), ("09:00", "09:55"), ("10:15", "11:10"), ("11:15", "12:10"), ("13:00", "13:55"))
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True)
class Slot:
    """One meeting of a block; `start` and `end` are local, without an offset (an assumed format)."""

    date: date
    start: str
    end: str


def slots(block: int, first: date, last: date) -> Iterator[Slot]:
    """All meetings of a block (0 to 6) on the weekdays from `first` to `last`, both included."""
    for shift in range((last - first).days + 1):
        on = first + timedelta(days=shift)
        if on.weekday() >= len(WEEKDAYS):
            continue
        for period, (start, end) in enumerate(PERIODS):
            if (len(PERIODS) * on.weekday() + period) % len(BLOCKS) == block:
                yield Slot(on, f"{on}T{start}:00", f"{on}T{end}:00")


def block_record(setting: Setting, block: int) -> Record:
    """A block as meeting times and attendance rows carry it."""
    label = f"Block {BLOCKS[block]}"
    return {"id": setting.code("block", label), "description": label, "abbreviation": BLOCKS[block]}
