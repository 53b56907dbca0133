"""Pushing marks to the stand-in Veracross: nobody's mark but ours is replaced, and every mark is sent once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from vx_pipeline.attendance.day import PushedDay, SchoolDay
from vx_pipeline.attendance.items import Links, place_of
from vx_pipeline.attendance.looked_at import Item, Update
from vx_pipeline.attendance.missed import Meeting
from vx_pipeline.attendance.push import Pushed, push_marks
from vx_pipeline.attendance.settling import settle_open_intents, take_in_late
from vx_pipeline.attendance.tables import write_day
from vx_pipeline.attendance.wanted import Outcome, Wanted
from vx_pipeline.attendance.writing import Pusher
from vx_pipeline.attendance_policy import AttendancePolicy
from vx_pipeline.errors import AccessError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.intents import open_intents, record_intent
from vx_pipeline.journal.mark_answers import answer_questions
from vx_pipeline.journal.mark_questions import Answer, open_questions
from vx_pipeline.journal.marks import Mark, OurMark, Place, last_mark, our_marks, record_mark
from vx_pipeline.journal.tables import intents, outcomes
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.veracross import RateLimit, VeracrossClient
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


def push_all(
    sandbox: Sandbox,
    journal: Journal,
    items: Sequence[Item],
    *,
    policy: AttendancePolicy = POLICY,
    now: Callable[[], datetime] = lambda: NOW,
) -> Pushed:
    """Settles what was interrupted, looks up what is ours, and pushes, as a day's push does."""

    async def run() -> Pushed:
        veracross = VeracrossClient(
            school_route=sandbox.school.route,
            client_id=sandbox.credentials.client_id,
            client_secret=sandbox.credentials.client_secret,
            api_url=sandbox.veracross_api_url,
            accounts_url=sandbox.veracross_accounts_url,
            retry=FAST,
            timeout_seconds=0.3,
            rate_limit=RateLimit(300, 0.1),
        )
        async with veracross:
            pusher = Pusher(veracross, journal, SCHOOL, "run-1", policy, now)
            await settle_open_intents(pusher)
            for day in sorted({one.place.attendance_date for one in items}):
                await take_in_late(pusher, day)
            return await push_marks(pusher, [replace(one, ours=ours(journal, one.place)) for one in items])

    return asyncio.run(run())


def push(sandbox: Sandbox, journal: Journal, items: Sequence[Item], **options: Any) -> list[Update]:
    return push_all(sandbox, journal, items, **options).updates


def ours(journal: Journal, place: Place) -> OurMark | None:
    return next(
        (one for one in our_marks(journal, SCHOOL, place.attendance_date) if one.place == place), None
    )


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


def missing(
    row: Row, outcome: Outcome = Outcome.ABSENT, *, name: str = "Town", source: str = "movement"
) -> Item:
    """Orah says that the student of a row was away, or what a roll said."""
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
    wanted = Wanted(meeting, outcome, source, name, "Excused", 1.0, ("m1",), start)
    return Item(place_of(meeting), wanted, None)


def nothing_more(row: Row, **values: Any) -> Item:
    """Orah says nothing about the student of a row any more."""
    return replace(missing(row), wanted=None, **values)


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
    assert update.before == Mark(row["id"], str(code(sandbox, "Present")), None, ours=False)
    assert update.after == Mark(row["id"], str(absent), "[via Orah]", ours=True)
    assert (update.label_before, update.label_after) == ("Present", "Absent - Excused")
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
    assert (update.result, update.label_before) == ("written", None)
    assert update.before == Mark(row["id"], None, None, ours=False)


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
    items = [missing(row) for row in classmates(sandbox, 2)]
    push(sandbox, journal, items)
    again = push(sandbox, journal, items)
    assert [update.result for update in again] == ["nothing", "nothing"]
    assert len(written(sandbox)) == 2


def test_the_table_tells_what_became_of_each(sandbox: Sandbox, journal: Journal, tmp_path: Path) -> None:
    first, second = classmates(sandbox, 2)
    second["status"] = code(sandbox, "Late")
    pushed = push_all(sandbox, journal, [missing(first), missing(second)])
    day = date.fromisoformat(first["attendance_date"])
    known = SchoolDay(day, (), Links({}, {}, frozenset()), {})
    (tmp_path / "school").mkdir()
    with open_school(tmp_path / "school") as connection:
        for orah_ids in (None, None, [8], [7]):  # a later push of the day takes the place of the earlier one
            told = PushedDay((), pushed.updates, (), 0, pushed.label_troubles)
            write_day(connection, told, known=known, policy=POLICY, at=NOW, orah_ids=orah_ids)
        found = rows(connection, "FROM attendance.planned_updates ORDER BY result DESC")
    absent = str(code(sandbox, "Absent - Excused"))
    assert [row["result"] for row in found] == ["written", "conflict"]
    assert found[0] == {
        "student_id": first["student_id"],
        "orah_id": 7,
        "class_id": first["internal_class_id"],
        "attendance_date": day,
        "block_id": str(first["block"]["id"]),
        "attendance_id": first["id"],
        "outcome": "absent",
        "source": "movement",
        "name": "Town",
        "reason_type": "Excused",
        "share_missed": 1.0,
        "status_before": str(code(sandbox, "Present")),
        "status_after": absent,
        "label_before": "Present",
        "label_after": "Absent - Excused",
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


@pytest.mark.parametrize("status", [400, 429])
def test_an_edit_while_a_write_waits_or_fails_is_seen(
    sandbox: Sandbox, journal: Journal, status: int
) -> None:
    first, second = sorted(classmates(sandbox, 2), key=lambda row: int(row["student_id"]))
    # Of a write that is sent again the row itself is read again, of one that is refused those after it.
    edited = first if status == 429 else second

    def clock() -> float:
        if patches(sandbox):
            edited["status"] = code(sandbox, "Late")
        return time.time()

    sandbox.clock = clock
    sandbox.add_fault(Fault(FaultKind.STATUS, path=PATCH, method="PATCH", status=status))
    updates = push(sandbox, journal, [missing(first), missing(second)])
    expected = {400: ["failed", "conflict"], 429: ["conflict", "written"]}
    assert [update.result for update in updates] == expected[status]
    assert edited["status"] == code(sandbox, "Late")
    assert edited["id"] not in written(sandbox)
    assert len(open_questions(journal, SCHOOL)) == 1


def test_the_rest_of_a_class_that_cannot_be_read_again_waits(sandbox: Sandbox, journal: Journal) -> None:
    rows_ = classmates(sandbox, 2)
    sandbox.add_fault(Fault(FaultKind.STATUS, path="*/attendance", method="GET", times=None, after=1))
    updates = push(sandbox, journal, [missing(row) for row in rows_])
    assert [update.result for update in updates] == ["failed", "failed"]
    assert patches(sandbox) == 1


# --- what is ours


def test_a_mark_follows_orah_and_goes_back_to_what_the_row_held(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    row["status"] = None
    for item, result, label, notes in (
        (missing(row, Outcome.LATE), "written", "Late", "[via Orah]"),
        (missing(row), "written", "Absent - Excused", "[via Orah]"),
        (missing(row, Outcome.PRESENT, source="roll"), "restored", None, None),
        (missing(row), "written", "Absent - Excused", "[via Orah]"),
        (nothing_more(row), "restored", None, None),
    ):
        for again in (False, True):
            (update,) = push(sandbox, journal, [item])
            assert update.result == ("nothing" if again else result)
            assert row["status"] == (code(sandbox, label) if label else None)
            assert row["notes"] == notes
    assert patches(sandbox) == 5


def test_a_row_that_a_person_changed_does_not_go_back(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)])
    row.update(status=code(sandbox, "Late"), notes="came running")
    (update,) = push(sandbox, journal, [nothing_more(row)])
    assert update.result == "kept"
    assert (row["status"], row["notes"], patches(sandbox)) == (code(sandbox, "Late"), "came running", 1)


@pytest.mark.parametrize("seen_between", [False, True])
def test_a_present_that_a_person_chose_instead_of_our_mark_is_theirs_for_ever(
    sandbox: Sandbox, journal: Journal, *, seen_between: bool
) -> None:
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)])
    row.update(status=code(sandbox, "Present"), notes=None)
    if seen_between:  # Orah agrees for a while
        (update,) = push(sandbox, journal, [nothing_more(row)])
        assert update.result == "nothing"
    (update,) = push(sandbox, journal, [missing(row, name="Home")])
    assert (update.result, row["status"]) == ("conflict", code(sandbox, "Present"))
    assert patches(sandbox) == 1


def test_what_is_left_or_waits_is_not_touched(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)])
    for waits, result in ((False, "left"), (True, "waiting")):
        (update,) = push(sandbox, journal, [nothing_more(row, leave="nobody can tell", waits=waits)])
        assert (update.result, update.reason) == (result, "nobody can tell")
    assert patches(sandbox) == 1


def test_a_word_for_which_the_school_wants_no_mark_takes_ours_back(
    sandbox: Sandbox, journal: Journal
) -> None:
    (row,) = classmates(sandbox)
    policy = AttendancePolicy(statuses={"Sport": ""})
    assert [one.result for one in push(sandbox, journal, [missing(row, name="Sport")], policy=policy)] == [
        "unmapped"
    ]
    push(sandbox, journal, [missing(row)], policy=policy)
    # It was Town for a while; a push at another time would have found Sport alone.
    (update,) = push(sandbox, journal, [missing(row, name="Sport")], policy=policy)
    assert (update.result, row["status"]) == ("restored", code(sandbox, "Present"))
    push(sandbox, journal, [missing(row)], policy=policy)
    # History is not pushed again when the settings change.
    no_town = AttendancePolicy(statuses={"Town": ""})
    (update,) = push(sandbox, journal, [missing(row)], policy=no_town)
    assert (update.result, row["status"]) == ("unmapped", code(sandbox, "Absent - Excused"))


def test_a_row_that_another_one_replaced_is_never_written_for_the_old_one(
    sandbox: Sandbox, journal: Journal
) -> None:
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)])
    row["id"] += 1_000_000
    (update,) = push(sandbox, journal, [nothing_more(row)])
    assert (update.result, patches(sandbox)) == ("no_row", 1)
    row.update(status=code(sandbox, "Present"), notes=None)
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, update.attendance_id) == ("written", row["id"])
    assert ours(journal, missing(row).place) is not None


def test_a_note_of_the_teachers_stays_in_front_of_the_marker_and_comes_back(
    sandbox: Sandbox, journal: Journal
) -> None:
    (row,) = classmates(sandbox)
    row["notes"] = "has the key"
    policy = AttendancePolicy(mode="overwrite_present_only")
    push(sandbox, journal, [missing(row)], policy=policy)
    assert row["notes"] == "has the key [via Orah]"
    push(sandbox, journal, [missing(row, Outcome.LATE)], policy=policy)
    assert (row["status"], row["notes"]) == (code(sandbox, "Late"), "has the key [via Orah]")
    push(sandbox, journal, [nothing_more(row)], policy=policy)
    assert (row["status"], row["notes"]) == (code(sandbox, "Present"), "has the key")


@pytest.mark.parametrize(
    ("mode", "label", "result"),
    [
        ("overwrite_present_only", "Present", "written"),
        ("overwrite_present_only", "Late", "conflict"),
        ("orah_wins", "Late", "written"),
    ],
)
def test_what_orah_may_win_over_goes_back_to_the_persons_mark(
    sandbox: Sandbox, journal: Journal, mode: str, label: str, result: str
) -> None:
    (row,) = classmates(sandbox)
    push(sandbox, journal, [missing(row)])
    row.update(status=code(sandbox, label), notes="in the lab")
    policy = AttendancePolicy.model_validate({"mode": mode})
    (update,) = push(sandbox, journal, [missing(row)], policy=policy)
    assert update.result == result
    if result == "written":
        (update,) = push(sandbox, journal, [nothing_more(row)], policy=policy)
        assert update.result == "restored"
    assert (row["status"], row["notes"]) == (code(sandbox, label), "in the lab")


# --- the hour's budget, and a person's word


def answer(journal: Journal, word: Answer) -> int:
    numbers = [one.number for one in open_questions(journal, SCHOOL)]
    return answer_questions(
        journal, SCHOOL, numbers, answer=word, actor="R. Quill", via="page", first=date.min, at=NOW
    )


FEW = AttendancePolicy(writes_per_hour=2)


def test_too_many_marks_are_all_held_until_a_person_looked(sandbox: Sandbox, journal: Journal) -> None:
    items = [missing(row) for row in classmates(sandbox, 3)]
    for _ in range(2):
        assert [one.result for one in push(sandbox, journal, items, policy=FEW)] == ["held"] * 3
    assert {one.question.kind for one in open_questions(journal, SCHOOL)} == {"budget"}
    assert patches(sandbox) == 0
    # Even when the hour has room again.
    assert [one.result for one in push(sandbox, journal, items[:1], policy=FEW)] == ["held"]
    assert answer(journal, Answer.USE_OURS) == 3
    assert [one.result for one in push(sandbox, journal, items, policy=FEW)] == ["written"] * 3
    assert open_questions(journal, SCHOOL) == []
    # What a person chose does not count.
    item = missing(another_class(sandbox, items[0]))
    assert [one.result for one in push(sandbox, journal, [item], policy=FEW)] == ["written"]


def test_a_class_that_cannot_be_counted_counts_whole(sandbox: Sandbox, journal: Journal) -> None:
    items = [missing(row) for row in classmates(sandbox, 3)]
    # It cannot be read for the count, and can be when its marks would be written.
    sandbox.add_fault(Fault(FaultKind.STATUS, path="*/attendance", method="GET", times=FAST.attempts))
    assert [one.result for one in push(sandbox, journal, items, policy=FEW)] == ["held"] * 3
    assert patches(sandbox) == 0


def test_a_note_whose_blanks_veracross_keeps_its_own_way_is_ours(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    row["notes"] = "has  the key "
    policy = AttendancePolicy(mode="overwrite_present_only")

    def clock() -> float:
        if written(sandbox):
            row["notes"] = " ".join((row["notes"] or "").split()) or None
        return time.time()

    sandbox.clock = clock
    assert [one.result for one in push(sandbox, journal, [missing(row)], policy=policy)] == ["written"]
    mark = last_mark(journal, SCHOOL, row["id"])
    assert (mark and mark.ours, mark and mark.notes) == (True, "has the key [via Orah]")
    assert [one.result for one in push(sandbox, journal, [nothing_more(row)], policy=policy)] == ["restored"]


def another_class(sandbox: Sandbox, item: Item) -> Row:
    """An unmarked row of a later class."""
    held = sandbox.school.veracross["list_class_attendance"]
    row: Row = next(row for row in held if row["internal_class_id"] > item.place.class_id)
    row.update(status=code(sandbox, "Present"), notes=None)
    return row


def test_an_hour_is_an_hour_on_the_night_the_clocks_go_forward(sandbox: Sandbox, journal: Journal) -> None:
    rows_ = classmates(sandbox, 3)
    night = datetime(2026, 3, 8, 6, 50, tzinfo=UTC).astimezone(ZONE)  # ten to two
    push(sandbox, journal, [missing(row) for row in rows_[:2]], policy=FEW, now=lambda: night)
    later = datetime(2026, 3, 8, 7, 10, tzinfo=UTC).astimezone(ZONE)  # ten past three
    (update,) = push(sandbox, journal, [missing(rows_[2])], policy=FEW, now=lambda: later)
    assert update.result == "held"
    much_later = datetime(2026, 3, 8, 8, 10, tzinfo=UTC).astimezone(ZONE)
    item = missing(another_class(sandbox, missing(rows_[0])))
    (update,) = push(sandbox, journal, [item], policy=FEW, now=lambda: much_later)
    assert update.result == "written"


@pytest.mark.parametrize("mode", ["overwrite_present_only", "orah_wins"])
def test_the_budget_holds_when_orah_wins_over_what_people_made_of_our_marks(
    sandbox: Sandbox, journal: Journal, mode: str
) -> None:
    rows_ = classmates(sandbox, 3)
    items = [missing(row) for row in rows_]
    push(sandbox, journal, items)
    for row in rows_:
        row.update(status=code(sandbox, "Present"), notes=None)
    policy = AttendancePolicy.model_validate({"mode": mode, "writes_per_hour": 2})
    tomorrow = NOW + timedelta(days=1)
    assert [one.result for one in push(sandbox, journal, items, policy=policy, now=lambda: tomorrow)] == [
        "held"
    ] * 3


def test_a_question_of_which_nothing_is_left_is_closed(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    row["status"] = code(sandbox, "Late")
    push(sandbox, journal, [missing(row)])
    assert len(open_questions(journal, SCHOOL)) == 1
    row["status"] = code(sandbox, "Absent - Excused")
    push(sandbox, journal, [missing(row)])
    assert open_questions(journal, SCHOOL) == []


def test_a_class_that_cannot_be_read_closes_no_question(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    row["status"] = code(sandbox, "Late")
    push(sandbox, journal, [missing(row)])
    sandbox.add_fault(Fault(FaultKind.STATUS, path="*/attendance", method="GET", times=None))
    push(sandbox, journal, [missing(row)])
    assert len(open_questions(journal, SCHOOL)) == 1


@pytest.mark.parametrize("kind", [FaultKind.ANSWER_LOST, FaultKind.NO_EFFECT])
def test_an_answer_is_used_up_by_one_write_that_landed(
    sandbox: Sandbox, journal: Journal, kind: FaultKind
) -> None:
    (row,) = classmates(sandbox)
    row["status"] = code(sandbox, "Late")
    push(sandbox, journal, [missing(row)])
    answer(journal, Answer.USE_OURS)
    sandbox.add_fault(Fault(kind, path=PATCH, method="PATCH"))
    for _ in range(2):
        push(sandbox, journal, [missing(row)])
    assert row["status"] == code(sandbox, "Absent - Excused")
    assert len(written(sandbox)) == 1
    row.update(status=code(sandbox, "Late"), notes=None)
    (update,) = push(sandbox, journal, [missing(row)])
    assert (update.result, row["status"]) == ("conflict", code(sandbox, "Late"))


def test_a_row_that_a_person_keeps_is_not_asked_about_again(sandbox: Sandbox, journal: Journal) -> None:
    (row,) = classmates(sandbox)
    row["status"] = code(sandbox, "Late")
    push(sandbox, journal, [missing(row)])
    answer(journal, Answer.KEEP_THEIRS)
    for label in ("Late", "Present", "Absent - Unexcused"):
        row.update(status=code(sandbox, label), notes=None)
        (update,) = push(sandbox, journal, [missing(row)])
        assert (update.result, update.reason) == ("kept", "a person chose to keep the row as it is")
        assert open_questions(journal, SCHOOL) == []
    assert patches(sandbox) == 0


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


@pytest.mark.parametrize("label", ["Absent", "Tardy (old)"])
@pytest.mark.parametrize("setting", ["absent_status", "present_status"])
def test_an_unknown_or_obsolete_label_is_told_and_nothing_is_guessed(
    sandbox: Sandbox, journal: Journal, setting: str, label: str
) -> None:
    policy = AttendancePolicy.model_validate({setting: label})
    pushed = push_all(sandbox, journal, [missing(row) for row in classmates(sandbox)], policy=policy)
    assert pushed.label_troubles is not None
    (trouble,) = pushed.label_troubles
    assert repr(label) in trouble
    assert "vx doctor" in trouble
    (update,) = pushed.updates
    assert update.result == "blocked"
    assert update.reason == trouble
    assert patches(sandbox) == 0
    assert results(journal) == []
    assert open_questions(journal, SCHOOL) == []


def test_a_label_that_is_blank_makes_no_mark(sandbox: Sandbox, journal: Journal) -> None:
    policy = AttendancePolicy(absent_status=" ")
    pushed = push_all(sandbox, journal, [missing(row) for row in classmates(sandbox)], policy=policy)
    assert [update.result for update in pushed.updates] == ["unmapped"]
    assert pushed.label_troubles == ()
    assert patches(sandbox) == 0


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
            absent = next(item for item in statuses(sandbox) if item["description"] == "Absent - Excused")
            absent["obsolete"] = True
        return NOW

    updates = push(sandbox, journal, [missing(first), missing(second)], now=now)
    assert [update.result for update in updates] == ["written", "blocked"]
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
    [(3, None), (4, True), (5, None)],
    ids=["before the intent", "between write and outcome", "after the outcome"],
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
    assert update.result == ("nothing" if dies_at > 3 else "written")
    assert results(journal) == ["confirmed" if landed else "done"]
    assert patches(sandbox) == len(written(sandbox)) == 1
    mark = last_mark(journal, SCHOOL, row["id"])
    assert mark is not None
    assert mark.ours
    # Whenever it was interrupted, the row can go back.
    (update,) = push(sandbox, journal, [nothing_more(row)])
    assert (update.result, row["status"], row["notes"]) == ("restored", code(sandbox, "Present"), None)
    assert our_marks(journal, SCHOOL, date.fromisoformat(row["attendance_date"])) == []


def interrupted(sandbox: Sandbox, journal: Journal, row: Row, **body: Any) -> None:
    """An intent for the row, as an earlier version noted it, whose outcome nobody noted."""
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
            **body,
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


def test_an_intent_of_an_earlier_version_that_landed_is_ours_without_a_place(
    sandbox: Sandbox, journal: Journal
) -> None:
    (row,) = classmates(sandbox)
    interrupted(sandbox, journal, row)
    row.update(status=code(sandbox, "Absent - Excused"), notes="[via Orah]")
    push(sandbox, journal, [])
    assert results(journal) == ["confirmed"]
    mark = last_mark(journal, SCHOOL, row["id"])
    assert mark is not None
    assert mark.ours
    assert ours(journal, missing(row).place) is None


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
