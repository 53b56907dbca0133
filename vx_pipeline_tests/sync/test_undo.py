"""Undo over real HTTP: what a plan wrote is taken back, what was changed since is not, nothing else is touched."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.assets.single_sync import undo
from vx_pipeline.commands.runs import plan_of_run
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.intents import landed_changes
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.client import Retry
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sync.apply import Applied, Writer, apply_changes
from vx_pipeline.sync.changes import Action, Change, Difference, Entity
from vx_pipeline.sync.undo import UNDO, Orah, undo_changes
from vx_pipeline_tests.conftest import SandboxFactory, fresh_school
from vx_pipeline_tests.running import running
from vx_pipeline_tests.sync.planned import change
from vx_pipeline_tests.world import READ_AT, TODAY

Row = dict[str, Any]

HOUSES = {70: 7, 71: 8}
STUDENTS = {1: 501, 2: 502, 3: 503}
CONTACT = 77
TEXT = ("last_name", "email", "room_number", "custom_1")


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    with Sandbox(school=fresh_school(20, today=TODAY)) as opened:
        yield opened


@pytest.fixture
def orah(small: Sandbox) -> Sandbox:
    """Three students in two houses, and a contact of the first two."""
    reset(small)
    return small


def reset(sandbox: Sandbox, *students: Row) -> None:
    held = sandbox.school.orah
    like = fresh_school(20, today=TODAY).orah
    held["house"][:] = [
        {**like["house"][0], "id": house, "name": f"House {dorm}", "sis_id": str(dorm)}
        for dorm, house in HOUSES.items()
    ]
    empty: Row = {"sis_id": None, "last_name": "Vale", "email": None, "room_number": None, "house": None}
    plain = {**like["student"][0], **empty, "deactivated": False, "student_type": "Boarding"}
    given = {one["id"]: one for one in students}
    held["student"][:] = [
        {**plain, "id": record, "sis_id": str(key), **given.get(record, {})}
        for key, record in STUDENTS.items()
    ]
    contact = {**like["contact"][0], "id": CONTACT, "title": "Ms", "_student_ids": [501, 502]}
    held["contact"][:] = [contact]
    sandbox.journal.clear()


async def look(client: OrahClient) -> Orah:
    """Orah as it is, in the words of a plan."""
    students, houses = await client.students(), await client.houses()
    records: dict[tuple[Entity, int], Row] = {(Entity.HOUSE, one["id"]): one for one in houses}
    for one in students:
        house = one["house"] and {"id": one["house"]["id"]}
        records[Entity.STUDENT, one["id"]] = {**one, "house": house}
        for contact in await client.contacts_of(one["id"]):
            ids = [child["id"] for child in contact["students"]]
            records[Entity.CONTACT, contact["id"]] = {**contact, "students": ids}
    by_key = {"house": houses, "student": students}
    known = {
        model: {int(one["sis_id"]): one["id"] for one in listed if one["sis_id"]}
        for model, listed in by_key.items()
    }
    return Orah(records, known["house"], known["student"])


def client_of(sandbox: Sandbox) -> OrahClient:
    return OrahClient(
        url=sandbox.orah_api_url,
        api_key=sandbox.credentials.orah_api_key,
        retry=Retry(attempts=2, wait_initial=0.001, wait_max=0.002),
    )


def seen(sandbox: Sandbox) -> Orah:
    async def ask() -> Orah:
        async with client_of(sandbox) as client:
            return await look(client)

    return asyncio.run(ask())


def apply(sandbox: Sandbox, journal: Journal, changes: Sequence[Change], cause: str = "plan-1") -> Applied:
    async def write() -> Applied:
        async with client_of(sandbox) as client:
            now = await look(client)
            writer = Writer(client, journal, "north", cause, lambda: READ_AT)
            return await apply_changes(writer, changes, now.houses, now.students)

    return asyncio.run(write())


def take_back(
    sandbox: Sandbox, journal: Journal, changes: Sequence[Change], cause: str = "plan-1"
) -> list[Change]:
    """Turns a plan round and writes that; what was turned round how."""
    turned = undo_changes(changes, landed_changes(journal, cause), seen(sandbox))
    assert apply(sandbox, journal, turned, f"undo of {cause}").failures == []
    assert all(one.cause == UNDO and not one.urgent for one in turned)
    return turned


def plain(record: Row) -> Row:
    """A record without its stamps; a field that was never written is empty."""
    return {name: value for name, value in record.items() if name != "updated_at" and value is not None}


def records(orah: Orah) -> dict[tuple[Entity, int], Row]:
    return {place: plain(dict(record)) for place, record in orah.records.items()}


# --- one by one


def test_each_kind_of_change_is_taken_back(orah: Sandbox, journal: Journal) -> None:
    reset(orah, {"id": 503, "deactivated": True, "house": {"id": 7, "sis_id": "70"}})
    before = records(seen(orah))
    changes = [
        change(Entity.HOUSE, Action.UPDATE, 71, 8, name=("House 71", "South")),
        change(
            *(Entity.STUDENT, Action.UPDATE, 1, 501),
            last_name=("Vale", "Reed"),
            house=(None, {"dorm_id": 71}),
            custom_1=(None, "blue"),
        ),
        change(Entity.STUDENT, Action.DEACTIVATE, 2, 502, deactivated=(False, True)),
        change(
            *(Entity.STUDENT, Action.REACTIVATE, 3, 503),
            deactivated=(True, False),
            house=({"id": 7}, None),
        ),
        change(Entity.CONTACT, Action.UPDATE, 5, CONTACT, title=("Ms", "Dr")),
        change(Entity.CONTACT, Action.LINK, 5, CONTACT, students=(None, {"student_id": 3})),
        change(Entity.CONTACT, Action.UNLINK, 5, CONTACT, students=({"student_id": 1}, None)),
        change(Entity.STUDENT, Action.SKIP, 9, 509),
    ]
    assert apply(orah, journal, changes).failures == []
    changed = records(seen(orah))
    assert changed != before
    turned = take_back(orah, journal, changes)
    assert [one.action for one in turned] == [
        *(Action.UPDATE, Action.UPDATE, Action.REACTIVATE, Action.DEACTIVATE),
        *(Action.UPDATE, Action.UNLINK, Action.LINK),
    ]
    # As the plan named it: a later plan that wants the house back is known by its dorm.
    assert turned[1].fields["house"] == Difference({"dorm_id": 71}, None)
    after = records(seen(orah))
    for held in (before, after):
        held[Entity.CONTACT, CONTACT]["students"].sort()
    assert after == before
    assert all(not one.writes for one in undo_changes(changes, landed_changes(journal, "plan-1"), seen(orah)))


def test_what_was_made_goes_as_far_as_nobody_uses_it(orah: Sandbox, journal: Journal) -> None:
    changes = [
        change(Entity.HOUSE, Action.CREATE, 72, None, name=(None, "West"), sis_id=(None, "72")),
        change(Entity.HOUSE, Action.CREATE, 73, None, name=(None, "East"), sis_id=(None, "73")),
        change(
            *(Entity.STUDENT, Action.CREATE, 4, None),
            first_name=(None, "Uma"),
            sis_id=(None, "4"),
            house=(None, {"dorm_id": 72}),
        ),
        change(
            Entity.CONTACT, Action.CREATE, 6, None, title=(None, "Mr"), students=(None, [{"student_id": 4}])
        ),
        change(
            Entity.CONTACT, Action.CREATE, 7, None, title=(None, "Mr"), students=(None, [{"student_id": 4}])
        ),
    ]
    assert apply(orah, journal, changes).failures == []
    (shared,) = (one for one in orah.school.orah["contact"] if one["id"] == CONTACT + 2)
    shared["_student_ids"].append(501)
    west, east, uma, mine, theirs = take_back(orah, journal, changes)
    assert (west.action, "students are in the house" in west.reason) == (Action.SKIP, True)
    assert (east.action, mine.action) == (Action.DELETE, Action.DELETE)
    assert (uma.action, uma.values) == (Action.DEACTIVATE, {"deactivated": True})
    assert (theirs.action, "tied to other students" in theirs.reason) == (Action.SKIP, True)
    now = seen(orah)
    assert {72, 73} & set(now.houses) == {72}
    assert now.records[Entity.STUDENT, now.students[4]]["deactivated"] is True


def test_what_is_gone_for_good_is_said(orah: Sandbox, journal: Journal) -> None:
    changes = [
        change(Entity.STUDENT, Action.DELETE, 3, 503),
        change(Entity.STUDENT, Action.UPDATE, 2, 502, email=(None, "a@s.example.edu")),
    ]
    assert apply(orah, journal, changes).failures == []
    orah.school.orah["student"][:] = orah.school.orah["student"][:1]
    deleted, gone = take_back(orah, journal, changes)
    assert (deleted.action, "deleted for good" in deleted.reason) == (Action.SKIP, True)
    assert (gone.action, "not in Orah any more" in gone.reason) == (Action.SKIP, True)


def test_a_custody_that_ended_is_not_given_back(orah: Sandbox, journal: Journal) -> None:
    fields = {"students": Difference({"student_id": 1}, None)}
    urgent = Change(Entity.CONTACT, Action.UNLINK, 5, CONTACT, fields, "custody ended", urgent=True)
    assert apply(orah, journal, [urgent]).failures == []
    (turned,) = take_back(orah, journal, [urgent])
    assert (turned.action, "only Veracross can bring it back" in turned.reason) == (Action.SKIP, True)
    assert seen(orah).records[Entity.CONTACT, CONTACT]["students"] == [502]


def test_what_did_not_land_is_not_taken_back(orah: Sandbox, journal: Journal) -> None:
    changes = [
        change(Entity.STUDENT, Action.UPDATE, 1, 501, student_type=("Boarding", "Nonsense")),
        change(Entity.STUDENT, Action.UPDATE, 2, 502, email=(None, "a@s.example.edu")),
    ]
    assert len(apply(orah, journal, changes).failures) == 1
    assert [one.key for one in take_back(orah, journal, changes)] == [2]


# --- for any plan


texts = st.sampled_from([None, "A", "B"])
houses = st.sampled_from([None, 70, 71])
states = st.fixed_dictionaries({**dict.fromkeys(TEXT, texts), "dorm": houses, "deactivated": st.booleans()})
worlds = st.tuples(*(states for _ in STUDENTS))


def stored(record: int, state: Row) -> Row:
    dorm = state["dorm"]
    house = None if dorm is None else {"id": HOUSES[dorm], "sis_id": str(dorm)}
    fields = {name: state[name] for name in TEXT} | {"deactivated": state["deactivated"]}
    return {"id": record, "house": house, **fields}


def planned(key: int, before: Row, after: Row) -> list[Change]:
    fields = {name: (before[name], after[name]) for name in TEXT if before[name] != after[name]}
    if before["dorm"] != after["dorm"]:
        old, new = before["dorm"], after["dorm"]
        fields["house"] = (
            None if old is None else {"id": HOUSES[old]},
            None if new is None else {"dorm_id": new},
        )
    action = Action.UPDATE
    if before["deactivated"] and not after["deactivated"]:
        action = Action.REACTIVATE
        fields["deactivated"] = (True, False)
    elif after["deactivated"] and not before["deactivated"]:
        action, fields = Action.DEACTIVATE, {"deactivated": (False, True)}
    return [change(Entity.STUDENT, action, key, STUDENTS[key], **fields)] if fields else []


@given(
    before=worlds,
    after=worlds,
    edited=st.dictionaries(st.sampled_from([501, 502, 503]), st.sampled_from(TEXT)),
)
@settings(max_examples=25, deadline=None)
def test_undo_after_apply_restores_all_that_nobody_edited_since(
    small: Sandbox, before: tuple[Row, ...], after: tuple[Row, ...], edited: dict[int, str]
) -> None:
    reset(small, *(stored(STUDENTS[key], state) for key, state in enumerate(before, start=1)))
    was = records(seen(small))
    changes = [
        one
        for key, (old, new) in enumerate(zip(before, after, strict=True), start=1)
        for one in planned(key, old, new)
    ]
    with TemporaryDirectory() as home:
        journal = open_journal(Path(home))
        assert apply(small, journal, changes).failures == []
        expected = {place: dict(record) for place, record in was.items()}
        for held in small.school.orah["student"]:
            if name := edited.get(held["id"]):
                held[name] = "by hand"
                expected[Entity.STUDENT, held["id"]][name] = "by hand"
        turned = take_back(small, journal, changes)
        assert records(seen(small)) == expected
        assert len(turned) == len(changes)
        journal.close()


# --- the whole way


def everybody(sandbox: Sandbox) -> dict[int, Row]:
    return {one["id"]: json.loads(json.dumps(plain(one))) for one in sandbox.school.orah["student"]}


@pytest.mark.slow
def test_a_night_is_taken_back_and_the_next_one_does_not_do_it_again_unseen(
    make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make_sandbox(20)
    for one in sandbox.school.orah["student"]:
        one["house"] = None
    sandbox.school.orah["house"].clear()
    before = everybody(sandbox)
    contacts = json.loads(json.dumps(sandbox.school.orah["contact"]))
    with running(sandbox, tmp_path / "home", monkeypatch) as pipeline:
        monkeypatch.setenv("VX_POLICIES", json.dumps({"student_fields": {"custom_1": "last_name"}}))
        outcome = pipeline.nightly()
        changed = everybody(sandbox)
        assert any(one.get("house") for one in changed.values())
        assert any(one.get("custom_1") for one in changed.values())
        with pipeline.session() as session:
            plan = plan_of_run(session.journal, session.key, outcome.run_id)
            assert plan is not None
            single = undo(session, plan.plan_id, None, "Dana")
            assert single.plan.held_steps == ()
            after = everybody(sandbox)
            for record, held in after.items():
                if record in before:
                    assert held == before[record]
                else:
                    assert held["deactivated"] is True
            was = {one["id"]: sorted(one["_student_ids"]) for one in contacts}
            now = {one["id"]: sorted(one["_student_ids"]) for one in sandbox.school.orah["contact"]}
            assert now == was
        written = len(sandbox.journal.writes)
        again = pipeline.nightly()
        with pipeline.session() as session:
            plan = plan_of_run(session.journal, session.key, again.run_id)
            assert plan is not None
            assert plan.hold_reason is None
            assert plan.held_steps
            assert not [row for row in plan.rows if row.verdict == "write" and row.field == "house"]
        assert len(sandbox.journal.writes) == written
        assert pipeline.exit_code(again) == 3
