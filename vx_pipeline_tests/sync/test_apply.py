"""Writing a plan to the stand-in Orah: noted before it is sent, sent once, and one bad record stops no other."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from vx_pipeline.errors import AccessError, ServiceError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.intents import count_outcomes, open_intents, record_intent
from vx_pipeline.journal.tables import intents, outcomes
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.client import Retry
from vx_pipeline.sandbox import Fault, FaultKind, Sandbox
from vx_pipeline.sync.apply import Applied, Writer, apply_changes
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, fingerprint
from vx_pipeline_tests.conftest import SandboxFactory, fresh_school

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
SCHOOL, PLAN = "north", "plan-1"

Row = dict[str, Any]


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    return make_sandbox(20, today=TODAY)


def apply(
    sandbox: Sandbox,
    journal: Journal,
    changes: Sequence[Change],
    *,
    houses: dict[int, int] | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    cause: str = PLAN,
    students: dict[int, int] | None = None,
    **writer: Any,
) -> Applied:
    async def run() -> Applied:
        orah = OrahClient(
            url=sandbox.orah_api_url,
            api_key=sandbox.credentials.orah_api_key,
            timeout_seconds=0.2,
            retry=Retry(attempts=2, wait_initial=0.001, wait_max=0.002),
        )
        async with orah:
            where = Writer(orah, journal, SCHOOL, cause, now, **writer)
            return await apply_changes(where, changes, houses or {}, students)

    return asyncio.run(run())


def change(entity: Entity, action: Action, key: int, target: int | None = None, **values: Any) -> Change:
    fields = {name: Difference(None, value) for name, value in values.items()}
    return Change(entity, action, key, target, fields, "test")


def create_house(dorm: int) -> Change:
    return change(Entity.HOUSE, Action.CREATE, dorm, name=f"House {dorm}", sis_id=str(dorm))


def create_student(key: int, first_name: str = "New", **values: Any) -> Change:
    return change(Entity.STUDENT, Action.CREATE, key, first_name=first_name, sis_id=str(key), **values)


def update_student(target: int, action: Action = Action.UPDATE, key: int = 1, **values: Any) -> Change:
    return change(Entity.STUDENT, action, key, target, **(values or {"first_name": "Changed"}))


def orah(sandbox: Sandbox, model: str = "student") -> list[Row]:
    return sandbox.school.orah[model]


def trouble(kind: FaultKind, path: str, **changes: Any) -> Fault:
    return Fault(kind, system="orah", path=path, **changes)


def writes(sandbox: Sandbox) -> list[tuple[str, str, int]]:
    return [(entry.entity, entry.action, entry.target_id) for entry in sandbox.journal.writes]


def sent(sandbox: Sandbox) -> list[str]:
    """The writes that were sent, whatever came of them."""
    paths = (entry.path.removeprefix("/open-api/") for entry in sandbox.journal.requests)
    return [path for path in paths if path.endswith(("/create", "/update", "/delete"))]


def results(journal: Journal) -> list[tuple[str, str, str, int | None]]:
    query = select(intents.c.entity, intents.c.action, outcomes.c.result, outcomes.c.target_id).join(
        outcomes, outcomes.c.intent_id == intents.c.intent_id, isouter=True
    )
    with journal.begin() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(intents.c.intent_id))]


# --- a plan that goes well


def test_every_kind_of_change_lands_once(sandbox: Sandbox, journal: Journal) -> None:
    first, second, third, fourth = (student["id"] for student in orah(sandbox)[:4])
    orah(sandbox)[2]["deactivated"] = True
    house = orah(sandbox, "house")[0]["id"]
    applied = apply(
        sandbox,
        journal,
        [
            create_student(900, house={"dorm_id": 70}),
            create_house(70),
            change(Entity.HOUSE, Action.UPDATE, 71, house, name="Renamed"),
            update_student(first, house={"dorm_id": 71}, room_number="7"),
            update_student(second, Action.DEACTIVATE, deactivated=True),
            update_student(third, Action.REACTIVATE, deactivated=False),
            change(Entity.STUDENT, Action.DELETE, 4, fourth),
            change(Entity.STUDENT, Action.SKIP, 5, 12345),
        ],
        houses={71: house},
    )
    assert applied.failures == []
    assert applied.written == {
        **{"create house": 1, "update house": 1, "create student": 1, "update student": 1},
        **{"deactivate student": 1, "reactivate student": 1, "delete student": 1},
    }
    assert len(sandbox.journal.writes) == len(sent(sandbox)) == 7
    records = {student["id"]: student for student in orah(sandbox)}
    assert fourth not in records
    assert (records[first]["house"]["id"], records[first]["room_number"]) == (house, "7")
    assert (records[second]["deactivated"], records[third]["deactivated"]) == (True, False)
    (made,) = (student for student in orah(sandbox) if student["sis_id"] == "900")
    (made_house,) = (one for one in orah(sandbox, "house") if one["sis_id"] == "70")
    assert made["house"]["id"] == made_house["id"]
    assert count_outcomes(journal, PLAN) == {"done": 7}
    assert ("student", "create", "done", made["id"]) in results(journal)
    assert [entity for entity, _, _ in writes(sandbox)][:2] == ["house", "house"]


def test_an_empty_plan_sends_nothing(sandbox: Sandbox, journal: Journal) -> None:
    assert apply(sandbox, journal, []) == Applied({}, [])
    assert not sandbox.journal.requests


def test_an_intent_is_on_disk_before_orah_hears_of_it(
    sandbox: Sandbox, journal: Journal, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []

    def clock() -> float:
        # The stand-in asks for the time when a request has come and before it carries it out.
        other = open_journal(tmp_path)
        seen.append((len(open_intents(other, SCHOOL, "orah")), len(sandbox.journal.writes)))
        other.close()
        return time.time()

    sandbox.clock = clock
    apply(sandbox, journal, [update_student(orah(sandbox)[0]["id"])])
    assert seen[0] == (1, 0)
    assert open_intents(journal, SCHOOL, "orah") == []


# --- answers that are lost


LOSING = [FaultKind.ANSWER_LOST, FaultKind.CUT_BODY]
NOT_CARRIED_OUT = [FaultKind.REQUEST_LOST, FaultKind.HANG, FaultKind.STATUS]


def one_of_each(sandbox: Sandbox) -> list[tuple[str, Change]]:
    student, house = orah(sandbox)[0]["id"], orah(sandbox, "house")[0]["id"]
    return [
        ("*/house/create", create_house(70)),
        ("*/house/update", change(Entity.HOUSE, Action.UPDATE, 71, house, name="Renamed", sis_id="71")),
        ("*/student/create", create_student(900)),
        ("*/student/update", update_student(student)),
        ("*/student/update", update_student(student, Action.DEACTIVATE, deactivated=True)),
        ("*/student/update", update_student(student, house={"dorm_id": 71})),
        ("*/student/delete", change(Entity.STUDENT, Action.DELETE, 4, student)),
    ]


@pytest.mark.parametrize("which", range(7))
@pytest.mark.parametrize("kind", LOSING)
def test_a_lost_answer_after_the_write_landed_is_confirmed(
    sandbox: Sandbox, journal: Journal, kind: FaultKind, which: int
) -> None:
    path, one = one_of_each(sandbox)[which]
    sandbox.add_fault(trouble(kind, path))
    applied = apply(sandbox, journal, [one], houses={71: orah(sandbox, "house")[-1]["id"]})
    assert applied == Applied({f"{one.action} {one.entity}": 1}, [])
    assert len(sent(sandbox)) == len(writes(sandbox)) == 1
    assert results(journal) == [(one.entity, one.action, "confirmed", writes(sandbox)[0][2])]


@pytest.mark.parametrize("which", range(7))
@pytest.mark.parametrize("kind", NOT_CARRIED_OUT)
def test_a_lost_answer_without_effect_is_absent_and_left_to_the_next_run(
    sandbox: Sandbox, journal: Journal, kind: FaultKind, which: int
) -> None:
    path, one = one_of_each(sandbox)[which]
    sandbox.add_fault(trouble(kind, path))
    houses = {71: orah(sandbox, "house")[-1]["id"]}
    applied = apply(sandbox, journal, [one], houses=houses)
    assert applied.written == {}
    (failure,) = applied.failures
    assert failure.startswith(f"{one.action} {one.entity} {one.key}: ")
    assert "nothing was written; the next run tries again" in failure
    assert (len(sent(sandbox)), writes(sandbox)) == (1, [])
    assert results(journal) == [(one.entity, one.action, "absent", None)]
    assert apply(sandbox, journal, [one], houses=houses, cause="plan-2").failures == []
    assert len(writes(sandbox)) == 1


def test_when_nothing_can_be_read_back_the_question_stays_open(sandbox: Sandbox, journal: Journal) -> None:
    one = update_student(orah(sandbox)[0]["id"])
    sandbox.add_fault(trouble(FaultKind.ANSWER_LOST, "*/student/update"))
    sandbox.add_fault(trouble(FaultKind.STATUS, "*/student/get-single", times=None))
    assert len(apply(sandbox, journal, [one]).failures) == 1
    assert len(open_intents(journal, SCHOOL, "orah")) == 1
    with pytest.raises(ServiceError):  # nothing is sent while it cannot be settled
        apply(sandbox, journal, [update_student(orah(sandbox)[1]["id"])])
    sandbox.clear_faults()
    apply(sandbox, journal, [])
    assert results(journal) == [("student", "update", "confirmed", one.target_id)]
    assert len(sent(sandbox)) == 1


# --- trouble with one record, or with all


def test_one_bad_record_does_not_keep_the_others(sandbox: Sandbox, journal: Journal) -> None:
    targets = [student["id"] for student in orah(sandbox)[:6]]
    changes = [update_student(target, key=key) for key, target in enumerate(targets, start=1)]
    changes[2] = update_student(targets[2], key=3, student_type="Nonsense")
    changes[4] = update_student(999_999, key=5)
    applied = apply(sandbox, journal, changes)
    assert applied.written == {"update student": 4}
    assert [failure.partition(":")[0] for failure in applied.failures] == [
        "update student 3",
        "update student 5",
    ]
    assert len(writes(sandbox)) == 4
    assert count_outcomes(journal, PLAN) == {"done": 4, "failed": 2}


def test_a_student_waits_for_a_house_that_could_not_be_made(sandbox: Sandbox, journal: Journal) -> None:
    changes = [
        create_student(900, house={"dorm_id": 70}),
        create_student(901, house={"dorm_id": 71}),
        create_house(70),
        create_house(71),
    ]
    sandbox.add_fault(trouble(FaultKind.STATUS, "*/house/create", status=400))
    applied = apply(sandbox, journal, changes)
    assert applied.written == {"create house": 1, "create student": 1}
    assert len([failure for failure in applied.failures if "waits for it" in failure]) == 1
    assert len(sent(sandbox)) == 3
    assert all(student["house"] for student in orah(sandbox) if student["sis_id"] in {"900", "901"})


def test_a_refused_key_stops_the_rest(sandbox: Sandbox, journal: Journal) -> None:
    targets = [student["id"] for student in orah(sandbox)]
    sandbox.add_fault(trouble(FaultKind.STATUS, "*", status=401, times=None, after=3))
    with pytest.raises(AccessError, match="ORAH_API_KEY"):
        apply(sandbox, journal, [update_student(target) for target in targets])
    assert len(writes(sandbox)) == 3
    assert len(sent(sandbox)) < 3 + 5 < len(targets)
    assert open_intents(journal, SCHOOL, "orah") == []


def test_when_houses_are_refused_no_student_is_sent(sandbox: Sandbox, journal: Journal) -> None:
    sandbox.orah_forbidden.add("house")
    with pytest.raises(AccessError, match="403"):
        apply(sandbox, journal, [create_house(70), create_student(900)])
    assert sent(sandbox) == ["house/create"]


def refuse_writes(journal: Journal, table: str) -> None:
    """The disk is full for one table."""

    @event.listens_for(journal._engine, "before_cursor_execute")
    def full(_c: Any, _cu: Any, statement: str, *_: Any) -> None:
        if statement.startswith(f"INSERT INTO {table}"):
            raise OperationalError(statement, {}, Exception("database or disk is full"))


def test_without_a_journal_nothing_is_sent(sandbox: Sandbox, journal: Journal) -> None:
    refuse_writes(journal, "intents")
    changes = [create_house(70), create_student(900), update_student(orah(sandbox)[0]["id"])]
    applied = apply(sandbox, journal, changes)
    assert not sandbox.journal.requests
    assert applied.written == {}
    assert len(applied.failures) == 3
    assert all("journal cannot be read or written" in failure for failure in applied.failures)


def test_a_journal_that_fails_after_the_write_leaves_the_intent_open(
    sandbox: Sandbox, journal: Journal, tmp_path: Path
) -> None:
    refuse_writes(journal, "outcomes")
    assert len(apply(sandbox, journal, [create_student(900)]).failures) == 1
    whole = open_journal(tmp_path)
    assert len(open_intents(whole, SCHOOL, "orah")) == 1
    apply(sandbox, whole, [create_student(900)])
    assert results(whole) == [("student", "create", "confirmed", writes(sandbox)[0][2])]
    assert len(sent(sandbox)) == 1
    whole.close()


# --- interruptions


def intend(journal: Journal, one: Change, body: Row) -> None:
    record_intent(
        journal,
        school=SCHOOL,
        at=NOW,
        system="orah",
        entity=one.entity,
        action=one.action,
        key=one.key,
        target_id=one.target_id,
        body=body,
        cause=PLAN,
    )


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("which", range(7))
def test_an_interrupted_write_is_settled_and_the_same_plan_adds_nothing(
    sandbox: Sandbox, journal: Journal, tmp_path: Path, which: int, *, landed: bool
) -> None:
    _, one = one_of_each(sandbox)[which]
    houses = {71: orah(sandbox, "house")[-1]["id"]}
    body = one.values
    if "house" in body:
        body["house_id"] = houses[body.pop("house")["dorm_id"]]
    intend(journal, one, body)
    if landed:
        elsewhere = open_journal(tmp_path / "elsewhere")
        apply(sandbox, elsewhere, [one], houses=houses)
        elsewhere.close()
    applied = apply(sandbox, journal, [one], houses=houses)
    assert applied.failures == []
    assert results(journal)[0][2] == ("confirmed" if landed else "absent")
    assert open_intents(journal, SCHOOL, "orah") == []
    if one.action in (Action.CREATE, Action.DELETE):
        assert len(writes(sandbox)) == 1
    for model in ("student", "house"):
        assert max(Counter(record["sis_id"] or record["id"] for record in orah(sandbox, model)).values()) == 1


def test_a_student_finds_the_house_that_an_interrupted_run_made(sandbox: Sandbox, journal: Journal) -> None:
    sandbox.add_fault(trouble(FaultKind.ANSWER_LOST, "*/house/create"))
    sandbox.add_fault(trouble(FaultKind.STATUS, "*/house/list", times=2))
    changes = [create_house(70), create_student(900, house={"dorm_id": 70})]
    assert len(apply(sandbox, journal, changes).failures) == 2
    assert apply(sandbox, journal, changes) == Applied({"create student": 1}, [])
    assert sent(sandbox) == ["house/create", "student/create"]


KILLED = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from vx_pipeline.journal import open_journal
from vx_pipeline.orah import OrahClient
from vx_pipeline.sync.apply import Writer, apply_changes
from vx_pipeline.sync.changes import Action, Change, Difference, Entity

async def main(home, url, key):
    async with OrahClient(url=url, api_key=key) as orah:
        writer = Writer(orah, open_journal(Path(home)), "north", "plan-1", lambda: datetime.now(UTC))
        fields = {"first_name": Difference(None, "New"), "sis_id": Difference(None, "900")}
        await apply_changes(writer, [Change(Entity.STUDENT, Action.CREATE, 900, None, fields, "test")], {})

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("landed", [True, False])
def test_a_killed_process_leaves_a_question_that_the_next_one_answers(
    sandbox: Sandbox, journal: Journal, tmp_path: Path, *, landed: bool
) -> None:
    if landed:
        sandbox.add_fault(trouble(FaultKind.ANSWER_LOST, "*/student/create"))
        sandbox.add_fault(trouble(FaultKind.HANG, "*/student/list"))
    else:
        sandbox.add_fault(trouble(FaultKind.HANG, "*/student/create"))
    child = subprocess.Popen(
        [
            *(sys.executable, "-c", textwrap.dedent(KILLED)),
            *(str(tmp_path), sandbox.orah_api_url, sandbox.credentials.orah_api_key),
        ],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    deadline = time.monotonic() + 30
    while len(sandbox.journal.requests) < (2 if landed else 1):
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert len(open_intents(journal, SCHOOL, "orah")) == 1
    apply(sandbox, journal, [create_student(900)])
    assert [student["sis_id"] for student in orah(sandbox)].count("900") == 1
    assert len(sent(sandbox)) == (1 if landed else 2)
    assert results(journal)[0][2] == ("confirmed" if landed else "absent")


# --- any faults on any small plan


class KilledError(BaseException):
    """Ends a run on the spot, as a signal would."""


@dataclass
class Wanted:
    """What Orah should look like: students' first name, dorm and activity by key; None for who is deleted."""

    students: dict[int, tuple[str, int | None, bool] | None] = field(default_factory=dict)
    dorms: dict[int, str] = field(default_factory=dict)


DORMS = (70, 71)
KEYS = (1, 2, 3, 4, 5)
student_states = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(["Ada", "Ben"]), st.sampled_from([None, *DORMS]), st.booleans()),
)
worlds = st.builds(
    Wanted,
    st.dictionaries(st.sampled_from(KEYS), student_states),
    st.fixed_dictionaries({dorm: st.sampled_from(["Old", "New"]) for dorm in DORMS}),
)
faults = st.builds(
    Fault,
    kind=st.sampled_from(
        [
            *(FaultKind.STATUS, FaultKind.RATE_LIMITED, FaultKind.HTML_PAGE, FaultKind.REQUEST_LOST),
            *(FaultKind.ANSWER_LOST, FaultKind.CUT_BODY, FaultKind.NO_EFFECT),
        ]
    ),
    system=st.just("orah"),
    path=st.sampled_from(
        [
            *("*/student/create", "*/student/update", "*/student/delete", "*/student/list"),
            *("*/student/get-single", "*/house/*", "*"),
        ]
    ),
    times=st.integers(1, 3),
    after=st.integers(0, 3),
    status=st.sampled_from([400, 401, 404, 500, 503]),
)


def house_of(sandbox: Sandbox, dorm: int | None) -> int | None:
    found = [house["id"] for house in orah(sandbox, "house") if house["sis_id"] == str(dorm)]
    return found[0] if found else None


def plan(sandbox: Sandbox, wanted: Wanted) -> list[Change]:
    """The differences, as a run finds them that has just read Orah."""
    changes = []
    houses = {house["sis_id"]: house for house in orah(sandbox, "house")}
    for dorm, name in wanted.dorms.items():
        house = houses.get(str(dorm))
        if house is None:
            changes.append(change(Entity.HOUSE, Action.CREATE, dorm, name=name, sis_id=str(dorm)))
        elif house["name"] != name:
            changes.append(change(Entity.HOUSE, Action.UPDATE, dorm, house["id"], name=name))
    students = {student["sis_id"]: student for student in orah(sandbox)}
    for key, state in wanted.students.items():
        changes += student_changes(sandbox, key, students.get(str(key)), state)
    return changes


def student_changes(
    sandbox: Sandbox, key: int, held: Row | None, state: tuple[str, int | None, bool] | None
) -> list[Change]:
    if state is None:
        return [change(Entity.STUDENT, Action.DELETE, key, held["id"])] if held else []
    name, dorm, active = state
    house = {"dorm_id": dorm} if dorm else None
    if held is None:
        return [create_student(key, name, deactivated=not active, house=house)]
    values: Row = {}
    if held["first_name"] != name:
        values["first_name"] = name
    if held["deactivated"] is active:
        values["deactivated"] = not active
    if (held["house"] or {}).get("id") != house_of(sandbox, dorm) or (dorm and not held["house"]):
        values["house"] = house
    return [change(Entity.STUDENT, Action.UPDATE, key, held["id"], **values)] if values else []


def run(sandbox: Sandbox, journal: Journal, wanted: Wanted, cause: str, dies_at: int | None = None) -> None:
    asked = iter(range(1_000))

    def now() -> datetime:
        if next(asked) == dies_at:
            raise KilledError
        return NOW

    houses = {dorm: found for dorm in DORMS if (found := house_of(sandbox, dorm)) is not None}
    try:
        apply(sandbox, journal, plan(sandbox, wanted), houses=houses, now=now, cause=cause)
    except (AccessError, ServiceError):
        assert cause.startswith("troubled")
    except BaseExceptionGroup as died:
        if died.split(KilledError)[1]:
            raise


def check_effects(sandbox: Sandbox, journal: Journal) -> None:
    """At most one effect for each intent; no two records for one person or dorm."""
    with journal.begin() as connection:
        noted = Counter(
            (row.entity, "create" if row.target_id is None else row.action, row.target_id or row.key)
            for row in connection.execute(select(intents))
        )
    done = Counter(
        (
            entry.entity,
            entry.action,
            int(entry.after["sis_id"]) if entry.action == "create" else entry.target_id,
        )
        for entry in sandbox.journal.writes
    )
    assert done <= noted
    for model in ("student", "house"):
        assert max(Counter(one["sis_id"] for one in orah(sandbox, model)).values(), default=1) == 1


@pytest.fixture(scope="module")
def empty_orah() -> Iterator[Sandbox]:
    with Sandbox(school=fresh_school(20, today=TODAY)) as running:
        yield running


@given(
    before=worlds, wanted=worlds, ordered=st.lists(faults, max_size=4), dies_at=st.none() | st.integers(0, 12)
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_fails_orah_comes_out_right(
    empty_orah: Sandbox, before: Wanted, wanted: Wanted, ordered: list[Fault], dies_at: int | None
) -> None:
    sandbox = empty_orah
    orah(sandbox).clear()
    orah(sandbox, "house").clear()
    with TemporaryDirectory() as home:
        journal = open_journal(Path(home))
        run(sandbox, journal, before, "before")
        for fault in ordered:
            sandbox.add_fault(fault)
        run(sandbox, journal, wanted, "troubled", dies_at)
        check_effects(sandbox, journal)
        # The same again under the same faults, as an impatient person would.
        run(sandbox, journal, wanted, "troubled-2")
        check_effects(sandbox, journal)
        sandbox.clear_faults()
        run(sandbox, journal, wanted, "quiet")
        check_effects(sandbox, journal)
        count = len(sandbox.journal.writes)
        assert plan(sandbox, wanted) == []
        run(sandbox, journal, wanted, "last")
        assert len(sandbox.journal.writes) == count
        assert open_intents(journal, SCHOOL, "orah") == []
        journal.close()
    sandbox.journal.clear()


# --- patience


def test_a_write_that_orah_was_too_busy_for_is_tried_again(sandbox: Sandbox, journal: Journal) -> None:
    targets = [student["id"] for student in orah(sandbox)[:3]]
    sandbox.add_fault(trouble(FaultKind.RATE_LIMITED, "*/student/update", times=2))
    patient = Retry(attempts=3, wait_initial=0.001, wait_max=0.002)
    changes = [update_student(target, key=key) for key, target in enumerate(targets, start=1)]
    assert apply(sandbox, journal, changes, retry=patient) == Applied({"update student": 3}, [])
    assert count_outcomes(journal, PLAN) == {"done": 3, "failed": 2}, "each try is an intent of its own"
    assert (len(sent(sandbox)), len(writes(sandbox))) == (5, 3)


def test_who_stays_busy_keeps_no_other_record_from_being_written(sandbox: Sandbox, journal: Journal) -> None:
    sandbox.add_fault(trouble(FaultKind.RATE_LIMITED, "*/house/update", times=None))
    house, student = orah(sandbox, "house")[0]["id"], orah(sandbox)[0]["id"]
    changes = [change(Entity.HOUSE, Action.UPDATE, 71, house, name="Renamed"), update_student(student)]
    applied = apply(sandbox, journal, changes, retry=Retry(attempts=2, wait_initial=0.001, wait_max=0.002))
    assert applied.written == {"update student": 1}
    assert [failure.partition(":")[0] for failure in applied.failures] == ["update house 71"]
    assert count_outcomes(journal, PLAN) == {"done": 1, "failed": 2}


def test_a_server_that_is_not_there_is_tried_again_and_nothing_stays_open(
    sandbox: Sandbox, journal: Journal
) -> None:
    async def run() -> Applied:
        nobody = OrahClient(url="http://127.0.0.1:9", api_key="key", retry=Retry(attempts=1))
        async with nobody:
            patient = Retry(attempts=3, wait_initial=0.001, wait_max=0.002)
            writer = Writer(nobody, journal, SCHOOL, PLAN, lambda: NOW, retry=patient)
            return await apply_changes(writer, [update_student(1)], {})

    assert len(asyncio.run(run()).failures) == 1
    assert count_outcomes(journal, PLAN) == {"failed": 3}
    assert open_intents(journal, SCHOOL, "orah") == []


def test_an_intent_knows_its_change_and_the_word_that_let_it_pass(sandbox: Sandbox, journal: Journal) -> None:
    first, second = (update_student(one["id"], key=key) for key, one in enumerate(orah(sandbox)[:2], start=1))
    apply(sandbox, journal, [first, second], approvals={fingerprint(second): 7})
    with journal.begin() as connection:
        noted = {row.key: (row.change, row.approval) for row in connection.execute(select(intents))}
    assert noted == {1: (fingerprint(first), None), 2: (fingerprint(second), 7)}


def test_who_must_not_see_a_child_any_more_comes_first(sandbox: Sandbox, journal: Journal) -> None:
    contact = orah(sandbox, "contact")[0]
    student = contact["_student_ids"][0]
    tie = {"students": Difference({"student_id": 1}, None)}
    urgent = Change(Entity.CONTACT, Action.UNLINK, 9, contact["id"], tie, "custody ended", urgent=True)
    changes = [create_house(70), create_student(900), urgent]
    assert apply(sandbox, journal, changes, students={1: student}).failures == []
    assert writes(sandbox)[0][::2] == ("contact", contact["id"])
