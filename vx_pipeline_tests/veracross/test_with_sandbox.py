"""Against the stand-in Veracross over real HTTP: what its own journal says of what we sent."""

import asyncio
import copy
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from vx_pipeline.errors import AccessError, IncompleteReadError, LostAnswerError, NotFoundError
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.sandbox.school import School
from vx_pipeline.veracross import (
    ENDPOINTS,
    UPDATE_CLASS_ATTENDANCE,
    Area,
    CompleteRead,
    Probe,
    RateLimit,
    Standing,
    VeracrossClient,
)
from vx_pipeline_tests.veracross.stand_in import FAST

STUDENTS = ENDPOINTS["students"]


@pytest.fixture(scope="module")
def people_and_classes() -> School:
    return Sandbox(students=20).school


@pytest.fixture
def school(people_and_classes: School) -> Iterator[Sandbox]:
    with Sandbox(school=copy.deepcopy(people_and_classes), hang_seconds=20) as running:
        yield running


def client_of(school: Sandbox, **changes: Any) -> VeracrossClient:
    options: dict[str, Any] = {
        "school_route": school.school.route,
        "client_id": school.credentials.client_id,
        "client_secret": school.credentials.client_secret,
        "api_url": school.veracross_api_url,
        "accounts_url": school.veracross_accounts_url,
        "retry": FAST,
        "timeout_seconds": 0.3,
        "rate_limit": RateLimit(300, 0.1),
    }
    return VeracrossClient(**{**options, **changes})


def use(school: Sandbox, work: Callable[[VeracrossClient], Awaitable[Any]], **changes: Any) -> Any:
    async def run() -> Any:
        async with client_of(school, **changes) as client:
            return await work(client)

    return asyncio.run(run())


def read(school: Sandbox, table: str = "students", **changes: Any) -> CompleteRead:
    parents = changes.pop("parents", None)
    found = use(school, lambda client: client.read(ENDPOINTS[table], parents=parents), **changes)
    assert isinstance(found, CompleteRead)
    return found


def ids_in(school: Sandbox, table: str) -> Counter[int]:
    return Counter(row["id"] for row in school.school.veracross[ENDPOINTS[table].operation])


def ids_of(read: CompleteRead) -> Counter[int]:
    return Counter(row["id"] for row in read.rows)


def data_requests(school: Sandbox) -> list[Any]:
    return [entry for entry in school.journal.requests if "/oauth/" not in entry.path]


def test_everything_is_read_whole_with_one_token_for_each_area(school: Sandbox) -> None:
    async def everything(client: VeracrossClient) -> dict[str, CompleteRead]:
        parents = {
            "internal_dorm_id": list(ids_in(school, "dorms")),
            "internal_class_id": list(ids_in(school, "classes")),
            None: None,
        }
        filters = {"parents": {"include_deceased": "true"}}
        reads = {
            name: await client.read(
                endpoint, parents=parents[endpoint.path_param], parameters=filters.get(name)
            )
            for name, endpoint in ENDPOINTS.items()
        }
        assert client.requests == sum(one.requests for one in reads.values())
        return reads

    reads = use(school, everything, page_size=100)
    for table, one in reads.items():
        assert ids_of(one) == ids_in(school, table), table
    assert sum(one.requests for one in reads.values()) == len(data_requests(school))
    assert {entry.status for entry in school.journal.requests} == {200}
    tokens = [entry for entry in school.journal.requests if "/oauth/" in entry.path]
    assert len(tokens) == len({entry.scopes for entry in tokens}) == 5
    (grades,) = (one for one in reads["students"].value_lists if "grade_level" in one.fields)
    assert grades.items


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(FaultKind.STATUS, page=2, status=status, times=2) for status in (500, 502, 504)),
        Fault(FaultKind.STATUS, page=3, status=503, html=True),
        *(
            Fault(FaultKind.RATE_LIMITED, page=2, reset=reset)
            for reset in ("right", "past", "absent", "date", "garbage")
        ),
        Fault(FaultKind.HTML_PAGE, page=2),
        Fault(FaultKind.TOKEN_EXPIRED, page=3),
        Fault(FaultKind.TOKEN_REVOKED, page=3),
        Fault(FaultKind.HANG, page=2),
        Fault(FaultKind.REQUEST_LOST, page=2),
        Fault(FaultKind.ANSWER_LOST, page=2),
        Fault(FaultKind.CUT_BODY, page=2),
        Fault(FaultKind.DUPLICATED_ROW, page=2),
        Fault(FaultKind.ROW_INSERTED, page=1),
        Fault(FaultKind.ROW_REMOVED, page=1),
        Fault(FaultKind.SHRUNKEN_LIST, times=2),
        Fault(FaultKind.STATUS, path="*/oauth/token", status=500, times=2),
        Fault(FaultKind.HTML_PAGE, path="*/oauth/token"),
    ],
    ids=lambda fault: " ".join(
        str(part) for part in (fault.kind, fault.status, fault.reset, fault.path) if part is not None
    ),
)
def test_a_fault_that_passes_loses_nobody(school: Sandbox, fault: Fault) -> None:
    school.add_fault(fault)
    assert ids_of(read(school, page_size=8)) == ids_in(school, "students")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.STATUS, page=2, times=None),
        Fault(FaultKind.STATUS, page=2, times=None, status=400),
        Fault(FaultKind.RATE_LIMITED, page=2, times=None),
        Fault(FaultKind.HTML_PAGE, page=2, times=None),
        Fault(FaultKind.CUT_BODY, page=3, times=None),
        Fault(FaultKind.HANG, page=2, times=None),
        Fault(FaultKind.ROW_INSERTED, page=1, times=None),
        Fault(FaultKind.ROW_REMOVED, page=1, times=None),
        Fault(FaultKind.DUPLICATED_ROW, page=2, times=None, field="last_name", value="Other"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_a_fault_that_stays_makes_the_read_incomplete(school: Sandbox, fault: Fault) -> None:
    school.add_fault(fault)
    with pytest.raises(IncompleteReadError) as caught:
        read(school, page_size=8, timeout_seconds=0.1)
    assert "veracross.students" in caught.value.what
    assert "last good table" in caught.value.kept
    failed = [entry.error_id for entry in school.journal.requests if entry.error_id]
    if failed:
        assert str(failed[-1]) in caught.value.what


def test_a_token_that_stays_refused_is_access_trouble(school: Sandbox) -> None:
    school.add_fault(Fault(FaultKind.TOKEN_REVOKED, times=None))
    with pytest.raises(AccessError, match="OAuth_App_Admin"):
        read(school)
    assert len(data_requests(school)) == 2


def test_a_life_shorter_than_the_read_is_renewed_on_the_way(school: Sandbox) -> None:
    school.token_life_seconds = 1
    skipped = [0.0]
    real = school.clock
    school.clock = lambda: real() + skipped[0]

    def progress(_: int) -> None:
        skipped[0] += 1.5  # each page finds the token expired

    async def slowly(client: VeracrossClient) -> CompleteRead:
        return await client.read(STUDENTS, progress=progress)

    found = use(school, slowly, page_size=8)
    assert ids_of(found) == ids_in(school, "students")
    assert 401 in {entry.status for entry in data_requests(school)}


def test_never_more_than_the_limit_in_any_window_of_a_token_and_never_refused(school: Sandbox) -> None:
    school.rate_limit, school.rate_window_seconds = 20, 0.5
    classes = list(ids_in(school, "classes"))[:45]

    async def both(client: VeracrossClient) -> None:
        await asyncio.gather(
            client.read(ENDPOINTS["meeting_times"], parents=classes),
            client.read(ENDPOINTS["class_attendance"], parents=classes),
        )

    # Told 300 in a window, it learns the school's 20 from the first answers.
    use(school, both, rate_limit=RateLimit(300, 0.5))
    assert 429 not in {entry.status for entry in school.journal.requests}
    for token in {entry.token_id for entry in data_requests(school)}:
        moments = [entry.at for entry in data_requests(school) if entry.token_id == token]
        assert len(moments) >= 45
        assert all(sum(first <= other < first + 0.5 for other in moments) <= 20 for first in moments)


def test_a_missing_scope_is_no_empty_table(school: Sandbox) -> None:
    school.granted_scopes.discard("households:list")
    with pytest.raises(AccessError, match="has not granted every scope of people"):
        read(school, "households")

    async def probe_all(client: VeracrossClient) -> dict[str, Probe]:
        return {table: await client.probe(endpoint) for table, endpoint in ENDPOINTS.items()}

    probes = use(school, probe_all)
    assert {table for table, one in probes.items() if one.standing is not Standing.GRANTED} == {"households"}
    assert probes["households"].standing is Standing.MISSING_SCOPE
    assert abs(probes["dorms"].clock_skew_seconds) < 5


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"school_route": "elsewhere"}, "VERACROSS_SCHOOL_ROUTE"),
        ({"client_id": "nobody"}, "VERACROSS_CLIENT_ID"),
        ({"client_secret": "wrong"}, "VERACROSS_CLIENT_SECRET"),
    ],
)
def test_wrong_settings_are_named(school: Sandbox, change: dict[str, str], names: str) -> None:
    with pytest.raises(AccessError, match=names):
        read(school, **change)


def test_a_parent_that_is_gone_makes_the_whole_incomplete(school: Sandbox) -> None:
    with pytest.raises(IncompleteReadError, match=r"internal_class_id 999999 .* status 404"):
        read(school, "meeting_times", parents=[*list(ids_in(school, "classes"))[:3], 999999])


class TestWriting:
    @pytest.fixture
    def row(self, school: Sandbox) -> dict[str, Any]:
        rows: list[dict[str, Any]] = school.school.veracross["list_class_attendance"]
        return rows[0]

    @pytest.fixture
    def other_code(self, school: Sandbox, row: dict[str, Any]) -> int:
        lists = school.school.value_lists["list_class_attendance"]
        (statuses,) = (one for one in lists if "status" in one["fields"])
        return next(int(item["id"]) for item in statuses["items"] if str(item["id"]) != str(row["status"]))

    def write(self, school: Sandbox, row: dict[str, Any], status: int | str, **changes: Any) -> None:
        values = {"class_id": row["internal_class_id"], "attendance_id": row["id"], "status": status}
        values |= {"notes": "Away [via Orah]", **changes}

        async def unchanged() -> bool:
            return True

        use(school, lambda client: client.update_class_attendance(unchanged=unchanged, **values))

    def test_it_lands_once_and_can_be_taken_back(
        self, school: Sandbox, row: dict[str, Any], other_code: int
    ) -> None:
        before = (row["status"], row["notes"])
        self.write(school, row, str(other_code))
        assert (row["status"], row["notes"]) == (other_code, "Away [via Orah]")
        self.write(school, row, before[0], notes=before[1])
        assert (row["status"], row["notes"]) == before
        assert [entry.target_id for entry in school.journal.writes] == [row["id"]] * 2

    def test_a_lost_answer_lands_at_most_once(
        self, school: Sandbox, row: dict[str, Any], other_code: int
    ) -> None:
        school.add_fault(Fault(FaultKind.ANSWER_LOST, method="PATCH"))
        with pytest.raises(LostAnswerError):
            self.write(school, row, other_code)
        assert len(school.journal.writes) == 1

    @pytest.mark.parametrize("kind", [FaultKind.RATE_LIMITED, FaultKind.TOKEN_REVOKED])
    def test_what_was_refused_before_it_was_processed_is_sent_again(
        self, school: Sandbox, row: dict[str, Any], other_code: int, kind: FaultKind
    ) -> None:
        school.add_fault(Fault(kind, method="PATCH"))
        self.write(school, row, other_code)
        assert len(school.journal.writes) == 1

    def test_a_row_of_another_class_is_not_found(
        self, school: Sandbox, row: dict[str, Any], other_code: int
    ) -> None:
        with pytest.raises(NotFoundError):
            self.write(school, row, other_code, class_id=row["internal_class_id"] + 100_000)
        assert not school.journal.writes

    def test_the_write_scope_can_be_probed(self, school: Sandbox) -> None:
        assert use(school, lambda client: client.probe(UPDATE_CLASS_ATTENDANCE)).standing is Standing.GRANTED
        assert not data_requests(school)


def test_no_name_and_no_secret_in_logs_or_messages(school: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for row in school.school.veracross["list_students"]:
        row["last_name"] = "Plantedname"
    read(school, page_size=8)
    school.add_fault(Fault(FaultKind.DUPLICATED_ROW, times=None, field="last_name", value="Plantedtoo"))
    with pytest.raises(IncompleteReadError) as caught:
        read(school, page_size=8)
    told = caplog.text + str(caught.value) + repr(caught.value)
    assert "veracross.students" in told
    assert "Planted" not in told
    assert school.credentials.client_secret not in told
    assert "Bearer" not in told


def test_all_areas_have_a_scope_that_a_school_grants(school: Sandbox) -> None:
    async def tokens(client: VeracrossClient) -> int:
        await asyncio.gather(*(client._exchange.tokens[area].token() for area in Area))
        return len([entry for entry in school.journal.requests if entry.status == 200])

    assert use(school, tokens) == 6
