"""What people decided about who is who: recorded in an order that all processes share, and never changed.

Whoever decides does so alone: a decision is compared with all that stands, and written, in one transaction that no
other process can come between. With ``action`` given, its row of the audit is part of that transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import product
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select

from vx_pipeline.errors import VxError
from vx_pipeline.journal.audit import add_view
from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.history import about, decisions_after, history, newest_about, read, standing
from vx_pipeline.journal.ledger import (
    LARGEST_ID,
    PAIRS,
    DecidedMeanwhile,
    Decision,
    Entity,
    Kind,
    Ledger,
    Seen,
    contradicts,
)
from vx_pipeline.journal.matching_tables import decisions

__all__ = [
    "Answer",
    "DecidedMeanwhile",
    "Decision",
    "Entity",
    "Kind",
    "Seen",
    "Via",
    "decide",
    "decide_each",
    "decide_many",
    "decisions_after",
    "history",
    "newest_about",
    "standing",
    "undo",
]

Via = Literal["page", "shell", "import"]


@dataclass(frozen=True)
class Answer:
    """What a person means to decide.

    Args:
        entity: kind of record.
        kind: what is decided.
        veracross_id: the person (or dorm) in Veracross.
        orah_id: the record in Orah.
        note: why, in the person's own words.
        seen: fingerprint of the deciding fields as they were shown.
        days: days of attendance that the decision touches, as they were shown.
        newest_seen: number of the newest decision about either record that the person saw; 0 for none, None when
            it is not to be compared.
    """

    entity: Entity
    kind: Kind
    veracross_id: int | None = None
    orah_id: int | None = None
    note: str = field(default="", repr=False)
    seen: Seen = field(default_factory=dict, repr=False)
    days: Sequence[date] = ()
    newest_seen: int | None = None


def decide(
    journal: Journal,
    *,
    school: str,
    entity: Entity,
    kind: Kind,
    veracross_id: int | None,
    orah_id: int | None,
    note: str,
    actor: str,
    via: Via,
    at: datetime,
    seen: Seen | None = None,
    days: Sequence[date] = (),
    newest_seen: int | None = None,
    action: str | None = None,
) -> Decision:
    """Records one decision. It is on disk when this returns. See ``Answer`` and ``decide_many`` for the arguments.

    Raises:
        DecidedMeanwhile: a newer decision about either record than ``newest_seen`` exists, or one that stands
            contradicts this one.
        VxError: the ids do not fit the kind.
    """
    answer = Answer(entity, kind, veracross_id, orah_id, note, seen or {}, days, newest_seen)
    return decide_many(journal, [answer], school=school, actor=actor, via=via, at=at, action=action)[0]


def decide_many(
    journal: Journal,
    answers: Sequence[Answer],
    *,
    school: str,
    actor: str,
    via: Via,
    at: datetime,
    action: str | None = None,
) -> list[Decision]:
    """Records decisions in their order, all or none.

    Args:
        journal: the journal.
        answers: judged in their order: an earlier one counts for the later ones.
        school: the school's key.
        actor: who decides.
        via: by which way.
        at: when.
        action: what the audit calls it, such as ``decide``; None leaves no row there.

    Raises:
        DecidedMeanwhile: as in ``decide``, for the first answer that cannot be recorded.
        VxError: the ids of an answer do not fit its kind.
    """
    with journal.begin_alone() as connection:
        results = _judge(connection, answers, school=school, actor=actor, via=via, at=at)
        recorded = []
        for result in results:
            if isinstance(result, VxError):
                raise result
            recorded.append(result)
        _insert(connection, recorded, action)
    return recorded


def decide_each(
    journal: Journal,
    answers: Sequence[Answer],
    *,
    school: str,
    actor: str,
    via: Via,
    at: datetime,
    record: bool = True,
    action: str | None = None,
) -> list[Decision | VxError]:
    """Records those decisions that can be recorded, in one transaction; gives the reason in place of the others.

    Args:
        journal: the journal.
        answers: judged in their order: an earlier one counts for the later ones.
        school: the school's key.
        actor: who decides.
        via: by which way.
        at: when.
        record: False judges only; nothing is written, and the numbers are those that would be given.
        action: what the audit calls it, such as ``import``; None leaves no row there.
    """
    with journal.begin_alone() as connection:
        results = _judge(connection, answers, school=school, actor=actor, via=via, at=at)
        if record:
            _insert(connection, [result for result in results if isinstance(result, Decision)], action)
    return results


def undo(
    journal: Journal,
    *,
    school: str,
    number: int,
    note: str,
    actor: str,
    via: Via,
    at: datetime,
    action: str | None = None,
) -> Decision:
    """Takes a decision back. What it had replaced stands again. ``action`` is as in ``decide_many``.

    Raises:
        DecidedMeanwhile: it was taken back already, or what would stand again contradicts a newer decision.
        VxError: the school has no such decision, or it is an undo itself.
    """
    with journal.begin_alone() as connection:
        undone = _find(connection, school, number)
        back = replace(
            undone,
            number=_last_number(connection) + 1,
            kind=Kind.UNDO,
            note=note.strip(),
            actor=_named(actor),
            via=via,
            at=at,
            seen={},
            undoes=number,
        )
        ledger = Ledger(read(connection, _about(back)))
        if (already := ledger.undone_by(number)) is not None:
            raise DecidedMeanwhile(already, remedy=f"Decision {number} is taken back: nothing is left to do.")
        stood = {row.number for row in ledger.standing()}
        ledger.add(back)
        stands = ledger.standing()
        revived = [row for row in stands if row.number not in stood]
        for row, other in product(revived, stands):
            if row is not other and contradicts(row, other):
                raise DecidedMeanwhile(other)
        _insert(connection, [back], action)
    return back


def _judge(
    connection: Connection, answers: Sequence[Answer], *, school: str, actor: str, via: Via, at: datetime
) -> list[Decision | VxError]:
    """Each answer as the decision that it becomes, or why it cannot become one."""
    number = _last_number(connection)
    drafts = [_draft(answer, number, school=school, actor=actor, via=via, at=at) for answer in answers]
    # One answer asks for the few rows about its records; many ask for all at once.
    scope = _about(drafts[0]) if len(drafts) == 1 else decisions.c.school == school
    ledger = Ledger(read(connection, scope))
    newest = [ledger.newest_about(draft) for draft in drafts]
    results: list[Decision | VxError] = []
    for answer, draft, last in zip(answers, drafts, newest, strict=True):
        if (error := _misfit(draft)) is not None:
            results.append(error)
        elif answer.newest_seen is not None and last is not None and last.number > answer.newest_seen:
            results.append(DecidedMeanwhile(last))
        elif (obstacle := ledger.obstacle(draft)) is not None:
            results.append(DecidedMeanwhile(obstacle))
        else:
            number += 1
            decision = replace(draft, number=number)
            ledger.add(decision)
            results.append(decision)
    return results


def _draft(answer: Answer, number: int, *, school: str, actor: str, via: Via, at: datetime) -> Decision:
    return Decision(
        number=number,
        school=school,
        entity=Entity(answer.entity),
        kind=Kind(answer.kind),
        veracross_id=answer.veracross_id,
        orah_id=answer.orah_id,
        note=answer.note.strip(),
        actor=_named(actor),
        via=via,
        at=at,
        seen={name: tuple(pair) for name, pair in answer.seen.items()},
        days=tuple(sorted(set(answer.days))),
        undoes=None,
    )


def _misfit(draft: Decision) -> VxError | None:
    """Why the ids do not fit the kind of decision."""
    ours, theirs = draft.veracross_id, draft.orah_id
    if draft.kind is Kind.UNDO:
        return VxError("An undo needs the number of a decision.", kept="Nothing was written.")
    if draft.kind in PAIRS:
        fits, needed = ours is not None and theirs is not None, "an id of Veracross and one of Orah"
    elif draft.kind is Kind.NEW:
        fits, needed = (ours is None) != (theirs is None), "one id, of Veracross or of Orah"
    else:
        fits, needed = ours is not None or theirs is not None, "an id of Veracross or of Orah"
    if not fits:
        return VxError(
            f"The decision {draft.kind.value!r} is about {needed}.",
            kept="Nothing was written.",
            remedy="Give the ids that it is about.",
        )
    for record in (ours, theirs):
        if record is not None and not 0 < record <= LARGEST_ID:
            return VxError(f"{record} is no id of a record.", kept="Nothing was written.")
    return None


def _named(actor: str) -> str:
    if not actor.strip():
        raise VxError("A decision needs the name of who decides.", kept="Nothing was written.")
    return actor.strip()


def _find(connection: Connection, school: str, number: int) -> Decision:
    """The decision that is to be taken back."""
    known = 0 < number <= LARGEST_ID
    found = read(connection, decisions.c.school == school, decisions.c.number == number) if known else []
    if not found:
        raise VxError(
            f"School {school!r} has no decision {number}.",
            kept="Nothing was written.",
            remedy="Look its number up in the history of decisions.",
        )
    if found[0].kind is Kind.UNDO:
        raise VxError(
            f"Decision {number} takes another one back, and cannot be taken back itself.",
            kept="Nothing was written.",
            remedy="Decide anew instead.",
        )
    return found[0]


def _last_number(connection: Connection) -> int:
    return connection.execute(select(func.max(decisions.c.number))).scalar() or 0


def _about(decision: Decision) -> ColumnElement[bool]:
    """Rows about either record of a decision."""
    either = about(decision.veracross_id, decision.orah_id)
    own = and_(decisions.c.school == decision.school, decisions.c.entity == decision.entity.value)
    return own if either is None else and_(own, either)


def _insert(connection: Connection, rows: Sequence[Decision], action: str | None) -> None:
    if not rows:
        return
    connection.execute(
        insert(decisions),
        [
            {
                **{name: getattr(row, name) for name in Decision.__dataclass_fields__},
                "entity": row.entity.value,
                "kind": row.kind.value,
                "seen": {name: list(pair) for name, pair in row.seen.items()},
                "days": [day.isoformat() for day in row.days],
            }
            for row in rows
        ],
    )
    if action is not None:
        first, last = rows[0], rows[-1]
        subject = (
            f"decision {first.number}: {first.told}"
            if len(rows) == 1
            else f"decisions {first.number} to {last.number}: {len(rows)} together"
        )
        add_view(
            connection, school=first.school, actor=first.actor, action=action, subject=subject, at=first.at
        )
