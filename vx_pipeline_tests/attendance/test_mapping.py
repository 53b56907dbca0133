"""From what Orah says to a status of the school's own list: by name, never by position or number."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.attendance.mapping import Statuses, label_for, named_labels
from vx_pipeline.attendance.wanted import Outcome, Wanted
from vx_pipeline.attendance_policy import AttendancePolicy, ReasonType
from vx_pipeline.schema import ValueList
from vx_pipeline_tests.attendance.moving import START, meeting, often

ITEMS: list[dict[str, Any]] = [
    {"id": 1, "description": "Present"},
    {"id": "2", "description": " Absent - Excused "},
    {"id": 3, "description": "Late"},
    {"id": 4, "description": "Tardy (old)", "obsolete": True},
    {"id": 5, "description": ""},
]
STATUSES = Statuses.of(
    [ValueList(("block",), [{"id": 9, "description": "Late"}]), ValueList(("status",), ITEMS)]
)


def wanted(
    outcome: Outcome = Outcome.ABSENT,
    source: str = "movement",
    name: str = "Town",
    reason: ReasonType | None = "Excused",
) -> Wanted:
    return Wanted(meeting(0, 60), outcome, source, name, reason, 1.0, ("m1",), START)


# --- the list


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Present", "1"),
        (" absent - EXCUSED", "2"),
        ("Late", "3"),
        ("Tardy (old)", None),
        ("Absent", None),
        ("", None),
        (" ", None),
    ],
)
def test_a_label_has_the_code_of_the_list_whatever_its_case_and_blanks(label: str, code: str | None) -> None:
    assert STATUSES.code(label) == code
    assert bool(STATUSES.trouble(label)) == (code is None)


@pytest.mark.parametrize(
    ("label", "words"),
    [("Tardy (OLD) ", "is obsolete in"), ("Absent", "is not in"), ("Twice", "stands more than once in")],
)
def test_what_is_wrong_with_a_label_is_told(label: str, words: str) -> None:
    twice = [{"id": 7, "description": "Twice"}, {"id": 8, "description": "twice"}]
    trouble = Statuses.of([ValueList(("status",), [*ITEMS, *twice])]).trouble(label)
    assert repr(label) in trouble
    assert words in trouble
    assert "vx doctor" in trouble


def test_a_label_of_two_codes_is_none_of_them_but_the_same_item_twice_is_one() -> None:
    twice = Statuses.of([ValueList(("status",), [*ITEMS, {"id": 6, "description": "LATE"}])])
    assert twice.code("Late") is None
    assert twice.label("6") == "LATE"
    again = Statuses.of([ValueList(("status",), [*ITEMS, *ITEMS]), ValueList(("status", "x"), ITEMS)])
    assert again == STATUSES


def test_a_label_that_is_obsolete_under_one_code_and_in_use_under_another_is_in_use() -> None:
    old = Statuses.of([ValueList(("status",), [*ITEMS, {"id": 6, "description": "Late", "obsolete": True}])])
    assert (old.code("Late"), old.trouble("Late")) == ("3", "")


def test_a_code_is_shown_by_its_label_and_an_unknown_one_by_itself() -> None:
    assert [STATUSES.label(code) for code in (None, "2", "4", "77")] == [
        None,
        "Absent - Excused",
        "Tardy (old)",
        "77",
    ]


@often
@given(st.permutations(ITEMS))
def test_the_order_of_the_list_means_nothing(items: list[dict[str, Any]]) -> None:
    assert Statuses.of([ValueList(("status",), items)]) == STATUSES


def test_no_list_no_codes() -> None:
    assert Statuses.of([]).trouble("Present")


# --- the settings


POLICY = AttendancePolicy(
    statuses={
        " TOWN": " Off Campus ",
        "Nurse": "",
        "Unexcused": "Absent - Unexcused",
        "Weekend": "Away",
        "Bus": "Late - Excused",
    },
)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        # A place or a pass, by its name, then by its reason type, then as every absence.
        (wanted(), "Off Campus"),
        (wanted(name=" town "), "Off Campus"),
        (wanted(name="Home"), "Absent - Excused"),
        (wanted(name="Home", reason="Unexcused"), "Absent - Unexcused"),
        (wanted(reason="Unexcused"), "Off Campus"),
        (wanted(source="pass", name="Weekend"), "Away"),
        (wanted(name=""), "Absent - Excused"),
        # Nothing is written for it.
        (wanted(source="roll", name="Nurse", reason="Unexcused"), ""),
        # Where somebody was says nothing about coming late.
        (wanted(Outcome.LATE), "Late"),
        (wanted(Outcome.LATE, reason="Unexcused"), "Late"),
        (wanted(Outcome.LATE, source="pass", name="Weekend"), "Late"),
        # A roll's reason does, but who came late is never absent by a reason type.
        (wanted(Outcome.LATE, source="roll", name="Bus"), "Late - Excused"),
        (wanted(Outcome.LATE, source="roll", name="Nurse"), ""),
        (wanted(Outcome.LATE, source="roll", name="", reason="Unexcused"), "Late"),
        (wanted(source="roll", name="", reason="Unexcused"), "Absent - Unexcused"),
        # No absence is one of another reason type, whatever the settings leave out.
        (wanted(source="roll", name="Trip", reason="Not Expected"), "Not Expected"),
        (wanted(Outcome.LATE, source="roll", name="Trip", reason="Not Expected"), "Late"),
        (wanted(source="roll", name="Other", reason=None), "Absent - Excused"),
    ],
)
def test_the_label_of_what_orah_says(said: Wanted, label: str) -> None:
    assert label_for(said, POLICY) == label


@often
@given(
    st.sampled_from([Outcome.ABSENT, Outcome.LATE]),
    st.sampled_from(["pass", "roll", "movement"]),
    st.sampled_from(["", "Town", "Nurse", "Bus", "Elsewhere"]),
    st.sampled_from(["Excused", "Unexcused", "Not Expected"]),
)
def test_every_label_is_one_that_the_settings_name_and_case_does_not_matter(
    outcome: Outcome, source: str, name: str, reason: ReasonType
) -> None:
    said = wanted(outcome, source, name, reason)
    label = label_for(said, POLICY)
    assert label in ("", "Not Expected", *named_labels(POLICY))
    assert label_for(replace(said, name=f" {name.upper()} "), POLICY) == label


def test_the_labels_that_the_settings_name_are_each_named_once() -> None:
    policy = AttendancePolicy(statuses={"Town": " Late ", "Home": "", "Bus": "Away"})
    assert named_labels(policy) == ["Present", "Absent - Excused", "Late", "Away", "Absent - Unexcused"]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ({}, ["Absent - Unexcused"]),
        ({"statuses": {" unexcused": "Away"}}, ["Away"]),
        ({"rolls": False}, []),
        ({"rolls": False, "reason_types": {"Town": "Unexcused"}}, ["Absent - Unexcused"]),
        ({"rolls": False, "reason_types": {"Town": "Excused", "Bus": "Not Expected"}}, ["Not Expected"]),
        ({"reason_types": {"Bus": "Not Expected"}, "statuses": {"Not Expected": ""}}, ["Absent - Unexcused"]),
    ],
)
def test_the_label_of_a_reason_type_is_named_where_a_roll_or_the_settings_may_bring_it(
    rules: dict[str, Any], found: list[str]
) -> None:
    assert named_labels(AttendancePolicy(**rules))[3:] == found


@pytest.mark.parametrize(
    ("reason", "label"), [("Unexcused", "Absent - Unexcused"), ("Not Expected", "Not Expected"), (None, None)]
)
@pytest.mark.parametrize("source", ["roll", "movement", "pass"])
def test_without_any_setting_a_truant_is_not_excused(
    reason: ReasonType | None, label: str | None, source: str
) -> None:
    policy = AttendancePolicy()
    assert label_for(wanted(source=source, reason=reason), policy) == (label or policy.absent_status)
    assert label_for(wanted(Outcome.LATE, source=source, reason=reason), policy) == policy.late_status
