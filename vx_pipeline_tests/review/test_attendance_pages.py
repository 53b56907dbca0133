"""Attendance on the page, as a visitor without a script."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from vx_pipeline.insights.pictures import STYLE_SHEET
from vx_pipeline.journal import Journal
from vx_pipeline.journal.attendance_views import Mark, Published, Standing, publish_attendance
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline_tests.review.attended import AS_OF, JONATHAN, NOBODY_KNOWS, TERM, record_attendance
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.planned import HOSTILE
from vx_pipeline_tests.review.school import SCHOOL, record_school
from vx_pipeline_tests.review.test_pages import ELSEWHERE, INLINE
from vx_pipeline_tests.review.test_plan_pages import visible
from vx_pipeline_tests.review.visitor import Visitor

NORTH = "attendance/house?name=North+House"
STUDENT = f"attendance/student/{JONATHAN}"
PAGES = ("attendance", NORTH, f"{NORTH}&week=2026-10-07", STUDENT)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def visitor(journal: Journal, visitors: Visitors) -> Visitor:
    """A visitor of a small school with a term of attendance."""
    record_school(journal)
    record_attendance(journal)
    return visitors()


def picture(text: str) -> ElementTree.Element:
    found = re.search(r'<svg xmlns.*?class="vx-picture".*</svg>\s*</div>', text, re.DOTALL)
    assert found
    return ElementTree.fromstring(found.group().removesuffix("</div>"))


def labels(text: str) -> list[str]:
    """The names at the rows of the picture, from top to bottom."""
    rows = (row for row in picture(text).iter(f"{SVG}svg") if row.get("class") == "vx-row")
    return ["".join(row.itertext()).strip() for row in rows]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_a_page_leads_elsewhere_or_stands_inline(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert not ELSEWHERE.search(answer.text)
    assert not INLINE.search(answer.text)


def test_before_the_first_run_the_page_says_so(visitors: Visitors) -> None:
    visitor = visitors()
    assert "No attendance yet" in visible(visitor.get("attendance"))
    assert visitor.get(NORTH).status_code == 404
    assert visitor.get(STUDENT).status_code == 404


def test_who_stands_out_is_named_with_rule_figure_and_day(visitor: Visitor) -> None:
    text = visible(visitor.get("attendance")).replace("\N{NO-BREAK SPACE}", " ")
    assert "4 alerts As of Wed 25 Nov 2026, worked out 3 hours ago" in text
    assert (
        "Jonathan Smith North House, Grade 10 Unexcused absences "
        "3 missed without an excuse in 7 days, threshold 2 Fri 20 Nov"
    ) in text
    assert "Low attendance 84 % attended in 30 days, threshold 90 %" in text
    assert f"Veracross {NOBODY_KNOWS} Day students Often late 5 times late in 30 days" in text
    assert text.index("Low attendance") < text.index("Often late") < text.index("Unexcused absences")


def test_the_houses_are_counted_and_the_day_students_stand_last(visitor: Visitor) -> None:
    page = visitor.get("attendance")
    rows = re.findall(r'<tr><th scope="row">(?:<a[^>]*>)?([^<]*).*?</tr>', page.text)
    assert rows == ["East House", "North House", "South House", "West House", "Day students", "The school"]
    assert re.search(r"North House</a></th><td class=\"num\">11</td>", page.text)
    assert re.search(r"The school</th><td class=\"num\">42</td>", page.text)
    assert visitor.follow(page, "Day students").status_code == 200


def test_old_figures_are_called_old(journal: Journal, visitors: Visitors) -> None:
    record_attendance(journal, at=datetime.now(UTC) - timedelta(days=3))
    assert "This is old." in visible(visitors().get("attendance"))


def test_figures_of_an_old_day_are_old_though_somebody_worked_them_out_again(
    journal: Journal, visitors: Visitors
) -> None:
    today = datetime.now(UTC).date()
    for back, old in ((3, True), (1, False)):
        published = Published(today - timedelta(days=back), TERM, datetime.now(UTC))
        publish_attendance(journal, SCHOOL, published, days={}, standing=[], alerts=[])
        assert ("This is old." in visible(visitors().get("attendance"))) is old


def test_who_has_no_mark_was_not_present_in_every_meeting(journal: Journal, visitors: Visitors) -> None:
    standing = [Standing(one, "North House", None, True, {}) for one in (1, 2, 3)]
    day_before = TERM - timedelta(days=1)
    publish_attendance(
        journal,
        SCHOOL,
        Published(TERM, TERM, datetime.now(UTC)),
        days={
            TERM: {1: (Mark("08:00", 5, "present"),)},
            day_before: {3: (Mark("08:00", 5, "present"), Mark("09:00", 5, "late"))},
        },
        standing=standing,
        alerts=[],
    )
    visitor = visitors()
    for student, there in ((1, True), (2, False), (3, False)):
        text = visible(visitor.get(f"attendance/student/{student}"))
        assert ("Present in every class meeting of the term." in text) is there
        assert ("No class meeting of the term is known." in text) is not there
    assert "09:00 Late" in visible(visitor.get("attendance/house?name=North+House")), (
        "of the week before the term"
    )


def test_a_past_week_says_that_houses_are_those_of_today(visitor: Visitor) -> None:
    words = "Students are listed where they live now"
    assert words not in visible(visitor.get(NORTH))
    assert words in visible(visitor.get(f"{NORTH}&week=2026-10-07"))


def test_a_house_is_shown_as_picture_and_table(visitor: Visitor) -> None:
    page = visitor.get(NORTH)
    names = labels(page.text)
    assert "Jonathan Smith" in names
    assert len(names) == 11
    assert names == sorted(names, key=str.casefold)
    text = visible(page)
    assert "Thu 19 Nov to Wed 25 Nov 2026 North House 11 students:" in text
    assert "08:00 Late 09:10 Absent, unexcused 2 present" in text
    assert "no class" in text, "on Saturday and Sunday"
    assert "Attendance of Jonathan Smith" in visitor.follow(page, "Jonathan Smith").text


def test_one_goes_from_week_to_week_within_the_term(visitor: Visitor) -> None:
    page = visitor.get(NORTH)
    assert "Seven days later" not in page.text
    weeks = 0
    while "Seven days earlier" in page.text:
        page = visitor.follow(page, "Seven days earlier")
        weeks += 1
    assert weeks == (AS_OF - TERM).days // 7
    assert "Seven days later" in page.text
    assert "Thu 10 Sep to Wed 16 Sep" in visible(
        visitor.follow(visitor.get(f"{NORTH}&week=2026-09-09"), "Seven days later")
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("attendance/house?name=Nowhere", 404),
        ("attendance/house", 404),
        (f"{NORTH}&week=2026-11-26", 404),
        (f"{NORTH}&week=2026-08-31", 404),
        (f"{NORTH}&week=tomorrow", 400),
        ("attendance/student/999", 404),
        ("attendance/student/ann", 404),
    ],
)
def test_what_is_not_there_is_not_made_up(visitor: Visitor, path: str, status: int) -> None:
    assert visitor.get(path).status_code == status


def test_a_student_has_term_figures_and_alerts(visitor: Visitor) -> None:
    page = visitor.get(STUDENT)
    text = visible(page).replace("\N{NO-BREAK SPACE}", " ")
    assert "2 alerts Low attendance : 84 % attended in 30 days" in text.replace("attendance:", "attendance :")
    assert "7 days 30 days The term Class meetings" in text
    assert "Wed 25 Nov 08:00 Late; 09:10 Absent, unexcused; 2 present" in text
    title = picture(page.text).find(f"{SVG}title")
    assert title is not None
    assert title.text == "Jonathan Smith"
    assert visitor.follow(page, "North House").status_code == 200
    assert "Attendance" in visitor.follow(page, "Record").text


def test_a_student_whom_nobody_knows_is_shown_by_id(visitor: Visitor) -> None:
    page = visitor.get(f"attendance/student/{NOBODY_KNOWS}")
    assert f"Veracross {NOBODY_KNOWS}" in visible(page)
    assert "person/veracross" not in page.text


def test_the_record_of_a_student_leads_to_the_attendance(visitor: Visitor) -> None:
    link = f'href="/{SCHOOL}/{STUDENT}"'
    assert link in visitor.get("person/veracross/101").text
    assert "/attendance/student/20001" in visitor.get("person/orah/60001").text, "by the linked record"
    assert "/attendance/student/" not in visitor.get("person/veracross/112").text


def test_the_colours_come_with_the_page(visitor: Visitor) -> None:
    answer = visitor.client.get("/-/static/pictures.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.text == STYLE_SHEET.read_text()
    assert "/-/static/pictures.css" in visitor.get(NORTH).text


def test_a_hostile_name_is_text_everywhere(journal: Journal, visitors: Visitors) -> None:
    hostile = Standing(5, HOSTILE, HOSTILE, True, {})
    publish_attendance(
        journal,
        SCHOOL,
        Published(AS_OF, TERM, datetime.now(UTC)),
        days={AS_OF: {5: (Mark(HOSTILE, 1, HOSTILE),)}},
        standing=[hostile],
        alerts=[],
    )
    visitor = visitors()
    overview = visitor.get("attendance")
    pages = [overview, visitor.follow(overview, HOSTILE), visitor.get("attendance/student/5")]
    for page in pages:
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text


def test_the_audit_tells_what_was_looked_at_without_a_students_name(
    journal: Journal, visitor: Visitor
) -> None:
    for path in PAGES:
        visitor.get(path)
    subjects = [view.subject for view in audit_trail(journal, SCHOOL)]
    assert subjects == [
        f"attendance of student {JONATHAN}",
        "attendance of North House, 2026-10-07",
        "attendance of North House, 2026-11-25",
        "attendance",
    ]
