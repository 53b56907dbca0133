"""Which contact in Orah is which parent or guardian: decisions first, then what we wrote, then evidence."""

from collections.abc import Mapping

import duckdb

from vx_pipeline.clock import stored
from vx_pipeline.matching.engine import load_rows, nicknames
from vx_pipeline.matching.fold import folding
from vx_pipeline.matching.rulings import Rulings
from vx_pipeline.warehouse.derive import derive

_PACKAGE = "vx_pipeline.matching"
_PAIR = ("person_id BIGINT", "orah_id BIGINT")
_STRENGTHS = (3, 2, 1)


def match_contacts(
    connection: duckdb.DuckDBPyConnection,
    *,
    written: Mapping[int, int],
    rulings: Rulings = Rulings(),  # noqa: B008 - frozen
) -> None:
    """Builds ``matching.contact_links``, ``contact_questions``, and ``contact_pairs`` behind them.

    Args:
        connection: the school's warehouse, in a transaction, with ``roster.contacts``, ``orah.contacts``,
            ``orah.contact_students`` and ``matching.student_links``.
        written: by Veracross person, the contact in Orah that we made or changed for them; from the journal.
        rulings: what people decided about contacts.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS matching")
    load_rows(connection, "decided_contacts", _PAIR, sorted(rulings.linked))
    load_rows(connection, "refused_contacts", _PAIR, sorted(rulings.refused))
    load_rows(connection, "written_contacts", _PAIR, sorted(written.items()))
    load_rows(connection, "contacts_set_aside", ("id BIGINT",), [(one,) for one in sorted(rulings.set_aside)])
    new = [(person, stored(at)) for person, at in sorted(rulings.new.items())]
    load_rows(connection, "new_persons", ("person_id BIGINT", "decided_at TIMESTAMP"), new)
    load_rows(connection, "nickname", ("name VARCHAR", "others VARCHAR[]"), nicknames())
    with folding(connection):
        derive(connection, _PACKAGE, "contact_pairs")
    derive(connection, _PACKAGE, "contact_links")
    for strength in _STRENGTHS:
        derive(connection, _PACKAGE, "contact_links_by_evidence", {"strength": strength})
    derive(connection, _PACKAGE, "contact_questions")
