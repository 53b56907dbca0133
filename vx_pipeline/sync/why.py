"""Why a person is, or is not, in Orah as they are: everything that is known of them, from the journal alone.

What the newest plan saw stands there in sentences (``sync/explaining.py``); what people decided, what is planned
and what was written is read as it is now. So it needs no network, and a run that has the warehouse is no obstacle.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import standing_answers
from vx_pipeline.journal.cases import ORAH, VERACROSS, Person, get_case, get_person, latest_matching
from vx_pipeline.journal.decisions import Decision, Entity, history
from vx_pipeline.journal.explanations import explained_at, get_explanation
from vx_pipeline.journal.open_cases import open_case
from vx_pipeline.journal.pins import pins_on
from vx_pipeline.journal.planned import CONTACT, STUDENT, planned_about
from vx_pipeline.journal.problems import open_problems
from vx_pipeline.journal.traces import Write, asked_about, person_behind, writes_about
from vx_pipeline.sync.changes import Action
from vx_pipeline.sync.telling import (
    tell_decisions,
    tell_pins,
    tell_plans,
    tell_problems,
    tell_unknown,
    tell_unseen,
    tell_writes,
)

TITLES = {
    "unknown": "Not known",
    "veracross": "What Veracross says",
    "scope": "Brought to Orah or not",
    "boarder": "Boarder or not",
    "match": "Who this is in Orah",
    "contacts": "Contacts",
    "decisions": "What people decided",
    "pins": "Pinned",
    "planned": "What is planned",
    "written": "What was written",
    "problems": "What is wrong",
}
"""Topics in the order in which they are told, and their headings."""

_ABOUT_PEOPLE = ("student", "contact", "parent", "staff")
"""Entities of pins and problems whose key is a person's id."""


@dataclass(frozen=True)
class Topic:
    """One part of the answer: its name, its heading, its sentences."""

    name: str
    title: str
    sentences: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Why:
    """What is known of one person, or of one record of Orah.

    Args:
        school: the school's key.
        veracross_id: the person; None for a record of Orah that nobody stands behind.
        orah_id: the student record in Orah; None where none is linked.
        contact_id: the contact in Orah that we wrote for them. It may be the same number as a student record's.
        found: whether anything at all is known.
        told_at: the moment of the plan that saw the person; None where none did.
        topics: those about which there is something to say.
    """

    school: str
    veracross_id: int | None
    orah_id: int | None
    contact_id: int | None
    found: bool
    told_at: datetime | None
    topics: tuple[Topic, ...]


def why(
    journal: Journal,
    school: str,
    *,
    veracross_id: int | None = None,
    orah_id: int | None = None,
    now: datetime,
    details: bool = False,
) -> Why:
    """Everything known of a person by their Veracross id, or of a record by its Orah id.

    Args:
        journal: the open journal.
        school: the school's key.
        veracross_id: a student, a member of staff, or a parent.
        orah_id: a student record of Orah, or a contact that we wrote; given instead of a Veracross id.
        now: this moment, in the school's own time zone.
        details: also tell what fields hold and what people noted. It may name somebody.
    """
    record = None
    if veracross_id is None:
        if orah_id is None:
            raise ValueError("an id is needed")
        record = get_person(journal, school, Entity.STUDENT, ORAH, orah_id)
        veracross_id = _behind(journal, school, record, orah_id)
    person = (
        get_person(journal, school, Entity.STUDENT, VERACROSS, veracross_id)
        if veracross_id is not None
        else None
    )
    student_record = orah_id if record is not None else person.linked_to if person else None
    explanation = get_explanation(journal, school, veracross_id) if veracross_id is not None else None
    writes = writes_about(journal, school, veracross_id=veracross_id, orah_id=student_record)
    plans = planned_about(journal, school, veracross_id=veracross_id, orah_id=student_record)
    decided = _decisions(journal, school, veracross_id, student_record)
    pins = [
        pin
        for pin in pins_on(journal, school, now.date())
        if pin.entity in _ABOUT_PEOPLE and pin.key == veracross_id
    ]
    problems = [
        one
        for one in open_problems(journal, school)
        if one.entity in _ABOUT_PEOPLE and one.key == veracross_id
    ]
    known = (explanation, person, record, decided, writes, pins, problems, any(plan.rows for plan in plans))
    if not any(known):
        told = {"unknown": list(tell_unknown(veracross_id, orah_id, explained_at(journal, school)))}
        return Why(school, veracross_id, orah_id, None, False, None, _topics(told))
    matching = latest_matching(journal, school)
    answers = standing_answers(journal, school)
    told = {topic: list(sentences) for topic, sentences in (explanation.told if explanation else {}).items()}
    is_explained = "match" in told
    if explanation is None:
        told["veracross"] = [tell_unseen(veracross_id, explained_at(journal, school))]
    told.setdefault("match", []).extend(
        _orphan(journal, school, record)
        if veracross_id is None and record is not None
        else _matched(journal, school, veracross_id, person, writes, is_explained=is_explained)
    )
    told |= {
        "decisions": list(
            tell_decisions(decided, matching.newest_decision if matching else 0, details=details)
        ),
        "pins": list(tell_pins(pins, details=details)),
        "planned": list(tell_plans(plans, answers, details=details)),
        "written": list(tell_writes(writes, details=details)),
        "problems": list(tell_problems(problems)),
    }
    return Why(
        school,
        veracross_id,
        student_record,
        _contact_record(writes, veracross_id),
        True,
        explanation.at if explanation else None,
        _topics(told),
    )


def _behind(journal: Journal, school: str, record: Person | None, orah_id: int) -> int | None:
    """The person behind a record: by the newest picture; of a record that is not in it, by what we wrote."""
    if record is not None:
        return record.linked_to
    for entity in (STUDENT, CONTACT):
        if (person := person_behind(journal, school, entity, orah_id)) is not None:
            return person
    return None


def _decisions(
    journal: Journal, school: str, veracross_id: int | None, orah_id: int | None
) -> list[Decision]:
    if veracross_id is None and orah_id is None:
        return []
    found = history(journal, school, veracross_id=veracross_id, orah_id=orah_id)
    # A house may bear a person's number, and so may a contact an Orah student's.
    return [
        one
        for one in found
        if one.entity is not Entity.HOUSE
        and (one.entity is Entity.STUDENT or one.veracross_id == veracross_id)
    ]


def _matched(
    journal: Journal,
    school: str,
    veracross_id: int | None,
    person: Person | None,
    writes: Sequence[Write],
    *,
    is_explained: bool,
) -> Iterator[str]:
    """What became of a question since the plan; and the links, where no plan has told them."""
    if person is not None and person.linked_to is not None and not is_explained:
        yield f"Linked to Orah {person.linked_to} by {(person.rule or 'an earlier run').replace('_', ' ')}."
    case_id = f"student-v{veracross_id}"
    if open_case(journal, school, case_id) is not None:
        yield f"A question waits for a person: `vx match show {case_id}`, or the review page."
    elif get_case(journal, school, case_id) is not None:
        yield "The question about them was answered; the next run takes the answer in."
    contact = _contact_record(writes, veracross_id)
    if contact is not None and not is_explained:
        yield f"Their contact record in Orah is {contact}: we wrote it."


def _contact_record(writes: Sequence[Write], veracross_id: int | None) -> int | None:
    """The contact record in Orah that we wrote for a person, unless we gave it up."""
    for write in writes:
        if write.entity == CONTACT and write.key == veracross_id and write.landed:
            return None if write.action in (Action.DELETE, Action.UNLINK) else write.target_id
    return None


def _orphan(journal: Journal, school: str, record: Person) -> Iterator[str]:
    """What is known of a record in Orah that nobody stands behind."""
    number, status = record.person_id, record.shown.get("status")
    yield (
        f"Orah's student record {number}{f' ({status})' if status else ''} is linked to nobody in Veracross. "
        "Nothing is written to a record that nobody stands behind."
    )
    case_id = f"student-o{number}"
    if (waiting := open_case(journal, school, case_id)) is not None:
        yield f"A question waits for a person: {waiting.case.reason.rstrip('.')}. `vx match show {case_id}`."
    for student in asked_about(journal, school, number):
        yield f"It may be student {student}'s: `vx match show student-v{student}`."
    if (written_for := person_behind(journal, school, STUDENT, number)) is not None:
        yield f"We wrote it last for student {written_for}: `vx why {written_for}`."


def _topics(told: dict[str, list[str]]) -> tuple[Topic, ...]:
    return tuple(_topic(name, told[name]) for name in TITLES if told.get(name))


def _topic(name: str, sentences: Iterable[str]) -> Topic:
    return Topic(name, TITLES[name], tuple(sentences))
