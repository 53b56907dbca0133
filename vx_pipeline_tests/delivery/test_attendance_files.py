"""Attendance as files: whole or not at all, the newest day, and safe to open."""

import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.delivery import csv_text, manifest
from vx_pipeline.delivery.attendance_files import (
    ALERTS,
    INSIGHTS,
    AttendanceDelivery,
    collect_attendance,
    write_attendance,
)
from vx_pipeline.delivery.writer import Delivered
from vx_pipeline.errors import VxError
from vx_pipeline_tests.insights.marks import Connection, build, land_marks, mark, students
from vx_pipeline_tests.world import TODAY

MADE = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)


def row(columns: Mapping[str, str], **values: Any) -> dict[str, Any]:
    return dict.fromkeys(columns.values()) | values


DELIVERY = AttendanceDelivery(
    date(2026, 11, 25),
    {
        "attendance_insights.csv": [
            row(INSIGHTS, student_id=1, last_name="=1+1", is_boarder=True, rate=0.86666, sessions=30),
            row(INSIGHTS, student_id=2, is_boarder=False, rate=1.0, first_missed_at=date(2026, 11, 2)),
        ],
        "attendance_alerts.csv": [row(ALERTS, student_id=1, value=3.0, threshold=2.5)],
    },
    {"North House": "<svg>north</svg>", "Day students": "<svg>day</svg>"},
)


def writer(folder: Path, keep: int = 14) -> Callable[[AttendanceDelivery], Delivered | None]:
    """Writes to a folder; its clock goes on by a minute each time it is asked."""
    made = iter(range(1_000))
    return partial(
        write_attendance,
        folder,
        school="north",
        keep=keep,
        now=lambda: MADE + timedelta(minutes=next(made)),
    )


def cells(folder: Path, file: str) -> list[dict[str, str]]:
    return csv_text.decode((folder / "latest" / file).read_bytes())


def test_figures_alerts_and_pictures_stand_beside_a_manifest(tmp_path: Path) -> None:
    delivered = writer(tmp_path)(DELIVERY)
    assert delivered is not None
    assert delivered.is_new
    assert delivered.rows == {"attendance_insights.csv": 2, "attendance_alerts.csv": 1}
    assert delivered.path.samefile(tmp_path / "latest")
    assert sorted(one.name for one in delivered.path.iterdir()) == [
        "attendance_alerts.csv",
        "attendance_insights.csv",
        "manifest.json",
        "week_day_students.svg",
        "week_north_house.svg",
    ]
    first, second = cells(tmp_path, "attendance_insights.csv")
    assert (first["Student Reference"], first["Boarder"], first["Rate"]) == ("1", "true", "0.8667")
    assert (second["Boarder"], second["Rate"], second["Rate Before"]) == ("false", "1", "")
    assert second["First Missed At"] == "2026-11-02"
    (alert,) = cells(tmp_path, "attendance_alerts.csv")
    assert (alert["Value"], alert["Threshold"]) == ("3", "2.5")
    told = json.loads((delivered.path / "manifest.json").read_bytes())
    assert (told["school"], told["made_at"], told["as_of"]) == ("north", "2026-11-26T08:30:00Z", "2026-11-25")
    assert told["files"]["week_north_house.svg"]["house"] == "North House"
    assert told["files"]["attendance_insights.csv"]["rows"] == 2
    assert manifest.whole_files(delivered.path) is not None


def test_a_name_runs_nothing_in_a_spreadsheet_and_the_files_are_private(tmp_path: Path) -> None:
    writer(tmp_path)(DELIVERY)
    assert b", =1+1," in (tmp_path / "latest" / "attendance_insights.csv").read_bytes()
    for path in (tmp_path / "latest").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_again_makes_no_folder_and_an_older_day_never_counts(tmp_path: Path) -> None:
    write = writer(tmp_path)
    first = write(DELIVERY)
    again = write(DELIVERY)
    assert first is not None
    assert again is not None
    assert (again.is_new, again.path) == (False, first.path)
    assert write(replace(DELIVERY, as_of=date(2026, 11, 24), pictures={})) is None
    assert first.path.samefile(tmp_path / "latest")
    later = write(replace(DELIVERY, as_of=date(2026, 11, 26), pictures={}))
    assert later is not None
    assert later.is_new


def test_a_damaged_delivery_does_not_keep_a_whole_one_out(tmp_path: Path) -> None:
    write = writer(tmp_path)
    write(replace(DELIVERY, as_of=date(2026, 11, 26)))
    (tmp_path / "latest" / "attendance_alerts.csv").write_bytes(b"")
    mended = write(DELIVERY)
    assert mended is not None
    assert mended.is_new


def test_old_deliveries_go(tmp_path: Path) -> None:
    write = writer(tmp_path, keep=2)
    for number in range(4):
        write(replace(DELIVERY, pictures={"North House": f"<svg>{number}</svg>"}))
    assert len([one for one in tmp_path.iterdir() if not one.is_symlink()]) == 2


def test_what_the_disk_refuses_leaves_the_last_delivery_whole(
    tmp_path: Path, break_disk: Callable[[], None]
) -> None:
    write = writer(tmp_path)
    first = write(DELIVERY)
    assert first is not None
    break_disk()
    with pytest.raises(VxError, match="could not be written"):
        write(replace(DELIVERY, as_of=date(2026, 11, 26), pictures={}))
    assert first.path.samefile(tmp_path / "latest")
    assert manifest.whole_files(first.path) is not None


@pytest.fixture
def break_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on the disk takes no folder's name any more."""

    def refuse(path: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    return lambda: monkeypatch.setattr(Path, "rename", refuse)


@given(st.dictionaries(st.text(min_size=1, max_size=60), st.just("<svg/>"), max_size=6))
def test_every_house_has_a_picture_whatever_it_is_called(
    tmp_path_factory: pytest.TempPathFactory, pictures: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("houses")
    delivered = writer(folder)(replace(DELIVERY, pictures=pictures))
    assert delivered is not None
    told = json.loads((delivered.path / "manifest.json").read_bytes())["files"]
    assert sorted(one["house"] for one in told.values() if "house" in one) == sorted(pictures)
    for name in told:
        assert name.isascii()
        assert "/" not in name
        assert (delivered.path / name).is_file()


def test_rows_come_with_the_names_that_students_go_by(connection: Connection) -> None:
    students(connection, 1, 2)
    land_marks(connection, [mark(1, 1, TODAY, "unexcused"), mark(2, 1, TODAY, "unexcused", at="10:00")])
    build(connection)
    found = collect_attendance(connection, TODAY, {})
    insights, alerts = (found.rows[f"attendance_{kind}.csv"] for kind in ("insights", "alerts"))
    assert len(insights) == 2 * 3
    assert {(one["student_id"], one["first_name"], one["last_name"]) for one in insights} == {
        (1, "Kit", "Moss"),
        (2, "Kit", "Moss"),
    }
    assert [(one["student_id"], one["rule"], one["last_name"]) for one in alerts] == [
        (1, "Unexcused absences", "Moss")
    ]
    for file, columns in (("insights", INSIGHTS), ("alerts", ALERTS)):
        rows = found.rows[f"attendance_{file}.csv"]
        assert set(columns.values()) <= set(rows[0])
