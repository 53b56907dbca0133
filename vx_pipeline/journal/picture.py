"""The words for the picture that a run leaves of who is who: people, cases, candidates, evidence.

Values of people are kept out of every ``repr``: those end up in logs.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from vx_pipeline.journal.ledger import Entity, Seen

VERACROSS = "veracross"
ORAH = "orah"


@dataclass(frozen=True)
class Evidence:
    """What one field says about two records being one person.

    Args:
        field: ``sis_id``, ``email``, ``first_name``, ``last_name``, ``birth_date``, ``middle_name``, ``sex``,
            ``grade``, ``student_number``, ``postcode`` or ``street``.
        ours: the value in Veracross.
        theirs: the value in Orah.
        level: how well they agree, such as ``exact`` or ``near``.
        bits: log2 weight of that agreement; negative when it speaks against.
        total: sum of the bits so far; the last one is the score.
    """

    field: str
    ours: str | None = dataclasses.field(repr=False)
    theirs: str | None = dataclasses.field(repr=False)
    level: str
    bits: float
    total: float


@dataclass(frozen=True)
class Candidate:
    """A record of Orah that could be the person.

    Args:
        orah_id: the record.
        rank: 1 for the best.
        score: in bits.
        gap: bits ahead of (+) or behind (-) the next best candidate of either record; None without another.
        rule: the pattern that fits, such as ``exact / exact / missing``, ``sis_id`` or ``email``.
        why: why it was not linked by itself, as a sentence.
        conflict: whether something contradicts it.
        evidence: field by field, in the order of the running total.
    """

    orah_id: int
    rank: int
    score: float
    gap: float | None
    rule: str
    why: str = dataclasses.field(repr=False)
    conflict: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Relative:
    """Somebody who is easily taken for the person: a twin, a sibling, a namesake.

    Args:
        system: ``veracross`` or ``orah``.
        person_id: the id there.
        relation: ``twin``, ``sibling`` or ``same name``.
    """

    system: str
    person_id: int
    relation: str


@dataclass(frozen=True)
class Case:
    """A question to a person.

    Args:
        case_id: the same in every run: ``student-v81`` for a person of Veracross, ``student-o501`` for a record of
            Orah that nobody stands behind, ``house-v7``.
        entity: kind of record.
        kind: ``unmatched``, ``conflict``, ``contested`` (a link that is there is contradicted), ``reopened`` (a
            decided pair changed) or ``orphan`` (a record of Orah without anyone).
        veracross_id: the person; None for an orphan.
        orah_id: the linked record of a contested or reopened case, or the orphan.
        reason: why a person is asked, as a sentence.
        pattern: what cases that may be confirmed together have in common; None when this one may not.
        score: of the best candidate, in bits; 0 without candidates.
        house: where the person lives.
        grade: the person's grade level.
        relatives: who is easily taken for the person.
        candidates: best first.
        opened_at: the run that asked first, while the case stayed open.
    """

    case_id: str
    entity: Entity
    kind: str
    veracross_id: int | None
    orah_id: int | None
    reason: str = dataclasses.field(repr=False)
    pattern: str | None
    score: float
    house: str | None = dataclasses.field(repr=False)
    grade: str | None
    relatives: tuple[Relative, ...]
    candidates: tuple[Candidate, ...]
    opened_at: datetime


@dataclass(frozen=True)
class Person:
    """A record of one system as the newest run saw it.

    Args:
        system: ``veracross`` or ``orah``.
        entity: kind of record.
        person_id: the id there.
        shown: fields as they are written there: ``first_name``, ``preferred_name``, ``alt_name``,
            ``middle_name``, ``last_name``, ``birth_date``, ``sex``, ``grade``, ``email``, ``house``,
            ``student_type``, ``sis_id``, ``status``.
        folded: names in plain lower case with blanks between, for a search.
        digests: deciding field -> digest of the folded value.
        wanted: Orah fields; of Veracross as a sync would write them, of Orah as they are now.
        days_away: of Orah: days of the edit window with time away, whose marks wait for a match.
        linked_to: the id in the other system.
        rule: what linked them.
        linked_at: since when.
        score: of the link, in bits.
        evidence: of the link, on the side of Veracross.
    """

    system: str
    entity: Entity
    person_id: int
    shown: Mapping[str, str | None] = dataclasses.field(repr=False)
    folded: str = dataclasses.field(repr=False)
    digests: Mapping[str, str | None] = dataclasses.field(repr=False)
    wanted: Mapping[str, Any] = dataclasses.field(repr=False)
    days_away: tuple[date, ...] = ()
    linked_to: int | None = None
    rule: str | None = None
    linked_at: datetime | None = None
    score: float | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class PersonSummary:
    """What lists and the search need of a person; see ``Person``."""

    system: str
    entity: Entity
    person_id: int
    shown: Mapping[str, str | None] = dataclasses.field(repr=False)
    folded: str = dataclasses.field(repr=False)
    linked_to: int | None


@dataclass(frozen=True)
class Matching:
    """One run that matched a school.

    Args:
        school: the school's key.
        run_id: Dagster's run.
        at: when it matched.
        read_at: the older of the two reads of students; how old the picture is.
        policy_version: the rules that it followed.
        newest_decision: number of the newest decision that it took in; later ones count from the next run on.
        counts: ``students``, ``records``, ``linked``, ``linked by <rule>``, ``waiting``, ``conflicts``, ...
    """

    school: str
    run_id: str
    at: datetime
    read_at: datetime | None
    policy_version: str
    counts: Mapping[str, int]
    newest_decision: int = 0


def seen_fields(ours: Person | None, theirs: Person | None) -> Seen:
    """The fingerprint of what a person sees when deciding about these records; a side may be missing."""
    left = ours.digests if ours else {}
    right = theirs.digests if theirs else {}
    return {name: (left.get(name), right.get(name)) for name in sorted({*left, *right})}
