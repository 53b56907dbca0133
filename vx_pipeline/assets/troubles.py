"""What a plan and its writing leave undone, as troubles: yellow for an item, red for a sync that stopped."""

from collections.abc import Iterable
from itertools import groupby

from vx_pipeline.delivery.rows import SetAside
from vx_pipeline.journal.plans import PlanRow, StoredPlan
from vx_pipeline.journal.problems import RED, YELLOW, Trouble
from vx_pipeline.sync.apply import Failure
from vx_pipeline.sync.pinning import PINNED

SYNC = "sync"
"""What a trouble is about that is about no record."""


def of_plan(stored: StoredPlan) -> list[Trouble]:
    """Items left out with a reason, changes that wait for a person, and a gate that is closed."""
    firsts = [next(rows) for _, rows in groupby(stored.rows, key=lambda row: row.step)]
    troubles = [Trouble(YELLOW, row.entity, row.key, row.reason) for row in firsts if _is_left_out(row)]
    if stored.hold_reason:
        troubles.append(Trouble(RED, SYNC, 0, stored.hold_reason))
    elif stored.held_steps:
        troubles.append(Trouble(YELLOW, SYNC, 0, f"{len(stored.held_steps)} changes wait for a person"))
    return troubles


def of_failures(failed: Iterable[Failure]) -> list[Trouble]:
    """Changes that could not be written; a later run tries them again."""
    return [
        Trouble(
            YELLOW,
            failure.change.entity.value,
            failure.change.key,
            f"{failure.change.action}: {failure.reason}",
        )
        for failure in failed
    ]


def of_set_aside(set_aside: Iterable[SetAside]) -> list[Trouble]:
    """Staff and groups that no file could hold. Students who are an open question wait on the review page."""
    return [
        Trouble(YELLOW, one.entity, int(one.key), one.reason)
        for one in set_aside
        if one.entity in ("staff", "group") and one.key.isdecimal()
    ]


def _is_left_out(row: PlanRow) -> bool:
    return row.verdict == "skip" and row.cause != PINNED
