"""Rolls: read whole over real HTTP, and what is made of their entries, whatever stands in them."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.errors import AccessError, IncompleteReadError
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.answers import rolls as with_ids
from vx_pipeline.orah.assumed import RollResult, roll_results
from vx_pipeline.orah.client import Retry
from vx_pipeline.orah.timelines import PAGE_SIZE
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline_tests.conftest import SandboxFactory

TODAY = date(2026, 11, 18)
START = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)
END = START + timedelta(minutes=55)
FAST = Retry(attempts=2, wait_initial=0.001, wait_max=0.002)
ROLL: dict[str, Any] = {
    "id": 7,
    "type": "class",
    "status": "Completed",
    "start_time": "2026-11-18T13:00:00.000Z",
    "end_time": "2026-11-18T13:55:00.000Z",
}
EXCUSED = {"name": "Doctor", "type": "Excused"}


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "student": {"id": 3, "sis_id": None},
        "status": "Absent",
        "reason": EXCUSED,
        "source": "roll",
        **changes,
    }


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def results_of(*entries: Any, **changes: Any) -> tuple[list[RollResult], int]:
    return roll_results({**ROLL, "students": list(entries), **changes})


# --- reading


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    made = make_sandbox(40, today=TODAY)
    made.school.orah["roll"] = [
        {**ROLL, "model": "roll", "id": number, "students": []} for number in range(1, 450)
    ]
    return made


def read_rolls(
    sandbox: Sandbox, start: datetime = START, end: datetime | None = None
) -> list[dict[str, Any]]:
    async def run() -> list[dict[str, Any]]:
        key = sandbox.credentials.orah_api_key
        async with OrahClient(url=sandbox.orah_api_url, api_key=key, timeout_seconds=5, retry=FAST) as client:
            return await client.rolls(start, end)

    return asyncio.run(run())


def test_rolls_of_many_pages_come_whole_whatever_their_status(sandbox: Sandbox) -> None:
    sandbox.school.orah["roll"][0]["status"] = "Open"
    found = read_rolls(sandbox)
    assert sorted(record["id"] for record in found) == list(range(1, 450))
    assert len(sandbox.journal.requests) == 6


def test_only_rolls_that_began_in_the_range(sandbox: Sandbox) -> None:
    early, late = sandbox.school.orah["roll"][:2]
    early["start_time"], late["start_time"] = "2026-11-18T12:59:59.999Z", "2026-11-18T13:00:00.001Z"
    assert {record["id"] for record in read_rolls(sandbox, START, START)} == set(range(3, 450))


@pytest.mark.parametrize("kind", [FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED, FaultKind.DUPLICATED_ROW])
def test_rolls_that_shift_between_pages_are_read_again_or_not_used(sandbox: Sandbox, kind: FaultKind) -> None:
    fault = Fault(kind, system="orah", path="*/roll/timeline", page=0)
    sandbox.add_fault(fault)
    assert {one["id"] for one in read_rolls(sandbox)} == {one["id"] for one in sandbox.school.orah["roll"]}
    sandbox.add_fault(Fault(kind, system="orah", path="*/roll/timeline", page=0, times=None))
    with pytest.raises(IncompleteReadError, match=r"roll/timeline changed .* 4 times in a row"):
        read_rolls(sandbox)


def test_one_page_is_read_once(sandbox: Sandbox) -> None:
    del sandbox.school.orah["roll"][PAGE_SIZE - 1 :]
    assert len(read_rolls(sandbox)) == PAGE_SIZE - 1
    assert len(sandbox.journal.requests) == 1


def test_a_key_without_the_permission(sandbox: Sandbox) -> None:
    sandbox.orah_forbidden.add("roll")
    with pytest.raises(AccessError, match="no permission for roll/timeline"):
        read_rolls(sandbox)


@pytest.mark.parametrize("wrong", [None, "7", True, 7.0])
def test_a_roll_without_an_id_is_not_used(wrong: Any) -> None:
    with pytest.raises(IncompleteReadError, match="no id"):
        with_ids([ROLL, {**ROLL, "id": wrong, "name": "Plantedname"}])


# --- meaning


def test_an_entry_says_code_reason_and_source() -> None:
    assert results_of(entry()) == (
        [RollResult(7, 3, START, END, "Absent", "Doctor", "Excused", "roll")],
        0,
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": " LATE "}, ("Late", "Doctor", "Excused", "roll")),
        ({"reason": None}, ("Absent", None, None, "roll")),
        ({"reason": {}}, ("Absent", None, None, "roll")),
        ({"reason": {"name": " Trip ", "type": "NOT_expected"}}, ("Absent", "Trip", "Not Expected", "roll")),
        ({"reason": {"name": "", "type": "unexcused"}}, ("Absent", None, "Unexcused", "roll")),
        ({"reason": {"name": "Trip", "type": None}}, ("Absent", "Trip", None, "roll")),
        ({"status": "Present"}, ("Present", None, None, "roll")),
        ({"status": "present", "reason": None, "source": "Edit"}, ("Present", None, None, "edit")),
        ({"source": "PASS"}, ("Absent", "Doctor", "Excused", "pass")),
        ({"source": None}, ("Absent", "Doctor", "Excused", None)),
    ],
    ids=str,
)
def test_spelling_does_not_matter(changes: dict[str, Any], said: tuple[Any, ...]) -> None:
    ((found,), missed) = results_of(entry(**changes))
    assert (found.status, found.reason, found.reason_type, found.source) == said
    assert missed == 0


def test_reason_and_source_may_be_left_out() -> None:
    ((found,), missed) = results_of(without(entry(), "reason", "source"))
    assert (found.status, found.reason, found.reason_type, found.source, missed) == (
        "Absent",
        None,
        None,
        None,
        0,
    )


def test_a_roll_may_not_say_when_it_ended() -> None:
    ((found,), missed) = results_of(entry(), end_time=None)
    assert (found.ends_at, missed) == (None, 0)


NO_ENTRIES: list[Any] = [
    None,
    "Absent",
    without(entry(), "student"),
    without(entry(), "status"),
    *[entry(student=wrong) for wrong in (None, 3, {"sis_id": "3"}, {"id": "3"}, {"id": True})],
    *[entry(status=wrong) for wrong in (None, "", "Gone", 1, ["Absent"], "Absent-ish")],
    *[
        entry(reason=wrong)
        for wrong in ("Doctor", 4, ["Excused"], {"name": 4}, {"type": "Holiday"}, {"type": 1})
    ],
    *[entry(source=wrong) for wrong in ("sis", "", 1, {"name": "roll"})],
]


@pytest.mark.parametrize("wrong", NO_ENTRIES, ids=str)
def test_an_entry_that_is_not_understood_is_counted_and_hurts_nobody_else(wrong: Any) -> None:
    other = entry(student={"id": 4})
    found, missed = results_of(wrong, other)
    assert [result.orah_id for result in found] == [4]
    assert missed == 1


def test_a_student_with_two_results_has_none() -> None:
    found, missed = results_of(entry(), entry(status="Late"), entry(), entry(student={"id": 4}))
    assert [result.orah_id for result in found] == [4]
    assert missed == 3
    found, missed = results_of(entry(), entry())
    assert ([result.orah_id for result in found], missed) == ([3], 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "house"},
        {"type": "Evening Roll", "start_time": None},
        {"status": "Open"},
        {"status": "in_progress"},
        {"status": "Cancelled", "students": None},
    ],
    ids=str,
)
def test_other_rolls_and_those_that_are_not_over_have_no_results(changes: dict[str, Any]) -> None:
    assert results_of(**{"students": [entry()], **changes}) == ([], 0)


@pytest.mark.parametrize(
    "changes",
    [
        *[{"type": wrong} for wrong in (None, "", 1, {"name": "class"})],
        *[{"status": wrong} for wrong in (None, "", "Frozen", 3)],
        *[{"start_time": wrong} for wrong in (None, "", "soon", "2026-11-18", 1_790_000_000)],
        *[{"end_time": wrong} for wrong in ("", "soon", "2026-11-18T12:59:59Z", 5)],
        {"start_time": "0001-01-01T00:00:00+10:00"},
        {"id": "7"},
        {"id": True},
    ],
    ids=str,
)
def test_a_roll_that_is_not_understood_counts_with_all_its_entries(changes: dict[str, Any]) -> None:
    assert results_of(entry(), entry(), **changes) == ([], 2)
    assert results_of(**changes) == ([], 1)


@pytest.mark.parametrize("students", [None, {}, "students", 5])
def test_a_class_roll_without_a_list_of_students_counts_once(students: Any) -> None:
    assert results_of(students=students) == ([], 1)


# --- whatever stands in them

VALUES = st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=6)
WORDS = st.sampled_from(
    [
        "class",
        "Completed",
        "Absent",
        "late",
        "Excused",
        "pass",
        "0001-01-01T00:00:00+10:00",
        ROLL["start_time"],
    ]
)
JSON = st.recursive(
    VALUES | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def maybe_wrong(right: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(right), st.just(right), JSON)


ENTRIES = JSON | st.fixed_dictionaries(
    {
        "student": maybe_wrong({"id": 3}),
        "status": maybe_wrong("Absent"),
    },
    optional={"reason": maybe_wrong(EXCUSED), "source": maybe_wrong("edit")},
)
ROLLS = st.dictionaries(st.sampled_from([*ROLL, "students"]), JSON) | st.fixed_dictionaries(
    {
        **{name: maybe_wrong(value) for name, value in ROLL.items()},
        "students": JSON | st.lists(ENTRIES, max_size=4),
    }
)


@given(ROLLS)
def test_no_roll_raises_and_each_entry_is_a_result_or_counted(record: dict[str, Any]) -> None:
    found, missed = roll_results(record)
    listed = record.get("students")
    entries = listed if isinstance(listed, list) else []
    students = [result.orah_id for result in found]
    assert len(set(students)) == len(students)
    if missed == 0 and not found:
        # Nothing was lost: a roll of another kind, one that is not over, or one without students.
        assert record["type"] != "class" or record["status"] != "Completed" or not entries
    if found:
        named = [one["student"]["id"] for one in entries if isinstance(one, dict) and _names(one)]
        assert set(students) <= set(named)
        assert missed <= len(entries) - len(found)
        assert (record["type"], record["status"], record["id"]) == ("class", "Completed", found[0].roll_id)


def _names(one: dict[str, Any]) -> bool:
    return isinstance(one.get("student"), dict) and type(one["student"].get("id")) is int


@given(
    st.permutations([entry(), entry(student={"id": 4}), entry(student={"id": 5}, status="x"), None, entry()])
)
def test_the_order_of_entries_does_not_matter(entries: list[Any]) -> None:
    found, missed = results_of(*entries)
    assert {result.orah_id for result in found} == {3, 4}
    assert missed == 2
