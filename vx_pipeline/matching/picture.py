"""The picture that a run leaves in the journal, so that nobody who decides ever waits for the warehouse."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from vx_pipeline.journal.cases import Case, Matching, Person
from vx_pipeline.journal.decisions import Decision
from vx_pipeline.matching.fold import folding
from vx_pipeline.matching.portraits import houses, read_proofs, records, students
from vx_pipeline.matching.questions import Sources, questions
from vx_pipeline.warehouse.reads import last_whole_read


@dataclass(frozen=True)
class Picture:
    """One run's matching, its questions, and everybody who may be searched for."""

    matching: Matching
    cases: list[Case]
    people: list[Person]


def take_picture(
    connection: duckdb.DuckDBPyConnection,
    *,
    school: str,
    run_id: str,
    standing: Sequence[Decision],
    wanted: Mapping[int, Mapping[str, Any]],
    days_away: Mapping[int, tuple[date, ...]],
    ask_about_new: bool,
) -> Picture:
    """Reads what the last matching found.

    Args:
        connection: the school's warehouse, matched.
        school: the school's key.
        run_id: the run that matched.
        standing: the school's standing decisions.
        wanted: by Veracross id, Orah's fields as a sync would write them.
        days_away: by Orah id, the days of the edit window with time away.
        ask_about_new: whether a student without any candidate is a question.
    """
    with folding(connection):
        proofs = read_proofs(connection)
        people = [*students(connection, wanted, proofs), *records(connection, days_away), *houses(connection)]
    ((matched_at, policy_version, newest_decision),) = connection.execute(
        """
        SELECT matched_at, policy_version, least(run.newest_decision, houses.newest_decision)
        FROM matching.run AS run, matching.house_run AS houses
        """
    ).fetchall()
    asked_at = matched_at.replace(tzinfo=UTC)
    by_key = {(person.entity, person.system, person.person_id): person for person in people}
    cases = questions(connection, Sources(by_key, proofs, asked_at), standing, ask_about_new=ask_about_new)
    matching = Matching(
        school=school,
        run_id=run_id,
        at=asked_at,
        read_at=_read_at(connection),
        policy_version=policy_version,
        newest_decision=newest_decision,
        counts=_counts(connection, cases),
    )
    return Picture(matching, cases, people)


def _read_at(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """The older of the two reads that the picture rests on."""
    reads = [last_whole_read(connection, table) for table in ("veracross.students", "orah.students")]
    known = [read_at for read_at in reads if read_at is not None]
    return min(known).replace(tzinfo=UTC) if known else None


def _counts(connection: duckdb.DuckDBPyConnection, cases: Sequence[Case]) -> dict[str, int]:
    """Students at the school, active records, and links of the former; leavers keep links, and are left out."""
    row = connection.execute(
        """
        SELECT
            (SELECT count(*) FROM roster.students WHERE is_current),
            (SELECT count(*) FROM orah.students WHERE _missing_reads < 2 AND NOT deactivated),
            (
                SELECT count(*) FROM matching.student_links
                JOIN roster.students ON student_id = veracross_id
                WHERE is_current
            )
        """
    ).fetchone()
    assert row is not None
    by_rule = connection.execute(
        """
        SELECT 'linked by ' || rule, count(*)
        FROM matching.student_links
        JOIN roster.students ON student_id = veracross_id
        WHERE is_current
        GROUP BY ALL
        ORDER BY ALL
        """
    ).fetchall()
    kinds = Counter(case.kind for case in cases)
    return {
        "students": row[0],
        "records": row[1],
        "linked": row[2],
        **dict(by_rule),
        "waiting": len(cases),
        **{kind: kinds[kind] for kind in sorted(kinds)},
    }
