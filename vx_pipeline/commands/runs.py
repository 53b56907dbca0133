"""Running a job through Dagster from the shell, and saying in plain words how it ended."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import yaml  # type: ignore[import-untyped]  # comes with Dagster, which reads its settings with it

from vx_pipeline import clock
from vx_pipeline.errors import ConfigurationError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.plans import StoredPlan, latest_plan
from vx_pipeline.settings import Settings

POLL_SECONDS = 0.2

HELD_CHECK = "nothing_is_held"
"""The check that fails, without stopping anything, while changes wait for a person."""

Progress = Callable[[int, int], None]
"""Called with the steps that are done and the steps there are."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        run_id: Dagster's id of the run.
        started_at: when it was asked for; aware, UTC. What the run wrote is not older.
        success: whether every step succeeded.
        failures: what failed, in words: steps, and checks with severity error.
        read: metadata of each materialised asset, by its key.
        skipped: steps that were not reached.
    """

    run_id: str
    started_at: datetime
    success: bool
    failures: tuple[str, ...]
    read: Mapping[str, Mapping[str, Any]]
    skipped: tuple[str, ...]


def configuration_file(settings: Settings) -> Path:
    """Dagster's configuration in its folder: ``DAGSTER_HOME``, or ``$VX_HOME/dagster``; it need not be there."""
    return Path(os.environ.get("DAGSTER_HOME") or settings.home / "dagster").absolute() / "dagster.yaml"


def dagster_home(settings: Settings) -> Path:
    """Dagster's folder, made where it is not there, with the configuration that ships here."""
    configuration = configuration_file(settings)
    home = configuration.parent
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not configuration.exists():
        shipped = resources.files("vx_pipeline").joinpath("deploy/dagster.yaml")
        configuration.write_text(shipped.read_text())
    return home


@contextmanager
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance that the UI shows, too.

    Raises:
        ConfigurationError: its ``dagster.yaml`` is broken.
    """
    home = dagster_home(settings)
    try:
        found = dg.DagsterInstance.from_config(str(home))
    except (dg.DagsterInvalidConfigError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f"{home / 'dagster.yaml'} cannot be used ({type(error).__name__}).",
            remedy="Correct it, or delete it: the next command writes the one that comes with the pipeline.",
        ) from None
    with found:
        yield found


def run_job(
    dagster_instance: dg.DagsterInstance,
    job_name: str,
    school: str,
    *,
    day: date | None = None,
    run_config: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Runs a job for one school, or for one day of it, in this process and waits for its end."""
    from vx_pipeline.assets.partitions import school_day_key
    from vx_pipeline.definitions import defs

    job = defs.resolve_job_def(job_name)
    run_id = str(uuid4())
    started_at = clock.now()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    with _watched(dagster_instance, run_id, len(job.nodes), progress):
        result = job.execute_in_process(
            run_config={**(run_config or {}), **quiet},
            instance=dagster_instance,
            partition_key=school if day is None else school_day_key(school, day),
            run_id=run_id,
            raise_on_error=False,
        )
    return _outcome(run_id, started_at, result, [node.name for node in job.nodes])


@contextmanager
def _watched(
    dagster_instance: dg.DagsterInstance, run_id: str, total: int, progress: Progress | None
) -> Iterator[None]:
    """Reports the steps that are done while a run goes on."""
    if progress is None:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if dagster_instance.has_run(run_id):
                progress(dagster_instance.get_run_stats(run_id).steps_succeeded, total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _outcome(
    run_id: str, started_at: datetime, result: dg.ExecuteInProcessResult, steps_there_are: Sequence[str]
) -> Outcome:
    read: dict[str, dict[str, Any]] = {}
    started: set[str | None] = set()
    failures: dict[str, list[str]] = {}
    for event in result.all_events:
        if event.is_step_start:
            started.add(event.step_key)
        elif event.is_step_failure:
            failures.setdefault(_step_failure(event), []).append((event.step_key or "").replace("__", "/"))
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
                told = "; ".join(str(value.value) for value in check.metadata.values())
                failed = failures.setdefault(f"{check.check_name} failed: {told}", [])
                failed.append(check.asset_key.to_user_string())
        elif event.is_step_materialization:
            materialization = event.step_materialization_data.materialization
            key = materialization.asset_key.to_user_string()
            read[key] = {name: value.value for name, value in materialization.metadata.items()}
    # One message for each cause: a scope that is missing stops six tables with the same words.
    causes = tuple(f"{', '.join(steps)}: {told}" for told, steps in failures.items())
    # Dagster tells nothing about steps that it did not come to.
    skipped = tuple(step for step in steps_there_are if step not in started)
    return Outcome(run_id, started_at, result.success, causes, read, skipped)


def _step_failure(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error and error.cause:
        error = error.cause
    if error and error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return "interrupted. What was written until then is noted in the journal; run again to do the rest."
    # Only the kind: the message of an error that nobody foresaw may hold people's data.
    return f"{error.cls_name if error else 'failed'} (the run's log in the UI has the details)"


def plan_of_run(journal: Journal, school: str, run_id: str) -> StoredPlan | None:
    """The plan that a run made, or None when it did not come that far."""
    plan = latest_plan(journal, school)
    return plan if plan and plan.run_id == run_id else None


def exit_code(outcome: Outcome, plan: StoredPlan | None) -> int:
    """0 done, 1 failed, 3 held for a person; what failed beside something that is held is a failure."""
    if plan and plan.hold_reason:
        return 3
    failures = [told for told in outcome.failures if f": {HELD_CHECK} failed" not in told]
    if failures or not outcome.success:
        return 1
    return 3 if plan and plan.held_steps else 0
