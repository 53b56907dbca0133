"""A plan judged, answered and written, through Dagster and over real HTTP: what a person let pass, and no more."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from vx_pipeline.assets.orah import read_list
from vx_pipeline.assets.school_sync import apply_plan, plan_school, plan_to_apply
from vx_pipeline.commands import runs
from vx_pipeline.errors import HeldError, VxError
from vx_pipeline.journal.approvals import Answer, answer_held, standing_answers
from vx_pipeline.journal.intents import last_write, removals_since
from vx_pipeline.journal.pins import add_pin
from vx_pipeline.journal.plans import StoredPlan, latest_plan
from vx_pipeline.journal.tables import intents
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.sync.pinning import PINNED
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.running import Pipeline, running

LEAVERS = 8


@dataclass
class Life:
    """A school of which eight students left between the first and the second night."""

    pipeline: Pipeline
    sandbox: Sandbox
    first: StoredPlan
    second: StoredPlan
    left: dict[int, int]
    exit_code: int


def newest(session: SchoolSession) -> StoredPlan:
    plan = latest_plan(session.journal, session.key)
    assert plan is not None
    return plan


def active(sandbox: Sandbox) -> set[int]:
    return {one["id"] for one in sandbox.school.orah["student"] if not one["deactivated"]}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with pytest.MonkeyPatch.context() as patch, Sandbox(school=fresh_school(40)) as sandbox:
        home = Path(tmp_path_factory.mktemp("life"))
        with running(sandbox, home, patch) as pipeline, pipeline.session() as session:
            for parent in sandbox.school.veracross["list_parents"]:
                add_pin(
                    session.journal,
                    school=SANDBOX,
                    entity="contact",
                    key=parent["id"],
                    field="",
                    reason="kept by hand",
                    author="Dana",
                    at=session.now(),
                    last_day=None,
                )
            pipeline.nightly()
            first = newest(session)
            links = dict(pipeline.rows("SELECT veracross_id, orah_id FROM matching.student_links"))
            left = {key: links[key] for key in sorted(links) if links[key] in active(sandbox)}
            left = dict(list(left.items())[:LEAVERS])
            gone = (session.today() - timedelta(days=2)).isoformat()
            for record in sandbox.school.veracross["list_students"]:
                if record["id"] in left:
                    record["exit_date"] = gone
            outcome = pipeline.nightly()
            second = newest(session)
            yield Life(pipeline, sandbox, first, second, left, pipeline.exit_code(outcome))


@pytest.fixture
def session(life: Life) -> Iterator[SchoolSession]:
    with life.pipeline.session() as opened:
        yield opened


def replanned(session: SchoolSession) -> StoredPlan:
    """A plan that rests on fresh reads of Orah."""
    for table in ("students", "houses"):
        read_list(session, table)
    return plan_school(session, None)


def test_a_pinned_contact_is_left_alone_and_it_is_said(life: Life) -> None:
    contacts = {row.step: row for row in life.first.rows if row.entity == "contact" and row.key}
    assert contacts
    assert {(row.action, row.cause) for row in contacts.values()} == {("skip", PINNED)}
    assert not [entry for entry in life.sandbox.journal.writes if entry.entity == "contact"]


def test_many_who_leave_at_once_wait_and_nobody_is_removed(life: Life) -> None:
    waiting = {row.key for row in life.second.rows if row.verdict == "held"}
    assert waiting == life.left.keys()
    assert set(life.left.values()) <= active(life.sandbox)
    assert life.second.hold_reason is None
    assert life.exit_code == 3


def test_a_plan_is_not_written_when_something_moved_since(
    life: Life, session: SchoolSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replanned(session)
    (somebody, *_) = life.sandbox.school.orah["student"]
    monkeypatch.setitem(somebody, "alt_name", "By Hand")
    read_list(session, "students")
    with pytest.raises(VxError, match="Orah says otherwise"):
        apply_plan(session, plan)
    monkeypatch.undo()

    plan = replanned(session)
    with session.writing() as connection:
        connection.execute("CREATE TABLE kept AS FROM sync.scope")
        connection.execute("DELETE FROM sync.scope")
    with pytest.raises(VxError, match="Veracross says otherwise"):
        apply_plan(session, plan)
    with session.writing() as connection:
        connection.execute("INSERT INTO sync.scope FROM kept")
        connection.execute("DROP TABLE kept")

    assert plan_to_apply(session) == plan
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VX_POLICIES", json.dumps({"grades": ["9th Grade"]}))
        with (
            SchoolSession(load_settings(), SANDBOX) as other,
            pytest.raises(VxError, match="settings changed"),
        ):
            apply_plan(other, plan)
    assert not apply_plan(session, plan).failed


def test_just_what_was_approved_is_written_once(life: Life, session: SchoolSession) -> None:
    plan = replanned(session)
    held = {row.key: row.step for row in plan.rows if row.verdict == "held"}
    yes, no = sorted(held)[:2], sorted(held)[2:3]
    for answer, keys in ((Answer.APPROVE, yes), (Answer.REFUSE, no)):
        answer_held(
            session.journal,
            plan,
            answer=answer,
            actor="Dana",
            note="I called",
            via="shell",
            at=session.now(),
            steps=[held[key] for key in keys],
        )
    before, since = active(life.sandbox), session.now()
    outcome = runs.run_job(life.pipeline.instance, "rematch", SANDBOX)
    assert before - active(life.sandbox) == {life.left[key] for key in yes}
    assert life.pipeline.exit_code(outcome) == 3, "the others still wait"
    verdicts = {row.key: row.verdict for row in newest(session).rows if row.entity == "student"}
    assert [verdicts[key] for key in [*yes, *no]] == ["write", "write", "refused"]
    assert {verdicts[key] for key in held if key not in [*yes, *no]} == {"held"}

    with session.journal.begin() as connection:
        noted = connection.execute(
            select(intents.c.key, intents.c.approval).where(intents.c.action == "deactivate")
        ).all()
    approved = {key: number for key, number in noted if number is not None}
    assert set(approved) == set(yes)
    answers = {one.number: one for one in standing_answers(session.journal, SANDBOX).values()}
    assert all(answers[number].used_at is not None for number in approved.values())
    assert removals_since(session.journal, SANDBOX, since) == 0, "they were removed on a person's word"
    written = last_write(session.journal, SANDBOX, "orah")
    runs.run_job(life.pipeline.instance, "rematch", SANDBOX)
    assert last_write(session.journal, SANDBOX, "orah") == written


def test_an_old_word_is_no_word_for_a_write_that_needs_none(life: Life, session: SchoolSession) -> None:
    """Of the very same change, a second time: it counts towards the week like any other."""
    (one,) = (row for row in replanned(session).rows if row.verdict == "held" and row.key == max(life.left))
    plan = newest(session)
    answer_held(
        session.journal,
        plan,
        answer=Answer.APPROVE,
        actor="Dana",
        note="",
        via="shell",
        at=session.now() - timedelta(days=30),
        steps=[one.step],
    )
    keep = {key for key in life.left if key != one.key}
    for record in life.sandbox.school.veracross["list_students"]:
        if record["id"] in keep:
            record["exit_date"] = None
    since = session.now()
    life.pipeline.nightly()
    assert life.left[one.key] not in active(life.sandbox)
    assert removals_since(session.journal, SANDBOX, since) == 1


def test_a_closed_gate_lets_nothing_through_whatever_was_said(
    life: Life, session: SchoolSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = session.now() + timedelta(hours=40)
    monkeypatch.setattr(session, "now", lambda: later)
    plan = plan_school(session, None)
    assert "read it again first" in str(plan.hold_reason)
    with pytest.raises(VxError, match="Nobody can open it"):
        answer_held(
            session.journal, plan, answer=Answer.APPROVE, actor="Dana", note="", via="shell", at=later
        )
    with pytest.raises(HeldError):
        apply_plan(session, plan)
