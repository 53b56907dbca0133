"""The write lands at most once: sent again only if it surely was not processed, otherwise called lost."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from vx_pipeline.errors import AccessError, ChangedError, LostAnswerError, NotFoundError, ServiceError
from vx_pipeline.veracross.rate import RateLimit
from vx_pipeline.veracross.writes import Unchanged
from vx_pipeline_tests.veracross.stand_in import Answer, Request, StandIn, with_stand_in

DONE = Answer(status=204)


async def as_it_was() -> bool:
    return True


def write(
    *answers: Answer,
    status: int | str = 3,
    notes: str | None = "Away [via Orah]",
    token_answers: Sequence[Answer] = (),
    told: list[StandIn] | None = None,
    unchanged: Unchanged | None = None,
    **client_options: Any,
) -> StandIn:
    """Writes one row; the server answers with these, then with success."""
    left, tokens_left = list(answers), list(token_answers)

    async def use(veracross: StandIn) -> None:
        if told is not None:
            told.append(veracross)
        veracross.answer_token = lambda request: (
            tokens_left.pop(0) if tokens_left else veracross.give_token(request)
        )
        async with veracross.client(**client_options) as client:
            await client.update_class_attendance(
                class_id=40,
                attendance_id=9,
                status=status,
                notes=notes,
                unchanged=unchanged or as_it_was,
            )

    answer: Callable[[Request], Answer] = lambda _: left.pop(0) if left else DONE  # noqa: E731
    return with_stand_in(answer, use)


def test_it_patches_status_and_notes_with_the_token_that_may_write() -> None:
    veracross = write()
    (request,) = veracross.requests
    assert (request.method, request.path) == ("PATCH", "/stjames/v3/classes/40/attendance/9")
    assert json.loads(request.body) == {"data": {"status": 3, "notes": "Away [via Orah]"}}
    assert veracross.token_requests[0].form["scope"] == ["classes.attendance:update"]


@pytest.mark.parametrize(
    ("status", "sent"), [(3, 3), ("3", 3), ("07", "07"), ("ABS", "ABS"), ("-1", "-1"), ("³", "³")]
)
def test_a_code_is_a_number_wherever_it_is_one(status: int | str, sent: int | str) -> None:
    assert json.loads(write(status=status).requests[0].body)["data"]["status"] == sent


def test_no_notes_empties_them() -> None:
    assert json.loads(write(notes=None).requests[0].body)["data"]["notes"] is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(silent=True),
        Answer(hang=True),
        Answer({"error": "broken"}, status=500),
        Answer(b"<html>", status=502),
        Answer({"data": {}}, cut=True),
    ],
    ids=["silent", "hang", "500", "502", "cut"],
)
def test_a_lost_answer_is_never_sent_again(answer: Answer) -> None:
    told: list[StandIn] = []
    with pytest.raises(LostAnswerError, match="attendance row 9 of class 40") as caught:
        write(answer, told=told, timeout_seconds=0.05)
    assert len(told[0].requests) == 1
    assert "Read the row back" in caught.value.remedy
    assert "Away" not in str(caught.value)


@pytest.mark.parametrize("answer", [Answer(status=429), Answer(status=401)], ids=["429", "401"])
def test_what_was_not_processed_is_sent_again(answer: Answer) -> None:
    assert len(write(answer).requests) == 2


def test_a_row_that_was_changed_while_the_write_waited_is_not_written() -> None:
    told: list[StandIn] = []
    looks: list[int] = []

    async def unchanged() -> bool:
        looks.append(len(told[0].requests))
        return False

    with pytest.raises(ChangedError, match="attendance row 9 of class 40") as caught:
        write(Answer(status=429), told=told, unchanged=unchanged)
    assert (looks, caught.value.kept) == ([1], "It was not sent.")
    assert len(told[0].requests) == 1
    write(unchanged=unchanged)
    assert looks == [1]


def test_a_write_that_waits_for_its_turn_looks_again() -> None:
    looks: list[bool] = []

    async def unchanged() -> bool:
        looks.append(True)
        return True

    async def use(veracross: StandIn) -> None:
        async with veracross.client(rate_limit=RateLimit(1, 0.1)) as client:
            for row in (1, 2):
                await client.update_class_attendance(
                    class_id=40, attendance_id=row, status=3, notes=None, unchanged=unchanged
                )

    assert len(with_stand_in(lambda _: DONE, use).requests) == 2
    assert looks == [True]


@pytest.mark.parametrize("trouble", [Answer(silent=True), Answer(status=500), Answer(hang=True)])
def test_trouble_with_the_token_is_not_trouble_with_the_write(trouble: Answer) -> None:
    veracross = write(token_answers=[trouble], timeout_seconds=0.3)
    assert len(veracross.requests) == 1
    assert len(veracross.token_requests) == 2


def test_429_for_good_gives_up_with_nothing_changed() -> None:
    with pytest.raises(ServiceError, match="The row is unchanged") as caught:
        write(*[Answer(status=429)] * 5)
    assert not isinstance(caught.value, LostAnswerError)


def test_401_again_is_access_trouble() -> None:
    with pytest.raises(AccessError, match=r"classes\.attendance:update"):
        write(Answer(status=401), Answer(status=401))


def test_a_row_that_is_gone() -> None:
    with pytest.raises(NotFoundError, match="attendance row 9 of class 40"):
        write(Answer({"error": "x"}, status=404))


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refusal_changes_nothing(status: int) -> None:
    with pytest.raises(ServiceError, match=f"status {status}") as caught:
        write(Answer({"error": "x"}, status=status))
    assert not isinstance(caught.value, LostAnswerError)
    assert caught.value.kept == "The row is unchanged."


def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    async def use(veracross: StandIn) -> None:
        async with veracross.client(api_url="http://127.0.0.1:1") as client:
            with pytest.raises(ServiceError, match="ConnectError") as caught:
                await client.update_class_attendance(
                    class_id=1, attendance_id=2, status=1, notes=None, unchanged=as_it_was
                )
            assert not isinstance(caught.value, LostAnswerError)

    with_stand_in(lambda _: DONE, use)
