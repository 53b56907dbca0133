"""Matching the people of two systems within a school: both sides in, links and doubts out.

Everything is a table in DuckDB: ``matching.ours`` and ``matching.theirs`` come in, ``matching.outcomes`` comes
out. What is known already (decisions, links that are there) comes in as ``known``, what a person ruled out as
``refused``; both are temporary tables with ``our_id`` and ``their_id``.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import duckdb
import pandas as pd
from nicknames import NickNamer

from vx_pipeline.matching.fold import fold, folding
from vx_pipeline.matching.policy import Policy, current_policy
from vx_pipeline.warehouse.derive import derive

_PACKAGE = "vx_pipeline.matching"
_STEPS = ("people", "pairs", "evidence", "guards", "outcomes")

Pairs = Iterable[tuple[int, int]]


def link_people(
    connection: duckdb.DuckDBPyConnection,
    *,
    known: Iterable[tuple[int, int, str]] = (),
    refused: Pairs = (),
    taken_back: Pairs = (),
    barred: Pairs = (),
    link_same_name_and_year: bool = False,
    policy: Policy | None = None,
) -> None:
    """Builds ``matching.people``, ``pairs``, ``scores`` and ``outcomes``, and the temporary ``weighed``.

    Args:
        connection: has ``matching.ours`` and ``matching.theirs`` with the columns ``pool, person_id, first_name,
            other_name, last_name, middle_name, birth_date, sex, grade, email, family_email, sis_id, postcode,
            street``: values as the systems write them, null where unknown. ``pool`` is the school; nobody is
            compared across it, and ids are unique beyond it. ``other_name`` is the preferred or alternative
            name. ``family_email`` says that the address is a parent's or a staff member's. Our ``sis_id`` is
            the id that a record of theirs would carry.
        known: pairs that are linked whatever the evidence says, with the rule that says so.
        refused: pairs that are never linked, and no rivals of others.
        taken_back: pairs that a person linked and then did not; the sis_id that this left in Orah proves nothing.
        barred: pairs that evidence never links, but that stay rivals of others.
        link_same_name_and_year: whether a unique name with the same year level is enough where no birth date is
            known.
        policy: weights, patterns and guards; the current ones by default.
    """
    policy = policy or current_policy()
    load_rows(connection, "known", ("our_id BIGINT", "their_id BIGINT", "rule VARCHAR"), list(known))
    load_rows(connection, "refused", ("our_id BIGINT", "their_id BIGINT"), list(refused))
    load_rows(connection, "taken_back", ("our_id BIGINT", "their_id BIGINT"), list(taken_back))
    load_rows(connection, "barred", ("our_id BIGINT", "their_id BIGINT"), list(barred))
    _load_policy(connection, policy)
    guards = policy.guards
    parameters = {
        "placeholder_dates": list(policy.placeholders.dates),
        "placeholder_names": list(policy.placeholders.first_names),
        "public_domains": list(policy.placeholders.public_domains),
        "link_same_name_and_year": link_same_name_and_year,
        **guards.model_dump(),
    }
    with folding(connection):
        for step in _STEPS:
            derive(connection, _PACKAGE, step, parameters)


def _load_policy(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    columns = (
        "field VARCHAR", "level VARCHAR", "bits DOUBLE", "share DOUBLE", "least DOUBLE", "most DOUBLE",
    )  # fmt: skip
    load_rows(connection, "weight", columns, policy.weight_rows())
    columns = (
        "first_name VARCHAR", "last_name VARCHAR", "birth_date VARCHAR", "name VARCHAR", "without_twin BOOLEAN",
        "corroborated_by VARCHAR",
    )  # fmt: skip
    load_rows(connection, "pattern", columns, policy.pattern_rows())
    load_rows(connection, "nickname", ("name VARCHAR", "others VARCHAR[]"), nicknames())


def load_rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """A temporary table from rows. A registered frame is read many times faster than bound parameters."""
    connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE {table} ({', '.join(columns)})")
    frame = pd.DataFrame(rows, columns=[column.split()[0] for column in columns], dtype=object)
    connection.register("loaded", frame)
    connection.execute(f"INSERT INTO {table} FROM loaded")
    connection.unregister("loaded")


@cache
def nicknames() -> list[tuple[str, list[str]]]:
    """Each name with the names that the same person may go by: short forms, full forms, other short forms."""
    namer = NickNamer()
    shorter, longer = namer.nickname_lookup, namer.canonical_lookup
    rows = []
    for name in sorted(shorter.keys() | longer.keys()):
        full = longer.get(name, set())
        others = shorter.get(name, set()) | full | {short for whole in full for short in shorter[whole]}
        rows.append((fold(name), sorted({fold(other) for other in others} - {fold(name)})))
    return rows
