"""Everybody of both systems as the review page shows them."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

import duckdb

from vx_pipeline.journal.cases import ORAH, VERACROSS, Evidence, Person
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.warehouse.rows import read_rows

WANTED = (
    "sis_id", "first_name", "alt_name", "last_name", "email", "year_level", "student_type", "house", "room_number",
    "bed_number", "deactivated",
)  # fmt: skip
"""The fields of Orah that a sync writes."""

Row = Mapping[str, Any]
Proofs = Mapping[tuple[int, int], tuple[Evidence, ...]]
"""The evidence of a pair, by Veracross id and Orah id."""

DECIDING = ("first_name", "last_name", "birth_date")
"""The fields whose change reopens a decision. The first name is the one that Orah's is filled with."""

_STUDENTS = """
SELECT
    student.*,
    CASE WHEN student.is_current THEN 'at the school' ELSE 'left' END AS status,
    dorm.name AS house,
    person.last_name AS folded_last_name,
    coalesce(person.other_name, person.first_name) AS folded_first_name,
    concat_ws(' ', person.first_name, person.other_name, person.last_name) AS folded,
    link.orah_id, link.rule, link.score, link.linked_at
FROM roster.students AS student
JOIN matching.people AS person ON person.side = 'ours' AND person.person_id = student.student_id
JOIN roster.boarders AS boarder USING (student_id)
LEFT JOIN roster.houses AS dorm ON dorm.dorm_id = boarder.dorm_id
LEFT JOIN matching.student_links AS link ON link.veracross_id = student.student_id
ORDER BY student_id
"""

_RECORDS = """
SELECT
    record.*,
    CASE WHEN record.deactivated THEN 'deactivated' ELSE 'active' END AS status,
    house.name AS house,
    person.last_name AS folded_last_name,
    person.first_name AS folded_first_name,
    concat_ws(' ', person.first_name, person.other_name, person.last_name) AS folded,
    link.veracross_id, link.rule, link.score, link.linked_at
FROM orah.students AS record
JOIN matching.people AS person ON person.side = 'theirs' AND person.person_id = record.id
LEFT JOIN orah.houses AS house ON house.id = record.house__id
LEFT JOIN matching.student_links AS link ON link.orah_id = record.id
ORDER BY record.id
"""

_DORMS = """
SELECT dorm.dorm_id, dorm.name, coalesce(fold(dorm.name), '') AS folded, link.orah_id, link.rule
FROM roster.houses AS dorm LEFT JOIN matching.house_links AS link USING (dorm_id)
ORDER BY dorm_id
"""

_HOUSES = """
SELECT house.id, house.name, house.sis_id, coalesce(fold(house.name), '') AS folded, link.dorm_id, link.rule
FROM orah.houses AS house LEFT JOIN matching.house_links AS link ON link.orah_id = house.id
WHERE house._missing_reads < 2
ORDER BY house.id
"""


def read_proofs(connection: duckdb.DuckDBPyConnection) -> Proofs:
    """The evidence of every link and every candidate."""
    found: dict[tuple[int, int], list[Evidence]] = defaultdict(list)
    query = """
        SELECT veracross_id, orah_id, field, ours, theirs, level, bits, total
        FROM matching.evidence
        ORDER BY position
    """
    for ours, theirs, *rest in connection.execute(query).fetchall():
        found[ours, theirs].append(Evidence(*rest))
    return {pair: tuple(rows) for pair, rows in found.items()}


def students(
    connection: duckdb.DuckDBPyConnection, wanted: Mapping[int, Mapping[str, Any]], proofs: Proofs
) -> list[Person]:
    """The students of Veracross, with what Orah should say of them, and the evidence of their link."""
    return [
        Person(
            VERACROSS,
            Entity.STUDENT,
            row["student_id"],
            shown={
                **_text(
                    row, "first_name", "preferred_name", "middle_name", "last_name", "email", "grade", "house"
                ),
                "birth_date": _iso(row["birthday"]),
                "sex": row["gender"],
                "sis_id": str(row["student_id"]),
                "status": row["status"],
            },
            folded=row["folded"],
            digests=_digests(row["folded_first_name"], row["folded_last_name"], row["birthday"]),
            wanted=wanted.get(row["student_id"], {}),
            linked_to=row["orah_id"],
            evidence=proofs.get((row["student_id"], row["orah_id"]), ()),
            **_link(row),
        )
        for row in read_rows(connection, _STUDENTS)
    ]


def records(connection: duckdb.DuckDBPyConnection, days_away: Mapping[int, tuple[date, ...]]) -> list[Person]:
    """The student records of Orah as they are now; days away only of those whose marks wait for a link."""
    return [
        Person(
            ORAH,
            Entity.STUDENT,
            row["id"],
            shown={
                **_text(row, "first_name", "alt_name", "middle_name", "last_name", "email", "house"),
                "student_type": row["student_type"],
                "birth_date": _iso(row["date_of_birth"]),
                "sex": row["gender"],
                "grade": row["year_level"],
                "sis_id": row["sis_id"],
                "status": row["status"],
            },
            folded=row["folded"],
            digests=_digests(row["folded_first_name"], row["folded_last_name"], row["date_of_birth"]),
            wanted=_text(row, *WANTED),
            days_away=() if row["veracross_id"] else days_away.get(row["id"], ()),
            linked_to=row["veracross_id"],
            **_link(row),
        )
        for row in read_rows(connection, _RECORDS)
    ]  # fmt: skip


def houses(connection: duckdb.DuckDBPyConnection) -> list[Person]:
    """The dorms in use, and Orah's houses. Not people, but decided about in the same way."""
    dorms = [
        Person(
            VERACROSS,
            Entity.HOUSE,
            row["dorm_id"],
            shown={"last_name": row["name"], "sis_id": str(row["dorm_id"])},
            folded=row["folded"],
            digests={"name": _digest("name", row["folded"])},
            wanted={"name": row["name"], "sis_id": str(row["dorm_id"])},
            linked_to=row["orah_id"],
            rule=row["rule"],
        )
        for row in read_rows(connection, _DORMS)
    ]
    return dorms + [
        Person(
            ORAH,
            Entity.HOUSE,
            row["id"],
            shown={"last_name": row["name"], "sis_id": row["sis_id"]},
            folded=row["folded"],
            digests={"name": _digest("name", row["folded"])},
            wanted={"name": row["name"], "sis_id": row["sis_id"]},
            linked_to=row["dorm_id"],
            rule=row["rule"],
        )
        for row in read_rows(connection, _HOUSES)
    ]


def _text(row: Row, *names: str) -> dict[str, str | None]:
    return {name: row[name] for name in names}


def _link(row: Row) -> dict[str, Any]:
    linked_at = row["linked_at"].replace(tzinfo=UTC) if row["linked_at"] else None
    return {"rule": row["rule"], "score": row["score"], "linked_at": linked_at}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _digests(first_name: str | None, last_name: str | None, born: date | None) -> dict[str, str | None]:
    values = (first_name, last_name, _iso(born))
    return {field: _digest(field, value) for field, value in zip(DECIDING, values, strict=True)}


def _digest(field: str, value: str | None) -> str | None:
    """Enough to see that a value changed, without keeping the value with every decision for ever."""
    return hashlib.sha256(f"{field}:{value}".encode()).hexdigest()[:16] if value else None
