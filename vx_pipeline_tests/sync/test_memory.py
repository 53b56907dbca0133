"""What the journal remembers for a plan: who took what back, which rules held, and whether the two stores agree."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.approvals import Answer, answer_held
from vx_pipeline.journal.intents import Result, record_intent, record_outcome
from vx_pipeline.journal.plans import get_plan, record_plan
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Entity, fingerprint
from vx_pipeline.sync.gate import Judged, Recollection, Verdict
from vx_pipeline.sync.inputs import settings_hash
from vx_pipeline.sync.memory import baseline, recollection, remember_plan
from vx_pipeline.sync.stored import to_rows
from vx_pipeline_tests.sync.planned import change, judged, removal
from vx_pipeline_tests.world import READ_AT, open_school

SCHOOL = "north"
DAY = timedelta(days=1)
MADE_ANEW, RESTORED = "the warehouse was made anew", "the journal does not know the last plan"
RENAMED = change(Entity.STUDENT, Action.UPDATE, 9, 509, last_name=("L9", "Vale"))


def note(journal: Journal, *changes: Change, verdict: Verdict = Verdict.WRITE, **values: Any) -> str:
    """A plan of these changes, as a run notes it."""
    given: dict[str, Any] = {
        "at": READ_AT,
        "run_id": None,
        "fingerprint": "f",
        "hold_reason": None,
        "inputs": {"settings": settings_hash(Policies())},
        "rows": to_rows([Judged(one, verdict) for one in changes]),
    }
    return record_plan(journal, school=SCHOOL, **{**given, **values})


def write(journal: Journal, plan_id: str, done: Change, result: Result = Result.DONE) -> None:
    intent = record_intent(
        journal,
        school=SCHOOL,
        at=READ_AT,
        system="orah",
        entity=done.entity,
        action=done.action,
        key=done.key,
        target_id=done.target_id,
        body={},
        cause=plan_id,
        change=fingerprint(done),
    )
    record_outcome(journal, intent, result, at=READ_AT, target_id=done.target_id)


@pytest.fixture
def warehouse(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("CREATE SCHEMA sync")
    return connection


def recalled(journal: Journal, connection: duckdb.DuckDBPyConnection) -> Recollection:
    return recollection(journal, SCHOOL, connection, now=READ_AT, on_pass=frozenset())


# --- two stores that belong together


def run(journal: Journal, connection: duckdb.DuckDBPyConnection) -> str | None:
    """One run: what is wrong with the stores, and then the plan is noted in both."""
    trouble = recalled(journal, connection).baseline
    remember_plan(connection, note(journal))
    return trouble


def test_the_first_run_of_all_is_open(journal: Journal, warehouse: duckdb.DuckDBPyConnection) -> None:
    assert run(journal, warehouse) is None
    assert run(journal, warehouse) is None


def test_a_rebuilt_warehouse_closes_the_gate_once(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    run(journal, warehouse)
    (tmp_path / "again").mkdir()
    with open_school(tmp_path / "again") as rebuilt:
        rebuilt.execute("CREATE SCHEMA sync")
        assert str(run(journal, rebuilt)).startswith(MADE_ANEW)
        assert run(journal, rebuilt) is None


def test_a_journal_from_a_backup_closes_the_gate_once(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    run(journal, warehouse)
    journal.close()
    (tmp_path / "backup").mkdir()
    shutil.copy(tmp_path / "journal.db", tmp_path / "backup/journal.db")
    for kept in (lambda: open_journal(tmp_path / "backup"), lambda: open_journal(tmp_path / "lost")):
        _close_once(kept, warehouse, tmp_path)


def _close_once(kept: Callable[[], Journal], warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    newer = open_journal(tmp_path)
    run(newer, warehouse)
    newer.close()
    older = kept()
    assert str(run(older, warehouse)).startswith(RESTORED)
    assert run(older, warehouse) is None
    older.close()


def test_another_schools_plans_are_no_plans_of_ours(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection
) -> None:
    record_plan(journal, school="south", at=READ_AT, run_id=None, fingerprint="f", hold_reason=None, rows=[])
    assert recalled(journal, warehouse).baseline is None


# --- the rules


def test_it_is_noticed_that_the_rules_changed(journal: Journal) -> None:
    assert not baseline(journal, SCHOOL, Policies(), READ_AT).settings_changed, "there was no plan before"
    note(journal)
    assert not baseline(journal, SCHOOL, Policies(), READ_AT).settings_changed
    assert baseline(journal, SCHOOL, Policies(synced="boarding"), READ_AT).settings_changed


# --- what people did not want


def undo(journal: Journal, *changes: Change, at: timedelta = timedelta()) -> str:
    return note(journal, *changes, purpose="undo", subject="plan-1", actor="Dana", at=READ_AT + at)


def verdicts(
    journal: Journal,
    warehouse: duckdb.DuckDBPyConnection,
    hundred: duckdb.DuckDBPyConnection,
    *changes: Change,
) -> list[tuple[Verdict, str]]:
    known = recalled(journal, warehouse)
    judgement = judged(hundred, changes, objections=known.objections, answers=known.answers)
    return [(one.verdict, one.why) for one in judgement.changes]


HELD = (Verdict.HELD, "Dana took this back on 2026-11-23")
WRITTEN = (Verdict.WRITE, "")


def test_what_an_undo_took_back_waits_when_a_plan_wants_it_again(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection, hundred: duckdb.DuckDBPyConnection
) -> None:
    back = change(Entity.STUDENT, Action.UPDATE, 9, 509, last_name=("Vale", "L9"))
    plan_id = undo(journal, back)
    assert verdicts(journal, warehouse, hundred, RENAMED) == [WRITTEN], "it was not written"
    write(journal, plan_id, back)
    assert verdicts(journal, warehouse, hundred, RENAMED) == [HELD]
    other = change(Entity.STUDENT, Action.UPDATE, 9, 509, last_name=("L9", "Stone"))
    assert verdicts(journal, warehouse, hundred, other) == [WRITTEN]


def test_who_takes_an_undo_back_wants_it_after_all(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection, hundred: duckdb.DuckDBPyConnection
) -> None:
    back = change(Entity.STUDENT, Action.UPDATE, 9, 509, last_name=("Vale", "L9"))
    write(journal, undo(journal, back), back)
    write(journal, undo(journal, RENAMED, at=DAY), RENAMED)
    assert verdicts(journal, warehouse, hundred, RENAMED) == [WRITTEN]


def test_a_house_that_was_taken_back_is_known_by_its_dorm(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection, hundred: duckdb.DuckDBPyConnection
) -> None:
    back = change(Entity.STUDENT, Action.UPDATE, 9, 509, house=({"dorm_id": 100}, {"id": 8}))
    write(journal, undo(journal, back), back)
    again = change(Entity.STUDENT, Action.UPDATE, 9, 509, house=({"id": 8}, {"dorm_id": 100}))
    assert verdicts(journal, warehouse, hundred, again) == [HELD]


def test_each_tie_of_a_contact_is_remembered(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection, hundred: duckdb.DuckDBPyConnection
) -> None:
    backs = [
        change(Entity.CONTACT, Action.UNLINK, 5, 77, students=({"student_id": child}, None))
        for child in (1, 2)
    ]
    plan_id = undo(journal, *backs)
    for back in backs:
        write(journal, plan_id, back)
    again = [
        change(Entity.CONTACT, Action.LINK, 5, 77, students=(None, {"student_id": child}))
        for child in (1, 2, 3)
    ]
    assert verdicts(journal, warehouse, hundred, *again) == [HELD, HELD, WRITTEN]


def test_what_was_refused_is_not_slipped_in_with_something_else(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection, hundred: duckdb.DuckDBPyConnection
) -> None:
    stored = get_plan(journal, SCHOOL, note(journal, RENAMED, verdict=Verdict.HELD))
    assert stored is not None
    answer_held(journal, stored, answer=Answer.REFUSE, actor="Dana", note="", via="shell", at=READ_AT)
    assert [one for one, _ in verdicts(journal, warehouse, hundred, RENAMED)] == [Verdict.REFUSED]
    more = change(
        Entity.STUDENT, Action.UPDATE, 9, 509, last_name=("L9", "Vale"), email=(None, "v@s.example.edu")
    )
    assert verdicts(journal, warehouse, hundred, more) == [
        WRITTEN, (Verdict.REFUSED, "refused by Dana on 2026-11-23"),
    ]  # fmt: skip
    renamed_by_hand = change(Entity.STUDENT, Action.UPDATE, 9, 509, last_name=("L-9", "Vale"))
    assert verdicts(journal, warehouse, hundred, renamed_by_hand) == [
        (Verdict.HELD, "Dana refused this on 2026-11-23")
    ]


def test_removals_of_the_week_and_the_last_write_are_remembered(
    journal: Journal, warehouse: duckdb.DuckDBPyConnection
) -> None:
    assert (recalled(journal, warehouse).last_write, recalled(journal, warehouse).removed_this_week) == (
        None,
        0,
    )
    plan_id = note(journal, removal(1), removal(2))
    write(journal, plan_id, removal(1))
    write(journal, plan_id, removal(2), Result.FAILED)
    known = recalled(journal, warehouse)
    assert (known.last_write, known.removed_this_week) == (READ_AT, 1)
