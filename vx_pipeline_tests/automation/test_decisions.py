"""From a decision to the link: the sensor sees it, the match takes it in, Orah has it, and nothing else changed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vx_pipeline.automation.decisions import backfill_sensor, decisions_sensor
from vx_pipeline.commands import runs
from vx_pipeline.definitions import defs
from vx_pipeline.journal.cases import ORAH, VERACROSS, get_person, seen_fields
from vx_pipeline.journal.decisions import Entity, Kind, decide
from vx_pipeline.journal.open_cases import OpenCase, open_cases
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.running import Pipeline, running

pytestmark = pytest.mark.slow


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    return make_sandbox(120)


@pytest.fixture
def pipeline(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    with running(sandbox, tmp_path / "vx", monkeypatch) as opened:
        yield opened


def tick(pipeline: Pipeline, sensor: dg.SensorDefinition) -> list[dg.RunRequest]:
    """One evaluation as the daemon makes it."""
    context = dg.build_sensor_context(instance=pipeline.instance, repository_def=defs.get_repository_def())
    return list(sensor.evaluate_tick(context).run_requests or [])


def links(pipeline: Pipeline) -> dict[int, int]:
    return dict(pipeline.rows("SELECT veracross_id, orah_id FROM matching.student_links"))


def answer(pipeline: Pipeline, kind: Kind, ours: int | None, theirs: int | None, **more: Any) -> None:
    """Decides as the review page does."""
    with pipeline.session() as session:
        seen = seen_fields(
            get_person(session.journal, SANDBOX, Entity.STUDENT, VERACROSS, ours or 0),
            get_person(session.journal, SANDBOX, Entity.STUDENT, ORAH, theirs or 0),
        )
        decide(
            session.journal, school=SANDBOX, entity=Entity.STUDENT, kind=kind, veracross_id=ours, orah_id=theirs,
            note="", actor="registrar", via="page", at=session.now(), seen=seen, **more,
        )  # fmt: skip


def waiting(pipeline: Pipeline) -> list[OpenCase]:
    with pipeline.session() as session:
        return list(open_cases(session.journal, SANDBOX, limit=1000).cases)


def in_orah(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    return {record["id"]: dict(record) for record in sandbox.school.orah["student"]}


def test_a_decision_takes_effect_within_one_tick_and_nothing_else_changes(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    assert tick(pipeline, decisions_sensor) == []
    assert pipeline.nightly().success
    assert tick(pipeline, decisions_sensor) == []
    # The records that the night made are linked by the next match.
    assert runs.run_job(pipeline.instance, "rematch", SANDBOX).success
    linked, before = links(pipeline), in_orah(sandbox)
    truth = sandbox.school.truth
    case = next(one.case for one in waiting(pipeline) if one.case.kind == "unmatched" and one.case.candidates)
    assert case.veracross_id is not None
    record = truth[case.veracross_id]
    answer(pipeline, Kind.SAME, case.veracross_id, record)
    assert case.case_id not in {one.case.case_id for one in waiting(pipeline)}

    (request,) = tick(pipeline, decisions_sensor)
    (again,) = tick(pipeline, decisions_sensor)
    assert request.run_key == again.run_key
    assert (request.partition_key, request.job_name) == (SANDBOX, "rematch")
    writes = len(sandbox.journal.writes)
    assert runs.run_job(pipeline.instance, "rematch", SANDBOX).success

    assert links(pipeline) == {**linked, case.veracross_id: record}
    after = in_orah(sandbox)
    assert after[record]["sis_id"] == str(case.veracross_id)
    assert {number for number in after if after[number] != before.get(number)} == {record}
    news = [write for write in sandbox.journal.writes[writes:] if write.entity != "contact"]
    assert [(write.entity, write.target_id) for write in news] == [("student", record)]
    assert tick(pipeline, decisions_sensor) == []


def test_days_that_waited_for_a_link_are_pushed_once_it_stands(pipeline: Pipeline) -> None:
    assert pipeline.nightly().success
    case = next(one.case for one in waiting(pipeline) if one.case.kind == "unmatched" and one.case.candidates)
    with pipeline.session() as session:
        today = session.today()
    days = (today - timedelta(days=2), today - timedelta(days=1))
    answer(pipeline, Kind.SAME, case.veracross_id, case.candidates[0].orah_id, days=days)
    assert tick(pipeline, backfill_sensor) == []
    assert runs.run_job(pipeline.instance, "rematch", SANDBOX).success
    (request,) = tick(pipeline, backfill_sensor)
    assert request.job_name == "push_attendance"
    config = request.run_config["ops"]["push_attendance_op"]["config"]
    assert config == {"first_day": days[0].isoformat()}


def test_a_new_person_gets_a_record_and_a_refused_record_is_not_touched(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    assert pipeline.nightly().success
    case = next(one.case for one in waiting(pipeline) if one.case.kind == "unmatched" and one.case.candidates)
    assert case.veracross_id is not None
    before = in_orah(sandbox)
    answer(pipeline, Kind.NEW, case.veracross_id, None)
    assert runs.run_job(pipeline.instance, "rematch", SANDBOX).success
    after = in_orah(sandbox)
    (made,) = after.keys() - before.keys()
    assert after[made]["sis_id"] == str(case.veracross_id)
    assert {number: after[number] for number in before} == before


def test_a_preview_leaves_its_questions_and_writes_nothing(pipeline: Pipeline, sandbox: Sandbox) -> None:
    outcome = runs.run_job(pipeline.instance, "preview", SANDBOX)
    assert [told for told in outcome.failures if "nothing_is_held" not in told] == []
    assert waiting(pipeline)
    assert len(sandbox.journal.writes) == 0
