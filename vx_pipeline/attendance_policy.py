"""A school's rules for attendance: what time away means, whose mark counts, and what the insights look for.

As in ``policies.py``, labels are named and never ids; they are compared without regard to case and blanks.
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Labels = tuple[str, ...]
Share = Annotated[float, Field(gt=0, le=1)]

Mode = Literal["never_overwrite", "overwrite_present_only", "orah_wins"]
ReasonType = Literal["Excused", "Unexcused", "Not Expected"]
"""What Orah knows of a reason: a class missed with one that is not expected does not count against the rate."""

Kind = Literal["present", "late", "excused", "unexcused", "no_reason", "not_expected"]
"""What a status of the school's own list means to the insights; ``no_reason`` is absent, excused or not."""

Window = Literal["7_days", "30_days", "term"]
Measure = Literal["absent", "excused", "unexcused", "no_reason", "late", "rate", "absent_streak"]


class AttendancePolicy(BaseModel):
    """How time away in Orah becomes a mark in Veracross."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(
        "never_overwrite",
        description="never_overwrite: only rows that nobody marked. overwrite_present_only: also what a person "
        "set to present. orah_wins: whatever a person set.",
    )
    absent_status: str = Field(
        "Absent - Excused",
        min_length=1,
        description="Label of the status written for a class missed while away, or without a reason type.",
    )
    late_status: str = Field("Late", min_length=1, description="Label of the status written for coming late.")
    present_status: str = Field(
        "Present", min_length=1, description="Label of the status that a row has before anybody marked it."
    )
    statuses: Mapping[str, str] = Field(
        {},
        description="Name of an Orah location, pass type or roll reason, or a reason type = label of the status "
        "written instead of absent_status. An empty label: nothing is written for it. Without a label of its own "
        "Unexcused is written as Absent - Unexcused, and Not Expected as Not Expected.",
    )
    reason_types: Mapping[str, ReasonType] = Field(
        {}, description="Name of an Orah location or pass type = its reason type; otherwise Excused."
    )
    away_states: Labels = Field(
        ("off_grounds", "home"), description="Orah location states that mean a student is away from class."
    )
    away_places: Labels = Field(
        (), description="Names of Orah locations on the grounds that also mean away, e.g. a health centre."
    )
    daily_resets: tuple[time, ...] = Field(
        (),
        description="Times of day, on the school's clock, at which Orah puts everybody somewhere. Such a move "
        "says nothing about a student: it begins no time away, and ends one.",
    )
    rolls: bool = Field(True, description="Whether results of class rolls are carried over.")
    absent_share: Share = Field(
        0.5, description="Share of a class meeting that must be missed before it counts as absent."
    )
    late_share: Share = Field(
        0.1, description="Share missed from its start on, from which coming later counts as late."
    )
    note_marker: str = Field("[via Orah]", min_length=3, description="Ends every note we write.")
    days_back: int = Field(7, ge=0, le=60, description="Edit window: days before today that may be written.")
    writes_per_hour: int = Field(
        100,
        ge=1,
        description="Marks written within an hour without a person's word; beyond it they are held.",
    )

    @model_validator(mode="after")
    def _late_is_less_than_absent(self) -> Self:
        if self.late_share > self.absent_share:
            raise ValueError("late_share must not be greater than absent_share")
        return self


class AlertRule(BaseModel):
    """What makes an alert: a figure of a student's window that reaches its bound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="What the alert is called.")
    window: Window = "7_days"
    measure: Measure = "unexcused"
    at_least: float | None = Field(None, description="The figure is so much or more.")
    at_most: float | None = Field(None, description="The figure is so much or less.")
    fewest_sessions: int = Field(
        0, ge=0, description="Windows with fewer meetings that were attended or missed say too little."
    )

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("an alert rule has either at_least or at_most")
        return self


class InsightsPolicy(BaseModel):
    """What is made of class attendance in Veracross."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    term_starts: tuple[date, ...] = Field(
        (), description="First days of the terms; without any, the term is the school year."
    )
    status_kinds: Mapping[str, Kind] = Field(
        {}, description="Label of a status = what it means, where its words do not tell."
    )
    whole_read_days: int = Field(
        7, ge=1, le=60, description="Each class's attendance is read whole again after so many days."
    )
    corrections_days: int = Field(
        7,
        ge=0,
        le=60,
        description="Classes that met in so many days before are asked for corrections, too, each night; never "
        "fewer than attendance.days_back.",
    )
    alerts: tuple[AlertRule, ...] = Field(
        (
            AlertRule(name="Unexcused absences", window="7_days", measure="unexcused", at_least=2),
            AlertRule(name="Often late", window="30_days", measure="late", at_least=5),
            AlertRule(
                name="Low attendance", window="30_days", measure="rate", at_most=0.9, fewest_sessions=20
            ),
            AlertRule(name="Away for long", window="30_days", measure="absent_streak", at_least=10),
        ),
        description="Rules for attendance.alerts.",
    )

    @field_validator("alerts")
    @classmethod
    def _names_tell_rules_apart(cls, rules: tuple[AlertRule, ...]) -> tuple[AlertRule, ...]:
        if len({rule.name for rule in rules}) < len(rules):
            raise ValueError("two alert rules have the same name")
        return rules
