"""Attendance as the page sees it: replaced whole, and never by an older day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.attendance_views import (
    Alert,
    Mark,
    Marks,
    Published,
    Standing,
    alerts_now,
    new_alerts,
    publish_attendance,
    published_attendance,
    student_term,
    week_of,
)

SCHOOL = "hillcrest"
TODAY = date(2026, 11, 25)
PUBLISHED = Published(TODAY, date(2026, 9, 1), datetime(2026, 11, 25, 7, 0, tzinfo=UTC))
LATE: Marks = (Mark("08:00", 5, "late"), Mark("09:10", 6, "present"))
HERE: Marks = (Mark("08:00", 5, "present"),)
ANN = Standing(1, "North House", "9th Grade", True, {"7_days": {"rate": 0.9, "late": 1}})
BEN = Standing(2, None, None, False, {})
ALERT = Alert(1, "Often late", "30_days", "late", 6.0, 5.0, date(2026, 11, 20))
Days = dict[date, dict[int, Marks]]


def publish(
    journal: Journal,
    days: Days,
    *,
    as_of: date = TODAY,
    first_day: date = PUBLISHED.first_day,
    school: str = SCHOOL,
    standing: tuple[Standing, ...] = (ANN, BEN),
    alerts: tuple[Alert, ...] = (ALERT,),
) -> int:
    published = replace(PUBLISHED, as_of=as_of, first_day=first_day)
    return publish_attendance(journal, school, published, days=days, standing=standing, alerts=alerts)


def week(journal: Journal, last_day: date = TODAY) -> dict[int, dict[date, Marks]]:
    return {one.standing.student_id: dict(one.days) for one in week_of(journal, SCHOOL, last_day)}


def test_before_the_first_run_there_is_nothing(journal: Journal) -> None:
    assert published_attendance(journal, SCHOOL) is None
    assert week_of(journal, SCHOOL, TODAY) == []
    assert student_term(journal, SCHOOL, 1) is None
    assert alerts_now(journal, SCHOOL) == []


def test_what_was_published_is_read_back(journal: Journal) -> None:
    first = TODAY - timedelta(days=60)
    assert publish(journal, {first: {1: HERE}, TODAY: {1: LATE}}) == 2
    assert published_attendance(journal, SCHOOL) == PUBLISHED
    assert week(journal) == {1: {TODAY: LATE}, 2: {}}, "who had no class meeting is not lost"
    found = student_term(journal, SCHOOL, 1)
    assert found is not None
    assert found.standing == ANN
    assert found.days == {first: HERE, TODAY: LATE}
    assert alerts_now(journal, SCHOOL) == alerts_now(journal, SCHOOL, 1) == [ALERT]
    assert alerts_now(journal, SCHOOL, 2) == []


def test_a_day_is_replaced_as_a_whole_and_only_where_it_changed(journal: Journal) -> None:
    yesterday = TODAY - timedelta(days=1)
    publish(journal, {yesterday: {1: HERE, 2: HERE}, TODAY: {1: HERE}})
    assert publish(journal, {yesterday: {1: HERE, 2: HERE}, TODAY: {1: HERE, 2: ()}}) == 0
    assert publish(journal, {yesterday: {1: LATE}, TODAY: {1: HERE}}) == 1
    assert week(journal) == {1: {yesterday: LATE, TODAY: HERE}, 2: {}}
    assert publish(journal, {yesterday: {}}) == 1
    assert week(journal) == {1: {TODAY: HERE}, 2: {}}


def test_an_older_day_mends_its_marks_and_nothing_else(journal: Journal) -> None:
    yesterday = TODAY - timedelta(days=1)
    publish(journal, {yesterday: {1: HERE}, TODAY: {1: HERE}})
    older = replace(ANN, house="South House")
    publish(journal, {yesterday: {1: LATE}}, as_of=yesterday, standing=(older,), alerts=())
    assert published_attendance(journal, SCHOOL) == PUBLISHED
    assert week(journal) == {1: {yesterday: LATE, TODAY: HERE}, 2: {}}
    assert [one.standing for one in week_of(journal, SCHOOL, TODAY)] == [ANN, BEN]
    assert alerts_now(journal, SCHOOL) == [ALERT]


def test_the_same_day_again_takes_alerts_away_that_are_over(journal: Journal) -> None:
    publish(journal, {})
    publish(journal, {}, alerts=())
    assert alerts_now(journal, SCHOOL) == []


def test_days_before_the_term_are_dropped_and_do_not_come_back(journal: Journal) -> None:
    summer = date(2026, 6, 1)
    publish(journal, {summer: {1: HERE}}, as_of=summer, first_day=date(2026, 1, 10))
    assert week(journal, summer)[1] == {summer: HERE}
    publish(journal, {TODAY: {1: HERE}})
    assert week(journal, summer)[1] == {}
    publish(journal, {summer: {1: HERE}}, as_of=summer, first_day=date(2026, 1, 10))
    assert week(journal, summer)[1] == {}


def test_the_week_before_a_term_stays_in_the_first_days_of_it(journal: Journal) -> None:
    last_week, before = TODAY - timedelta(days=6), TODAY - timedelta(days=7)
    publish(journal, {before: {1: HERE}, last_week: {1: LATE}}, as_of=last_week)
    publish(journal, {TODAY: {1: HERE}}, first_day=TODAY)
    assert week(journal)[1] == {last_week: LATE, TODAY: HERE}
    assert week(journal, before)[1] == {}


def test_an_alert_is_new_until_it_is_shown_and_an_older_day_has_none(journal: Journal) -> None:
    late = replace(ALERT, student_id=2)
    assert new_alerts(journal, SCHOOL, TODAY, [ALERT]) == [ALERT]
    publish(journal, {})
    assert new_alerts(journal, SCHOOL, TODAY, [replace(ALERT, value=7.0), late]) == [late]
    tomorrow, yesterday = (TODAY + timedelta(days=one) for one in (1, -1))
    assert new_alerts(journal, SCHOOL, tomorrow, [ALERT]) == [], "it lasts"
    assert new_alerts(journal, SCHOOL, yesterday, [late]) == []
    publish(journal, {}, as_of=tomorrow, alerts=())
    assert new_alerts(journal, SCHOOL, tomorrow, [ALERT]) == [ALERT], "it is over, and comes again"


def test_schools_do_not_see_each_other(journal: Journal) -> None:
    publish(journal, {TODAY: {1: HERE}}, school="lakeside")
    publish(journal, {TODAY: {1: LATE}})
    publish(journal, {TODAY: {}}, school="lakeside", standing=(), alerts=())
    assert week(journal)[1] == {TODAY: LATE}
    assert alerts_now(journal, "lakeside") == []
    assert alerts_now(journal, SCHOOL) == [ALERT]


days = st.dates(TODAY - timedelta(days=4), TODAY)
marks = st.dictionaries(st.integers(1, 3), st.sampled_from([HERE, LATE, ()]), max_size=3)


@settings(max_examples=25)
@given(st.lists(st.tuples(days, st.dictionaries(days, marks, max_size=4)), max_size=6))
def test_in_whatever_order_days_are_published_the_newest_figures_and_the_last_marks_stand(
    runs: list[tuple[date, Days]],
) -> None:
    journal = open_journal(Path(), "sqlite://")
    expected: Days = {}
    for number, (as_of, told) in enumerate(runs):
        everybody = tuple(Standing(one, f"House {number}", None, True, {}) for one in (1, 2, 3))
        publish(journal, told, as_of=as_of, standing=everybody, alerts=())
        expected |= told
    newest = max((number for number, _ in enumerate(runs)), key=lambda one: (runs[one][0], one), default=None)
    found = week_of(journal, SCHOOL, TODAY)
    assert {one.standing.house for one in found} == ({f"House {newest}"} if newest is not None else set())
    for one in found:
        person = one.standing.student_id
        assert one.days == {day: told[person] for day, told in expected.items() if told.get(person)}
    journal.close()
