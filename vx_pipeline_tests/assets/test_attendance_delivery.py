"""Attendance for people as an asset: files, the page's views, and a picture without anybody's name."""

import base64
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import dagster as dg
import pytest

from vx_pipeline import clock
from vx_pipeline.assets.alerts import MOST_TOLD
from vx_pipeline.assets.attendance_delivery import alert_words, attendance_files
from vx_pipeline.assets.partitions import school_day_key
from vx_pipeline.assets.resources import Schools
from vx_pipeline.assets.unwatched import UNWATCHED, tell_unwatched
from vx_pipeline.attendance_policy import InsightsPolicy
from vx_pipeline.insights.day import read_day
from vx_pipeline.insights.house_week import house_week, house_week_by_id, most_missed
from vx_pipeline.journal import open_journal
from vx_pipeline.journal.attendance_views import (
    Alert,
    alerts_now,
    published_attendance,
    student_term,
    week_of,
)
from vx_pipeline.journal.due_pushes import note_look
from vx_pipeline.journal.intents import record_intent
from vx_pipeline.journal.problems import open_problems
from vx_pipeline.sandbox import Sandbox
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import SANDBOX, load_settings
from vx_pipeline_tests.assets.test_alerts import receiver
from vx_pipeline_tests.insights.marks import EVENING, Connection, build, land_marks, mark, students
from vx_pipeline_tests.running import point_at
from vx_pipeline_tests.world import TODAY, open_school

YESTERDAY = TODAY - timedelta(days=1)
MARKS = [
    mark(1, 1, TODAY, "unexcused", at="08:00"),
    mark(2, 1, TODAY, "unexcused", at="09:00"),
    mark(3, 1, YESTERDAY, "late"),
    mark(4, 2, TODAY, "present", at="08:00"),
    mark(5, 3, TODAY, "excused", at="00:00"),
]


@pytest.fixture
def folder(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a school with marks of two days."""
    point_at(sandbox, tmp_path / "vx", monkeypatch)
    found = load_settings().school_folder(SANDBOX)
    found.mkdir(parents=True)
    with open_school(found) as connection:
        fill(connection)
    return found


def fill(connection: Connection) -> None:
    students(connection, 1, 2, 3)
    land_marks(connection, MARKS)
    for day in (YESTERDAY, TODAY):
        build(connection, day)


def materialize(instance: dg.DagsterInstance, day: date) -> dict[str, object]:
    result = dg.materialize(
        [attendance_files],
        partition_key=school_day_key(SANDBOX, day),
        resources={"schools": Schools()},
        instance=instance,
    )
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


@pytest.mark.filterwarnings("ignore:Non-compliant tag keys")  # Dagster's own, of two dimensions
def test_files_and_page_show_the_newest_day_and_dagster_no_name(folder: Path) -> None:
    latest = folder / "import" / "attendance" / "latest"
    with dg.DagsterInstance.ephemeral() as instance:
        told = materialize(instance, TODAY)
        assert Path(str(told["path"])).samefile(latest)
        assert told["new content"] is True
        assert (folder / "warehouse.read.duckdb").exists(), "analysts see today's figures, too"
        assert told["days new on the page"] == 2
        assert "| Maple House | 3 | 40\N{NO-BREAK SPACE}% | 3 | 1 |" in str(told["houses"])
        svg = picture(told)
        assert labels(svg) == ["1", "3", "2"], "those who missed most first"
        assert "Moss" not in str(told) + ElementTree.tostring(svg, encoding="unicode")
        older = materialize(instance, YESTERDAY)
        assert older["new content"] is False
        assert "later day" in str(older["files"])
        assert materialize(instance, TODAY)["new content"] is False
    assert "Kit Moss" in (latest / "week_maple_house.svg").read_text()
    journal = open_journal(load_settings().home)
    published = published_attendance(journal, SANDBOX)
    assert published is not None
    assert (published.as_of, published.first_day) == (TODAY, date(2026, 9, 1))
    assert {one.standing.student_id: len(one.days) for one in week_of(journal, SANDBOX, TODAY)} == {
        1: 2,
        2: 1,
        3: 1,
    }
    found = student_term(journal, SANDBOX, 1)
    assert found is not None
    assert found.standing.house == "Maple House"
    assert found.standing.windows["7_days"]["unexcused"] == 2
    assert found.standing.windows["term"]["last_missed_at"] == f"{TODAY}T09:00:00"
    assert [tuple(one) for one in found.days[TODAY]] == [
        ("08:00", 100, "unexcused"),
        ("09:00", 100, "unexcused"),
    ]
    assert [(one.student_id, one.rule, one.value) for one in alerts_now(journal, SANDBOX)] == [
        (1, "Unexcused absences", 2.0)
    ]
    journal.close()


def test_an_alert_is_told_once_to_whoever_is_to_know(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as (url, told), dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("VX_ALERT_URL", url)
        materialize(instance, TODAY)
        (one,) = told
        assert one["text"] == "sandbox: 1 new attendance alert. Unexcused absences: student 1"
        assert (one["school"], one["opened"], one["closed"]) == ("sandbox", 1, 0)
        for day in (TODAY, YESTERDAY):
            materialize(instance, day)
        assert told == [one], "neither again nor for an older day"


def test_a_school_whose_orah_nobody_looks_at_for_a_day_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda zone=UTC: EVENING.replace(tzinfo=UTC).astimezone(zone))
    with SchoolSession(load_settings(), SANDBOX) as session, dg.DagsterInstance.ephemeral() as instance:

        def told() -> list[tuple[str, str]]:
            materialize(instance, TODAY)
            return [(one.colour, one.told) for one in open_problems(session.journal, SANDBOX)]

        assert told() == [], "no marks were ever written"
        day_ago = session.now() - UNWATCHED
        note_look(session.journal, SANDBOX, at=day_ago + timedelta(minutes=5))
        a_mark_written(session, at=day_ago)
        assert told() == []
        note_look(session.journal, SANDBOX, at=day_ago)
        ((colour, reason),) = told()
        assert colour == "red"
        assert reason.startswith("look: nobody has looked at Orah since ")
        assert reason.endswith("switch on the sensor movements_sandbox")


@pytest.mark.parametrize(("hours", "is_told"), [(23, False), (25, True)])
def test_a_sensor_that_was_never_on_is_told_a_day_after_the_first_mark(
    folder: Path, hours: int, *, is_told: bool
) -> None:
    with SchoolSession(load_settings(), SANDBOX) as session:
        a_mark_written(session, at=session.now() - timedelta(hours=hours))
        tell_unwatched(session)
        assert bool(open_problems(session.journal, SANDBOX)) == is_told


def a_mark_written(session: SchoolSession, *, at: datetime) -> None:
    record_intent(
        session.journal, school=session.key, at=at, system="veracross", entity="class_attendance",
        action="update", key=1, target_id=1, body={}, cause="run",
    )  # fmt: skip


def test_many_alerts_are_told_in_short() -> None:
    found = [Alert(one, "Often late", "7_days", "late", 6, 5, TODAY) for one in range(1, MOST_TOLD + 4)]
    text = alert_words([*found, Alert(9, "Away", "7_days", "absent", 9, 5, TODAY)])
    assert text.startswith(
        f"{MOST_TOLD + 4} new attendance alerts. Away: student 9; Often late: student 1, 2, "
    )
    assert text.endswith(f"{MOST_TOLD} and 3 more")


def test_the_house_s_week_begins_before_the_term(connection: Connection) -> None:
    students(connection, 1)
    back = {2: "late", 6: "unexcused", 7: "present"}
    land_marks(connection, [mark(one, 1, TODAY - timedelta(days=one), kind) for one, kind in back.items()])
    build(connection, policy=InsightsPolicy(term_starts=(TODAY - timedelta(days=90), TODAY)))
    day = read_day(connection, TODAY, EVENING)
    assert (day.first_day, sorted(day.marks)) == (TODAY, [TODAY - timedelta(days=one) for one in (6, 2)])
    assert len(house_week(day, "Maple House").rows[0].cells) == 2


def test_a_meeting_without_a_time_has_none_and_one_to_come_is_left_out(connection: Connection) -> None:
    fill(connection)
    day = read_day(connection, TODAY, EVENING)
    assert day.marks[TODAY][3] == (("", 100, "excused"),)
    morning = read_day(connection, TODAY, EVENING.replace(hour=8, minute=30))
    assert morning.marks[TODAY][1] == (("08:00", 100, "unexcused"),)


def test_the_house_that_missed_the_largest_share_is_shown_not_the_largest(connection: Connection) -> None:
    students(connection, 1, 2, 3, 4)
    connection.execute("DELETE FROM roster.boarders WHERE student_id = 4")
    told = [mark(10 + each, each, TODAY, kind, at="08:00") for each, kind in enumerate(["excused"] * 2, 1)]
    land_marks(connection, [*told, mark(20, 3, TODAY, "present"), mark(21, 4, TODAY, "excused")])
    build(connection)
    assert most_missed(read_day(connection, TODAY, EVENING)) == "Day students"


def test_the_picture_by_id_is_no_larger_than_it_may_be(connection: Connection) -> None:
    fill(connection)
    day = read_day(connection, TODAY, EVENING)
    assert most_missed(day) == "Maple House"
    by_id = house_week_by_id(day, "Maple House", most=2)
    assert [row.label for row in by_id.rows] == ["1", "3"]
    assert by_id.heading.startswith("Maple House, 2 of 3 students, ")
    assert [row.label for row in house_week(day, "Maple House").rows] == ["Kit Moss"] * 3


def picture(told: dict[str, object]) -> ElementTree.Element:
    found = re.search(
        r"data:image/svg\+xml;base64,([^)]*)\)", str(told["week of the house that missed most"])
    )
    assert found
    return ElementTree.fromstring(base64.b64decode(found.group(1)))


def labels(svg: ElementTree.Element) -> list[str]:
    rows = (one for one in svg.iter() if one.get("class") == "vx-row")
    return ["".join(row.itertext()).strip() for row in rows]
