"""The end of a mark: what it took the place of, the new base, the answer used up, and the outcome.

All in one transaction: whoever is interrupted leaves either an open intent or a row of which everything is known.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.intents import Intent, Result
from vx_pipeline.journal.mark_answers import use_up
from vx_pipeline.journal.marks import Because, Mark, Place, add_mark, base_of, note_left, origin_of
from vx_pipeline.journal.tables import intents, outcomes


@dataclass(frozen=True)
class Landing:
    """A mark as it was meant.

    Args:
        mark: the state that was written.
        place: of which student in which meeting; None where an early version noted the intent.
        because: what Orah said; None for taking a mark back.
        before: the row as it was read before the write; None where an early version noted the intent.
        question: whose answer let it be written; None without a person's word.
    """

    mark: Mark
    place: Place | None
    because: Because | None
    before: Mark | None
    question: int | None


def record_landing(
    journal: Journal,
    school: str,
    intent_id: int,
    landing: Landing,
    *,
    result: Result,
    at: datetime,
    detail: str = "",
) -> None:
    """Notes that a mark landed. What a person had set before it is what the row goes back to."""
    with journal.begin_alone() as connection:
        _add(connection, school, landing, at)
        _end(connection, intent_id, result, at, detail)


def record_interrupted(
    journal: Journal,
    school: str,
    intent_id: int,
    landing: Landing,
    *,
    changed: Mark | None,
    at: datetime,
    detail: str,
) -> None:
    """Notes that a row does not show an interrupted mark.

    Args:
        journal: the open journal.
        school: the school's key.
        intent_id: the write.
        landing: the mark as it was meant.
        changed: the row as it is, where it was changed since the write was noted. The mark may have landed then,
            and a person may have put the row back: what it holds is theirs, and the answer behind it counts for
            no second write. None where nobody has touched the row.
        at: now.
        detail: what there is to say.
    """
    with journal.begin_alone() as connection:
        if changed is not None:
            base = base_of(connection, school, changed.attendance_id)
            if base is None or base.values == changed.values:
                theirs = replace(changed, ours=False, chosen=True)
                add_mark(connection, school, theirs, at=at, place=landing.place)
            if landing.question is not None:
                use_up(connection, school, landing.question, at=at)
        _end(connection, intent_id, Result.ABSENT, at, detail)


def record_late(journal: Journal, school: str, landing: Landing, *, at: datetime) -> None:
    """Notes a mark that landed after its outcome was noted as absent."""
    with journal.begin_alone() as connection:
        _add(connection, school, landing, at)


def unseen_writes(journal: Journal, school: str, entity: str, *, since: datetime) -> list[Intent]:
    """Writes from a moment on that reading back did not show; of each record the last, unless a later one followed.

    One that failed is no such write: the record may still come to hold what was sent before it.
    """
    newest = (
        select(func.max(intents.c.intent_id))
        .outerjoin(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(
            intents.c.school == school,
            intents.c.entity == entity,
            intents.c.at >= since,
            outcomes.c.result.is_distinct_from(Result.FAILED.value),
        )
        .group_by(intents.c.target_id)
    )
    query = (
        select(intents)
        .join(outcomes, outcomes.c.intent_id == intents.c.intent_id)
        .where(intents.c.intent_id.in_(newest), outcomes.c.result == Result.ABSENT.value)
        .order_by(intents.c.intent_id)
    )
    with journal.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return [Intent(**{name: row[name] for name in Intent.__dataclass_fields__}) for row in rows]


def _add(connection: Connection, school: str, landing: Landing, at: datetime) -> None:
    before = landing.before
    if before is not None:
        base = base_of(connection, school, before.attendance_id)
        if base is None or base.values != before.values:
            theirs = _theirs(connection, school, base, before)
            add_mark(connection, school, theirs, at=at, place=landing.place)
    add_mark(connection, school, landing.mark, at=at, place=landing.place, because=landing.because)
    if landing.question is not None:
        use_up(connection, school, landing.question, at=at)


def _theirs(connection: Connection, school: str, base: Mark | None, before: Mark) -> Mark:
    """What a person made of a row since its base, so that it goes back to that.

    Where they changed the note of our mark alone, its status is nobody's but ours: the row goes back to the status
    that it had before we came, with their note.
    """
    if base is not None and base.ours and base.status == before.status:
        origin = origin_of(connection, school, before.attendance_id)
        if origin is not None:
            return replace(origin, notes=note_left(base=base, now=before, origin=origin))
    return replace(before, ours=False, chosen=True)


def _end(connection: Connection, intent_id: int, result: Result, at: datetime, detail: str) -> None:
    connection.execute(
        insert(outcomes).values(intent_id=intent_id, at=at, result=result.value, detail=detail)
    )
