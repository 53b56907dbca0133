"""What stands in the journal about one person, as sentences: decisions, planned steps, writes, pins, problems.

Ids, days and names of fields are always told. What fields hold, and what people wrote beside their answers, may
name somebody: it is told only with ``details``, to eyes that may see it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from vx_pipeline.journal.approvals import Approval
from vx_pipeline.journal.decisions import Decision, Kind
from vx_pipeline.journal.intents import Result
from vx_pipeline.journal.pins import Pin
from vx_pipeline.journal.planned import CONTACT, TIES, Planned, students_of
from vx_pipeline.journal.plans import PlanRow
from vx_pipeline.journal.problems import Problem
from vx_pipeline.journal.traces import Write
from vx_pipeline.sync.changes import Action

MOST_WRITES = 20

_STEPS: Mapping[str, str] = {
    Action.CREATE: "a new {entity} record is made",
    Action.UPDATE: "the {entity} record {record} is changed",
    Action.DEACTIVATE: "the {entity} record {record} is deactivated",
    Action.REACTIVATE: "the {entity} record {record} is activated again",
    Action.DELETE: "the {entity} record {record} is deleted",
    Action.LINK: "{entity} {key} is put beside {others}",
    Action.UNLINK: "{entity} {key} is taken away from {others}",
    Action.SKIP: "nothing is written",
}

_ENDS: Mapping[str | None, str] = {
    Result.DONE: "Done",
    Result.CONFIRMED: "Done: the answer was lost, and reading back showed it there",
    Result.ABSENT: "Not done: the answer was lost, and reading back showed nothing",
    Result.FAILED: "Not done: it was refused, or nobody can tell any more",
    None: "We were interrupted; the next run looks how it ended",
}


def moment(at: datetime) -> str:
    """A moment as the shell tells it: UTC, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def tell_decisions(found: Sequence[Decision], newest_taken_in: int, *, details: bool) -> Iterator[str]:
    """What people decided about who this is, newest first."""
    undone = {one.undoes: one.number for one in found if one.undoes is not None}
    for one in found:
        said = f"{_begun(one.told)}: decision {one.number} by {one.actor} on {moment(one.at)}."
        if one.number in undone:
            said += f" It was taken back by decision {undone[one.number]}."
        elif one.number > newest_taken_in and one.kind is not Kind.LATER:
            said += " It counts from the next run on."
        yield said + _note(one.note, details=details)


def tell_plans(plans: Sequence[Planned], answers: Mapping[str, Approval], *, details: bool) -> Iterator[str]:
    """What the newest plans mean to do, step by step, with what the gate says of each."""
    for plan in plans:
        name = f"plan {plan.plan_id[:8]} of {moment(plan.at)}"
        if not plan.rows:
            yield f"Nothing: {name} changes nothing about them."
        for step, rows in groupby(plan.rows, key=lambda row: row.step):
            yield f"{_begun(name)}, step {step}: {_step(plan, list(rows), answers, details=details)}"
        if plan.hold_reason and plan.rows:
            why = plan.hold_reason.rstrip(".")
            yield f"The gate is closed for all of {name}, and nothing of it is written: {why}."
    if not plans:
        yield "Nothing: no plan was made yet."


def tell_writes(writes: Sequence[Write], *, details: bool) -> Iterator[str]:
    """What was written, newest first, with its end and with whose word."""
    for write in writes[:MOST_WRITES]:
        said = f"{moment(write.at)}: {_written(write)}. {_ENDS[write.result]}."
        if write.detail and not write.landed:
            said += f" {write.detail.rstrip('.')}."
        if write.actor is not None and write.said_at is not None:
            said += f" Approved by {write.actor} on {moment(write.said_at)}."
            said += _note(write.note, details=details)
        yield said + (_values(write.values.items()) if details else "")
    if len(writes) > MOST_WRITES:
        yield f"And {len(writes) - MOST_WRITES} earlier ones."
    if not writes:
        yield "Nothing was ever written about them."


def tell_pins(pins: Sequence[Pin], *, details: bool) -> Iterator[str]:
    """What the sync leaves alone, because somebody said so."""
    for pin in pins:
        what = f"the field {pin.field}" if pin.field else "the whole record"
        until = f"until {pin.last_day}" if pin.last_day else "until it is taken away"
        said = f"Pin {pin.pin_id}: {what} of the {pin.entity} is left alone {until}, says {pin.author}"
        yield f"{said} ({moment(pin.made_at)})." + _note(pin.reason, details=details)


def tell_problems(problems: Sequence[Problem]) -> Iterator[str]:
    """What is wrong now, and since when."""
    for one in problems:
        since = (
            f"since {moment(one.opened_at)}, met by {one.times} runs"
            if one.times > 1
            else moment(one.opened_at)
        )
        yield f"{_begun(one.colour)}: {one.reason.rstrip('.')} ({since})."


def tell_unseen(veracross_id: int | None, at: datetime | None) -> str:
    """What stands in place of what Veracross says, where no plan saw the person; ``at`` is the newest that told."""
    if veracross_id is None:
        return "Nothing: nobody in Veracross is known to stand behind this record."
    if at is None:
        return "Not known yet: the next plan of the school keeps what it sees of everybody."
    return "The newest plan saw nobody with this id; what follows is what is remembered."


def tell_unknown(veracross_id: int | None, orah_id: int | None, at: datetime | None) -> Iterator[str]:
    """That nobody is known by an id, and where to look; ``at`` is the newest plan that told of people."""
    asked = f"the id {veracross_id} in Veracross" if veracross_id is not None else f"the id {orah_id} in Orah"
    yield f"Nobody with {asked} is known here."
    if at is None:
        yield "No run has planned this school yet: `vx sync --plan-only` reads everybody and writes nothing."
    elif veracross_id is not None:
        yield (
            f"The newest plan, of {moment(at)}, knew every student, member of staff and parent that Veracross "
            "showed. Look there whether the person is one of these, and whether the id is a person's."
        )
    else:
        yield (
            "Look in Orah whether it is a student's id. Contacts are known here only where we wrote them; "
            "for an id of Veracross leave --orah out."
        )


def _step(plan: Planned, rows: Sequence[PlanRow], answers: Mapping[str, Approval], *, details: bool) -> str:
    first = rows[0]
    fields = [row.field for row in rows if row.field and row.field != TIES]
    students = sorted({student for row in rows for student in students_of(row)})
    others = " and ".join(f"student {student}" for student in students) or "a student"
    told = _STEPS.get(first.action, first.action).format(
        entity=first.entity, record=first.target_id, key=first.key, others=others
    )
    if first.entity == CONTACT and first.action == Action.CREATE:
        told += f" for person {first.key}, beside {others}"
    if fields:
        told += f" ({', '.join(fields)})"
    told = f"{told}, because: {first.reason.rstrip('.')}. {_verdict(plan, first, answers.get(first.change))}"
    answer = answers.get(first.change)
    if answer is not None:
        word = {"approve": "Approved", "refuse": "Refused"}[answer.answer]
        told += f" {word} by {answer.actor} on {moment(answer.at)}." + _note(answer.note, details=details)
    if details:
        told += _differences(row for row in rows if row.field and row.field != TIES)
    return told


def _verdict(plan: Planned, row: PlanRow, answer: Approval | None) -> str:
    if row.step in plan.written:
        return f"{_ENDS[plan.written[row.step]]}."
    why = f": {row.verdict_reason.rstrip('.')}" if row.verdict_reason else ""
    match row.verdict:
        case "held" if answer is None:
            return f"It waits for a person{why}. See `vx plan`."
        case "held":
            return f"It was held{why}."
        case "postponed":
            return f"It is put off{why}."
        case "refused":
            return f"It is not written, somebody refused it{why}."
        case "skip":
            return f"Left alone{why}."
    if row.action == Action.SKIP:
        return "Left alone."
    if plan.hold_reason:
        return "It is not written."
    return "It is urgent, and waits for nobody." if row.urgent else "It may be written."


def _written(write: Write) -> str:
    if write.system == "veracross":
        where = [
            f"{name.removesuffix('_id').removeprefix('attendance_')} {write.values[name]}"
            for name in ("class_id", "attendance_date")
            if name in write.values
        ]
        return f"mark {write.target_id} in Veracross{' (' + ', '.join(where) + ')' if where else ''}"
    record = f" {write.target_id}" if write.target_id is not None else ""
    told = f"{write.action} of Orah's {write.entity}{record}"
    if write.entity == CONTACT:
        told += f" of person {write.key}"
    if "student_id" in write.values:
        told += f", beside student {write.values['student_id']}"
    elif write.values:
        told += f" ({', '.join(write.values)})"
    return f"{told}, by plan {write.cause[:8]}"


def _differences(rows: Iterator[PlanRow]) -> str:
    return "".join(f" {row.field}: {_shown(row.before)} becomes {_shown(row.after)}." for row in rows)


def _values(fields: Any) -> str:
    return "".join(f" {name}: {_shown(value)}." for name, value in fields)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {part}" for name, part in value.items())
    return str(value)


def _note(text: str | None, *, details: bool) -> str:
    return f" They noted: {text.strip()}" if details and text and text.strip() else ""


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
