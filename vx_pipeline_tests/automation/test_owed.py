"""Pushes that are wanted: none is lost, whatever becomes of its run; and the pushes of everybody."""

from datetime import UTC, timedelta

import dagster as dg
import pytest

from vx_pipeline.assets.partitions import school_day_key
from vx_pipeline.assets.resources import Schools
from vx_pipeline.automation.owed import behind, due_wishes
from vx_pipeline.automation.push import DUE, PRIORITY
from vx_pipeline.definitions import defs
from vx_pipeline.journal.due_pushes import begin_push, plan_push, wish_push
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.automation.watching import (
    MORNING,
    TODAY,
    Watched,
    come_through,
    day_of,
    land_school,
    move,
    problems,
    run,
    students_of,
)
from vx_pipeline_tests.running import Pipeline


def test_a_push_whose_run_is_lost_is_asked_for_again_and_told_after_an_hour(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox
) -> None:
    student = sandbox.school.orah["student"][0]["id"]
    move(sandbox, "Town", MORNING + timedelta(minutes=1))
    asked: dict[int, list[dg.RunRequest]] = {}
    for minutes in (2, 3, 16, 17, 29, 30, 45, 62, 63):
        asked[minutes] = watched.asks_at(MORNING + timedelta(minutes=minutes))
        told = [text for _, text in problems(pipeline)]
        assert bool(told) == (minutes > 62), told
    keys = {minutes: {one.run_key for one in requests} for minutes, requests in asked.items()}
    assert all([students_of(one) for one in found] == [[student]] for found in asked.values() if found)
    assert [minutes for minutes, found in keys.items() if found] == [2, 17, 29, 30, 45, 62, 63]
    # A key is used up by one run: one for each quarter of an hour.
    assert keys[17] == keys[29]
    assert keys[62] == keys[63]
    assert len(set().union(*keys.values())) == 5
    assert problems(pipeline)[0][0] == "red"
    come_through(pipeline, asked[63])
    assert watched.asks_at(MORNING + timedelta(minutes=64)) == []
    assert problems(pipeline) == []


def test_a_push_that_cannot_read_orah_is_made_again_whoever_it_was_for(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox
) -> None:
    land_school(pipeline, sandbox)
    watched.turn_clock(MORNING + timedelta(minutes=1))
    sandbox.add_fault(Fault(FaultKind.STATUS, system="orah", times=None, path="*/location/tree", status=401))
    assert not pipeline.push(TODAY).success
    sandbox.clear_faults()
    (request,) = watched.asks_at(MORNING + timedelta(minutes=16))
    assert (day_of(request), students_of(request)) == (TODAY, [])
    assert [colour for colour, _ in problems(pipeline)] == ["red"]
    assert run(pipeline, request).success
    assert problems(pipeline) == []
    assert watched.asks_at(MORNING + timedelta(minutes=32)) == []


def test_a_day_that_has_left_the_edit_window_is_not_behind(pipeline: Pipeline) -> None:
    with pipeline.session() as session:
        for days in (8, 7):
            at, day = MORNING - timedelta(hours=2), TODAY - timedelta(days=days)
            wish_push(session.journal, SANDBOX, day, [7], at=at, due_at=at)
        (told,) = behind(session, MORNING)
    assert f"no push of {TODAY - timedelta(days=7)} has come through" in told.reason


def test_while_runs_wait_whoever_is_due_in_the_same_minutes_is_asked_for_together(
    watched: Watched, pipeline: Pipeline
) -> None:
    keys: set[str] = set()
    due = {100 + minute: MORNING + timedelta(minutes=minute) for minute in range(1, 31)}
    with pipeline.session() as session:
        plan_push(session.journal, SANDBOX, TODAY, due, looked_at=())
        for minute in range(31):
            wishes = due_wishes(session, MORNING + timedelta(minutes=minute))
            keys |= {one.reason for one in wishes}
            asked = {orah_id for one in wishes for orah_id in one.orah_ids}
            assert asked >= set(range(101, 101 + minute)), "nobody later than due"
            assert (minute == 0) == (asked == set()), "and none before somebody is"
    assert len(keys) == 7, "one for each five minutes, not for each minute"


@pytest.mark.filterwarnings("ignore:Non-compliant tag keys")  # Dagster's own, of two dimensions
def test_a_due_push_whose_work_another_did_ends_at_once_and_no_other_does(
    watched: Watched, pipeline: Pipeline, sandbox: Sandbox
) -> None:
    land_school(pipeline, sandbox)
    move(sandbox, "Town", MORNING + timedelta(minutes=1))
    (news,) = watched.asks_at(MORNING + timedelta(minutes=2))
    (due,) = watched.asks_at(MORNING + timedelta(minutes=17))
    assert (DUE in news.tags, DUE in due.tags) == (False, True)

    def looks_into_orah(request: dg.RunRequest) -> bool:
        before = len(sandbox.journal.requests)
        assert (
            defs.resolve_job_def("push_attendance")
            .execute_in_process(
                run_config=request.run_config,
                instance=pipeline.instance,
                partition_key=school_day_key(SANDBOX, day_of(request)),
                tags={DUE: request.tags[DUE]} if DUE in request.tags else {},
            )
            .success
        )
        return len(sandbox.journal.requests) > before

    watched.turn_clock(MORNING + timedelta(minutes=18))
    assert looks_into_orah(due), "the other one was lost"
    come_through(pipeline, [news])
    assert not looks_into_orah(due)
    assert looks_into_orah(news)
    with pipeline.session() as session:
        # One that is owed, but is not to be repeated yet.
        begun, later = session.now(), session.now() + timedelta(minutes=15)
        begin_push(session.journal, SANDBOX, TODAY, students_of(due), at=begun, due_at=later)
    assert looks_into_orah(due)


@pytest.mark.filterwarnings("ignore:Non-compliant tag keys")  # Dagster's own, of two dimensions
def test_everybody_is_pushed_three_times_a_day_and_in_the_morning_for_each_day_of_the_window(
    watched: Watched, pipeline: Pipeline
) -> None:
    schedule = defs.resolve_schedule_def("push_attendance_sandbox")
    assert schedule.execution_timezone == "America/New_York"
    assert schedule.cron_schedule == ("30 5 * * *", "30 10 * * *", "30 14 * * *")

    def requests_at(hour: int) -> list[dg.RunRequest]:
        at = MORNING.replace(hour=hour, minute=30)
        context = dg.build_schedule_context(
            instance=pipeline.instance,
            repository_def=defs.get_repository_def(),
            scheduled_execution_time=at.astimezone(UTC),
        )
        return list(schedule.evaluate_tick(context).run_requests or [])

    window = [TODAY - timedelta(days=number) for number in range(8)]
    for hour, days in ((5, window), (10, [TODAY]), (14, [TODAY])):
        requests = requests_at(hour)
        assert [day_of(one) for one in requests] == days
        assert {(tuple(students_of(one)), one.tags[PRIORITY]) for one in requests} == {((), "5")}
        assert [one.run_key for one in requests] == [one.run_key for one in requests_at(hour)]
    # None of them ran, so the sensor asks for them, but not while they may still wait for each other.
    assert watched.asks_at(MORNING + timedelta(minutes=30)) == []
    asked = watched.asks_at(MORNING + timedelta(minutes=60))
    assert [(day_of(one), students_of(one)) for one in asked] == [(day, []) for day in reversed(window)]


def test_runs_wait_for_each_other_longer_than_a_person_does_and_pushes_begin_first() -> None:
    assert Schools().lock_wait_seconds == 900
    assert defs.resolve_job_def("attendance").tags[PRIORITY] == "-10"
