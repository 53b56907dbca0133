"""Reading decisions back: what stands, who decided what, and what came after a number."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, false, or_, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.ledger import LARGEST_ID, Decision, Entity, Kind, Ledger
from vx_pipeline.journal.matching_tables import decisions


def standing(journal: Journal, school: str) -> list[Decision]:
    """What stands, oldest first: not undone, no undo rows, and of several about the same thing the newest."""
    with journal.begin() as connection:
        return Ledger(read(connection, decisions.c.school == school)).standing()


def history(
    journal: Journal,
    school: str,
    *,
    entity: Entity | None = None,
    veracross_id: int | None = None,
    orah_id: int | None = None,
    kind: Kind | None = None,
    actor: str | None = None,
    limit: int = 200,
    before: int | None = None,
) -> list[Decision]:
    """Decisions, newest first, undo rows too. With both ids: those about either record.

    Args:
        journal: the journal.
        school: the school's key.
        entity: only this kind of record.
        veracross_id: only about this person.
        orah_id: only about this record of Orah.
        kind: only this kind of decision.
        actor: only by this person.
        limit: at most so many.
        before: only with a smaller number, for the next page.
    """
    conditions = [decisions.c.school == school]
    for column, value in (("entity", entity), ("kind", kind), ("actor", actor)):
        if value is not None:
            conditions.append(decisions.c[column] == str(value))
    if before is not None:
        conditions.append(decisions.c.number < before)
    if (either := about(veracross_id, orah_id)) is not None:
        conditions.append(either)
    with journal.begin() as connection:
        return read(connection, *conditions, newest_first=True, limit=limit)


def newest_about(
    journal: Journal, school: str, entity: Entity, *, veracross_id: int | None, orah_id: int | None
) -> Decision | None:
    """The newest row about either record, undo rows too; None when nobody ever decided about them."""
    found = history(journal, school, entity=entity, veracross_id=veracross_id, orah_id=orah_id, limit=1)
    return found[0] if found else None


def decisions_after(
    journal: Journal, number: int, school: str | None = None, *, since: datetime | None = None
) -> list[Decision]:
    """Rows with a greater number, and not older than ``since``; oldest first, undo rows too.

    Numbers are given one after the other and seen in that order, so whoever remembers the last one misses none.
    """
    conditions = [decisions.c.number > number]
    if school is not None:
        conditions.append(decisions.c.school == school)
    if since is not None:
        conditions.append(decisions.c.at >= since)
    with journal.begin() as connection:
        return read(connection, *conditions)


def read(
    connection: Connection,
    *conditions: ColumnElement[bool],
    newest_first: bool = False,
    limit: int | None = None,
) -> list[Decision]:
    """The rows that fit all conditions, oldest first unless asked otherwise."""
    order = decisions.c.number.desc() if newest_first else decisions.c.number
    query = select(decisions).where(*conditions).order_by(order).limit(limit)
    return [_decision(row) for row in connection.execute(query).mappings()]


def about(veracross_id: int | None, orah_id: int | None) -> ColumnElement[bool] | None:
    """The condition that a row is about either record; None where no record is given."""
    columns = ((decisions.c.veracross_id, veracross_id), (decisions.c.orah_id, orah_id))
    given = [
        column == record if record <= LARGEST_ID else false()
        for column, record in columns
        if record is not None
    ]
    return or_(*given) if given else None


def _decision(row: RowMapping) -> Decision:
    values = {name: row[name] for name in Decision.__dataclass_fields__}
    return Decision(
        **values
        | {
            "entity": Entity(row["entity"]),
            "kind": Kind(row["kind"]),
            "seen": {name: tuple(pair) for name, pair in row["seen"].items()},
            "days": tuple(date.fromisoformat(day) for day in row["days"]),
        }
    )
