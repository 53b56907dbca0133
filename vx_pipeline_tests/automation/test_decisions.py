"""From a decision to the link: the sensor sees it, the match takes it in, Orah has it, and nothing else changed."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from vx_pipeline.automation.backfill import backfill_sensor
from vx_pipeline.automation.decisions import decisions_sensor
from vx_pipeline.automation.push import PRIORITY
from vx_pipeline.commands import runs
from vx_pipeline.definitions import defs
from vx_pipeline.journal.cases import ORAH, VERACROSS, Case, get_person, seen_fields
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


def test_a_match_that_is_fixed_days_later_brings_just_the_marks_that_waited_for_it(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    for model in ("location_record", "roll", "leave"):
        sandbox.school.orah[model].clear()
    assert pipeline.nightly().success
    case, row = a_case_with_a_lesson(pipeline, sandbox)
    record = sandbox.school.truth[row["student_id"]]
    day, before = date.fromisoformat(row["attendance_date"]), dict(row)
    town = next(one["id"] for one in sandbox.school.orah["location"] if one["name"] == "Town")
    library = next(one["id"] for one in sandbox.school.orah["location"] if one["name"] == "Library")
    for place, name in ((town, "start_time"), (library, "end_time")):
        at = datetime.fromisoformat(row[name]).replace(tzinfo=ZoneInfo(sandbox.school.timezone))
        sandbox.hands.move({"student_id": record, "location_id": place, "record_time": at.isoformat()})
    outcome = pipeline.push(day)
    assert (outcome.success, dict(row)) == (True, before)
    assert pipeline.rows("SELECT orah_id, student_id FROM attendance.absences") == [(record, None)]
    assert tick(pipeline, backfill_sensor) == []

    answer(pipeline, Kind.SAME, case.veracross_id, record)
    assert tick(pipeline, backfill_sensor) == [], "the link does not stand yet"
    assert runs.run_job(pipeline.instance, "rematch", SANDBOX).success
    (request,) = tick(pipeline, backfill_sensor)
    assert request.tags[PRIORITY] == "5", "whoever leaves now goes first"
    assert (request.job_name, request.tags["dagster/partition/day"]) == ("push_attendance", day.isoformat())
    assert request.run_config["ops"]["push_attendance_op"]["config"] == {"orah_ids": [record]}

    writes = len(sandbox.journal.writes)
    assert pipeline.push(day, orah_ids=[record]).success
    assert [write.target_id for write in sandbox.journal.writes[writes:]] == [row["id"]]
    assert row["notes"] == "[via Orah]"
    assert tick(pipeline, backfill_sensor) == [], "nothing waits any more"
    assert pipeline.push(day).success
    assert len(sandbox.journal.writes) == writes + 1


def a_case_with_a_lesson(pipeline: Pipeline, sandbox: Sandbox) -> tuple[Case, dict[str, Any]]:
    """A student without a link whose record the sandbox knows, and an unmarked row of a lesson in the past."""
    with pipeline.session() as session:
        today, oldest = session.today().isoformat(), (session.today() - timedelta(days=6)).isoformat()
    cases = {
        one.case.veracross_id: one.case
        for one in waiting(pipeline)
        if one.case.kind == "unmatched" and one.case.veracross_id in sandbox.school.truth
    }
    lists = sandbox.school.value_lists["list_class_attendance"]
    statuses = next(one["items"] for one in lists if "status" in one["fields"])
    present = next(int(item["id"]) for item in statuses if item["description"] == "Present")
    row = next(
        row
        for row in sandbox.school.veracross["list_class_attendance"]
        if row["student_id"] in cases and oldest <= row["attendance_date"] < today
    )
    row.update(status=present, notes=None)
    return cases[row["student_id"]], row


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
