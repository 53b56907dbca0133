"""Every kind of fault does what the table says, to the requests it is meant for, and no longer than it should."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.sandbox.faults import FaultBox
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.sandbox.clients import Caller

Row = dict[str, Any]
STUDENTS = "*/students"


def order(caller: Caller, kind: FaultKind, **fields: Any) -> None:
    caller.sandbox.add_fault(Fault(kind, **{"path": STUDENTS, **fields}))


def held(caller: Caller) -> list[Row]:
    return caller.sandbox.school.veracross["list_students"]


# --- which requests are hit


@given(
    after=st.integers(0, 5),
    times=st.one_of(st.none(), st.integers(1, 5)),
    requests=st.integers(0, 15),
)
def test_a_fault_lets_some_pass_and_then_hits_as_often_as_it_says(
    after: int, times: int | None, requests: int
) -> None:
    box = FaultBox()
    box.add(Fault(FaultKind.STATUS, after=after, times=times))
    hits = [bool(box.claim({FaultKind.STATUS}, "veracross", "GET", "/r/v3/x", 1)) for _ in range(requests)]
    last = requests if times is None else after + times
    assert hits == [after <= number < last for number in range(requests)]


@pytest.mark.parametrize(
    ("fault", "system", "method", "path", "page", "fits"),
    [
        ({}, "veracross", "GET", "/r/v3/students", 1, True),
        ({}, "veracross", "POST", "/r/oauth/token", None, False),
        ({}, "orah", "POST", "/open-api/student/list", None, False),
        ({"path": "*/oauth/token"}, "veracross", "POST", "/r/oauth/token", None, True),
        ({"path": "*/students"}, "veracross", "GET", "/r/v3/boarding/dorms/1/students", 1, True),
        ({"path": "/r/v3/students"}, "veracross", "GET", "/r/v3/boarding/dorms/1/students", 1, False),
        ({"method": "PATCH"}, "veracross", "GET", "/r/v3/students", 1, False),
        ({"page": 2}, "veracross", "GET", "/r/v3/students", 1, False),
        ({"page": 2}, "veracross", "GET", "/r/v3/students", 2, True),
        ({"system": "orah"}, "orah", "POST", "/open-api/student/list", None, True),
    ],
)
def test_addressing(fault: Row, system: str, method: str, path: str, page: int | None, fits: bool) -> None:
    assert Fault(FaultKind.STATUS, **fault).fits(system, method, path, page) is fits


@pytest.mark.parametrize(
    "fields",
    [
        {"system": "nowhere"},
        {"kind": FaultKind.TOKEN_EXPIRED, "system": "orah"},
        {"kind": FaultKind.ROW_REMOVED},
        {"kind": FaultKind.FIELD_DROPPED},
        {"kind": FaultKind.FIELD_RENAMED, "field": "a"},
        {"kind": "status"},
        {"times": 0},
        {"after": -1},
        {"fraction": 1.0},
        {"reset": "later"},
    ],
)
def test_faults_that_make_no_sense(fields: Row) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Fault(**{"kind": FaultKind.STATUS, **fields})


def test_cleared_faults_are_over(caller: Caller) -> None:
    order(caller, FaultKind.STATUS, times=None)
    assert caller.data("/students").status_code == 500
    caller.sandbox.clear_faults()
    assert caller.data("/students").status_code == 200


# --- statuses


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("html", [False, True])
def test_server_errors(caller: Caller, status: int, html: bool) -> None:
    order(caller, FaultKind.STATUS, status=status, html=html)
    answer = caller.data("/students")
    assert answer.status_code == status
    if html:
        assert answer.headers["content-type"].startswith("text/html")
    else:
        assert caller.sandbox.journal.requests[-1].error_id == answer.json()["error_id"]
    assert caller.sandbox.journal.requests[-1].fault == "status"
    assert caller.data("/students").status_code == 200


def test_authorization_server_fails_when_named(caller: Caller) -> None:
    order(caller, FaultKind.STATUS, path="*/oauth/token", status=503)
    assert caller.accounts().status_code == 503
    assert caller.accounts().status_code == 200


def test_error_of_orah_has_its_own_shape(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault(FaultKind.STATUS, system="orah", path="*/student/list", status=503))
    caller.sandbox.add_fault(Fault(FaultKind.RATE_LIMITED, system="orah", path="*/house/list"))
    for route, status in (("student/list", 503), ("house/list", 429)):
        answer = caller.orah(route)
        assert answer.status_code == status
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("reset", ["right", "past", "absent", "date", "garbage"])
def test_rate_limited(caller: Caller, reset: str) -> None:
    now = 1_800_000_000.0
    caller.sandbox.clock = lambda: now
    order(caller, FaultKind.RATE_LIMITED, reset=reset)
    answer = caller.data("/students")
    assert answer.status_code == 429
    assert answer.headers["X-Rate-Limit-Remaining"] == "0"
    said = answer.headers.get("X-Rate-Limit-Reset")
    if reset == "right":
        assert int(said) == now + 180
    elif reset == "past":
        assert int(said) < now
    elif reset == "absent":
        assert said is None
    elif reset == "date":
        assert parsedate_to_datetime(said).timestamp() == now + 180
    else:
        assert not said.isdecimal()
    assert caller.data("/students").status_code == 200


@pytest.mark.parametrize("kind", [FaultKind.TOKEN_EXPIRED, FaultKind.TOKEN_REVOKED])
def test_token_ends_in_the_middle_of_a_read(caller: Caller, kind: FaultKind) -> None:
    order(caller, kind, page=2)
    old = caller.new_token()
    assert len(caller.page("/students", 1, 50, token=old)) == 50
    headers = {"X-Page-Number": "2", "X-Page-Size": "50"}
    assert caller.data("/students", headers=headers, token=old).status_code == 401
    assert caller.data("/parents", token=old).status_code == 401
    new = caller.new_token()
    assert caller.data("/students", headers=headers, token=new).status_code == 200


def test_html_with_200(caller: Caller) -> None:
    order(caller, FaultKind.HTML_PAGE)
    answer = caller.data("/students")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    with pytest.raises(ValueError, match=r"\w"):
        answer.json()


# --- connections


def test_cut_body(caller: Caller) -> None:
    order(caller, FaultKind.CUT_BODY)
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        caller.data("/students")
    assert caller.sandbox.journal.requests[-1].status == 200
    assert caller.data("/students").status_code == 200


def test_request_lost(caller: Caller) -> None:
    order(caller, FaultKind.REQUEST_LOST)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        caller.data("/students")
    last = caller.sandbox.journal.requests[-1]
    assert (last.status, last.fault) == (None, "request_lost")
    assert caller.data("/students").status_code == 200


def test_hang_outlasts_the_client(sandbox: Sandbox) -> None:
    caller = Caller(sandbox, timeout=0.2)
    order(caller, FaultKind.HANG)
    with pytest.raises(httpx.ReadTimeout):
        caller.data("/students")
    assert sandbox.journal.requests[-1].status is None
    assert caller.data("/students").status_code == 200
    caller.http.close()


def test_hang_ends_by_itself(caller: Caller) -> None:
    order(caller, FaultKind.HANG, seconds=0.05)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        caller.data("/students")


def test_stop_does_not_wait_for_hanging_answers(make_sandbox: SandboxFactory) -> None:
    sandbox = make_sandbox(hang_seconds=3600)
    caller = Caller(sandbox, timeout=600)
    caller.new_token()
    order(caller, FaultKind.HANG)
    ended: list[type[BaseException]] = []

    def ask() -> None:
        try:
            caller.data("/students")
        except httpx.TransportError as error:
            ended.append(type(error))

    asking = threading.Thread(target=ask)
    asking.start()
    while not [entry for entry in sandbox.journal.requests if entry.fault == "hang"]:
        time.sleep(0.01)
    sandbox.stop()
    asking.join()
    assert ended
    caller.http.close()


def an_update(caller: Caller) -> tuple[Row, Callable[[], httpx.Response]]:
    row = caller.sandbox.school.veracross["list_class_attendance"][0]
    return row, lambda: caller.patch(row, {"notes": "written"})


def test_answer_lost_after_an_update(caller: Caller) -> None:
    row, update = an_update(caller)
    order(caller, FaultKind.ANSWER_LOST, path="*/attendance/*", method="PATCH")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        update()
    assert row["notes"] == "written"
    assert len(caller.sandbox.journal.writes) == 1
    assert caller.sandbox.journal.requests[-1].status is None


def test_answer_lost_after_a_creation_in_orah(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault(FaultKind.ANSWER_LOST, system="orah", path="*/student/create"))
    before = len(caller.sandbox.school.orah["student"])
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        caller.orah("student/create", {"data": {"first_name": "Ada"}})
    assert len(caller.sandbox.school.orah["student"]) == before + 1


def test_update_without_effect(caller: Caller) -> None:
    row, update = an_update(caller)
    before = dict(row)
    order(caller, FaultKind.NO_EFFECT, path=None)
    assert caller.data("/students").status_code == 200
    assert update().status_code == 204
    assert row == before
    assert not caller.sandbox.journal.writes
    assert update().status_code == 204
    assert row["notes"] == "written"


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_orah_write_without_effect(caller: Caller, action: str) -> None:
    caller.sandbox.add_fault(Fault(FaultKind.NO_EFFECT, system="orah"))
    before = caller.orah_data("student/list")
    body: Row = {} if action == "create" else {"query": {"id": before[0]["id"]}}
    if action != "delete":
        body["data"] = {"first_name": "Ada"}
    assert caller.orah_data(f"student/{action}", body)["model"] == "student"
    assert caller.orah_data("student/list") == before
    assert not caller.sandbox.journal.writes


# --- lists


def test_empty_list(caller: Caller) -> None:
    order(caller, FaultKind.EMPTY_LIST)
    assert caller.page("/students") == []
    assert len(caller.page("/students")) == len(held(caller))


def test_shrunken_list_over_all_pages(caller: Caller) -> None:
    whole = caller.whole("/students", 50)
    order(caller, FaultKind.SHRUNKEN_LIST, fraction=0.75, times=None)
    assert caller.whole("/students", 50) == whole[: int(len(whole) * 0.75)]


def test_orah_lists_shrink_too(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault(FaultKind.EMPTY_LIST, system="orah", path="*/student/list"))
    caller.sandbox.add_fault(Fault(FaultKind.SHRUNKEN_LIST, system="orah", path="*/timeline", page=1))
    query = {"date_range": {"start_date": "2000-01-01"}, "page_size": 200}
    assert caller.orah_data("student/list") == []
    assert len(caller.orah_data("location-record/timeline", {"query": {**query, "page_index": 0}})) == 200


def test_removed_row_hides_its_neighbour_from_a_paging_reader(caller: Caller) -> None:
    before = caller.whole("/students", 50)
    order(caller, FaultKind.ROW_REMOVED, page=1)
    read = caller.whole("/students", 50)
    assert [row["id"] for row in read] == [row["id"] for row in before[:50] + before[51:]]
    assert before[0]["id"] not in {row["id"] for row in held(caller)}
    assert caller.whole("/students", 50) == before[1:]


def test_inserted_row_shows_a_row_twice_to_a_paging_reader(caller: Caller) -> None:
    before = caller.whole("/students", 50)
    order(caller, FaultKind.ROW_INSERTED, page=1)
    read = caller.whole("/students", 50)
    assert [row["id"] for row in read] == [row["id"] for row in before[:50] + before[49:]]
    after = caller.whole("/students", 50)
    assert after[1:] == before
    assert after[0]["id"] not in {row["id"] for row in before}
    assert {**after[0], "id": 0} == {**before[0], "id": 0}


@pytest.mark.parametrize("kind", [FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED])
def test_timeline_shifts(caller: Caller, kind: FaultKind) -> None:
    caller.sandbox.add_fault(Fault(kind, system="orah", path="*/location-record/timeline", page=0))
    query = {"date_range": {"start_date": "2000-01-01"}, "page_size": 50}

    def page(index: int) -> list[int]:
        body = {"query": {**query, "page_index": index}}
        return [row["id"] for row in caller.orah_data("location-record/timeline", body)]

    first, second = page(0), page(1)
    if kind is FaultKind.ROW_INSERTED:
        assert second[0] == first[-1]
        assert page(0)[1:] == first[:-1]
    else:
        assert page(0)[:-1] == first[1:]
        assert page(0)[-1] not in {*first, *second}


def test_duplicated_rows_equal_and_unequal(caller: Caller) -> None:
    plain = caller.page("/students", 1, 10)
    order(caller, FaultKind.DUPLICATED_ROW)
    assert caller.page("/students", 1, 10) == [*plain, plain[0]]
    order(caller, FaultKind.DUPLICATED_ROW, field="last_name", value="Other")
    assert caller.page("/students", 1, 10) == [*plain, {**plain[0], "last_name": "Other"}]
    assert caller.page("/students", 1, 10) == plain


def test_field_faults(caller: Caller) -> None:
    order(caller, FaultKind.FIELD_RENAMED, field="last_name", value="surname")
    rows = caller.page("/students")
    assert all("surname" in row and "last_name" not in row for row in rows)

    order(caller, FaultKind.FIELD_DROPPED, field="campus.id")
    assert all(set(row["campus"]) == {"description"} for row in caller.page("/students"))

    order(caller, FaultKind.FIELD_RETYPED, field="household_id")
    order(caller, FaultKind.FIELD_RETYPED, field="first_name")
    rows = caller.page("/students")
    assert all(isinstance(row["household_id"], str | None) for row in rows)
    assert all(isinstance(row["first_name"], list) for row in rows)
    assert caller.sandbox.journal.requests[-1].fault == "field_retyped field_retyped"

    assert caller.page("/students") == caller.page("/students")
    assert all("last_name" in row and "id" in row["campus"] for row in held(caller))


@pytest.mark.parametrize("value", [None, 0, "123", -5, 1.5, True])
def test_mutated_row(caller: Caller, value: Any) -> None:
    plain = caller.page("/students")
    order(caller, FaultKind.ROW_MUTATED, field="id", value=value, record_id=plain[7]["id"])
    rows = caller.page("/students")
    assert rows[7] == {**plain[7], "id": value}
    assert rows[:7] + rows[8:] == plain[:7] + plain[8:]
    order(caller, FaultKind.ROW_MUTATED, field="last_name", value=None)
    assert caller.page("/students")[0] == {**plain[0], "last_name": None}


def test_faults_of_one_request_come_together(caller: Caller) -> None:
    fault = Fault(FaultKind.SHRUNKEN_LIST, path=STUDENTS, fraction=0.5)
    caller.sandbox.add_fault(fault)
    caller.sandbox.add_fault(replace(fault, kind=FaultKind.DUPLICATED_ROW))
    assert len(caller.page("/students")) == len(held(caller)) // 2 + 1
