"""What a push leaves to a person is told kind by kind: what is new beside what was known is news."""

from vx_pipeline.assets.push_troubles import tell_labels, tell_marks, tell_unread
from vx_pipeline.journal.problems import open_problems
from vx_pipeline_tests.attendance.school_day import SchoolDay, minutes


def told(day: SchoolDay) -> list[str]:
    return sorted(one.told for one in open_problems(day.session.journal, day.session.key))


def test_a_conflict_a_held_mark_and_a_missing_row_are_told_each(day: SchoolDay) -> None:
    day.moves("Town", day.starts(0) - minutes(1))
    day.moves("Academic Building", day.ends(1) + minutes(1))
    day.teacher_marks(0, "Late")
    day.push()
    assert [one.split(",")[0] for one in told(day)] == ["marks in conflict: 1 wait for a person"]
    day.sets(writes_per_hour=1)
    day.moves("Town", day.starts(2) - minutes(1))
    day.moves("Academic Building", day.ends(2) + minutes(1))
    day.push()
    with day.session.writing() as connection:
        connection.execute(
            "INSERT INTO attendance.planned_updates BY NAME "
            "SELECT * REPLACE ('no_row' AS result, attendance_date - 1 AS attendance_date) "
            "FROM attendance.planned_updates LIMIT 1"
        )
    tell_marks(day.session)
    assert [one.split(":")[0] for one in told(day)] == [
        "marks held",
        "marks in conflict",
        "marks without a row",
    ]


def test_each_status_that_is_unknown_is_told(day: SchoolDay) -> None:
    day.push()
    tell_labels(day.session, ["'Away' is not in the list"])
    (first,) = open_problems(day.session.journal, day.session.key)
    tell_labels(day.session, ["'Away' is not in the list", "'Gone' is not in the list"])
    kept, new = open_problems(day.session.journal, day.session.key)
    assert (kept.number, kept.times) == (first.number, 2)
    assert new.reason == "'Gone' is not in the list"


def test_passes_and_rolls_that_nobody_understood_are_told_each(day: SchoolDay) -> None:
    tell_unread(day.session, passes=2, roll_entries=0)
    (passes,) = told(day)
    assert passes.startswith("passes: 2 were not understood or not answered; ")
    tell_unread(day.session, passes=2, roll_entries=1)
    assert [one.split(" were")[0] for one in told(day)] == ["class rolls: 1 entries", "passes: 2"]
    tell_unread(day.session, passes=0, roll_entries=0)
    assert told(day) == []
