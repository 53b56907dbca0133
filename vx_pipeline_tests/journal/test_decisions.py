"""Decisions: what may be decided, what stands, and that nothing recorded is ever changed."""

import ast
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import vx_pipeline
from vx_pipeline.errors import ServiceError, VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.decisions import (
    Answer,
    DecidedMeanwhile,
    Decision,
    Entity,
    Kind,
    decide,
    decide_each,
    decide_many,
    decisions_after,
    history,
    newest_about,
    standing,
    undo,
)
from vx_pipeline_tests.journal.people import NAMES, NOW, decided

STUDENT = Entity.STUDENT
BY: dict[str, Any] = {"school": "north", "actor": "b.roth", "via": "page", "at": NOW}


def take_back(journal: Journal, number: int, **values: Any) -> Decision:
    return undo(journal, **{**BY, "note": "", "number": number, **values})


def numbers(decisions: list[Decision]) -> list[int]:
    return [decision.number for decision in decisions]


def test_a_decision_comes_back_as_it_was_made(journal: Journal) -> None:
    made = decide(
        journal,
        school="north",
        entity=STUDENT,
        kind=Kind.SAME,
        veracross_id=81,
        orah_id=501,
        note=" seen at the gate ",
        actor="a.keller",
        via="page",
        at=NOW,
        seen={"last_name": ("d1", "d1"), "email": ("d2", None)},
        days=(date(2026, 11, 20), date(2026, 11, 19)),
        newest_seen=0,
    )
    assert standing(journal, "north") == history(journal, "north") == [made]
    assert (made.number, made.note, made.at) == (1, "seen at the gate", NOW)
    assert made.seen == {"last_name": ("d1", "d1"), "email": ("d2", None)}
    assert made.days == (date(2026, 11, 19), date(2026, 11, 20))
    assert standing(journal, "south") == []


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        (Kind.SAME, (81, None)),
        (Kind.NEVER, (None, 501)),
        (Kind.UNLINK, (None, None)),
        (Kind.MERGE, (81, None)),
        (Kind.NEW, (81, 501)),
        (Kind.NEW, (None, None)),
        (Kind.LATER, (None, None)),
        (Kind.UNDO, (81, 501)),
        (Kind.SAME, (81, 0)),
        (Kind.SAME, (-81, 501)),
        (Kind.SAME, (81, 2**63)),
    ],
)
def test_ids_fit_the_kind(journal: Journal, kind: Kind, ids: tuple[int | None, int | None]) -> None:
    with pytest.raises(VxError) as caught:
        decided(journal, kind, *ids)
    assert not isinstance(caught.value, DecidedMeanwhile)
    assert history(journal, "north") == []


def test_nobody_decides_without_a_name(journal: Journal) -> None:
    with pytest.raises(VxError, match="needs the name"):
        decide_many(journal, [Answer(STUDENT, Kind.NEW, 81)], **{**BY, "actor": " "})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((Kind.SAME, 81, 501), (Kind.SAME, 81, 502)),
        ((Kind.SAME, 81, 501), (Kind.SAME, 82, 501)),
        ((Kind.SAME, 81, 501), (Kind.NEVER, 81, 501)),
        ((Kind.SAME, 81, 501), (Kind.MERGE, 81, 501)),
        ((Kind.SAME, 81, 501), (Kind.NEW, 81, None)),
        ((Kind.NEW, 81, None), (Kind.SAME, 81, 501)),
        ((Kind.NEVER, 81, 501), (Kind.SAME, 81, 501)),
        ((Kind.UNLINK, 81, 501), (Kind.SAME, 81, 501)),
        ((Kind.MERGE, 81, 501), (Kind.SAME, 81, 501)),
        ((Kind.MERGE, 81, 501), (Kind.NEVER, 81, 501)),
        ((Kind.NEVER, 81, 501), (Kind.MERGE, 81, 501)),
        ((Kind.MERGE, 81, 501), (Kind.SAME, 82, 501)),
        ((Kind.SAME, 82, 501), (Kind.MERGE, 81, 501)),
        ((Kind.NEW, None, 501), (Kind.SAME, 81, 501)),
        ((Kind.SAME, 81, 501), (Kind.NEW, None, 501)),
        ((Kind.MERGE, 81, 501), (Kind.NEW, None, 501)),
    ],
)
def test_what_contradicts_is_refused_and_says_who_decided(
    journal: Journal, first: tuple[Kind, int | None, int | None], second: tuple[Kind, int | None, int | None]
) -> None:
    before = decided(journal, *first)
    with pytest.raises(DecidedMeanwhile) as caught:
        decided(journal, *second)
    assert caught.value.decision == before
    for told in ("Decision 1", "a.keller", "2026-11-23 08:00", *(str(one) for one in first[1:] if one)):
        assert told in str(caught.value)
    assert history(journal, "north") == [before]
    take_back(journal, before.number)
    assert decided(journal, *second).number == 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((Kind.SAME, 81, 501), (Kind.SAME, 81, 501)),
        ((Kind.SAME, 81, 501), (Kind.UNLINK, 81, 501)),
        ((Kind.NEVER, 81, 501), (Kind.UNLINK, 81, 501)),
        ((Kind.UNLINK, 81, 501), (Kind.NEVER, 81, 501)),
        ((Kind.MERGE, 81, 501), (Kind.MERGE, 81, 501)),
        ((Kind.NEW, 81, None), (Kind.NEW, 81, None)),
        ((Kind.LATER, 81, None), (Kind.LATER, 81, None)),
    ],
)
def test_a_newer_one_takes_the_place_until_it_is_taken_back(
    journal: Journal, first: tuple[Kind, int, int | None], second: tuple[Kind, int, int | None]
) -> None:
    before, after = decided(journal, *first), decided(journal, *second)
    assert standing(journal, "north") == [after]
    take_back(journal, after.number)
    assert standing(journal, "north") == [before]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((Kind.SAME, 81, 501), (Kind.SAME, 82, 502)),
        ((Kind.NEW, None, 501), (Kind.SAME, 81, 502)),
        ((Kind.NEW, None, 501), (Kind.NEVER, 81, 501)),
        ((Kind.SAME, 81, 501), (Kind.MERGE, 81, 502)),
        ((Kind.SAME, 81, 501), (Kind.NEVER, 81, 502)),
        ((Kind.SAME, 81, 501), (Kind.NEVER, 82, 501)),
        ((Kind.NEW, 81, None), (Kind.NEVER, 81, 501)),
        ((Kind.NEW, 81, None), (Kind.MERGE, 81, 501)),
        ((Kind.SAME, 81, 501), (Kind.LATER, 81, 501)),
        ((Kind.LATER, None, 501), (Kind.SAME, 81, 501)),
    ],
)
def test_both_stand_where_both_can_be_true(
    journal: Journal, first: tuple[Kind, int | None, int | None], second: tuple[Kind, int, int | None]
) -> None:
    both = [decided(journal, *first), decided(journal, *second)]
    assert standing(journal, "north") == both


def test_another_school_and_another_kind_of_record_are_another_matter(journal: Journal) -> None:
    decided(journal, Kind.SAME, 81, 501)
    decided(journal, Kind.SAME, 81, 502, entity=Entity.STAFF)
    answer = Answer(STUDENT, Kind.SAME, 81, 502)
    (south,) = decide_many(journal, [answer], **{**BY, "school": "south"})
    assert numbers(standing(journal, "north")) == [1, 2]
    assert standing(journal, "south") == [south]
    with pytest.raises(VxError, match="no decision 3"):
        take_back(journal, 3)


def test_who_did_not_see_the_newest_decision_is_told(journal: Journal) -> None:
    decided(journal, Kind.LATER, 81, newest_seen=0)
    with pytest.raises(DecidedMeanwhile) as caught:
        decided(journal, Kind.SAME, 81, 501, newest_seen=0)
    assert caught.value.decision.number == 1
    decided(journal, Kind.SAME, 81, 501, newest_seen=1)
    back = take_back(journal, 2)
    with pytest.raises(DecidedMeanwhile) as caught:
        decided(journal, Kind.NEW, 81, newest_seen=2)
    assert caught.value.decision == back
    assert decided(journal, Kind.NEW, 81, newest_seen=3).number == 4


def test_an_undo_is_final(journal: Journal) -> None:
    made = decided(journal, Kind.SAME, 81, 501, days=(date(2026, 11, 20),))
    back = take_back(journal, made.number, note="the wrong twin", actor="c.lang")
    assert (back.kind, back.undoes, back.veracross_id, back.orah_id) == (Kind.UNDO, 1, 81, 501)
    assert back.days == made.days
    assert standing(journal, "north") == []
    with pytest.raises(DecidedMeanwhile, match=r"c\.lang") as caught:
        take_back(journal, made.number)
    assert caught.value.decision == back
    with pytest.raises(VxError, match="cannot be taken back itself"):
        take_back(journal, back.number)
    for number in (0, -1, 99, 2**70):
        with pytest.raises(VxError, match="no decision"):
            take_back(journal, number)
    assert numbers(history(journal, "north")) == [2, 1]


def test_an_undo_does_not_bring_back_what_is_contradicted_by_now(journal: Journal) -> None:
    decided(journal, Kind.SAME, 81, 501)
    unlinked = decided(journal, Kind.UNLINK, 81, 501)
    other = decided(journal, Kind.SAME, 82, 501)
    with pytest.raises(DecidedMeanwhile) as caught:
        take_back(journal, unlinked.number)
    assert caught.value.decision == other
    assert standing(journal, "north") == [unlinked, other]


def test_many_are_recorded_together_or_not_at_all(journal: Journal) -> None:
    decided(journal, Kind.SAME, 83, 503)
    answers = [Answer(STUDENT, Kind.SAME, number, number + 420) for number in range(81, 90)]
    with pytest.raises(DecidedMeanwhile):
        decide_many(journal, [*answers, Answer(STUDENT, Kind.NEW, 83)], **BY)
    assert numbers(history(journal, "north")) == [1]
    made = decide_many(journal, answers, **BY)
    assert numbers(made) == list(range(2, 11))
    assert decide_many(journal, [], **BY) == []


def test_a_batch_is_compared_with_others_decisions_and_with_itself(journal: Journal) -> None:
    both = [Answer(STUDENT, Kind.NEVER, 81, orah_id, newest_seen=0) for orah_id in (501, 502)]
    assert numbers(decide_many(journal, both, **BY)) == [1, 2]
    with pytest.raises(DecidedMeanwhile):
        decide_many(journal, [Answer(STUDENT, Kind.SAME, person, 600) for person in (90, 91)], **BY)


def test_each_is_judged_by_itself_and_the_good_ones_are_kept(journal: Journal) -> None:
    answers = [
        Answer(STUDENT, Kind.SAME, 81, 501),
        Answer(STUDENT, Kind.SAME, 81, 502),
        Answer(STUDENT, Kind.NEW, 82, 503),
        Answer(STUDENT, Kind.NEW, 83),
    ]
    tried = decide_each(journal, answers, **BY, record=False)
    assert history(journal, "north") == []
    results = decide_each(journal, answers, **BY)
    assert [type(one) for one in results] == [type(one) for one in tried]
    assert [type(one) for one in results] == [Decision, DecidedMeanwhile, VxError, Decision]
    assert standing(journal, "north") == [one for one in results if isinstance(one, Decision)]


def test_the_audit_names_each_decision_where_it_is_asked_to(journal: Journal) -> None:
    decided(journal, Kind.NEW, 90)
    decide(
        journal,
        entity=STUDENT,
        kind=Kind.SAME,
        veracross_id=81,
        orah_id=501,
        note=NAMES[1],
        action="decide",
        **BY,
    )
    decide_many(
        journal, [Answer(STUDENT, Kind.NEW, 82), Answer(STUDENT, Kind.NEW, 83)], action="decide", **BY
    )
    decide_many(journal, [], action="decide", **BY)
    answers = [Answer(STUDENT, Kind.NEW, 81), Answer(STUDENT, Kind.NEW, 84)]
    for record in (False, True):
        decide_each(journal, answers, action="import", record=record, **BY)
    take_back(journal, 2, action="undo")
    with pytest.raises(DecidedMeanwhile):
        take_back(journal, 2, action="undo")
    trail = audit_trail(journal, "north")
    assert [(one.action, one.subject) for one in reversed(trail)] == [
        ("decide", "decision 2: student 81 is Orah's 501"),
        ("decide", "decisions 3 to 4: 2 together"),
        ("import", "decision 5: student 84 is nobody in Orah"),
        ("undo", "decision 6: decision 2 is taken back"),
    ]
    assert {(one.actor, one.at) for one in trail} == {("b.roth", NOW)}


def test_what_the_audit_cannot_name_is_not_decided(journal: Journal) -> None:
    decided(journal, Kind.NEW, 81)
    with journal.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        )
    one = Answer(STUDENT, Kind.NEW, 82)
    with pytest.raises(ServiceError):
        decide_many(journal, [one], action="decide", **BY)
    with pytest.raises(ServiceError):
        decide_each(journal, [one], action="import", **BY)
    with pytest.raises(ServiceError):
        take_back(journal, 1, action="undo")
    assert numbers(history(journal, "north")) == [1]
    decide_many(journal, [one], **BY)
    assert numbers(history(journal, "north")) == [2, 1]


def test_the_history_is_found_by_records_kind_and_person(journal: Journal) -> None:
    decided(journal, Kind.SAME, 81, 501)
    decided(journal, Kind.NEVER, 82, 501)
    decided(journal, Kind.NEW, 83)
    decided(journal, Kind.SAME, 81, 501, entity=Entity.STAFF)
    take_back(journal, 3)
    assert numbers(history(journal, "north", orah_id=501)) == [4, 2, 1]
    assert numbers(history(journal, "north", entity=STUDENT, veracross_id=83, orah_id=501)) == [5, 3, 2, 1]
    assert numbers(history(journal, "north", kind=Kind.SAME, limit=1)) == [4]
    assert numbers(history(journal, "north", kind=Kind.SAME, limit=1, before=4)) == [1]
    assert numbers(history(journal, "north", actor="b.roth")) == [5]
    newest = newest_about(journal, "north", STUDENT, veracross_id=83, orah_id=None)
    assert newest is not None
    assert newest.number == 5
    assert newest_about(journal, "north", Entity.HOUSE, veracross_id=83, orah_id=501) is None
    assert newest_about(journal, "north", STUDENT, veracross_id=2**70, orah_id=None) is None


def test_whoever_follows_sees_each_row_once_and_in_order(journal: Journal) -> None:
    assert decisions_after(journal, 0) == []
    decided(journal, Kind.NEW, 81)
    decide_many(journal, [Answer(STUDENT, Kind.NEW, 81)], **{**BY, "school": "south"})
    take_back(journal, 1)
    assert numbers(decisions_after(journal, 0)) == [1, 2, 3]
    assert numbers(decisions_after(journal, 1)) == [2, 3]
    assert numbers(decisions_after(journal, 0, "north")) == [1, 3]
    assert decisions_after(journal, 3) == []


def test_a_decision_that_is_printed_names_nobody(journal: Journal) -> None:
    made = decided(journal, Kind.SAME, 81, 501, note=NAMES[1], seen={"last_name": (NAMES[1], None)})
    assert NAMES[1] not in repr(made)
    with pytest.raises(DecidedMeanwhile) as caught:
        decided(journal, Kind.NEW, 81)
    assert NAMES[1] not in repr(caught.value) + str(caught.value)


def test_time_does_not_order_decisions(journal: Journal) -> None:
    decided(journal, Kind.SAME, 81, 501, at=NOW)
    newer = decided(journal, Kind.UNLINK, 81, 501, at=NOW - timedelta(days=1))
    assert standing(journal, "north") == [newer]


def test_no_code_changes_or_deletes_what_is_only_added() -> None:
    """Neither ``update(decisions)`` nor ``delete(decisions)`` nor a method of the table stands anywhere."""
    for path in Path(vx_pipeline.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).split(".")[-1]
                touched = {ast.unparse(argument).split(".")[-1] for argument in node.args}
                if isinstance(node.func, ast.Attribute):
                    touched.add(ast.unparse(node.func.value).split(".")[-1])
                if called in ("update", "delete"):
                    assert not touched & {"decisions", "audit", "matchings"}, path
