"""Pins in the journal: with a reason, a name and a last day; taken away once."""

from datetime import date, timedelta
from typing import Any

import pytest

from vx_pipeline.errors import VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.pins import add_pin, end_pin, pins_on
from vx_pipeline_tests.journal.held import NOW, SCHOOL

TODAY = NOW.date()
DAY = timedelta(days=1)


def add(journal: Journal, **values: Any) -> int:
    given: dict[str, Any] = {
        "school": SCHOOL,
        "entity": "student",
        "key": 1,
        "field": "",
        "reason": "Zephyrine asked",
        "author": "Dana",
        "at": NOW,
        "last_day": None,
    }
    return add_pin(journal, **{**given, **values})


def test_a_pin_holds_through_its_last_day(journal: Journal) -> None:
    last = TODAY + 3 * DAY
    pin_id = add(journal, last_day=last, field="email")
    (pin,) = pins_on(journal, SCHOOL, last)
    assert (pin.pin_id, pin.entity, pin.key, pin.field, pin.author) == (pin_id, "student", 1, "email", "Dana")
    assert (pin.made_at, pin.last_day) == (NOW, last)
    assert pins_on(journal, SCHOOL, last + DAY) == []
    assert pins_on(journal, "south", TODAY) == []
    assert "Zephyrine" not in repr(pin)


def test_a_pin_without_a_last_day_holds_until_it_is_taken_away(journal: Journal) -> None:
    first, second = add(journal), add(journal, key=2)
    assert [pin.pin_id for pin in pins_on(journal, SCHOOL, date(2099, 1, 1))] == [first, second]
    end_pin(journal, school=SCHOOL, pin_id=first, by="Kim", at=NOW)
    assert [pin.pin_id for pin in pins_on(journal, SCHOOL, TODAY)] == [second]


@pytest.mark.parametrize("school", [SCHOOL, "south"])
def test_a_pin_is_taken_away_once_and_by_its_own_school(journal: Journal, school: str) -> None:
    pin_id = add(journal)
    if school == SCHOOL:
        end_pin(journal, school=SCHOOL, pin_id=pin_id, by="Kim", at=NOW)
    with pytest.raises(VxError, match=f"no pin {pin_id}"):
        end_pin(journal, school=school, pin_id=pin_id, by="Kim", at=NOW)
    assert len(pins_on(journal, SCHOOL, TODAY)) == (0 if school == SCHOOL else 1)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"reason": " "}, "a reason and a name"),
        ({"author": ""}, "a reason and a name"),
        ({"last_day": TODAY - DAY}, "over already"),
    ],
)
def test_a_pin_that_says_nothing_is_refused(journal: Journal, values: dict[str, Any], told: str) -> None:
    with pytest.raises(VxError, match=told):
        add(journal, **values)
    assert pins_on(journal, SCHOOL, TODAY - DAY) == []
    assert add(journal, last_day=TODAY)


def test_who_pinned_what_is_in_the_book_of_views(journal: Journal) -> None:
    pin_id = add(journal, field="email")
    end_pin(journal, school=SCHOOL, pin_id=pin_id, by="Kim", at=NOW)
    seen = [(one.actor, one.action, one.subject) for one in audit_trail(journal, SCHOOL)]
    assert seen == [("Kim", "unpin", f"pin {pin_id}"), ("Dana", "pin", "student 1 email")]
