"""The synthetic school: whole, in the contract's shape, and as untidy as real ones."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from vx_pipeline.sandbox.school import UNKNOWN_FIELDS, School, describe, generate

TODAY = date(2026, 11, 24)
CONTRACT = json.loads(files("vx_pipeline").joinpath("contracts/veracross_v3.json").read_text())["endpoints"]
TYPES: dict[str, type | tuple[type, ...]] = {"number": (int, float), "string": str, "boolean": bool}

Row = dict[str, Any]


@cache
def school(students: int = 120, seed: int = 7) -> School:
    return generate(students=students, seed=seed, today=TODAY)


def leaves(record: Row, shape: Row) -> Iterator[tuple[str, Any, Row]]:
    """Dotted path, value and contract entry of each field; a nested object that is null yields nothing."""
    for name, entry in shape.items():
        if isinstance(entry.get("type"), str):
            yield name, record[name], entry
        elif record[name] is not None:
            assert set(record[name]) == set(entry), name
            for inner, value, leaf in leaves(record[name], entry):
                yield f"{name}.{inner}", value, leaf


def labels(made: School, operation: str, field: str) -> dict[str, str]:
    block = next(block for block in made.value_lists[operation] if field in block["fields"])
    return {str(item["id"]): item["description"] for item in block["items"]}


def label(made: School, operation: str, field: str, code: object) -> str | None:
    return None if code is None else labels(made, operation, field)[str(code)]


def ids(rows: list[Row]) -> set[int]:
    return {row["id"] for row in rows}


def current_students(made: School) -> list[Row]:
    return [row for row in made.veracross["list_students"] if "Student" in row["roles"].split(", ")]


def is_member(row: Row, on: str) -> bool:
    late, gone = row["late_date_enrolled"], row["date_withdrawn"]
    return (late is None or late <= on) and (gone is None or on < gone)


def assert_in_contract(made: School) -> None:
    operations = {name for name, endpoint in CONTRACT.items() if endpoint.get("collection")}
    assert set(made.veracross) == set(made.value_lists) == operations
    for operation in operations:
        shape = CONTRACT[operation]["record"]
        for record in made.veracross[operation]:
            assert set(record) == set(shape) | UNKNOWN_FIELDS.get(operation, frozenset()), operation
            for path, value, leaf in leaves(record, shape):
                if value is None:
                    continue
                kind = TYPES[leaf["type"]]
                assert isinstance(value, kind), (operation, path)
                assert leaf["type"] != "number" or not isinstance(value, bool), (operation, path)
                if leaf.get("format") == "date":
                    date.fromisoformat(str(value))
                elif leaf.get("format") == "date-time":
                    assert (datetime.fromisoformat(str(value)).tzinfo is not None) == (
                        path == "last_modified_date"
                    )


def assert_codes_explained(made: School) -> None:
    for operation, blocks in made.value_lists.items():
        listed = [field for block in blocks for field in block["fields"]]
        assert sorted(listed) == sorted(CONTRACT[operation]["value_list_fields"])
        for field in listed:
            known = labels(made, operation, field)
            for record in made.veracross[operation]:
                found = {path: value for path, value, _ in leaves(record, CONTRACT[operation]["record"])}
                assert found.get(field) is None or str(found[field]) in known, (operation, field)


def assert_ids_and_references(made: School) -> None:
    v = made.veracross
    for operation, rows in v.items():
        number, distinct = len(rows), len(ids(rows))
        assert distinct == number, operation
        assert all(row["id"] > 0 for row in rows)
    people = ids(v["list_contact_info"])
    students, parents, staff = ids(v["list_students"]), ids(v["list_parents"]), ids(v["list_staff_faculty"])
    assert people == students | parents | staff
    assert not people & ids(v["list_households"])
    homes = ids(v["list_households"])
    for row in v["list_students"] + v["list_parents"]:
        assert row["household_id"] in homes
    for row in v["list_relationships"]:
        assert row["person_id"] in students
        assert row["related_person_id"] in parents | students
    classes, dorms = ids(v["list_classes"]), ids(v["list_boarding_dorms"])
    assert not classes & dorms, "dorms are classes too and share their ids"
    for row in v["list_boarding_dorm_students"]:
        assert row["student_id"] in students
        assert row["dorm_id"] in dorms
    for row in v["list_academics_enrollments"] + v["list_athletics_rosters"]:
        assert row["person_id"] in students
        assert row["internal_class_id"] in classes
    for row in v["list_academics_class_meeting_times"]:
        assert row["internal_class_id"] in classes
    for row in v["list_classes"]:
        assert row["primary_teacher"]["id"] in staff | {None}
    assert set(made.truth) <= students


def assert_orah_refers_to_itself(made: School) -> None:
    orah = made.orah
    for model, rows in orah.items():
        number, distinct = len(rows), len(ids(rows))
        assert distinct == number, model
        assert {row["model"] for row in rows} <= {model}
    students = {row["id"]: row for row in orah["student"]}
    houses = {row["id"]: row["sis_id"] for row in orah["house"]}
    locations = {row["id"]: row["name"] for row in orah["location"]}
    for row in orah["student"]:
        assert row["house"] is None or houses[row["house"]["id"]] == row["house"]["sis_id"]
    for row in orah["location"]:
        assert row["_parent_id"] is None or row["_parent_id"] in locations
    for row in orah["location_record"]:
        assert students[row["student"]["id"]]["sis_id"] == row["student"]["sis_id"]
        assert row["location"] is None or locations[row["location"]["id"]] == row["location"]["name"]
    passes = {row["id"]: row for row in orah["leave"]}
    for row in orah["location_record"]:
        if "leave" in row:
            behind = passes[row["leave"]["id"]]
            assert behind["student"] == row["student"]
            assert row["record_time"] in (behind["start_time"], behind["end_time"])
    for row in orah["leave"]:
        assert students[row["student"]["id"]]["sis_id"] == row["student"]["sis_id"]
        assert locations[row["location"]["id"]] == row["location"]["name"]
        assert row["leave_type"] in [{n: one[n] for n in row["leave_type"]} for one in orah["leave_type"]]
        assert row["start_time"] < row["end_time"]
    for row in orah["roll"]:
        on_it = [entry["student"]["id"] for entry in row["students"]]
        assert on_it
        assert len(set(on_it)) == len(on_it)
        assert set(on_it) <= set(students)
    for row in orah["contact"]:
        assert row["_student_ids"]
        assert set(row["_student_ids"]) <= set(students)
    assert set(made.truth.values()) <= set(students)
    assert len(set(made.truth.values())) == len(made.truth)


def expected_attendance(made: School) -> set[tuple[int, int, str, int]]:
    """One key for each member of each meeting of the attendance days, from memberships and meetings alone."""
    v = made.veracross
    tracked = {c["id"] for c in v["list_classes"] if c["track_class_attendance"] is not False}
    members: dict[int, list[Row]] = defaultdict(list)
    for row in v["list_academics_enrollments"]:
        members[row["internal_class_id"]].append(row)
    weekdays = [TODAY - timedelta(days=n) for n in range(40) if (TODAY - timedelta(days=n)).weekday() < 5]
    first, last = weekdays[9].isoformat(), TODAY.isoformat()
    return {
        (row["person_id"], meeting["internal_class_id"], meeting["date"], meeting["block"]["id"])
        for meeting in v["list_academics_class_meeting_times"]
        if first <= meeting["date"] <= last and meeting["internal_class_id"] in tracked
        for row in members[meeting["internal_class_id"]]
        if is_member(row, meeting["date"])
    }


def assert_nobody_in_two_places(made: School) -> None:
    v = made.veracross
    meetings: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in v["list_academics_class_meeting_times"]:
        meetings[row["internal_class_id"]].add((row["date"], row["start_time"]))
    seen: set[tuple[int, str, str]] = set()
    for row in v["list_academics_enrollments"]:
        for on, start in meetings[row["internal_class_id"]]:
            if is_member(row, on):
                key = (row["person_id"], on, start)
                assert key not in seen
                seen.add(key)
    teaching = Counter(
        (c["primary_teacher"]["id"], slot)
        for c in v["list_classes"]
        for slot in meetings[c["id"]]
        if c["primary_teacher"]["id"] is not None
    )
    assert not teaching or max(teaching.values()) == 1


@given(
    seed=st.integers(0, 2**32),
    students=st.integers(20, 40),
    today=st.dates(date(2024, 1, 1), date(2032, 12, 31)),
    zone=st.sampled_from(["America/New_York", "Europe/London", "Asia/Kolkata", "Pacific/Auckland"]),
)
# Without shrinking: a smaller seed is not a simpler school, and the search for one takes minutes.
@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_every_school_is_whole(seed: int, students: int, today: date, zone: str) -> None:
    made = generate(students=students, seed=seed, today=today, timezone=zone, attendance_days=3)
    assert len(current_students(made)) == students
    assert_in_contract(made)
    assert_codes_explained(made)
    assert_ids_and_references(made)
    assert_orah_refers_to_itself(made)
    assert_nobody_in_two_places(made)
    years = {
        label(made, "list_boarding_dorms", "status", d["status"]): (d["begin_date"], d["end_date"])
        for d in made.veracross["list_boarding_dorms"]
        if d["status"] is not None and d["begin_date"] and d["end_date"]
    }
    assert years["Active"][0] < today.isoformat() < years["Active"][1]


def fingerprint(made: School) -> str:
    """Compared in place of schools, whose differences would take minutes to print."""
    return hashlib.sha256(repr(made).encode()).hexdigest()


def test_same_arguments_give_an_equal_school_and_another_seed_another() -> None:
    prints = [fingerprint(generate(students=40, seed=seed, today=TODAY)) for seed in (3, 3, 4)]
    assert prints[0] == prints[1] != prints[2]


def test_the_order_of_hashes_changes_nothing() -> None:
    script = (
        "import hashlib; from datetime import date; from vx_pipeline.sandbox.school import generate;"
        f"made = generate(students=40, seed=3, today=date.fromisoformat('{TODAY}'));"
        "print(hashlib.sha256(repr(made).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert digests == {fingerprint(generate(students=40, seed=3, today=TODAY))}


def test_a_real_sized_school_is_whole() -> None:
    made = school(420)
    assert len(current_students(made)) == describe(made)["students_current"] == 420
    assert_in_contract(made)
    assert_codes_explained(made)
    assert_ids_and_references(made)
    assert_orah_refers_to_itself(made)
    assert_nobody_in_two_places(made)
    status = labels(made, "list_classes", "status")
    kinds = labels(made, "list_classes", "course.course_type")
    academic = [
        c
        for c in made.veracross["list_classes"]
        if status[str(c["status"])] == "Active" and kinds[str(c["course"]["course_type"])] == "Academic"
    ]
    assert 95 <= len(academic) <= 120
    assert {c["track_class_attendance"] for c in academic} == {True, False, None}


def test_too_small_a_school_is_refused() -> None:
    with pytest.raises(ValueError, match="20"):
        generate(students=19, today=TODAY)


def test_unknown_fields_are_not_in_the_contract() -> None:
    for operation, names in UNKNOWN_FIELDS.items():
        assert names
        assert not names & set(CONTRACT[operation]["record"])


def test_codes_differ_from_school_to_school_and_are_texts_or_numbers() -> None:
    one, other = school(120, 7), school(120, 8)
    assert labels(one, "list_class_attendance", "status") != labels(other, "list_class_attendance", "status")
    kinds = {
        type(item["id"]) for blocks in one.value_lists.values() for block in blocks for item in block["items"]
    }
    assert kinds == {int, str}
    years = labels(one, "list_classes", "school_year")
    assert years["2026"] == "2026-2027"


def test_a_person_id_is_one_person_in_every_role() -> None:
    v = school().veracross
    roles: dict[int, set[str]] = defaultdict(set)
    names: dict[int, set[tuple[str, str | None]]] = defaultdict(set)
    for operation in ("list_students", "list_parents", "list_staff_faculty"):
        for row in v[operation]:
            roles[row["id"]].add(operation)
            names[row["id"]].add((row["first_name"], row["last_name"]))
    assert all(len(of_one) == 1 for of_one in names.values())
    assert {"list_parents", "list_staff_faculty"} in roles.values()
    assert {"list_students", "list_staff_faculty"} in roles.values()


def test_every_attendance_row_belongs_to_a_membership_and_a_meeting_and_none_is_missing() -> None:
    made = school()
    rows = made.veracross["list_class_attendance"]
    found = [(r["student_id"], r["internal_class_id"], r["attendance_date"], r["block"]["id"]) for r in rows]
    assert len(found) == len(set(found))
    assert set(found) == expected_attendance(made)
    assert TODAY.isoformat() in {row["attendance_date"] for row in rows}
    marks = Counter(label(made, "list_class_attendance", "status", row["status"]) for row in rows)
    assert 0.85 < marks["Present"] / len(rows) < 0.99
    assert {"Late", "Absent - Excused", "Absent - Unexcused", None} <= set(marks)
    noon = datetime.combine(TODAY, time(12), ZoneInfo(made.timezone))
    assert all(datetime.fromisoformat(row["last_modified_date"]) <= noon for row in rows)


def test_meetings_are_local_and_reach_three_weeks_either_way() -> None:
    made = school()
    meetings = made.veracross["list_academics_class_meeting_times"]
    assert min(m["date"] for m in meetings) == (TODAY - timedelta(days=21)).isoformat()
    assert max(m["date"] for m in meetings) == (TODAY + timedelta(days=21)).isoformat()
    for meeting in meetings:
        start, end = (
            datetime.fromisoformat(meeting["start_time"]),
            datetime.fromisoformat(meeting["end_time"]),
        )
        assert start < end
        assert start.date().isoformat() == meeting["date"]
        assert start.weekday() < 5
    week = [m for m in meetings if "2026-11-23" <= m["date"] <= "2026-11-27"]
    assert set(Counter(m["internal_class_id"] for m in week).values()) == {3, 4}
    status = labels(made, "list_classes", "status")
    active = {c["id"] for c in made.veracross["list_classes"] if status[str(c["status"])] == "Active"}
    assert {m["internal_class_id"] for m in meetings} <= active


@pytest.mark.parametrize("students", [20, 120])
@pytest.mark.parametrize("seed", [1, 7])
def test_dorms_hold_the_contradictions_of_real_schools(students: int, seed: int) -> None:
    made = school(students, seed)
    v = made.veracross
    years = labels(made, "list_boarding_dorms", "school_year")
    year_of = {dorm["id"]: years[str(dorm["school_year"])] for dorm in v["list_boarding_dorms"]}
    descriptions: dict[str, set[str]] = defaultdict(set)
    for dorm in v["list_boarding_dorms"]:
        descriptions[year_of[dorm["id"]]].add(dorm["description"])
    assert set(descriptions) == {"2025-2026", "2026-2027", "2027-2028"}
    assert len(set(map(frozenset, descriptions.values()))) == 1, "the same houses in each year"

    today = TODAY.isoformat()
    rows = [row for row in v["list_boarding_dorm_students"] if year_of[row["dorm_id"]] == "2026-2027"]
    flagged = [row for row in rows if row["currently_enrolled"]]
    assert max(Counter(row["student_id"] for row in flagged).values()) == 2, "in two dorms"
    assert any(row["date_withdrawn"] and row["date_withdrawn"] <= today for row in flagged), (
        "withdrawn, flagged"
    )
    assert any(not row["currently_enrolled"] and not row["date_withdrawn"] for row in rows), "not flagged"
    assert any(row["room_number"] is None for row in flagged), "no room"
    assert any(row["late_date_enrolled"] and row["late_date_enrolled"] > today for row in rows), (
        "moves in later"
    )
    last_year = [row for row in v["list_boarding_dorm_students"] if year_of[row["dorm_id"]] == "2025-2026"]
    boarders = {row["student_id"] for row in rows}
    stale = [row for row in last_year if row["currently_enrolled"]]
    assert stale
    assert not {row["student_id"] for row in stale} & boarders, "last year's bed of somebody at home"
    assert {dorm["begin_date"] is None for dorm in v["list_boarding_dorms"]} == {True, False}
    share = len(boarders & ids(current_students(made))) / students
    assert 0.55 <= share <= 0.65


def test_students_come_and_go_in_every_way() -> None:
    made = school()
    today, rows = TODAY.isoformat(), made.veracross["list_students"]
    here = ids(current_students(made))
    gone = [row for row in rows if row["id"] not in here]
    assert {"Alumni", "Former Student"} <= {role for row in gone for role in row["roles"].split(", ")}
    assert all(row["exit_date"] is None or row["exit_date"] < today for row in gone)
    assert any(row["exit_date"] is None for row in gone)
    assert any(row["exit_date"] and row["exit_date"] > today for row in rows if row["id"] in here)
    assert any(row["entry_date"] > "2026-09-10" for row in rows if row["id"] in here)
    said = {label(made, "list_students", "enrollment_status", row["enrollment_status"]) for row in gone}
    assert said == {"Withdrawn", "Graduated"}
    empty = (
        "preferred_name",
        "middle_name",
        "email_1",
        "homeroom",
        "birthday",
        "gender",
        "grade_level",
        "advisor",
    )
    for name in empty:
        assert any(row[name] is None for row in rows), name


def test_families_are_of_every_kind() -> None:
    made = school()
    v = made.veracross
    homes = {row["id"]: row["household_id"] for row in v["list_parents"] + v["list_students"]}
    rows = v["list_relationships"]
    kinds = {label(made, "list_relationships", "relationship", row["relationship"]) for row in rows}
    assert {"Mother", "Father", "Stepmother", "Sibling"} <= kinds
    assert kinds & {"Guardian", "Grandmother", "Grandfather"}
    parents = ids(v["list_parents"])
    assert any(
        row["related_person_id"] in parents and homes[row["person_id"]] != homes[row["related_person_id"]]
        for row in rows
    ), "two homes"
    assert any(row["related_person_is_deceased"] for row in rows)
    assert any(row["legal_custody"] is False and row["related_person_id"] in parents for row in rows)
    mails = Counter(row["email_1"] for row in v["list_parents"] if row["email_1"])
    assert max(mails.values()) == 2, "parents share an address"
    assert {row["email_1"] for row in v["list_students"]} & set(mails), "a child uses a parent's"


def test_names_are_from_everywhere_and_addresses_only_from_example_domains() -> None:
    made = school(420)
    v = made.veracross
    names = [f"{row['first_name']} {row['last_name']}" for row in v["list_students"] + v["list_parents"]]
    assert any(not name.isascii() for name in names)
    assert any("-" in name for name in names)
    latin = sum(
        all(ord(letter) < 0x2000 for letter in name) and not any("\u0590" <= c <= "\u06ff" for c in name)
        for name in names
    )
    assert latin / len(names) > 0.95
    mails = [
        row["email_1"]
        for operation in ("list_students", "list_parents", "list_staff_faculty", "list_contact_info")
        for row in v[operation]
    ] + [row["email"] for model in ("student", "contact") for row in made.orah[model]]
    for mail in mails:
        if mail is not None:
            domain = mail.lower().rpartition("@")[2]
            assert domain == "sandbox.example.edu" or domain in ("example.com", "example.org", "example.net")


def test_the_tenant_is_kept_by_hand() -> None:
    made = school(420)
    students = {row["id"]: row for row in made.orah["student"]}
    veracross = {row["id"]: row for row in made.veracross["list_students"]}
    here = ids(current_students(made))
    assert 0.85 <= len(here & set(made.truth)) / len(here) <= 0.97
    right = [
        i
        for i, orah_id in made.truth.items()
        if (students[orah_id]["sis_id"] or "").strip(" 0") == str(i).strip("0")
    ]
    assert 0.2 < len(right) / len(made.truth) < 0.45
    wrong = [
        i
        for i, orah_id in made.truth.items()
        if students[orah_id]["sis_id"] and int(students[orah_id]["sis_id"]) != i
    ]
    assert len(wrong) == 2, "numbers of another child and of a leaver"
    typed = Counter(
        (students[o]["first_name"], students[o]["last_name"])
        == (veracross[i]["first_name"], veracross[i]["last_name"])
        for i, o in made.truth.items()
    )
    assert 0.3 < typed[True] / len(made.truth) < 0.9
    nobody = [row for row in students.values() if row["id"] not in made.truth.values()]
    assert 5 <= len(nobody) <= 12, "test students and people entered twice"
    leavers = [students[o] for i, o in made.truth.items() if i not in here]
    assert {row["deactivated"] for row in leavers} == {True, False}
    assert {row["student_type"] for row in students.values()} == {"Boarding", "Day", "FlexiBoarding"}
    dorms = {row["description"] for row in made.veracross["list_boarding_dorms"]}
    houses = {row["name"] for row in made.orah["house"]}
    assert dorms & houses
    assert dorms - houses, "houses with a name of their own"
    assert sum(row["sis_id"] is None for row in made.orah["house"]) == len(made.orah["house"]) - 1


def test_twins_are_in_both_systems_or_split() -> None:
    made = school(420)
    here = ids(current_students(made))
    groups: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for row in made.veracross["list_students"]:
        if row["id"] in here and row["birthday"] and row["birthday"] != "1900-01-01":
            groups[row["household_id"], row["birthday"], row["last_name"]].append(row["id"])
    pairs = [pair for pair in groups.values() if len(pair) == 2]
    assert len(pairs) >= 5
    assert {sum(one in made.truth for one in pair) for pair in pairs} == {1, 2}


def test_movements_end_at_noon_and_some_absences_overlap_lessons() -> None:
    made = school(420)
    zone = ZoneInfo(made.timezone)
    noon = datetime.combine(TODAY, time(12), zone)
    states = {row["id"]: row["state"] for row in made.orah["location"]}
    latest: dict[int, Row] = {}
    open_absences, closed_absences = 0, 0
    by_student: dict[int, list[tuple[datetime, str | None]]] = defaultdict(list)
    for row in made.orah["location_record"]:
        assert row["record_time"].endswith("Z")
        at = datetime.fromisoformat(row["record_time"]).astimezone(zone)
        assert at <= noon
        state = states[row["location"]["id"]] if row["location"] else None
        assert (row["type"] == "out") == (state is None)
        latest[row["student"]["id"]] = row
        by_student[row["student"]["id"]].append((at, state))
    for moves in by_student.values():
        for (at, state), following in zip(moves, [*moves[1:], None], strict=True):
            if state == "off_grounds" and at.weekday() < 5 and 8 <= at.hour < 14:
                returned = following is not None and following[0].date() == at.date()
                closed_absences += returned
                open_absences += not returned
    assert open_absences >= 2
    assert closed_absences >= 3
    now = Counter(states[row["location"]["id"]] for row in latest.values() if row["location"])
    assert now["on_grounds"] / len(latest) > 0.9, "a school day"
    assert now["off_grounds"] >= 1


def test_class_rolls_say_what_the_teachers_marked() -> None:
    made = school(420)
    zone = ZoneInfo(made.timezone)
    real = {orah_id: student for student, orah_id in made.truth.items()}
    rows = {
        (row["student_id"], row["start_time"]): label(made, "list_class_attendance", "status", row["status"])
        for row in made.veracross["list_class_attendance"]
    }
    agreed = {"Present": {"Present"}, "Late": {"Late"}, "Absent": {"Absent - Excused"}}
    rolls = [row for row in made.orah["roll"] if row["type"] == "class"]
    days: Counter[date] = Counter()
    said: Counter[tuple[str, str | None]] = Counter()
    for roll in rolls:
        start = datetime.fromisoformat(roll["start_time"]).astimezone(zone)
        days[start.date()] += 1
        recent = (TODAY - start.date()).days <= 7
        for entry in roll["students"]:
            row = rows[real[entry["student"]["id"]], f"{start:%Y-%m-%dT%H:%M:%S}"]
            assert row is not None
            assert (entry["reason"] is None) == (entry["status"] == "Present")
            assert not recent or row in agreed[entry["status"]]
            said[entry["status"], entry["reason"] and entry["reason"]["type"]] += 1
    assert len(days) == 9, "the school days before today"
    assert set(days.values()) == {3}
    assert {status for status, _ in said} == {"Present", "Late", "Absent"}
    assert {kind for _, kind in said} == {None, "Excused", "Unexcused", "Not Expected"}


def test_passes_are_behind_some_absences_and_not_behind_all() -> None:
    made = school(420)
    states = {row["id"]: row["state"] for row in made.orah["location"]}
    assert {"Active", "Scheduled", "Ended", "Cancelled"} == {row["status"] for row in made.orah["leave"]}
    named = {row["leave"]["id"] for row in made.orah["location_record"] if "leave" in row}
    for row in made.orah["leave"]:
        assert (row["id"] in named) == (row["status"] in ("Active", "Ended"))
    away = [
        r
        for r in made.orah["location_record"]
        if r["location"] and states[r["location"]["id"]] != "on_grounds"
    ]
    assert {"leave" in row for row in away} == {True, False}


def test_a_pass_beats_the_mark_on_rolls_of_long_ago() -> None:
    sources = Counter(
        entry["source"]
        for seed in range(7, 13)
        for roll in school(120, seed).orah["roll"]
        if roll["type"] == "class"
        for entry in roll["students"]
    )
    assert set(sources) == {"roll", "pass", "edit"}
