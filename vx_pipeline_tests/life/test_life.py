"""What happens in the little school arrives in the roster as what it is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from vx_pipeline.errors import IncompleteReadError
from vx_pipeline.sandbox.school.value_lists import contract
from vx_pipeline_tests.life import events, family_events, feed_events, hand_events, year_events
from vx_pipeline_tests.life.night import Life
from vx_pipeline_tests.life.people import beds, family_of
from vx_pipeline_tests.life.records import DORMS, PARENTS, STAFF, STUDENTS, LittleSchool
from vx_pipeline_tests.life.school import little_school
from vx_pipeline_tests.life.settled import living_on, quick_home, settled
from vx_pipeline_tests.life.terms import DORM_NAMES


@pytest.fixture
def life() -> Iterator[Life]:
    """The school on the day after two quiet nights."""
    with quick_home() as home, living_on(settled(), home) as life:
        yield life


def go_on(life: Life, nights: int = 1) -> None:
    for _ in range(nights):
        night = life.night()
        assert not night.failed
        assert not night.skipped


def by_id(life: Life, table: str, *columns: str) -> dict[Any, tuple[Any, ...]]:
    rows = life.rows(f"SELECT {', '.join(columns)} FROM {table}")
    return {key: tuple(values) for key, *values in rows}


def leavers(life: Life) -> dict[int, str]:
    return {
        student: signal
        for student, (signal,) in by_id(life, "roster.leavers", "student_id", "signal").items()
    }


def where(life: Life) -> dict[int, str]:
    """The dorm of each boarder."""
    query = "SELECT student_id, name FROM roster.boarders JOIN roster.dorms USING (dorm_id) WHERE is_boarder"
    return dict(life.rows(query))


def contact(life: Life, student: int, parent: int, *columns: str) -> tuple[Any, ...]:
    query = f"SELECT {', '.join(columns)} FROM roster.contacts WHERE student_id = ? AND person_id = ?"
    (row,) = life.rows(query, student, parent)
    return row


def boarders(school: LittleSchool) -> list[int]:
    """Students with a bed, in the order of their ids."""
    return [row["id"] for row in school.veracross[STUDENTS] if list(beds(school, row["id"]))]


def dorm_of(school: LittleSchool, student: int) -> str:
    (bed,) = beds(school, student)
    return str(bed["dorm"])


def elsewhere(school: LittleSchool, student: int) -> str:
    return next(name for name in DORM_NAMES if name != dorm_of(school, student))


def siblings(school: LittleSchool) -> tuple[int, int]:
    """Two students of one household."""
    first: dict[int, int] = {}
    for row in school.veracross[STUDENTS]:
        if row["household_id"] in first:
            return first[row["household_id"]], row["id"]
        first[row["household_id"]] = row["id"]
    raise AssertionError


def test_the_same_day_gives_the_same_school_in_the_shapes_of_the_contract() -> None:
    school = little_school()
    assert school == little_school()
    for operation, rows in school.veracross.items():
        known = contract()["endpoints"][operation]["record"]
        for row in rows:
            assert set(row) == set(known)
    everybody = [row["id"] for operation in (STUDENTS, PARENTS) for row in school.veracross[operation]]
    assert len(set(everybody)) == len(everybody)


def test_after_quiet_nights_everybody_is_known_and_nobody_has_left(life: Life) -> None:
    school = life.school
    graduate = next(row["id"] for row in school.veracross[STUDENTS] if row["exit_date"])
    assert leavers(life) == {graduate: "exit_date"}
    assert where(life) == {student: dorm_of(school, student) for student in boarders(school)}
    assert by_id(life, "matching.student_links", "veracross_id", "orah_id") == {
        student: (record,) for student, record in school.truth.items()
    }
    assert by_id(life, "matching.house_links", "dorm_id", "rule") == {
        events.dorm_in_use(school, name): (rule,)
        for name, rule in zip(DORM_NAMES, ("sis_id", "name", "name"), strict=True)
    }
    assert not life.sandbox.journal.writes


def test_students_leave_by_every_signal_and_come_back(life: Life) -> None:
    sandbox, school = life.sandbox, life.school
    (graduate,) = leavers(life)
    dated, ahead, by_role, by_status, gone, flickering = boarders(school)[:6]
    events.leave_by_exit_date(sandbox, dated)
    events.leave_by_exit_date(sandbox, ahead, events.moment(sandbox).date() + timedelta(days=3))
    events.leave_by_role(sandbox, by_role)
    events.leave_by_status(sandbox, by_status)
    events.vanish(sandbox, gone)
    events.vanish(sandbox, flickering)
    go_on(life)
    signals = {graduate: "exit_date", dated: "exit_date", by_role: "role", by_status: "enrollment_status"}
    assert leavers(life) == signals
    assert set(signals).isdisjoint(where(life))
    assert {ahead, gone, flickering} <= set(where(life))

    events.reappear(sandbox, flickering)
    go_on(life)
    assert leavers(life) == {**signals, gone: "missing"}
    assert flickering in where(life)

    events.come_back(sandbox, dated, clear_exit_date=False)
    events.come_back(sandbox, by_role)
    events.come_back(sandbox, by_status)
    events.reappear(sandbox, gone)
    go_on(life)
    assert leavers(life) == {graduate: "exit_date", ahead: "exit_date"}
    assert {dated, by_role, by_status, gone} <= set(where(life))


def test_students_come_move_and_change(life: Life) -> None:
    sandbox, school = life.sandbox, life.school
    staying = boarders(school)
    at_home = next(one for one in school.truth if one not in staying)
    mover, leaver, lost, renamed, raised = staying[:5]
    other = elsewhere(school, mover)
    new = events.enrol(sandbox, "Noor", "Ferrer", dorm="Oak House")
    tomorrow = events.moment(sandbox).date() + timedelta(days=5)
    later = events.enrol(sandbox, "Tove", "Lund", entry=tomorrow)
    sibling = events.enrol_sibling(sandbox, at_home, "Nilo")
    events.move_dorm(sandbox, mover, other)
    events.stop_boarding(sandbox, leaver)
    events.lose_bed_row(sandbox, lost)
    events.start_boarding(sandbox, at_home, "Elm House")
    events.change_name(sandbox, renamed, first="Alma", last="Silva", preferred="Al")
    events.change_email(sandbox, renamed, None)
    events.change_grade(sandbox, raised, "12th Grade")
    go_on(life)
    dorms = where(life)
    assert (dorms[new], dorms[mover], dorms[at_home]) == ("Oak House", other, "Elm House")
    assert {leaver, sibling}.isdisjoint(dorms)
    assert lost in dorms, "one read without the row is no news"
    people = by_id(
        life,
        "roster.students",
        *("student_id", "first_name", "last_name", "preferred_name", "email", "grade", "is_current"),
    )
    assert people[renamed][:4] == ("Alma", "Silva", "Al", None)
    assert people[raised][4] == "12th Grade"
    assert [people[one][-1] for one in (new, sibling, later)] == [True, True, False]
    assert len(leavers(life)) == 1
    parents = family_of(school, at_home).parents
    assert family_of(school, sibling).parents == parents
    for parent in parents.values():
        assert contact(life, sibling, parent, "email") == contact(life, at_home, parent, "email")

    go_on(life)
    assert lost not in where(life)


def test_families_split_lose_custody_grieve_and_move(life: Life) -> None:
    sandbox, school = life.sandbox, life.school
    one, other = siblings(school)
    parents = family_of(school, one).parents
    mother, father = parents["Mother"], parents["Father"]
    address = contact(life, one, father, "address")
    family_events.split_household(sandbox, father)
    family_events.change_parent_email(sandbox, mother, "Else.Where@example.org")
    family_events.change_parent_phone(sandbox, mother, "+1 603 555 0101")
    go_on(life)
    assert contact(life, one, father, "resident", "custody_status") == (False, "Joint")
    assert contact(life, one, father, "address") != address == contact(life, one, mother, "address")
    found = contact(life, other, mother, "email", "mobile_phone")
    assert found == ("else.where@example.org", "+1 603 555 0101")
    assert contact(life, other, father, "legal_custody", "custody_status") == (True, "Joint")

    family_events.remove_custody(sandbox, one, father)
    family_events.die(sandbox, mother)
    family_events.lose_relationship(sandbox, other, father)
    go_on(life)
    assert contact(life, one, father, "legal_custody", "custody_status") == (False, "Sole - mother")
    assert contact(life, one, mother, "is_deceased") == (True,)
    assert contact(life, other, mother, "is_deceased") == (True,)
    standing = life.rows(
        "SELECT person_id FROM veracross.relationships JOIN roster.students ON student_id = person_id "
        "WHERE related_person_id = ? AND _missing_since IS NULL",
        father,
    )
    assert (one,) in standing
    assert (other,) not in standing


def test_the_year_turns(life: Life) -> None:
    sandbox, school = life.sandbox, life.school
    before, houses = where(life), by_id(life, "roster.houses", "name", "dorm_id")
    seniors = {
        row["id"]
        for row in events.current_students(sandbox)
        if school.label(STUDENTS, "grade_level", row["grade_level"]) == "12th Grade"
    }
    groups = {group for (group,) in life.rows("SELECT group_id FROM roster.groups")}
    year_events.announce_next_year(sandbox)
    year_events.announce_next_year(sandbox)
    go_on(life)
    assert len(school.veracross[DORMS]) == 9
    assert (where(life), by_id(life, "roster.houses", "name", "dorm_id")) == (before, houses)

    year_events.roll_over(sandbox)
    go_on(life)
    assert where(life) == {student: dorm for student, dorm in before.items() if student not in seniors}
    now = by_id(life, "roster.houses", "name", "dorm_id")
    assert set(now) == set(DORM_NAMES)
    assert set(now.values()).isdisjoint(houses.values())
    assert seniors <= set(leavers(life))
    assert len(leavers(life)) == len(seniors) + 1
    new_groups = {group for (group,) in life.rows("SELECT group_id FROM roster.groups")}
    assert len(new_groups) == len(groups)
    assert new_groups.isdisjoint(groups)
    grades = dict(life.rows("SELECT grade, count(*) FROM roster.students WHERE is_current GROUP BY grade"))
    assert set(grades) == {"11th Grade", "12th Grade"}

    # And once more, without notice.
    year_events.roll_over(sandbox)
    assert not {events.dorm_in_use(school, name) for name in DORM_NAMES} & {dorm for (dorm,) in now.values()}


def test_people_change_orah_by_hand(life: Life) -> None:
    sandbox, school = life.sandbox, life.school
    renamed, moved, deactivated, back = list(school.truth.values())[:4]
    hand_events.edit(sandbox, "student", renamed, first_name="Typo")
    hand_events.move_house(sandbox, moved, "Day Students")
    hand_events.deactivate(sandbox, deactivated)
    hand_events.deactivate(sandbox, back)
    hand_events.reactivate(sandbox, back)
    nobody = hand_events.add_student(sandbox, "Guest", "Speaker")
    aunt = hand_events.add_contact(sandbox, [renamed], "Tilda", "Moor", relationship="Aunt")
    hand_events.edit(sandbox, "contact", aunt, email="tilda@example.org")
    assert hand_events.held(sandbox, "contact", aunt)["email"] == "tilda@example.org"
    hand_events.remove_contact(sandbox, aunt)
    assert hand_events.add_contact(sandbox, [renamed], "Tilda", "Moor") != aunt
    go_on(life)
    records = by_id(life, "orah.students", "id", "first_name", "house__id", "deactivated")
    day = next(one["id"] for one in school.orah["house"] if one["name"] == "Day Students")
    assert records[renamed][0] == "Typo"
    assert records[moved][1] == day
    assert (records[deactivated][2], records[back][2]) == (True, False)
    assert records[nobody][0] == "Guest"
    assert by_id(life, "matching.student_links", "orah_id", "veracross_id")[renamed]
    assert not life.sandbox.journal.writes


def test_a_quiet_table_that_changes_is_read_until_two_reads_agree(life: Life) -> None:
    life.school.veracross[STAFF].pop()
    go_on(life, nights=3)
    assert life.rows("SELECT count(*), max(_missing_reads) FROM veracross.staff_faculty") == [(6, 2)]


def test_feeds_fail_and_nobody_leaves(life: Life) -> None:
    sandbox, school = life.sandbox, life.school
    before, known = where(life), leavers(life)
    staff_seen = "SELECT max(_last_seen_at) FROM veracross.staff_faculty"
    staff_read = life.rows(staff_seen)
    elm = events.dorm_in_use(school, "Elm House")
    feed_events.shrink(sandbox, "students", 0.5)
    feed_events.empty(sandbox, "relationships")
    feed_events.empty_dorm(sandbox, elm)
    feed_events.fail(sandbox, "staff_faculty")
    feed_events.shrink_orah(sandbox, "student", 0.5)
    night = life.night()
    assert {name: type(trouble) for name, trouble in night.failed.items()} == {
        "veracross.relationships": IncompleteReadError,
        "veracross.staff_faculty": IncompleteReadError,
    }
    assert {"roster.contacts", "matching.student_links", "sync"} <= night.skipped
    missing = "SELECT count(*) FROM {} WHERE _missing_since IS NOT NULL"
    assert life.rows(missing.format("veracross.students")) == [(21,)]
    assert life.rows(missing.format("orah.students")) == [(20,)]
    lost = life.rows(missing.format("veracross.dorm_students"))
    assert lost == [(sum(dorm == "Elm House" for dorm in before.values()),)]
    assert (where(life), leavers(life)) == (before, known)

    feed_events.mend(sandbox)
    go_on(life)
    assert (where(life), leavers(life)) == (before, known)
    assert life.rows(missing.format("veracross.students")) == [(0,)]
    assert life.rows(staff_seen) > staff_read, "a table that could not be read is read again"
