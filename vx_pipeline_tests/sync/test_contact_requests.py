"""Writing contacts to the stand-in Orah: never an old list of students, and a lost answer is settled by reading."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vx_pipeline.errors import LostAnswerError, NotFoundError, ServiceError, VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.contacts import ContactWrite, contact_memory, contact_writes
from vx_pipeline.journal.intents import Intent, Result, record_intent, record_outcome
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.client import Retry
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.sync.changes import Action, Change, Difference, Entity
from vx_pipeline.sync.contact_requests import contact_body, read_back_contact, send_contact
from vx_pipeline_tests.conftest import SandboxFactory

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
ANAS = {"first_name": "Ana", "last_name": "Roy", "email": "ana@example.org", "mobile_phone": "555-0100"}
A, B, C = 1, 2, 3
"""Veracross ids of students."""


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    sandbox = make_sandbox(20, today=date(2026, 11, 18))
    sandbox.school.orah["contact"].clear()
    return sandbox


def records(sandbox: Sandbox) -> dict[int, int]:
    """The records in Orah of the three students."""
    return {ours: one["id"] for ours, one in zip((A, B, C), sandbox.school.orah["student"], strict=False)}


def held(sandbox: Sandbox) -> dict[int, list[int]]:
    """Every contact in Orah with its students' Veracross ids."""
    ours = {theirs: one for one, theirs in records(sandbox).items()}
    return {
        contact["id"]: sorted(ours[one] for one in contact["_student_ids"])
        for contact in sandbox.school.orah["contact"]
    }


def put(sandbox: Sandbox, number: int, *students: int, **fields: Any) -> None:
    """A contact that is in Orah already."""
    empty = dict.fromkeys(("title", "relationship", "home_phone", "mobile_phone", "address"))
    given = {"model": "contact", "id": number, **empty, **ANAS, **fields}
    sandbox.school.orah["contact"].append(
        {**given, "_student_ids": [records(sandbox)[one] for one in students]}
    )


def change(action: Action, contact: int | None = None, student: int = A, **values: Any) -> Change:
    pair = {"student_id": student}
    fields = {
        Action.LINK: {"students": Difference(None, pair)},
        Action.UNLINK: {"students": Difference(pair, None)},
        Action.DELETE: {},
    }.get(action) or {name: Difference(None, value) for name, value in values.items()}
    return Change(Entity.CONTACT, action, 10, contact, fields, "test", urgent=action is Action.UNLINK)


def create(*students: int) -> Change:
    fields: dict[str, Any] = {**ANAS, "students": [{"student_id": one} for one in students]}
    return change(Action.CREATE, **fields)


def intent(sandbox: Sandbox, one: Change) -> Intent:
    body = contact_body(one, records(sandbox))
    return Intent(1, "north", NOW, "orah", "contact", one.action.value, one.key, one.target_id, body, "plan")


def run(sandbox: Sandbox, work: Callable[[OrahClient], Awaitable[Any]]) -> Any:
    async def use() -> Any:
        orah = OrahClient(
            url=sandbox.orah_api_url,
            api_key=sandbox.credentials.orah_api_key,
            timeout_seconds=0.5,
            retry=Retry(attempts=2, wait_initial=0.001, wait_max=0.002),
        )
        async with orah:
            return await work(orah)

    return asyncio.run(use())


def send(sandbox: Sandbox, one: Change) -> int:
    found: int = run(sandbox, lambda orah: send_contact(orah, intent(sandbox, one)))
    return found


def read_back(sandbox: Sandbox, one: Change) -> tuple[Result, int | None]:
    found: tuple[Result, int | None] = run(
        sandbox, lambda orah: read_back_contact(orah, intent(sandbox, one))
    )
    return found


def trouble(sandbox: Sandbox, kind: FaultKind, action: str = "*", times: int | None = 1) -> None:
    sandbox.add_fault(Fault(kind, system="orah", path=f"*/contact/{action}", times=times))


# --- bodies


def test_a_body_names_the_records_that_there_are(sandbox: Sandbox) -> None:
    known = {A: 501, C: 503}
    assert contact_body(create(A, B, C), known) == {**ANAS, "student_ids": [501, 503]}
    assert contact_body(change(Action.UPDATE, 900, email="x@example.org"), {}) == {"email": "x@example.org"}
    tie = {"student_id": C, "orah_student_id": 503}
    assert contact_body(change(Action.LINK, 900, C), known) == {**tie, "urgent": False}
    assert contact_body(change(Action.UNLINK, 900, C), known) == {**tie, "urgent": True}


@pytest.mark.parametrize("one", [create(B), change(Action.LINK, 900, B)], ids=["create", "link"])
def test_a_contact_waits_for_its_student(one: Change) -> None:
    with pytest.raises(VxError, match="waits for the record of student 2"):
        contact_body(one, {A: 501})


# --- writes that go well


def test_a_contact_lives(sandbox: Sandbox) -> None:
    contact = send(sandbox, create(A, B))
    assert held(sandbox) == {contact: [A, B]}
    assert send(sandbox, change(Action.UPDATE, contact, title="Dr.")) == contact
    assert send(sandbox, change(Action.LINK, contact, C)) == contact
    assert held(sandbox) == {contact: [A, B, C]}
    for student in (A, B):
        send(sandbox, change(Action.UNLINK, contact, student))
    assert held(sandbox) == {contact: [C]}
    (record,) = sandbox.school.orah["contact"]
    assert (record["title"], record["mobile_phone"]) == ("Dr.", "555-0100")
    assert send(sandbox, change(Action.UNLINK, contact, C)) == contact
    assert held(sandbox) == {}
    assert [entry.action for entry in sandbox.journal.writes] == ["create", *["update"] * 4, "delete"]


def test_what_is_so_already_is_not_written_again(sandbox: Sandbox) -> None:
    put(sandbox, 900, A)
    send(sandbox, change(Action.LINK, 900, A))
    send(sandbox, change(Action.UNLINK, 900, B))
    send(sandbox, change(Action.UNLINK, 999, A))
    assert sandbox.journal.writes == ()
    assert held(sandbox) == {900: [A]}


def test_a_contact_that_is_gone_cannot_be_tied(sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError):
        send(sandbox, change(Action.LINK, 999, A))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    now=st.sets(st.sampled_from([A, B, C]), min_size=1),
    steps=st.lists(
        st.tuples(st.sampled_from([Action.LINK, Action.UNLINK]), st.sampled_from([A, B, C])), max_size=4
    ),
)
def test_only_the_one_student_is_tied_or_parted_whatever_is_there(
    sandbox: Sandbox, now: set[int], steps: list[tuple[Action, int]]
) -> None:
    sandbox.school.orah["contact"].clear()
    put(sandbox, 900, *sorted(now))
    for action, student in steps:
        if not now and action is Action.LINK:
            continue
        send(sandbox, change(action, 900, student))
        now = now | {student} if action is Action.LINK else now - {student}
        assert held(sandbox) == ({900: sorted(now)} if now else {})


# --- answers that are lost


def cases(sandbox: Sandbox) -> dict[str, Change]:
    put(sandbox, 900, A)
    put(sandbox, 901, A, B)
    return {
        "create": create(A, B),
        "update": change(Action.UPDATE, 900, title="Dr."),
        "link": change(Action.LINK, 900, B),
        "unlink": change(Action.UNLINK, 901, A),
        "last": change(Action.UNLINK, 900, A),
        "delete": change(Action.DELETE, 900),
    }


WRITES = {
    "create": "create",
    "update": "update",
    "link": "update",
    "unlink": "update",
    "last": "delete",
    "delete": "delete",
}


@pytest.mark.parametrize("which", WRITES)
def test_a_lost_answer_is_settled_by_reading_back(sandbox: Sandbox, which: str) -> None:
    one = cases(sandbox)[which]
    trouble(sandbox, FaultKind.ANSWER_LOST, WRITES[which])
    with pytest.raises(LostAnswerError):
        send(sandbox, one)
    result, contact = read_back(sandbox, one)
    assert result is Result.CONFIRMED
    assert contact == (max(held(sandbox)) if which == "create" else one.target_id)
    assert len(sandbox.journal.writes) == 1


@pytest.mark.parametrize("which", WRITES)
def test_a_lost_request_is_told_from_a_lost_answer(sandbox: Sandbox, which: str) -> None:
    one = cases(sandbox)[which]
    sandbox.school.orah["contact"][0]["mobile_phone"] = None
    for contact in sandbox.school.orah["contact"]:
        contact["first_name"] = "Another"
    trouble(sandbox, FaultKind.REQUEST_LOST, WRITES[which])
    with pytest.raises(LostAnswerError):
        send(sandbox, one)
    assert read_back(sandbox, one) == (Result.ABSENT, None)
    assert sandbox.journal.writes == ()


@pytest.mark.parametrize("which", WRITES)
def test_reading_back_sees_that_a_write_had_no_effect(sandbox: Sandbox, which: str) -> None:
    one = cases(sandbox)[which]
    for contact in sandbox.school.orah["contact"]:
        contact["first_name"] = "Another"
    trouble(sandbox, FaultKind.NO_EFFECT, WRITES[which])
    if one.urgent:
        with pytest.raises(ServiceError, match=f"still has contact {one.target_id}"):
            send(sandbox, one)
    else:
        send(sandbox, one)
    assert read_back(sandbox, one) == (Result.ABSENT, None)


def test_a_lost_read_before_a_write_writes_nothing(sandbox: Sandbox) -> None:
    put(sandbox, 900, A, B)
    trouble(sandbox, FaultKind.REQUEST_LOST, "get-single", times=None)
    with pytest.raises(VxError):
        send(sandbox, change(Action.UNLINK, 900, A))
    assert sandbox.journal.writes == ()


def test_a_new_contact_is_found_though_one_of_its_students_is_gone(sandbox: Sandbox) -> None:
    one = create(A, B)
    wanted = intent(sandbox, one)
    put(sandbox, 900, B)
    gone = records(sandbox)[A]
    sandbox.school.orah["student"][:] = [
        student for student in sandbox.school.orah["student"] if student["id"] != gone
    ]
    assert run(sandbox, lambda orah: read_back_contact(orah, wanted)) == (Result.CONFIRMED, 900)


# --- what the journal remembers


def note(journal: Journal, one: Change, result: Result | None, contact: int | None = None) -> None:
    body = contact_body(one, {A: 501, B: 502, C: 503})
    number = record_intent(
        journal, school="north", at=NOW, system="orah", entity="contact", action=one.action.value,
        key=one.key, target_id=one.target_id, body=body, cause="plan",
    )  # fmt: skip
    if result:
        record_outcome(journal, number, result, at=NOW, target_id=contact)


def test_the_journal_remembers_whose_contacts_are_ours(journal: Journal) -> None:
    note(journal, create(A, B), Result.DONE, 900)
    memory = contact_memory(journal, "north")
    assert (memory.written, memory.ours, memory.given_up) == ({10: 900}, frozenset({900}), frozenset())
    note(journal, change(Action.UNLINK, 900, A), Result.CONFIRMED)
    memory = contact_memory(journal, "north")
    assert (memory.given_up, memory.custody_ended) == (frozenset({900}), frozenset({(A, 10)}))
    note(journal, create(B), Result.DONE, 905)
    assert contact_memory(journal, "north").written == {10: 905}
    assert contact_memory(journal, "south").written == {}


def test_what_did_not_land_makes_nothing_ours_but_parts_for_good(journal: Journal) -> None:
    note(journal, create(A), Result.ABSENT)
    note(journal, change(Action.UPDATE, 901, title="Dr."), Result.FAILED)
    note(journal, change(Action.UNLINK, 902, B), None)
    memory = contact_memory(journal, "north")
    assert (memory.written, memory.custody_ended) == ({}, frozenset({(B, 10)}))


def test_the_journal_knows_whose_contacts_were_written(journal: Journal) -> None:
    note(journal, create(A, B), Result.DONE, 900)
    note(journal, change(Action.LINK, 901, C), None)
    note(journal, change(Action.UPDATE, 902, title="Dr."), Result.FAILED)
    assert contact_writes(journal, "north", NOW) == [
        ContactWrite(NOW, 900, frozenset({501, 502})),
        ContactWrite(NOW, 901, frozenset({503})),
        ContactWrite(NOW, 902, frozenset()),
    ]
    assert contact_writes(journal, "north", NOW.replace(hour=16)) == []
