"""The plan: what changes in Orah, what does not, and why."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.matching.match import match_houses, match_students
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, fingerprint
from vx_pipeline.sync.gate import Judged, Verdict
from vx_pipeline.sync.planning import Baseline, make_plan
from vx_pipeline.sync.stored import plan_fingerprint, to_changes, to_rows
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.sync.planned import (
    AMY,
    AMYS_RECORD,
    DORM,
    HOUSE,
    LEFT,
    crowd,
    one,
    plan,
)
from vx_pipeline_tests.world import READ_AT, land_rows, school


def test_nothing_to_do_is_an_empty_plan(connection: duckdb.DuckDBPyConnection) -> None:
    assert plan(connection, students=[AMY], orah_students=[AMYS_RECORD]) == []


def test_every_mapped_field_that_differs_is_a_difference(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "last_name": "Stone-Hill", "grade_level": 10, "email_1": "amy@s.example.edu"}
    change = one(plan(connection, students=[amy], orah_students=[{**AMYS_RECORD, "alt_name": None}]))
    assert (change.entity, change.action, change.key, change.target_id) == (
        Entity.STUDENT,
        Action.UPDATE,
        1,
        501,
    )
    assert change.fields == {
        "last_name": Difference("Stone", "Stone-Hill"),
        "alt_name": Difference(None, "Amelia"),
        "year_level": Difference("9th Grade", "10th Grade"),
        "email": Difference(None, "amy@s.example.edu"),
    }


def test_what_veracross_does_not_know_stays_in_orah(connection: duckdb.DuckDBPyConnection) -> None:
    kept = {**AMYS_RECORD, "email": "amy@private.example.org", "room_number": "5"}
    assert plan(connection, students=[{**AMY, "grade_level": None}], orah_students=[kept]) == []


def test_an_email_that_differs_only_in_case_is_the_same(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "email_1": "amy@s.example.edu"}
    record = {**AMYS_RECORD, "email": "Amy@S.example.edu"}
    assert plan(connection, students=[amy], orah_students=[record]) == []


def test_linking_by_email_sets_the_sis_id(connection: duckdb.DuckDBPyConnection) -> None:
    amy = {**AMY, "email_1": "amy@s.example.edu"}
    record = {**AMYS_RECORD, "sis_id": None, "email": "amy@s.example.edu"}
    change = one(plan(connection, students=[amy], orah_students=[record]))
    assert change.fields == {"sis_id": Difference(None, "1")}


def test_a_boarder_gets_type_house_room_and_bed(connection: duckdb.DuckDBPyConnection) -> None:
    change = one(
        plan(
            connection,
            students=[AMY],
            dorms=[DORM],
            dorm_students=[{"id": 1, "student_id": 1, "dorm_id": 100, "room_number": "12", "bed_number": 2}],
            orah_students=[AMYS_RECORD],
            orah_houses=[HOUSE],
        )
    )
    assert change.values == {
        "student_type": "Boarding",
        "house": {"dorm_id": 100},
        "room_number": "12",
        "bed_number": "2",
    }


@pytest.mark.parametrize("kind", ["Boarding", "FlexiBoarding"])
def test_a_finer_student_type_is_the_schools_own_choice(
    connection: duckdb.DuckDBPyConnection, kind: str
) -> None:
    record = {**AMYS_RECORD, "student_type": kind, "house__id": 7}
    assignment = {"id": 1, "student_id": 1, "dorm_id": 100}
    tables: dict[str, Any] = {"dorms": [DORM], "dorm_students": [assignment], "orah_houses": [HOUSE]}
    assert plan(connection, students=[AMY], orah_students=[record], **tables) == []


def test_who_stops_boarding_leaves_the_dorms_house_but_no_other(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    in_dorm = {**AMYS_RECORD, "student_type": "Boarding", "house__id": 7, "room_number": "12"}
    tables: dict[str, Any] = {"students": [AMY], "dorms": [DORM]}
    houses = [HOUSE, {"id": 8, "name": "Day House"}]
    change = one(plan(connection, **tables, orah_students=[in_dorm], orah_houses=houses))
    assert change.fields == {
        "student_type": Difference("Boarding", "Day"),
        "house": Difference({"id": 7}, None),
        "room_number": Difference("12", None),
    }
    in_day_house = {**AMYS_RECORD, "house__id": 8}
    assert plan(connection, **tables, orah_students=[in_day_house], orah_houses=houses) == []


@pytest.mark.parametrize(
    ("house", "action", "fields"),
    [
        ([], Action.CREATE, {"name": "North House", "sis_id": "100"}),
        ([{"id": 7, "name": "north house "}], Action.UPDATE, {"name": "North House", "sis_id": "100"}),
        ([{"id": 7, "name": "North House", "sis_id": "90"}], Action.UPDATE, {"sis_id": "100"}),
        ([{"id": 7, "name": "Old Name", "sis_id": "100"}], Action.UPDATE, {"name": "North House"}),
        ([{"id": 7, "name": "North House", "sis_id": "4711"}], Action.SKIP, {}),
        ([{"id": 7, "name": "North House"}, {"id": 8, "name": "North House"}], Action.SKIP, {}),
        ([{"id": 7, "name": "A", "sis_id": "100"}, {"id": 8, "name": "B", "sis_id": "100"}], Action.SKIP, {}),
    ],
)  # fmt: skip
def test_houses_are_linked_by_id_or_taken_over_by_name(
    connection: duckdb.DuckDBPyConnection, house: list[dict[str, Any]], action: Action, fields: dict[str, str]
) -> None:
    last_year = {**DORM, "id": 90, "school_year": 2025, "status": 2, "end_date": "2026-06-15"}
    change = one(plan(connection, students=[], dorms=[DORM, last_year], orah_houses=house))
    assert (change.entity, change.action, change.values) == (Entity.HOUSE, action, fields)


def test_only_somebody_whom_nobody_could_be_is_created(connection: duckdb.DuckDBPyConnection) -> None:
    other = {"id": 900, "first_name": "Karl", "last_name": "Berg", "deactivated": False}
    change = one(plan(connection, students=[AMY], orah_students=[other]))
    assert (change.action, change.target_id) == (Action.CREATE, None)
    assert change.values == {
        "sis_id": "1",
        "first_name": "Amy",
        "alt_name": "Amelia",
        "last_name": "Stone",
        "year_level": "9th Grade",
        "student_type": "Day",
    }
    namesake = {**other, "last_name": "Stone"}
    assert plan(connection, students=[AMY], orah_students=[namesake]) == []
    never = Policies(create_students=False)
    assert plan(connection, students=[AMY], orah_students=[other], policies=never) == []


def test_a_record_needs_a_whole_name(connection: duckdb.DuckDBPyConnection) -> None:
    change = one(plan(connection, students=[{"id": 1, "first_name": "Amy"}]))
    assert (change.action, change.writes) == (Action.SKIP, False)


def test_a_leaver_is_deactivated_once(connection: duckdb.DuckDBPyConnection) -> None:
    change = one(plan(connection, students=[LEFT], orah_students=[AMYS_RECORD]))
    assert (change.action, change.fields) == (Action.DEACTIVATE, {"deactivated": Difference(False, True)})
    assert change.reason == "the exit date 2026-11-20 is reached"
    assert plan(connection, students=[LEFT], orah_students=[{**AMYS_RECORD, "deactivated": True}]) == []


def test_a_leaver_without_a_link_is_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    assert plan(connection, students=[LEFT], orah_students=[{**AMYS_RECORD, "sis_id": None}]) == []


@pytest.mark.parametrize(
    ("days", "by_us", "deleted"), [(29, True, False), (30, True, True), (300, False, False)]
)
def test_deletion_needs_the_setting_our_deactivation_and_time(
    connection: duckdb.DuckDBPyConnection, days: int, by_us: bool, deleted: bool
) -> None:
    memory = {501: READ_AT - timedelta(days=days)} if by_us else {}
    record = {**AMYS_RECORD, "deactivated": True}
    tables: dict[str, Any] = {"students": [LEFT], "orah_students": [record], "deactivated_by_us": memory}
    changes = plan(connection, policies=Policies(removal="delete"), **tables)
    assert [change.action for change in changes] == ([Action.DELETE] if deleted else [])
    assert plan(connection, **tables) == []


def test_who_returns_is_reactivated_only_if_we_deactivated(connection: duckdb.DuckDBPyConnection) -> None:
    tables: dict[str, Any] = {"students": [AMY], "orah_students": [{**AMYS_RECORD, "deactivated": True}]}
    ours = one(plan(connection, deactivated_by_us={501: READ_AT}, **tables))
    assert (ours.action, ours.fields) == (Action.REACTIVATE, {"deactivated": Difference(True, False)})
    theirs = one(plan(connection, **tables))
    assert (theirs.action, theirs.writes) == (Action.SKIP, False)


def test_a_plan_survives_the_journal(connection: duckdb.DuckDBPyConnection) -> None:
    changes = plan(
        connection,
        students=[LEFT, {"id": 2, "first_name": "Tom"}, {"id": 3, "first_name": "Uma", "last_name": "Vale"}],
        dorms=[DORM],
        orah_students=[AMYS_RECORD],
    )
    assert len(changes) == 4
    verdicts = [Verdict.WRITE, Verdict.HELD, Verdict.SKIP, Verdict.HELD]
    rows = to_rows([Judged(one, verdict, "so") for one, verdict in zip(changes, verdicts, strict=True)])
    assert to_changes(rows) == changes
    assert to_changes(rows, Verdict.HELD, Verdict.SKIP) == changes[1:]


def test_the_fingerprint_is_of_the_content_in_any_order(connection: duckdb.DuckDBPyConnection) -> None:
    def told(changes: Sequence[Change], verdict: Verdict = Verdict.WRITE) -> str:
        return plan_fingerprint(to_rows([Judged(one, verdict) for one in changes]))

    changes = plan(connection, **{**crowd(6, 3), "orah_houses": [{**HOUSE, "name": "Old"}]})
    house, *others = changes
    assert house.entity is Entity.HOUSE
    assert told(changes[::-1]) == told(changes)
    assert told(others) != told(changes)
    assert told([*others, replace(house, reason="in other words")]) == told(changes)
    assert told([*others, replace(house, target_id=9)]) != told(changes)
    assert told(changes, Verdict.HELD) != told(changes), "what is held is not to become what is written"


def test_who_refused_a_removal_for_one_reason_is_asked_about_another(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    change = one(plan(connection, students=[LEFT], orah_students=[AMYS_RECORD]))
    assert fingerprint(replace(change, reason="not found in two complete reads")) != fingerprint(change)


def test_a_list_of_orah_that_comes_short_makes_nobody_anew(connection: duckdb.DuckDBPyConnection) -> None:
    school_of_20 = crowd(20, 0)
    assert plan(connection, **school_of_20) != []
    land_rows(
        connection, "orah.students", *school_of_20["orah_students"][:10], read_at=READ_AT + timedelta(hours=1)
    )
    with transaction(connection):
        match_students(connection, now=READ_AT)
        match_houses(connection)
        changes = make_plan(connection, Baseline(Policies(), READ_AT, {}))
    assert {change.action for change in changes if not change.writes} == {Action.SKIP}
    assert Action.CREATE not in {change.action for change in changes}


def test_nobody_is_made_anew_whose_record_we_once_wrote(connection: duckdb.DuckDBPyConnection) -> None:
    other = {"id": 900, "first_name": "Karl", "last_name": "Berg"}
    change = one(plan(connection, students=[AMY], orah_students=[other], known_students=frozenset({1})))
    assert change.action is Action.SKIP


def test_nobody_is_made_anew_while_a_record_of_orah_cannot_be_read(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    good = {"id": 900, "first_name": "Karl", "last_name": "Berg"}
    bad = {"id": 901, "first_name": "Amy", "last_name": "Stone", "email": 7}
    change = one(plan(connection, students=[AMY], orah_students=[good, bad]))
    assert (change.action, "could not be read" in change.reason) == (Action.SKIP, True)


def test_a_record_that_a_person_deactivated_after_us_is_theirs(connection: duckdb.DuckDBPyConnection) -> None:
    off = {**AMYS_RECORD, "deactivated": True}
    hour = timedelta(hours=1)
    school(connection, orah_students=[AMYS_RECORD])
    for hours, state in ((2, off), (3, AMYS_RECORD), (4, off)):
        land_rows(connection, "orah.students", state, read_at=READ_AT + hours * hour)
    ours = {501: READ_AT + hour}
    tables: dict[str, Any] = {"students": [AMY], "deactivated_by_us": ours}
    assert one(plan(connection, **tables)).action is Action.SKIP


def test_a_new_house_does_not_keep_the_old_room(connection: duckdb.DuckDBPyConnection) -> None:
    record = {
        **AMYS_RECORD,
        "student_type": "Boarding",
        "house__id": 8,
        "room_number": "12",
        "bed_number": "1",
    }
    change = one(
        plan(
            connection,
            students=[AMY],
            dorms=[DORM],
            dorm_students=[{"id": 1, "student_id": 1, "dorm_id": 100, "bed_number": 2}],
            orah_students=[record],
            orah_houses=[HOUSE, {"id": 8, "name": "Day House"}],
        )
    )
    assert change.values == {"house": {"dorm_id": 100}, "room_number": None, "bed_number": "2"}
