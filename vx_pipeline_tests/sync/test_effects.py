"""What a link would change: only what Veracross knows and Orah has otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.orah import assumed
from vx_pipeline.sync.effects import would_change

RECORD = {
    "first_name": "Mia",
    "alt_name": None,
    "email": "Mia.Example@Example.org",
    "student_type": "FlexiBoarding",
    "room_number": "12",
    "house_id": 7,
}
VALUES = st.one_of(st.none(), st.just(""), st.text(max_size=5), st.integers(1, 9), st.booleans())
FIELDS = st.sampled_from(["first_name", "email", "student_type", "house_id", "room_number"])


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("first_name", None),
        ("first_name", ""),
        ("first_name", "Mia"),
        ("email", "mia.example@example.org "),
        ("student_type", assumed.BOARDING),
        ("student_type", "FlexiBoarding"),
        ("house_id", 7),
    ],
)
def test_what_is_the_same_or_unknown_stays(field: str, wanted: Any) -> None:
    assert would_change({field: wanted}, RECORD) == {}


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("first_name", "mia"),
        ("alt_name", "Maria"),
        ("email", "m.example@example.org"),
        ("student_type", assumed.DAY),
        ("house_id", 8),
        ("bed_number", "A"),
    ],
)
def test_what_differs_is_shown_with_both_values(field: str, wanted: Any) -> None:
    assert would_change({field: wanted}, RECORD) == {field: (RECORD.get(field), wanted)}


def test_each_day_type_means_the_same_and_none_means_boarding() -> None:
    for now in assumed.DAY_TYPES:
        assert would_change({"student_type": assumed.DAY}, {"student_type": now}) == {}
        assert would_change({"student_type": assumed.BOARDING}, {"student_type": now}) != {}


def test_an_unknown_type_is_replaced_once_and_then_left() -> None:
    assert would_change({"student_type": "Visitor"}, {"student_type": "Guest"}) == {
        "student_type": ("Guest", "Visitor")
    }
    assert would_change({"student_type": "Visitor"}, {"student_type": "Visitor"}) == {}


@given(wanted=st.dictionaries(FIELDS, VALUES), fields=st.dictionaries(FIELDS, VALUES))
def test_after_the_changes_there_are_none_left(wanted: dict[str, Any], fields: dict[str, Any]) -> None:
    changes = would_change(wanted, fields)
    after = fields | {name: then for name, (_, then) in changes.items()}
    assert would_change(wanted, after) == {}
    assert all(then not in (None, "") for _, then in changes.values())
