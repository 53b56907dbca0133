"""Backfill: days whose marks waited for a person, pushed once the person's word stands.

A decision about who is who, or an answer to a question about a mark: in either case exactly the days and students
that it touches, inside the edit window.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import dagster as dg

from vx_pipeline.automation.decisions import attempt, for_each_school
from vx_pipeline.automation.news import digest
from vx_pipeline.automation.push import MIDDLE, push_attendance_job, push_request
from vx_pipeline.journal.cases import ORAH, find_cases, get_person
from vx_pipeline.journal.decisions import Decision, Entity, Kind, decisions_after
from vx_pipeline.journal.ledger import LARGEST_ID
from vx_pipeline.journal.mark_questions import answered_days
from vx_pipeline.journal.marks import days_marked_by_another_link, marked_days
from vx_pipeline.journal.push_memory import days_without_match
from vx_pipeline.session import SchoolSession

SENSOR_INTERVAL_SECONDS = 60

CAUSE = "vx/cause"
"""Run tag: what a push is for."""


@dataclass(frozen=True)
class Backfill:
    """One day to push again: whose, and what it is for; equal causes are one and the same backfill."""

    day: date
    orah_ids: tuple[int, ...]
    cause: str


def backfills(session: SchoolSession) -> list[Backfill]:
    """The days whose marks waited for a word that stands now, oldest first.

    * Time away of a record that was nobody's, and is somebody's now.
    * Days that a decision was said to touch, and days with marks that rest on a link which a decision ended.
    * Questions about marks that a person has answered.
    """
    oldest = session.today() - timedelta(days=session.school.policies.attendance.days_back)
    found: dict[date, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(orah_id: int, days: Iterable[date], reason: str) -> None:
        for day in days:
            if oldest <= day <= session.today():
                found[day][orah_id].add(reason)

    in_doubt = _in_doubt(session)
    for orah_id, days in days_without_match(session.journal, session.key, first=oldest).items():
        if (owner := _owner(session, orah_id, in_doubt)) is not None:
            add(orah_id, days, f"student {owner}")
    for decision in _recent(session):
        assert decision.orah_id is not None
        add(decision.orah_id, _days(session, decision, oldest, in_doubt), f"decision {decision.number}")
    for day, answers in answered_days(session.journal, session.key).items():
        for orah_id, number in answers:
            add(orah_id, [day], f"answer {number}")
    return [
        Backfill(day, tuple(sorted(ids)), _digest(day, ids.items())) for day, ids in sorted(found.items())
    ]


def _recent(session: SchoolSession) -> list[Decision]:
    """Decisions of the edit window about pairs of student and record. Each set of them is pushed once.

    So long, because it may take days until a match takes one in. They drop out day by day: each that drops out by
    itself would make another set of the rest, and another push.
    """
    first = session.today() - timedelta(days=max(1, session.school.policies.attendance.days_back))
    since = datetime.combine(first, time.min, tzinfo=session.school.zone)
    return [
        one
        for one in decisions_after(session.journal, 0, session.key, since=since)
        if one.entity is Entity.STUDENT and one.orah_id is not None and one.veracross_id is not None
    ]


def _days(
    session: SchoolSession, decision: Decision, oldest: date, in_doubt: Collection[int | None]
) -> tuple[date, ...]:
    """The days that a decision touches, once the matching has taken it in; none before."""
    assert decision.orah_id is not None
    assert decision.veracross_id is not None
    linked = _owner(session, decision.orah_id, in_doubt) == decision.veracross_id
    if decision.kind is Kind.SAME:
        return (*decision.days, *_marked_otherwise(session, decision, oldest)) if linked else ()
    if decision.kind in (Kind.NEVER, Kind.UNLINK, Kind.UNDO) and not linked:
        return marked_days(
            session.journal,
            session.key,
            student_id=decision.veracross_id,
            orah_id=decision.orah_id,
            first=oldest,
        )
    return ()


def _marked_otherwise(session: SchoolSession, decision: Decision, oldest: date) -> tuple[date, ...]:
    """Days with marks of the student by another record, or by this record in another student's rows."""
    assert decision.orah_id is not None
    assert decision.veracross_id is not None
    return days_marked_by_another_link(
        session.journal,
        session.key,
        student_id=decision.veracross_id,
        orah_id=decision.orah_id,
        first=oldest,
    )


def _owner(session: SchoolSession, orah_id: int, in_doubt: Collection[int | None]) -> int | None:
    """The student that the newest matching linked to a record in Orah; None while that link is in doubt."""
    person = get_person(session.journal, session.key, Entity.STUDENT, ORAH, orah_id)
    return person.linked_to if person and orah_id not in in_doubt else None


def _in_doubt(session: SchoolSession) -> set[int | None]:
    """Records whose link the newest matching left to a person: nothing is written on their account."""
    cases, _ = find_cases(
        session.journal, session.key, entity=Entity.STUDENT, kind="contested", limit=LARGEST_ID
    )
    return {case.orah_id for case in cases}


@dg.sensor(
    job_name=push_attendance_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Pushes the days of attendance that waited for a person's word, once it stands.",
)
def backfill_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Needs no cursor: what waits stands in the journal, and what a run was for stands in its tag."""
    return for_each_school(context, _requests, "No days wait for anybody's word.")


def _requests(context: dg.SensorEvaluationContext, session: SchoolSession) -> list[dg.RunRequest]:
    return [
        push_request(
            session.key,
            one.day,
            one.orah_ids,
            f"{session.key}:{one.cause}:{attempt(session)}",
            tags={CAUSE: f"{session.key}:{one.cause}"},
            priority=MIDDLE,
        )
        for one in backfills(session)
        if not _went_well(context.instance, f"{session.key}:{one.cause}")
    ]


def _went_well(instance: dg.DagsterInstance, cause: str) -> bool:
    """Whether a run for this cause succeeded, or is on its way."""
    given_up = {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
    runs = instance.get_runs(filters=dg.RunsFilter(tags={CAUSE: cause}))
    return any(run.status not in given_up for run in runs)


def _digest(day: date, reasons: Iterable[tuple[int, Iterable[str]]]) -> str:
    told = [f"{orah_id}: {', '.join(sorted(why))}" for orah_id, why in reasons]
    return f"backfill:{day}:{digest(told)}"
