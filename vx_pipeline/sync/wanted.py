"""What Orah should say about each student, for those who show it rather than write it."""

from typing import Any

import duckdb

from vx_pipeline.orah import assumed
from vx_pipeline.policies import Policies
from vx_pipeline.sync.mapping import map_students
from vx_pipeline.warehouse.derive import derive


def wanted_fields(connection: duckdb.DuckDBPyConnection, policies: Policies) -> dict[int, dict[str, Any]]:
    """Orah fields by Veracross id, as a sync would write them; a house by its name; of a leaver the deactivation.

    Args:
        connection: the school's warehouse, in a transaction, with the roster in it.
        policies: the school's rules.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS sync")
    map_students(connection, policies.student_fields)
    derive(connection, "vx_pipeline.sync", "wanted_students")
    rows = connection.execute(
        """
        SELECT
            wanted.veracross_id, sis_id, first_name, alt_name, last_name, email, year_level, is_boarder, house_name,
            room_number, bed_number, leaver.student_id IS NOT NULL
        FROM sync.wanted_students AS wanted
        LEFT JOIN roster.leavers AS leaver ON leaver.student_id = wanted.veracross_id
        """
    ).fetchall()
    return {
        row[0]: {"deactivated": True}
        if row[11]
        else {
            "sis_id": row[1],
            "first_name": row[2],
            "alt_name": row[3],
            "last_name": row[4],
            "email": row[5],
            "year_level": row[6],
            "student_type": assumed.BOARDING if row[7] else assumed.DAY,
            "house": row[8],
            "room_number": row[9],
            "bed_number": row[10],
        }
        for row in rows
    }
