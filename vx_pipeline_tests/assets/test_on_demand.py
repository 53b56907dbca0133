"""One student or one class brought over from a real sandbox: how many requests, what is landed, whom it touches.

The school has 24 students, twelve dorms of three years, and four of them in use. A student whose parents live in
one home costs twelve requests: eight lists, and the students of four dorms.
"""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline.assets.on_demand import derive_roster, read_class, read_person
from vx_pipeline.assets.veracross import extract_and_land
from vx_pipeline.errors import IncompleteReadError, WarehouseError
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline_tests.conftest import SandboxFactory, fresh_school
from vx_pipeline_tests.running import point_at

TABLES = [table for table in ENDPOINTS if table not in ("meeting_times", "class_attendance")]
"""What the roster rests on; the others are never read for one person."""

NARROW = {
    "students": 1,
    "relationships": 1,
    "parents": 1,
    "households": 1,
    "contact_info": 1,
    "dorms": 1,
    "dorm_students": 4,
    "enrollments": 1,
    "athletics_rosters": 1,
}
"""Requests for a student at a known address whose parents all live there."""

Record = dict[str, Any]


@dataclass
class Office:
    """A school that was read whole, and what somebody does in Veracross afterwards."""

    sandbox: Sandbox
    session: SchoolSession

    def records(self, table: str) -> list[Record]:
        return self.sandbox.school.veracross[ENDPOINTS[table].operation]

    def record(self, table: str, identity: int) -> Record:
        return next(one for one in self.records(table) if one["id"] == identity)

    def change(self, record: Record, **fields: Any) -> None:
        record.update(fields)
        if "last_modified_date" in record:
            record["last_modified_date"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def add(self, table: str, like: Record, **fields: Any) -> Record:
        record = copy.deepcopy(like)
        record["id"] = max(one["id"] for one in self.records(table)) + 1
        self.change(record, **fields)
        self.records(table).append(record)
        return record

    def parents_of(self, student: int) -> list[int]:
        parents = {one["id"] for one in self.records("parents")}
        rows = self.records("relationships")
        return [
            one["related_person_id"]
            for one in rows
            if one["person_id"] == student and one["related_person_id"] in parents
        ]

    def homes_of(self, student: int) -> set[int]:
        parents = {self.record("parents", one)["household_id"] for one in self.parents_of(student)}
        return parents | {self.record("students", student)["household_id"]}

    def boarder(self, homes: int = 1) -> int:
        """A student with a current bed, whose family has so many homes."""
        beds = self.rows("SELECT student_id FROM roster.boarders WHERE is_boarder ORDER BY student_id")
        fitting = [one for (one,) in beds if len(self.homes_of(one)) == homes and self.parents_of(one)]
        return int(fitting[0])

    def bed_of(self, student: int) -> Record:
        [(bed,)] = self.rows(
            f"SELECT assignment_id FROM roster.dorm_assignments WHERE is_current AND student_id = {student}"
        )
        return self.record("dorm_students", bed)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.session.reading() as connection:
            return connection.execute(query).fetchall()

    def missing(self) -> set[tuple[Any, ...]]:
        """Everybody and everything that any read did not bring, and how often."""
        one = "SELECT '{0}', id, _missing_reads FROM veracross.{0} WHERE _missing_reads > 0"
        return set(self.rows(" UNION ALL ".join(one.format(table) for table in TABLES)))

    def everything(self) -> dict[str, list[Any]]:
        tables = [*TABLES, "history", "rejected_rows", "value_list_items", "reads"]
        return {table: self.rows(f"SELECT * FROM veracross.{table} ORDER BY ALL") for table in tables}

    def value_lists(self) -> list[Any]:
        return self.rows("SELECT * FROM veracross.value_list_items ORDER BY ALL")

    def sent(self) -> dict[str, int]:
        """Requests that the sandbox met since its journal was cleared, by table."""
        paths = [one.path for one in self.sandbox.journal.requests if "/v3/" in one.path]
        return dict(Counter(table_of(path.partition("/v3")[2]) for path in paths))


def table_of(path: str) -> str:
    """The table of a path, ids of parents in it or not."""
    parts = path.split("/")
    for table, endpoint in ENDPOINTS.items():
        wanted = endpoint.path.split("/")
        if len(wanted) == len(parts) and all(
            w == p or w.startswith("{") for w, p in zip(wanted, parts, strict=True)
        ):
            return table
    raise KeyError(path)


@pytest.fixture(scope="module")
def landed_school(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The warehouse file of a school that was read whole."""
    home = tmp_path_factory.mktemp("home") / "vx"
    with pytest.MonkeyPatch.context() as monkeypatch, Sandbox(school=fresh_school(24)) as sandbox:
        point_at(sandbox, home, monkeypatch)
        with SchoolSession(load_settings(), SANDBOX) as session:
            for table in TABLES:
                extract_and_land(session, ENDPOINTS[table])
            derive_roster(session)
            return session.warehouse_path.read_bytes()


@pytest.fixture
def office(
    landed_school: bytes, make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    sandbox = make_sandbox(24)
    point_at(sandbox, tmp_path / "vx", monkeypatch)
    with SchoolSession(load_settings(), SANDBOX) as session:
        session.warehouse_path.parent.mkdir(parents=True)
        session.warehouse_path.write_bytes(landed_school)
        yield Office(sandbox, session)


def test_a_changed_name_costs_twelve_requests_and_touches_nobody_else(office: Office) -> None:
    student, bystander = office.boarder(), office.records("students")[0]
    assert bystander["household_id"] not in office.homes_of(student)
    lists, others = (
        office.value_lists(),
        office.rows(
            f"SELECT id, _last_seen_at, _row_hash FROM veracross.students WHERE id = {bystander['id']}"
        ),
    )
    office.change(office.record("students", student), preferred_name="Kit")
    office.change(bystander, preferred_name="Robin")
    office.sandbox.journal.clear()

    read = read_person(office.session, student)

    assert read.found
    assert (read.person_id, dict(read.set_aside)) == (student, {})
    assert dict(read.requests) == NARROW
    assert office.sent() == NARROW
    assert office.missing() == set()
    assert office.value_lists() == lists
    assert others == office.rows(
        f"SELECT id, _last_seen_at, _row_hash FROM veracross.students WHERE id = {bystander['id']}"
    )
    derive_roster(office.session)
    assert office.rows(f"SELECT preferred_name FROM roster.students WHERE student_id = {student}") == [
        ("Kit",)
    ]


def test_reading_a_person_makes_no_table_look_read_as_a_whole_but_that_of_dorms(office: Office) -> None:
    query = "SELECT collection, read_at FROM veracross.reads WHERE whole"
    before = dict(office.rows(query))
    read = read_person(office.session, office.boarder())
    after = dict(office.rows(query))
    assert {table for table in after if after[table] != before[table]} == {"dorms"}
    assert after["dorms"] == read.read_at.astimezone(UTC).replace(tzinfo=None)


def test_two_homes_are_asked_for_one_by_one(office: Office) -> None:
    student = office.boarder(homes=2)
    office.sandbox.journal.clear()
    assert read_person(office.session, student).found
    assert office.sent() == {**NARROW, "parents": 2}
    assert office.missing() == set()


def test_a_new_student_with_a_new_family_and_a_new_class(office: Office) -> None:
    """One request more than for a known student: the classes that changed, as one of theirs is new."""
    like = office.boarder()
    home = office.add("households", office.records("households")[0], city="Newtown")
    student = office.add("students", office.record("students", like), household_id=home["id"])["id"]
    sibling = office.add("students", office.record("students", like), household_id=home["id"])["id"]
    mother = office.parents_of(like)[0]
    parent = office.add("parents", office.record("parents", mother), household_id=home["id"])["id"]
    person = office.records("relationships")[0]
    office.add("relationships", person, person_id=student, related_person_id=parent)
    office.add("relationships", person, person_id=student, related_person_id=sibling)
    phone = copy.deepcopy(office.record("contact_info", mother))
    office.change(phone, id=parent, mobile_phone="(202) 555-0143")
    office.records("contact_info").append(phone)
    dorm = office.bed_of(like)["dorm_id"]
    office.add("dorm_students", office.bed_of(like), student_id=student, room_number="7")
    lesson = next(one for one in office.records("enrollments") if one["currently_enrolled"])
    group = office.add("classes", office.record("classes", lesson["internal_class_id"]))["id"]
    office.add("enrollments", lesson, person_id=student, internal_class_id=group)
    office.sandbox.journal.clear()

    read = read_person(office.session, student)

    assert read.found
    assert office.sent() == {**NARROW, "classes": 1}
    derive_roster(office.session)
    assert office.rows(f"SELECT dorm_id, room_number FROM roster.boarders WHERE student_id = {student}") == [
        (dorm, "7")
    ]
    contacts = "SELECT person_id, mobile_phone, contains(address, 'Newtown') FROM roster.contacts"
    contacts = f"{contacts} WHERE student_id = {student}"
    assert office.rows(contacts) == [(parent, "(202) 555-0143", True)]
    assert (group,) in office.rows(f"SELECT group_id FROM roster.group_members WHERE person_id = {student}")
    assert office.missing() == set()


def test_an_address_and_a_phone_that_changed(office: Office) -> None:
    student = office.boarder()
    parent = office.parents_of(student)[0]
    [home] = office.homes_of(student)
    office.change(office.record("households", home), city="Newtown")
    office.change(office.record("contact_info", parent), mobile_phone="(202) 555-0143")
    read_person(office.session, student)
    derive_roster(office.session)
    found = office.rows(
        "SELECT mobile_phone, contains(address, 'Newtown') FROM roster.contacts "
        f"WHERE student_id = {student} AND person_id = {parent}"
    )
    assert found == [("(202) 555-0143", True)]
    assert office.missing() == set()


def test_a_student_who_moved_household_is_found_in_the_whole_list_and_nobody_is_missed(
    office: Office,
) -> None:
    """One request more: the whole list of students, as the household we knew does not have the student."""
    student = office.boarder()
    home = office.add("households", office.records("households")[0])["id"]
    office.change(office.record("students", student), household_id=home)
    office.sandbox.journal.clear()
    for _ in range(2):
        assert read_person(office.session, student).found
    # The second time the new home is known. The parents stayed in the old one, so both homes are asked for.
    assert office.sent() == {table: 2 * number for table, number in NARROW.items()} | {
        "students": 3,
        "parents": 4,
    }
    assert office.missing() == set()
    derive_roster(office.session)
    assert office.rows(f"SELECT household_id FROM roster.students WHERE student_id = {student}") == [(home,)]
    assert office.rows(f"FROM roster.leavers WHERE student_id = {student}") == []


def test_a_parent_who_moved_out_is_found_in_the_whole_list_and_is_not_missed(office: Office) -> None:
    student = office.boarder()
    parent = office.parents_of(student)[0]
    home = office.add("households", office.records("households")[0], city="Newtown")["id"]
    office.change(office.record("parents", parent), household_id=home)
    office.sandbox.journal.clear()
    read_person(office.session, student)
    assert office.sent() == {**NARROW, "parents": 2}
    derive_roster(office.session)
    assert (parent, True) in office.rows(
        f"SELECT person_id, contains(address, 'Newtown') FROM roster.contacts WHERE student_id = {student}"
    )
    assert office.missing() == set()


def test_a_parent_added_at_home_costs_nothing_more(office: Office) -> None:
    student = office.boarder()
    [home] = office.homes_of(student)
    like = office.record("parents", office.parents_of(student)[0])
    parent = office.add("parents", like, household_id=home)["id"]
    row = next(one for one in office.records("relationships") if one["person_id"] == student)
    office.add("relationships", row, related_person_id=parent)
    office.sandbox.journal.clear()
    read_person(office.session, student)
    assert office.sent() == NARROW
    derive_roster(office.session)
    contacts = office.rows(f"SELECT person_id FROM roster.contacts WHERE student_id = {student}")
    assert (parent,) in contacts


def test_a_relationship_that_ended_is_missing_once_however_often_and_only_that_one(office: Office) -> None:
    student = office.boarder()
    rows = office.records("relationships")
    ended = next(one for one in rows if one["person_id"] == student)
    rows.remove(ended)
    for _ in range(2):
        read_person(office.session, student)
    assert office.missing() == {("relationships", ended["id"], 1)}


def test_a_move_to_another_dorm(office: Office) -> None:
    student = office.boarder()
    old = office.bed_of(student)
    dorms = office.rows(f"SELECT dorm_id FROM roster.dorms WHERE in_use AND dorm_id <> {old['dorm_id']}")
    new = min(dorm for (dorm,) in dorms)
    office.add("dorm_students", old, dorm_id=new, room_number="12")
    office.change(old, currently_enrolled=False)
    office.sandbox.journal.clear()
    read_person(office.session, student)
    assert office.sent() == NARROW
    derive_roster(office.session)
    assert office.rows(f"SELECT dorm_id, room_number FROM roster.boarders WHERE student_id = {student}") == [
        (new, "12")
    ]
    assert office.missing() == set()


def test_a_dorm_opened_today_is_asked_for_its_students(office: Office) -> None:
    student = office.boarder()
    bed = office.bed_of(student)
    dorm = office.add("dorms", office.record("dorms", bed["dorm_id"]), description="New House")["id"]
    office.change(bed, dorm_id=dorm)
    office.sandbox.journal.clear()
    read_person(office.session, student)
    assert office.sent() == {**NARROW, "dorm_students": 5}
    derive_roster(office.session)
    assert office.rows(f"SELECT dorm_id FROM roster.boarders WHERE student_id = {student}") == [(dorm,)]


def test_somebody_whom_veracross_does_not_list_costs_one_request(office: Office) -> None:
    office.sandbox.journal.clear()
    read = read_person(office.session, 999_999)
    assert not read.found
    assert office.sent() == {"students": 1}
    assert office.missing() == set()


def test_a_student_taken_off_the_list_is_not_found_and_missing_once(office: Office) -> None:
    student = office.boarder()
    office.records("students").remove(office.record("students", student))
    read = read_person(office.session, student)
    assert (read.found, dict(read.requests)) == (False, {"students": 2})
    assert office.missing() == {("students", student, 1)}


def test_a_record_that_cannot_be_stored_is_told_and_counts_as_present(office: Office) -> None:
    student = office.boarder()
    office.sandbox.add_fault(
        Fault(FaultKind.ROW_MUTATED, path="*/students", field="last_name", value=7, record_id=student)
    )
    others = [one for one in office.records("students") if one["id"] != student][:1]
    office.change(others[0], household_id=office.record("students", student)["household_id"])
    read = read_person(office.session, student)
    assert (read.found, dict(read.set_aside)) == (True, {"students": 1})
    assert office.missing() == set()


@pytest.mark.parametrize("path", ["*/relationships", "*/dorms/*/students", "*/athletics/rosters"])
def test_a_page_that_fails_changes_nothing(office: Office, path: str) -> None:
    student = office.boarder()
    office.change(office.record("students", student), preferred_name="Kit")
    before = office.everything()
    office.sandbox.add_fault(Fault(FaultKind.STATUS, path=path, status=400, times=None))
    with pytest.raises(IncompleteReadError):
        read_person(office.session, student)
    assert office.everything() == before


def test_a_list_that_comes_up_empty_changes_nothing(office: Office) -> None:
    student = office.boarder()
    office.change(office.record("students", student), preferred_name="Kit")
    before = office.everything()
    office.sandbox.add_fault(Fault(FaultKind.EMPTY_LIST, path="*/dorms/*/students", times=None))
    with pytest.raises(IncompleteReadError):
        read_person(office.session, student)
    assert office.everything() == before


def test_a_school_that_was_never_read_whole_has_to_be_first(office: Office) -> None:
    with office.session.writing() as connection:
        connection.execute("DELETE FROM veracross.reads WHERE collection = 'parents'")
    office.sandbox.journal.clear()
    with pytest.raises(
        WarehouseError, match=r"veracross\.parents of school 'sandbox' has not been read whole"
    ):
        read_person(office.session, office.boarder())
    assert office.sent() == {}


def test_a_class_costs_three_requests(office: Office) -> None:
    lesson = next(one for one in office.records("enrollments") if one["currently_enrolled"])
    group = lesson["internal_class_id"]
    inside = {one["person_id"] for one in office.records("enrollments") if one["internal_class_id"] == group}
    student = next(
        one
        for (one,) in office.rows("SELECT student_id FROM roster.students WHERE is_current ORDER BY 1")
        if one not in inside
    )
    office.add("enrollments", lesson, person_id=student)
    office.add("enrollments", lesson, person_id=999_999)
    office.change(office.record("classes", group), description="Latin 9 - 1")
    office.sandbox.journal.clear()

    read = read_class(office.session, group)

    assert (read.class_id, read.found, read.unknown_people) == (group, True, (999_999,))
    assert office.sent() == {"classes": 1, "enrollments": 1, "athletics_rosters": 1}
    assert dict(read.requests) == office.sent()
    derive_roster(office.session)
    assert office.rows(f"SELECT name FROM roster.groups WHERE group_id = {group}") == [("Latin 9 - 1",)]
    members = f"SELECT person_id FROM roster.group_members WHERE group_id = {group} AND role = 'student'"
    assert (student,) in office.rows(members)
    assert office.missing() == set()


def test_a_class_that_was_emptied_misses_its_own_rows_once(office: Office) -> None:
    lesson = next(one for one in office.records("enrollments") if one["currently_enrolled"])
    group = lesson["internal_class_id"]
    inside = [one for one in office.records("enrollments") if one["internal_class_id"] == group]
    for one in inside:
        office.records("enrollments").remove(one)
    assert read_class(office.session, group).found
    assert office.missing() == {("enrollments", one["id"], 1) for one in inside}


def test_a_class_that_nobody_knows_costs_two_requests(office: Office) -> None:
    office.sandbox.journal.clear()
    read = read_class(office.session, 999_999)
    assert (read.found, read.unknown_people) == (False, ())
    assert office.sent() == {"classes": 2}
    assert office.missing() == set()
