"""The sensor and its job: somebody leaves the grounds in Orah, and Veracross has the mark."""

import json
from datetime import datetime, timedelta

import pytest

from vx_pipeline.automation.push import PRIORITY
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline_tests.automation.watching import (
    AFTERNOON,
    MORNING,
    TODAY,
    ZONE,
    TurnClock,
    Watched,
    a_lesson_today,
    day_of,
    first_tick,
    land_school,
    move,
    problems,
    run,
    students_of,
    tick,
)
from vx_pipeline_tests.running import Pipeline


def test_from_a_movement_in_orah_to_the_mark_in_veracross(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    row = a_lesson_today(sandbox)
    student = sandbox.school.truth[row["student_id"]]
    land_school(pipeline, sandbox)
    begin, end = (
        datetime.fromisoformat(row[name]).replace(tzinfo=ZONE) for name in ("start_time", "end_time")
    )
    turn_clock(begin)
    cursor = first_tick(pipeline)
    move(sandbox, "Town", begin, student)
    turn_clock(end)
    found = tick(pipeline, cursor)
    move(sandbox, "Library", end, student)
    (request,) = found.run_requests
    assert (day_of(request), students_of(request)) == (TODAY, [student])
    outcome = run(pipeline, request)
    assert (outcome.success, outcome.failures) == (True, ())
    assert row["notes"] == "[via Orah]"
    assert [entry.target_id for entry in sandbox.journal.writes] == [row["id"]]
    assert pipeline.rows("SELECT student_id, attendance_id, result FROM attendance.planned_updates") == [
        (row["student_id"], row["id"], "written")
    ]
    (read,) = (metadata for key, metadata in outcome.read.items() if "planned_updates" in key)
    assert "| written | 1 |" in read["counts"]
    # A lost cursor does no harm: some runs more, no write more, even days later.
    turn_clock(AFTERNOON + timedelta(days=2))
    lost = {day_of(one): one for one in tick(pipeline, None).run_requests}
    assert min(lost) <= TODAY - timedelta(days=4)
    assert run(pipeline, lost[TODAY]).success
    assert len(sandbox.journal.writes) == 1
    assert pipeline.rows("SELECT result FROM attendance.planned_updates") == [("nothing",)]


def test_who_leaves_before_a_lesson_is_marked_in_the_minute_in_which_enough_of_it_is_missed(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    row = a_lesson_today(sandbox)
    land_school(pipeline, sandbox)
    begin = datetime.fromisoformat(row["start_time"]).replace(tzinfo=ZONE)
    turn_clock(begin - timedelta(minutes=2))
    cursor = first_tick(pipeline)
    move(sandbox, "Town", begin - timedelta(minutes=1), sandbox.school.truth[row["student_id"]])
    asked = []
    for minute in (0, 1, 14, 15, 16, 27, 28, 29, 44, 59):
        turn_clock(begin + timedelta(minutes=minute))
        found = tick(pipeline, cursor)
        assert [one.run_key for one in tick(pipeline, cursor).run_requests] == [
            one.run_key for one in found.run_requests
        ]
        cursor = found.cursor
        for request in found.run_requests:
            asked.append((minute, request.run_key))
            assert run(pipeline, request).success
        assert (row["notes"] == "[via Orah]") == (minute >= 28), minute
    # One for the departure, one when half of the lesson of 55 minutes is missed.
    assert [minute for minute, _ in asked] == [0, 28]
    assert len({key for _, key in asked}) == 2


def test_who_left_yesterday_and_is_still_away_is_marked_in_the_lessons_of_today(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox
) -> None:
    row = a_lesson_today(sandbox)
    land_school(pipeline, sandbox)
    student = sandbox.school.truth[row["student_id"]]
    begin = datetime.fromisoformat(row["start_time"]).replace(tzinfo=ZONE)
    move(sandbox, "Home", MORNING.replace(hour=18) - timedelta(days=1), student)
    watched.cursor = None
    watched.at(MORNING.replace(hour=23, minute=58) - timedelta(days=1))
    (midnight,) = watched.asks_at(MORNING.replace(hour=0, minute=2))
    assert (day_of(midnight), students_of(midnight), midnight.tags[PRIORITY]) == (TODAY, [], "5")
    assert run(pipeline, midnight).success
    # As if it had looked every minute of the morning.
    watched.cursor = json.dumps({**json.loads(watched.cursor or ""), "until": begin.isoformat()})
    (lesson,) = watched.asks_at(begin + timedelta(minutes=30))
    assert (day_of(lesson), students_of(lesson), lesson.tags[PRIORITY]) == (TODAY, [student], "10")
    assert run(pipeline, lesson).success
    assert row["notes"] == "[via Orah]"


@pytest.mark.parametrize(("days", "marked"), [(13, True), (15, False)])
def test_who_is_away_for_long_is_still_away_but_not_for_ever(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock, days: int, *, marked: bool
) -> None:
    row = a_lesson_today(sandbox)
    land_school(pipeline, sandbox)
    move(sandbox, "Home", MORNING - timedelta(days=days), sandbox.school.truth[row["student_id"]])
    turn_clock(AFTERNOON)
    assert pipeline.push(TODAY).success
    assert (row["notes"] == "[via Orah]") == marked
    assert sum("open-api" in entry.path for entry in sandbox.journal.requests) == 4


def test_a_mark_that_could_not_be_written_fails_the_run(
    pipeline: Pipeline, sandbox: Sandbox, turn_clock: TurnClock
) -> None:
    row = a_lesson_today(sandbox)
    land_school(pipeline, sandbox)
    begin = datetime.fromisoformat(row["start_time"]).replace(tzinfo=ZONE)
    move(sandbox, "Town", begin, sandbox.school.truth[row["student_id"]])
    move(sandbox, "Library", begin + timedelta(minutes=50), sandbox.school.truth[row["student_id"]])
    turn_clock(AFTERNOON)
    sandbox.add_fault(Fault(FaultKind.NO_EFFECT, path="*/attendance/*", method="PATCH"))
    outcome = pipeline.push(TODAY)
    assert not outcome.success
    assert "1 of 1 marks were not written" in outcome.failures[0]
    assert pipeline.rows("SELECT result FROM attendance.planned_updates") == [("failed",)]
    ((colour, told),) = problems(pipeline)
    assert (colour, told.startswith(f"push of {TODAY}: ")) == ("red", True)
    other = next(
        one for one in sandbox.school.truth.values() if one != sandbox.school.truth[row["student_id"]]
    )
    assert pipeline.push(TODAY, orah_ids=[other]).success
    assert len(problems(pipeline)) == 1, "another student's push says nothing of this one"
    outcome = pipeline.push(TODAY)
    assert outcome.success
    assert problems(pipeline) == []
    assert row["notes"] == "[via Orah]"
