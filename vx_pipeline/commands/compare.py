"""The demo's own look at the stand-in Orah: record by record, is it what the school's Veracross says?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from vx_pipeline.orah import assumed
from vx_pipeline.warehouse.rows import read_rows

Records = Mapping[int, Mapping[str, Any]]
"""Records as the stand-in holds them, by Orah id."""


@dataclass(frozen=True)
class Compared:
    """How many records were compared, and which differ: kind, Orah id and field."""

    students: int
    houses: int
    contacts: int
    differences: tuple[str, ...]


_STUDENTS = """
SELECT
    link.orah_id, scope.rule = 'leaver' AS has_left, wanted.sis_id, wanted.first_name, wanted.alt_name,
    wanted.last_name, wanted.email, wanted.year_level, wanted.is_boarder, wanted.room_number, wanted.bed_number,
    house.orah_id AS house_id
FROM sync.wanted_students AS wanted
JOIN sync.scope AS scope USING (veracross_id)
JOIN matching.student_links AS link USING (veracross_id)
LEFT JOIN matching.house_links AS house USING (dorm_id)
WHERE (scope.in_scope OR scope.rule = 'leaver') AND link.contested IS NULL
"""

_CONTACTS = """
SELECT link.orah_id, adult.first_name, adult.last_name, adult.email, adult.mobile_phone, adult.home_phone,
    list_sort(list(student.orah_id)) AS students
FROM roster.contacts AS adult
JOIN matching.contact_links AS link USING (person_id)
JOIN matching.student_links AS student ON student.veracross_id = adult.student_id AND student.contested IS NULL
JOIN sync.scope AS scope ON scope.veracross_id = adult.student_id AND scope.in_scope
WHERE adult.is_synced
GROUP BY ALL
"""


def compare(
    connection: duckdb.DuckDBPyConnection, students: Records, houses: Records, contacts: Records
) -> Compared:
    """Compares every linked record with what Veracross says.

    What Veracross does not know says nothing, and a record that a person at the school deactivated is theirs.

    Args:
        connection: the school's warehouse, after a night.
        students: as the stand-in holds them.
        houses: likewise.
        contacts: likewise; ``_student_ids`` are the students they are tied to.
    """
    wanted_students = read_rows(connection, _STUDENTS)
    wanted_contacts = read_rows(connection, _CONTACTS)
    wanted_houses = read_rows(
        connection,
        "SELECT orah_id, name, dorm_id FROM matching.house_links JOIN roster.houses USING (dorm_id)",
    )
    differences = [
        *(told for row in wanted_houses for told in _house(row, houses)),
        *(told for row in wanted_students for told in _student(row, students)),
        *(told for row in wanted_contacts for told in _contact(row, contacts)),
    ]
    return Compared(len(wanted_students), len(wanted_houses), len(wanted_contacts), tuple(differences))


def _house(row: Mapping[str, Any], houses: Records) -> list[str]:
    return _fields("house", row["orah_id"], houses, {"name": row["name"], "sis_id": str(row["dorm_id"])})


def _student(row: Mapping[str, Any], students: Records) -> list[str]:
    record = students.get(row["orah_id"], {})
    if row["has_left"]:
        return [] if record.get("deactivated") else [f"student {row['orah_id']}: deactivated"]
    if record.get("deactivated"):
        return []
    names = ("sis_id", "first_name", "alt_name", "last_name", "year_level", "room_number", "bed_number")
    told = _fields("student", row["orah_id"], students, {name: row[name] for name in names})
    if row["email"] and (record.get("email") or "").strip().lower() != row["email"]:
        told.append(f"student {row['orah_id']}: email")
    types = assumed.BOARDING_TYPES if row["is_boarder"] else assumed.DAY_TYPES
    if record.get("student_type") not in types:
        told.append(f"student {row['orah_id']}: student_type")
    if row["house_id"] is not None and (record.get("house") or {}).get("id") != row["house_id"]:
        told.append(f"student {row['orah_id']}: house")
    return told


def _contact(row: Mapping[str, Any], contacts: Records) -> list[str]:
    names = ("first_name", "last_name", "mobile_phone", "home_phone")
    told = _fields("contact", row["orah_id"], contacts, {name: row[name] for name in names})
    tied = set(contacts.get(row["orah_id"], {}).get("_student_ids", ()))
    if not set(row["students"]) <= tied:
        told.append(f"contact {row['orah_id']}: students")
    return told


def _fields(kind: str, record_id: int, records: Records, wanted: Mapping[str, Any]) -> list[str]:
    record = records.get(record_id)
    if record is None:
        return [f"{kind} {record_id}: is not there"]
    return [
        f"{kind} {record_id}: {name}"
        for name, value in wanted.items()
        if value is not None and record.get(name) != value
    ]
