"""Linking the records of one school: what people decided first, then what is linked already, then evidence."""

from collections.abc import Iterable
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
    link_same_name_and_year: bool = False,
) -> None:
    """Builds ``matching.student_links`` and ``matching.review_queue``, and the evidence behind them.

    A link of an earlier run is kept by id as long as both records are there: a person's new name is no new
    person. What speaks against it is said in ``contested``.

    Args:
        connection: the school's warehouse, in a transaction, with ``roster.students`` and ``orah.students``.
        now: the moment from before the rulings were read; new links are dated with it.
        rulings: what people decided about students.
        link_same_name_and_year: the policy of that name.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    derive(connection, _PACKAGE, "students")
    link_people(
        connection,
        known=_known(connection, rulings),
        refused=rulings.refused,
        taken_back=rulings.taken_back - rulings.refused,
        link_same_name_and_year=link_same_name_and_year,
    )
    load_rows(connection, "said_new", ("veracross_id BIGINT",), [(person,) for person in sorted(rulings.new)])
    load_rows(
        connection, "set_aside", ("orah_id BIGINT",), [(record,) for record in sorted(rulings.set_aside)]
    )
    for table in ("student_links", "review_queue", "explained"):
        derive(connection, _PACKAGE, table, {"now": stored(now), "policy": current_policy().version})


def _known(connection: duckdb.DuckDBPyConnection, rulings: Rulings) -> Iterable[tuple[int, int, str]]:
    """Who is linked whatever the evidence says: by decision, or by an earlier run and no decision against it."""
    for ours, theirs in sorted(rulings.linked):
        yield ours, theirs, "decision"
    decided_ours = {ours for ours, _ in rulings.linked}
    decided_theirs = {theirs for _, theirs in rulings.linked}
    before = connection.execute(
        "SELECT veracross_id, orah_id, rule FROM links_before WHERE rule <> 'decision' ORDER BY ALL"
    ).fetchall()
    for ours, theirs, rule in before:
        overruled = (ours, theirs) in rulings.refused or ours in rulings.new
        if not overruled and ours not in decided_ours and theirs not in decided_theirs:
            yield ours, theirs, rule


def match_houses(connection: duckdb.DuckDBPyConnection, rulings: Rulings = Rulings()) -> None:  # noqa: B008
    """Builds ``matching.house_links`` from ``roster.houses`` and ``orah.houses``; people's decisions first."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    columns = ("dorm_id BIGINT", "orah_id BIGINT")
    load_rows(connection, "decided_houses", columns, sorted(rulings.linked))
    refused = [*sorted(rulings.refused), *((dorm, None) for dorm in sorted(rulings.new))]
    load_rows(connection, "refused_houses", columns, refused)
    derive(connection, _PACKAGE, "house_links")
