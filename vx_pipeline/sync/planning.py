"""The plan: every difference between what Orah says and what it should say, as a change with its reason."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import resources
from typing import Any

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.journal.pins import Pin
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, differences
from vx_pipeline.sync.mapping import map_students
from vx_pipeline.sync.pinning import without_pinned
from vx_pipeline.sync.students import Case, student_changes
from vx_pipeline.warehouse.derive import derive
from vx_pipeline.warehouse.rows import read_rows

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """What a plan rests on besides the warehouse; all but the rules comes from the journal.

    Args:
        policies: the school's rules.
        now: the moment of planning.
        deactivated_by_us: when we deactivated which Orah student, and did not reactivate since.
        known_students: the Veracross ids of those whose record in Orah we ever wrote.
        made_at: when we last made a record for which student.
        made_houses: the houses in Orah that we made.
        pins: what is to be left alone today.
        settings_changed: whether the rules are not those of the plan before.
    """

    policies: Policies
    now: datetime
    deactivated_by_us: Mapping[int, datetime]
    known_students: Collection[int] = ()
    made_at: Mapping[int, datetime] = field(default_factory=dict)
    made_houses: Collection[int] = ()
    pins: Collection[Pin] = ()
    settings_changed: bool = False


def make_plan(connection: duckdb.DuckDBPyConnection, baseline: Baseline) -> list[Change]:
    """Compares desired and present state of houses and students.

    Args:
        connection: the school's warehouse, in a transaction; roster, matching and orah tables are there.
        baseline: rules and memory.

    Returns:
        The changes in the order in which they depend on each other: houses first.

    Raises:
        ConfigurationError: the school's own mapping of fields names what is not there.
    """
    derive_desired(connection, baseline.policies)
    dorms = read_rows(connection, _HOUSES)
    case = Case(
        policies=baseline.policies,
        now=baseline.now,
        known_students=frozenset(baseline.known_students),
        made_at=baseline.made_at,
        standing=_standing(connection, baseline.deactivated_by_us),
        housed=frozenset(row["dorm_id"] for row in dorms if not row["is_taken"]),
        unread=_unread_records(connection),
        settings_changed=baseline.settings_changed,
    )
    houses = [change for row in dorms if (change := _house(row))]
    if baseline.policies.remove_empty_houses:
        houses += _ended_houses(connection, baseline.made_houses, baseline.now.date())
    students = [
        change
        for row in read_rows(connection, "FROM sync.desired_students")
        for change in student_changes(row, case)
    ]
    return without_pinned(houses + students, baseline.pins)


def derive_desired(connection: duckdb.DuckDBPyConnection, policies: Policies) -> None:
    """Makes ``sync.scope``, ``sync.wanted_students`` and ``sync.desired_students``."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS sync")
    map_students(connection, policies.student_fields)
    derive(connection, "vx_pipeline.sync", "wanted_students")
    grades = [grade.strip().lower() for grade in policies.grades]
    derive(connection, "vx_pipeline.sync", "scope", {"synced": policies.synced, "grades": grades})
    derive(connection, "vx_pipeline.sync", "desired_students")


def _standing(
    connection: duckdb.DuckDBPyConnection, deactivated_by_us: Mapping[int, datetime]
) -> dict[int, datetime]:
    """Our deactivations, less those of records that Orah held active once more later on.

    The first turn from active to deactivated after ours is our own, seen by the read that followed.
    """
    turns = connection.execute(
        """
        SELECT id, "at" FROM orah.history
        WHERE collection = 'students' AND change = 'changed' AND (before ->> 'deactivated') = 'false'
        """
    ).fetchall()
    later = Counter(
        record
        for record, at in turns
        if record in deactivated_by_us and at > stored(deactivated_by_us[record])
    )
    return {record: at for record, at in deactivated_by_us.items() if later[record] <= 1}


def _unread_records(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM orah.rejected_rows WHERE collection = 'students'"
    ).fetchone()
    return int(row[0]) if row else 0


def _sql(name: str) -> str:
    return resources.files("vx_pipeline.sync").joinpath(name).read_text()


_HOUSES = _sql("houses.sql")
_ENDED_HOUSES = _sql("ended_houses.sql")


def _house(row: Row) -> Change | None:
    """A dorm in use has a house of the same name that carries its id."""
    sis_id = str(row["dorm_id"])
    if row["is_taken"]:
        reason = "a house in Orah has this dorm's id or name, but not for certain; a person has to say which"
        return Change(Entity.HOUSE, Action.SKIP, row["dorm_id"], None, {}, reason)
    if row["orah_id"] is None:
        fields = {"name": Difference(None, row["name"]), "sis_id": Difference(None, sis_id)}
        return Change(
            Entity.HOUSE, Action.CREATE, row["dorm_id"], None, fields, "dorm in use without a house in Orah"
        )
    fields = differences(
        {"name": row["orah_name"], "sis_id": row["orah_sis_id"]}, {"name": row["name"], "sis_id": sis_id}
    )
    if not fields:
        return None
    reason = "house of the same name taken over" if row["rule"] == "name" else "the dorm has another name now"
    return Change(Entity.HOUSE, Action.UPDATE, row["dorm_id"], row["orah_id"], fields, reason)


def _ended_houses(connection: duckdb.DuckDBPyConnection, made: Collection[int], today: date) -> list[Change]:
    rows = read_rows(connection, _ENDED_HOUSES, {"made_houses": sorted(made), "today": today})
    return [
        Change(
            Entity.HOUSE,
            Action.DELETE,
            row["dorm_id"],
            row["orah_id"],
            {},
            f"no student is in the house, and its dorm is over: {row['why_not']}",
        )
        for row in rows
    ]
