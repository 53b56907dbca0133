"""Budgets: a feed that is wrong is wrong about many at once. What goes beyond is held, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.journal.approvals import Answer
from vx_pipeline.matching.match import match_houses, match_students
from vx_pipeline.policies import GatePolicy, Policies
from vx_pipeline.sync.changes import Action, Change, Entity
from vx_pipeline.sync.gate import Verdict
from vx_pipeline.sync.planning import Baseline, make_plan
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.sync.planned import HOUSE, answer, by_key, change, crowd, held, judged, plan, removal
from vx_pipeline_tests.world import READ_AT, land_rows

CREATE, UPDATE, UNLINK = Action.CREATE, Action.UPDATE, Action.UNLINK


def removals(number: int) -> list[Change]:
    return [removal(key) for key in range(1, number + 1)]


def overwrites(number: int, **more: tuple[Any, Any]) -> list[Change]:
    fields = {"year_level": ("9th Grade", "10th Grade"), **more}
    return [change(Entity.STUDENT, UPDATE, key, 500 + key, **fields) for key in range(1, number + 1)]


def loose(**figures: Any) -> Policies:
    """Rules under which only what is named is looked at."""
    wide: dict[str, Any] = {"removals_per_run": 1, "removals_per_week": 1, "removals_per_group": 1}
    return Policies(gate=GatePolicy(**{**wide, **figures}))


# --- removals


@pytest.mark.parametrize(("number", "waits"), [(0, False), (1, False), (3, False), (4, True), (60, True)])
def test_more_removals_than_the_run_may_do_are_held_one_and_all(
    hundred: duckdb.DuckDBPyConnection, number: int, waits: bool
) -> None:
    judgement = judged(hundred, removals(number), loose(removals_per_run=0.01))
    assert set(held(judgement)) == (set(range(1, number + 1)) if waits else set())
    if waits:
        assert held(judgement)[1] == f"{number} of 100 active students would be removed by one run"
    assert judgement.closed is None


def test_what_is_not_suspect_flows_beside_what_is(hundred: duckdb.DuckDBPyConnection) -> None:
    other = change(Entity.STUDENT, UPDATE, 50, 550, email=(None, "f50@s.example.edu"))
    house = change(Entity.HOUSE, UPDATE, 100, 7, name=("North House", "North"))
    judgement = judged(hundred, [house, *removals(5), other])
    assert set(held(judgement)) == {1, 2, 3, 4, 5}
    assert [by_key(judgement)[key][0].verdict for key in (50, 100)] == [Verdict.WRITE, Verdict.WRITE]


@pytest.mark.parametrize(
    ("before", "number", "waits"), [(0, 3, False), (1, 2, False), (1, 3, True), (90, 1, True)]
)
def test_seven_days_are_counted_together(
    hundred: duckdb.DuckDBPyConnection, before: int, number: int, waits: bool
) -> None:
    judgement = judged(hundred, removals(number), loose(removals_per_week=0.03), removed_this_week=before)
    assert bool(held(judgement)) is waits
    if waits:
        assert (
            f"{before + number} of 100 active students would be removed within seven days"
            in held(judgement)[1]
        )


@pytest.mark.parametrize(("number", "waits"), [(3, False), (4, True)])
def test_a_quarter_of_one_class_is_too_much(
    hundred: duckdb.DuckDBPyConnection, number: int, waits: bool
) -> None:
    policies = loose(removals_per_group=0.25)
    judgement = judged(hundred, [*removals(number), removal(50)], policies)
    assert set(held(judgement)) == (set(range(1, number + 1)) if waits else set())
    if waits:
        assert held(judgement)[1] == f"{number} of 12 students of class 400 would be removed"


def test_a_class_of_four_is_too_small_to_be_judged_by(hundred: duckdb.DuckDBPyConnection) -> None:
    assert not held(judged(hundred, removals(2), loose(removals_per_group=0.25)))
    small = held(judged(hundred, removals(2), loose(removals_per_group=0.25, smallest_group=4)))
    assert small[1] == "2 of 4 students of class 401 would be removed"


@pytest.mark.parametrize(("record", "kind"), [("house__id", "house 7"), ("year_level", "grade 9th Grade")])
def test_a_house_and_a_grade_are_groups_too(
    connection: duckdb.DuckDBPyConnection, record: str, kind: str
) -> None:
    tables = crowd(40)
    for row in tables["orah_students"][:8]:
        row[record] = 7 if record == "house__id" else "9th Grade"
    plan(connection, **tables)
    assert not held(judged(connection, removals(2), loose(removals_per_group=0.25)))
    assert (
        f"3 of 8 students of {kind} would"
        in held(judged(connection, removals(3), loose(removals_per_group=0.25)))[1]
    )


def test_nobody_on_a_pass_is_removed_and_nobody_when_that_is_unknown(
    hundred: duckdb.DuckDBPyConnection,
) -> None:
    away = judged(hundred, removals(2), on_pass=frozenset({502}))
    assert held(away) == {2: "the student is on an active pass"}
    unknown = judged(hundred, removals(2), on_pass=None)
    assert set(held(unknown)) == {1, 2}
    assert "could not be read" in held(unknown)[1]
    other = change(Entity.STUDENT, UPDATE, 3, 503, email=(None, "f3@s.example.edu"))
    assert not held(judged(hundred, [other], on_pass=None))


def test_deleting_counts_as_removing(hundred: duckdb.DuckDBPyConnection) -> None:
    gone = [removal(key, Action.DELETE) for key in (1, 2)]
    assert not held(judged(hundred, [*gone, removal(20)]))
    assert set(held(judged(hundred, [*gone, removal(20), removal(21)]))) == {1, 2, 20, 21}


def test_an_answer_to_some_lets_the_others_of_the_run_wait_all_the_same(
    hundred: duckdb.DuckDBPyConnection,
) -> None:
    changes = [removal(key) for key in (20, 30, 40, 50)]
    assert len(held(judged(hundred, changes))) == 4
    approved = judged(hundred, changes, answers=answer(changes[0]))
    assert set(held(approved)) == {30, 40, 50}, "half an answer is no word about the other half"
    assert by_key(approved)[20][0].approval == 1
    refused = judged(hundred, changes, answers=answer(changes[0], Answer.REFUSE))
    assert set(held(refused)) == {30, 40, 50}, "a feed that was wrong about one may be wrong about all"
    long_ago = answer(changes[0], Answer.REFUSE, at=READ_AT - timedelta(days=8))
    assert not held(judged(hundred, changes, answers=long_ago))


# --- creates and contacts


@pytest.mark.parametrize(("number", "waits"), [(25, False), (26, True)])
def test_a_school_does_not_grow_by_a_quarter_overnight(
    hundred: duckdb.DuckDBPyConnection, number: int, waits: bool
) -> None:
    changes = [
        change(Entity.STUDENT, CREATE, key, first_name=(None, "N")) for key in range(1001, 1001 + number)
    ]
    assert len(held(judged(hundred, changes))) == (number if waits else 0)


@pytest.mark.parametrize(("number", "waits"), [(5, False), (6, True)])
def test_many_ties_that_end_wait_and_what_is_urgent_does_not(
    hundred: duckdb.DuckDBPyConnection, number: int, waits: bool
) -> None:
    changes = [
        change(Entity.CONTACT, UNLINK, key, key, students=({"student_id": key}, None))
        for key in range(1, number + 1)
    ]
    urgent = [
        replace(change(Entity.CONTACT, UNLINK, key, key, students=({"student_id": key}, None)), urgent=True)
        for key in range(50, 90)
    ]  # fmt: skip
    judgement = judged(hundred, [*changes, *urgent])
    assert len(held(judgement)) == (number if waits else 0)
    assert all(by_key(judgement)[key][0].verdict is Verdict.WRITE for key in range(50, 90))


# --- fields


@pytest.mark.parametrize(("number", "waits"), [(20, False), (21, True)])
def test_one_field_that_changes_everywhere_is_held_and_the_others_flow(
    hundred: duckdb.DuckDBPyConnection, number: int, waits: bool
) -> None:
    changes = overwrites(number)
    changes[0] = overwrites(1, email=("a@s.example.edu", "b@s.example.edu"))[0]
    judgement = judged(hundred, changes)
    assert set(held(judgement)) == (set(range(1, number + 1)) if waits else set())
    if waits:
        flows, waiting = by_key(judgement)[1]
        assert (flows.verdict, set(flows.change.fields)) == (Verdict.WRITE, {"email"})
        assert (waiting.verdict, set(waiting.change.fields)) == (Verdict.HELD, {"year_level"})
        assert waiting.why == f"{number} of 100 students would get another year_level"


def test_filling_what_is_empty_overwrites_nothing(hundred: duckdb.DuckDBPyConnection) -> None:
    for empty in (None, ""):
        changes = [
            change(Entity.STUDENT, UPDATE, key, 500 + key, alt_name=(empty, "A")) for key in range(1, 101)
        ]
        assert not held(judged(hundred, changes))


def test_emptying_a_field_everywhere_is_overwriting_it(hundred: duckdb.DuckDBPyConnection) -> None:
    changes = [
        change(Entity.STUDENT, UPDATE, key, 500 + key, room_number=("1", None)) for key in range(1, 31)
    ]
    assert len(held(judged(hundred, changes))) == 30


def test_a_field_of_contacts_is_counted_among_contacts(hundred: duckdb.DuckDBPyConnection) -> None:
    changes = [change(Entity.CONTACT, UPDATE, key, key, title=("Ms", "Dr")) for key in range(1, 22)]
    assert held(judged(hundred, changes))[1] == "21 of 100 contacts would get another title"
    assert not held(judged(hundred, changes[1:]))


def test_who_comes_back_comes_back_though_a_field_is_held(hundred: duckdb.DuckDBPyConnection) -> None:
    changes = overwrites(30)
    changes[0] = change(
        *(Entity.STUDENT, Action.REACTIVATE, 1, 501),
        deactivated=(True, False),
        year_level=("9th Grade", "10th Grade"),
    )
    back, waiting = by_key(judged(hundred, changes))[1]
    assert (back.verdict, back.change.action, set(back.change.fields)) == (
        Verdict.WRITE, Action.REACTIVATE, {"deactivated"},
    )  # fmt: skip
    assert (waiting.verdict, waiting.change.action) == (Verdict.HELD, UPDATE)


@pytest.mark.parametrize(("number", "waits"), [(5, False), (6, True)])
def test_boarders_do_not_turn_into_day_students_by_the_dozen(
    hundred: duckdb.DuckDBPyConnection, number: int, waits: bool
) -> None:
    changes = [
        change(
            *(Entity.STUDENT, UPDATE, key, 500 + key),
            student_type=("Boarding", "Day"),
            house=({"id": 7}, None),
            room_number=("1", None),
            email=("a@s.example.edu", f"b{key}@s.example.edu"),
        )
        for key in range(1, number + 1)
    ]
    judgement = judged(hundred, changes)
    assert len(held(judgement)) == (number if waits else 0)
    if waits:
        flows, waiting = by_key(judgement)[1]
        assert set(flows.change.fields) == {"email"}
        assert set(waiting.change.fields) == {"student_type", "house", "room_number"}
        assert waiting.why == f"{number} of 100 students would turn from boarding to day or back"


def test_a_room_waits_for_its_house(hundred: duckdb.DuckDBPyConnection) -> None:
    changes = [
        change(
            *(Entity.STUDENT, UPDATE, key, 500 + key),
            house=({"id": 7}, {"dorm_id": 101}),
            bed_number=(None, "2"),
            email=(None, f"b{key}@s.example.edu"),
        )
        for key in range(1, 31)
    ]
    flows, waiting = by_key(judged(hundred, changes))[1]
    assert set(flows.change.fields) == {"email"}
    assert set(waiting.change.fields) == {"house", "bed_number"}


def test_a_divided_change_is_approved_by_what_of_it_was_held(hundred: duckdb.DuckDBPyConnection) -> None:
    changes = overwrites(30, email=(None, "b@s.example.edu"))
    first = judged(hundred, changes)
    waiting = by_key(first)[1][1].change
    # The next night the other half is written, or is not: the word counts either way.
    for again in (waiting, changes[0]):
        second = judged(hundred, [again, *changes[1:]], answers=answer(waiting))
        last = by_key(second)[1][-1]
        assert (last.verdict, last.approval) == (Verdict.WRITE, 1)
        assert by_key(second)[2][-1].verdict is Verdict.HELD


def test_whose_record_may_have_left_orahs_list_is_not_made_anew_unseen(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """A list of Orah comes short on two nights: the first closes the gate, the second must not make doubles."""
    new = {"id": 77, "first_name": "Nia", "last_name": "Okafor"}
    tables = crowd(20)
    tables["students"] = [*tables["students"], new]
    plan(connection, **tables)
    for night, kept in ((1, 18), (2, 18), (9, 18)):
        now = READ_AT + timedelta(days=night)
        land_rows(connection, "orah.students", *tables["orah_students"][:kept], read_at=now)
        land_rows(connection, "orah.houses", HOUSE, read_at=now)
        for table in ("students", "dorms", "dorm_students"):
            land_rows(connection, table, *tables[table], read_at=now)
        with transaction(connection):
            match_students(connection, now=now)
            match_houses(connection)
            changes = make_plan(connection, Baseline(Policies(), now, {}))
        created = [one for one in changes if one.action is Action.CREATE and one.key == 77]
        told = held(judged(connection, created, now=now))
        assert ("left Orah's list within a week" in told.get(77, "")) is (night < 8), night
