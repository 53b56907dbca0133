"""Decisions take effect: a sensor sees them, and launches the match and everything that follows from it."""

from collections.abc import Callable, Sequence

import dagster as dg

from vx_pipeline.assets.contacts import CONTACT_LINKS, CONTACTS
from vx_pipeline.assets.matching import CASES
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.sync import APPLIED, PLAN, READ_COPY
from vx_pipeline.automation.looking import quarter
from vx_pipeline.automation.on_demand import REMATCH
from vx_pipeline.automation.red import tell_red
from vx_pipeline.errors import ConfigurationError, in_words
from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import latest_matching
from vx_pipeline.journal.decisions import Decision, decisions_after
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import load_settings

SENSOR_INTERVAL_SECONDS = 60

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


@dg.sensor(
    job_name=rematch_job.name,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    description="Watches the journal for people's decisions, and matches their school again.",
)
def decisions_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Needs no cursor: what waits stands in the journal, and a run key makes each set of decisions one run."""
    return for_each_school(context, _rematch_request, "No new decisions.")


def for_each_school(
    context: dg.SensorEvaluationContext,
    request: Callable[[dg.SensorEvaluationContext, SchoolSession], Sequence[dg.RunRequest]],
    otherwise: str,
) -> dg.SensorResult:
    """The requests of each school; a school in trouble does not hold up the others."""
    settings = load_settings()
    loaded = SCHOOLS.get_partition_keys()
    requests: list[dg.RunRequest] = []
    skipped = []
    for key in settings.school_keys():
        try:
            if key not in loaded:
                raise ConfigurationError(
                    "This school was added after Dagster loaded the pipeline.",
                    remedy="Reload its code location.",
                )
            with SchoolSession(settings, key) as session:
                requests += request(context, session)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other schools go on
            skipped.append(f"{key}: {in_words(error)}")
            context.log.warning(skipped[-1])
    reason = dg.SkipReason("; ".join(skipped) or otherwise)
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else reason)


def _rematch_request(context: dg.SensorEvaluationContext, session: SchoolSession) -> list[dg.RunRequest]:
    waiting = waiting_decisions(session.journal, session.key)
    if not waiting:
        return []
    return [
        dg.RunRequest(
            run_key=f"{session.key}:decisions:{waiting[-1].number}:{attempt(session)}",
            partition_key=session.key,
            job_name=rematch_job.name,
        )
    ]


def attempt(session: SchoolSession) -> str:
    """A run key is used up by its run, however that ends; what failed is tried again a quarter of an hour on."""
    return quarter(session.now())
