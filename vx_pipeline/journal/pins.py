"""Pins: a person, a house or one field that the sync leaves alone, said somebody, for a reason and a time."""

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, or_, select, update

from vx_pipeline.errors import VxError
from vx_pipeline.journal.audit import add_view
from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.sync_tables import pins


@dataclass(frozen=True)
class Pin:
    """Something that the sync leaves alone.

    Args:
        pin_id: its number.
        entity: ``student``, ``contact`` or ``house``.
        key: the Veracross id.
        field: the Orah field; empty for the whole record.
        reason: why, in the author's words; may hold names.
        author: who said so.
        made_at: when.
        last_day: the last day on which it holds; None until it is taken away.
    """

    pin_id: int
    school: str
    entity: str
    key: int
    field: str
    reason: str = dataclasses.field(repr=False)
    author: str
    made_at: datetime
    last_day: date | None


def add_pin(
    journal: Journal,
    *,
    school: str,
    entity: str,
    key: int,
    field: str,
    reason: str,
    author: str,
    at: datetime,
    last_day: date | None,
) -> int:
    """Sets a pin and returns its number.

    Raises:
        VxError: no reason or no author was given, or the last day is over already.
    """
    if not reason.strip() or not author.strip():
        raise VxError("A pin needs a reason and a name.", kept="Nothing was pinned.")
    if last_day is not None and last_day < at.date():
        raise VxError(f"The pin's last day {last_day} is over already.", kept="Nothing was pinned.")
    values = {
        "school": school,
        "entity": entity,
        "key": key,
        "field": field,
        "reason": reason.strip(),
        "author": author.strip(),
        "made_at": at,
        "last_day": last_day,
    }
    with journal.begin() as connection:
        inserted = connection.execute(insert(pins).values(**values)).inserted_primary_key
        assert inserted is not None
        told = f"{entity} {key}{f' {field}' if field else ''}"
        add_view(connection, school=school, actor=author.strip(), action="pin", subject=told, at=at)
        return int(inserted[0])


def end_pin(journal: Journal, *, school: str, pin_id: int, by: str, at: datetime) -> None:
    """Takes a pin away.

    Raises:
        VxError: there is no such pin, or it ended before.
    """
    with journal.begin() as connection:
        found = connection.execute(
            update(pins)
            .where(pins.c.school == school, pins.c.pin_id == pin_id, pins.c.ended_at.is_(None))
            .values(ended_at=at, ended_by=by)
        )
        if found.rowcount != 1:
            raise VxError(f"There is no pin {pin_id}.", remedy="See which there are: `vx pin list`.")
        add_view(connection, school=school, actor=by, action="unpin", subject=f"pin {pin_id}", at=at)


def pins_on(journal: Journal, school: str, day: date) -> list[Pin]:
    """The pins that hold on a day, oldest first."""
    query = (
        select(pins)
        .where(
            pins.c.school == school,
            pins.c.ended_at.is_(None),
            or_(pins.c.last_day.is_(None), pins.c.last_day >= day),
        )
        .order_by(pins.c.pin_id)
    )
    with journal.begin() as connection:
        return [
            Pin(**{name: row[name] for name in Pin.__dataclass_fields__})
            for row in connection.execute(query).mappings()
        ]
