"""What still waits for a person: the newest run's cases, less those that were answered since."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, select

from vx_pipeline.journal.cases import get_cases, latest_matching
from vx_pipeline.journal.database import Journal
from vx_pipeline.journal.decisions import standing
from vx_pipeline.journal.ledger import Decision, Entity, Kind
from vx_pipeline.journal.matching_tables import match_cases
from vx_pipeline.journal.picture import Case

_ANSWERS = frozenset({Kind.SAME, Kind.NEW, Kind.MERGE, Kind.UNLINK})
_REFUSALS = frozenset({Kind.NEVER, Kind.UNLINK, Kind.MERGE})
_CLAIMS = frozenset({Kind.SAME, Kind.MERGE})

FACETS = ("entity", "kind", "reason", "house", "grade", "pattern")
"""What cases can be filtered and counted by."""


@dataclass(frozen=True)
class OpenCase:
    """A case that waits.

    Args:
        case: as the newest run left it.
        later: the decision that put it off; such cases come last.
        refused: the Orah ids that are decided not to be this person (never, unlink, merge).
        taken: the Orah ids that are decided to be somebody else's.
    """

    case: Case
    later: Decision | None
    refused: frozenset[int]
    taken: frozenset[int]


@dataclass(frozen=True)
class OpenCases:
    """One page of the cases that wait.

    Args:
        cases: the surest first, those put off last.
        total: how many there are on all pages.
        put_off: how many of all these were put off.
        counts: for each of ``FACETS``, each value and its number over all pages; without its own filter, so that
            every option says what choosing it would show.
    """

    cases: tuple[OpenCase, ...]
    total: int
    put_off: int
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True)
class _Line:
    """A case without its evidence, and what stands about it."""

    row: RowMapping
    later: Decision | None
    refused: frozenset[int]
    taken: frozenset[int]

    def fits(self, wanted: dict[str, str], put_off: bool | None, *, but: str = "") -> bool:
        if put_off is not None and put_off != (self.later is not None):
            return False
        return all(self.row[name] == value for name, value in wanted.items() if name != but)


def open_cases(
    journal: Journal,
    school: str,
    *,
    entity: Entity | None = None,
    kind: str | None = None,
    reason: str | None = None,
    house: str | None = None,
    grade: str | None = None,
    pattern: str | None = None,
    put_off: bool | None = None,
    offset: int = 0,
    limit: int = 50,
) -> OpenCases:
    """The cases that wait, filtered; ``put_off`` True or False asks for only those, or none of those, put off."""
    given = {
        "entity": entity.value if entity else None,
        "kind": kind,
        "reason": reason,
        "house": house,
        "grade": grade,
        "pattern": pattern,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    lines = _open_lines(journal, school)
    fitting = [line for line in lines if line.fits(wanted, put_off)]
    counts = {
        name: dict(
            Counter(
                line.row[name]
                for line in lines
                if line.row[name] is not None and line.fits(wanted, put_off, but=name)
            )
        )
        for name in FACETS
    }
    shown = fitting[offset : offset + limit]
    return OpenCases(
        cases=tuple(_with_cases(journal, school, shown)),
        total=len(fitting),
        put_off=sum(line.later is not None for line in fitting),
        counts=counts,
    )


def open_case(journal: Journal, school: str, case_id: str) -> OpenCase | None:
    """One case if it still waits; None when it was answered, or the newest run did not ask."""
    lines = [line for line in _open_lines(journal, school) if line.row["case_id"] == case_id]
    found = _with_cases(journal, school, lines)
    return found[0] if found else None


def _open_lines(journal: Journal, school: str) -> list[_Line]:
    matching = latest_matching(journal, school)
    if matching is None:
        return []
    columns = [
        match_cases.c[name]
        for name in ("case_id", "veracross_id", "orah_id", "candidate_ids", "score", *FACETS)
    ]
    with journal.begin() as connection:
        rows = connection.execute(select(*columns).where(match_cases.c.school == school)).mappings().all()
    stand = _Standing(standing(journal, school))
    lines = [
        _Line(row, stand.later(row), stand.refused(row), stand.taken(row))
        for row in rows
        if not stand.answered(row, matching.newest_decision)
    ]
    return sorted(lines, key=lambda line: (line.later is not None, -line.row["score"], line.row["case_id"]))


class _Standing:
    """Standing decisions by the records that they are about."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._of_person: dict[tuple[str, int], list[Decision]] = {}
        self._of_record: dict[tuple[str, int], list[Decision]] = {}
        for decision in decisions:
            entity = decision.entity.value
            if decision.veracross_id is not None:
                self._of_person.setdefault((entity, decision.veracross_id), []).append(decision)
            if decision.orah_id is not None:
                self._of_record.setdefault((entity, decision.orah_id), []).append(decision)

    def about(self, row: RowMapping) -> list[Decision]:
        """Decisions about the person that a case asks for; about the record where there is no person."""
        if row["veracross_id"] is not None:
            return self._of_person.get((row["entity"], row["veracross_id"]), [])
        return self._of_record.get((row["entity"], row["orah_id"]), [])

    def answered(self, row: RowMapping, since: int) -> bool:
        """Whether the case was answered after the run took the decisions in."""
        about = self.about(row)
        if any(decision.kind in _ANSWERS and decision.number > since for decision in about):
            return True
        options = {*row["candidate_ids"]}
        if row["veracross_id"] is not None and row["orah_id"] is not None:
            options.add(row["orah_id"])
        fresh = any(decision.kind is Kind.NEVER and decision.number > since for decision in about)
        return fresh and bool(options) and options <= self.refused(row)

    def refused(self, row: RowMapping) -> frozenset[int]:
        """Orah ids that are decided not to be this person."""
        return frozenset(
            decision.orah_id
            for decision in self.about(row)
            if decision.kind in _REFUSALS and decision.orah_id is not None
        )

    def taken(self, row: RowMapping) -> frozenset[int]:
        """Candidates that are decided to be somebody else's."""
        return frozenset(
            record
            for record in row["candidate_ids"]
            for decision in self._of_record.get((row["entity"], record), ())
            if decision.kind in _CLAIMS and decision.veracross_id != row["veracross_id"]
        )

    def later(self, row: RowMapping) -> Decision | None:
        """The decision that put the case off, unless it was answered after that."""
        about = self.about(row)
        newest = {
            decision.kind is Kind.LATER: decision
            for decision in about
            if decision.kind in _ANSWERS | {Kind.LATER}
        }
        later, answer = newest.get(True), newest.get(False)
        return later if later and not (answer and answer.number > later.number) else None


def _with_cases(journal: Journal, school: str, lines: Sequence[_Line]) -> list[OpenCase]:
    cases = {
        case.case_id: case for case in get_cases(journal, school, [line.row["case_id"] for line in lines])
    }
    return [
        # A run may have replaced the cases in between.
        OpenCase(cases[line.row["case_id"]], line.later, line.refused, line.taken)
        for line in lines
        if line.row["case_id"] in cases
    ]
