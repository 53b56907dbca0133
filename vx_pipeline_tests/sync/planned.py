"""A plan from a few rows: small schools, and the plan and the verdicts that come of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb

from vx_pipeline.journal.approvals import Answer, Approval
from vx_pipeline.journal.pins import Pin
from vx_pipeline.matching.match import match_houses, match_students
from vx_pipeline.orah.collections import CONTACTS
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, fingerprint
from vx_pipeline.sync.gate import Judged, Judgement, Recollection, judge
from vx_pipeline.sync.inputs import settings_hash
from vx_pipeline.sync.planning import Baseline, make_plan
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.world import READ_AT, build_roster, school

Row = dict[str, Any]

AMY: Row = {"id": 1, "first_name": "Amelia", "preferred_name": "Amy", "last_name": "Stone"}
AMYS_RECORD: Row = {
    "id": 501,
    "sis_id": "1",
    "first_name": "Amy",
    "alt_name": "Amelia",
    "last_name": "Stone",
    "year_level": "9th Grade",
    "student_type": "Day",
}
LEFT: Row = {**AMY, "exit_date": "2026-11-20"}
DORM: Row = {"id": 100, "description": "North House"}
HOUSE: Row = {"id": 7, "name": "North House", "sis_id": "100"}
BOARDS: Row = {"id": 1, "student_id": 1, "dorm_id": 100}
STRANGER: Row = {"id": 900, "first_name": "Karl", "last_name": "Berg"}


def plan(
    connection: duckdb.DuckDBPyConnection,
    *,
    deactivated_by_us: Mapping[int, datetime] | None = None,
    policies: Policies | None = None,
    known_students: frozenset[int] = frozenset(),
    made_houses: Sequence[int] = (),
    pins: Sequence[Pin] = (),
    settings_changed: bool = False,
    **tables: Any,
) -> list[Change]:
    """The plan for a school of these tables."""
    school(connection, **tables)
    rules = policies or Policies()
    build_roster(connection, rules)
    baseline = Baseline(
        rules,
        READ_AT,
        deactivated_by_us or {},
        known_students,
        made_houses=made_houses,
        pins=pins,
        settings_changed=settings_changed,
    )
    with transaction(connection):
        match_students(connection, now=READ_AT)
        match_houses(connection)
        return make_plan(connection, baseline)


def one(changes: Sequence[Change]) -> Change:
    """The only change there is."""
    (change,) = changes
    return change


def judged(
    connection: duckdb.DuckDBPyConnection,
    changes: Sequence[Change],
    policies: Policies | None = None,
    **recollected: Any,
) -> Judgement:
    """What the gate says at the moment of the read; what is recollected is named as in ``Recollection``."""
    known = Recollection(**{"now": READ_AT, **recollected})
    return judge(connection, changes, policies or Policies(), known)


def held(judgement: Judgement) -> dict[int, str]:
    """Why each change waits, by its key."""
    return {judged.change.key: judged.why for judged in judgement.held}


def by_key(judgement: Judgement) -> dict[int, list[Judged]]:
    """The verdicts about each key, in the plan's order."""
    found: dict[int, list[Judged]] = {}
    for judged in judgement.changes:
        found.setdefault(judged.change.key, []).append(judged)
    return found


def change(entity: Entity, action: Action, key: int, target: int | None = None, **fields: Any) -> Change:
    """A change of these fields, each given as (before, after)."""
    return Change(
        entity, action, key, target, {name: Difference(*pair) for name, pair in fields.items()}, "test"
    )


def removal(key: int, action: Action = Action.DEACTIVATE) -> Change:
    """The student of a crowd with this key leaves."""
    fields = {"deactivated": (False, True)} if action is Action.DEACTIVATE else {}
    return change(Entity.STUDENT, action, key, 500 + key, **fields)


def answer(
    about: Change,
    said: Answer = Answer.APPROVE,
    *,
    at: datetime = READ_AT,
    policies: Policies | None = None,
    used_at: datetime | None = None,
    number: int = 1,
) -> dict[str, Approval]:
    """Dana's word about one change, as the gate gets it."""
    mark = fingerprint(about)
    rules = settings_hash(policies or Policies())
    return {mark: Approval(number, "plan-1", 1, mark, rules, said, "Dana", "shell", "", at, used_at)}


def crowd(number: int, leavers: int = 0) -> dict[str, Any]:
    """Students 1 to ``number`` with the records 501 and so on; the first ones have left, the last one boards."""
    return {
        "students": [
            {"id": n, "first_name": f"F{n}", "last_name": f"L{n}", "roles": "Alumni" if n <= leavers else "Student"}
            for n in range(1, number + 1)
        ],
        "orah_students": [
            {"id": 500 + n, "sis_id": str(n), "first_name": f"F{n}", "last_name": f"L{n}"}
            for n in range(1, number + 1)
        ],
        "dorms": [DORM],
        "dorm_students": [{"id": 1, "student_id": number, "dorm_id": 100}],
        "orah_houses": [HOUSE],
    }  # fmt: skip


def land_contacts(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Contacts 1 to ``number`` in Orah, each of one student of a crowd; with their ties."""
    empty = {field.name: None for field in CONTACTS.fields}
    rows = [
        {**empty, "id": n, "first_name": f"C{n}", "students": [{"id": 500 + n, "sis_id": None}]}
        for n in range(1, number + 1)
    ]
    land(connection, CONTACTS, rows, read_at=READ_AT, may_be_empty=True)
    connection.execute(
        """
        CREATE OR REPLACE TABLE orah.contact_students AS
        SELECT id AS contact_id, 500 + id AS student_id FROM orah.contacts
        """
    )
