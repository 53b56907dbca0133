"""Problems and pins, as a visitor without a script."""

from datetime import UTC, date, datetime, timedelta

import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.pins import Pin, add_pin, pins_on
from vx_pipeline.journal.problems import YELLOW, Trouble, record_troubles
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.planned import HOSTILE, record_wrongs
from vx_pipeline_tests.review.school import SCHOOL, record_school
from vx_pipeline_tests.review.test_plan_pages import visible
from vx_pipeline_tests.review.visitor import Visitor, forms

SVEN = "person/veracross/106"


def held(journal: Journal) -> list[Pin]:
    return pins_on(journal, SCHOOL, datetime.now(UTC).date())


def pin(visitor: Visitor, path: str = SVEN, **changes: str | None) -> str:
    """Pins somebody by the form on their page; gives the text of the page that follows."""
    told: dict[str, str | None] = {"name": "Maria Keller", "reason": "Parents asked", **changes}
    return visible(visitor.send(visitor.get(path), "/pin", **told))


def test_without_problems_the_page_says_so(visitor: Visitor) -> None:
    text = visible(visitor.get("problems"))
    assert "No problem The newest run met nothing" in text
    assert "Nobody is pinned" in text
    assert "No problems" in visible(visitor.get(""))


def test_the_worst_stands_first_then_the_oldest(journal: Journal, visitor: Visitor) -> None:
    record_wrongs(journal)
    page = visitor.get("problems")
    text = visible(page)
    assert "3 problems 1 problem stops the sync." in text
    assert "the sync itself Orah refuses the key 3 hours ago" in text
    assert "Kwame Mensah Student, Veracross 103 the record in Orah carries another name 9 days ago" in text
    assert "2 runs last 2 days ago" in text
    places = [text.index(told) for told in ("Orah refuses", "Kwame Mensah", "Veracross 4002")]
    assert places == sorted(places)
    assert f'href="/{SCHOOL}/person/veracross/103"' in page.text
    assert "veracross/4002" not in page.text, "nobody knows this contact yet"


def test_the_overview_speaks_of_problems(journal: Journal, visitor: Visitor) -> None:
    troubles = [Trouble(YELLOW, "student", 103, "the record carries another name")]
    record_troubles(journal, SCHOOL, "plan", troubles, at=datetime.now(UTC) - timedelta(days=2))
    assert "1 problem left aside, the oldest since" in visible(visitor.get(""))
    record_wrongs(journal)
    assert "1 problem stops the sync" in visible(visitor.get(""))


def test_what_was_closed_is_not_shown(journal: Journal, visitor: Visitor) -> None:
    record_wrongs(journal)
    for source in ("plan", "apply"):
        record_troubles(journal, SCHOOL, source, [], at=datetime.now(UTC))
    assert "No problem" in visible(visitor.get("problems"))


def test_a_person_is_pinned_until_a_day(journal: Journal, visitor: Visitor) -> None:
    after = pin(visitor, field="", last_day="2099-12-31")
    assert "Pinned: student 106" in after.replace(" :", ":")
    assert "Everything is left alone until Thu 31 Dec 2099 : Parents asked" in after.replace(
        "2099:", "2099 :"
    )
    (made,) = held(journal)
    assert (made.entity, made.key, made.field, made.author) == ("student", 106, "", "Maria Keller")
    assert made.last_day == date(2099, 12, 31)
    assert "Sven Müller" in visible(visitor.get("problems"))


def test_one_field_is_pinned_from_the_record_in_orah_too(journal: Journal, visitor: Visitor) -> None:
    after = pin(visitor, "person/orah/507", field="last_name", last_day="")
    assert "Last name is left alone until the pin is taken away" in after
    (made,) = held(journal)
    assert (made.key, made.field, made.last_day) == (106, "last_name", None)


def test_a_house_is_pinned(journal: Journal, visitor: Visitor) -> None:
    page = visitor.get("person/veracross/7", entity="house")
    visitor.send(page, "/pin", name="Maria Keller", reason="Is renamed", field="name")
    assert [(made.entity, made.key, made.field) for made in held(journal)] == [("house", 7, "name")]


@pytest.mark.parametrize("path", ["person/orah/590", "person/veracross/701?entity=staff"])
def test_whom_no_sync_writes_cannot_be_pinned(journal: Journal, visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status_code == 200
    assert not any("/pin" in form.action for form in forms(page))
    form = next(form for form in forms(visitor.get(SVEN)) if form.action.endswith("/pin"))
    place, _, entity = path.partition("?entity=")
    fields = dict(form.fields) | {"entity": entity, "name": "Maria Keller", "reason": "Parents asked"}
    assert visitor.client.post(f"/{SCHOOL}/{place}/pin", data=fields).status_code == 400
    assert held(journal) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": " "}, "needs a named person"),
        ({"reason": " "}, "needs a reason"),
        ({"last_day": "2020-01-01"}, "over already"),
        ({"last_day": "tomorrow"}, "is no day"),
        ({"field": "favourite_colour"}, "did not make sense"),
        ({"field": "sis_id"}, "did not make sense"),
        ({"csrf": "wrong"}, "not valid any more"),
    ],
)
def test_a_pin_that_cannot_be_is_refused(
    journal: Journal, visitor: Visitor, changes: dict[str, str], told: str
) -> None:
    assert told in pin(visitor, **changes)
    assert held(journal) == []


def test_a_pin_is_taken_away_by_a_named_person(journal: Journal, visitor: Visitor) -> None:
    record_wrongs(journal)
    first, second = held(journal)
    asked = visitor.get(f"pins/{first.pin_id}/end")
    assert "Jonathan Smith (Student, Veracross 101)" in visible(asked)
    assert "Is moving house this week" in asked.text
    refused = visitor.send(asked, "/end", name=" ")
    assert "needs a named person" in refused.text
    assert visitor.send(asked, "/end", csrf="wrong").status_code == 403
    assert held(journal) == [first, second]
    after = visitor.send(asked, "/end", name="Maria Keller")
    assert f"pin {first.pin_id}; the sync looks after student 101 again" in after.text
    assert held(journal) == [second]
    assert visitor.get(f"pins/{first.pin_id}/end").status_code == 404


def test_another_schools_pin_is_not_there(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    record_wrongs(journal, school="lakeside")
    visitor = visitors(schools=[SCHOOL, "lakeside"])
    assert "Nobody is pinned" in visitor.get("problems").text
    assert visitor.get("pins/1/end").status_code == 404
    assert visitor.client.get("/lakeside/pins/1/end").status_code == 200


def test_hostile_reasons_stay_text(journal: Journal, visitor: Visitor) -> None:
    add_pin(
        journal,
        school=SCHOOL,
        entity="student",
        key=106,
        field="",
        reason=HOSTILE,
        author=HOSTILE,
        at=datetime.now(UTC),
        last_day=None,
    )
    troubles = [Trouble(YELLOW, "student", 106, HOSTILE)]
    record_troubles(journal, SCHOOL, "plan", troubles, at=datetime.now(UTC))
    for path in ("problems", SVEN, "pins/1/end"):
        page = visitor.get(path)
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text


def test_the_audit_tells_who_pinned_whom_by_ids_alone(journal: Journal, visitor: Visitor) -> None:
    pin(visitor, field="email")
    visitor.get("problems")
    visitor.send(visitor.get("pins/1/end"), "/end")
    trail = [(view.action, view.subject) for view in audit_trail(journal, SCHOOL)]
    assert ("pin", "student 106 email") in trail
    assert ("view", "problems") in trail
    assert ("view", "pin 1: student 106") in trail
    assert ("unpin", "pin 1") in trail
    assert "Parents" not in " ".join(subject for _, subject in trail)
