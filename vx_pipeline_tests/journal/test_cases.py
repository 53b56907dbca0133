"""The picture of a run: replaced whole, read back as it was, and without anybody's name in what is printed."""

import multiprocessing
from datetime import UTC, date, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateColumn

from vx_pipeline.errors import ServiceError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.audit import audit_trail, record_view
from vx_pipeline.journal.cases import (
    ORAH,
    VERACROSS,
    Person,
    find_cases,
    get_case,
    get_cases,
    get_people,
    get_person,
    latest_matching,
    record_matching,
    seen_fields,
)
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.journal.matching_tables import match_people, matchings
from vx_pipeline_tests.journal.people import NAMES, NOW, candidate, case, evidence, matching, person, record

STUDENT = Entity.STUDENT


def test_everything_comes_back_as_it_was(journal: Journal) -> None:
    linked = person(
        82, linked_to=502, rule="email", linked_at=NOW, score=21.5, evidence=evidence(), days_away=()
    )
    asked = case(81, (501, 502))
    record(journal, asked, people=[person(81), linked, person(501, ORAH)])
    assert latest_matching(journal, "north") == matching()
    assert get_case(journal, "north", "student-v81") == asked
    assert get_person(journal, "north", STUDENT, VERACROSS, 82) == linked
    assert get_person(journal, "north", STUDENT, ORAH, 501) == person(501, ORAH)
    assert [(one.system, one.person_id, one.linked_to) for one in get_people(journal, "north", STUDENT)] == [
        ("orah", 501, None),
        ("veracross", 81, None),
        ("veracross", 82, 502),
    ]
    assert get_people(journal, "north")[1].shown == person().shown
    assert get_people(journal, "north", Entity.STAFF) == []


def test_nothing_is_there_before_the_first_run_and_in_another_school(journal: Journal) -> None:
    assert latest_matching(journal, "north") is None
    assert find_cases(journal, "north") == ([], 0)
    record(journal, case(), people=[person()])
    assert latest_matching(journal, "south") is None
    assert get_case(journal, "south", "student-v81") is None
    assert get_person(journal, "south", STUDENT, VERACROSS, 81) is None
    assert get_person(journal, "north", STUDENT, ORAH, 81) is None
    assert get_person(journal, "north", STUDENT, VERACROSS, 2**70) is None
    assert get_people(journal, "south") == []


def test_a_run_replaces_cases_and_people_of_its_school_and_leaves_a_row(journal: Journal) -> None:
    record(journal, case(81), people=[person(81)])
    record(journal, case(81), people=[person(81)], school="south")
    record(journal, case(90), people=[person(90)], run_id="run-2", at=NOW + timedelta(days=1))
    assert get_case(journal, "north", "student-v81") is None
    assert [one.person_id for one in get_people(journal, "north")] == [90]
    newest = latest_matching(journal, "north")
    assert newest is not None
    assert newest.run_id == "run-2"
    assert get_case(journal, "south", "student-v81") is not None
    with journal.begin() as connection:
        assert len(connection.execute(matchings.select()).all()) == 3


def test_a_case_keeps_the_moment_it_was_opened_while_it_stays(journal: Journal) -> None:
    def opened(case_id: str) -> datetime | None:
        found = get_case(journal, "north", case_id)
        return found.opened_at if found else None

    record(journal, case(81), case(82))
    night, later = NOW + timedelta(days=1), NOW + timedelta(days=2)
    record(journal, case(81, opened_at=night, kind="conflict"), case(83, opened_at=night))
    assert (opened("student-v81"), opened("student-v83")) == (NOW, night)
    record(journal, case(82, opened_at=later))
    assert opened("student-v82") == later


def test_a_run_that_fails_leaves_the_picture_as_it_was(journal: Journal) -> None:
    record(journal, case(81), people=[person(81)])
    with pytest.raises(ServiceError) as caught:
        record(journal, case(90), people=[person(91), person(91)], run_id="run-2")
    assert get_case(journal, "north", "student-v81") is not None
    assert [one.person_id for one in get_people(journal, "north")] == [81]
    newest = latest_matching(journal, "north")
    assert newest is not None
    assert newest.run_id == "run-1"
    for name in NAMES:
        assert name not in str(caught.value)


def test_cases_are_found_by_what_they_say_the_surest_first(journal: Journal) -> None:
    record(
        journal,
        case(81, score=10.0),
        case(82, score=20.0, house="Oak"),
        case(83, score=20.0, house="Oak", grade="Grade 10", kind="conflict", pattern="same name"),
        case(7, case_id="house-v7", entity=Entity.HOUSE, score=30.0, house=None, grade=None, reason="two"),
    )

    def ids(**filters: object) -> list[str]:
        return [one.case_id for one in find_cases(journal, "north", **filters)[0]]  # type: ignore[arg-type]

    assert ids() == ["house-v7", "student-v82", "student-v83", "student-v81"]
    assert ids(house="Oak") == ["student-v82", "student-v83"]
    assert ids(grade="Grade 10", house="Oak") == ["student-v83"]
    assert ids(kind="conflict") == ids(pattern="same name") == ["student-v83"]
    assert ids(reason="two") == ids(entity=Entity.HOUSE) == ["house-v7"]
    assert ids(house="Elm") == []
    page, total = find_cases(journal, "north", offset=1, limit=2)
    assert ([one.case_id for one in page], total) == (["student-v82", "student-v83"], 4)
    wanted = ["student-v81", "student-v99", "house-v7"]
    assert [one.case_id for one in get_cases(journal, "north", wanted)] == ["student-v81", "house-v7"]


def test_what_is_printed_names_nobody(journal: Journal) -> None:
    record(journal, case(81), people=[person(81, evidence=evidence())])
    printed = repr(
        [
            get_case(journal, "north", "student-v81"),
            get_person(journal, "north", STUDENT, VERACROSS, 81),
            get_people(journal, "north"),
            candidate(501),
        ]
    )
    assert "81" in printed
    for name in NAMES:
        assert name.lower() not in printed.lower()


def test_days_and_moments_among_the_wanted_values_become_text(journal: Journal) -> None:
    wanted = {"birth_date": date(2009, 4, 1), "seen_at": datetime(2026, 1, 1, tzinfo=UTC), "house_id": 7}
    record(journal, people=[person(81, wanted=wanted)])
    found = get_person(journal, "north", STUDENT, VERACROSS, 81)
    assert found is not None
    assert found.wanted == {"birth_date": "2009-04-01", "seen_at": "2026-01-01T00:00:00+00:00", "house_id": 7}


def test_the_fingerprint_takes_in_both_sides_and_a_missing_one() -> None:
    ours, theirs = person(81), person(501, ORAH)
    assert seen_fields(ours, theirs) == {"last_name": ("d1", "d1"), "email": ("d2", None)}
    assert seen_fields(ours, None) == {"last_name": ("d1", None), "email": ("d2", None)}
    assert seen_fields(None, theirs) == {"last_name": (None, "d1"), "email": (None, None)}


def test_ten_thousand_people_are_recorded_and_read(journal: Journal) -> None:
    people = [person(number, system) for system in (VERACROSS, ORAH) for number in range(1, 5001)]
    record_matching(journal, matching(), [], people)
    record_matching(journal, matching(), [], people)
    found = get_people(journal, "north")
    assert len(found) == 10_000
    assert {one.folded for one in found} == {people[0].folded}


def test_a_journal_of_an_earlier_version_gets_the_new_tables(tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    with first.begin() as connection:
        for name in ("decisions", "audit", "matchings", "match_cases", "match_people"):
            connection.execute(text(f"DROP TABLE {name}"))
        columns = "(mark_id, school, attendance_id, at, ours, status)"
        values = "(1, 'north', 9, '2026-11-23', 1, '2')"
        connection.execute(text(f"INSERT INTO marks {columns} VALUES {values}"))
    first.close()
    second = open_journal(tmp_path)
    with second.begin() as connection:
        assert inspect(connection).has_table("decisions")
        assert connection.execute(text("SELECT attendance_id FROM marks")).scalar() == 9
    record(second, people=[Person(VERACROSS, STUDENT, 1, {}, "", {}, {})])
    with second.begin() as connection:
        assert len(connection.execute(match_people.select()).all()) == 1
    second.close()


def test_a_journal_of_an_earlier_version_gets_the_new_column(tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    record(first, case(81), newest_decision=7)
    with first.begin() as connection:
        connection.execute(text("ALTER TABLE matchings DROP COLUMN newest_decision"))
    first.close()
    for _ in range(2):
        opened = open_journal(tmp_path)
        kept = latest_matching(opened, "north")
        assert kept is not None
        assert (kept.run_id, kept.newest_decision) == ("run-1", 0)
        opened.close()
    opened = open_journal(tmp_path)
    record(opened, case(81), newest_decision=8)
    newest = latest_matching(opened, "north")
    assert newest is not None
    assert newest.newest_decision == 8
    opened.close()


def open_many_times(home: Path, barrier: Barrier) -> None:
    barrier.wait(30)
    open_journal(home).close()


def test_processes_that_meet_an_earlier_version_together_add_the_column_once(tmp_path: Path) -> None:
    first = open_journal(tmp_path)
    with first.begin() as connection:
        connection.execute(text("ALTER TABLE matchings DROP COLUMN newest_decision"))
    first.close()
    processes = multiprocessing.get_context("spawn")
    barrier = processes.Barrier(3)
    running = [processes.Process(target=open_many_times, args=(tmp_path, barrier)) for _ in range(3)]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
    assert [process.exitcode for process in running] == [0, 0, 0]
    after = open_journal(tmp_path)
    with after.begin() as connection:
        columns = [column["name"] for column in inspect(connection).get_columns("matchings")]
    assert columns.count("newest_decision") == 1
    after.close()


def test_a_column_is_added_in_the_words_of_either_database() -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        written = str(CreateColumn(matchings.c.newest_decision).compile(dialect=dialect))
        assert written == "newest_decision INTEGER DEFAULT '0' NOT NULL"


def test_the_audit_is_read_newest_first_and_page_by_page(journal: Journal) -> None:
    for number in range(1, 6):
        subject = f"student-v{number}"
        record_view(journal, school="north", actor="a.keller", action="view", subject=subject, at=NOW)
    record_view(journal, school="south", actor="b.roth", action="search", subject="3 hits", at=NOW)
    page = audit_trail(journal, "north", limit=2)
    assert [(one.subject, one.actor, one.action, one.at) for one in page] == [
        ("student-v5", "a.keller", "view", NOW),
        ("student-v4", "a.keller", "view", NOW),
    ]
    rest = audit_trail(journal, "north", before=page[-1].number)
    assert [one.subject for one in rest] == ["student-v3", "student-v2", "student-v1"]
    assert [one.subject for one in audit_trail(journal, "south")] == ["3 hits"]
