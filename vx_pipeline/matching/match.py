"""Linking the records of one school: what people decided first, then what is linked already, then evidence."""

from collections.abc import Collection, Iterable
from datetime import datetime

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.matching.engine import link_people, load_rows
from vx_pipeline.matching.policy import current_policy
from vx_pipeline.matching.rulings import Rulings
from vx_pipeline.warehouse.derive import derive

_PACKAGE = "vx_pipeline.matching"


def match_students(
    connection: duckdb.DuckDBPyConnection,
    *,
    now: datetime,
    rulings: Rulings = Rulings(),  # noqa: B008 - frozen
    written: Collection[int] = (),
    link_same_name_and_year: bool = False,
) -> None:
    """Builds ``matching.student_links`` and ``matching.review_queue``, and the evidence behind them.

    A link of an earlier run is kept by id as long as both records are there: a person's new name is no new
    person. What speaks against it is said in ``contested``.

    Args:
        connection: the school's warehouse, in a transaction, with ``roster.students`` and ``orah.students``.
        now: the moment that new links are dated with.
        rulings: what people decided about students.
        written: Veracross ids of those whose record in Orah we ever wrote; from the journal.
        link_same_name_and_year: the policy of that name.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    new = [(person, stored(at)) for person, at in sorted(rulings.new.items())]
    load_rows(connection, "new_people", ("our_id BIGINT", "decided_at TIMESTAMP"), new)
    _load_ids(connection, "set_aside", rulings.set_aside)
    _load_ids(connection, "refusing", {person for person, _ in rulings.refused | rulings.taken_back})
    _load_ids(connection, "decided", {person for person, _ in rulings.linked})
    _load_ids(connection, "written", written)
    derive(connection, _PACKAGE, "students")
    link_people(
        connection,
        known=_known(connection, rulings),
        refused=rulings.refused,
        taken_back=rulings.taken_back - rulings.refused,
        barred=connection.execute("SELECT our_id, their_id FROM barred_pairs").fetchall(),
        link_same_name_and_year=link_same_name_and_year,
    )
    parameters = {
        "now": stored(now),
        "policy": current_policy().version,
        "newest_decision": rulings.newest,
    }
    for table in ("student_links", "review_queue", "explained"):
        derive(connection, _PACKAGE, table, parameters)


def _load_ids(connection: duckdb.DuckDBPyConnection, table: str, ids: Iterable[int]) -> None:
    load_rows(connection, table, ("id BIGINT",), [(one,) for one in sorted(ids)])


def _known(connection: duckdb.DuckDBPyConnection, rulings: Rulings) -> Iterable[tuple[int, int, str]]:
    """Who is linked whatever the evidence says: by decision, or by an earlier run and no decision against it."""
    for ours, theirs in sorted(rulings.linked):
        yield ours, theirs, "decision"
    decided_ours = {ours for ours, _ in rulings.linked}
    decided_theirs = {theirs for _, theirs in rulings.linked}
    before = connection.execute(
        "SELECT veracross_id, orah_id, rule, linked_at FROM links_before WHERE rule <> 'decision' ORDER BY ALL"
    ).fetchall()
    for ours, theirs, rule, linked_at in before:
        said_new = ours in rulings.new and linked_at < stored(rulings.new[ours])
        overruled = (ours, theirs) in rulings.refused or theirs in rulings.set_aside or said_new
        if not overruled and ours not in decided_ours and theirs not in decided_theirs:
            yield ours, theirs, rule


def match_houses(connection: duckdb.DuckDBPyConnection, rulings: Rulings = Rulings()) -> None:  # noqa: B008
    """Builds ``matching.house_links`` from ``roster.houses`` and ``orah.houses``; people's decisions first."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    columns = ("dorm_id BIGINT", "orah_id BIGINT")
    load_rows(connection, "decided_houses", columns, sorted(rulings.linked))
    load_rows(connection, "refused_houses", columns, sorted(rulings.refused))
    new = [(dorm, stored(at)) for dorm, at in sorted(rulings.new.items())]
    load_rows(connection, "new_dorms", ("dorm_id BIGINT", "decided_at TIMESTAMP"), new)
    _load_ids(connection, "houses_set_aside", rulings.set_aside)
    derive(connection, _PACKAGE, "house_links", {"newest_decision": rulings.newest})
