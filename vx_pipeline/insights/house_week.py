"""The picture of a house's last seven days, with names or with ids alone."""

from datetime import date, timedelta

from vx_pipeline.insights.day import DAYS, AttendanceDay, Student
from vx_pipeline.insights.legend import missed, rate
from vx_pipeline.insights.week import Session, Week, day_words, lay_out_week


def house_week(day: AttendanceDay, house: str) -> Week:
    """The house's students by name."""
    students = sorted(day.houses[house], key=lambda one: (one.name.casefold(), one.student_id))
    return _lay_out(day, house, [(one.name, one) for one in students])


def house_week_by_id(day: AttendanceDay, house: str, most: int) -> Week:
    """The house's students by id alone: at most so many, and of more those who missed most."""
    students = day.houses[house]
    shown = sorted(students, key=lambda one: (-_missed(day, one), one.student_id))[:most]
    left_out = f", {len(shown)} of {len(students)} students" if len(shown) < len(students) else ""
    return _lay_out(day, f"{house}{left_out}", [(str(one.student_id), one) for one in shown])


def most_missed(day: AttendanceDay) -> str | None:
    """The house that missed the largest share in these days, the first by name of several; None without any."""
    shares = [(rate(kinds_in_house(day, house)), house) for house in day.houses]
    return min(((1.0 if share is None else share, house) for share, house in shares), default=(1.0, None))[1]


def kinds_in_house(day: AttendanceDay, house: str) -> list[str]:
    """The kinds of all marks of a house in these days."""
    return [kind for one in day.houses[house] for marks in _week(day, one).values() for _, _, kind in marks]


def _lay_out(day: AttendanceDay, heading: str, students: list[tuple[str, Student]]) -> Week:
    days = [day.as_of - timedelta(days=back) for back in reversed(range(DAYS))]
    period = f"{day_words(days[0])} to {day_words(days[-1])} {day.as_of.year}"
    return lay_out_week(f"{heading}, {period}", [(label, _week(day, one)) for label, one in students], days)


def _week(day: AttendanceDay, student: Student) -> dict[date, tuple[Session, ...]]:
    first = day.as_of - timedelta(days=DAYS - 1)
    return {
        each: marks[student.student_id]
        for each, marks in day.marks.items()
        if each >= first and student.student_id in marks
    }


def _missed(day: AttendanceDay, student: Student) -> int:
    return missed(kind for marks in _week(day, student).values() for _, _, kind in marks)[0]
