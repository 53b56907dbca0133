"""The stand-in Orah refuses what is not known to work."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.sandbox.clients import Caller

Row = dict[str, Any]
LONG_AGO = {"date_range": {"start_date": "2000-01-01T00:00:00.000Z"}}


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """A client of a sandbox that many tests share: they change nothing."""
    with Sandbox(school=fresh_school()) as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.http.close()


def refused(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["message"]


def a_student(caller: Caller) -> Row:
    return caller.sandbox.school.orah["student"][0]


# --- being let in


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post(shared: Caller, method: str) -> None:
    headers = {"Authorization": f"Bearer {shared.sandbox.credentials.orah_api_key}"}
    refused(
        shared.http.request(method, f"{shared.sandbox.orah_api_url}/open-api/student/list", headers=headers),
        405,
    )


@pytest.mark.parametrize(
    "route", ["contact/list", "leave/list", "house/get-single", "roll/create", "staff/list", "student"]
)
def test_routes_that_do_not_exist(shared: Caller, route: str) -> None:
    refused(shared.orah(route), 404)


def test_key_is_needed(shared: Caller) -> None:
    url = f"{shared.sandbox.orah_api_url}/open-api/student/list"
    refused(shared.http.post(url, json={}), 401)
    refused(shared.orah("student/list", key="wrong"), 401)


def test_entity_that_is_not_permitted(caller: Caller) -> None:
    caller.sandbox.orah_forbidden.add("student")
    refused(caller.orah("student/list"), 403)
    refused(caller.orah("student/create", {"data": {"first_name": "A"}}), 403)
    assert caller.orah("house/list").status_code == 200


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b'{"query": []}', b'{"data": []}'])
def test_malformed_bodies(shared: Caller, content: bytes) -> None:
    headers = {
        "Authorization": f"Bearer {shared.sandbox.credentials.orah_api_key}",
        "Content-Type": "application/json",
    }
    url = f"{shared.sandbox.orah_api_url}/open-api/student/list"
    refused(shared.http.post(url, content=content, headers=headers), 400)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("student/list", {"filter": {}}),
        ("student/list", {"query": {"house": 1}}),
        ("student/list", {"query": {"deactivated": "yes"}}),
        ("student/list", {"data": {}}),
        ("student/list", {"query": {"page_size": 10}}),
        ("house/list", {"query": {"deactivated": True}}),
        ("location/tree", {"query": {"nested": 1}}),
        ("location-record/timeline", {}),
        ("location-record/timeline", {"query": {}}),
        ("location-record/timeline", {"query": {"date_range": {}}}),
        ("location-record/timeline", {"date_range": {"start_date": "2026-01-01"}}),
        ("location-record/timeline", {"query": {"date_range": {"start_date": "soon"}}}),
        ("location-record/timeline", {"query": {"date_range": {"start_date": "2026-01-01T10:00:00"}}}),
        ("location-record/timeline", {"query": {**LONG_AGO, "page_size": 0}}),
        ("location-record/timeline", {"query": {**LONG_AGO, "page_size": 201}}),
        ("location-record/timeline", {"query": {**LONG_AGO, "page_index": -1}}),
        ("location-record/timeline", {"query": {**LONG_AGO, "page_index": "0"}}),
        ("location-record/timeline", {"query": LONG_AGO, "page_size": 50}),
        ("location-record/timeline", {"query": {**LONG_AGO, "status": "All"}}),
        ("roll/timeline", {"query": {**LONG_AGO, "status": 1}}),
        ("student/get-single", {}),
        ("student/get-single", {"query": {"id": "7"}}),
        ("student/get-single", {"query": {"id": True}}),
        ("student/create", {}),
        ("student/create", {"first_name": "A"}),
        ("student/create", {"data": {"last_name": "B"}}),
        ("student/create", {"data": {"first_name": " "}}),
        ("student/create", {"data": {"first_name": "A", "birthday": "2010-01-01"}}),
        ("student/create", {"data": {"first_name": "A", "id": 7}}),
        ("student/create", {"data": {"first_name": "A", "house": 7}}),
        ("student/create", {"data": {"first_name": "A", "house": {"id": 1}}}),
        ("student/create", {"data": {"first_name": "A", "sis_id": 7}}),
        ("student/create", {"data": {"first_name": "A", "deactivated": "no"}}),
        ("student/create", {"data": {"first_name": "A", "student_type": "Night"}}),
        ("student/create", {"query": {"id": 1}, "data": {"first_name": "A"}}),
        ("house/create", {"data": {}}),
        ("house/create", {"data": {"name": ""}}),
        ("house/create", {"data": {"name": "A", "colour": "red"}}),
        ("contact/create", {"data": {"first_name": "A"}}),
        ("contact/create", {"data": {"first_name": "A", "students": []}}),
        ("contact/create", {"data": {"first_name": "A", "students": [{"id": 1}]}}),
        ("contact/list-by-student", {}),
        ("leave/create", {"data": {"start_time": "2026-01-01T10:00:00Z"}}),
        ("student/update-location", {"query": {"id": 1}}),
    ],
)
def test_requests_that_are_refused(shared: Caller, route: str, body: Row) -> None:
    refused(shared.orah(route, body), 400)
    assert not shared.sandbox.journal.writes


@pytest.mark.parametrize("route", ["student", "contact", "leave", "roll"])
def test_unknown_ids(shared: Caller, route: str) -> None:
    refused(shared.orah(f"{route}/get-single", {"query": {"id": 1}}), 404)
    if route != "roll":
        refused(shared.orah(f"{route}/update", {"query": {"id": 1}, "data": {}}), 404)
        refused(shared.orah(f"{route}/delete", {"query": {"id": 1}}), 404)


# --- lists


@pytest.mark.parametrize(
    ("route", "model"),
    [("student/list", "student"), ("house/list", "house"), ("leave-type/list", "leave_type")],
)
def test_lists_are_complete_and_keep_private_keys(shared: Caller, route: str, model: str) -> None:
    rows = shared.orah_data(route)
    assert {row["id"] for row in rows} == {row["id"] for row in shared.sandbox.school.orah[model]}
    assert {row["model"] for row in rows} == {model}
    assert not [name for row in rows for name in row if name.startswith("_")]


def test_students_by_deactivation(shared: Caller) -> None:
    everybody = shared.orah_data("student/list")
    for wanted in (True, False):
        rows = shared.orah_data("student/list", {"query": {"deactivated": wanted}})
        assert rows == [row for row in everybody if row["deactivated"] is wanted]
        assert rows


def test_locations_flat_and_nested(shared: Caller) -> None:
    held = {row["id"] for row in shared.sandbox.school.orah["location"]}
    flat = shared.orah_data("location/tree", {"query": {"nested": False}})
    assert {row["id"] for row in flat} == held
    assert not [row for row in flat if "child_locations" in row or "_parent_id" in row]

    def walk(rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            yield from walk(row["child_locations"])

    nested = shared.orah_data("location/tree", {"query": {"nested": True}})
    assert sorted(row["id"] for row in walk(nested)) == sorted(held)
    assert len(nested) < len(held)
    assert not [row for row in walk(nested) if "_parent_id" in row]


def test_timeline_pages(shared: Caller) -> None:
    held = shared.sandbox.school.orah["location_record"]
    seen: list[Row] = []
    index = 0
    while True:
        query = {**LONG_AGO, "page_size": 200, "page_index": index}
        page = shared.orah_data("location-record/timeline", {"query": query})
        seen += page
        index += 1
        if len(page) < 200:
            break
    assert sorted(row["id"] for row in seen) == sorted(row["id"] for row in held)
    times = [row["record_time"] for row in seen]
    assert times == sorted(times, reverse=True)
    assert len(shared.orah_data("location-record/timeline", {"query": LONG_AGO})) == 50
    last = shared.sandbox.journal.requests[-2]
    assert (last.system, last.page, last.page_size, last.token_id) == ("orah", index - 1, 200, "orah-key")


def test_timeline_range_includes_both_ends(shared: Caller) -> None:
    held = sorted(row["record_time"] for row in shared.sandbox.school.orah["location_record"])
    start, end = held[10], held[20]
    query = {"date_range": {"start_date": start, "end_date": end}}
    rows = shared.orah_data("location-record/timeline", {"query": query})
    assert len(rows) == len([time for time in held if start <= time <= end])


def test_rolls_by_status(shared: Caller) -> None:
    held = len(shared.sandbox.school.orah["roll"])
    assert len(shared.orah_data("roll/timeline", {"query": {**LONG_AGO, "status": "All"}})) == held
    assert len(shared.orah_data("roll/timeline", {"query": {**LONG_AGO, "status": "Completed"}})) == held
    assert shared.orah_data("roll/timeline", {"query": {**LONG_AGO, "status": "Open"}}) == []
    roll = shared.sandbox.school.orah["roll"][0]
    assert shared.orah_data("roll/get-single", {"query": {"id": roll["id"]}})["id"] == roll["id"]
    assert shared.orah_data("pastoral/timeline", {"query": LONG_AGO}) == []


def test_current_location_is_the_latest(shared: Caller) -> None:
    latest: dict[int, str] = {}
    for row in shared.sandbox.school.orah["location_record"]:
        student = row["student"]["id"]
        latest[student] = max(latest.get(student, ""), row["record_time"])
    rows = shared.orah_data("location-record/get-current")
    assert {row["student"]["id"]: row["record_time"] for row in rows} == latest


# --- writes


def test_student_from_creation_to_deletion(caller: Caller) -> None:
    house = caller.sandbox.school.orah["house"][0]
    now = [1_800_000_000.25]
    caller.sandbox.clock = lambda: now[0]
    data = {"first_name": "Ada", "last_name": None, "sis_id": "77", "house": {"id": house["id"]}}
    made = caller.orah_data("student/create", {"data": data})
    assert made["house"] == {"id": house["id"], "sis_id": house["sis_id"]}
    assert (made["model"], made["sis_id"], made["deactivated"]) == ("student", "77", False)
    assert made["created_at"] == made["updated_at"] == "2027-01-15T08:00:00.250Z"
    assert set(made) == set(caller.orah_data("student/list")[0])

    now[0] += 60
    changed = caller.orah_data(
        "student/update", {"query": {"id": made["id"]}, "data": {"house": None, "deactivated": True}}
    )
    assert changed == {
        **made,
        "house": None,
        "deactivated": True,
        "updated_at": "2027-01-15T08:01:00.250Z",
    }
    assert caller.orah_data("student/get-single", {"query": {"id": made["id"]}}) == changed
    assert caller.orah_data("student/delete", {"query": {"id": made["id"]}}) == changed
    for route in ("get-single", "delete"):
        refused(caller.orah(f"student/{route}", {"query": {"id": made["id"]}}), 404)
    refused(caller.orah("student/update", {"query": {"id": made["id"]}, "data": {}}), 404)

    create, update, delete = caller.sandbox.journal.writes
    assert [w.action for w in (create, update, delete)] == ["create", "update", "delete"]
    assert {w.target_id for w in (create, update, delete)} == {made["id"]}
    assert (create.before, create.after) == ({}, made)
    assert update.before == {"house": made["house"], "deactivated": False}
    assert update.after == {"house": None, "deactivated": True}
    assert (delete.before, delete.after) == (changed, {})

    again = caller.orah_data("student/create", {"data": {"first_name": "Ada"}})
    assert again["id"] != made["id"]


def test_house_with_students_cannot_be_deleted(caller: Caller) -> None:
    house = caller.orah_data("house/create", {"data": {"name": "North", "sis_id": "9"}})
    student = a_student(caller)["id"]
    caller.orah_data("student/update", {"query": {"id": student}, "data": {"house": {"id": house["id"]}}})
    refused(caller.orah("house/delete", {"query": {"id": house["id"]}}), 400)
    caller.orah_data("student/update", {"query": {"id": student}, "data": {"house": None}})
    caller.orah_data("house/delete", {"query": {"id": house["id"]}})
    assert house["id"] not in {row["id"] for row in caller.orah_data("house/list")}


def test_references_show_what_they_name(caller: Caller) -> None:
    house = next(student["house"] for student in caller.orah_data("student/list") if student["house"])
    caller.orah_data("house/update", {"query": {"id": house["id"]}, "data": {"sis_id": "new"}})
    shown = {
        student["house"]["sis_id"]
        for student in caller.orah_data("student/list")
        if student["house"] and student["house"]["id"] == house["id"]
    }
    assert shown == {"new"}


def test_contacts_of_a_student(caller: Caller) -> None:
    student = a_student(caller)["id"]
    data = {"first_name": "Bo", "relationship": "Father", "students": [{"id": student}]}
    made = caller.orah_data("contact/create", {"data": data})
    of_student = {"query": {"student": {"id": student}}}
    assert made["id"] in {row["id"] for row in caller.orah_data("contact/list-by-student", of_student)}
    assert [one["id"] for one in made["students"]] == [student]
    assert not [name for name in made if name.startswith("_")]
    changed = caller.orah_data(
        "contact/update", {"query": {"id": made["id"]}, "data": {"email": "b@example.org"}}
    )
    assert changed["email"] == "b@example.org"
    assert changed["students"] == made["students"]
    caller.orah_data("contact/delete", {"query": {"id": made["id"]}})
    refused(caller.orah("contact/get-single", {"query": {"id": made["id"]}}), 404)
    assert {write.entity for write in caller.sandbox.journal.writes} == {"contact"}
    refused(caller.orah("contact/list-by-student", {"query": {"student": {"id": 1}}}), 404)


def test_leave(caller: Caller) -> None:
    leave_type = caller.sandbox.school.orah["leave_type"][0]
    data = {
        "student": {"id": a_student(caller)["id"]},
        "leave_type": {"id": leave_type["id"]},
        "start_time": "2999-01-01T10:00:00+01:00",
        "end_time": "2999-01-01T12:00:00Z",
    }
    made = caller.orah_data("leave/create", {"data": data})
    assert (made["status"], made["start_time"]) == ("Scheduled", "2999-01-01T09:00:00.000Z")
    assert made["leave_type"] == {name: leave_type[name] for name in ("id", "name", "short_code")}
    earlier = {
        "query": {"id": made["id"]},
        "data": {"start_time": "2020-01-01T10:00:00Z", "status": "Active"},
    }
    assert caller.orah_data("leave/update", earlier)["status"] == "Active"
    assert caller.orah_data("leave/get-single", {"query": {"id": made["id"]}})["status"] == "Active"
    caller.orah_data("leave/delete", {"query": {"id": made["id"]}})
    refused(caller.orah("leave/get-single", {"query": {"id": made["id"]}}), 404)


def test_update_location_makes_a_movement(caller: Caller) -> None:
    student, location = a_student(caller), caller.sandbox.school.orah["location"][3]
    # Before dawn the student's generated movements of today are still to come.
    caller.sandbox.school.orah["location_record"].clear()
    body = {"query": {"id": student["id"]}, "data": {"location": {"id": location["id"]}}}
    made = caller.orah_data("student/update-location", body)
    assert (made["type"], made["location"]["id"]) == ("in", location["id"])
    assert made["student"]["id"] == student["id"]
    current = {row["student"]["id"]: row["id"] for row in caller.orah_data("location-record/get-current")}
    assert current[student["id"]] == made["id"]
    (write,) = caller.sandbox.journal.writes
    assert (write.entity, write.action) == ("location_record", "move")
    unknown = {"query": {"id": student["id"]}, "data": {"location": {"id": 1}}}
    refused(caller.orah("student/update-location", unknown), 400)
