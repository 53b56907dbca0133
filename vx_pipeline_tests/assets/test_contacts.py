"""Reading contacts back from the stand-in Orah: whole, and with as few requests as it takes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vx_pipeline import clock
from vx_pipeline.assets.contacts import ContactsRead, contact_links, orah_contacts, read_contacts
from vx_pipeline.assets.resources import Schools
from vx_pipeline.journal.intents import Result, record_intent, record_outcome
from vx_pipeline.policies import Policies
from vx_pipeline.roster.derive import build
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.families import related
from vx_pipeline_tests.running import point_at
from vx_pipeline_tests.world import READ_AT, TODAY, empty_school, land_rows

STUDENTS = 14
DAYS = Policies().contacts.reread_days
FIRST_NIGHT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

Row = dict[str, Any]


class Nights:
    """A school with one parent for every two students, each linked to a record of the stand-in."""

    def __init__(self, sandbox: Sandbox, session: SchoolSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.now = FIRST_NIGHT
        records = sorted(one["id"] for one in sandbox.school.orah["student"])[:STUDENTS]
        self.records = dict(enumerate(records, start=1))
        sandbox.school.orah["contact"].clear()
        session.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
        session.warehouse_path.write_bytes(empty_school())
        with session.landing() as connection:
            land_rows(connection, "students", *({"id": one, "first_name": f"S{one}"} for one in self.records))
            land_rows(connection, "relationships", *(related(one, 100 + one // 2) for one in self.records))
            land_rows(connection, "orah.students", *({"id": one} for one in records))
            connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
            connection.execute(
                "CREATE TABLE matching.student_links (veracross_id BIGINT, orah_id BIGINT, contested VARCHAR)"
            )
            for ours, theirs in self.records.items():
                connection.execute("INSERT INTO matching.student_links VALUES (?, ?, NULL)", [ours, theirs])
        self.parents()

    def parents(self, **phones: str) -> None:
        """What Veracross says of the parents; ``p103="555"`` gives one of them another phone."""
        with self.session.landing() as connection:
            people = [
                {"id": 100 + one, "first_name": f"P{one}", "last_name": "Roy"} for one in range(STUDENTS)
            ]
            infos = [{"id": int(name[1:]), "mobile_phone": phone} for name, phone in phones.items()]
            land_rows(connection, "parents", *people)
            land_rows(connection, "contact_info", *infos)
            for table in ("leavers", "students", "contacts"):
                with transaction(connection):
                    build(connection, table, Policies(), TODAY)

    def contact(self, number: int, *students: int, **fields: Any) -> Row:
        """A contact of these students, known by Veracross id, in Orah."""
        texts = ("title", "first_name", "last_name", "relationship", "email")
        record = {
            "model": "contact",
            "id": number,
            **dict.fromkeys((*texts, "home_phone", "mobile_phone", "address", "created_at", "updated_at")),
            **fields,
            "_student_ids": [self.records[one] for one in students],
        }
        self.sandbox.school.orah["contact"].append(record)
        return record

    def night(self, after: timedelta = timedelta(days=1), only: set[int] | None = None) -> ContactsRead:
        """One more read; ``requests`` is checked against what the stand-in saw."""
        self.now += after
        before = len(self.sandbox.journal.requests)
        read = read_contacts(self.session, only)
        sent = self.sandbox.journal.requests[before:]
        assert {one.path for one in sent} <= {"/open-api/contact/list-by-student"}
        assert read.requests == len(sent)
        return read

    def in_turn(self) -> set[int]:
        """The records whose own day of the week this is."""
        day = (self.now - datetime(1970, 1, 1, tzinfo=UTC)).days
        return {record for record in self.records.values() if (day + record) % DAYS == 0}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A query's rows from the warehouse."""
        with self.session.reading() as connection:
            return connection.execute(query).fetchall()

    def missing(self) -> set[int]:
        """Contacts that did not come where they should have."""
        return {row[0] for row in self.rows("SELECT id FROM orah.contacts WHERE _missing_since IS NOT NULL")}

    def ids(self, *students: int) -> set[int]:
        """The records of students."""
        return {self.records[one] for one in students}


@pytest.fixture
def nights(make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    sandbox = make_sandbox(40)
    point_at(sandbox, tmp_path / "vx", monkeypatch)
    with SchoolSession(load_settings(), SANDBOX) as session:
        made = Nights(sandbox, session)
        monkeypatch.setattr(clock, "now", lambda zone=UTC: made.now.astimezone(zone))
        yield made


def refuse(sandbox: Sandbox, status: int, times: int | None = 1, after: int = 0) -> None:
    sandbox.add_fault(
        Fault(FaultKind.STATUS, system="orah", path="*/contact/*", status=status, times=times, after=after)
    )


def test_the_first_night_reads_everybody_and_the_next_ones_a_share_each(nights: Nights) -> None:
    nights.contact(900, 1, 2, first_name="P1")
    assert nights.night().students == set(nights.records.values())
    assert nights.rows("SELECT contact_id, student_id FROM orah.contact_students") == [
        (900, record) for record in sorted(nights.ids(1, 2))
    ]
    seen: list[int] = []
    for _ in range(DAYS):
        read = nights.night()
        assert read.students == nights.in_turn()
        assert read.requests == len(read.students)
        seen += read.students
    assert sorted(seen) == sorted(nights.records.values())


def test_a_second_run_on_the_same_day_asks_for_nobody(nights: Nights) -> None:
    nights.night()
    assert nights.night(after=timedelta(minutes=1)).requests == 0
    nights.night(after=timedelta(days=1))
    assert nights.night(after=timedelta(minutes=1)).requests == 0


def test_a_parent_who_changed_asks_for_exactly_the_own_children(nights: Nights) -> None:
    nights.night()
    nights.parents(p103="555-0100")
    assert nights.night(after=timedelta(minutes=1)).students == nights.ids(6, 7)
    assert nights.night(after=timedelta(minutes=1)).requests == 0


def test_what_we_wrote_is_read_back(nights: Nights) -> None:
    nights.contact(900, 1, 2)
    nights.night()
    for action, target, body in (
        ("create", None, {"student_ids": sorted(nights.ids(4, 5))}),
        ("update", 900, {"title": "Dr."}),
        ("unlink", 901, {"student_id": 9, "orah_student_id": nights.records[9], "urgent": True}),
    ):
        intent = record_intent(
            nights.session.journal, school=SANDBOX, at=nights.now + timedelta(seconds=1), system="orah",
            entity="contact", action=action, key=7, target_id=target, body=body, cause="plan",
        )  # fmt: skip
        if action != "unlink":
            record_outcome(nights.session.journal, intent, Result.DONE, at=nights.now, target_id=target)
    assert nights.night(after=timedelta(minutes=1)).students == nights.ids(1, 2, 4, 5, 9)
    assert nights.night(after=timedelta(minutes=1)).requests == 0


def test_who_is_in_doubt_missing_or_gone_is_not_asked_about(nights: Nights) -> None:
    with nights.session.landing() as connection:
        connection.execute("UPDATE matching.student_links SET contested = 'x' WHERE veracross_id = 1")
        left = {"id": 3, "first_name": "S", "roles": "Alumni"}
        rest = [{"id": one, "first_name": "S"} for one in nights.records if one != 3]
        land_rows(connection, "students", left, *rest)
        there = [{"id": record} for ours, record in nights.records.items() if ours != 2]
        land_rows(connection, "orah.students", *there, read_at=READ_AT + timedelta(days=1))
    nights.parents()
    assert nights.night().students == set(nights.records.values()) - nights.ids(1, 2, 3)


def test_on_demand_only_those_who_are_asked_for(nights: Nights) -> None:
    nights.night()
    assert nights.night(only={2, 3}).students == nights.ids(2, 3)


def test_a_read_that_fails_leaves_that_students_contacts_and_nobody_elses(nights: Nights) -> None:
    for number, student in enumerate((1, 3, 5, 7), start=900):
        nights.contact(number, student)
    nights.night()
    refuse(nights.sandbox, 400)
    for one in nights.sandbox.school.orah["contact"]:
        one["first_name"] = "Changed"
    read = nights.night(only={1, 3, 5, 7})
    ((failed, why),) = read.failed.items()
    assert "400" in why
    assert nights.missing() == set()
    unchanged = nights.rows(
        "SELECT student_id FROM orah.contacts JOIN orah.contact_students ON id = contact_id "
        "WHERE first_name IS NULL"
    )
    assert unchanged == [(failed,)]
    assert nights.rows("SELECT student_id FROM orah.contact_reads WHERE failed_at IS NOT NULL") == [(failed,)]
    assert failed in nights.night(after=timedelta(minutes=1)).students
    assert nights.rows("FROM orah.contact_reads WHERE failed_at IS NOT NULL") == []


def test_a_key_without_permission_is_not_tried_on(nights: Nights) -> None:
    nights.contact(900, 1)
    nights.night()
    nights.sandbox.orah_forbidden.add("contact")
    read = nights.night(only=set(nights.records))
    assert read.requests < len(nights.records) / 2
    assert (len(read.failed), nights.missing()) == (STUDENTS, set())


def test_a_service_that_is_down_is_not_asked_for_everybody(nights: Nights) -> None:
    refuse(nights.sandbox, 418, times=None)
    read = nights.night()
    assert read.requests < len(nights.records)
    assert (read.students, len(read.failed)) == (frozenset(), STUDENTS)


def test_a_contact_that_changed_its_student_is_followed(nights: Nights) -> None:
    moved = nights.contact(900, 1, 2)
    gone = nights.contact(901, 1, 3)
    nights.night()
    moved["_student_ids"] = sorted(nights.ids(2))
    nights.sandbox.school.orah["contact"].remove(gone)
    read = nights.night(only={1})
    assert read.requests == 3
    assert nights.missing() == {901}
    assert nights.rows("SELECT student_id FROM orah.contact_students WHERE contact_id = 900") == [
        (nights.records[2],)
    ]


def test_a_contact_is_not_missing_while_one_of_its_students_cannot_be_read(nights: Nights) -> None:
    moved = nights.contact(900, 1, 2)
    nights.night()
    moved["_student_ids"] = sorted(nights.ids(2))
    refuse(nights.sandbox, 400, after=1)
    read = nights.night(only={1})
    assert (read.requests, read.failed, nights.missing()) == (2, {}, set())


def test_a_contact_that_did_not_come_is_asked_for_once_more(nights: Nights) -> None:
    gone = nights.contact(900, 1)
    nights.night()
    nights.sandbox.school.orah["contact"].remove(gone)
    nights.night(after=timedelta(minutes=1), only={1})
    assert nights.night(after=timedelta(minutes=1)).students == nights.ids(1)
    assert nights.rows("SELECT _missing_reads FROM orah.contacts") == [(2,)]
    assert nights.night(after=timedelta(minutes=1)).requests == 0


def test_a_contact_that_cannot_be_stored_closes_its_students(nights: Nights) -> None:
    nights.contact(900, 1, 2, first_name="Ana")
    nights.contact(901, 3, first_name=["Ben"])
    read = nights.night()
    assert set(read.failed) == nights.ids(3)
    assert nights.rows("SELECT id FROM orah.contacts") == [(900,)]


@pytest.mark.parametrize("kind", [FaultKind.FIELD_DROPPED, FaultKind.FIELD_RETYPED])
@pytest.mark.parametrize("field", ["students", "last_name"])
def test_contacts_of_another_shape_close_their_students_and_stop_nothing(
    nights: Nights, kind: FaultKind, field: str
) -> None:
    nights.contact(900, 1, 2, last_name="Roy")
    nights.sandbox.add_fault(Fault(kind, system="orah", path="*/contact/*", field=field, times=None))
    assert nights.ids(1, 2) <= nights.night().failed.keys()
    assert nights.rows("FROM orah.contacts") == []


def test_a_school_that_does_not_sync_contacts_asks_for_none(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VX_POLICIES", '{"contacts": {"synced": false}}')
    with SchoolSession(load_settings(), SANDBOX) as session:
        assert read_contacts(session).requests == 0


def test_the_assets_say_what_they_did(nights: Nights) -> None:
    nights.contact(900, 2, first_name="P1", last_name="Roy")
    refuse(nights.sandbox, 400)
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize(
            [orah_contacts, contact_links],
            partition_key=SANDBOX,
            resources={"schools": Schools()},
            instance=instance,
        )
    assert run.success
    read, matched = (
        event.materialization.metadata
        for event in run.get_asset_materialization_events()
        if event.event_specific_data
    )
    assert read["requests"].value == len(nights.sandbox.journal.requests)
    assert read["students read"].value == STUDENTS - 1
    (check,) = (one for one in run.get_asset_check_evaluations() if one.check_name == "contacts_are_read")
    assert (check.passed, check.metadata["not read"].value) == (False, 1)
    assert "questions" in matched
