"""Reads of parts of Veracross's lists that belong together: landed in one transaction, or none of them.

What a part does not bring is missing only if the part had to have it; nothing else is marked, and no collection
counts as freshly read because of a part.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from vx_pipeline.assets.veracross import ALWAYS_ASKED, Ask
from vx_pipeline.errors import WarehouseError
from vx_pipeline.roster.derive import DERIVATIONS
from vx_pipeline.session import SchoolSession
from vx_pipeline.veracross import ENDPOINTS, CompleteRead
from vx_pipeline.warehouse.kinds import likely_record_id
from vx_pipeline.warehouse.landing import Scope, land_within
from vx_pipeline.warehouse.reads import last_whole_read

_RESTED_ON = sorted(
    {source for one in DERIVATIONS for source in one.sources if source.startswith("veracross.")}
)
"""The tables that must have been read whole before a part can be brought over."""

_MAY_BE_EMPTY = frozenset({"relationships", "enrollments", "athletics_rosters"})
"""Of one person or class, there may be none of these any more."""

_MARGIN = timedelta(days=1)
"""Changes are asked for from the day before the last whole read, whatever day it is where the server stands."""


class PartialReads:
    """The reads for one person or class, and what they brought; landed together at the end.

    Raises:
        WarehouseError: the school has not been read whole yet.
    """

    def __init__(self, session: SchoolSession) -> None:
        self._session = session
        self._reads: list[tuple[CompleteRead, Scope]] = []
        self.read_at = session.now()
        self.policies = session.school.policies
        with session.reading() as connection:
            whole = {table: last_whole_read(connection, table) for table in _RESTED_ON}
        if never := [table for table, read_at in whole.items() if read_at is None]:
            raise WarehouseError(
                f"{', '.join(never)} of school {session.key!r} has not been read whole yet.",
                kept="Nothing was read or changed.",
                remedy="Run `vx sync` once; then one person can be brought over.",
            )
        self._since = {
            table: (read_at - _MARGIN).date() for table, read_at in whole.items() if read_at is not None
        }

    @property
    def requests(self) -> Mapping[str, int]:
        """Requests sent so far, by table."""
        sent: Counter[str] = Counter()
        for read, _ in self._reads:
            sent[read.endpoint.collection.table] += read.requests
        return dict(sent)

    def complete(self, table: str, ask: Ask) -> CompleteRead:
        """Reads what is asked for, whole."""
        parameters = {**ALWAYS_ASKED.get(table, {}), **ask.parameters}
        work = self._session.veracross.read(
            ENDPOINTS[table], parents=ask.parents, parameters=parameters or None
        )
        read = self._session.run(work)
        self._reads.append((read, ask.scope))
        return read

    def read(self, table: str, ask: Ask) -> list[dict[str, Any]]:
        """The rows of what is asked for."""
        return self.complete(table, ask).rows

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows that all reads of a table brought."""
        return [
            row for read, _ in self._reads if read.endpoint.collection.table == table for row in read.rows
        ]

    def changes(self, table: str) -> Ask:
        """What changed since the last whole read. Deletions never show in it, so it proves nobody missing."""
        day = self._since[f"veracross.{table}"].isoformat()
        scope = Scope("FALSE", part=f"changed since {day}")
        return Ask(parameters={"on_or_after_last_modified_date": day}, scope=scope)

    def stored(self, query: str, **parameters: Any) -> set[int]:
        """The ids that a query of one column finds in the warehouse."""
        with self._session.reading() as connection:
            return {one for (one,) in connection.execute(query, parameters).fetchall() if one is not None}

    def unknown(self, table: str, ids: Collection[int]) -> set[int]:
        """Which of these ids neither the warehouse nor these reads know as present."""
        query = (
            f"SELECT id FROM veracross.{table} WHERE _missing_since IS NULL AND id IN (SELECT unnest($ids))"
        )
        return set(ids) - self.stored(query, ids=[*ids]) - ids_in(self.rows(table), "id")

    def land(self) -> Mapping[str, int]:
        """Lands all reads, or none; gives the number of rows set aside, by table."""
        set_aside: Counter[str] = Counter()
        with self._session.writing() as connection:
            for read, scope in self._reads:
                collection = read.endpoint.collection
                landed = land_within(
                    connection,
                    collection,
                    read.rows,
                    read_at=self.read_at,
                    value_lists=read.value_lists,
                    scope=scope,
                    may_be_empty=collection.table in _MAY_BE_EMPTY,
                )
                set_aside[collection.table] += landed.rejected
        return {table: number for table, number in set_aside.items() if number}


def rows_of(column: str, record: int) -> Ask:
    """All rows of one person or class; a row of theirs that does not come is missing."""
    scope = Scope(f"{column} = $record", {"record": record}, f"{column} = {record}")
    return Ask(parameters={column: str(record)}, scope=scope)


def people_of(household: int) -> Ask:
    """Who lives in a household; who does not come may have moved, and is not missing."""
    return Ask(
        parameters={"household_id": str(household)},
        scope=Scope("FALSE", part=f"household_id = {household}"),
    )


def ids_in(rows: Iterable[Mapping[str, Any]], field: str) -> set[int]:
    """The ids in a field; one that cannot be stored as it came counts, because its record is there."""
    found = (likely_record_id(row.get(field)) for row in rows)
    return {one for one in found if one is not None}
