"""From what is typed in the shell to an answer: the records looked up in the picture of the newest run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from vx_pipeline.errors import VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import (
    ORAH,
    VERACROSS,
    Candidate,
    Case,
    Evidence,
    Person,
    get_people,
    get_person,
    seen_fields,
)
from vx_pipeline.journal.decisions import Answer, Decision, Kind, history, standing
from vx_pipeline.journal.open_cases import OpenCase, open_case

_TOUCHES_DAYS = frozenset({Kind.SAME, Kind.UNLINK})
"""Kinds after which the marks of days with time away are somebody else's."""


@dataclass(frozen=True)
class Records:
    """What a decision is about, as the newest run saw it; None where nobody was named or the run saw nobody."""

    ours: Person | None
    theirs: Person | None

    @property
    def linked(self) -> bool:
        """Whether the two are linked to each other."""
        return (
            self.ours is not None and self.theirs is not None and self.ours.linked_to == self.theirs.person_id
        )

    def days(self, kind: Kind) -> tuple[date, ...]:
        """The days of attendance that the decision touches."""
        return self.theirs.days_away if self.theirs and kind in _TOUCHES_DAYS else ()


def look_up(journal: Journal, school: str, answer: Answer) -> Records:
    """The records that an answer names."""

    def person(system: str, record: int | None) -> Person | None:
        return get_person(journal, school, answer.entity, system, record) if record is not None else None

    return Records(person(VERACROSS, answer.veracross_id), person(ORAH, answer.orah_id))


def completed(answer: Answer, records: Records) -> Answer:
    """The answer with the fingerprint of what its records looked like and the days that it touches."""
    return Answer(
        entity=answer.entity,
        kind=answer.kind,
        veracross_id=answer.veracross_id,
        orah_id=answer.orah_id,
        note=answer.note,
        seen=seen_fields(records.ours, records.theirs),
        days=records.days(answer.kind),
        newest_seen=answer.newest_seen,
    )


def misgivings(journal: Journal, school: str) -> Callable[[Answer, Records], VxError | None]:
    """A judge of answers by the picture: the error where one names a record that the newest run did not see.

    Before the first run, and for kinds of record that the run did not look at, nobody can tell, and every answer
    passes: a journal that was lost is filled again from an export before anything else.
    """
    seen = {(person.entity, person.system) for person in get_people(journal, school)}
    same = {
        (one.entity, one.veracross_id, one.orah_id)
        for one in standing(journal, school)
        if one.kind is Kind.SAME
    }

    def judge(answer: Answer, records: Records) -> VxError | None:
        sides = (
            (VERACROSS, answer.veracross_id, records.ours),
            (ORAH, answer.orah_id, records.theirs),
        )
        for system, record, found in sides:
            if record is not None and found is None and (answer.entity, system) in seen:
                return VxError(
                    f"The newest run saw no {answer.entity.value} {record} in {system.title()}.",
                    kept="Nothing was decided.",
                    remedy="Correct the id, or let a run read both systems again: `vx sync`.",
                )
        decided = (answer.entity, answer.veracross_id, answer.orah_id) in same
        if answer.kind is Kind.UNLINK and records.ours and not records.linked and not decided:
            return VxError(
                f"{answer.entity.value.title()} {answer.veracross_id} is not linked to Orah's {answer.orah_id}.",
                kept="Nothing was decided.",
                remedy="If they must never be linked: `vx match never`.",
            )
        return None

    return judge


@dataclass(frozen=True)
class Sight:
    """A case as it is looked at: with one of its candidates, and what was decided about the two.

    Args:
        case: as the newest run left it.
        waiting: whether it still waits, and what was decided of its candidates; None when it was answered.
        candidate: the one that is looked at; None for a record that is no candidate, or where there is none.
        records: the person, and that record.
        decided: about either of them, newest first.
    """

    case: Case
    waiting: OpenCase | None
    candidate: Candidate | None
    records: Records
    decided: tuple[Decision, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Of the candidate, or of the link that there is."""
        if self.candidate:
            return self.candidate.evidence
        return self.records.ours.evidence if self.records.ours and self.records.linked else ()


def look_at(journal: Journal, school: str, case: Case, orah_id: int | None) -> Sight:
    """A case with the record of Orah that is named; else with the best candidate, or the linked one.

    Raises:
        VxError: the newest run saw no such record.
    """
    best = case.candidates[0].orah_id if case.candidates else case.orah_id
    chosen = orah_id or best
    records = look_up(journal, school, Answer(case.entity, Kind.LATER, case.veracross_id, chosen))
    if orah_id is not None and records.theirs is None:
        raise VxError(
            f"The newest run saw no {case.entity.value} {orah_id} in Orah.",
            remedy="Leave --candidate out to see the best one.",
        )
    decided = history(
        journal, school, entity=case.entity, veracross_id=case.veracross_id, orah_id=chosen, limit=20
    )
    return Sight(
        case=case,
        waiting=open_case(journal, school, case.case_id),
        candidate=next((one for one in case.candidates if one.orah_id == chosen), None),
        records=records,
        decided=tuple(decided),
    )
