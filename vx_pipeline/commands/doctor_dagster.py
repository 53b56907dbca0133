"""Whether Dagster's configuration is of an older release: what is new then does not hold, and nothing tells."""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import yaml  # type: ignore[import-untyped]  # as in runs.py

from vx_pipeline.commands.findings import Finding, finding
from vx_pipeline.commands.runs import configuration_file
from vx_pipeline.settings import Settings

_SECTIONS = ("concurrency", "retention", "sensors")
"""What runs and looks rest on. A school may set other numbers in them, or a storage of its own."""


def dagster_configuration(settings: Settings) -> Iterator[Finding]:
    """One finding where there is such a file: sections that it lacks, or other limits on runs of one school."""
    path = configuration_file(settings)
    if not path.exists():
        return
    shipped = yaml.safe_load(resources.files("vx_pipeline").joinpath("deploy/dagster.yaml").read_text())
    try:
        own = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError):
        own = None
    own = own if isinstance(own, dict) else {}
    other = [name for name in _SECTIONS if name not in own]
    if "concurrency" in own and _limits(own) != _limits(shipped):
        other.append("concurrency")
    told = f"{path} has no {', '.join(other)} as this release needs" if other else str(path)
    yield finding(
        "dagster",
        not other,
        told,
        "Compare it with vx_pipeline/deploy/dagster.yaml, or delete it and run `vx sync`.",
    )


def _limits(configuration: dict[str, Any]) -> Any:
    """How many runs of one school may go on at a time; None where nothing says so."""
    found: Any = configuration
    for name in ("concurrency", "runs", "tag_concurrency_limits"):
        found = found.get(name) if isinstance(found, dict) else None
    return found
