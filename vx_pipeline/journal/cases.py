"""The picture of the newest run: the cases that wait for a person, and the people they are about.

Each run of a school replaces its cases and people whole; the review page and the shell read them here and never
open the warehouse. ``open_cases`` tells what of it still waits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select

from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.ledger import LARGEST_ID, Entity
from vx_pipeline.journal.matching_tables import match_cases, match_people, matchings
from vx_pipeline.journal.picture import (
    ORAH,
    VERACROSS,
    Candidate,
    Case,
    Evidence,
    Matching,
    Person,
    PersonSummary,
    Relative,
    seen_fields,
)

__all__ = [
    "ORAH",
    "VERACROSS",
    "Candidate",
    "Case",
    "Evidence",
    "Matching",
    "Person",
    "PersonSummary",
    "Relative",
    "find_cases",
    "get_case",
    "get_cases",
    "get_people",
    "get_person",
    "latest_matching",
    "record_matching",
    "seen_fields",
]


def record_matching(
    journal: Journal, matching: Matching, cases: Iterable[Case], people: Iterable[Person]
) -> None:
    """Replaces a school's cases and people by those of a run, in one transaction.

    A case that was there before keeps the moment at which it was opened.
    """
    school = matching.school
    # Before the transaction: whoever decides meanwhile waits only for the writing.
    case_rows = [_case_row(school, case) for case in cases]
    person_rows = [_person_row(school, person) for person in people]
    with journal.begin_alone() as connection:
        opened = _opened(connection, school)
        for row in case_rows:
            row["opened_at"] = opened.get(row["case_id"], row["opened_at"])
        for table in (match_cases, match_people):
            connection.execute(delete(table).where(table.c.school == school))
        connection.execute(insert(matchings).values(**{**vars(matching), "counts": dict(matching.counts)}))
        _insert(connection, match_cases, case_rows)
        _insert(connection, match_people, person_rows)


def latest_matching(journal: Journal, school: str) -> Matching | None:
    """The newest run that matched the school; None before the first one."""
    query = select(matchings).where(matchings.c.school == school).order_by(matchings.c.number.desc()).limit(1)
    with journal.begin() as connection:
        row = connection.execute(query).mappings().first()
    return Matching(**{name: row[name] for name in Matching.__dataclass_fields__}) if row else None


def find_cases(
    journal: Journal,
    school: str,
    *,
    entity: Entity | None = None,
    house: str | None = None,
    grade: str | None = None,
    kind: str | None = None,
    reason: str | None = None,
    pattern: str | None = None,
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[Case], int]:
    """Cases of the newest run, answered or not, the surest first, and how many there are over all pages."""
    given = {
        "entity": entity,
        "house": house,
        "grade": grade,
        "kind": kind,
        "reason": reason,
        "pattern": pattern,
    }
    conditions: list[ColumnElement[bool]] = [match_cases.c.school == school]
    conditions += [match_cases.c[name] == str(value) for name, value in given.items() if value is not None]
    count = select(func.count()).select_from(match_cases).where(*conditions)
    query = (
        select(match_cases)
        .where(*conditions)
        .order_by(match_cases.c.score.desc(), match_cases.c.case_id)
        .offset(offset)
        .limit(limit)
    )
    with journal.begin() as connection:
        found = [_case(row) for row in connection.execute(query).mappings()]
        return found, connection.execute(count).scalar_one()


def get_case(journal: Journal, school: str, case_id: str) -> Case | None:
    """One case of the newest run; None when that run did not ask."""
    found = get_cases(journal, school, [case_id])
    return found[0] if found else None


def get_cases(journal: Journal, school: str, case_ids: Sequence[str]) -> list[Case]:
    """Cases of the newest run, in the order of their ids as given; those that it did not ask are left out."""
    query = select(match_cases).where(match_cases.c.school == school, match_cases.c.case_id.in_(case_ids))
    with journal.begin() as connection:
        found = {row["case_id"]: _case(row) for row in connection.execute(query).mappings()}
    return [found[case_id] for case_id in case_ids if case_id in found]


def get_person(journal: Journal, school: str, entity: Entity, system: str, person_id: int) -> Person | None:
    """One record of one system as the newest run saw it."""
    if not 0 < person_id <= LARGEST_ID:
        return None
    query = select(match_people).where(
        match_people.c.school == school,
        match_people.c.entity == entity.value,
        match_people.c.system == system,
        match_people.c.person_id == person_id,
    )
    with journal.begin() as connection:
        row = connection.execute(query).mappings().first()
    return _person(row) if row else None


def get_people(journal: Journal, school: str, entity: Entity | None = None) -> list[PersonSummary]:
    """All records of both systems, in the order of their ids, with what a search needs of them."""
    columns = [match_people.c[name] for name in PersonSummary.__dataclass_fields__]
    query = select(*columns).where(match_people.c.school == school)
    if entity is not None:
        query = query.where(match_people.c.entity == entity.value)
    order = (match_people.c.entity, match_people.c.system, match_people.c.person_id)
    with journal.begin() as connection:
        rows = connection.execute(query.order_by(*order)).all()
    return [PersonSummary(row[0], Entity(row[1]), *row[2:]) for row in rows]


def _opened(connection: Connection, school: str) -> dict[str, datetime]:
    query = select(match_cases.c.case_id, match_cases.c.opened_at).where(match_cases.c.school == school)
    return {row.case_id: row.opened_at for row in connection.execute(query)}


def _insert(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _case_row(school: str, case: Case) -> dict[str, Any]:
    return {
        **vars(case),
        "school": school,
        "entity": case.entity.value,
        "candidate_ids": [candidate.orah_id for candidate in case.candidates],
        "relatives": [asdict(relative) for relative in case.relatives],
        "candidates": [asdict(candidate) for candidate in case.candidates],
    }


def _case(row: RowMapping) -> Case:
    values = {name: row[name] for name in Case.__dataclass_fields__}
    candidates = (
        Candidate(**{**candidate, "evidence": _evidence(candidate["evidence"])})
        for candidate in row["candidates"]
    )
    return Case(
        **{
            **values,
            "entity": Entity(row["entity"]),
            "relatives": tuple(Relative(**relative) for relative in row["relatives"]),
            "candidates": tuple(candidates),
        }
    )


def _person_row(school: str, person: Person) -> dict[str, Any]:
    return {
        **vars(person),
        "school": school,
        "entity": person.entity.value,
        "shown": dict(person.shown),
        "digests": dict(person.digests),
        "wanted": {name: _plain(value) for name, value in person.wanted.items()},
        "days_away": [day.isoformat() for day in person.days_away],
        "evidence": [asdict(one) for one in person.evidence],
    }


def _person(row: RowMapping) -> Person:
    values = {name: row[name] for name in Person.__dataclass_fields__}
    return Person(
        **{
            **values,
            "entity": Entity(row["entity"]),
            "days_away": tuple(date.fromisoformat(day) for day in row["days_away"]),
            "evidence": _evidence(row["evidence"]),
        }
    )


def _evidence(rows: Iterable[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(**row) for row in rows)


def _plain(value: Any) -> Any:
    """A day or moment as its ISO text: what JSON can hold, and what Orah is sent."""
    return value.isoformat() if isinstance(value, date | datetime) else value
