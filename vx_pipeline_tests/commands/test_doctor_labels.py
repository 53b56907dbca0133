"""What `vx doctor` says of the statuses of class attendance and of what a school says that they mean."""

from pathlib import Path

import pytest

from vx_pipeline.commands.doctor_labels import known_labels
from vx_pipeline.schema import ValueList
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.conftest import SandboxFactory
from vx_pipeline_tests.running import point_at
from vx_pipeline_tests.world import READ_AT, open_school

ITEMS = [
    {"id": 1, "description": "Present"},
    {"id": 2, "description": "Late"},
    {"id": 3, "description": "Absent - Excused"},
    {"id": 7, "description": "Absent - Unexcused"},
    {"id": 4, "description": "Left early"},
    {"id": 5, "description": "Absent - Medical"},
    {"id": 6, "description": "Code Red", "obsolete": True},
]


def test_statuses_of_unknown_meaning_and_misspelt_ones_are_told(
    make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make_sandbox(24)
    point_at(sandbox, tmp_path / "vx", monkeypatch)
    kinds = '{"Absent - Medicle": "excused", "code red": "excused"}'
    monkeypatch.setenv("VX_POLICIES__INSIGHTS__STATUS_KINDS", kinds)
    settings = load_settings()
    folder = settings.school_folder(SANDBOX)
    folder.mkdir(parents=True)
    with open_school(folder) as connection:
        lists = [ValueList(("status",), ITEMS)]
        collection = ENDPOINTS["class_attendance"].collection
        land(connection, collection, [], read_at=READ_AT, value_lists=lists, may_be_empty=True)
    with SchoolSession(settings, SANDBOX) as session:
        found = {one.what: one for one in known_labels(session)}
    wrong = {what for what, one in found.items() if not one.well}
    misspelt = "label of insights.status_kinds 'Absent - Medicle'"
    assert wrong == {misspelt, "attendance status 'Left early'"}
    assert "Absent - Medical" in found[misspelt].remedy
    assert "status_kinds" in found["attendance status 'Left early'"].remedy
    assert "counts as absent" in found["attendance status 'Absent - Medical'"].told
    assert "attendance status 'Present'" not in found
