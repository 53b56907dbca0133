"""What a plan saw of each person, in sentences: made from the warehouse, and kept in the journal."""

import logging
from importlib import resources

import duckdb

log = logging.getLogger(__name__)

TOPICS = ("veracross", "scope", "boarder", "match", "contacts")
"""What is told of a person, in this order."""


def explanations(connection: duckdb.DuckDBPyConnection) -> dict[int, dict[str, list[str]]]:
    """Everybody in ``veracross.students``, ``staff_faculty`` and ``parents``, those who are missing too.

    Args:
        connection: the school's warehouse with a plan's tables in it. Nothing is written. What rests on a table
            that was never built is left out, and no reason to fail.

    Returns:
        Veracross id -> topic -> sentences, with ids, days and labels, without names. A topic that does not concern
        a person is not there.
    """
    rows: list[tuple[int, str, int, str | None]] = []
    for statement in duckdb.extract_statements(_SENTENCES):
        try:
            rows += connection.execute(statement).fetchall()
        except duckdb.CatalogException:
            about = statement.query.strip().rpartition("-- ")[2].partition("\n")[0]
            log.warning("not explained, because a table was never built: %s", about)
    order = {topic: place for place, topic in enumerate(TOPICS)}
    told: dict[int, dict[str, list[str]]] = {}
    # Sorting is stable: sentences of one place stay as their statement ordered them.
    for person, topic, _, sentence in sorted(rows, key=lambda row: (row[0], order[row[1]], row[2])):
        if sentence is not None:
            told.setdefault(person, {}).setdefault(topic, []).append(sentence)
    return told


_SENTENCES = resources.files("vx_pipeline.sync").joinpath("explaining.sql").read_text(encoding="utf-8")
