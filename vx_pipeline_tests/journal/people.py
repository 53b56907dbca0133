"""Invented people and cases, as a run would leave them in the journal."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import (
    ORAH,
    VERACROSS,
    Candidate,
    Case,
    Evidence,
    Matching,
    Person,
    Relative,
    record_matching,
)
from vx_pipeline.journal.decisions import (
    Answer,
    Decision,
    Entity,
    Kind,
    decide_many,
    decisions_after,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
NAMES = ("Zephyrine", "Quillfeather", "Ottoline", "2009-04-01", "z.quillfeather@example.org")
"""A person's data that may show nowhere but where a person looks for it."""


def evidence() -> tuple[Evidence, ...]:
    return (
        Evidence("last_name", NAMES[1], NAMES[1], "exact", 9.5, 9.5),
        Evidence("first_name", NAMES[0], "Zeph", "nickname", 5.0, 14.5),
    )


def candidate(orah_id: int, rank: int = 1, score: float = 14.5) -> Candidate:
    return Candidate(
        orah_id=orah_id,
        rank=rank,
        score=score,
        gap=3.5 if rank == 1 else -3.5,
        rule="nickname / exact / missing",
        why="Another record of Orah is nearly as close.",
        conflict=False,
        evidence=evidence(),
    )


def case(veracross_id: int | None = 81, candidates: Sequence[int] = (501,), **values: Any) -> Case:
    subject = f"v{veracross_id}" if veracross_id else f"o{values.get('orah_id')}"
    given: dict[str, Any] = {
        "case_id": f"student-{subject}",
        "entity": Entity.STUDENT,
        "kind": "unmatched",
        "veracross_id": veracross_id,
        "orah_id": None,
        "reason": "Another record is nearly as close.",
        "pattern": None,
        "score": 14.5 if candidates else 0.0,
        "house": "Birch",
        "grade": "Grade 9",
        "relatives": (Relative(VERACROSS, 82, "twin"),),
        "candidates": tuple(candidate(orah_id, rank) for rank, orah_id in enumerate(candidates, 1)),
        "opened_at": NOW,
    }
    return Case(**{**given, **values})


def person(person_id: int = 81, system: str = VERACROSS, **values: Any) -> Person:
    given: dict[str, Any] = {
        "system": system,
        "entity": Entity.STUDENT,
        "person_id": person_id,
        "shown": {"first_name": NAMES[0], "last_name": NAMES[1], "birth_date": NAMES[3], "middle_name": None},
        "folded": f"{NAMES[0]} {NAMES[1]}".lower(),
        "digests": {"last_name": "d1", "email": None if system == ORAH else "d2"},
        "wanted": {"first_name": NAMES[0], "email": NAMES[4], "student_type": "Boarding", "house_id": 7},
        "days_away": (date(2026, 11, 20), date(2026, 11, 21)) if system == ORAH else (),
    }
    return Person(**{**given, **values})


def matching(school: str = "north", **values: Any) -> Matching:
    given: dict[str, Any] = {
        "school": school,
        "run_id": "run-1",
        "at": NOW,
        "read_at": BEFORE,
        "policy_version": "3",
        "counts": {"students": 2, "linked": 1, "linked by email": 1, "waiting": 1},
    }
    return Matching(**{**given, **values})


def record(journal: Journal, *cases: Case, people: Sequence[Person] = (), **values: Any) -> None:
    """Records a run that took in every decision that there is."""
    newest = max((decision.number for decision in decisions_after(journal, 0)), default=0)
    values.setdefault("newest_decision", newest)
    record_matching(journal, matching(**values), cases, people)


def decided(
    journal: Journal,
    kind: Kind,
    veracross_id: int | None = 81,
    orah_id: int | None = None,
    *,
    at: datetime = AFTER,
    entity: Entity = Entity.STUDENT,
    **values: Any,
) -> Decision:
    """One decision, made through the front door."""
    answer = Answer(entity, kind, veracross_id, orah_id, **values)
    return decide_many(journal, [answer], school="north", actor="a.keller", via="shell", at=at)[0]
