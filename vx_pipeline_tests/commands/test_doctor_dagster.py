"""`vx doctor` and Dagster's configuration: one of an older release is told, one that a school edited is not."""

from importlib import resources
from pathlib import Path

import pytest

from vx_pipeline.commands.doctor_dagster import dagster_configuration
from vx_pipeline.settings import Settings, load_settings

SHIPPED = resources.files("vx_pipeline").joinpath("deploy/dagster.yaml").read_text()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return load_settings()


def test_where_there_is_no_configuration_there_is_nothing_to_say(settings: Settings) -> None:
    assert list(dagster_configuration(settings)) == []


@pytest.mark.parametrize(
    ("written", "lacks"),
    [
        (SHIPPED, ""),
        (SHIPPED.replace("max_concurrent_runs: 4", "max_concurrent_runs: 9"), ""),
        (SHIPPED.replace("sensors:", "schedules:"), "sensors"),
        (SHIPPED.replace("key: dagster/partition/school", "key: school"), "concurrency"),
        ("telemetry: {enabled: false}", "concurrency, retention, sensors"),
        ("- [", "concurrency, retention, sensors"),
    ],
)
def test_what_an_older_configuration_lacks_is_told(
    settings: Settings, tmp_path: Path, written: str, lacks: str
) -> None:
    (tmp_path / "dagster.yaml").write_text(written)
    (found,) = dagster_configuration(settings)
    assert found.well == (not lacks)
    assert f"has no {lacks} as" in found.told or not lacks
    assert ("delete it" in found.remedy) == bool(lacks)
