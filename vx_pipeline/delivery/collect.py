"""Collecting a delivery from the warehouse, with the groups of the last one that are over, or in doubt."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import duckdb

from vx_pipeline.delivery.layout import CONTACTS
from vx_pipeline.delivery.rows import (
    ArchivedGroup,
    Contact,
    Delivery,
    Group,
    Member,
    SetAside,
    Staff,
    Student,
)
from vx_pipeline.errors import VxError
from vx_pipeline.policies import Labels, Policies
from vx_pipeline.warehouse.derive import derive
from vx_pipeline.warehouse.reads import last_whole_read
from vx_pipeline.warehouse.rows import read_rows

T = TypeVar("T")

READS = (
    "athletics_rosters",
    "classes",
    "contact_info",
    "dorm_students",
    "dorms",
    "enrollments",
    "households",
    "parents",
    "relationships",
    "staff_faculty",
    "students",
)
"""The Veracross tables that a delivery rests on."""

ROSTER = ("students", "boarders", "houses", "contacts", "staff", "groups", "group_members")
"""The roster tables that a delivery rests on."""

TABLES = ("students", "contacts", "staff", "groups", "group_members", "set_aside", "ended_groups")
"""The tables of schema ``delivery``, in the order in which they can be built."""

_KEPT = "The files of the last delivery are as they were."


def collect(
    connection: duckdb.DuckDBPyConnection, policies: Policies, before: Delivery | None = None
) -> Delivery:
    """Builds the tables of schema ``delivery`` and takes the delivery from them.

    A group that was delivered and is over for certain is archived. One that today's read neither has in order nor
    proves to be over stays as it was delivered: one read without a class ends no class.

    Args:
        connection: the school's warehouse, in a transaction; roster and matching tables are there.
        policies: the school's rules: ``synced``, ``grades``, ``contacts``, ``inactive_class_statuses``.
        before: the last delivery; None before the first one.

    Raises:
        VxError: a roster table is missing, or empty where that is not to be believed.
    """
    _refuse_missing_tables(connection)
    connection.execute("CREATE SCHEMA IF NOT EXISTS delivery")
    parameters = {
        "synced": policies.synced,
        "grades": _folded(policies.grades),
        "inactive_class_statuses": _folded(policies.inactive_class_statuses),
        "contacts_synced": policies.contacts.synced,
        "room": CONTACTS,
    }
    for table in TABLES:
        derive(connection, "vx_pipeline.delivery", table, parameters)
    found = Delivery(
        students=tuple(_students(connection)),
        staff=_rows(connection, Staff, "FROM delivery.staff WHERE problem IS NULL ORDER BY person_id"),
        groups=_rows(connection, Group, "FROM delivery.groups WHERE problem IS NULL ORDER BY group_id"),
        members=_rows(
            connection,
            Member,
            "FROM delivery.group_members WHERE problem IS NULL ORDER BY group_id, role, person_id",
        ),
        set_aside=_rows(connection, SetAside, "FROM delivery.set_aside ORDER BY entity, key"),
        rests_on={table: _last_read(connection, table) for table in READS},
    )
    last = before or Delivery()
    delivery = _with_earlier_groups(connection, found, last)
    if unbelievable := [*_unbelievable(connection, delivery, last)]:
        raise VxError(
            f"Nothing was delivered: {'; '.join(unbelievable)}.",
            kept=_KEPT,
            remedy="See whether Veracross shows these records. If it does, run a sync again.",
        )
    return delivery


def _with_earlier_groups(connection: duckdb.DuckDBPyConnection, found: Delivery, last: Delivery) -> Delivery:
    """The delivery with what became of the groups of the last one."""
    listed = _ids(connection, "SELECT group_id FROM delivery.groups")
    ended = _ids(connection, "SELECT group_id FROM delivery.ended_groups") - listed
    delivered = {group.group_id for group in found.groups}
    over = [
        ArchivedGroup(group.group_id, group.name, group.school_year)
        for group in last.groups
        if group.group_id in ended
    ]
    archived = {one.group_id: one for one in (*last.archived, *over) if one.group_id not in listed}
    kept = [group for group in last.groups if group.group_id not in delivered | ended]
    kept_ids = {group.group_id for group in kept}
    students = {student.student_id for student in found.students}
    emails = {staff.email for staff in found.staff}
    members = [
        member
        for member in last.members
        if member.group_id in kept_ids and (member.student_id in students or member.staff_email in emails)
    ]
    return replace(
        found,
        groups=tuple(sorted((*found.groups, *kept), key=lambda group: group.group_id)),
        # Stable: within a group the order is that of the query.
        members=tuple(sorted((*found.members, *members), key=lambda member: member.group_id)),
        archived=tuple(archived[key] for key in sorted(archived)),
        kept_groups=tuple(sorted(kept_ids)),
    )


def _unbelievable(connection: duckdb.DuckDBPyConnection, delivery: Delivery, last: Delivery) -> Iterator[str]:
    """Which parts are empty although the school cannot be without them, or was not the last time.

    No groups are believed where each one of the last delivery is proven to be over, and no houses where no dorm
    is in use: so a summer looks.
    """
    rows = {table: _count(connection, f"roster.{table}") for table in (*ROSTER, "dorms")}
    for table in ("students", "boarders"):
        if not rows[table]:
            yield f"roster.{table} is empty"
    had = {
        "contacts": any(student.contacts for student in last.students),
        "staff": bool(last.staff),
        "groups": bool(delivery.kept_groups),
        "group_members": bool(last.members) and bool(delivery.groups),
        "houses": not rows["dorms"] and any(student.house for student in last.students),
    }
    for table, is_wanted in had.items():
        if is_wanted and not rows[table]:
            yield f"roster.{table} is empty, and the last delivery had some"
    if rows["students"] and last.students and not delivery.students:
        yield "no student can be delivered, and the last delivery had some"
    if rows["staff"] and last.staff and not delivery.staff:
        yield "no member of staff can be delivered, and the last delivery had some"


def _refuse_missing_tables(connection: duckdb.DuckDBPyConnection) -> None:
    there = {
        row[0]
        for row in connection.execute(
            "SELECT table_name FROM duckdb_tables() "
            "WHERE database_name = current_database() AND schema_name = 'roster'"
        ).fetchall()
    }
    if missing := sorted({*ROSTER, "dorms"} - there):
        raise VxError(
            f"Nothing was delivered: {', '.join(f'roster.{table}' for table in missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there.",
            kept=_KEPT,
            remedy="Run a sync for this school first.",
        )


def _students(connection: duckdb.DuckDBPyConnection) -> Iterator[Student]:
    contacts: dict[int, list[Contact]] = {}
    for row in read_rows(
        connection, "FROM delivery.contacts WHERE problem IS NULL ORDER BY student_id, place"
    ):
        contacts.setdefault(row["student_id"], []).append(_made(Contact, row))
    for row in read_rows(connection, "FROM delivery.students WHERE problem IS NULL ORDER BY student_id"):
        yield _made(Student, {**row, "contacts": tuple(contacts.get(row["student_id"], ()))})


def _rows(connection: duckdb.DuckDBPyConnection, kind: type[T], query: str) -> tuple[T, ...]:
    return tuple(_made(kind, row) for row in read_rows(connection, query))


def _made(kind: type[T], row: Mapping[str, Any]) -> T:
    """A row of its kind: text trimmed, and empty where a text is null."""
    values = {}
    for field in fields(kind):  # type: ignore[arg-type]
        value = row[field.name]
        if value is None and field.type is str:
            value = ""
        values[field.name] = value.strip() if isinstance(value, str) else value
    return kind(**values)


def _last_read(connection: duckdb.DuckDBPyConnection, table: str) -> datetime | None:
    read_at = last_whole_read(connection, f"veracross.{table}")
    return read_at and read_at.replace(tzinfo=UTC)


def _ids(connection: duckdb.DuckDBPyConnection, query: str) -> set[int]:
    return {row[0] for row in connection.execute(query).fetchall()}


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _folded(labels: Labels) -> list[str]:
    return [label.strip().lower() for label in labels]
