"""Backfill: which days a person's word sets free, and what is left of the wrong child's marks after it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from vx_pipeline.automation.backfill import Backfill, backfills
from vx_pipeline.journal.cases import ORAH, Case, Matching, Person, record_matching
from vx_pipeline.journal.decisions import Entity, Kind
from vx_pipeline_tests.attendance.school_day import MARKER, WEDNESDAY, SchoolDay, minutes, school_day
from vx_pipeline_tests.conftest import SandboxFactory

ABSENT, PRESENT = ("Absent - Excused", MARKER), ("Present", None)


@pytest.fixture
def day(make_sandbox: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SchoolDay]:
    with school_day(make_sandbox(20, today=WEDNESDAY), tmp_path / "vx", monkeypatch, WEDNESDAY) as found:
        yield found


def misses_a_lesson(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) - minutes(1))
    day.moves("Academic Building", day.ends(0) + minutes(1))


def matched(day: SchoolDay, links: Mapping[int, int], *, in_doubt: bool = False) -> None:
    """A matching ran and found these links; the student's is in doubt, or not."""
    day.link(links)
    owners = {orah_id: student for student, orah_id in links.items()}
    people = [
        Person(ORAH, Entity.STUDENT, record["id"], {}, "", {}, {}, linked_to=owners.get(record["id"]))
        for record in day.sandbox.school.orah["student"]
    ]
    cases = []
    if in_doubt:
        with day.session.writing() as connection:
            connection.execute(
                "UPDATE matching.student_links SET contested = 'birthdays differ' WHERE veracross_id = $id",
                {"id": day.student_id},
            )
        cases = [
            Case(
                "contested", Entity.STUDENT, "contested", day.student_id, day.orah_id, "birthdays differ",
                None, 0.0, None, None, (), (), day.session.now(),
            )
        ]  # fmt: skip
    matching = Matching(day.session.key, "run", day.session.now(), None, "1", {})
    record_matching(day.session.journal, matching, cases, people)


def runs(day: SchoolDay, found: list[Backfill]) -> None:
    (one,) = found
    assert one.day == WEDNESDAY
    day.push(orah_ids=one.orah_ids)


def test_a_link_in_doubt_is_pushed_once_a_person_has_confirmed_it(day: SchoolDay) -> None:
    matched(day, day.links, in_doubt=True)
    misses_a_lesson(day)
    day.push()
    assert backfills(day.session) == [], "a run now would write nothing, and use the cause up"
    day.decides(Kind.SAME, day.orah_id)
    assert backfills(day.session) == [], "not before a match has taken it in"
    matched(day, day.links)
    runs(day, backfills(day.session))
    assert day.marks()[0] == ABSENT


@pytest.mark.parametrize("days", [2, 7])
def test_marks_of_a_denied_link_go_back_however_long_the_match_takes(day: SchoolDay, days: int) -> None:
    matched(day, day.links)
    misses_a_lesson(day)
    day.push()
    assert day.marks()[0] == ABSENT
    day.decides(Kind.NEVER, day.orah_id)
    assert backfills(day.session) == [], "the link stands yet"
    day.at(day.clock.moment + timedelta(days=days, minutes=10))
    matched(day, {student: one for student, one in day.links.items() if student != day.student_id})
    runs(day, backfills(day.session))
    assert day.marks()[0] == PRESENT


def test_who_is_said_to_be_another_record_is_looked_at_where_the_wrong_one_made_marks(day: SchoolDay) -> None:
    taken = set(day.links.values())
    right = next(one["id"] for one in day.sandbox.school.orah["student"] if one["id"] not in taken)
    matched(day, day.links)
    misses_a_lesson(day)
    day.push()
    assert day.marks()[0] == ABSENT
    day.decides(Kind.SAME, right)
    assert backfills(day.session) == []
    matched(day, {**day.links, day.student_id: right})
    found = backfills(day.session)
    assert [(one.day, one.orah_ids) for one in found] == [(WEDNESDAY, (right,))]
    assert backfills(day.session) == found, "the same cause, which Dagster runs once"
