"""How writes of marks ended: which of those that reading back did not show may still land."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.intents import Result, record_intent, record_outcome
from vx_pipeline.journal.landings import unseen_writes

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NORTH = "north"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = open_journal(tmp_path)
    yield found
    found.close()


def wrote(journal: Journal, result: Result | None) -> int:
    """A write to one row that ended so; None where that is not known yet. Returns its number."""
    intent_id = record_intent(
        journal,
        school=NORTH,
        at=NOW,
        system="veracross",
        entity="class_attendance",
        action="update",
        key=1,
        target_id=9,
        body={},
        cause="a push",
    )
    if result is not None:
        record_outcome(journal, intent_id, result, at=NOW, detail="")
    return intent_id


@pytest.mark.parametrize(
    ("after", "is_settled"),
    [
        ((), False),
        # It was never sent, so that it settles nothing.
        ((Result.FAILED,), False),
        ((Result.FAILED, Result.FAILED), False),
        ((Result.DONE,), True),
        ((Result.CONFIRMED, Result.FAILED), True),
        ((None,), True),
    ],
)
def test_a_write_may_land_late_until_a_later_one_was_sent(
    journal: Journal, after: tuple[Result | None, ...], *, is_settled: bool
) -> None:
    first = wrote(journal, Result.ABSENT)
    for result in after:
        wrote(journal, result)
    found = unseen_writes(journal, NORTH, "class_attendance", since=NOW - timedelta(days=8))
    assert [one.intent_id for one in found] == ([] if is_settled else [first])
