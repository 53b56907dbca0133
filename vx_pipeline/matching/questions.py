"""The questions of a run to a person: who could not be linked for certain, and which links are in doubt."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import duckdb

from vx_pipeline.journal.cases import ORAH, VERACROSS, Candidate, Case, Person, Relative
from vx_pipeline.journal.decisions import Decision, Entity, Kind
from vx_pipeline.matching.portraits import Proofs, Row
from vx_pipeline.warehouse.rows import read_rows

_QUEUE = """
WITH rivals AS (
    SELECT veracross_id, orah_id, max(rival.score) AS score
    FROM matching.review_queue
    JOIN matching.scores AS rival
        ON (rival.our_id = veracross_id AND rival.their_id <> orah_id)
        OR (rival.their_id = orah_id AND rival.our_id <> veracross_id)
    GROUP BY ALL
)
SELECT queue.*, queue.score - rivals.score AS gap
FROM matching.review_queue AS queue
LEFT JOIN rivals USING (veracross_id, orah_id)
ORDER BY veracross_id, rank, orah_id
"""

_CONTESTED = """
SELECT *, NULL AS gap FROM matching.student_links WHERE contested IS NOT NULL ORDER BY veracross_id
"""

_TAKEN_HOUSES = """
SELECT dorm.dorm_id, house.id AS orah_id
FROM roster.houses AS dorm
JOIN orah.houses AS house
    ON trim(house.sis_id) = CAST(dorm.dorm_id AS VARCHAR) OR lower(trim(house.name)) = lower(trim(dorm.name))
WHERE house._missing_reads < 2 AND dorm.dorm_id NOT IN (SELECT dorm_id FROM matching.house_links)
    AND house.id NOT IN (SELECT orah_id FROM matching.house_links)
    AND NOT EXISTS (
        FROM matching.refused_houses AS refused
        WHERE refused.dorm_id = dorm.dorm_id AND refused.orah_id = house.id
    )
ORDER BY ALL
"""

_RELATIVES = """
SELECT DISTINCT side, person_id, other_id, relation
FROM (
    SELECT
        one.side,
        one.person_id,
        two.person_id AS other_id,
        CASE
            WHEN one.last_name = two.last_name AND one.first_name = two.first_name THEN 'same name'
            ELSE 'twin'
        END AS relation
    FROM matching.people AS one
    JOIN matching.people AS two ON two.side = one.side AND two.last_name = one.last_name
    WHERE two.person_id <> one.person_id
        AND (two.first_name = one.first_name OR two.birth_date = one.birth_date)
    UNION ALL
    SELECT 'ours', one.student_id, two.student_id, 'sibling'
    FROM roster.students AS one
    JOIN roster.students AS two USING (household_id)
    WHERE two.student_id <> one.student_id AND one.birthday IS DISTINCT FROM two.birthday
)
ORDER BY ALL
"""


@dataclass(frozen=True)
class Sources:
    """What questions are made from.

    Args:
        people: everybody, by entity, system and id.
        proofs: evidence by pair.
        asked_at: the moment of the matching.
    """

    people: Mapping[tuple[Entity, str, int], Person]
    proofs: Proofs
    asked_at: datetime


def questions(
    connection: duckdb.DuckDBPyConnection,
    sources: Sources,
    standing: Sequence[Decision],
    *,
    ask_about_new: bool,
) -> list[Case]:
    """Every question of the run, one for each person or record.

    Args:
        connection: the school's warehouse, matched.
        sources: people and evidence.
        standing: the school's standing decisions; one whose fields changed is asked again, and holds meanwhile.
        ask_about_new: whether a student without any candidate is a question, because no record is made unasked.
    """
    relatives = _relatives(connection)
    cases = [
        *_unlinked(connection, sources, ask_about_new=ask_about_new),
        *_contested(connection, sources),
        *_houses(connection, sources),
    ]
    asked = {case.case_id for case in cases}
    cases += [case for case in _reopened(sources, standing) if case.case_id not in asked]
    return [_with_relatives(case, relatives) for case in cases]


def _unlinked(
    connection: duckdb.DuckDBPyConnection, sources: Sources, *, ask_about_new: bool
) -> Iterator[Case]:
    rows = read_rows(connection, _QUEUE)
    for student, group in groupby(rows, key=lambda row: row["veracross_id"]):
        options = list(group)
        if student is None:
            for row in options:
                yield _case(sources, Entity.STUDENT, "orphan", None, row["orah_id"], row["reason"])
        elif options[0]["orah_id"] is not None:
            best = options[0]
            kind = "conflict" if best["outcome"] == "conflict" else "unmatched"
            yield _case(
                sources, Entity.STUDENT, kind, student, None, best["reason"],
                pattern=best["bulk"],
                candidates=tuple(_candidate(sources, row) for row in options),
            )  # fmt: skip
        elif ask_about_new or options[0]["outcome"] is not None:
            yield _case(sources, Entity.STUDENT, "unmatched", student, None, options[0]["reason"])


def _contested(connection: duckdb.DuckDBPyConnection, sources: Sources) -> Iterator[Case]:
    for row in read_rows(connection, _CONTESTED):
        candidate = _candidate(sources, {**row, "rank": 1, "outcome": "conflict", "reason": row["contested"]})
        yield _case(
            sources, Entity.STUDENT, "contested", row["veracross_id"], row["orah_id"], row["contested"],
            candidates=(candidate,),
        )  # fmt: skip


def _houses(connection: duckdb.DuckDBPyConnection, sources: Sources) -> Iterator[Case]:
    reason = "a house in Orah has this dorm's id or name, but not for certain"
    for dorm, group in groupby(read_rows(connection, _TAKEN_HOUSES), key=lambda row: row["dorm_id"]):
        candidates = tuple(
            Candidate(row["orah_id"], rank, 0, None, "name", reason, conflict=False, evidence=())
            for rank, row in enumerate(group, start=1)
        )
        yield _case(sources, Entity.HOUSE, "unmatched", dorm, None, reason, candidates=candidates)


def _reopened(sources: Sources, standing: Iterable[Decision]) -> Iterator[Case]:
    """Decisions about two records one of which is not what it was. A decision holds until it is changed."""
    changed: dict[int, list[tuple[Decision, str]]] = defaultdict(list)
    for decision in standing:
        ours, theirs = decision.veracross_id, decision.orah_id
        if decision.entity is not Entity.STUDENT or decision.kind not in (Kind.SAME, Kind.NEVER):
            continue
        left = sources.people.get((Entity.STUDENT, VERACROSS, ours or 0))
        right = sources.people.get((Entity.STUDENT, ORAH, theirs or 0))
        if left is None or right is None:
            continue
        if fields := sorted(_changed(decision, left, right)):
            told = " and ".join(name.replace("_", " ") for name in fields)
            changed[left.person_id].append((decision, f"the {told} changed since somebody decided"))
    for student, decisions in changed.items():
        decisions.sort(key=lambda each: each[0].kind is not Kind.SAME)
        candidates = tuple(
            _reopened_candidate(sources, decision, rank, reason)
            for rank, (decision, reason) in enumerate(decisions, start=1)
        )
        record, reason = candidates[0].orah_id, decisions[0][1]
        yield _case(sources, Entity.STUDENT, "reopened", student, record, reason, candidates=candidates)


def _reopened_candidate(sources: Sources, decision: Decision, rank: int, reason: str) -> Candidate:
    evidence = sources.proofs.get((decision.veracross_id or 0, decision.orah_id or 0), ())
    return Candidate(
        orah_id=decision.orah_id or 0,
        rank=rank,
        score=evidence[-1].total if evidence else 0,
        gap=None,
        rule="decision",
        why=_sentence(reason),
        conflict=False,
        evidence=evidence,
    )


def _changed(decision: Decision, ours: Person, theirs: Person) -> Iterator[str]:
    """Fields that are not what they were, less those in Orah that now say what Veracross says: we wrote them."""
    for name, (left, right) in decision.seen.items():
        now_left, now_right = ours.digests.get(name), theirs.digests.get(name)
        if now_left != left or (now_right != right and now_right != now_left):
            yield name


def _candidate(sources: Sources, row: Row) -> Candidate:
    return Candidate(
        orah_id=row["orah_id"],
        rank=row["rank"],
        score=row["score"],
        gap=row["gap"],
        rule=row["rule"] or "",
        why=_sentence(row["reason"]),
        conflict=row["outcome"] == "conflict",
        evidence=sources.proofs.get((row["veracross_id"], row["orah_id"]), ()),
    )


def _case(
    sources: Sources,
    entity: Entity,
    kind: str,
    ours: int | None,
    theirs: int | None,
    reason: str,
    *,
    pattern: str | None = None,
    candidates: tuple[Candidate, ...] = (),
) -> Case:
    subject = (VERACROSS, ours) if ours is not None else (ORAH, theirs)
    shown = sources.people[entity, subject[0], subject[1] or 0].shown
    return Case(
        case_id=f"{entity}-{subject[0][0]}{subject[1]}",
        entity=entity,
        kind=kind,
        veracross_id=ours,
        orah_id=theirs,
        reason=_sentence(reason),
        pattern=pattern,
        score=candidates[0].score if candidates else 0,
        house=shown.get("house"),
        grade=shown.get("grade"),
        relatives=(),
        candidates=candidates,
        opened_at=sources.asked_at,
    )


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."


def _relatives(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], tuple[Relative, ...]]:
    found: dict[tuple[str, int], list[Relative]] = defaultdict(list)
    for side, person, other, relation in connection.execute(_RELATIVES).fetchall():
        system = VERACROSS if side == "ours" else ORAH
        found[system, person].append(Relative(system, other, relation))
    return {subject: tuple(relatives) for subject, relatives in found.items()}


def _with_relatives(case: Case, relatives: Mapping[tuple[str, int], tuple[Relative, ...]]) -> Case:
    """Those who are easily taken for the person, or for the best candidate."""
    if case.entity is not Entity.STUDENT:
        return case
    ours = relatives.get((VERACROSS, case.veracross_id or 0), ())
    record = case.candidates[0].orah_id if case.candidates else case.orah_id
    return replace(case, relatives=ours + relatives.get((ORAH, record or 0), ()))
