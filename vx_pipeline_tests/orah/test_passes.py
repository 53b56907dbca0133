"""Passes: one by one over real HTTP, and what is made of a leave record, whatever stands in it."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.errors import AccessError, NotFoundError
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import Pass, leave_of, read_pass
from vx_pipeline.orah.client import Retry
from vx_pipeline.sandbox import Sandbox
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.orah.test_rolls import JSON, maybe_wrong

TODAY = date(2026, 11, 18)
LEAVE: dict[str, Any] = {
    "id": 9,
    "student": {"id": 3, "sis_id": None},
    "status": "Active",
    "start_time": "2026-11-18T13:00:00.000Z",
    "end_time": "2026-11-18T15:00:00.000Z",
    "leave_type": {"id": 1, "name": "Medical", "short_code": "MED"},
    "location": {"id": 2, "name": "Town"},
}


def read_leave(sandbox: Sandbox, leave_id: int) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        key = sandbox.credentials.orah_api_key
        retry = Retry(attempts=2, wait_initial=0.001, wait_max=0.002)
        async with OrahClient(
            url=sandbox.orah_api_url, api_key=key, timeout_seconds=5, retry=retry
        ) as client:
            return await client.leave(leave_id)

    return asyncio.run(run())


def test_a_pass_is_read_by_its_id(make_sandbox: SandboxFactory) -> None:
    sandbox = make_sandbox(40, today=TODAY)
    sandbox.school.orah["leave"] = [{**LEAVE, "model": "leave"}]
    found = read_pass(read_leave(sandbox, 9))
    assert found == Pass(
        leave_id=9,
        orah_id=3,
        status="Active",
        counts=True,
        start=datetime(2026, 11, 18, 13, tzinfo=UTC),
        end=datetime(2026, 11, 18, 15, tzinfo=UTC),
        type_name="Medical",
        place="Town",
        place_id=2,
    )
    with pytest.raises(NotFoundError):
        read_leave(sandbox, 10)
    sandbox.orah_forbidden.add("leave")
    with pytest.raises(AccessError, match="no permission for leave/get-single"):
        read_leave(sandbox, 9)


@pytest.mark.parametrize(
    ("status", "over"),
    [("Active", False), ("ACTIVE ", False), ("Overdue", False), ("Late", False)]
    + [(word, True) for word in ("Ended", "completed", "Returned", "finished")],
)
def test_a_pass_that_is_or_was_active_counts(status: str, *, over: bool) -> None:
    found = read_pass({**LEAVE, "status": status})
    assert found is not None
    assert (found.counts, found.is_over) == (True, over)


@pytest.mark.parametrize(
    "status",
    [
        "Scheduled",
        "Requested",
        "Pending",
        "Cancelled",
        "Declined",
        "Rejected",
        "approved",
        "Canceled",
    ],
)
def test_a_pass_on_which_nobody_has_gone_does_not_count(status: str) -> None:
    found = read_pass({**LEAVE, "status": status})
    assert found is not None
    assert not found.counts
    assert not found.is_over


@pytest.mark.parametrize("status", ["Closed", "Inactive", "Active?", "Reactive", "Checked Out", "Archived"])
def test_a_status_that_nobody_knows_is_not_taken_for_any_other(status: str) -> None:
    assert read_pass({**LEAVE, "status": status}) is None


@pytest.mark.parametrize(
    ("changes", "end", "place"),
    [({"end_time": None}, None, "Town"), ({"location": None}, datetime(2026, 11, 18, 15, tzinfo=UTC), None)],
    ids=str,
)
def test_end_and_place_may_be_missing(
    changes: dict[str, Any], end: datetime | None, place: str | None
) -> None:
    found = read_pass({**LEAVE, **changes})
    assert found is not None
    assert (found.end, found.place) == (end, place)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("id", wrong) for wrong in (None, "9", True)],
        *[("student", wrong) for wrong in (None, 3, {"sis_id": "3"}, {"id": False})],
        *[("status", wrong) for wrong in (None, "", " ", 1, {"name": "Active"})],
        *[("start_time", wrong) for wrong in (None, "", "2026-11-18", "soon", 5)],
        *[("end_time", wrong) for wrong in ("", "2026-11-19", "soon", "2026-11-18T12:59:00Z")],
        *[("leave_type", wrong) for wrong in (None, "Medical", {"id": 1}, {"name": " "}, {"name": 1})],
        *[("location", wrong) for wrong in ("Town", {"id": 2}, {"name": None}, 2)],
    ],
    ids=str,
)
def test_a_malformed_pass_is_none(name: str, value: Any) -> None:
    assert read_pass({**LEAVE, name: value}) is None


@pytest.mark.parametrize(
    ("record", "leave"),
    [
        ({"leave": {"id": 9}}, 9),
        ({"leave": None}, None),
        ({}, None),
        ({"leave": 9}, None),
        ({"leave": {"id": "9"}}, None),
        ({"leave": {"id": True}}, None),
    ],
    ids=str,
)
def test_the_pass_behind_a_movement(record: dict[str, Any], leave: int | None) -> None:
    assert leave_of(record) == leave


LEAVES = st.dictionaries(st.sampled_from([*LEAVE]), JSON) | st.fixed_dictionaries(
    {name: maybe_wrong(value) for name, value in LEAVE.items()}
)


@given(LEAVES, JSON)
def test_no_record_raises_and_a_pass_says_what_its_record_says(record: dict[str, Any], leave: Any) -> None:
    found = read_pass(record)
    if found is not None:
        assert found.leave_id == record["id"]
        assert found.orah_id == record["student"]["id"]
        assert found.counts == (record["status"].strip().lower() in {"active", "late"})
        assert found.end is None or found.start <= found.end
    named = leave_of({"leave": leave})
    assert named is None or named == leave["id"]
