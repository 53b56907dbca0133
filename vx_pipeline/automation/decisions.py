"""Decisions take effect: a sensor sees them, and launches the match and everything that follows from it."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta

import dagster as dg

from vx_pipeline.assets.contacts import CONTACT_LINKS, CONTACTS
from vx_pipeline.assets.matching import CASES
from vx_pipeline.assets.sync import APPLIED, PLAN, READ_COPY
from vx_pipeline.automation.on_demand import REMATCH
from vx_pipeline.automation.push import push_attendance_job, push_request, quarter
from vx_pipeline.automation.red import tell_red
from vx_pipeline.errors import VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import VERACROSS, get_person, latest_matching
from vx_pipeline.journal.decisions import Decision, Entity, Kind, decisions_after, standing
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import load_settings

SENSOR_INTERVAL_SECONDS = 60

CAUSE = "vx/cause"
"""Run tag: the decisions that a push is for."""

REMEMBERED = timedelta(days=1)
"""How long after a decision its days of attendance are looked after. Each set of decisions is pushed once."""

_ORAH = dg.AssetSelection.assets(["orah", "students"], ["orah", "houses"], CONTACTS)
_MATCHING = dg.AssetSelection.assets(
    ["matching", "student_links"],
    ["matching", "review_queue"],
    ["matching", "evidence"],
    ["matching", "house_links"],
    CONTACT_LINKS,
    CASES,
)

rematch_job = dg.define_asset_job(
    name=REMATCH,
    # Orah is read again: a plan must not rest on what Orah said before our last writes. Veracross is not.
    selection=_ORAH | _MATCHING | dg.AssetSelection.assets(PLAN, APPLIED, READ_COPY),
    executor_def=dg.in_process_executor,
    hooks={tell_red},
    description="Matches again with people's newest decisions, and brings Orah up to date with them.",
)


def waiting_decisions(journal: Journal, school: str) -> list[Decision]:
    """Decisions that the newest matching has not taken in, oldest first; none before the first matching."""
    matching = latest_matching(journal, school)
    if matching is None:
        return []
    return decisions_after(journal, matching.newest_decision, school)


def days_to_backfill(session: SchoolSession) -> tuple[date, str] | None:
    """The first day whose marks waited for a link that stands now, and the numbers of the decisions behind it.

    What was decided within ``REMEMBERED`` counts; pushing a day again changes nothing that is right.
    """
    since = session.now() - REMEMBERED
    found = [
        decision
        for decision in standing(session.journal, session.key)
        if decision.kind is Kind.SAME
        and decision.entity is Entity.STUDENT
        and decision.days
        and decision.at >= since
        and _is_linked(session.journal, session.key, decision)
    ]
    if not found:
        return None
    return min(min(decision.days) for decision in found), "+".join(str(one.number) for one in found)


def _is_linked(journal: Journal, school: str, decision: Decision) -> bool:
    assert decision.veracross_id is not None
    person = get_person(journal, school, Entity.STUDENT, VERACROSS, decision.veracross_id)
    return person is not None and person.linked_to == decision.orah_id


@dg.sensor(
    job_name=rematch_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Watches the journal for people's decisions, and matches their school again.",
)
def decisions_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Needs no cursor: what waits stands in the journal, and a run key makes each set of decisions one run."""
    return for_each_school(context, _rematch_request, "No new decisions.")


@dg.sensor(
    job_name=push_attendance_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Pushes the days of attendance that waited for a link, once a decision made it.",
)
def backfill_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Waits until the link stands, so that the push finds it."""
    return for_each_school(context, _backfill_request, "No days wait for a link.")


def for_each_school(
    context: dg.SensorEvaluationContext,
    request: Callable[[dg.SensorEvaluationContext, SchoolSession], dg.RunRequest | None],
    otherwise: str,
) -> dg.SensorResult:
    """One request for each school that asks for one; a school in trouble does not hold up the others."""
    settings = load_settings()
    requests, skipped = [], []
    for key in settings.school_keys():
        try:
            with SchoolSession(settings, key) as session:
                found = request(context, session)
        except VxError as error:
            skipped.append(f"{key}: {error}")
            context.log.warning(skipped[-1])
            continue
        if found:
            requests.append(found)
    reason = dg.SkipReason("; ".join(skipped) or otherwise)
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else reason)


def _rematch_request(context: dg.SensorEvaluationContext, session: SchoolSession) -> dg.RunRequest | None:
    waiting = waiting_decisions(session.journal, session.key)
    if not waiting:
        return None
    return dg.RunRequest(
        run_key=f"{session.key}:decisions:{waiting[-1].number}:{attempt(session)}",
        partition_key=session.key,
        job_name=rematch_job.name,
    )


def _backfill_request(context: dg.SensorEvaluationContext, session: SchoolSession) -> dg.RunRequest | None:
    backfill = days_to_backfill(session)
    if backfill is None:
        return None
    first_day, numbers = backfill
    cause = f"{session.key}:backfill:{hashlib.sha256(numbers.encode()).hexdigest()[:16]}"
    if _went_well(context.instance, cause):
        return None
    return push_request(session.key, first_day, f"{cause}:{attempt(session)}", tags={CAUSE: cause})


def attempt(session: SchoolSession) -> str:
    """A run key is used up by its run, however that ends; what failed is tried again a quarter of an hour on."""
    return quarter(session.now())


def _went_well(instance: dg.DagsterInstance, cause: str) -> bool:
    """Whether a run for this cause succeeded, or is on its way."""
    given_up = {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
    runs = instance.get_runs(filters=dg.RunsFilter(tags={CAUSE: cause}))
    return any(run.status not in given_up for run in runs)
