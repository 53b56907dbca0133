"""A night at a school: everything is read, Orah is brought up to date, and the next night has nothing to do."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from vx_pipeline.assets.school_sync import plan_school
from vx_pipeline.commands.compare import compare
from vx_pipeline.commands.runs import Outcome, plan_of_run
from vx_pipeline.journal.approvals import standing_answers
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.settings import SANDBOX
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.running import Pipeline, running

EVERYTHING = json.dumps(
    {"meetings_days_back": 40, "meetings_days_ahead": 40, "attendance": {"days_back": 30}}
)
"""Windows that are wider than what the sandbox holds, so that every row is asked for."""

RATE_LIMIT, RATE_WINDOW = 300, 180.0


@dataclass
class Night:
    """A school after two nights, and what happened in them."""

    pipeline: Pipeline
    sandbox: Sandbox
    truth: dict[int, int]
    before: dict[int, dict[str, Any]]
    outcomes: list[Outcome]
    writes: list[int]
    requests: list[int]
    replanned: list[str | None]


def orah_students(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    return {one["id"]: json.loads(json.dumps(one)) for one in sandbox.school.orah["student"]}


def run_nights(
    sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, nights: int = 2
) -> Iterator[Night]:
    with running(sandbox, home, monkeypatch, on_disk=True) as pipeline:
        monkeypatch.setenv("VX_POLICIES", EVERYTHING)
        night = Night(pipeline, sandbox, dict(sandbox.school.truth), orah_students(sandbox), [], [], [], [])
        for _ in range(nights):
            night.outcomes.append(pipeline.nightly())
            pipeline.approve_all()
            night.writes.append(len(sandbox.journal.writes))
            night.requests.append(len(sandbox.journal.requests))
            with pipeline.session() as session:
                night.replanned.append(plan_school(session, None).hold_reason)
        read_attendance(night)
        yield night


def read_attendance(night: Night) -> None:
    """The attendance of so many of the last days that every class met on one of them."""
    with night.pipeline.session() as session:
        day = session.today()
    unread = "SELECT count(DISTINCT internal_class_id) FROM veracross.meeting_times WHERE internal_class_id NOT IN "
    unread += "(SELECT internal_class_id FROM veracross.class_attendance UNION "
    unread += "SELECT id FROM veracross.classes WHERE NOT track_class_attendance)"
    for _ in range(7):
        day -= timedelta(days=1)
        outcome = night.pipeline.attendance(day)
        assert outcome.failures == (), outcome.failures
        if night.pipeline.rows(unread) == [(0,)]:
            return


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with pytest.MonkeyPatch.context() as monkeypatch, Sandbox(school=fresh_school(420)) as sandbox:
        yield from run_nights(sandbox, tmp_path_factory.mktemp("home") / "vx", monkeypatch)


def test_both_nights_succeed_and_the_second_writes_nothing(night: Night) -> None:
    assert [outcome.success for outcome in night.outcomes] == [True, True]
    first, second = night.outcomes
    assert [failure.partition(" failed")[0] for failure in first.failures] == ["sync/plan: nothing_is_held"]
    assert second.failures == ()
    assert night.writes[0] > 0
    assert night.writes[1] == night.writes[0]


def test_after_a_persons_word_orah_is_what_veracross_says_record_by_record(night: Night) -> None:
    def records(model: str) -> dict[int, dict[str, Any]]:
        return {one["id"]: one for one in night.sandbox.school.orah[model]}

    with night.pipeline.reading() as connection:
        found = compare(connection, records("student"), records("house"), records("contact"))
    assert found.differences == ()
    assert (found.students > 300, found.houses >= 8, found.contacts > 400) == (True, True, True)


def test_a_removal_that_nobody_looked_at_waits(night: Night) -> None:
    """Thirteen leavers are more than max(3, 1 %): none of them goes in the run, all of them by a person's word."""
    removed = [
        write
        for write in night.sandbox.journal.writes
        if write.entity == "student" and write.after.get("deactivated") is True
    ]
    assert len(removed) > 4
    with night.pipeline.session() as session:
        answers = standing_answers(session.journal, SANDBOX)
    assert {answer.actor for answer in answers.values()} == {"R. Quill"}
    assert len([answer for answer in answers.values() if answer.used_at]) == len(answers)


def assert_counts_are_the_sandboxs(night: Night) -> None:
    held = {table: len(night.sandbox.school.veracross[one.operation]) for table, one in ENDPOINTS.items()}
    landed = {table: night.pipeline.count(f"veracross.{table}") for table in ENDPOINTS}
    assert landed == held


def assert_within_the_rate_limit(night: Night) -> None:
    times: dict[Any, list[float]] = defaultdict(list)
    for request in night.sandbox.journal.requests:
        if request.system == "veracross" and "/v3/" in request.path:
            times[request.token_id].append(request.at)
    assert times
    for sent in times.values():
        sent.sort()
        for first, last in zip(sent, sent[RATE_LIMIT:], strict=False):
            assert last - first > RATE_WINDOW


def test_every_row_of_every_endpoint_is_there(night: Night) -> None:
    assert len(ENDPOINTS) == 13
    assert_counts_are_the_sandboxs(night)


def test_a_token_never_sends_more_than_300_requests_in_3_minutes(night: Night) -> None:
    assert_within_the_rate_limit(night)
    assert not [one for one in night.sandbox.journal.requests if one.status == 429]


def test_nobody_is_linked_to_somebody_else_or_made_twice(night: Night) -> None:
    links = dict(night.pipeline.rows("SELECT veracross_id, orah_id FROM matching.student_links"))
    known = {student: record for student, record in links.items() if student in night.truth}
    assert len(known) > 0.6 * len(night.truth)
    assert known == {student: night.truth[student] for student in known}
    created = [
        int(write.after["sis_id"])
        for write in night.sandbox.journal.writes
        if (write.entity, write.action) == ("student", "create")
    ]
    assert created
    assert not set(created) & set(night.truth)


def test_no_two_records_in_orah_get_the_same_sis_id(night: Night) -> None:
    def shared(records: dict[int, dict[str, Any]]) -> set[str]:
        counts = Counter(one["sis_id"] for one in records.values() if one["sis_id"])
        return {sis_id for sis_id, number in counts.items() if number > 1}

    assert shared(orah_students(night.sandbox)) <= shared(night.before)


def test_a_link_of_the_first_night_is_one_of_the_second(night: Night) -> None:
    written = {
        (int(write.after["sis_id"]), write.target_id)
        for write in night.sandbox.journal.writes
        if write.entity == "student" and write.after.get("sis_id")
    }
    assert written
    links = set(night.pipeline.rows("SELECT veracross_id, orah_id FROM matching.student_links"))
    assert written <= links


def test_planning_again_without_reading_again_is_held(night: Night) -> None:
    first, second = night.replanned
    assert "Orah was written to since" in str(first)
    assert second is None


def test_a_record_that_is_nobodys_is_not_touched(night: Night) -> None:
    linked = {row[0] for row in night.pipeline.rows("SELECT orah_id FROM matching.student_links")}
    now = orah_students(night.sandbox)
    unlinked = set(night.before) - linked
    assert unlinked
    assert {one: now[one] for one in unlinked} == {one: night.before[one] for one in unlinked}


def test_orah_says_what_veracross_says(night: Night) -> None:
    now = orah_students(night.sandbox)
    current = night.pipeline.rows(
        """
        SELECT link.orah_id, student.student_id, coalesce(preferred_name, first_name), last_name, is_boarder
        FROM roster.students AS student
        JOIN roster.boarders USING (student_id)
        JOIN matching.student_links AS link ON link.veracross_id = student.student_id
        WHERE student.is_current
        """
    )
    assert current
    for orah_id, student_id, first, last, boards in current:
        record = now[orah_id]
        if night.before.get(orah_id, {}).get("deactivated"):
            assert record == night.before[orah_id]
            continue
        assert (record["sis_id"], record["first_name"], record["last_name"]) == (str(student_id), first, last)
        assert (record["student_type"] in ("Boarding", "FlexiBoarding")) is boards
        assert not boards or record["house"] is not None


def test_exactly_the_linked_leavers_are_deactivated(night: Night) -> None:
    leavers = {
        row[0]
        for row in night.pipeline.rows(
            "SELECT orah_id FROM roster.leavers JOIN matching.student_links ON veracross_id = student_id"
        )
    }
    now = orah_students(night.sandbox)
    newly = {
        one for one, record in night.before.items() if now[one]["deactivated"] and not record["deactivated"]
    }
    assert newly == {one for one in leavers if not night.before[one]["deactivated"]}
    assert newly


def test_every_contradiction_that_was_planted_is_listed(night: Night) -> None:
    kinds = {row[0] for row in night.pipeline.rows("SELECT contradiction FROM roster.boarder_contradictions")}
    assert kinds == {
        "two_dorms",
        "withdrawn_but_flagged_current",
        "room_without_current_enrolment",
        "last_years_dorm_flagged_current",
        "dorm_but_not_at_the_school",
    }


def test_every_materialisation_tells_rows_columns_and_requests(night: Night) -> None:
    (first, _) = night.outcomes
    for table in set(ENDPOINTS) - {"class_attendance"}:
        metadata = first.read[f"veracross/{table}"]
        assert metadata["dagster/row_count"] == night.pipeline.count(f"veracross.{table}")
        assert len(metadata["dagster/column_schema"].columns) > 5
        assert metadata["requests"] >= 1
    assert {key.split("/")[0] for key in first.read} == {
        *("veracross", "orah", "roster", "matching", "sync", "delivery")
    }


def test_codes_are_landed_with_the_schools_own_labels(night: Night) -> None:
    assert night.pipeline.rows(
        "SELECT count(*) FROM veracross.students WHERE grade_level IS NOT NULL AND grade_level_label IS NULL"
    ) == [(0,)]
    assert night.pipeline.count("veracross.value_lists") > 50


def test_readers_have_a_copy_of_their_own(night: Night) -> None:
    copy = night.pipeline.settings.warehouse_path(SANDBOX).with_name("warehouse.read.duckdb")
    with duckdb.connect(str(copy), read_only=True) as connection:
        row = connection.execute("SELECT count(*) FROM roster.students").fetchone()
    assert row == (night.pipeline.count("roster.students"),)


def test_no_person_and_no_secret_is_in_dagsters_storage(night: Night) -> None:
    """Names that are also words of English or parts of ids prove nothing, so long ones are looked for."""
    school = night.sandbox.school
    people = [*school.veracross["list_students"], *school.veracross["list_parents"]]
    planted = {one["email_1"] for one in people if one["email_1"]}
    planted |= {one["last_name"] for one in people if len(one["last_name"] or "") > 9}
    planted |= {one["birthday"] for one in school.veracross["list_students"] if one["birthday"]}
    planted |= {night.sandbox.credentials.client_secret, night.sandbox.credentials.orah_api_key}
    assert len(planted) > 500
    files = [path for path in (night.pipeline.settings.home / "dagster").rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for path in files:
        content = path.read_bytes()
        assert [one for one in planted if one.encode() in content] == [], path.name


def content(pipeline: Pipeline) -> dict[str, Any]:
    return {table: pipeline.rows(f"SELECT id, _row_hash, _missing_since FROM veracross.{table} ORDER BY id")
            for table in ENDPOINTS}  # fmt: skip


def test_what_was_asked_is_counted(night: Night) -> None:
    """Only active classes are asked about, each once; lists of one page once, of several twice."""
    half = night.sandbox.journal.requests[: night.requests[0]]
    asked = Counter(one.path.rsplit("/", 1)[-1] for one in half if "/v3/" in one.path)
    classes = night.pipeline.rows(
        "SELECT count(*) FROM (SELECT DISTINCT internal_class_id FROM veracross.meeting_times)"
    )[0][0]
    assert classes <= asked["meeting_times"] <= classes * 1.5
    assert asked["dorms"] == 1


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """2,000 students: several pages, and more classes than one rate window lets ask about."""
    with pytest.MonkeyPatch.context() as monkeypatch, Sandbox(school=fresh_school(2000)) as sandbox:
        yield from run_nights(sandbox, tmp_path_factory.mktemp("large") / "vx", monkeypatch, nights=1)


@pytest.mark.slow
def test_a_large_school_is_read_whole(large: Night) -> None:
    assert [
        told for outcome in large.outcomes for told in outcome.failures if "nothing_is_held" not in told
    ] == []
    assert_counts_are_the_sandboxs(large)


@pytest.mark.slow
def test_the_rate_limit_is_kept_without_ever_being_told(large: Night) -> None:
    assert_within_the_rate_limit(large)
    assert not [one for one in large.sandbox.journal.requests if one.status == 429]


@pytest.mark.slow
def test_a_page_that_fails_for_good_changes_nothing_and_removes_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """850 students and those who left are two pages, and no rate window is used up."""
    with Sandbox(school=fresh_school(850)) as sandbox:
        for night in run_nights(sandbox, tmp_path / "vx", monkeypatch, nights=1):
            assert all("nothing_is_held" in told for told in night.outcomes[0].failures)
            before = content(night.pipeline)
            sandbox.journal.clear()
            fault = Fault(FaultKind.STATUS, path="*/v3/students", status=500, page=2, times=None)
            sandbox.add_fault(fault)
            outcome = night.pipeline.nightly()
            assert night.pipeline.exit_code(outcome) == 1
            assert any("students" in failure and "page 2" in failure for failure in outcome.failures)
            assert content(night.pipeline) == before
            assert sandbox.journal.writes == ()
            with night.pipeline.session() as session:
                assert plan_of_run(session.journal, SANDBOX, outcome.run_id) is None
