"""The stand-in Veracross refuses what the real one refuses."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.rules import GRANTABLE_SCOPES
from vx_pipeline_tests.conftest import SandboxFactory, fresh_school
from vx_pipeline_tests.sandbox.clients import ALL_SCOPES, Caller

Row = dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """A client of a sandbox that many tests share: they change nothing."""
    with Sandbox(school=fresh_school(), rate_limit=100_000) as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.http.close()


def refused(answer: httpx.Response, status: int) -> Row:
    assert answer.status_code == status, answer.text
    body: Row = answer.json()
    assert body["error"]
    assert body["error_id"]
    return body


def some_class(caller: Caller) -> int:
    return int(caller.sandbox.school.veracross["list_class_attendance"][0]["internal_class_id"])


# --- tokens


def test_token_answer(caller: Caller) -> None:
    at = caller.sandbox.clock()
    answer = caller.accounts(scope="students:list households:list")
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"access_token", "created_at", "expires_in", "scope", "token_type"}
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")
    assert body["scope"] == "students:list households:list"
    assert isinstance(body["created_at"], int)
    assert abs(body["created_at"] - at) < 60


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"scope": None}, 400, "invalid_request"),
        ({"scope": ""}, 400, "invalid_request"),
        ({"scope": "students:destroy"}, 400, "invalid_scope"),
        ({"scope": "students:list,households:list"}, 400, "invalid_scope"),
    ],
)
def test_refused_token_requests(
    shared: Caller, changes: dict[str, str | None], status: int, error: str
) -> None:
    body = refused(shared.accounts("oauth/token", **changes), status)
    assert body["error"] == error
    assert body["error_description"]


def test_token_request_must_be_a_form(shared: Caller) -> None:
    url = f"{shared.sandbox.veracross_accounts_url}/{shared.sandbox.school.route}/oauth/token"
    refused(shared.http.post(url, json=shared.token_form()), 415)


def test_client_credentials_in_the_authorization_header_do_not_count(shared: Caller) -> None:
    url = f"{shared.sandbox.veracross_accounts_url}/{shared.sandbox.school.route}/oauth/token"
    ours = shared.sandbox.credentials
    form = {"grant_type": "client_credentials", "scope": "students:list"}
    answer = shared.http.post(url, data=form, auth=(ours.client_id, ours.client_secret))
    assert refused(answer, 401)["error"] == "invalid_client"


def test_token_of_an_unknown_school_and_wrong_method(shared: Caller) -> None:
    base = shared.sandbox.veracross_accounts_url
    refused(shared.http.post(f"{base}/elsewhere/oauth/token", data=shared.token_form()), 404)
    refused(shared.http.get(f"{base}/{shared.sandbox.school.route}/oauth/token"), 405)


def test_scope_that_the_school_did_not_grant(caller: Caller) -> None:
    caller.sandbox.granted_scopes.remove("parents:list")
    assert refused(caller.accounts(scope="students:list parents:list"), 400)["error"] == "invalid_scope"
    caller.new_token("students:list")


def test_default_grant_is_the_contract(shared: Caller) -> None:
    assert set(GRANTABLE_SCOPES) == set(ALL_SCOPES.split())
    assert len(GRANTABLE_SCOPES) == 14


def test_the_eleventh_token_revokes_the_oldest_silently(caller: Caller) -> None:
    tokens = [caller.new_token() for _ in range(11)]
    statuses = [caller.data("/dorms-are-elsewhere", token=token).status_code for token in tokens]
    assert statuses == [401] + [404] * 10


def test_expired_tokens_do_not_count_among_the_ten(caller: Caller) -> None:
    first = caller.new_token()
    caller.sandbox.token_life_seconds = 1
    for _ in range(9):
        caller.new_token()
    now = caller.sandbox.clock() + 10
    caller.sandbox.clock = lambda: now
    caller.new_token()
    assert caller.data("/students", token=first).status_code == 200


def test_introspection_and_revocation(caller: Caller) -> None:
    token = caller.new_token("students:list")
    live = caller.accounts("oauth/introspect", token=token).json()
    assert (live["active"], live["scope"]) == (True, "students:list")
    assert caller.accounts("oauth/revoke", token=token).status_code == 200
    assert caller.accounts("oauth/introspect", token=token).json() == {"active": False}
    refused(caller.data("/students", token=token), 401)
    refused(caller.accounts("oauth/introspect", token=token, client_secret="wrong"), 401)


# --- who may read


def test_four_causes_of_401_in_four_wordings(caller: Caller) -> None:
    url = f"{caller.sandbox.veracross_api_url}/{caller.sandbox.school.route}/v3/students"
    revoked, expired = caller.new_token(), caller.new_token()
    caller.accounts("oauth/revoke", token=revoked)
    answers = [
        caller.http.get(url),
        caller.http.get(url, headers={"Authorization": "Basic abc"}),
        caller.data("/students", token="unknown"),
        caller.data("/students", token=revoked),
        caller.data("/students", token=caller.new_token("parents:list")),
    ]
    later = caller.sandbox.clock() + 3601
    caller.sandbox.clock = lambda: later
    answers.append(caller.data("/students", token=expired))
    wordings = {refused(answer, 401)["error"] for answer in answers}
    assert len(wordings) == 5


def test_token_life_is_kept_to_the_second(make_sandbox: SandboxFactory) -> None:
    caller = Caller(make_sandbox(token_life_seconds=100))
    now = [1_800_000_000.0]
    caller.sandbox.clock = lambda: now[0]
    token = caller.new_token()
    now[0] += 99
    assert caller.data("/students", token=token).status_code == 200
    now[0] += 1
    refused(caller.data("/students", token=token), 401)
    caller.http.close()


def test_reading_scope_does_not_write(caller: Caller) -> None:
    row = caller.sandbox.school.veracross["list_class_attendance"][0]
    refused(caller.patch(row, {"notes": "x"}, token=caller.new_token("classes.attendance:list")), 401)
    assert not caller.sandbox.journal.writes


# --- paging


def test_pages_are_disjoint_whole_and_stable(shared: Caller) -> None:
    held = {row["id"] for row in shared.sandbox.school.veracross["list_students"]}
    first, again = shared.whole("/students", size=37), shared.whole("/students", size=37)
    assert [row["id"] for row in first] == [row["id"] for row in again]
    assert len(first) == len(held)
    assert {row["id"] for row in first} == held


def test_order_says_nothing(shared: Caller) -> None:
    ids = [row["id"] for row in shared.whole("/students")]
    held = [row["id"] for row in shared.sandbox.school.veracross["list_students"]]
    assert ids not in (sorted(ids), sorted(ids, reverse=True), held)


def test_page_size_defaults_to_100_and_there_is_no_total(shared: Caller) -> None:
    answer = shared.data("/students")
    assert set(answer.json()) == {"data"}
    assert len(answer.json()["data"]) == 100
    assert not [name for name in answer.headers if "total" in name.lower() or name.lower() == "link"]


def test_pages_after_the_end_are_empty(shared: Caller) -> None:
    count = len(shared.sandbox.school.veracross["list_students"])
    assert shared.page("/students", 2, count) == []
    assert shared.page("/students", 99) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Page-Size": "0"},
        {"X-Page-Size": "1001"},
        {"X-Page-Size": "ten"},
        {"X-Page-Size": ""},
        {"X-Page-Number": "0"},
        {"X-Page-Number": "-1"},
        {"X-Page-Number": "1.0"},
    ],
)
def test_bad_page_headers(shared: Caller, headers: dict[str, str]) -> None:
    refused(shared.data("/students", headers=headers), 400)


def test_value_lists_come_only_when_asked_for(shared: Caller) -> None:
    assert "value_lists" not in shared.data("/students").json()
    body = shared.data("/students", headers={"X-API-Value-Lists": "include"}).json()
    assert set(body) == {"data", "value_lists"}
    assert {"fields", "items"} <= set(body["value_lists"][0])


# --- paths, methods, forms


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/students/", 404),
        ("GET", "/boarding/dorms/1/students", 404),
        ("GET", "/classes/1/attendance", 404),
        ("GET", "/classes/one/attendance", 404),
        ("POST", "/students", 405),
        ("DELETE", "/students", 405),
        ("GET", "/classes/1/attendance/1", 405),
        ("PUT", "/classes/1/attendance/1", 405),
    ],
)
def test_unknown_paths_and_methods(shared: Caller, method: str, path: str, status: int) -> None:
    answer = shared.data(path, method=method)
    refused(answer, status)
    assert "x-rate-limit-limit" in answer.headers


def test_unknown_school(shared: Caller) -> None:
    url = f"{shared.sandbox.veracross_api_url}/elsewhere/v3/students"
    refused(shared.http.get(url, headers={"Authorization": f"Bearer {shared.token}"}), 404)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/*", 200),
        ("text/html, */*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0.0, text/csv", 406),
    ],
)
def test_accept(shared: Caller, accept: str, status: int) -> None:
    assert shared.data("/students", headers={"Accept": accept}).status_code == status


# --- filters


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "household_id=abc",
        "household_id=",
        "household_id=1&household_id=2",
        "on_or_after_last_modified_date=yesterday",
        "on_or_before_entry_date=2026-13-01",
    ],
)
def test_bad_queries(shared: Caller, query: str) -> None:
    refused(shared.data(f"/students?{query}"), 400)


def test_bad_boolean(shared: Caller) -> None:
    refused(shared.data("/relationships?resident=1"), 400)


def code(caller: Caller, operation: str, field: str, label: str) -> int:
    blocks = caller.sandbox.school.value_lists[operation]
    items = next(block["items"] for block in blocks if field in block["fields"])
    return next(int(item["id"]) for item in items if item["description"] == label)


def has_role(row: Row, role: str) -> bool:
    return role in (row["roles"] or "").split(", ")


Expected = Callable[[Row, Caller], bool]
FILTERS: list[tuple[str, str, str, Expected]] = [
    ("/students", "list_students", "household_id={household_id}", lambda r, c: r["household_id"] == first(c)),
    ("/students", "list_students", "role={role}", lambda r, c: has_role(r, "Student")),
    (
        "/students",
        "list_students",
        "advisor_id={advisor}",
        lambda r, c: (r["advisor"] or {}).get("id") == advisor(c),
    ),
    (
        "/students",
        "list_students",
        "on_or_before_exit_date=2100-01-01",
        lambda r, c: r["exit_date"] is not None,
    ),
    (
        "/staff_faculty",
        "list_staff_faculty",
        "school_level={level}",
        lambda r, c: code(c, "list_staff_faculty", "school_level", "Upper School") in r["school_levels"],
    ),
    ("/parents", "list_parents", "include_deceased=true", lambda r, c: True),
    (
        "/parents",
        "list_parents",
        "role=Faculty&include_deceased=true",
        lambda r, c: has_role(r, "Faculty"),
    ),
    ("/relationships", "list_relationships", "resident=true", lambda r, c: r["resident"] is True),
    ("/relationships", "list_relationships", "person_id={person}", lambda r, c: r["person_id"] == person(c)),
    (
        "/relationships",
        "list_relationships",
        "role={role}",
        lambda r, c: r["person_id"] in current_students(c),
    ),
    ("/contact_info", "list_contact_info", "role={role}", lambda r, c: r["id"] in current_students(c)),
    (
        "/boarding/dorms",
        "list_boarding_dorms",
        "school_year={year}",
        lambda r, c: r["school_year"] == year(c),
    ),
    ("/classes", "list_classes", "course_type={athletics}", lambda r, c: r["class_id"].startswith("TEAM-")),
    (
        "/academics/enrollments",
        "list_academics_enrollments",
        "currently_enrolled=false",
        lambda r, c: r["currently_enrolled"] is False,
    ),
    (
        "/academics/enrollments",
        "list_academics_enrollments",
        "school_year={year}",
        lambda r, c: r["internal_class_id"] in classes_of(c, year(c)),
    ),
    (
        "/athletics/rosters",
        "list_athletics_rosters",
        "sport={soccer}",
        lambda r, c: r["internal_class_id"] in teams_named(c, "Soccer"),
    ),
]


def first(caller: Caller) -> int:
    return int(caller.sandbox.school.veracross["list_students"][0]["household_id"])


def person(caller: Caller) -> int:
    return int(caller.sandbox.school.veracross["list_relationships"][0]["person_id"])


def advisor(caller: Caller) -> int:
    rows = caller.sandbox.school.veracross["list_students"]
    return next(int(row["advisor"]["id"]) for row in rows if row["advisor"] and row["advisor"]["id"])


def year(caller: Caller) -> int:
    return int(caller.sandbox.school.veracross["list_boarding_dorms"][0]["school_year"])


def current_students(caller: Caller) -> set[int]:
    rows = caller.sandbox.school.veracross["list_students"]
    return {row["id"] for row in rows if has_role(row, "Student")}


def classes_of(caller: Caller, school_year: int) -> set[int]:
    rows = caller.sandbox.school.veracross["list_classes"]
    return {row["id"] for row in rows if row["school_year"] == school_year}


def teams_named(caller: Caller, sport: str) -> set[int]:
    rows = caller.sandbox.school.veracross["list_classes"]
    return {row["id"] for row in rows if row["class_id"].startswith("TEAM-") and sport in row["description"]}


@pytest.mark.parametrize(("path", "operation", "query", "expected"), FILTERS)
def test_filters(shared: Caller, path: str, operation: str, query: str, expected: Expected) -> None:
    query = query.format(
        household_id=first(shared),
        advisor=advisor(shared),
        person=person(shared),
        year=year(shared),
        role=code(shared, "list_students", "role", "Student"),
        level=code(shared, "list_staff_faculty", "school_level", "Upper School"),
        athletics=code(shared, "list_classes", "course.course_type", "Athletics"),
        soccer=code(shared, "list_athletics_rosters", "sport", "Soccer"),
    )
    held = shared.sandbox.school.veracross[operation]
    wanted = {row["id"] for row in held if expected(row, shared)}
    assert wanted
    assert {row["id"] for row in shared.whole(f"{path}?{query}")} == wanted


def test_every_filter_of_the_contract_is_understood(shared: Caller) -> None:
    from vx_pipeline.sandbox.contract import operations

    samples = {"number": "1", "boolean": "true"}
    for described in operations().values():
        path = described["path"].replace("{internal_dorm_id}", str(dorm(shared)))
        path = path.replace("{internal_class_id}", str(some_class(shared)))
        for name, kind in described.get("query", {}).items():
            sample = samples.get(kind) or ("2026-01-01" if "date" in name else "A")
            assert shared.data(f"{path}?{name}={sample}").status_code == 200, (path, name)


def dorm(caller: Caller) -> int:
    return int(caller.sandbox.school.veracross["list_boarding_dorms"][0]["id"])


def test_deceased_parents_are_left_out_unless_asked_for(shared: Caller) -> None:
    deceased = {
        row["related_person_id"]
        for row in shared.sandbox.school.veracross["list_relationships"]
        if row["related_person_is_deceased"]
    }
    usual = {row["id"] for row in shared.whole("/parents")}
    everybody = {row["id"] for row in shared.whole("/parents?include_deceased=true")}
    assert everybody - usual == deceased & everybody
    assert everybody - usual
    assert {row["id"] for row in shared.whole("/parents?include_deceased=false")} == usual


def test_date_bounds_are_included(shared: Caller) -> None:
    rows = shared.sandbox.school.veracross["list_students"]
    stamp = sorted(row["last_modified_date"] for row in rows)[len(rows) // 2]
    for text in (stamp, stamp.replace("Z", "")):
        after = shared.whole(f"/students?on_or_after_last_modified_date={text}")
        before = shared.whole(f"/students?on_or_before_last_modified_date={text}")
        assert {row["id"] for row in after} == {r["id"] for r in rows if r["last_modified_date"] >= stamp}
        assert {row["id"] for row in before} == {r["id"] for r in rows if r["last_modified_date"] <= stamp}
    day = stamp[:10]
    until = shared.whole(f"/students?on_or_before_last_modified_date={day}")
    assert {row["id"] for row in until} == {r["id"] for r in rows if r["last_modified_date"][:10] <= day}


def test_fan_out_brings_just_the_parents_rows(shared: Caller) -> None:
    class_id, dorm_id = some_class(shared), dorm(shared)
    attendance = shared.whole(f"/classes/{class_id}/attendance")
    assert {row["internal_class_id"] for row in attendance} == {class_id}
    beds = shared.whole(f"/boarding/dorms/{dorm_id}/students")
    assert {row["dorm_id"] for row in beds} <= {dorm_id}
    day = attendance[0]["attendance_date"]
    of_day = shared.whole(f"/classes/{class_id}/attendance?attendance_date={day}")
    assert {row["id"] for row in of_day} == {r["id"] for r in attendance if r["attendance_date"] == day}


# --- rate window


def test_rate_window_of_a_token(make_sandbox: SandboxFactory) -> None:
    caller = Caller(make_sandbox(rate_limit=3, rate_window_seconds=180))
    now = [1_800_000_000.5]
    caller.sandbox.clock = lambda: now[0]
    token, other = caller.new_token(), caller.new_token()

    def ask(path: str = "/students", token: str = token) -> tuple[int, int, int, int]:
        answer = caller.data(path, token=token)
        limits = (int(answer.headers[f"X-Rate-Limit-{name}"]) for name in ("Limit", "Remaining", "Reset"))
        return answer.status_code, *limits  # type: ignore[return-value]

    assert ask() == (200, 3, 2, 1_800_000_181)
    now[0] += 100
    assert ask("/nothing") == (404, 3, 1, 1_800_000_181)
    assert ask() == (200, 3, 0, 1_800_000_181)
    assert ask() == (429, 3, 0, 1_800_000_181)
    assert ask(token=other)[0] == 200
    now[0] += 79.9
    assert ask()[0] == 429
    now[0] += 0.1
    assert ask() == (200, 3, 2, 1_800_000_361)
    refused_body = [entry.status for entry in caller.sandbox.journal.requests if entry.status == 429]
    assert len(refused_body) == 2
    caller.http.close()


def test_limit_is_300_in_180_seconds(shared: Caller) -> None:
    plain = Sandbox(school=shared.sandbox.school)
    assert (plain.rate_limit, plain.rate_window_seconds, plain.token_life_seconds) == (300, 180, 3600)


# --- the update


@pytest.fixture
def row(caller: Caller) -> Row:
    return caller.sandbox.school.veracross["list_class_attendance"][5]


def test_update_changes_the_given_fields_only(caller: Caller, row: Row) -> None:
    late = code(caller, "list_class_attendance", "status", "Late")
    before = dict(row)
    caller.sandbox.clock = lambda: 1_900_000_000.0
    assert caller.patch(row, {"status": late, "notes": "Bus"}).status_code == 204
    assert row == {**before, "status": late, "notes": "Bus", "last_modified_date": "2030-03-17T17:46:40Z"}
    (write,) = caller.sandbox.journal.writes
    assert (write.system, write.entity, write.action, write.target_id) == (
        "veracross",
        "class_attendance",
        "update",
        row["id"],
    )
    assert write.before == {"status": before["status"], "notes": before["notes"]}
    assert write.after == {"status": late, "notes": "Bus"}


@pytest.mark.parametrize(
    "data",
    [
        {"student_id": 1},
        {"last_modified_date": "2026-01-01T00:00:00Z"},
        {"start_time": "2026-01-01T00:00:00"},
        {"colour": "red"},
        {"status": 999_999},
        {"status": "Late"},
        {"status": True},
        {"notes": 5},
        {"block": 5},
        {"block": {"colour": "red"}},
        {"attendance_date": "yesterday"},
    ],
)
def test_refused_updates(shared: Caller, data: Row) -> None:
    row = shared.sandbox.school.veracross["list_class_attendance"][5]
    before = dict(row)
    refused(shared.patch(row, data), 400)
    assert row == before
    assert not shared.sandbox.journal.writes


def test_a_row_can_be_given_back_as_one_that_nobody_took(caller: Caller, row: Row) -> None:
    assert caller.patch(row, {"status": None, "notes": None}).status_code == 204
    assert (row["status"], row["notes"]) == (None, None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"status": 1}', b'{"data": []}', b'{"data": {}, "more": 1}']
)
def test_malformed_updates(shared: Caller, content: bytes) -> None:
    row = shared.sandbox.school.veracross["list_class_attendance"][5]
    path = f"/classes/{row['internal_class_id']}/attendance/{row['id']}"
    headers = {"Content-Type": "application/json"}
    refused(shared.data(path, method="PATCH", content=content, headers=headers), 400)


def test_update_of_an_unknown_row_or_in_another_class(shared: Caller) -> None:
    row = shared.sandbox.school.veracross["list_class_attendance"][5]
    refused(shared.patch({**row, "id": 1}, {"notes": "x"}), 404)
    refused(shared.patch({**row, "internal_class_id": 1}, {"notes": "x"}), 404)


def test_notes_can_be_emptied(caller: Caller, row: Row) -> None:
    row["notes"] = "Bus"
    assert caller.patch(row, {"notes": None}).status_code == 204
    assert row["notes"] is None


# --- the school is live, and everything is remembered


def test_deleted_rows_just_vanish(caller: Caller) -> None:
    rows = caller.sandbox.school.veracross["list_students"]
    gone = rows.pop()
    assert gone["id"] not in {row["id"] for row in caller.whole("/students")}
    assert len(caller.whole("/students")) == len(rows)


def test_journal_tells_tokens_apart_and_keeps_no_secret(caller: Caller) -> None:
    token = caller.new_token("students:list")
    caller.page("/students?campus_id=1", 2, 50, token=token)
    caller.data("/parents", token=token)
    asked, read, denied = caller.sandbox.journal.requests
    assert (asked.path, asked.scopes, asked.token_id) == (
        f"/{caller.sandbox.school.route}/oauth/token",
        ("students:list",),
        None,
    )
    assert (read.system, read.method, read.status, read.page, read.page_size) == (
        "veracross",
        "GET",
        200,
        2,
        50,
    )
    assert (read.query, read.token_id, read.scopes) == ("campus_id=1", "token-1", ("students:list",))
    assert (denied.status, denied.token_id) == (401, "token-1")
    assert denied.error_id
    assert denied.body_size > 0
    shown = repr(caller.sandbox.journal.requests) + repr(caller.sandbox.credentials)
    assert token not in shown
    assert caller.sandbox.credentials.client_secret not in shown
    caller.sandbox.journal.clear()
    assert caller.sandbox.journal.requests == ()


def test_date_header_follows_the_clock(caller: Caller) -> None:
    caller.sandbox.clock = lambda: 1_900_000_000.0
    assert caller.data("/students").headers["Date"] == "Sun, 17 Mar 2030 17:46:40 GMT"
