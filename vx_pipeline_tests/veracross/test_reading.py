"""A read is whole or it is nothing: pages, shifts, duplicates, fan-out, and every way an answer can be broken."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.errors import AccessError, IncompleteReadError
from vx_pipeline.veracross import ENDPOINTS, CompleteRead, RateLimit
from vx_pipeline.veracross.reading import merge_value_lists
from vx_pipeline_tests.veracross.stand_in import Answer, Request, StandIn, people, rows, with_stand_in

STUDENTS = ENDPOINTS["students"]
MEETINGS = ENDPOINTS["meeting_times"]


def read(
    answer: Callable[[Request], Answer],
    *,
    endpoint: Any = STUDENTS,
    parents: Sequence[int] | None = None,
    parameters: dict[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
    **client_options: Any,
) -> tuple[CompleteRead, StandIn]:
    found: list[CompleteRead] = []

    async def use(veracross: StandIn) -> None:
        async with veracross.client(**client_options) as client:
            found.append(
                await client.read(endpoint, parents=parents, parameters=parameters, progress=progress)
            )

    veracross = with_stand_in(answer, use)
    return found[0], veracross


def serve(records: Sequence[Any]) -> Callable[[Request], Answer]:
    """A list that holds still."""

    def answer(request: Request) -> Answer:
        size = int(request.headers["x-page-size"])
        return rows(*records[(request.page - 1) * size : request.page * size])

    return answer


class TestPages:
    @pytest.mark.parametrize(
        ("records", "requests", "passes"),
        [(0, 1, 1), (9, 1, 1), (10, 4, 2), (25, 6, 2), (30, 8, 2)],
        ids=["empty", "one short page", "exactly one page", "three pages", "exactly full last page"],
    )
    def test_every_page_is_read_and_more_than_one_page_is_proven(
        self, records: int, requests: int, passes: int
    ) -> None:
        seen: list[int] = []
        whole, veracross = read(serve(people(1, records)), page_size=10, progress=seen.append)
        assert whole.rows == people(1, records)
        assert (whole.requests, whole.passes) == (requests, passes) == (len(veracross.requests), whole.passes)
        assert seen[-1] == records * passes

    def test_value_lists_are_asked_for_with_the_first_page_only(self) -> None:
        _, veracross = read(serve(people(1, 15)), page_size=10)
        assert [(r.page, r.headers.get("x-api-value-lists")) for r in veracross.requests] == [
            (1, "include"),
            (2, None),
        ] * 2

    def test_filters_are_sent_and_unknown_ones_are_the_callers_mistake(self) -> None:
        _, veracross = read(serve([]), parameters={"role": "2"})
        assert veracross.requests[0].query == {"role": ["2"]}
        with pytest.raises(ValueError, match="no filter rolle"):
            read(serve([]), parameters={"rolle": "2"})

    @pytest.mark.parametrize("cap", [50, 100, 250, 500])
    def test_a_server_that_does_not_take_our_page_size_loses_nobody(self, cap: int) -> None:
        everyone = people(1, cap + 30)

        def capped(request: Request) -> Answer:
            return rows(*everyone[(request.page - 1) * cap : request.page * cap])

        whole, _ = read(capped, page_size=1000)
        assert whole.rows == everyone

    def test_a_server_that_repeats_the_same_full_page_is_not_asked_for_ever(self) -> None:
        for page in (people(1, 10), [{"id": None}] * 10):
            with pytest.raises(IncompleteReadError, match="changed during every one of 4 passes"):
                read(lambda _, page=page: rows(*page), page_size=10)  # type: ignore[misc]

    def test_the_repr_of_a_read_shows_nobody(self) -> None:
        whole, _ = read(serve(people(1, 3)))
        assert "Person" not in repr(whole)


class TestRowsThatMove:
    def test_a_row_inserted_between_two_pages_is_read_again(self) -> None:
        everyone = people(2, 21)

        def answer(request: Request) -> Answer:
            page = serve(list(everyone))(request)
            if everyone[0]["id"] == 2:
                everyone.insert(0, people(1, 1)[0])
            return page

        whole, _ = read(answer, page_size=10)
        assert sorted(row["id"] for row in whole.rows) == list(range(1, 22))
        assert whole.passes == 3

    def test_a_row_removed_between_two_pages_hides_nobody(self) -> None:
        everyone = people(1, 21)

        def answer(request: Request) -> Answer:
            page = serve(list(everyone))(request)
            if everyone[0]["id"] == 1:
                everyone.pop(0)  # 11 moves to page 1, which was read already
            return page

        whole, _ = read(answer, page_size=10)
        assert sorted(row["id"] for row in whole.rows) == list(range(2, 22))

    def test_an_edit_that_moves_nobody_is_no_reason_to_read_again_and_the_latest_counts(self) -> None:
        edits = iter(range(100))

        def answer(request: Request) -> Answer:
            return serve([{**row, "edit": next(edits)} for row in people(1, 12)])(request)

        whole, _ = read(answer, page_size=10)
        assert whole.passes == 2
        assert all(row["edit"] >= 24 for row in whole.rows)

    def test_rows_that_never_hold_still_are_never_used(self) -> None:
        calls = iter(range(1000))
        with pytest.raises(IncompleteReadError, match=r"veracross\.students changed during every one of 4"):
            read(lambda request: serve(people(start := next(calls), start + 14))(request), page_size=10)

    @pytest.mark.parametrize("twin", [people(3, 3)[0], {"id": 3, "last_name": "Other"}])
    def test_a_duplicate_across_pages_is_a_shift(self, twin: dict[str, Any]) -> None:
        with pytest.raises(IncompleteReadError):
            read(serve([*people(1, 10), twin]), page_size=10)

    def test_unequal_duplicates_on_one_page_are_a_contradiction(self) -> None:
        with pytest.raises(IncompleteReadError):
            read(serve([*people(1, 3), {"id": 3, "last_name": "Other"}]))

    def test_the_same_record_twice_on_one_page_is_kept_once(self) -> None:
        whole, _ = read(serve(people(1, 3) + people(2, 2)))
        assert whole.rows == people(1, 3)
        assert whole.requests == 1

    def test_rows_without_usable_id_are_passed_on(self) -> None:
        strange = [{"id": None, "n": 1}, {"id": 0}, {"id": "7"}, {"id": -1}, {"id": True}, {"id": 2.0}, {}]
        whole, _ = read(serve([*strange, *strange, *people(1, 9)]), page_size=10)
        assert whole.rows == [*strange, *strange, *people(1, 9)]
        assert whole.passes == 2

    def test_rows_without_usable_id_count_by_their_content(self) -> None:
        calls = iter(range(1000))

        def answer(request: Request) -> Answer:
            return serve([*people(1, 11), {"id": None, "call": next(calls)}])(request)

        with pytest.raises(IncompleteReadError):
            read(answer, page_size=10)

    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_whoever_was_there_all_the_time_is_read(self, data: st.DataObject) -> None:
        """Rows come, go and change places between any two requests; then it holds still."""
        stays = people(1, data.draw(st.integers(0, 12)))
        everyone: list[dict[str, Any]] = list(stays)
        changes = iter(data.draw(st.lists(st.sampled_from(["come", "go", "mix", "rest"]), max_size=8)))
        new_ids = iter(range(100, 200))

        def answer(request: Request) -> Answer:
            page = serve(list(everyone))(request)
            change = next(changes, "rest")
            if change == "come":
                everyone.insert(data.draw(st.integers(0, len(everyone))), {"id": next(new_ids)})
            if change == "go":
                everyone[:] = [*stays, *[row for row in everyone if row["id"] >= 100][1:]]
            if change == "mix":
                everyone[:] = data.draw(st.permutations(everyone))
            return page

        try:
            whole, _ = read(answer, page_size=3)
        except IncompleteReadError:
            return
        ids = [row["id"] for row in whole.rows]
        assert len(ids) == len(set(ids))
        assert {row["id"] for row in stays} <= set(ids)


class Flaky:
    """Answers a page with the given broken answers first, then properly."""

    def __init__(self, broken: Sequence[Answer], *, page: int = 2, records: int = 25) -> None:
        self._broken = list(broken)
        self._page = page
        self._good = serve(people(1, records))

    def __call__(self, request: Request) -> Answer:
        if request.page == self._page and self._broken:
            return self._broken.pop(0)
        return self._good(request)


BROKEN = {
    "500": Answer({"error": "broken", "error_id": "abc-1"}, status=500),
    "502": Answer(b"<html>Bad gateway</html>", status=502),
    "504": Answer(b"", status=504),
    "429": Answer({"error": "slow down"}, status=429),
    "HTML": Answer(b"<html><body>Please wait</body></html>"),
    "login page": Answer(b"", status=302, headers={"Location": "https://sso.example.org/"}),
    "cut body": Answer({"data": people(1, 10)}, cut=True),
    "not gzip": Answer(b"plain", headers={"Content-Encoding": "gzip"}),
    "closed without a word": Answer(silent=True),
    "hang": Answer(hang=True),
    "drip": Answer({"data": people(1, 10)}, drip=True),
}


class TestBrokenAnswers:
    @pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
    def test_once_is_survived(self, broken: Answer) -> None:
        patience = 0.1 if broken.hang or broken.drip else 5
        whole, _ = read(Flaky([broken, broken]), page_size=10, timeout_seconds=patience)
        assert whole.rows == people(1, 25)
        assert whole.requests >= 8

    @pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
    def test_for_good_is_incomplete_never_the_end(self, broken: Answer) -> None:
        with pytest.raises(IncompleteReadError) as caught:
            read(Flaky([broken] * 5), page_size=10, timeout_seconds=0.05)
        assert "veracross.students is incomplete: page 2 (GET /students)" in caught.value.what
        assert caught.value.kept == "The last good table stays as it is."

    def test_the_error_id_is_told(self) -> None:
        with pytest.raises(IncompleteReadError, match=r"status 500 \(error_id abc-1\)"):
            read(Flaky([BROKEN["500"]] * 5), page_size=10)

    def test_an_error_id_that_is_none_is_not_told(self) -> None:
        sentence = Answer({"error": "x", "error_id": "Planted Name was here"}, status=500)
        with pytest.raises(IncompleteReadError) as caught:
            read(Flaky([sentence] * 5), page_size=10)
        assert "Planted" not in str(caught.value)

    @pytest.mark.parametrize("status", [400, 404, 405, 406, 409])
    def test_a_refusal_is_final(self, status: int) -> None:
        asked: list[Request] = []

        def answer(request: Request) -> Answer:
            asked.append(request)
            return Answer({"error": "no", "error_id": 77}, status=status)

        with pytest.raises(IncompleteReadError, match=rf"status {status} \(error_id 77\)"):
            read(answer)
        assert len(asked) == 1

    @pytest.mark.parametrize(
        "body", [[], {}, {"data": None}, {"data": {}}, {"rows": []}, {"data": [1]}, None, "data", 5]
    )
    def test_what_is_no_list_of_records_is_no_empty_list(self, body: Any) -> None:
        content = b"null" if body is None else body
        with pytest.raises(IncompleteReadError, match='not a list of records under "data"'):
            read(lambda _: Answer(content))

    def test_a_server_that_is_not_there(self) -> None:
        async def use(veracross: StandIn) -> None:
            await veracross.__aexit__()
            async with veracross.client(accounts_url="http://127.0.0.1:1") as client:
                with pytest.raises(IncompleteReadError, match="ConnectError at the authorization server"):
                    await client.read(STUDENTS)

        with_stand_in(serve([]), use)


class TestRateLimit:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-Rate-Limit-Reset": "1000"},
            {"X-Rate-Limit-Reset": "Thu, 01 Jan 2015 00:00:00 GMT"},
            {"X-Rate-Limit-Reset": "99999999999"},
            {"X-Rate-Limit-Reset": "0"},
            {"X-Rate-Limit-Reset": "-17"},
            {"X-Rate-Limit-Reset": "soon", "X-Rate-Limit-Remaining": "many", "X-Rate-Limit-Limit": "-1"},
            {"X-Rate-Limit-Reset": "2", "X-Rate-Limit-Remaining": "300"},
        ],
    )
    def test_429_with_odd_headers_waits_for_one_window_at_most(self, headers: dict[str, str]) -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            await asyncio.sleep(seconds)

        busy = Answer({"error": "slow down"}, status=429, headers=headers)
        limit = RateLimit(300, 0.1)
        whole, _ = read(Flaky([busy, busy]), page_size=10, sleep=sleep, rate_limit=limit)
        assert whole.rows == people(1, 25)
        assert slept
        assert max(slept) <= 0.1

    def test_never_more_than_the_limit_in_a_window_over_many_parallel_reads(self) -> None:
        arrivals: list[float] = []

        def answer(request: Request) -> Answer:
            arrivals.append(asyncio.get_running_loop().time())
            return rows()

        limit = RateLimit(10, 0.2)
        read(answer, endpoint=MEETINGS, parents=range(1, 36), rate_limit=limit)
        assert len(arrivals) == 35
        assert all(sum(first <= other < first + 0.2 for other in arrivals) <= 10 for first in arrivals)

    def test_the_limit_that_the_server_tells_is_kept(self) -> None:
        def answer(request: Request) -> Answer:
            return Answer({"data": []}, headers={"X-Rate-Limit-Limit": "20"})

        whole, _ = read(answer, rate_limit=RateLimit(300, 60))
        assert whole.rate_remaining == 19


def meetings(of_class: int, *ids: int) -> Answer:
    return rows(*({"id": number, "internal_class_id": of_class} for number in ids))


def parent_of(request: Request) -> int:
    return int(request.path.split("/")[-2])


class TestFanOut:
    def test_rows_come_in_the_order_of_the_parents_whoever_answers_first(self) -> None:
        whole, veracross = read(
            lambda request: replace(
                meetings(parent_of(request), parent_of(request) * 10), delay=parent_of(request) / 100
            ),
            endpoint=MEETINGS,
            parents=[3, 1, 2, 3],
            parameters={"date": "2026-11-23"},
        )
        assert [row["id"] for row in whole.rows] == [30, 10, 20]
        assert whole.requests == len(veracross.requests) == 3
        assert {request.path for request in veracross.requests} == {
            f"/stjames/v3/academics/classes/{number}/meeting_times" for number in (1, 2, 3)
        }
        assert all(request.query == {"date": ["2026-11-23"]} for request in veracross.requests)

    def test_no_parents_no_request(self) -> None:
        whole, veracross = read(serve([]), endpoint=MEETINGS, parents=[])
        assert (whole.rows, whole.requests, whole.passes) == ([], 0, 0)
        assert veracross.requests == veracross.token_requests == []

    def test_parents_where_there_are_none_and_none_where_they_are_needed(self) -> None:
        with pytest.raises(ValueError, match="takes no parents"):
            read(serve([]), parents=[1])
        with pytest.raises(ValueError, match="needs parents"):
            read(serve([]), endpoint=MEETINGS)

    def test_a_parent_that_is_not_found_makes_the_whole_incomplete(self) -> None:
        def answer(request: Request) -> Answer:
            number = parent_of(request)
            return Answer({"error": "x"}, status=404) if number == 2 else meetings(number, number)

        with pytest.raises(IncompleteReadError, match="meeting_times of internal_class_id 2 is incomplete"):
            read(answer, endpoint=MEETINGS, parents=[1, 2, 3])

    def test_a_row_of_another_parent_is_a_mix_up(self) -> None:
        with pytest.raises(IncompleteReadError, match=r"internal_class_id 2 .* record of another one, 9"):
            read(
                lambda request: meetings(9 if parent_of(request) == 2 else parent_of(request), 1),
                endpoint=MEETINGS,
                parents=[2],
            )

    def test_a_row_that_tells_no_parent_is_passed_on(self) -> None:
        record = {"id": 5, "internal_class_id": None}
        whole, _ = read(lambda _: rows(record), endpoint=MEETINGS, parents=[2])
        assert whole.rows == [record]

    def test_a_record_that_moves_from_parent_to_parent_is_found_where_it_ended(self) -> None:
        asked: list[int] = []

        def answer(request: Request) -> Answer:
            number = parent_of(request)
            asked.append(number)
            has_it = number == 1 if asked.count(number) == 1 else number == 2
            return rows({"id": 7}) if has_it or number == 2 else rows({"id": number * 10})

        whole, _ = read(answer, endpoint=MEETINGS, parents=[1, 2, 3])
        assert [row["id"] for row in whole.rows] == [10, 7, 30]
        assert sorted(asked) == [1, 1, 2, 2, 3]

    def test_a_record_that_stays_under_two_parents_is_never_used(self) -> None:
        with pytest.raises(IncompleteReadError, match="several of internal_class_id 1, 2"):
            read(
                lambda request: rows({"id": 7 if parent_of(request) < 3 else 8}),
                endpoint=MEETINGS,
                parents=[1, 2, 3],
            )

    def test_no_more_than_four_requests_are_in_flight_even_over_two_reads(self) -> None:
        in_flight: set[int] = set()
        most: list[int] = []

        async def use(veracross: StandIn) -> None:
            def answer(request: Request) -> Answer:
                in_flight.add(id(request))
                most.append(len(in_flight))
                loop = asyncio.get_running_loop()
                loop.call_later(0.09, in_flight.discard, id(request))
                return Answer({"data": [{"id": len(most)}]}, delay=0.1)

            veracross.answer = answer
            async with veracross.client() as client:
                await asyncio.gather(
                    client.read(MEETINGS, parents=range(1, 13)),
                    client.read(ENDPOINTS["class_attendance"], parents=range(1, 13)),
                )

        with_stand_in(serve([]), use)
        assert len(most) == 24
        assert max(most) == 4

    def test_value_lists_of_all_parents_become_one(self) -> None:
        def answer(request: Request) -> Answer:
            number = parent_of(request)
            lists = [{"fields": ["block.id"], "items": [{"id": 1, "description": "A"}, {"id": number}]}]
            return Answer({"data": [], "value_lists": lists})

        whole, _ = read(answer, endpoint=MEETINGS, parents=[2, 3])
        (blocks,) = whole.value_lists
        assert blocks.fields == ("block.id",)
        assert [item["id"] for item in blocks.items] == [1, 2, 3]


def test_what_does_not_look_like_a_value_list_is_left_out() -> None:
    odd = [None, 5, {}, {"fields": "x", "items": []}, {"fields": ["a"], "items": [None, {}, {"id": 0}]}]
    (only,) = merge_value_lists(odd)
    assert (only.fields, only.items) == (("a",), ({"id": 0},))


class TestLife:
    def test_it_works_again_and_again_in_one_runner(self) -> None:
        async def once(client_of: StandIn) -> int:
            async with client_of.client() as client:
                await asyncio.gather(*(client.read(MEETINGS, parents=range(1, 9)) for _ in range(3)))
                return client.requests

        async def start() -> StandIn:
            return await StandIn(lambda request: rows({"id": parent_of(request)})).__aenter__()

        with asyncio.Runner() as runner:
            veracross = runner.run(start())
            assert [runner.run(once(veracross)) for _ in range(3)] == [24, 24, 24]
            runner.run(veracross.__aexit__())

    def test_one_client_can_be_entered_in_one_loop_after_another(self) -> None:
        clients: list[Any] = []

        async def use(veracross: StandIn) -> None:
            if not clients:
                clients.append(veracross.client())
            client = clients[0]
            client._api_url = client._accounts_url = veracross.url
            async with client:
                await asyncio.gather(*(client.read(MEETINGS, parents=range(1, 9)) for _ in range(3)))

        for _ in range(3):
            with_stand_in(lambda request: rows({"id": parent_of(request)}), use)
        assert clients[0].requests == 72

    def test_outside_the_block_it_says_so(self) -> None:
        async def use(veracross: StandIn) -> None:
            with pytest.raises(RuntimeError, match="async with"):
                await veracross.client().read(STUDENTS)

        with_stand_in(serve([]), use)


def test_logs_hold_ids_and_counts_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    planted = {"id": 1, "last_name": "Plantedname", "email_1": "planted@example.org"}
    read(Flaky([BROKEN["500"]], page=1, records=0))
    read(serve([planted]))
    with pytest.raises(IncompleteReadError):
        read(serve([planted, {**planted, "last_name": "Other"}]))
    assert "veracross.students: 1 rows, 1 requests, 1 passes" in caplog.text
    assert "lanted" not in caplog.text
    assert "s3cret" not in caplog.text
    assert "token-" not in caplog.text


def test_access_trouble_stays_access_trouble() -> None:
    with pytest.raises(AccessError):
        read(lambda _: Answer({"error": "x"}, status=401), endpoint=MEETINGS, parents=[1, 2, 3, 4])
