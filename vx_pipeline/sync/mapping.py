"""Which field of Orah's student comes from which column of Veracross: the usual mapping, a school's own over it."""

import re
from collections.abc import Mapping

import duckdb

from vx_pipeline.errors import ConfigurationError
from vx_pipeline.orah.collections import STUDENTS

USUAL: Mapping[str, str] = {
    "first_name": "preferred_name, first_name",
    "alt_name": "first_name",
    "last_name": "last_name",
    "email": "email_1",
    "year_level": "grade_level_label",
}
"""As Orah's own Veracross integration maps them (its help centre). Of several, the first not empty counts."""

RULED = frozenset({"id", "sis_id", "house", "room_number", "bed_number", "student_type", "deactivated"})
"""Fields that rules fill, so that no column can."""

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,62}")


def map_students(connection: duckdb.DuckDBPyConnection, own: Mapping[str, str]) -> None:
    """Makes ``sync.mapped_students``: what Veracross says for each mapped field, as text.

    Grain: one student of ``veracross.students``; key: ``veracross_id``. The usual fields are columns, null where a
    school leaves one alone; a school's additional fields are one JSON object ``custom``, and ``sync.orah_custom``
    is what Orah holds in them, by Orah id.

    Args:
        connection: the school's warehouse, in a transaction.
        own: the school's setting ``student_fields``.

    Raises:
        ConfigurationError: a field or a column cannot be mapped.
    """
    mapping = {**USUAL, **own}
    known = {row[0] for row in connection.execute("DESCRIBE veracross.students").fetchall()}
    expressions = {name: _expression(name, columns, known) for name, columns in mapping.items()}
    usual = ", ".join(f"{expressions[name]} AS {name}" for name in USUAL)
    custom = {name: text for name, text in expressions.items() if name not in USUAL and mapping[name].strip()}
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE sync.mapped_students AS
        SELECT id AS veracross_id, {usual}, {_object(custom)} AS custom FROM veracross.students ORDER BY id
        """
    )
    columns = {field.name for field in STUDENTS.fields}
    held = {
        name: f'CAST("{name}" AS VARCHAR)' if name in columns else f"json_extract_string(_extra, '$.{name}')"
        for name in custom
    }
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE sync.orah_custom AS
        SELECT id AS orah_id, {_object(held)} AS custom FROM orah.students ORDER BY id
        """
    )


def _expression(name: str, columns: str, known: set[str]) -> str:
    if not _FIELD.fullmatch(name) or name in RULED:
        raise ConfigurationError(
            f"student_fields names {name!r}, which cannot be filled from a column.",
            remedy="Name a field of Orah's student other than " + ", ".join(sorted(RULED)) + ".",
        )
    listed = [column.strip() for column in columns.split(",") if column.strip()]
    unknown = [column for column in listed if column not in known or column.startswith("_")]
    if unknown:
        raise ConfigurationError(
            f"student_fields maps {name!r} from {', '.join(unknown)}, which veracross.students does not have.",
            remedy="Look at the columns of veracross.students; the words of a code are in its ..._label.",
        )
    if not listed:
        return "CAST(NULL AS VARCHAR)"
    texts = ", ".join(f"""nullif(trim(CAST("{column}" AS VARCHAR)), '')""" for column in listed)
    text = f"coalesce({texts})"
    return f"lower({text})" if name == "email" else text


def _object(expressions: Mapping[str, str]) -> str:
    pairs = ", ".join(f"'{name}', {text}" for name, text in sorted(expressions.items()))
    return f"json_object({pairs})" if pairs else "CAST('{}' AS JSON)"
