"""Building the roster tables, in the order in which they rest on each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from vx_pipeline.policies import Labels, Policies
from vx_pipeline.warehouse.derive import derive


@dataclass(frozen=True)
class Derivation:
    """One table of the roster.

    Args:
        table: the table in schema ``roster`` and the ``.sql`` file that makes it.
        sources: the tables it reads, as ``schema.table``.
        description: what it holds, for the catalogue.
    """

    table: str
    sources: tuple[str, ...]
    description: str


DERIVATIONS = (
    Derivation("leavers", ("veracross.students",), "Who has left the school, and by which signal."),
    Derivation(
        "students",
        ("veracross.students", "roster.leavers"),
        "Everybody Veracross lists as a student, now or earlier.",
    ),
    Derivation(
        "dorms", ("veracross.dorms",), "Every dorm of every school year, and whether it is in use today."
    ),
    Derivation(
        "dorm_assignments",
        ("veracross.dorm_students", "roster.dorms"),
        "Every dorm enrolment, and whether it holds today.",
    ),
    Derivation(
        "boarders",
        ("roster.students", "roster.dorm_assignments"),
        "Who boards, by which rule, and why; one row for each student.",
    ),
    Derivation(
        "boarder_contradictions",
        ("roster.dorm_assignments", "roster.dorms", "roster.students"),
        "Dorm enrolments that say two things at once, for a person to mend.",
    ),
    Derivation(
        "contacts",
        (
            "veracross.relationships",
            "veracross.parents",
            "veracross.households",
            "veracross.contact_info",
            "roster.students",
        ),
        "The adults behind each student: both homes, and whether each may stand beside the student in Orah.",
    ),
    Derivation("houses", ("roster.dorms", "roster.boarders"), "The dorms in use today, as Orah's houses."),
    Derivation(
        "groups",
        ("veracross.classes", "veracross.athletics_rosters", "roster.dorms"),
        "Classes and teams of the running school year.",
    ),
    Derivation(
        "group_members",
        ("roster.groups", "roster.students", "veracross.enrollments", "veracross.athletics_rosters"),
        "Students and staff of each class and team today.",
    ),
    Derivation(
        "staff",
        ("veracross.staff_faculty",),
        "Who works at the school today, and what keeps a person from being synced.",
    ),
)
"""In the order in which they can be built."""


def build(connection: duckdb.DuckDBPyConnection, table: str, policies: Policies, today: date) -> None:
    """Builds one roster table, replacing the one before.

    Args:
        connection: the school's warehouse, in a transaction.
        table: the table's name in schema ``roster``.
        policies: the school's rules.
        today: the school's own date.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS roster")
    derive(connection, "vx_pipeline.roster", table, _parameters(policies, today))


def _parameters(policies: Policies, today: date) -> Mapping[str, Any]:
    return {
        "today": today,
        "boarder_rule": policies.boarder_rule,
        "removal": policies.removal,
        "active_roles": _folded(policies.active_roles),
        "left_enrollment_statuses": _folded(policies.left_enrollment_statuses),
        "inactive_class_statuses": _folded(policies.inactive_class_statuses),
        "no_custody_statuses": _folded(policies.contacts.no_custody_statuses),
        "needs_one_of": list(policies.contacts.needs_one_of),
    }


def _folded(labels: Labels) -> list[str]:
    return [label.strip().lower() for label in labels]
