"""Attendance for those who look after students: alerts, each house's week, and a student's term."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.insights.houses import house_order
from vx_pipeline.insights.legend import missed, percent, rate
from vx_pipeline.insights.pictures import draw
from vx_pipeline.insights.term import lay_out_term
from vx_pipeline.insights.week import lay_out_week
from vx_pipeline.journal.attendance_views import (
    DAYS_SHOWN,
    Published,
    StudentMarks,
    alerts_now,
    published_attendance,
    student_term,
    week_of,
)
from vx_pipeline.journal.cases import VERACROSS
from vx_pipeline.journal.decisions import Entity
from vx_pipeline.review import words
from vx_pipeline.review.attendance_words import WINDOWS, day_words, figure, figures, house_of
from vx_pipeline.review.site import Visit


@dataclass(frozen=True)
class Line:
    """One student of a list, or one house of several.

    Args:
        name: as the page calls it.
        path: the page behind it.
        rate: the share attended, as text.
        absent: class meetings missed.
        late: class meetings that were late.
        counted: class meetings that were attended or missed.
        students: how many.
    """

    name: str = field(repr=False)
    path: str
    rate: str
    absent: int
    late: int
    counted: int
    students: int = 1


def attendance_page(visit: Visit) -> Response:
    """Alerts first, then the houses with their week."""
    published = published_attendance(visit.journal, visit.school)
    everybody = week_of(visit.journal, visit.school, published.as_of) if published else []
    by_house: dict[str, list[StudentMarks]] = {}
    for one in everybody:
        by_house.setdefault(house_of(one.standing), []).append(one)
    standing = {one.standing.student_id: one.standing for one in everybody}
    visit.note("view", "attendance")
    return visit.page(
        "attendance.html",
        published=published,
        alerts=[
            (alert, _name(visit, alert.student_id), standing.get(alert.student_id))
            for alert in alerts_now(visit.journal, visit.school)
        ],
        houses=[
            _line(name, visit.at("attendance", "house", name=name), students)
            for name, students in sorted(by_house.items(), key=lambda each: house_order(each[0]))
        ],
        all_students=_line("The school", "", everybody),
        house_of=house_of,
        figure=figure,
    )


def house_page(visit: Visit) -> Response:
    """A house's seven days as a picture, and as a table.

    Raises:
        HTTPException: there is no such house, or the week is none of the term.
    """
    published = _published(visit)
    last_day = _last_day(visit, published)
    name = visit.text("name", 255)
    students = [
        one for one in week_of(visit.journal, visit.school, last_day) if house_of(one.standing) == name
    ]
    if not students:
        raise HTTPException(404)
    days = [last_day - timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    named = sorted(
        ((_name(visit, one.standing.student_id), one) for one in students),
        key=lambda each: (each[0].casefold(), each[1].standing.student_id),
    )
    period = f"{words.day(days[0])} to {words.day(days[-1])} {last_day.year}"
    picture = lay_out_week(f"{name}, {period}", [(label, one.days) for label, one in named], days)
    visit.note("view", f"attendance of {name}, {last_day}")
    return visit.page(
        "attendance_house.html",
        published=published,
        is_past=last_day < published.as_of,
        name=name,
        period=period,
        days=days,
        picture=Markup(draw(picture, standalone=False)),
        told=picture.told,
        whole=_line(name, "", students),
        rows=[
            (
                _line(label, visit.at("attendance", "student", one.standing.student_id), [one]),
                [day_words(one.days.get(day, ())) for day in days],
            )
            for label, one in named
        ],
        earlier=_week_at(visit, published, name, last_day - timedelta(days=DAYS_SHOWN)),
        later=_week_at(visit, published, name, min(last_day + timedelta(days=DAYS_SHOWN), published.as_of))
        if last_day < published.as_of
        else "",
    )


def student_page(visit: Visit) -> Response:
    """A student's term as a picture, the figures of the three windows, and what stands out.

    Raises:
        HTTPException: nobody of this id has figures.
    """
    published = _published(visit)
    student_id = visit.path_number("student_id")
    found = student_term(visit.journal, visit.school, student_id)
    if found is None:
        raise HTTPException(404)
    name = _name(visit, student_id)
    picture = lay_out_term(name, found.days, published.first_day, published.as_of)
    visit.note("view", f"attendance of student {student_id}")
    return visit.page(
        "attendance_student.html",
        published=published,
        student=found.standing,
        name=name,
        house=house_of(found.standing),
        picture=Markup(draw(picture, standalone=False)),
        told=picture.told,
        alerts=alerts_now(visit.journal, visit.school, student_id),
        figure=figure,
        windows=[label for window, label in WINDOWS.items() if window in found.standing.windows],
        figures=figures(found.standing.windows),
        days=[
            (day, day_words(marks))
            for day, marks in sorted(found.days.items(), reverse=True)
            if day >= published.first_day and any(mark.kind != "present" for mark in marks)
        ],
        was_there=any(
            mark.kind == "present"
            for day, marks in found.days.items()
            if day >= published.first_day
            for mark in marks
        ),
        known=visit.directory.find(Entity.STUDENT, VERACROSS, student_id) is not None,
    )


def _line(name: str, path: str, students: Iterable[StudentMarks]) -> Line:
    listed = list(students)
    kinds = [mark.kind for one in listed for marks in one.days.values() for mark in marks]
    absent, counted = missed(kinds)
    return Line(name, path, percent(rate(kinds)), absent, kinds.count("late"), counted, len(listed))


def _name(visit: Visit, student_id: int) -> str:
    return visit.directory.name(Entity.STUDENT, VERACROSS, student_id) or f"Veracross {student_id}"


def _published(visit: Visit) -> Published:
    published = published_attendance(visit.journal, visit.school)
    if published is None:
        raise HTTPException(404)
    return published


def _last_day(visit: Visit, published: Published) -> date:
    """The last of the seven days that are asked for; those of the figures where none is asked for."""
    text = visit.text("week")
    try:
        day = date.fromisoformat(text) if text else published.as_of
    except ValueError:
        raise HTTPException(400) from None
    if not published.first_day <= day <= published.as_of:
        raise HTTPException(404)
    return day


def _week_at(visit: Visit, published: Published, name: str, last_day: date) -> str:
    """The address of another week of a house; empty where the term has none there."""
    if last_day < published.first_day:
        return ""
    return visit.at("attendance", "house", name=name, week=last_day)
