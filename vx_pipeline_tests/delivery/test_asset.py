"""The asset: files where they belong, counts instead of names, and a warning with ids."""

from pathlib import Path

import dagster as dg
import pytest

from vx_pipeline.assets.delivery import import_files
from vx_pipeline.assets.resources import Schools
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline_tests.delivery.small_school import SMALL, derive_all
from vx_pipeline_tests.running import point_at
from vx_pipeline_tests.world import open_school, school


def materialize(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [import_files],
        partition_key=SANDBOX,
        resources={"schools": Schools()},
        instance=instance,
        raise_on_error=False,
    )


def told(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_the_asset_delivers_warns_and_keeps_the_last_good_files(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(sandbox, tmp_path / "vx", monkeypatch)
    folder = load_settings().school_folder(SANDBOX)
    folder.mkdir(parents=True)
    with open_school(folder) as connection:
        school(connection, **SMALL)
        derive_all(connection)
    with dg.DagsterInstance.ephemeral() as instance:
        first = materialize(instance)
        assert first.success
        metadata = told(first)
        assert metadata["new content"] is True
        assert metadata["set aside"] == 2
        assert "| group_members.csv | 4 |" in str(metadata["counts"])
        assert Path(str(metadata["path"])).samefile(folder / "import" / "latest")
        (check,) = first.get_asset_check_evaluations()
        assert (check.check_name, check.passed, check.severity) == (
            "nothing_set_aside",
            False,
            dg.AssetCheckSeverity.WARN,
        )
        assert {name: value.value for name, value in check.metadata.items()} == {
            "staff: no e-mail": "1: 71",
            "staff_member: the member of staff is set aside": "1: 201:71",
        }
        assert told(materialize(instance))["new content"] is False
        with open_school(folder) as connection:
            school(connection, **{**SMALL, "staff_faculty": []})
            derive_all(connection)
        broken = materialize(instance)
        assert not broken.success
        failure = next(event for event in broken.all_events if event.is_step_failure)
        assert "roster.staff is empty" in str(failure.step_failure_data.user_failure_data)
        assert (folder / "import" / "latest").samefile(str(metadata["path"]))
