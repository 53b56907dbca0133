"""What a plan rests on, as hashes: when one of them differs, the plan is not true any more."""

import hashlib
from collections.abc import Iterable, Mapping

import duckdb

from vx_pipeline.policies import Policies

VERACROSS, ORAH, MATCHING, SETTINGS = "veracross", "orah", "matching", "settings"

_WORKED_OUT = ("roster.houses", "roster.leavers", "roster.contacts", "sync.scope", "sync.wanted_students")
_MATCHED = ("matching.student_links", "matching.house_links", "matching.contact_links")
_READ = ("orah.students", "orah.houses", "orah.contacts")


def plan_inputs(connection: duckdb.DuckDBPyConnection, policies: Policies) -> dict[str, str]:
    """Hashes over content, not over times: reading the same again changes none of them.

    Args:
        connection: the school's warehouse, after planning.
        policies: the school's rules.

    Returns:
        ``veracross``: what Veracross wants, as worked out. ``orah``: the records as they were read. ``matching``:
        who is who. ``settings``.
    """
    return {
        VERACROSS: _digest(_table(connection, table, "*") for table in _WORKED_OUT),
        ORAH: _digest(
            _table(connection, table, "id, _row_hash, _missing_since IS NULL AS is_there") for table in _READ
        ),
        MATCHING: _digest(_table(connection, table, "* EXCLUDE (rule)") for table in _MATCHED),
        SETTINGS: settings_hash(policies),
    }


def settings_hash(policies: Policies) -> str:
    """A hash over the school's rules."""
    return hashlib.sha256(policies.model_dump_json().encode()).hexdigest()


def moved(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """In words, what is not as it was."""
    words = {
        VERACROSS: "Veracross says otherwise",
        ORAH: "Orah says otherwise",
        MATCHING: "who is who has changed",
        SETTINGS: "the settings changed",
    }
    return [told for name, told in words.items() if before.get(name) != now.get(name)]


def _table(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> str:
    found = connection.execute(
        f"""
        SELECT count(*), CAST(sum(CAST(hash(content) AS HUGEINT)) AS VARCHAR)
        FROM (SELECT {columns} FROM {table}) AS content
        """
    ).fetchone()
    return f"{table} {found}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
