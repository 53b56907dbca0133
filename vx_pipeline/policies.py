"""A school's rules: what its labels mean, who is synced, how far a run may go. All have safe defaults.

Policies name labels, never ids: codes differ from school to school, the words on the screen are what people
know. Labels are compared without regard to case and surrounding blanks.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from vx_pipeline.attendance_policy import AttendancePolicy, InsightsPolicy

BoarderRule = Literal["dorm", "room", "dorm_and_room"]
Removal = Literal["deactivate", "delete"]
Labels = tuple[str, ...]
Share = Annotated[float, Field(gt=0, le=1)]
Number = Annotated[int, Field(ge=0)]
ContactFlag = Literal["resident", "legal_custody", "parent_portal_access", "emergency"]


ORAH_FIELDS = frozenset(
    {
        *("first_name", "alt_name", "last_name", "email", "year_level", "student_type"),
        *(
            "house",
            "room_number",
            "bed_number",
            "title",
            "relationship",
            "mobile_phone",
            "home_phone",
            "address",
        ),
    }
)
"""Fields of students and contacts in Orah that a school may keep for itself."""


class ContactPolicy(BaseModel):
    """Which adults stand beside a student in Orah. Who has died, or lost custody, never does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    synced: bool = Field(True, description="Whether contacts are brought to Orah at all.")
    needs_one_of: tuple[ContactFlag, ...] = Field(
        ("legal_custody", "resident", "parent_portal_access", "emergency"),
        min_length=1,
        description="Flags of the relationship of which at least one must be set.",
    )
    no_custody_statuses: Labels = Field(
        ("No Custody", "Custody Removed", "Removed", "Revoked", "Terminated"),
        description="Custody statuses that mean: must not be a contact of this student.",
    )
    reread_days: int = Field(
        7,
        ge=1,
        le=60,
        description="Each student's contacts are read from Orah again after so many days, to see edits by hand.",
    )


class RolloverPolicy(BaseModel):
    """What may be written while one school year turns into the next. Both days belong to the period."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["normal", "adds_only", "frozen"] = Field(
        "normal", description="adds_only: new records only. frozen: nothing. A lost custody always counts."
    )
    first_day: date | None = Field(None, description="The mode holds from this day on; at once without it.")
    last_day: date | None = Field(None, description="The mode holds until this day; for good without it.")

    def mode_on(self, day: date) -> Literal["normal", "adds_only", "frozen"]:
        """The mode that holds on a day."""
        begun = self.first_day is None or self.first_day <= day
        over = self.last_day is not None and day > self.last_day
        return self.mode if begun and not over else "normal"


class GatePolicy(BaseModel):
    """How much one run may do before a person looks. Shares are of the active students in Orah.

    The figures are stricter than those of any sync that was looked at; what goes beyond is held, the rest flows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    removals_per_run: Share = Field(0.01, description="Share of students that one run may remove.")
    removals_per_week: Share = Field(
        0.03, description="Share removed within seven days without a person's word."
    )
    fewest_removals: Number = Field(3, description="So many removals are never too many by their number.")
    removals_per_group: Share = Field(0.25, description="Share of one house, grade, class or team.")
    smallest_group: int = Field(5, ge=1, description="Groups with fewer active students are not looked at.")
    creates_per_run: Share = Field(0.25, description="New student records, as a share of the active ones.")
    field_changes: Share = Field(0.20, description="Students in whom one field is overwritten.")
    fewest_changes: Number = Field(10, description="So many creates or overwrites are never too many.")
    boarder_flips: Share = Field(0.05, description="Students who turn from boarding to day, or back.")
    fewest_flips: Number = Field(3, description="So many flips are never too many.")
    contacts_unlinked: Share = Field(
        0.02, description="Contacts that lose a student, as a share of all links."
    )
    fewest_unlinked: Number = Field(5, description="So many contacts unlinked are never too many.")
    pass_states: Labels = Field(
        ("off_grounds",),
        description="Orah location states of a student on an active pass, who is never removed.",
    )
    pass_days: int = Field(14, ge=1, description="A movement older than this says nothing about today.")
    approval_days: int = Field(
        7, ge=1, description="An approval that nothing came of ends after so many days."
    )


class Policies(BaseModel):
    """The rules of one school."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("orah_owns")
    @classmethod
    def _known_fields(cls, names: Labels, info: ValidationInfo) -> Labels:
        """A field that is misspelt would be overwritten in silence."""
        unknown = set(names) - ORAH_FIELDS - set(info.data.get("student_fields", ()))
        if unknown:
            raise ValueError(f"Orah has no such field for a school to own: {', '.join(sorted(unknown))}")
        return names

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
    student_fields: Mapping[str, str] = Field(
        {},
        description="Field of Orah's student = column of veracross.students (of several, the first that is not "
        "empty), over the usual mapping (sync/mapping.py). An empty text leaves a field alone.",
    )
    orah_owns: Labels = Field(
        (),
        description="Fields of students and contacts that the school edits in Orah; written to new records only.",
    )
    create_students: bool = Field(
        True, description="Whether a student without any possible record in Orah gets a new one."
    )
    link_same_name_and_year: bool = Field(
        False,
        description="Whether a name that is unique on both sides, with the same year level, is enough to link "
        "where Orah shows no birth date. Otherwise a person confirms such pairs, all at once.",
    )
    meetings_days_back: int = Field(
        7,
        ge=0,
        le=366,
        description="Class meetings read: days before today, and never fewer than attendance.days_back.",
    )
    meetings_days_ahead: int = Field(7, ge=0, le=366, description="Class meetings read: days after today.")
    contacts: ContactPolicy = ContactPolicy()
    rollover: RolloverPolicy = RolloverPolicy()
    gate: GatePolicy = GatePolicy()
    remove_empty_houses: bool = Field(
        False,
        description="Whether a house that we made, whose dorm has ended and in which no student is, is deleted.",
    )
    import_files_kept: int = Field(
        14, ge=2, le=366, description="Deliveries of import files that are kept, the newest one among them."
    )
    attendance: AttendancePolicy = AttendancePolicy()
    insights: InsightsPolicy = InsightsPolicy()
