"""Landing a complete read: all of it becomes the collection's table, in one transaction, or none of it does.

Rows that a read no longer has keep their last content and are marked missing. Rows that cannot be stored
are set aside, and count as present.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.schema import Collection, ValueList
from vx_pipeline.warehouse import merging
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline.warehouse.reads import note_read
from vx_pipeline.warehouse.sifting import sift
from vx_pipeline.warehouse.staging import replace_value_lists, stage_rejected, stage_rows
from vx_pipeline.warehouse.tables import prepare_tables


@dataclass(frozen=True)
class Scope:
    """The stored rows that a read covers: only these may turn out to be missing.

    Args:
        where: a predicate over the table's columns, e.g. ``date BETWEEN $first AND $last``; by default the
            read covers the whole collection. ``FALSE`` for a read that proves nobody missing.
        parameters: the values of the predicate's parameters; all of them are mentioned in it.
        part: names what was asked for, e.g. ``person_id = 7``, when that is less than what keeps the
            collection fresh. Such a read does not make the collection any younger, counts a missing row once
            however often it misses it, and the rows it sets aside stand until that part or the whole is read
            again. Empty for a read of all that is asked for.
    """

    where: str = "TRUE"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    part: str = ""


WHOLE = Scope()
"""The whole collection."""


@dataclass(frozen=True)
class Landed:
    """What a landing did.

    Args:
        rows: rows in scope after the landing that are not missing.
        added: rows seen for the first time.
        changed: rows with other content than before.
        unchanged: rows with the same content as before.
        vanished: rows newly missing.
        returned: rows that were missing and are back, with whatever content.
        rejected: rows set aside; stored rows of the same ids keep their content and count as present.
        unlabelled: for each code field (dotted) with codes that no value list explains, how many rows have
            one.
        unknown_fields: dotted paths that the contract does not describe; kept in ``_extra``.
        missing_fields: unused fields that no row had.
        retyped_fields: unused fields of another kind in at least one row; kept in ``_extra``.
        vanishing_suspended: a row's id could not be told, so nothing was marked missing or missing once more.
    """

    rows: int
    added: int
    changed: int
    unchanged: int
    vanished: int
    returned: int
    rejected: int
    unlabelled: Mapping[str, int] = field(default_factory=dict)
    unknown_fields: tuple[str, ...] = ()
    missing_fields: tuple[str, ...] = ()
    retyped_fields: tuple[str, ...] = ()
    vanishing_suspended: bool = False


def land(
    connection: duckdb.DuckDBPyConnection,
    collection: Collection,
    rows: Sequence[Mapping[str, Any]],
    *,
    read_at: datetime,
    value_lists: Sequence[ValueList] = (),
    scope: Scope = WHOLE,
    may_be_empty: bool = False,
) -> Landed:
    """Land a complete read of a collection, in a transaction of its own.

    Args:
        connection: an open warehouse, outside any transaction.
        collection: what is read; one of its fields is ``id``.
        rows: all rows of the read, in any order.
        read_at: when the read began; with a time zone.
        value_lists: the lists that came with the read; without any, the last ones keep explaining the codes.
        scope: the stored rows that the read covers.
        may_be_empty: whether no (usable) rows at all is believable where there were some.

    Raises:
        ContractDriftError: a used field is absent or of another kind throughout.
        IncompleteReadError: nothing usable came where there was data, and that is not believable.
        WarehouseError: the table does not fit the contract, or an id would be there twice.
        In each case nothing is changed.
    """
    with transaction(connection):
        return land_within(
            connection,
            collection,
            rows,
            read_at=read_at,
            value_lists=value_lists,
            scope=scope,
            may_be_empty=may_be_empty,
        )


def land_within(
    connection: duckdb.DuckDBPyConnection,
    collection: Collection,
    rows: Sequence[Mapping[str, Any]],
    *,
    read_at: datetime,
    value_lists: Sequence[ValueList] = (),
    scope: Scope = WHOLE,
    may_be_empty: bool = False,
) -> Landed:
    """``land`` inside the caller's transaction, for reads that belong together; what it raises must end it."""
    if read_at.tzinfo is None:
        raise ValueError("read_at needs a time zone")
    now = read_at.astimezone(UTC).replace(tzinfo=None)
    sifted = sift(collection, rows)
    prepare_tables(connection, collection)
    if value_lists:
        # Nothing says that a filter leaves the value lists whole.
        replace_value_lists(connection, collection, value_lists, keep_others=bool(scope.part))
    stage_rows(connection, collection, sifted.columns)
    stage_rejected(connection, sifted.rejected)
    if not sifted.columns["id"] and not may_be_empty:
        _refuse_emptiness(connection, collection, scope, len(rows))
    outcomes = merging.judge_stored_rows(connection, collection, scope.where, scope.parameters)
    merging.write_history(connection, collection, now)
    merging.write_rows(connection, collection, now, part=bool(scope.part))
    merging.write_rejected(connection, collection, now, _scope_key(scope))
    note_read(connection, collection, now, whole=not scope.part)
    landed = Landed(
        rows=merging.current_rows(connection, collection, scope.where, scope.parameters),
        added=outcomes.get("added", 0),
        changed=outcomes.get("changed", 0),
        unchanged=outcomes.get("unchanged", 0),
        vanished=outcomes.get("vanished", 0),
        returned=outcomes.get("returned", 0),
        rejected=len(sifted.rejected),
        unlabelled=merging.unlabelled_rows(connection, collection),
        unknown_fields=sifted.unknown_fields,
        missing_fields=sifted.missing_fields,
        retyped_fields=sifted.retyped_fields,
        vanishing_suspended=any(row.id is None for row in sifted.rejected),
    )
    merging.drop_staged(connection)
    return landed


def _refuse_emptiness(
    connection: duckdb.DuckDBPyConnection, collection: Collection, scope: Scope, rows_read: int
) -> None:
    current = merging.current_rows(connection, collection, scope.where, scope.parameters)
    if current:
        came = f"none of the {rows_read} rows read can be used" if rows_read else "no rows came"
        raise IncompleteReadError(
            f"{collection.name} held {current} current rows, and now {came}.",
            kept="The stored rows are as they were; nothing was marked missing.",
            remedy="See whether the other system shows these records. If it does, run again later.",
        )


def _scope_key(scope: Scope) -> str | None:
    """Tells scopes apart where the predicate cannot be asked; ``None`` for the whole collection."""
    if scope.part:
        return merging.OF_A_PART + scope.part
    if scope.where == Scope.where:
        return None
    told = json.dumps([scope.where, dict(scope.parameters)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()
