"""Class attendance by day, from a real sandbox: which classes are asked, for what, and what becomes of the rows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from vx_pipeline.assets.attended_day import MOST_UNREAD, DayRead, read_day
from vx_pipeline.assets.on_demand import derive_roster
from vx_pipeline.assets.veracross import extract_and_land
from vx_pipeline.automation.attendance import BY_DAY
from vx_pipeline.commands import runs
from vx_pipeline.errors import VxError
from vx_pipeline.journal.problems import RED, open_problems
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline_tests.conftest import SandboxFactory, fresh_school
from vx_pipeline_tests.running import Pipeline, point_at, running

READ_BEFORE = [table for table in ENDPOINTS if table != "class_attendance"]

Record = dict[str, Any]


@dataclass
class Register:
    """A school at which all but attendance was read."""

    sandbox: Sandbox
    session: SchoolSession

    @property
    def records(self) -> list[Record]:
        """The live rows of the sandbox."""
        return self.sandbox.school.veracross["list_class_attendance"]

    def day(self, back: int = 1) -> date:
        """A school day, so many school days before today."""
        day = self.session.today()
        while back:
            day -= timedelta(days=1)
            back -= day.weekday() < 5
        return day

    def classes_before(self, day: date) -> set[int]:
        """The classes that meet on a day or in the seven days before it."""
        return set().union(*(self.classes_on(day - timedelta(days=back)) for back in range(8)))

    def classes_on(self, day: date) -> set[int]:
        """The classes that meet on a day and take attendance, as the sandbox knows."""
        met = self.sandbox.school.veracross["list_academics_class_meeting_times"]
        tracked = {
            one["id"]
            for one in self.sandbox.school.veracross["list_classes"]
            if one["track_class_attendance"] is not False
        }
        return {one["internal_class_id"] for one in met if one["date"] == day.isoformat()} & tracked

    def read(self, day: date) -> tuple[DayRead, dict[int, list[Mapping[str, Any]]]]:
        """Reads a day; also gives the queries that the sandbox met, by class."""
        self.sandbox.journal.clear()
        done = read_day(self.session, day)
        asked: dict[int, list[Mapping[str, Any]]] = {}
        for one in self.sandbox.journal.requests:
            parts = one.path.split("/")
            if "/v3/" in one.path and parts[-1] == "attendance":
                query = {name: values[0] for name, values in parse_qs(one.query).items()}
                asked.setdefault(int(parts[-2]), []).append(query)
        return done, asked

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.session.reading() as connection:
            return connection.execute(query).fetchall()

    def current(self) -> set[int]:
        """Ids of the rows that are not missing."""
        return {
            one
            for (one,) in self.rows("SELECT id FROM veracross.class_attendance WHERE _missing_since IS NULL")
        }

    def of(self, classes: set[int]) -> list[Record]:
        return [one for one in self.records if one["internal_class_id"] in classes]

    def age(self, days: int) -> None:
        """Lets days go by since the reads of all classes."""
        with self.session.writing() as connection:
            connection.execute(
                "UPDATE veracross.class_attendance_reads SET whole_at = whole_at - to_days($days)",
                {"days": days},
            )


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The warehouse file of a school of which all but attendance was read."""
    home = tmp_path_factory.mktemp("home") / "vx"
    with pytest.MonkeyPatch.context() as monkeypatch, Sandbox(school=fresh_school(24)) as sandbox:
        point_at(sandbox, home, monkeypatch)
        with SchoolSession(load_settings(), SANDBOX) as session:
            for table in READ_BEFORE:
                extract_and_land(session, ENDPOINTS[table])
            derive_roster(session)
            return session.warehouse_path.read_bytes()


@pytest.fixture
def register(
    landed: bytes, make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Register]:
    sandbox = make_sandbox(24)
    point_at(sandbox, tmp_path / "vx", monkeypatch)
    with SchoolSession(load_settings(), SANDBOX) as session:
        session.warehouse_path.parent.mkdir(parents=True)
        session.warehouse_path.write_bytes(landed)
        yield Register(sandbox, session)


def test_the_first_time_each_class_that_met_is_read_whole_once(register: Register) -> None:
    day = register.day(3)
    met = register.classes_on(day)
    done, asked = register.read(day)
    assert met
    assert asked == {one: [{}] for one in met}
    assert (set(done.due.whole), done.due.changes, done.requests) == (met, (), len(met))
    assert register.current() == {one["id"] for one in register.of(met)}
    assert register.rows(
        "SELECT count(*) FROM veracross.class_attendance WHERE status IS NOT NULL AND status_label IS NULL"
    ) == [(0,)]


def test_the_second_time_only_what_changed_comes(register: Register) -> None:
    day = register.day(3)
    register.read(day)
    changed, other = register.of(register.classes_on(day))[:2]
    before = dict(register.rows("SELECT id, _row_hash FROM veracross.class_attendance"))
    labels = register.rows("SELECT * FROM veracross.value_list_items ORDER BY ALL")
    changed.update(notes="Came later", last_modified_date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    other.update(notes="Not stamped", last_modified_date="2026-01-01T00:00:00Z")

    done, asked = register.read(day)

    since = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    assert asked == {one: [{"on_or_after_last_modified_date": since}] for one in register.classes_on(day)}
    assert (done.due.whole, done.landed and done.landed.changed) == ((), 1)
    after = dict(register.rows("SELECT id, _row_hash FROM veracross.class_attendance"))
    assert {one for one in after if after[one] != before.get(one)} == {changed["id"]}
    assert register.rows("SELECT * FROM veracross.value_list_items ORDER BY ALL") == labels


def test_a_class_that_meets_on_another_day_is_read_whole_then(register: Register) -> None:
    """What changed is asked for from the oldest read of the classes that are asked for it."""
    first, second = register.day(4), register.day(3)
    register.read(first)
    done, asked = register.read(second)
    old, new = register.classes_on(first), register.classes_on(second)
    assert (set(done.due.whole), set(done.due.changes)) == (new - old, new & old)
    assert {one for one, queries in asked.items() if queries == [{}]} == new - old
    assert register.current() == {one["id"] for one in register.of(old | new)}


def test_a_deletion_shows_in_the_next_whole_read_and_not_before(register: Register) -> None:
    day = register.day(3)
    register.read(day)
    gone = register.of(register.classes_on(day))[0]
    register.records.remove(gone)
    register.read(day)
    assert gone["id"] in register.current()
    register.age(7)
    register.read(day)
    assert gone["id"] not in register.current()
    assert register.current() == {one["id"] for one in register.of(register.classes_on(day))}


def test_the_rows_of_classes_that_were_not_asked_are_not_missed(register: Register) -> None:
    first, second = register.day(2), register.day(1)
    register.read(first)
    register.read(second)
    assert register.rows(
        "SELECT count(*) FROM veracross.class_attendance WHERE _missing_since IS NOT NULL"
    ) == [(0,)]


def test_a_refusal_keeps_everything_as_it_was(register: Register) -> None:
    day = register.day()
    broken = min(register.classes_on(day))
    fault = Fault(FaultKind.STATUS, path=f"*/v3/classes/{broken}/attendance", status=403, times=None)
    register.sandbox.add_fault(fault)
    with pytest.raises(VxError, match="403"):
        register.read(day)
    assert register.current() == set()
    assert register.rows("SELECT * FROM veracross.class_attendance_reads") == []


def test_a_correction_is_read_though_its_class_does_not_meet_again(register: Register) -> None:
    met, today = register.day(3), register.session.today()
    register.read(today)
    meetings = register.sandbox.school.veracross["list_academics_class_meeting_times"]
    (class_id, *_) = sorted(register.classes_on(met))
    meetings[:] = [
        one for one in meetings if one["internal_class_id"] != class_id or one["date"] == met.isoformat()
    ]
    extract_and_land(register.session, ENDPOINTS["meeting_times"])
    corrected = register.of({class_id})[0]
    corrected.update(
        notes="By bus, late", last_modified_date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )

    done, asked = register.read(today)

    assert class_id not in register.classes_on(today)
    assert (done.landed and done.landed.changed, len(asked[class_id])) == (1, 1)
    assert set(asked) == register.classes_before(today)
    assert done.requests == len(asked), "one request a class"


def test_a_class_that_is_gone_is_left_out_and_told_and_the_others_land(register: Register) -> None:
    day = register.session.today()
    gone = min(register.classes_before(day))
    path = f"*/v3/classes/{gone}/attendance"
    register.sandbox.add_fault(Fault(FaultKind.STATUS, path=path, status=404, times=1))
    done, _ = register.read(day)
    assert [*done.unread] == [gone]
    assert [(one.entity, one.key) for one in done.troubles(day)] == [("class", gone)]
    read = register.rows("SELECT class_id FROM veracross.class_attendance_reads")
    assert {one for (one,) in read} == register.classes_before(day) - {gone}
    assert register.current() == {
        one["id"] for one in register.of(register.classes_before(day)) if one["internal_class_id"] != gone
    }
    again, asked = register.read(day)
    assert (again.due.whole, asked[gone], again.unread) == ((gone,), [{}], {})


def test_more_than_a_few_classes_that_cannot_be_read_are_a_failure(register: Register) -> None:
    day = register.day()
    for one in sorted(register.classes_on(day))[: MOST_UNREAD + 1]:
        path = f"*/v3/classes/{one}/attendance"
        register.sandbox.add_fault(Fault(FaultKind.STATUS, path=path, status=404, times=None))
    with pytest.raises(VxError, match="404"):
        register.read(day)
    assert register.current() == set()


def test_a_run_in_which_no_class_can_be_read_is_a_failure(register: Register) -> None:
    day = register.day(3)
    (only, *others) = sorted(register.classes_on(day))
    with register.session.writing() as connection:
        connection.execute(
            "DELETE FROM veracross.meeting_times WHERE internal_class_id IN (SELECT unnest($others))",
            {"others": others},
        )
    path = f"*/v3/classes/{only}/attendance"
    register.sandbox.add_fault(Fault(FaultKind.STATUS, path=path, status=404, times=None))
    with pytest.raises(VxError, match="None of the classes"):
        register.read(day)


def test_a_day_that_has_not_begun_or_is_not_kept_is_refused(register: Register) -> None:
    register.sandbox.journal.clear()
    with pytest.raises(VxError, match="has not begun"):
        read_day(register.session, register.session.today() + timedelta(days=1))
    with pytest.raises(VxError, match="2025-07-01 on"):
        read_day(register.session, date(2025, 6, 30))
    assert not register.sandbox.journal.requests


def test_meetings_that_were_not_read_for_days_are_told(register: Register) -> None:
    day = register.session.today() - timedelta(days=1)
    with register.session.writing() as connection:
        connection.execute(
            "UPDATE veracross.reads SET read_at = read_at - to_days(3) WHERE collection = 'meeting_times'"
        )
    done, _ = register.read(day)
    assert replace(done, meetings_read_on=day - timedelta(days=1)).troubles(day) == []
    (trouble,) = done.troubles(day)
    assert (trouble.entity, trouble.key) == ("meetings", 0)
    assert str(day - timedelta(days=2)) in trouble.reason


def test_a_class_that_comes_empty_keeps_its_rows_and_is_asked_whole_again(register: Register) -> None:
    day = register.day()
    met = register.classes_on(day)
    register.read(day)
    before = register.current()
    empty = min(one["internal_class_id"] for one in register.of(met))
    kept = register.of({empty})
    register.records[:] = [one for one in register.records if one["internal_class_id"] != empty]
    register.age(7)
    done, _ = register.read(day)
    assert (done.empty, register.current()) == ((empty,), before)
    register.records.extend(kept)
    again, asked = register.read(day)
    assert (again.due.whole, again.empty, asked[empty]) == ((empty,), (), [{}])


def test_a_row_set_aside_is_forgotten_when_its_class_is_read_whole_without_it(register: Register) -> None:
    first, second = register.day(2), register.day(1)
    odd = register.of(register.classes_on(first) & register.classes_on(second))[0]
    odd["student_id"] = "nobody"
    done, _ = register.read(first)
    assert done.landed is not None
    assert done.landed.rejected == 1
    register.records.remove(odd)
    register.age(7)
    register.read(second)
    assert register.rows("SELECT * FROM veracross.rejected_rows WHERE collection = 'class_attendance'") == []


def test_a_day_without_meetings_asks_nothing(register: Register) -> None:
    sunday = register.session.today() - timedelta(days=register.session.today().isoweekday())
    done, asked = register.read(sunday)
    assert (asked, done.landed, done.requests) == ({}, None, 0)
    assert register.current() == set()


def test_only_a_recent_day_makes_the_table_fresh(register: Register) -> None:
    fresh = "SELECT count(*) FROM veracross.reads WHERE collection = 'class_attendance' AND whole"
    register.read(register.day(3))
    assert register.rows(fresh) == [(0,)]
    day = register.session.today() - timedelta(days=1)
    register.read(day)
    assert register.rows(fresh) == [(int(bool(register.classes_before(day))),)]


@pytest.fixture
def pipeline(
    landed: bytes, make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Pipeline, Sandbox]]:
    sandbox = make_sandbox(24)
    with running(sandbox, tmp_path / "vx", monkeypatch) as found:
        warehouse = found.settings.warehouse_path(SANDBOX)
        warehouse.parent.mkdir(parents=True)
        warehouse.write_bytes(landed)
        yield found, sandbox


def test_the_job_runs_for_a_day_and_tells_numbers(
    pipeline: tuple[Pipeline, Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = pipeline
    monkeypatch.setenv("VX_POLICIES__INSIGHTS__TERM_STARTS", '["2020-01-06"]')
    with found.session() as session:
        day = session.today() - timedelta(days=1)
    for _ in range(2):
        outcome = found.attendance(day)
        assert (outcome.success, outcome.failures) == (True, ())
        assert set(outcome.read) == {key.to_user_string() for key in BY_DAY}
    with found.session() as session:
        (told,) = open_problems(session.journal, SANDBOX)
    assert (told.entity, told.times) == ("term", 2)
    assert "term_starts" in told.reason
    read = outcome.read["veracross/class_attendance"]
    assert read["dagster/row_count"] == found.count("veracross.class_attendance")
    assert ("requests_left_in_window" in read) is (read["requests"] > 0)
    assert ("nothing asked" in read) is (read["requests"] == 0)
    current = found.rows("SELECT count(*) FROM roster.students WHERE is_current")[0][0]
    assert found.rows("SELECT DISTINCT as_of FROM attendance.insights") == [(day,)]
    assert found.count("attendance.insights") == 3 * current
    kinds = Counter(dict(found.rows("SELECT kind, count(*) FROM attendance.sessions GROUP BY kind")))
    assert set(kinds) <= {"present", "late", "excused", "unexcused", "untaken"}


def test_a_job_that_stops_is_red_until_it_comes_through(pipeline: tuple[Pipeline, Sandbox]) -> None:
    found, sandbox = pipeline
    with found.session() as session:
        day = session.today() - timedelta(days=1)
        sandbox.add_fault(Fault(FaultKind.STATUS, path="*/v3/classes/*/attendance", status=403, times=1))
        outcome = found.attendance(day)
        assert not outcome.success
        red = [one for one in open_problems(session.journal, SANDBOX) if one.colour == RED]
        assert [one.entity for one in red] == ["attendance"]
        assert "class_attendance" in red[0].told
        assert found.attendance(day - timedelta(days=1)).success
        assert open_problems(session.journal, SANDBOX) == red, "an older day says nothing about the newest"
        assert found.attendance(day).success
        assert open_problems(session.journal, SANDBOX) == []
        sandbox.add_fault(Fault(FaultKind.STATUS, path="*/v3/classes/*/attendance", status=403, times=1))
        assert not found.attendance(Register(sandbox, session).day(3)).success
        assert open_problems(session.journal, SANDBOX) == [], "no night would come that ends it"


def test_a_status_of_no_known_meaning_is_told(pipeline: tuple[Pipeline, Sandbox]) -> None:
    found, sandbox = pipeline
    (items,) = (block["items"] for block in sandbox.school.value_lists["list_class_attendance"])
    late, dismissed = (
        next(item for item in items if item["description"] == label) for label in ("Late", "Dismissed")
    )
    late["description"] = "Code blue"
    with found.session() as session:
        register = Register(sandbox, session)
        outcome = found.attendance(register.day())
        assert (outcome.success, outcome.failures) == (True, ())
        assert runs.exit_code(outcome, None) == 0
        (first,) = open_problems(session.journal, SANDBOX)
        assert (first.entity, first.key) == ("attendance status", int(late["id"]))
        assert "'Code blue'" in first.told

        dismissed["description"] = "Left early"
        row = register.of(register.classes_on(register.day()))[0]
        row.update(status=int(dismissed["id"]), last_modified_date=datetime.now(UTC).isoformat())
        found.attendance(register.day())
        both = open_problems(session.journal, SANDBOX)
    assert [(one.key, one.times) for one in both] == [(int(late["id"]), 2), (int(dismissed["id"]), 1)]
    assert "'Left early'" in both[1].told
