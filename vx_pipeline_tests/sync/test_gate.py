"""The gate: closed where reads cannot be trusted; otherwise a verdict for each change, by budgets and by people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vx_pipeline.journal.approvals import Answer, Approval
from vx_pipeline.policies import GatePolicy, Policies, RolloverPolicy
from vx_pipeline.sync.changes import Action, Change, Entity, fingerprint
from vx_pipeline.sync.gate import Judgement, Objection, Verdict
from vx_pipeline_tests.sync.planned import (
    AMY,
    STRANGER,
    answer,
    by_key,
    change,
    crowd,
    held,
    judged,
    plan,
    removal,
)
from vx_pipeline_tests.world import READ_AT, land_rows

UPDATE, CREATE, LINK, UNLINK = Action.UPDATE, Action.CREATE, Action.LINK, Action.UNLINK
HOUR = timedelta(hours=1)
RENAMED = change(Entity.STUDENT, UPDATE, 9, 509, last_name=("L9", "Vale"))
LEAVERS = [removal(key) for key in (20, 30, 40, 50)]


def only(judgement: Judgement, key: int) -> Verdict:
    (found,) = by_key(judgement)[key]
    return found.verdict


# --- closed


def test_a_plan_needs_fresh_reads(hundred: duckdb.DuckDBPyConnection) -> None:
    assert judged(hundred, [], now=READ_AT + 36 * HOUR).closed is None
    late = judged(hundred, [RENAMED], now=READ_AT + 37 * HOUR).closed
    assert "veracross.students was last read on 2026-11-23" in str(late)


def test_a_plan_of_one_person_needs_only_orah_to_be_fresh(hundred: duckdb.DuckDBPyConnection) -> None:
    late = str(judged(hundred, [], now=READ_AT + 37 * HOUR, of_a_part=True).closed)
    assert "orah.students" in late
    assert "veracross" not in late


def test_our_own_writes_make_a_read_old(hundred: duckdb.DuckDBPyConnection) -> None:
    assert judged(hundred, [], last_write=READ_AT - timedelta(seconds=1)).closed is None
    assert "Orah was written to since" in str(judged(hundred, [], last_write=READ_AT).closed)


def test_a_list_of_orah_that_comes_short_closes_the_gate(connection: duckdb.DuckDBPyConnection) -> None:
    tables = crowd(40)
    plan(connection, **tables)
    land_rows(connection, "orah.students", *tables["orah_students"][2:], read_at=READ_AT + HOUR)
    assert judged(connection, []).closed is None, "two of forty may have been deleted"
    land_rows(connection, "orah.students", *tables["orah_students"][2:20], read_at=READ_AT + 2 * HOUR)
    assert "20 of 38 records are missing" in str(judged(connection, []).closed)


def test_a_tenant_that_is_new_is_open_and_mass_creates_are_held(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    changes = plan(connection, **{**crowd(11), "orah_students": [], "orah_houses": []})
    judgement = judged(connection, changes)
    assert judgement.closed is None
    assert set(held(judgement)) == set(range(1, 12))
    assert "11 students would be made anew beside 0 active ones" in held(judgement)[1]
    assert only(judgement, 100) is Verdict.WRITE, "houses are few"
    assert "orah.students is empty" in str(judged(connection, changes, last_write=READ_AT - HOUR).closed)


def test_an_empty_tenant_has_to_be_looked_at_lately(connection: duckdb.DuckDBPyConnection) -> None:
    changes = plan(connection, students=[AMY], orah_students=[])
    assert judged(connection, changes).closed is None
    assert "orah.students was last read" in str(judged(connection, changes, now=READ_AT + 37 * HOUR).closed)


def test_nothing_in_veracross_closes_the_gate(connection: duckdb.DuckDBPyConnection) -> None:
    changes = plan(connection, orah_students=[STRANGER])
    assert "veracross.students is empty" in str(judged(connection, changes).closed)


def test_warehouse_and_journal_have_to_belong_together(hundred: duckdb.DuckDBPyConnection) -> None:
    assert judged(hundred, [], baseline="made anew").closed == "made anew"


def test_nobody_can_open_a_closed_gate(hundred: duckdb.DuckDBPyConnection) -> None:
    late: dict[str, Any] = {"now": READ_AT + 40 * HOUR}
    without = judged(hundred, LEAVERS, **late)
    approved = judged(hundred, LEAVERS, **late, answers=answer(LEAVERS[0], at=READ_AT + 39 * HOUR))
    assert without.closed == approved.closed is not None


# --- what people said


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({}, Verdict.WRITE),
        ({"at": READ_AT - timedelta(days=7)}, Verdict.WRITE),
        ({"at": READ_AT - timedelta(days=7, seconds=1)}, Verdict.HELD),
        ({"used_at": READ_AT - HOUR}, Verdict.HELD),
        ({"policies": Policies(grades=("9",))}, Verdict.HELD),
        ({"said": Answer.REFUSE}, Verdict.REFUSED),
        ({"said": Answer.REFUSE, "at": READ_AT - timedelta(days=900)}, Verdict.REFUSED),
        ({"said": Answer.REFUSE, "policies": Policies(grades=("9",))}, Verdict.REFUSED),
    ],
)
def test_an_approval_is_for_once_for_a_week_and_for_the_same_rules(
    hundred: duckdb.DuckDBPyConnection, said: dict[str, Any], verdict: Verdict
) -> None:
    # Four are left over, so that what is not answered is held.
    changes = [*LEAVERS, removal(60)]
    judgement = judged(hundred, changes, answers=answer(changes[0], **said))
    assert only(judgement, 20) is verdict
    assert only(judgement, 30) is Verdict.HELD


def test_an_answer_is_about_one_change_and_no_other(hundred: duckdb.DuckDBPyConnection) -> None:
    changes = [*LEAVERS, removal(60)]
    other_record = replace(changes[0], target_id=999)
    assert only(judged(hundred, changes, answers=answer(other_record)), 20) is Verdict.HELD
    for_another_reason = replace(changes[0], reason="told otherwise")
    assert only(judged(hundred, changes, answers=answer(for_another_reason)), 20) is Verdict.HELD


def test_what_somebody_did_not_want_is_not_written_again_unseen(hundred: duckdb.DuckDBPyConnection) -> None:
    place = (Entity.STUDENT, 9, "last_name")
    taken_back = {place: Objection("Vale", "Dana", date(2026, 11, 20))}
    judgement = judged(hundred, [RENAMED], objections=taken_back)
    assert held(judgement) == {9: "Dana took this back on 2026-11-20"}
    assert (
        only(judged(hundred, [RENAMED], objections=taken_back, answers=answer(RENAMED)), 9) is Verdict.WRITE
    )
    another = {place: Objection("Stone", "Dana", date(2026, 11, 20))}
    assert only(judged(hundred, [RENAMED], objections=another), 9) is Verdict.WRITE


def test_only_the_field_that_somebody_did_not_want_waits(hundred: duckdb.DuckDBPyConnection) -> None:
    both = change(Entity.STUDENT, UPDATE, 9, 509, last_name=("L9", "Vale"), email=(None, "v@s.example.edu"))
    refused = {
        (Entity.STUDENT, 9, "last_name"): Objection("Vale", "Dana", date(2026, 11, 20), "refused this")
    }
    flows, waits = by_key(judged(hundred, [both], objections=refused))[9]
    assert (flows.verdict, set(flows.change.fields)) == (Verdict.WRITE, {"email"})
    assert (waits.verdict, waits.why) == (Verdict.HELD, "Dana refused this on 2026-11-20")
    # What was refused alone is the same change still, whatever has come to it.
    answers = answer(RENAMED, Answer.REFUSE)
    flows, waits = by_key(judged(hundred, [both], objections=refused, answers=answers))[9]
    assert (flows.verdict, waits.verdict) == (Verdict.WRITE, Verdict.REFUSED)


def test_of_two_ties_of_one_contact_each_has_its_own_objection(hundred: duckdb.DuckDBPyConnection) -> None:
    ties = [change(Entity.CONTACT, LINK, 5, 77, students=(None, {"student_id": child})) for child in (1, 2)]
    objections = {(Entity.CONTACT, 5, "students/1"): Objection({"student_id": 1}, "Dana", date(2026, 11, 20))}
    verdicts = [one.verdict for one in judged(hundred, ties, objections=objections).changes]
    assert verdicts == [Verdict.HELD, Verdict.WRITE]


def test_a_record_that_was_taken_back_is_not_made_again_unseen(hundred: duckdb.DuckDBPyConnection) -> None:
    made = change(Entity.HOUSE, CREATE, 70, None, name=(None, "East"))
    objections = {(Entity.HOUSE, 70, "create"): Objection(None, "Dana", date(2026, 11, 20))}
    assert only(judged(hundred, [made], objections=objections), 70) is Verdict.HELD


def test_who_must_not_come_back_by_an_undone_creation_waits(hundred: duckdb.DuckDBPyConnection) -> None:
    back = change(
        *(Entity.STUDENT, Action.REACTIVATE, 9, 509),
        deactivated=(True, False),
        email=(None, "v@s.example.edu"),
    )
    objections = {(Entity.STUDENT, 9, "deactivated"): Objection(False, "Dana", date(2026, 11, 20))}
    assert only(judged(hundred, [back], objections=objections), 9) is Verdict.HELD


def test_what_is_urgent_waits_for_nobodys_word(hundred: duckdb.DuckDBPyConnection) -> None:
    ended = replace(change(Entity.CONTACT, UNLINK, 5, 77, students=({"student_id": 1}, None)), urgent=True)
    objections = {(Entity.CONTACT, 5, "students/1"): Objection(None, "Dana", date(2026, 11, 20))}
    assert only(judged(hundred, [ended], objections=objections), 5) is Verdict.WRITE
    assert only(judged(hundred, [ended], answers=answer(ended, Answer.REFUSE)), 5) is Verdict.WRITE


# --- the turn of the year


def every_action() -> list[Change]:
    return [
        change(Entity.STUDENT, CREATE, 1, None, first_name=(None, "N")),
        change(Entity.STUDENT, UPDATE, 2, 502, email=(None, "n@s.example.edu")),
        change(Entity.STUDENT, Action.DEACTIVATE, 3, 503, deactivated=(False, True)),
        change(Entity.STUDENT, Action.REACTIVATE, 4, 504, deactivated=(True, False)),
        change(Entity.STUDENT, Action.DELETE, 5, 505),
        change(Entity.CONTACT, LINK, 6, 6, students=(None, {"student_id": 6})),
        change(Entity.CONTACT, UNLINK, 7, 7, students=({"student_id": 7}, None)),
        change(Entity.STUDENT, Action.SKIP, 8, 508),
        replace(change(Entity.CONTACT, UNLINK, 9, 9, students=({"student_id": 9}, None)), urgent=True),
    ]


@pytest.mark.parametrize(
    ("mode", "postponed"), [("normal", set()), ("adds_only", {2, 3, 5, 7}), ("frozen", {1, 2, 3, 4, 5, 6, 7})]
)
def test_the_rollover_mode_lets_some_things_wait(
    hundred: duckdb.DuckDBPyConnection, mode: Any, postponed: set[int]
) -> None:
    policies = Policies(rollover=RolloverPolicy(mode=mode))
    judgement = judged(hundred, every_action(), policies)
    verdicts = {one.change.key: one.verdict for one in judgement.changes}
    assert {key for key, verdict in verdicts.items() if verdict is Verdict.POSTPONED} == postponed
    assert (verdicts[8], verdicts[9]) == (Verdict.SKIP, Verdict.WRITE)
    assert set(verdicts.values()) <= {Verdict.WRITE, Verdict.POSTPONED, Verdict.SKIP}


def test_an_approval_does_not_end_the_rollover(hundred: duckdb.DuckDBPyConnection) -> None:
    policies = Policies(rollover=RolloverPolicy(mode="frozen"))
    approved = answer(LEAVERS[0], policies=policies)
    assert only(judged(hundred, LEAVERS, policies, answers=approved), 20) is Verdict.POSTPONED


# --- for any plan


def _student(key: int) -> st.SearchStrategy[Change]:
    values = st.sampled_from([None, "", "A", "B"])
    fields = st.dictionaries(
        st.sampled_from(["last_name", "student_type", "house", "room_number", "email"]),
        st.tuples(values, values).filter(lambda pair: pair[0] != pair[1]),
        min_size=1,
    )
    return st.one_of(
        st.sampled_from([removal(key), removal(key, Action.DELETE)]),
        fields.map(lambda pairs: change(Entity.STUDENT, UPDATE, key, 500 + key, **pairs)),
        fields.map(
            lambda pairs: change(
                Entity.STUDENT, Action.REACTIVATE, key, 500 + key, deactivated=(True, False), **pairs
            )
        ),
        st.just(change(Entity.STUDENT, CREATE, key, None, first_name=(None, "N"))),
        st.just(change(Entity.STUDENT, Action.SKIP, key, 500 + key)),
    )


def _contact(key: int) -> st.SearchStrategy[Change]:
    tie = change(Entity.CONTACT, UNLINK, key, key, students=({"student_id": key}, None))
    return st.sampled_from([tie, replace(tie, urgent=True), replace(removal(key), urgent=True)])


KEYS = range(1, 31)
plans = st.lists(st.sampled_from(KEYS), unique=True, max_size=30).flatmap(
    lambda keys: st.tuples(*(st.one_of(_student(key), _contact(key)) for key in keys))
)
shares = st.sampled_from([0.001, 0.01, 0.03, 0.1, 0.5, 1])
few = st.integers(0, 6)
gates = st.builds(
    GatePolicy,
    removals_per_run=shares,
    removals_per_week=shares,
    fewest_removals=few,
    removals_per_group=shares,
    smallest_group=st.integers(1, 13),
    creates_per_run=shares,
    field_changes=shares,
    fewest_changes=few,
    boarder_flips=shares,
    fewest_flips=few,
    contacts_unlinked=shares,
    fewest_unlinked=few,
)
modes = st.sampled_from(["normal", "normal", "adds_only", "frozen"])
quiet = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def told(judgement: Judgement) -> Counter[tuple[str, Verdict, str]]:
    return Counter((fingerprint(one.change), one.verdict, one.why) for one in judgement.changes)


@given(
    changes=plans,
    gate=gates,
    mode=modes,
    week=st.integers(0, 8),
    on_pass=st.none() | st.frozensets(st.sampled_from([500 + key for key in KEYS])),
    data=st.data(),
)
@quiet
def test_whatever_is_planned_the_gate_keeps_its_word(
    hundred: duckdb.DuckDBPyConnection,
    changes: Sequence[Change],
    gate: GatePolicy,
    mode: Any,
    week: int,
    on_pass: frozenset[int] | None,
    data: st.DataObject,
) -> None:
    policies = Policies(gate=gate, rollover=RolloverPolicy(mode=mode))
    answers: dict[str, Approval] = {}
    for about in data.draw(
        st.lists(st.sampled_from(changes), unique_by=fingerprint) if changes else st.just([])
    ):
        answers |= answer(about, data.draw(st.sampled_from(list(Answer))), policies=policies)
    known: dict[str, Any] = {"answers": answers, "removed_this_week": week, "on_pass": on_pass}
    judgement = judged(hundred, changes, policies, **known)
    written = [one for one in judgement.changes if one.verdict is Verdict.WRITE]

    unseen = [
        one.change
        for one in written
        if one.change.entity is Entity.STUDENT
        and one.change.action.removes
        and not one.change.urgent
        and one.approval is None
    ]
    assert len(unseen) <= max(gate.fewest_removals, 100 * gate.removals_per_run)
    assert not unseen or len(unseen) + week <= max(gate.fewest_removals, 100 * gate.removals_per_week)
    assert not unseen or on_pass is not None
    assert not {one.target_id for one in unseen} & (on_pass or frozenset())
    unlinked = [one for one in written if one.change.action is UNLINK and not one.change.urgent]
    assert len([one for one in unlinked if one.approval is None]) <= max(
        gate.fewest_unlinked, 100 * gate.contacts_unlinked
    )

    assert all(one.verdict is Verdict.WRITE for one in judgement.changes if one.change.urgent)
    assert all(one.verdict is Verdict.SKIP for one in judgement.changes if not one.change.writes)
    assert all(one.change.writes for one in written)
    # Nothing is lost and nothing is added when a change is divided.
    fields = Counter((one.key, name) for one in changes for name in one.fields)
    assert (
        Counter((one.change.key, name) for one in judgement.changes for name in one.change.fields) == fields
    )
    assert {one.change.key for one in judgement.changes} == {one.key for one in changes}

    shuffled = data.draw(st.permutations(changes))
    assert told(judged(hundred, shuffled, policies, **known)) == told(judgement)
    late = judged(hundred, changes, policies, **known, now=READ_AT + 40 * HOUR)
    assert late.closed == judged(hundred, (), policies, now=READ_AT + 40 * HOUR).closed is not None


@given(changes=plans, gate=gates, week=st.integers(0, 8))
@quiet
def test_what_was_approved_as_it_was_held_is_written(
    hundred: duckdb.DuckDBPyConnection, changes: Sequence[Change], gate: GatePolicy, week: int
) -> None:
    policies = Policies(gate=gate)
    first = judged(hundred, changes, policies, removed_this_week=week)
    answers: dict[str, Approval] = {}
    for one in first.held:
        answers |= answer(one.change, policies=policies)
    second = judged(hundred, changes, policies, removed_this_week=week, answers=answers)
    assert not second.held
    assert Counter(one.verdict for one in second.changes) <= Counter(
        {Verdict.WRITE: len(second.changes), Verdict.SKIP: len(changes)}
    )
