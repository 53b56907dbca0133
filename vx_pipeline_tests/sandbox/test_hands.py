"""What people of a school do in the stand-ins: over the control address and in process, never in the journal."""

from typing import Any

import httpx
import pytest

from vx_pipeline.sandbox.messages import Refusal
from vx_pipeline_tests.sandbox.clients import Caller

Row = dict[str, Any]
START, END = "2999-01-01T10:00:00.000Z", "2999-01-01T12:00:00.000Z"
MOVE, LEAVE, ROLL = "/orah/location-record", "/orah/leave", "/orah/roll"
LATER = {"date_range": {"start_date": "2998-01-01"}}


def held(caller: Caller, model: str, number: int = 0) -> Row:
    found: Row = caller.sandbox.school.orah[model][number]
    return found


def done(caller: Caller, method: str, path: str, body: Row | None = None) -> Any:
    answer = caller.control(method, path, **({} if body is None else {"json": body}))
    assert answer.status_code == 200, answer.text
    assert not caller.sandbox.journal.writes
    return answer.json()["data"]


def refused(answer: httpx.Response, status: int) -> None:
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def moving(caller: Caller, **changes: Any) -> Row:
    student, location = held(caller, "student"), held(caller, "location")
    body = {"student_id": student["id"], "location_id": location["id"], "record_time": START}
    return {**body, **changes}


def leaving(caller: Caller, **changes: Any) -> Row:
    student, kind = held(caller, "student"), held(caller, "leave_type")
    body = {"student_id": student["id"], "leave_type_id": kind["id"], "start_time": START, "end_time": END}
    return {**body, **changes}


def rolling(caller: Caller, *entries: Row, **changes: Any) -> Row:
    listed = entries or ({"status": "Absent"},)
    students = [{"student_id": held(caller, "student", n)["id"], **one} for n, one in enumerate(listed)]
    return {"students": students, "start_time": START, **changes}


# --- movements


def test_moving_a_student_over_control(caller: Caller) -> None:
    student, location = (caller.sandbox.school.orah[model][0] for model in ("student", "location"))
    body = {"student_id": student["id"], "location_id": location["id"], "record_time": "2999-01-01T10:00:00Z"}
    made = caller.control("POST", "/orah/location-record", json=body).json()["data"]
    assert made["record_time"] == "2999-01-01T10:00:00.000Z"
    query = {"date_range": {"start_date": "2998-01-01"}}
    assert caller.orah_data("location-record/timeline", {"query": query}) == [made]
    out = {"student_id": student["id"], "location_id": None, "type": "out"}
    assert caller.control("POST", "/orah/location-record", json=out).json()["data"]["location"] is None
    for wrong, status in (
        ({**body, "student_id": 1}, 404),
        ({**body, "location_id": 1}, 404),
        ({**body, "type": "up"}, 400),
        ({"student_id": student["id"]}, 400),
        ({**body, "colour": 1}, 400),
    ):
        assert caller.control("POST", "/orah/location-record", json=wrong).status_code == status
    assert not caller.sandbox.journal.writes


def test_a_teacher_edits_over_control(caller: Caller) -> None:
    row = caller.sandbox.school.veracross["list_class_attendance"][0]
    before = dict(row)
    path = f"/veracross/attendance/{row['id']}"
    assert caller.control("POST", path, json={"notes": "Seen in the library"}).status_code == 200
    assert row["notes"] == "Seen in the library"
    assert row["status"] == before["status"]
    assert row["last_modified_date"] > before["last_modified_date"]
    assert caller.control("POST", path, json={"status": 999_999}).status_code == 400
    assert caller.control("POST", path, json={"student_id": 1}).status_code == 400
    assert caller.control("POST", "/veracross/attendance/1", json={"notes": "x"}).status_code == 404
    assert not caller.sandbox.journal.writes


def test_a_movement_is_corrected_and_deleted(caller: Caller) -> None:
    made = done(caller, "POST", MOVE, moving(caller))
    other = held(caller, "location", 3)
    path = f"{MOVE}/{made['id']}"
    changed = done(caller, "POST", path, {"record_time": END, "location_id": other["id"]})
    assert changed == {
        **made,
        "record_time": END,
        "location": {"id": other["id"], "name": other["name"]},
    }
    assert caller.orah_data("location-record/timeline", {"query": LATER}) == [changed]
    for wrong in ({"location_id": None}, {"type": "out"}, {"record_time": "soon"}, {"leave_id": "1"}):
        refused(caller.control("POST", path, json=wrong), 400)
    refused(caller.control("POST", path, json={"location_id": 1}), 404)
    done(caller, "DELETE", path)
    assert caller.orah_data("location-record/timeline", {"query": LATER}) == []
    refused(caller.control("DELETE", path), 404)
    assert done(caller, "POST", MOVE, moving(caller))["id"] > made["id"]


def test_a_movement_names_its_pass_also_when_it_is_gone(caller: Caller) -> None:
    leave = done(caller, "POST", LEAVE, leaving(caller))
    made = done(caller, "POST", MOVE, moving(caller, leave_id=leave["id"]))
    assert made["leave"] == {"id": leave["id"]}
    done(caller, "DELETE", f"{LEAVE}/{leave['id']}")
    assert caller.orah_data("location-record/timeline", {"query": LATER}) == [made]
    refused(caller.control("POST", MOVE, json=moving(caller, leave_id=leave["id"])), 404)
    assert "leave" not in done(caller, "POST", f"{MOVE}/{made['id']}", {"leave_id": None})
    assert "leave" not in done(caller, "POST", MOVE, moving(caller))


# --- passes


def test_a_pass_from_giving_to_deleting(caller: Caller) -> None:
    town = held(caller, "location", -2)
    made = done(caller, "POST", LEAVE, leaving(caller, location_id=town["id"]))
    assert (made["status"], made["start_time"], made["end_time"]) == ("Scheduled", START, END)
    assert made["location"]["id"] == town["id"]
    assert made["leave_type"]["name"] == held(caller, "leave_type")["name"]
    assert made == caller.orah_data("leave/get-single", {"query": {"id": made["id"]}})
    path = f"{LEAVE}/{made['id']}"
    changed = done(caller, "POST", path, {"status": "Ended", "end_time": "2999-01-01T11:00:00Z"})
    assert (changed["status"], changed["end_time"]) == ("Ended", "2999-01-01T11:00:00.000Z")
    assert changed["start_time"] == START
    assert changed == caller.orah_data("leave/get-single", {"query": {"id": made["id"]}})
    done(caller, "DELETE", path)
    refused(caller.control("POST", path, json={"status": "Active"}), 404)
    assert caller.orah("leave/get-single", {"query": {"id": made["id"]}}).status_code == 404


def test_passes_that_cannot_be(caller: Caller) -> None:
    for wrong in (
        {"student_id": 1},
        {"student_id": None},
        {"leave_type_id": 1},
        {"location_id": 1},
        {"start_time": "soon"},
        {"status": ""},
        {"colour": 1},
    ):
        refused(caller.control("POST", LEAVE, json=leaving(caller, **wrong)), 400)
    made = done(caller, "POST", LEAVE, leaving(caller))
    refused(caller.control("POST", f"{LEAVE}/{made['id']}", json={"student_id": 1}), 400)


# --- rolls


def test_a_roll_is_taken_and_an_entry_edited(caller: Caller) -> None:
    excused = {"name": "Dentist", "type": "Excused"}
    made = done(
        caller, "POST", ROLL, rolling(caller, {"status": "Present"}, {"status": "Late", "reason": excused})
    )
    assert (made["type"], made["status"], made["start_time"], made["end_time"]) == (
        "class",
        "Completed",
        START,
        None,
    )
    present, late = made["students"]
    assert (present["status"], present["reason"], present["source"]) == ("Present", None, "roll")
    assert (late["status"], late["reason"], late["source"]) == ("Late", excused, "roll")
    assert caller.orah_data("roll/timeline", {"query": {**LATER, "status": "All"}}) == [made]
    body = {"student_id": present["student"]["id"], "status": "Absent"}
    changed = done(caller, "POST", f"{ROLL}/{made['id']}", body)
    assert changed["students"][0] == {
        "student": present["student"],
        "status": "Absent",
        "reason": {"name": "Not seen", "type": "Unexcused"},
        "source": "edit",
    }
    assert changed["students"][1] == late
    assert caller.orah_data("roll/get-single", {"query": {"id": made["id"]}}) == changed
    missing = {"student_id": held(caller, "student", 5)["id"], "status": "Absent"}
    refused(caller.control("POST", f"{ROLL}/{made['id']}", json=missing), 404)
    refused(caller.control("POST", f"{ROLL}/1", json=body), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "Gone"},
        {"status": ["Absent"]},
        {"status": "Absent", "reason": None},
        {"status": "Present", "reason": {"name": "x", "type": "Excused"}},
        {"status": "Absent", "reason": {"name": "x", "type": "Holiday"}},
        {"status": "Absent", "reason": {"type": "Excused"}},
        {"status": "Absent", "source": "sis"},
        {"status": "Absent", "student_id": "1"},
        {"status": "Absent", "colour": 1},
    ],
    ids=str,
)
def test_an_entry_is_what_orah_knows(caller: Caller, wrong: Row) -> None:
    refused(caller.control("POST", ROLL, json=rolling(caller, wrong)), 400)


def test_rolls_that_cannot_be(caller: Caller) -> None:
    wrong: Row
    for wrong in (
        {"students": []},
        {"students": "all"},
        {"type": "team"},
        {"status": 1},
        {"start_time": 5},
        {"x": 1},
    ):
        refused(caller.control("POST", ROLL, json=rolling(caller, **wrong)), 400)
    refused(caller.control("POST", ROLL, json=rolling(caller, {"student_id": 1, "status": "Late"})), 404)


# --- Veracross


def test_a_cancelled_class_vanishes_for_its_day(caller: Caller) -> None:
    veracross = caller.sandbox.school.veracross
    row = veracross["list_class_attendance"][0]
    key = (row["internal_class_id"], row["attendance_date"])
    rows, meetings = (
        [one for one in veracross[operation] if (one["internal_class_id"], one[field]) == key]
        for operation, field in (
            ("list_class_attendance", "attendance_date"),
            ("list_academics_class_meeting_times", "date"),
        )
    )
    before = len(veracross["list_class_attendance"]), len(veracross["list_academics_class_meeting_times"])
    body = {"internal_class_id": key[0], "date": key[1]}
    gone = done(caller, "POST", "/veracross/class-cancelled", body)
    assert gone == {"meetings": len(meetings), "rows": len(rows)} == {"meetings": 1, "rows": gone["rows"]}
    after = len(veracross["list_class_attendance"]), len(veracross["list_academics_class_meeting_times"])
    assert after == (before[0] - len(rows), before[1] - 1)
    assert row["id"] not in {one["id"] for one in caller.page(f"/classes/{key[0]}/attendance")}
    refused(caller.control("POST", "/veracross/class-cancelled", json=body), 404)
    refused(caller.control("POST", "/veracross/class-cancelled", json={"date": key[1]}), 400)


# --- in process


@pytest.mark.parametrize("model", ["leave", "location_record"])
def test_no_id_is_given_twice(caller: Caller, model: str) -> None:
    hands, latest = caller.sandbox.hands, max(one["id"] for one in caller.sandbox.school.orah[model])
    if model == "leave":
        hands.delete_leave(latest)
        assert hands.give_leave(leaving(caller))["id"] > latest
    else:
        hands.delete_move(latest)
        assert hands.move(moving(caller))["id"] > latest


def test_the_same_hands_in_process(caller: Caller) -> None:
    hands = caller.sandbox.hands
    leave = hands.give_leave(leaving(caller))
    move = hands.move(moving(caller, leave_id=leave["id"]))
    assert caller.orah_data("location-record/timeline", {"query": LATER}) == [move]
    hands.delete_move(move["id"])
    hands.delete_leave(leave["id"])
    with pytest.raises(Refusal, match="no leave with this id"):
        hands.change_leave(leave["id"], {"status": "Active"})
    assert not caller.sandbox.journal.writes


def test_bodies_that_are_none(caller: Caller) -> None:
    for body in (b"", b"{", b"[]", b"7"):
        for path in (MOVE, LEAVE, ROLL, "/veracross/class-cancelled"):
            refused(caller.control("POST", path, content=body), 400)
