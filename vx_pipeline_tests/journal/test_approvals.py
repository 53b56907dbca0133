"""What people say about held changes: by name, about the newest plan only, and the newest word stands."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from vx_pipeline.errors import VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import Answer, answer_held, standing_answers
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.intents import Result, record_intent, record_outcome, removals_since
from vx_pipeline.journal.plans import StoredPlan
from vx_pipeline_tests.journal.held import NOW, SCHOOL, row, stored_plan

HOUR = timedelta(hours=1)


def say(
    journal: Journal,
    plan: StoredPlan,
    answer: Answer = Answer.APPROVE,
    steps: Sequence[int] | None = None,
    **values: Any,
) -> int:
    given: dict[str, Any] = {"actor": "Dana", "note": "I called the family", "via": "page", "at": NOW}
    return answer_held(journal, plan, answer=answer, steps=steps, **{**given, **values})


def write(journal: Journal, step: int, approval: int | None, result: Result, **values: Any) -> None:
    given: dict[str, Any] = {
        "school": SCHOOL,
        "at": NOW,
        "system": "orah",
        "entity": "student",
        "action": "deactivate",
        "key": step,
        "target_id": 500 + step,
        "body": {"deactivated": True},
        "cause": "plan-1",
        "change": f"change-{step}",
        "approval": approval,
    }
    intent = record_intent(journal, **{**given, **values})
    record_outcome(journal, intent, result, at=given["at"] + HOUR, target_id=500 + step)


def test_all_that_is_held_is_answered_or_only_some_steps(journal: Journal) -> None:
    plan = stored_plan(journal, row(1), row(2), row(3, "write"), row(4, "refused"))
    assert say(journal, plan, steps=[2]) == 1
    assert set(standing_answers(journal, SCHOOL)) == {"change-2"}
    assert say(journal, plan, Answer.REFUSE) == 2, "what was refused before is answered by its step only"
    assert say(journal, plan, steps=[4]) == 1
    answers = standing_answers(journal, SCHOOL)
    assert {mark: one.answer for mark, one in answers.items()} == {
        "change-1": Answer.REFUSE, "change-2": Answer.REFUSE, "change-4": Answer.APPROVE,
    }  # fmt: skip
    first = answers["change-1"]
    assert (first.plan_id, first.step, first.settings_hash, first.actor, first.via, first.at, first.used_at) == (
        plan.plan_id, 1, "rules", "Dana", "page", NOW, None,
    )  # fmt: skip
    assert "called" not in repr(first), "a note may hold names"
    assert standing_answers(journal, "south") == {}


def test_the_newest_word_stands(journal: Journal) -> None:
    plan = stored_plan(journal, row(1))
    say(journal, plan, Answer.REFUSE)
    say(journal, plan, Answer.APPROVE, actor=" Kim ", at=NOW + HOUR)
    (answer,) = standing_answers(journal, SCHOOL).values()
    assert (answer.answer, answer.actor) == (Answer.APPROVE, "Kim")


def test_who_answered_what_is_in_the_book_of_views(journal: Journal) -> None:
    plan = stored_plan(journal, row(1), row(2))
    say(journal, plan)
    (seen,) = audit_trail(journal, SCHOOL)
    assert (seen.actor, seen.action) == ("Dana", "approve")
    assert seen.subject == f"plan {plan.plan_id} steps 1, 2"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"actor": "  "}, "named person"),
        ({"steps": [3]}, "holds no step 3"),
        ({"steps": [1, 9]}, "holds no step 9"),
        ({"steps": []}, "holds nothing"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_recorded(
    journal: Journal, values: dict[str, Any], told: str
) -> None:
    plan = stored_plan(journal, row(1), row(2), row(3, "write"))
    with pytest.raises(VxError, match=told):
        say(journal, plan, **values)
    assert standing_answers(journal, SCHOOL) == {}


def test_a_plan_that_a_newer_one_replaced_cannot_be_answered(journal: Journal) -> None:
    old = stored_plan(journal, row(1))
    new = stored_plan(journal, row(1), at=NOW + HOUR)
    with pytest.raises(VxError, match=f"{new.plan_id} took its place"):
        say(journal, old)
    stored_plan(journal, row(1), school="south", at=NOW + 2 * HOUR)
    assert say(journal, new) == 1, "another school's plan replaces nothing"


def test_a_closed_gate_cannot_be_opened(journal: Journal) -> None:
    plan = stored_plan(journal, row(1), hold_reason="veracross.students is empty")
    with pytest.raises(VxError, match="Nobody can open it"):
        say(journal, plan)
    assert standing_answers(journal, SCHOOL) == {}


@pytest.mark.parametrize(
    ("result", "used"),
    [(Result.DONE, True), (Result.CONFIRMED, True), (Result.FAILED, False), (Result.ABSENT, False)],
)
def test_an_approval_is_used_by_a_write_that_landed(journal: Journal, result: Result, used: bool) -> None:
    say(journal, stored_plan(journal, row(1)))
    number = standing_answers(journal, SCHOOL)["change-1"].number
    write(journal, 1, number, result)
    assert standing_answers(journal, SCHOOL)["change-1"].used_at == (NOW + HOUR if used else None)


def test_the_week_counts_removals_without_a_persons_word(journal: Journal) -> None:
    write(journal, 1, None, Result.DONE)
    write(journal, 2, 7, Result.DONE)
    write(journal, 3, None, Result.FAILED)
    write(journal, 4, None, Result.CONFIRMED, at=NOW - timedelta(days=8))
    write(journal, 5, None, Result.DONE, action="update")
    write(journal, 6, None, Result.DONE, school="south")
    write(journal, 7, None, Result.DONE, action="delete")
    write(journal, 1, None, Result.DONE, action="delete")
    assert removals_since(journal, SCHOOL, NOW - timedelta(days=7)) == 2
