"""When each class's attendance was last read, and how it is read next: whole, or only what changed since.

A class is a list of its own in Veracross, so each has its own age. What changed never shows what was deleted;
that is what the whole read is for, every few days.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources

import duckdb

_TABLE = """
    CREATE TABLE IF NOT EXISTS veracross.class_attendance_reads (
        class_id BIGINT, read_at TIMESTAMP, whole_at TIMESTAMP
    )
"""


@dataclass(frozen=True)
class DueReads:
    """How the attendance of some classes is read next.

    Args:
        whole: classes to read whole, in order of id.
        changes: classes of which only what changed is asked for, in order of id.
        changed_since: the day from which on changes are asked for; None without such classes. It is the day
            before the oldest of their last reads, whatever day it is where the server stands.
    """

    whole: tuple[int, ...]
    changes: tuple[int, ...]
    changed_since: date | None


def due_reads(
    connection: duckdb.DuckDBPyConnection, classes: Sequence[int], *, now: datetime, whole_read_days: int
) -> DueReads:
    """How these classes are read next.

    Args:
        connection: the warehouse, in a transaction.
        classes: ids of the classes to ask.
        now: this moment, aware.
        whole_read_days: each class is read whole again after so many days.
    """
    _prepare(connection)
    sql = resources.files(__package__).joinpath("due_class_reads.sql").read_text(encoding="utf-8")
    given = {"classes": [*classes], "now": _stored(now), "whole_read_days": whole_read_days}
    found = connection.execute(sql, given).fetchall()
    changes = {class_id: since for class_id, is_whole, since in found if not is_whole}
    return DueReads(
        whole=tuple(class_id for class_id, is_whole, _ in found if is_whole),
        changes=tuple(changes),
        changed_since=min(changes.values(), default=None),
    )


def classes_with_rows(connection: duckdb.DuckDBPyConnection, classes: Collection[int]) -> set[int]:
    """Those of the classes that have attendance rows which are not missing."""
    found = connection.execute(
        """
        SELECT DISTINCT internal_class_id FROM veracross.class_attendance
        WHERE _missing_since IS NULL AND internal_class_id IN (SELECT unnest($classes::BIGINT[]))
        """,
        {"classes": [*classes]},
    )
    return {class_id for (class_id,) in found.fetchall()}


def forget_rejected(connection: duckdb.DuckDBPyConnection, classes: Collection[int]) -> None:
    """Takes away what earlier reads of these classes set aside, before a whole read says what is set aside now."""
    connection.execute(
        """
        DELETE FROM veracross.rejected_rows
        WHERE collection = 'class_attendance'
            AND try_cast(content ->> '$.internal_class_id' AS BIGINT) IN (SELECT unnest($classes::BIGINT[]))
        """,
        {"classes": [*classes]},
    )


def note_class_reads(
    connection: duckdb.DuckDBPyConnection,
    *,
    whole: Collection[int],
    changes: Collection[int],
    read_at: datetime,
) -> None:
    """Notes that classes were read; in the transaction that lands what came.

    Args:
        connection: the warehouse, in a transaction.
        whole: classes that were read whole.
        changes: classes of which only the changes were read; each was read whole before.
        read_at: when the reads began, aware.
    """
    _prepare(connection)
    connection.execute(
        """
        DELETE FROM veracross.class_attendance_reads WHERE class_id IN (SELECT unnest($whole::BIGINT[]))
        """,
        {"whole": [*whole]},
    )
    connection.execute(
        """
        INSERT INTO veracross.class_attendance_reads BY NAME
        SELECT unnest($whole::BIGINT[]) AS class_id, $at AS read_at, $at AS whole_at
        """,
        {"whole": [*whole], "at": _stored(read_at)},
    )
    connection.execute(
        """
        UPDATE veracross.class_attendance_reads SET read_at = $at
        WHERE class_id IN (SELECT unnest($changes::BIGINT[]))
        """,
        {"changes": [*changes], "at": _stored(read_at)},
    )


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS veracross")
    connection.execute(_TABLE)


def _stored(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
