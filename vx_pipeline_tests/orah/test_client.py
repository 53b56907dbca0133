"""The client against the stand-in Orah over real HTTP, and what the stand-in's own journal says of it."""

import asyncio
import gzip
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from vx_pipeline.errors import (
    AccessError,
    IncompleteReadError,
    LostAnswerError,
    NotFoundError,
    ServiceError,
    VxError,
)
from vx_pipeline.orah import OrahClient, assumed
from vx_pipeline.orah.client import Retry
from vx_pipeline.orah.timelines import PAGE_SIZE
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline_tests.conftest import SandboxFactory

TODAY = date(2026, 11, 18)
FROM = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 19, tzinfo=UTC)
FAST = Retry(attempts=3, wait_initial=0.001, wait_max=0.002)
STUDENTS, TIMELINE, UPDATE = "*/student/list", "*/location-record/timeline", "*/student/update"

Work = Callable[[OrahClient], Awaitable[Any]]


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    return make_sandbox(40, today=TODAY)


def client_of(sandbox: Sandbox, **changes: Any) -> AbstractAsyncContextManager[OrahClient]:
    options: dict[str, Any] = {
        "url": sandbox.orah_api_url,
        "api_key": sandbox.credentials.orah_api_key,
        "timeout_seconds": 0.3,
        "retry": FAST,
    }
    return OrahClient(**{**options, **changes})


def use(sandbox: Sandbox, work: Work, **changes: Any) -> Any:
    async def run() -> Any:
        async with client_of(sandbox, **changes) as client:
            return await work(client)

    return asyncio.run(run())


def students(client: OrahClient) -> Awaitable[Any]:
    return client.students()


def movements(client: OrahClient) -> Awaitable[Any]:
    return client.movements(FROM, UNTIL)


def rename(client: OrahClient, record_id: int) -> Awaitable[Any]:
    return client.update("student", record_id, {"first_name": "Renamed"})


def a_student(sandbox: Sandbox) -> dict[str, Any]:
    student: dict[str, Any] = sandbox.school.orah["student"][0]
    return student


def trouble(kind: FaultKind, path: str = STUDENTS, **changes: Any) -> Fault:
    return Fault(kind, system="orah", path=path, **changes)


PASSING = [
    trouble(FaultKind.STATUS, status=500, times=2),
    trouble(FaultKind.STATUS, status=503, times=2),
    trouble(FaultKind.STATUS, status=502, html=True),
    trouble(FaultKind.RATE_LIMITED),
    trouble(FaultKind.HTML_PAGE),
    trouble(FaultKind.CUT_BODY),
    trouble(FaultKind.HANG),
    trouble(FaultKind.REQUEST_LOST),
    trouble(FaultKind.ANSWER_LOST),
]


def named(fault: Fault) -> str:
    return f"{fault.kind} {fault.status}"


# --- reading


def test_lists_come_whole_in_one_request_each(sandbox: Sandbox) -> None:
    a_student(sandbox)["deactivated"] = True

    async def all_lists(client: OrahClient) -> tuple[Any, Any, Any, int]:
        return await client.students(), await client.houses(), await client.locations(), client.requests

    found_students, houses, locations, requests = use(sandbox, all_lists)
    held = sandbox.school.orah
    assert [one["id"] for one in found_students] == [one["id"] for one in held["student"]]
    assert any(one["deactivated"] for one in found_students)
    assert {one["id"] for one in houses} == {one["id"] for one in held["house"]}
    assert {one["state"] for one in locations} == {"on_grounds", "off_grounds", "home"}
    assert requests == len(sandbox.journal.requests) == 3


@pytest.mark.parametrize("fault", PASSING, ids=named)
def test_a_read_survives_trouble_that_passes(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.add_fault(fault)
    assert len(use(sandbox, students)) == len(sandbox.school.orah["student"])
    assert len(sandbox.journal.requests) == 1 + (fault.times or 0)


@pytest.mark.parametrize("fault", PASSING, ids=named)
def test_a_read_gives_up_when_trouble_stays(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.add_fault(trouble(fault.kind, times=None, status=fault.status, html=fault.html))
    with pytest.raises(ServiceError, match="student/list properly, in 3 tries") as caught:
        use(sandbox, students, timeout_seconds=0.1)
    assert len(sandbox.journal.requests) == FAST.attempts
    assert caught.value.kept
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ServiceError), (401, AccessError), (403, AccessError), (404, NotFoundError), (418, ServiceError)],
)
def test_a_refusal_is_final_and_told_by_its_status(
    sandbox: Sandbox, status: int, kind: type[VxError]
) -> None:
    sandbox.add_fault(trouble(FaultKind.STATUS, status=status, times=None))
    with pytest.raises(kind, match=str(status)):
        use(sandbox, students)
    assert len(sandbox.journal.requests) == 1


def test_a_wrong_key_and_a_missing_permission_say_what_to_do(sandbox: Sandbox) -> None:
    with pytest.raises(AccessError, match=r"ORAH_API_KEY.*IP allow-list"):
        use(sandbox, students, api_key="wrong")
    sandbox.orah_forbidden.add("student")
    with pytest.raises(AccessError, match="grants the key this entity"):
        use(sandbox, students)


def test_nobody_listens(sandbox: Sandbox) -> None:
    with pytest.raises(ServiceError, match="ConnectError"):
        use(sandbox, students, url="http://127.0.0.1:1")


def test_one_record(sandbox: Sandbox) -> None:
    student = a_student(sandbox)
    found = use(sandbox, lambda client: client.get("student", student["id"]))
    assert (found["id"], found["first_name"]) == (student["id"], student["first_name"])
    with pytest.raises(NotFoundError):
        use(sandbox, lambda client: client.get("student", 999_999))


# --- bodies that no fault of the stand-in makes


def answered(content: bytes, work: Work, **headers: str) -> Any:
    """What the client makes of a 200 with this body."""

    async def run() -> Any:
        response = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
        async with OrahClient(url="http://127.0.0.1:1", api_key="key", retry=FAST) as client:
            await client._http.aclose()
            client._http = httpx.AsyncClient(transport=response, base_url="http://127.0.0.1:1")
            return await work(client)

    return asyncio.run(run())


@pytest.mark.parametrize("content", [b"", b"[]", b'{"error": {"message": "no"}}', b'"x"', b"\xff\xfe", b"{"])
def test_an_answer_without_the_envelope(content: bytes) -> None:
    with pytest.raises(ServiceError, match="JSON envelope"):
        answered(content, students)
    with pytest.raises(LostAnswerError, match="cannot be read"):
        answered(content, lambda client: rename(client, 7))


@pytest.mark.parametrize("content", [b'{"data": {}}', b'{"data": null}', b'{"data": [1]}', b'{"data": "x"}'])
def test_a_list_that_is_none_is_not_an_empty_list(content: bytes) -> None:
    with pytest.raises(IncompleteReadError):
        answered(content, students)


@pytest.mark.parametrize("content", [b'{"data": []}', b'{"data": {"id": "7"}}', b'{"data": null}'])
def test_a_record_that_is_none(content: bytes) -> None:
    with pytest.raises(ServiceError, match="something else than the record"):
        answered(content, lambda client: client.get("student", 7))
    with pytest.raises(LostAnswerError, match="not a record"):
        answered(content, lambda client: rename(client, 7))


def test_a_body_that_cannot_be_decompressed() -> None:
    broken = gzip.compress(b'{"data": []}')[:-6] + b"broken"
    with pytest.raises(ServiceError, match="DecodingError"):
        answered(broken, students, **{"Content-Encoding": "gzip"})
    with pytest.raises(LostAnswerError, match="DecodingError"):
        answered(broken, lambda client: rename(client, 7), **{"Content-Encoding": "gzip"})


# --- movements


def test_movements_of_many_pages_come_whole(sandbox: Sandbox) -> None:
    held = {record["id"] for record in sandbox.school.orah["location_record"]}
    assert len(held) > 2 * PAGE_SIZE
    found = use(sandbox, movements)
    assert {record["id"] for record in found} == held
    assert len(found) == len(held)


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1])
def test_the_last_page_may_be_full_or_empty(sandbox: Sandbox, count: int) -> None:
    del sandbox.school.orah["location_record"][count:]
    assert len(use(sandbox, movements)) == count


def test_one_page_is_read_once(sandbox: Sandbox) -> None:
    del sandbox.school.orah["location_record"][PAGE_SIZE - 1 :]
    use(sandbox, movements)
    assert len(sandbox.journal.requests) == 1


def test_only_what_lies_between_the_two_moments(sandbox: Sandbox) -> None:
    start = datetime(2026, 11, 17, 12, tzinfo=UTC)
    found = use(sandbox, lambda client: client.movements(start, start + timedelta(days=1)))
    times = [datetime.fromisoformat(record["record_time"]) for record in found]
    assert times
    assert all(start <= at <= start + timedelta(days=1) for at in times)


@pytest.mark.parametrize("kind", [FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED, FaultKind.DUPLICATED_ROW])
def test_movements_that_shift_between_pages_are_read_again(sandbox: Sandbox, kind: FaultKind) -> None:
    sandbox.add_fault(trouble(kind, TIMELINE, page=0))
    found = use(sandbox, movements)
    assert {record["id"] for record in found} == {
        record["id"] for record in sandbox.school.orah["location_record"]
    }


MALFORMED: list[dict[str, Any]] = [
    {"record_time": None},
    {"record_time": "yesterday Plantedname"},
    {"record_time": "0001-01-01T00:00:00+10:00"},
    {"record_time": 1_790_000_000},
    {"type": None},
    {"location": "Plantedname"},
    {"location": {"id": None}},
    {"student": []},
    {"student": {"sis_id": "9"}},
    {"student": {"id": True}},
    {"id": "Plantedname"},
]
GOOD: dict[str, Any] = {"id": 7, "type": "in", "record_time": "2026-11-18T08:00:00.000Z"}


@pytest.mark.parametrize("wrong", MALFORMED, ids=str)
def test_a_malformed_movement_is_told_by_its_id_alone(wrong: dict[str, Any]) -> None:
    records = [{**GOOD, "id": 6}, {**GOOD, **wrong}]
    content = json.dumps({"data": records}).encode()
    name = "without an id" if "id" in wrong else "7"
    with pytest.raises(IncompleteReadError, match=f"location record {name} is malformed") as caught:
        answered(content, movements)
    assert "Plantedname" not in str(caught.value)
    latest = answered(content, lambda client: client.latest_movements())
    assert [record["id"] for record in latest] == [6]


def test_a_movement_may_lack_its_place_and_its_student() -> None:
    (found,) = answered(json.dumps({"data": [GOOD]}).encode(), movements)
    assert found == {**GOOD, "location": None, "student": None}


def test_the_latest_movements_come_in_one_request(sandbox: Sandbox) -> None:
    records = sandbox.school.orah["location_record"]
    found = use(sandbox, lambda client: client.latest_movements())
    assert len(sandbox.journal.requests) == 1
    assert {one["student"]["id"] for one in found} == {one["student"]["id"] for one in records}
    assert len(found) < len(records)


@pytest.mark.parametrize("kind", [FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED, FaultKind.DUPLICATED_ROW])
def test_movements_that_keep_shifting_are_not_used(sandbox: Sandbox, kind: FaultKind) -> None:
    sandbox.add_fault(trouble(kind, TIMELINE, page=0, times=None))
    with pytest.raises(IncompleteReadError, match="4 times in a row"):
        use(sandbox, movements)


def test_a_page_that_fails_for_good_ends_the_read(sandbox: Sandbox) -> None:
    sandbox.add_fault(trouble(FaultKind.STATUS, TIMELINE, page=1, times=None))
    with pytest.raises(ServiceError):
        use(sandbox, movements)


# --- contacts


def test_the_contacts_of_a_student_come_in_one_request(sandbox: Sandbox) -> None:
    contact = sandbox.school.orah["contact"][0]
    student = contact["_student_ids"][0]
    found = use(sandbox, lambda client: client.contacts_of(student))
    assert contact["id"] in {one["id"] for one in found}
    assert all(student in assumed.students_of(one) for one in found)
    assert len(sandbox.journal.requests) == 1
    with pytest.raises(NotFoundError):
        use(sandbox, lambda client: client.contacts_of(999_999))


@pytest.mark.parametrize(
    "wrong", [{"students": None}, {"students": [None]}, {"students": [{"sis_id": "9"}]}, {"id": "8"}], ids=str
)
def test_a_contact_that_does_not_tell_whose_it_is_is_told_by_its_id_alone(wrong: dict[str, Any]) -> None:
    record = {"id": 8, "students": [{"id": 1}], "first_name": "Plantedname", **wrong}
    content = json.dumps({"data": [record]}).encode()
    with pytest.raises(IncompleteReadError, match=r"contact (8|without an id) does not tell") as caught:
        answered(content, lambda client: client.contacts_of(1))
    assert "Plantedname" not in str(caught.value)


# --- writing


def test_a_record_is_created_changed_and_deleted(sandbox: Sandbox) -> None:
    async def life(client: OrahClient) -> None:
        house = await client.create("house", {"name": "New House", "sis_id": "77"})
        student = await client.create(
            "student", {"first_name": "A", "last_name": "B", "sis_id": "9", "house_id": house["id"]}
        )
        assert student["house"] == {"id": house["id"], "sis_id": "77"}
        moved = await client.update("student", student["id"], {"house_id": None, "deactivated": True})
        assert (moved["house"], moved["deactivated"], moved["first_name"]) == (None, True, "A")
        await client.delete("student", student["id"])
        with pytest.raises(NotFoundError):
            await client.update("student", student["id"], {"first_name": "C"})

    use(sandbox, life)
    assert [(entry.entity, entry.action) for entry in sandbox.journal.writes] == [
        ("house", "create"),
        ("student", "create"),
        ("student", "update"),
        ("student", "delete"),
    ]


@pytest.mark.parametrize(
    ("fault", "kind", "lands"),
    [
        (trouble(FaultKind.STATUS, UPDATE, status=500), LostAnswerError, 0),
        (trouble(FaultKind.STATUS, UPDATE, status=503), LostAnswerError, 0),
        (trouble(FaultKind.STATUS, UPDATE, status=400), ServiceError, 0),
        (trouble(FaultKind.STATUS, UPDATE, status=401), AccessError, 0),
        (trouble(FaultKind.STATUS, UPDATE, status=403), AccessError, 0),
        (trouble(FaultKind.STATUS, UPDATE, status=404), NotFoundError, 0),
        (trouble(FaultKind.RATE_LIMITED, UPDATE), ServiceError, 0),
        (trouble(FaultKind.HTML_PAGE, UPDATE), LostAnswerError, 0),
        (trouble(FaultKind.HANG, UPDATE), LostAnswerError, 0),
        (trouble(FaultKind.REQUEST_LOST, UPDATE), LostAnswerError, 0),
        (trouble(FaultKind.ANSWER_LOST, UPDATE), LostAnswerError, 1),
        (trouble(FaultKind.CUT_BODY, UPDATE), LostAnswerError, 1),
    ],
    ids=lambda value: named(value) if isinstance(value, Fault) else "",
)
def test_a_write_is_never_sent_twice(sandbox: Sandbox, fault: Fault, kind: type[VxError], lands: int) -> None:
    sandbox.add_fault(fault)
    with pytest.raises(kind) as caught:
        use(sandbox, lambda client: rename(client, a_student(sandbox)["id"]))
    assert isinstance(caught.value, LostAnswerError) == (kind is LostAnswerError)
    assert len(sandbox.journal.requests) == 1
    assert len(sandbox.journal.writes) == lands


def test_a_write_that_could_not_be_sent_is_not_lost(sandbox: Sandbox) -> None:
    with pytest.raises(ServiceError, match="Nothing was sent") as caught:
        use(sandbox, lambda client: rename(client, 7), url="http://127.0.0.1:1")
    assert not isinstance(caught.value, LostAnswerError)


# --- privacy


def test_neither_key_nor_name_in_logs_messages_or_reprs(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for student in sandbox.school.orah["student"]:
        student["last_name"] = "Plantedname"
    told = []
    for kind in (FaultKind.STATUS, FaultKind.HTML_PAGE, FaultKind.CUT_BODY, FaultKind.REQUEST_LOST):
        sandbox.clear_faults()
        sandbox.add_fault(trouble(kind, "*", times=None))
        for work in (
            students,
            movements,
            lambda client: client.update("student", 7, {"last_name": "Planted"}),
        ):
            with pytest.raises(VxError) as caught:
                use(sandbox, work)
            told += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
    sandbox.clear_faults()
    told.append(repr(OrahClient(url=sandbox.orah_api_url, api_key=sandbox.credentials.orah_api_key)))
    everything = "\n".join([*told, caplog.text])
    assert "student/list" in everything
    assert sandbox.credentials.orah_api_key not in everything
    assert "Planted" not in everything
