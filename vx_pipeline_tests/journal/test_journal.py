"""The journal: what is written down stays, survives a second process, and an intent without an end is found."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline.errors import ConfigurationError, ServiceError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.intents import (
    Result,
    count_outcomes,
    known_students,
    last_write,
    open_intents,
    record_intent,
    record_outcome,
    standing_deactivations,
)
from vx_pipeline.journal.marks import Mark, last_mark, record_mark
from vx_pipeline.journal.plans import PlanRow, latest_plan, record_plan

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def intend(journal: Journal, **values: Any) -> int:
    given = {
        "school": "north",
        "at": NOW,
        "system": "orah",
        "entity": "student",
        "action": "deactivate",
        "key": 1,
        "target_id": 501,
        "body": {"deactivated": True},
        "cause": "plan-1",
    }
    return record_intent(journal, **{**given, **values})


def test_an_intent_is_open_until_its_outcome(journal: Journal) -> None:
    first, second = intend(journal), intend(journal, target_id=502)
    record_outcome(journal, first, Result.DONE, at=NOW, target_id=501)
    (left,) = open_intents(journal, "north", "orah")
    assert (left.intent_id, left.target_id, left.body) == (second, 502, {"deactivated": True})
    assert open_intents(journal, "south", "orah") == []
    assert count_outcomes(journal, "plan-1") == {"done": 1}


def test_an_outcome_is_written_once(journal: Journal) -> None:
    intent = intend(journal)
    record_outcome(journal, intent, Result.DONE, at=NOW)
    with pytest.raises(ServiceError, match="journal cannot be read or written"):
        record_outcome(journal, intent, Result.FAILED, at=NOW)
    assert count_outcomes(journal, "plan-1") == {"done": 1}


def test_what_we_did_to_whom_is_remembered(journal: Journal) -> None:
    assert last_write(journal, "north", "orah") is None
    record_outcome(journal, intend(journal, key=1), Result.DONE, at=NOW, target_id=501)
    later = NOW + timedelta(days=1)
    record_outcome(
        journal, intend(journal, key=2, target_id=502, at=later), Result.CONFIRMED, at=later, target_id=502
    )
    record_outcome(journal, intend(journal, key=3, target_id=503), Result.FAILED, at=NOW)
    assert standing_deactivations(journal, "north") == {501: NOW, 502: later}
    assert known_students(journal, "north") == {1, 2}
    assert last_write(journal, "north", "orah") == later
    assert known_students(journal, "south") == set()


def test_a_deactivation_that_we_took_back_does_not_stand(journal: Journal) -> None:
    for action in ("deactivate", "reactivate"):
        record_outcome(journal, intend(journal, action=action), Result.DONE, at=NOW, target_id=501)
    assert standing_deactivations(journal, "north") == {}


def test_a_plan_comes_back_as_it_was(journal: Journal) -> None:
    rows = [
        PlanRow(1, "student", "update", 1, 501, "house", {"id": 7}, None, "moved out"),
        PlanRow(2, "student", "skip", 2, None, "", None, None, "no name"),
    ]
    values: dict[str, Any] = {"school": "north", "run_id": "r", "fingerprint": "f", "hold_reason": None}
    first = record_plan(journal, at=NOW, rows=rows, **values)
    stored = latest_plan(journal, "north")
    assert stored is not None
    assert (stored.plan_id, stored.rows, stored.created_at) == (first, tuple(rows), NOW)
    record_plan(journal, at=NOW + timedelta(hours=1), rows=[], **values)
    newest = latest_plan(journal, "north")
    assert newest is not None
    assert newest.rows == ()
    assert latest_plan(journal, "south") is None


def test_the_newest_mark_is_the_base(journal: Journal) -> None:
    assert last_mark(journal, "north", 9) is None
    seen, wrote = Mark(9, "1", None, ours=False), Mark(9, "2", "[via Orah]", ours=True)
    record_mark(journal, "north", seen, at=NOW)
    record_mark(journal, "north", wrote, at=NOW - timedelta(hours=1))
    assert last_mark(journal, "north", 9) == wrote
    assert last_mark(journal, "south", 9) is None


def test_the_file_is_private_and_read_by_the_next_process(tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    intend(first)
    first.close()
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600
    second = open_journal(tmp_path)
    assert len(open_intents(second, "north", "orah")) == 1
    second.close()


def test_moments_keep_their_zone(journal: Journal) -> None:
    with pytest.raises(ServiceError):
        intend(journal, at=datetime(2026, 11, 23, 7, 0))  # noqa: DTZ001 - a naive moment is the mistake


@pytest.mark.parametrize("url", ["nonsense", "nodialect://x"])
def test_a_wrong_url_is_told_without_repeating_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_journal(tmp_path, url)
    assert url not in str(caught.value)
