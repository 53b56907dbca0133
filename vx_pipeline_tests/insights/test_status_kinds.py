"""What a label means: its words, the school's word, or nothing."""

import pytest

from vx_pipeline.attendance_policy import AttendancePolicy, InsightsPolicy
from vx_pipeline.insights.status_kinds import status_kinds
from vx_pipeline.policies import Policies


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Present", "present"),
        (" PRESENT ", "present"),
        ("Late", "late"),
        ("Tardy (old)", "late"),
        ("Late - Excused", "late"),
        ("Unexcused Tardy", "late"),
        ("Present, Late", "late"),
        ("Absent - Excused", "excused"),
        ("Absent - Unexcused", "unexcused"),
        ("Absent (not excused)", "unexcused"),
        ("Authorised Absence", "excused"),
        ("Unauthorized absence", "unexcused"),
        ("Dismissed", "excused"),
        ("Early Dismissal", "excused"),
        ("School Activity", "not_expected"),
        ("Excused: field trip", "not_expected"),
        ("Not Expected", "not_expected"),
        ("Absent", "no_reason"),
        ("Absent - Medical", "no_reason"),
        ("Absent (no note)", "no_reason"),
        ("Absence, excused or unexcused", "no_reason"),
        ("Suspended", "no_reason"),
        ("Sick", "no_reason"),
        ("Absent - Not Expected", "not_expected"),
        ("Absent - Not Expected, Unexcused", "unknown"),
        ("Not absent", "unknown"),
        ("No absence", "unknown"),
        ("Left early", "unknown"),
        ("Not Present", "unknown"),
        ("Presently unknown", "unknown"),
        ("Late/Absent", "unknown"),
        ("Late Dismissal", "unknown"),
        ("Excused or Unexcused", "unknown"),
        ("Present or Excused", "unknown"),
        ("Latest news", "unknown"),
        ("Code Blue", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_words_tell_one_thing_or_nothing(label: str, kind: str) -> None:
    assert status_kinds([label], Policies()) == {label: kind}


def test_the_schools_own_word_goes_over_the_labels_words() -> None:
    policy = InsightsPolicy(status_kinds={"absent": "unexcused", "Late - Excused": "not_expected"})
    found = status_kinds(["Absent", " late -  excused", "Late"], Policies(insights=policy))
    assert found == {"Absent": "unexcused", " late -  excused": "not_expected", "Late": "late"}


def test_the_labels_that_are_written_for_absence_mean_one_whatever_their_words() -> None:
    attendance = AttendancePolicy(
        absent_status="Away",
        statuses={
            "Medical Appointment": "Doctor",
            "Unexcused": "Code 7",
            "College Visit": "Visit",
            "Oversight": "Absent - Unexcused",
            "Detention": "Elsewhere",
            "Excused": "Elsewhere",
            "unexcused": "Elsewhere",
            "Sports Fixture": "",
        },
        reason_types={"College Visit": "Not Expected", "Oversight": "Excused"},
    )
    labels = ["Away", "doctor", "Code 7", "Visit", "Absent - Unexcused", "Elsewhere", "Code Blue"]
    kinds = ["no_reason", "no_reason", "unexcused", "not_expected", "unexcused", "no_reason", "unknown"]
    assert status_kinds(labels, Policies(attendance=attendance)) == dict(zip(labels, kinds, strict=True))
    said = InsightsPolicy(status_kinds={"doctor": "excused"})
    assert status_kinds(["Doctor"], Policies(attendance=attendance, insights=said)) == {"Doctor": "excused"}


def test_the_labels_that_are_written_say_what_present_and_late_are_called() -> None:
    policies = Policies(attendance=AttendancePolicy(present_status="In class", late_status="Came after"))
    assert status_kinds(["in class", "Came After"], policies) == {"in class": "present", "Came After": "late"}
