"""The plan: every difference between what Orah says and what it should say, as a change with its reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from vx_pipeline.orah import assumed
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Difference, Entity
from vx_pipeline.warehouse.derive import derive

Row = Mapping[str, Any]

_OWNED_TEXT = ("sis_id", "first_name", "alt_name", "last_name", "year_level")
"""Student fields that Veracross owns and that are plain text in both systems."""


@dataclass(frozen=True)
class Baseline:
    """What a plan rests on besides the warehouse.

    Args:
        policies: the school's rules.
        now: the moment of planning.
        deactivated_by_us: when we deactivated which Orah student, from the journal.
    """

    policies: Policies
    now: datetime
    deactivated_by_us: Mapping[int, datetime]


def make_plan(connection: duckdb.DuckDBPyConnection, baseline: Baseline) -> list[Change]:
    """Compares desired and present state.

    Args:
        connection: the school's warehouse, in a transaction; roster, matching and orah tables are there.
        baseline: rules and memory.

    Returns:
        The changes in the order in which they depend on each other: houses first.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS sync")
    policies = baseline.policies
    derive(
        connection,
        "vx_pipeline.sync",
        "desired_students",
        {"synced": policies.synced, "grades": [grade.strip().lower() for grade in policies.grades]},
    )
    houses = [change for row in _rows(connection, _HOUSES) if (change := _house(row))]
    students = [
        change
        for row in _rows(connection, "FROM sync.desired_students")
        for change in _student(row, baseline)
    ]
    return houses + students


_HOUSES = """
    SELECT
        dorm.dorm_id, dorm.name, link.orah_id, link.rule, house.name AS orah_name, house.sis_id AS orah_sis_id
    FROM roster.houses AS dorm
    LEFT JOIN matching.house_links AS link USING (dorm_id)
    LEFT JOIN orah.houses AS house ON house.id = link.orah_id
    ORDER BY dorm.dorm_id
"""


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Row]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return iter([dict(zip(names, values, strict=True)) for values in cursor.fetchall()])


def _house(row: Row) -> Change | None:
    """A dorm in use has a house of the same name that carries its id."""
    sis_id = str(row["dorm_id"])
    if row["orah_id"] is None:
        fields = {"name": Difference(None, row["name"]), "sis_id": Difference(None, sis_id)}
        return Change(
            Entity.HOUSE, Action.CREATE, row["dorm_id"], None, fields, "dorm in use without a house in Orah"
        )
    fields = _differences(
        {"name": row["orah_name"], "sis_id": row["orah_sis_id"]}, {"name": row["name"], "sis_id": sis_id}
    )
    if not fields:
        return None
    reason = "house of the same name taken over" if row["rule"] == "name" else "the dorm has another name now"
    return Change(Entity.HOUSE, Action.UPDATE, row["dorm_id"], row["orah_id"], fields, reason)


def _student(row: Row, baseline: Baseline) -> Iterator[Change]:
    if row["leave_reason"] is not None:
        yield from _leaver(row, baseline)
    elif row["orah_id"] is None:
        yield from _unlinked(row, baseline.policies)
    elif row["orah_deactivated"]:
        yield _deactivated(row, baseline)
    elif fields := _student_fields(row):
        reason = f"linked by {row['link_rule']}; Veracross says otherwise"
        yield Change(Entity.STUDENT, Action.UPDATE, row["veracross_id"], row["orah_id"], fields, reason)


def _leaver(row: Row, baseline: Baseline) -> Iterator[Change]:
    """Who left is deactivated; deleted only by setting, only by us, and only after a time of grace."""
    key, record = row["veracross_id"], row["orah_id"]
    if not row["orah_deactivated"]:
        fields = {"deactivated": Difference(False, True)}
        yield Change(Entity.STUDENT, Action.DEACTIVATE, key, record, fields, row["leave_reason"])
        return
    deactivated_at = baseline.deactivated_by_us.get(record)
    grace = timedelta(days=baseline.policies.delete_after_days)
    if row["leave_action"] == "delete" and deactivated_at and baseline.now - deactivated_at >= grace:
        reason = f"{row['leave_reason']}; deactivated for {grace.days} days"
        yield Change(Entity.STUDENT, Action.DELETE, key, record, {}, reason)


def _unlinked(row: Row, policies: Policies) -> Iterator[Change]:
    """A new record only for somebody whom no record in Orah could be."""
    if row["has_candidate"] or not policies.create_students:
        return
    key = row["veracross_id"]
    if not row["first_name"] or not row["last_name"]:
        reason = "Veracross has no complete name; a record in Orah needs one"
        yield Change(Entity.STUDENT, Action.SKIP, key, None, {}, reason)
        return
    fields = {
        name: difference
        for name, difference in _student_fields(row).items()
        if difference.after not in (None, "")
    }
    yield Change(Entity.STUDENT, Action.CREATE, key, None, fields, "no record in Orah could be this student")


def _deactivated(row: Row, baseline: Baseline) -> Change:
    """Who is at the school comes back if we deactivated the record; if a person did, the person decides."""
    key, record = row["veracross_id"], row["orah_id"]
    if record in baseline.deactivated_by_us:
        fields = {"deactivated": Difference(True, False)} | _student_fields(row)
        return Change(Entity.STUDENT, Action.REACTIVATE, key, record, fields, "back at the school")
    reason = "at the school, but deactivated in Orah by a person; left alone"
    return Change(Entity.STUDENT, Action.SKIP, key, record, {}, reason)


def _student_fields(row: Row) -> dict[str, Difference]:
    """The differences of one student, by Orah field name."""
    before = {name: row[f"orah_{name}"] for name in _OWNED_TEXT}
    fields = _differences(before, {name: row[name] for name in _OWNED_TEXT})
    if row["email"] and (row["orah_email"] or "").strip().lower() != row["email"]:
        fields["email"] = Difference(row["orah_email"], row["email"])
    return fields | _type_difference(row) | _boarding_differences(row)


def _type_difference(row: Row) -> dict[str, Difference]:
    """Boarding or day. A finer type that means the same, such as FlexiBoarding, is the school's choice."""
    fitting, plain = (
        (assumed.BOARDING_TYPES, assumed.BOARDING) if row["is_boarder"] else (assumed.DAY_TYPES, assumed.DAY)
    )
    if row["orah_student_type"] in fitting:
        return {}
    return {"student_type": Difference(row["orah_student_type"], plain)}


def _boarding_differences(row: Row) -> dict[str, Difference]:
    """House, room and bed of a boarder. Who stopped boarding leaves a house that stands for a dorm."""
    if row["is_boarder"]:
        desired = {"room_number": row["room_number"], "bed_number": row["bed_number"]}
        fields = _differences({name: row[f"orah_{name}"] for name in desired}, desired)
        if row["orah_dorm_id"] != row["dorm_id"]:
            fields["house"] = Difference(_house_ref(row), {"dorm_id": row["dorm_id"]})
        return fields
    if row["orah_dorm_id"] is None:
        return {}
    occupied = {name: row[f"orah_{name}"] for name in ("room_number", "bed_number")}
    return {
        "house": Difference(_house_ref(row), None),
        **{name: Difference(value, None) for name, value in occupied.items() if value},
    }


def _house_ref(row: Row) -> dict[str, int] | None:
    return {"id": row["orah_house_id"]} if row["orah_house_id"] is not None else None


def _differences(before: Row, after: Row) -> dict[str, Difference]:
    """Fields that Veracross knows and Orah has otherwise. What Veracross does not know stays as it is."""
    return {
        name: Difference(before[name], value)
        for name, value in after.items()
        if value is not None and before[name] != value
    }
