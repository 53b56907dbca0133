"""A school's rules: what its labels mean, who is synced, how far a run may go. All have safe defaults.

Policies name labels, never ids: codes differ from school to school, the words on the screen are what people
know. Labels are compared without regard to case and surrounding blanks.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

BoarderRule = Literal["dorm", "room", "dorm_and_room"]
Removal = Literal["deactivate", "delete"]
Labels = tuple[str, ...]
Share = Annotated[float, Field(gt=0, le=1)]


class AttendancePolicy(BaseModel):
    """How time away in Orah becomes a mark in Veracross."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    absent_status: str = Field(
        "Absent - Excused", description="Label of the status written for a class missed while away."
    )
    present_status: str = Field(
        "Present", description="Label of the status that a row has before anybody marked it."
    )
    away_states: Labels = Field(
        ("off_grounds", "home"), description="Orah location states that mean a student is away from class."
    )
    away_places: Labels = Field(
        (), description="Names of Orah locations on the grounds that also mean away, e.g. a health centre."
    )
    absent_share: Share = Field(
        0.5, description="Share of a class meeting that must be missed before it counts as absent."
    )
    note_marker: str = Field("[via Orah]", min_length=3, description="Ends every note we write.")
    days_back: int = Field(7, ge=0, le=60, description="Edit window: days before today that may be written.")


class Policies(BaseModel):
    """The rules of one school."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boarder_rule: BoarderRule = Field("dorm", description="What makes a student a boarder.")
    removal: Removal = Field("deactivate", description="What happens in Orah to a student who left.")
    delete_after_days: int = Field(
        30, ge=1, description="With removal = delete: days a record stays deactivated before it is deleted."
    )
    active_roles: Labels = Field(
        ("Student",), description="Veracross roles that mean a student is at the school."
    )
    left_enrollment_statuses: Labels = Field(
        ("Withdrawn", "Graduated", "Dismissed", "Transferred", "Not Returning"),
        description="Enrollment statuses that mean a student has left.",
    )
    inactive_class_statuses: Labels = Field(
        ("Inactive", "Past", "Future", "Cancelled", "Closed", "Archived"),
        description="Statuses of dorms and classes that are not in use now.",
    )
    synced: Literal["boarding", "day", "both"] = Field("both", description="Who is brought to Orah.")
    grades: Labels = Field((), description="Grade labels that are synced; empty means every grade.")
    create_students: bool = Field(
        True, description="Whether a student without any possible record in Orah gets a new one."
    )
    link_same_name_and_year: bool = Field(
        False,
        description="Whether a name that is unique on both sides, with the same year level, is enough to link "
        "where Orah shows no birth date. Otherwise a person confirms such pairs, all at once.",
    )
    removal_budget: Share = Field(
        0.05, description="Share of the active students in Orah that one run may remove before it stops."
    )
    create_budget: Share = Field(
        0.25, description="Share of the active students in Orah (but 10 at least) that one run may make anew."
    )
    meetings_days_back: int = Field(
        7,
        ge=0,
        le=366,
        description="Class meetings read: days before today, and never fewer than attendance.days_back.",
    )
    meetings_days_ahead: int = Field(7, ge=0, le=366, description="Class meetings read: days after today.")
    import_files_kept: int = Field(
        14, ge=2, le=366, description="Deliveries of import files that are kept, the newest one among them."
    )
    attendance: AttendancePolicy = AttendancePolicy()
