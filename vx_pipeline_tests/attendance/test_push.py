"""Pushing marks to the stand-in Veracross: nobody's mark but ours is replaced, and every mark is sent once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from vx_pipeline.attendance.days import Days, write_planned_updates
from vx_pipeline.attendance.missed import Meeting, Missed
from vx_pipeline.attendance.push import Pusher, Update, push_marks
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import AccessError, VxError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.intents import open_intents, record_intent
from vx_pipeline.journal.marks import Mark, last_mark, record_mark
from vx_pipeline.journal.tables import intents, outcomes
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.veracross import VeracrossClient
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.veracross.stand_in import FAST
from vx_pipeline_tests.world import open_school, rows

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
SCHOOL = "north"
POLICY = AttendancePolicy()
PATCH = "*/attendance/*"

Row = dict[str, Any]


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    return make_sandbox(20, today=TODAY)


def push(
    sandbox: Sandbox,
    journal: Journal,
    missed: Sequence[Missed],
    *,
    policy: AttendancePolicy = POLICY,
    now: Callable[[], datetime] = lambda: NOW,
) -> list[Update]:
    async def run() -> list[Update]:
        veracross = VeracrossClient(
            school_route=sandbox.school.route,
            client_id=sandbox.credentials.client_id,
            client_secret=sandbox.credentials.client_secret,
            api_url=sandbox.veracross_api_url,
            accounts_url=sandbox.veracross_accounts_url,
            retry=FAST,
            timeout_seconds=0.3,
        )
        async with veracross:
            return await push_marks(Pusher(veracross, journal, SCHOOL, "run-1", policy, now), missed)

    return asyncio.run(run())


def code(sandbox: Sandbox, label: str) -> int:
    return int(next(item["id"] for item in statuses(sandbox) if item["description"] == label))


def statuses(sandbox: Sandbox) -> list[Row]:
    lists = sandbox.school.value_lists["list_class_attendance"]
    items: list[Row] = next(one["items"] for one in lists if "status" in one["fields"])
    return items


def classmates(sandbox: Sandbox, count: int = 1) -> list[Row]:
    """Attendance rows of one class on one day, as they are before anybody marks them."""
    groups: dict[Any, list[Row]] = {}
    for row in sandbox.school.veracross["list_class_attendance"]:
        groups.setdefault((row["internal_class_id"], row["attendance_date"], row["start_time"]), []).append(
            row
        )
    found = next(group for group in groups.values() if len(group) >= count)[:count]
    for row in found:
        row.update(status=code(sandbox, "Present"), notes=None)
    return found


def missing(row: Row) -> Missed:
    start, end = (
        datetime.fromisoformat(row[name]).replace(tzinfo=ZONE).astimezone(UTC)
        for name in ("start_time", "end_time")
    )
    meeting = Meeting(
        class_id=row["internal_class_id"],
        date=date.fromisoformat(row["attendance_date"]),
        block_id=str(row["block"]["id"]),
        student_id=row["student_id"],
        orah_id=7,
        starts_at=start,
        ends_at=end,
    )
    return Missed(meeting, 1.0)


def written(sandbox: Sandbox) -> list[int]:
    return [entry.target_id for entry in sandbox.journal.writes]


def patches(sandbox: Sandbox) -> int:
    return sum(entry.method == "PATCH" for entry in sandbox.journal.requests)


def results(journal: Journal) -> list[str | None]:
    query = select(outcomes.c.result).select_from(
        intents.join(outcomes, outcomes.c.intent_id == intents.c.intent_id, isouter=True)
    )
    with journal.begin() as connection:
        return list(connection.execute(query.order_by(intents.c.intent_id)).scalars())


# --- the mark


def test_an_unmarked_row_becomes_absent(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    absent = code(sandbox, "Absent - Excused")
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, update.attendance_id) == ("written", row["id"])
    assert (update.status_before, update.status_after) == (str(code(sandbox, "Present")), str(absent))
    assert (row["status"], row["notes"]) == (absent, "[via Orah]")
    assert written(sandbox) == [row["id"]]
    assert results(journal) == ["done"]
    assert last_mark(journal, SCHOOL, row["id"]) == Mark(row["id"], str(absent), "[via Orah]", ours=True)


@pytest.mark.parametrize("as_text", [True, False])
def test_the_code_is_sent_as_the_number_of_the_contract(
    sandbox: Sandbox, journal: Journal, *, as_text: bool
) -> None:
    (row,) = classmates(sandbox)
    for item in statuses(sandbox):
        item["id"] = str(item["id"]) if as_text else int(item["id"])
    push(sandbox, journal, [missing(row)])
    (entry,) = sandbox.journal.writes
    assert type(entry.after["status"]) is int
    assert entry.after == {"status": code(sandbox, "Absent - Excused"), "notes": "[via Orah]"}


def test_a_row_that_nobody_took_is_unmarked_too(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    row["status"] = None
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, update.status_before) == ("written", None)


def test_one_mark_costs_three_requests_and_two_tokens(sandbox: Sandbox, journal: Journal) -> None:
    push(sandbox, journal, [missing(row) for row in classmates(sandbox)])
    requests = [(entry.method, "/oauth/" in entry.path) for entry in sandbox.journal.requests]
    assert requests == [("POST", True), ("GET", False), ("POST", True), ("PATCH", False), ("GET", False)]


def test_a_class_costs_one_read_and_each_mark_a_write_and_a_read(sandbox: Sandbox, journal: Journal) -> None:
    updates = push(sandbox, journal, [missing(row) for row in classmates(sandbox, 3)])
    assert [update.result for update in updates] == ["written"] * 3
    data = [entry for entry in sandbox.journal.requests if "/oauth/" not in entry.path]
    assert len(data) == 1 + 2 * 3


def test_only_the_patch_uses_the_token_that_may_write(sandbox: Sandbox, journal: Journal) -> None:
    push(sandbox, journal, [missing(row) for row in classmates(sandbox, 2)])
    data = [entry for entry in sandbox.journal.requests if "/oauth/" not in entry.path]
    assert {entry.method for entry in data} == {"GET", "PATCH"}
    for entry in data:
        may_write = "classes.attendance:update" in entry.scopes
        assert may_write == (entry.method == "PATCH")
        if may_write:
            assert entry.scopes == ("classes.attendance:update",)


def test_a_second_push_writes_nothing(sandbox: Sandbox, journal: Journal) -> None:
    missed = [missing(row) for row in classmates(sandbox, 2)]
    push(sandbox, journal, missed)
    again = push(sandbox, journal, missed)
    assert [update.result for update in again] == ["nothing", "nothing"]
    assert len(written(sandbox)) == 2


def test_the_table_tells_what_became_of_each(sandbox: Sandbox, journal: Journal, tmp_path: Path) -> None:
    first, second = classmates(sandbox, 2)
    second["status"] = code(sandbox, "Late")
    updates = push(sandbox, journal, [missing(first), missing(second)])
    day = date.fromisoformat(first["attendance_date"])
    (tmp_path / "school").mkdir()
    with open_school(tmp_path / "school") as connection:
        for _ in range(2):  # a later push of the day takes the place of the earlier one
            write_planned_updates(connection, updates, days=Days(day, day), at=NOW)
        found = rows(connection, "FROM attendance.planned_updates ORDER BY result DESC")
    absent = str(code(sandbox, "Absent - Excused"))
    assert [row["result"] for row in found] == ["written", "conflict"]
    assert found[0] == {
        "student_id": first["student_id"],
        "class_id": first["internal_class_id"],
        "attendance_date": day,
        "block_id": str(first["block"]["id"]),
        "attendance_id": first["id"],
        "share_missed": 1.0,
        "status_before": str(code(sandbox, "Present")),
        "status_after": absent,
        "result": "written",
        "reason": "nobody has marked the row",
        "updated_at": NOW.replace(tzinfo=None),
    }


# --- a teacher's mark


@pytest.mark.parametrize(
    ("label", "notes"),
    [
        ("Late", None),
        ("Absent - Unexcused", None),
        ("Dismissed", "Left early"),
        ("Present", "spoke to her"),
        (None, "see me"),
    ],
)
def test_a_teachers_mark_is_never_overwritten(
    sandbox: Sandbox, journal: Journal, label: str | None, notes: str | None
) -> None:
    (row,) = classmates(sandbox)
    row.update(status=code(sandbox, label) if label else None, notes=notes)
    before = dict(row)
    for _ in range(2):
        (update,) = push(sandbox, journal, [missing(row)])
        assert (update.result, update.reason) == ("conflict", "a teacher has marked the row")
    assert row == before
    assert patches(sandbox) == 0


def test_a_teachers_own_absent_is_enough(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    row.update(status=code(sandbox, "Absent - Excused"), notes="Doctor")
    (update,) = push(sandbox, journal, [missing(row)])
    assert update.result == "nothing"
    assert (row["notes"], patches(sandbox)) == ("Doctor", 0)


def test_a_teacher_who_changes_our_mark_has_the_last_word(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)])
    row.update(status=code(sandbox, "Present"), notes=None)
    for _ in range(2):
        (update,) = push(sandbox, journal, [missing(row)])
        assert update.reason == "a person changed the row since we first saw it"
    assert (row["status"], patches(sandbox)) == (code(sandbox, "Present"), 1)


def test_an_edit_between_our_first_look_and_a_later_push_is_a_conflict(
    sandbox: Sandbox, journal: Journal
) -> None:
    (row,) = classmates(sandbox)
    sandbox.add_fault(Fault(FaultKind.STATUS, path=PATCH, method="PATCH", status=400))
    (update,) = push(sandbox, journal, [missing(row)])  # the first look, and nothing was written
    assert update.result == "failed"
    row.update(status=None)
    (update,) = push(sandbox, journal, [missing(row)])
    assert update.result == "conflict"
    assert written(sandbox) == []


def test_an_edit_while_classmates_are_written_is_seen(sandbox: Sandbox, journal: Journal) -> None:
    first, second = sorted(classmates(sandbox, 2), key=lambda row: int(row["student_id"]))

    def clock() -> float:
        # The stand-in asks for the time at every request: here the teacher comes in after the first mark.
        if written(sandbox):
            second["status"] = code(sandbox, "Late")
        return time.time()

    sandbox.clock = clock
    updates = push(sandbox, journal, [missing(first), missing(second)])
    assert [update.result for update in updates] == ["written", "conflict"]
    assert second["status"] == code(sandbox, "Late")
    assert written(sandbox) == [first["id"]]


# --- trouble


@pytest.mark.parametrize("kind", [FaultKind.ANSWER_LOST])
def test_a_lost_answer_after_the_mark_landed_is_confirmed(
    sandbox: Sandbox, journal: Journal, kind: FaultKind
) -> None:
    (row,) = classmates(sandbox)
    sandbox.add_fault(Fault(kind, path=PATCH, method="PATCH"))
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, results(journal)) == ("written", ["confirmed"])
    assert patches(sandbox) == len(written(sandbox)) == 1
    mark = last_mark(journal, SCHOOL, row["id"])
    assert mark is not None
    assert mark.ours


@pytest.mark.parametrize(
    "kind", [FaultKind.NO_EFFECT, FaultKind.REQUEST_LOST, FaultKind.HANG, FaultKind.STATUS]
)
def test_a_mark_without_effect_is_told_and_tried_by_the_next_push(
    sandbox: Sandbox, journal: Journal, kind: FaultKind
) -> None:
    (row,) = classmates(sandbox)
    sandbox.add_fault(Fault(kind, path=PATCH, method="PATCH"))
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, results(journal)) == ("failed", ["absent"])
    assert str(row["id"]) in update.reason or "reading back does not show it" in update.reason
    assert patches(sandbox) == 1
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, results(journal)) == ("written", ["absent", "done"])
    assert len(written(sandbox)) == 1


def test_one_refused_mark_does_not_keep_the_others(sandbox: Sandbox, journal: Journal) -> None:
    group = classmates(sandbox, 3)
    sandbox.add_fault(Fault(FaultKind.STATUS, path=PATCH, method="PATCH", status=400))
    updates = push(sandbox, journal, [missing(row) for row in group])
    assert sorted(update.result for update in updates) == ["failed", "written", "written"]
    assert sorted(result or "" for result in results(journal)) == ["done", "done", "failed"]


def test_a_class_that_cannot_be_read_does_not_keep_the_others(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    gone = missing({**row, "internal_class_id": 1})
    updates = push(sandbox, journal, [gone, missing(row)])
    assert [update.result for update in updates] == ["failed", "written"]
    assert "internal_class_id 1" in updates[0].reason


def test_a_mark_that_cannot_be_read_back_stays_open_until_it_can(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    sandbox.add_fault(Fault(FaultKind.STATUS, path="*/attendance", method="GET", times=None, after=1))
    (update,) = push(sandbox, journal, [missing(row)])
    assert update.result == "failed"
    assert "could not be read back" in update.reason
    push(sandbox, journal, [])  # nothing can be settled yet
    assert results(journal) == [None]
    sandbox.clear_faults()
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, results(journal)) == ("nothing", ["confirmed"])
    assert patches(sandbox) == 1


def test_a_missing_write_scope_stops_the_rest(sandbox: Sandbox, journal: Journal) -> None:
    sandbox.granted_scopes.discard("classes.attendance:update")
    with pytest.raises(AccessError, match="OAuth_App_Admin"):
        push(sandbox, journal, [missing(row) for row in classmates(sandbox, 3)])
    assert results(journal) == ["failed"]
    assert patches(sandbox) == 0


@pytest.mark.parametrize("label", ["Absent", "Tardy (old)", ""])
@pytest.mark.parametrize("setting", ["absent_status", "present_status"])
def test_an_unknown_or_obsolete_label_is_told_and_nothing_is_written(
    sandbox: Sandbox, journal: Journal, setting: str, label: str
) -> None:
    policy = AttendancePolicy.model_validate({setting: label})
    with pytest.raises(VxError, match=r"no .* that is in use") as caught:
        push(sandbox, journal, [missing(row) for row in classmates(sandbox)], policy=policy)
    assert repr(label) in caught.value.what
    assert "vx doctor" in caught.value.remedy
    assert patches(sandbox) == 0
    assert results(journal) == []


def test_labels_are_compared_without_case_and_blanks(sandbox: Sandbox, journal: Journal) -> None:
    policy = AttendancePolicy(absent_status=" absent - UNEXCUSED ", note_marker="[away]")
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)], policy=policy)
    assert (row["status"], row["notes"]) == (code(sandbox, "Absent - Unexcused"), "[away]")


def test_a_changed_setting_does_not_push_history_again(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)])
    other = AttendancePolicy(absent_status="Absent - Unexcused")
    (update,) = push(sandbox, journal, [missing(row)], policy=other)
    assert (update.result, update.reason) == ("nothing", "the row holds what we wrote before")
    assert (row["status"], patches(sandbox)) == (code(sandbox, "Absent - Excused"), 1)


def test_a_label_that_goes_during_a_push_does_not_deny_earlier_marks(
    sandbox: Sandbox, journal: Journal
) -> None:
    held = sandbox.school.veracross["list_class_attendance"]
    (first,) = classmates(sandbox)
    second = next(row for row in held if row["internal_class_id"] > first["internal_class_id"])
    second.update(status=code(sandbox, "Present"), notes=None)

    def now() -> datetime:
        if written(sandbox):
            next(item for item in statuses(sandbox) if item["description"] == "Present")["obsolete"] = True
        return NOW

    with pytest.raises(VxError, match="'Present'") as caught:
        push(sandbox, journal, [missing(first), missing(second)], now=now)
    assert "those that were written before stay" in caught.value.kept
    assert written(sandbox) == [first["id"]]


def test_no_single_row_no_mark(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    held = sandbox.school.veracross["list_class_attendance"]
    nobody = missing({**row, "student_id": 1})
    other_block = missing({**row, "block": {"id": 999}})
    held.append({**row, "id": 999_999_999})
    for one in (nobody, other_block, missing(row)):
        (update,) = push(sandbox, journal, [one])
        assert (update.result, update.attendance_id) == ("no_row", None)
    assert patches(sandbox) == 0
    assert results(journal) == []


# --- interruptions


class KilledError(BaseException):
    """Ends a push on the spot, as a signal would."""


@pytest.mark.parametrize(
    ("dies_at", "landed"),
    [(1, None), (2, True)],
    ids=["before the intent", "between write and outcome"],
)
def test_a_killed_push_is_settled_by_the_next(
    sandbox: Sandbox, journal: Journal, dies_at: int, *, landed: bool | None
) -> None:
    (row,) = classmates(sandbox)
    asked = iter(range(100))

    def now() -> datetime:
        if next(asked) == dies_at:
            raise KilledError
        return NOW

    with pytest.raises(KilledError):
        push(sandbox, journal, [missing(row)], now=now)
    assert len(open_intents(journal, SCHOOL, "veracross")) == (0 if landed is None else 1)
    (update,) = push(sandbox, journal, [missing(row)])
    assert update.result == ("nothing" if landed else "written")
    assert results(journal) == ["confirmed" if landed else "done"]
    assert patches(sandbox) == len(written(sandbox)) == 1
    mark = last_mark(journal, SCHOOL, row["id"])
    assert mark is not None
    assert mark.ours


def interrupted(sandbox: Sandbox, journal: Journal, row: Row) -> None:
    """An intent for the row whose outcome nobody noted."""
    record_intent(
        journal,
        school=SCHOOL,
        at=NOW,
        system="veracross",
        entity="class_attendance",
        action="update",
        key=row["student_id"],
        target_id=row["id"],
        body={
            "class_id": row["internal_class_id"],
            "attendance_date": row["attendance_date"],
            "status": str(code(sandbox, "Absent - Excused")),
            "notes": "[via Orah]",
        },
        cause="run-0",
    )


def test_an_intent_that_was_never_sent_is_absent_and_written_now(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    record_mark(journal, SCHOOL, Mark(row["id"], str(row["status"]), None, ours=False), at=NOW)
    interrupted(sandbox, journal, row)
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, results(journal)) == ("written", ["absent", "done"])
    assert len(written(sandbox)) == 1


def test_an_intent_whose_class_is_gone_is_given_up_when_the_edit_window_is_over(
    sandbox: Sandbox, journal: Journal
) -> None:
    (row,) = classmates(sandbox)
    interrupted(sandbox, journal, {**row, "internal_class_id": 1})
    push(sandbox, journal, [], now=lambda: NOW + timedelta(days=POLICY.days_back))
    assert results(journal) == [None]
    for _ in range(2):
        push(sandbox, journal, [], now=lambda: NOW + timedelta(days=POLICY.days_back + 1))
        assert results(journal) == ["failed"]


def test_the_intent_is_on_disk_before_veracross_hears_of_it(
    sandbox: Sandbox, journal: Journal, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []

    def clock() -> float:
        other = open_journal(tmp_path)
        seen.append((len(open_intents(other, SCHOOL, "veracross")), len(written(sandbox))))
        other.close()
        return time.time()

    sandbox.clock = clock
    push(sandbox, journal, [missing(row) for row in classmates(sandbox)])
    # Token, read; token for writing, write; read back.
    assert seen[0] == (0, 0)
    assert (1, 0) in seen
    assert (0, 1) not in seen
