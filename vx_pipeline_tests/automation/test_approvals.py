"""Held changes, from the sensor that sees a person's word to the write; and runs that fail, told once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from vx_pipeline import clock
from vx_pipeline.automation.approvals import approvals_sensor, undo_approvals_sensor
from vx_pipeline.commands import runs
from vx_pipeline.definitions import defs
from vx_pipeline.journal.approvals import Answer, answer_held
from vx_pipeline.journal.plans import StoredPlan, latest_plan
from vx_pipeline.journal.problems import RED, Problem, open_problems
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.running import Pipeline, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(school=fresh_school(40, seed=11)) as opened:
        yield opened


@pytest.fixture(scope="module")
def pipeline(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A school after its first night and a person's word."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        running(sandbox, tmp_path_factory.mktemp("home") / "vx", monkeypatch) as opened,
    ):
        opened.nightly()
        opened.approve_all()
        yield opened


def tick(pipeline: Pipeline, sensor: dg.SensorDefinition) -> list[dg.RunRequest]:
    """One evaluation as the daemon makes it."""
    context = dg.build_sensor_context(instance=pipeline.instance, repository_def=defs.get_repository_def())
    return list(sensor.evaluate_tick(context).run_requests or [])


def launch(pipeline: Pipeline, request: dg.RunRequest) -> runs.Outcome:
    assert request.job_name is not None
    return runs.run_job(pipeline.instance, request.job_name, SANDBOX, run_config=request.run_config)


def newest(pipeline: Pipeline) -> StoredPlan:
    with pipeline.session() as session:
        plan = latest_plan(session.journal, SANDBOX)
    assert plan is not None
    return plan


def approve(pipeline: Pipeline) -> None:
    with pipeline.session() as session:
        answer_held(
            session.journal,
            newest(pipeline),
            answer=Answer.APPROVE,
            actor="R. Quill",
            note="",
            via="page",
            at=clock.now(),
        )


def red(pipeline: Pipeline) -> list[Problem]:
    with pipeline.session() as session:
        return [problem for problem in open_problems(session.journal, SANDBOX) if problem.colour == RED]


def leave(sandbox: Sandbox, number: int) -> list[dict[str, Any]]:
    """So many students who are in Orah left yesterday; gives their records in Orah."""
    records = {row["sis_id"]: row for row in sandbox.school.orah["student"] if not row["deactivated"]}
    students = [
        row
        for row in sandbox.school.veracross["list_students"]
        if row["exit_date"] is None and row["roles"] == "Student" and str(row["id"]) in records
    ]
    assert len(students) >= number
    for row in students[:number]:
        row["exit_date"] = (sandbox.school.today - timedelta(days=1)).isoformat()
    return [records[str(row["id"])] for row in students[:number]]


def test_an_approval_is_written_within_one_tick_and_taken_back_by_another(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    assert tick(pipeline, approvals_sensor) == []
    gone = leave(sandbox, 5)
    pipeline.nightly()
    assert not any(record["deactivated"] for record in gone)
    assert tick(pipeline, approvals_sensor) == [], "nobody has said anything yet"
    approve(pipeline)
    (request,) = tick(pipeline, approvals_sensor)
    (again,) = tick(pipeline, approvals_sensor)
    assert (request.run_key, request.job_name) == (again.run_key, "rematch")
    assert launch(pipeline, request).success
    assert all(record["deactivated"] for record in gone)
    assert tick(pipeline, approvals_sensor) == tick(pipeline, undo_approvals_sensor) == []

    plan = newest(pipeline)
    config = {"plan_or_run": plan.plan_id, "actor": "R. Quill"}
    outcome = runs.run_job(
        pipeline.instance, "undo", SANDBOX, run_config={"ops": {"undo_op": {"config": config}}}
    )
    assert outcome.success
    assert not any(record["deactivated"] for record in gone), "bringing somebody back needs nobody's word"


def test_a_run_that_fails_is_red_until_one_comes_through(pipeline: Pipeline, sandbox: Sandbox) -> None:
    assert red(pipeline) == []
    sandbox.add_fault(Fault(FaultKind.STATUS, path="*/relationships", status=403, times=None))
    for _ in range(2):
        assert not pipeline.nightly().success
    (problem,) = red(pipeline)
    assert problem.source == "run"
    assert problem.times >= 2
    assert "relationships" in problem.reason
    sandbox.clear_faults()
    pipeline.nightly()
    assert red(pipeline) == []
