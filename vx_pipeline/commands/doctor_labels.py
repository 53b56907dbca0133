"""What `vx doctor` says of labels: whether those in the policies are the school's, and what statuses mean."""

from collections.abc import Collection, Iterable, Iterator

import duckdb

from vx_pipeline.attendance.mapping import named_labels
from vx_pipeline.commands.findings import Finding, finding
from vx_pipeline.errors import VxError
from vx_pipeline.insights.status_kinds import NO_REASON, UNKNOWN, status_kinds
from vx_pipeline.policies import Policies
from vx_pipeline.session import SchoolSession

STATUSES = """
    SELECT DISTINCT trim(label) FROM veracross.value_list_items
    WHERE collection = 'class_attendance' AND field = 'status' AND NOT coalesce(obsolete, FALSE)
"""
OLD_STATUSES = """
    SELECT DISTINCT trim(label) FROM veracross.value_list_items
    WHERE collection = 'class_attendance' AND field = 'status' AND coalesce(obsolete, FALSE)
"""
ROLES = """
    SELECT DISTINCT trim(unnest(string_split(roles, ','))) FROM veracross.students WHERE _missing_since IS NULL
"""
GRADES = """
    SELECT DISTINCT trim(grade_level_label) FROM veracross.students
    UNION
    SELECT trim(label) FROM veracross.value_list_items
    WHERE collection = 'students' AND field = 'grade_level' AND NOT coalesce(obsolete, FALSE)
"""


def known_labels(session: SchoolSession) -> Iterator[Finding]:
    """Whether the policies' labels are those of this school, as far as they were read, and what statuses mean."""
    policies = session.school.policies
    try:
        with session.reading() as connection:
            statuses = _read_labels(connection, STATUSES)
            old_statuses = _read_labels(connection, OLD_STATUSES)
            roles = _read_labels(connection, ROLES)
            grades = _read_labels(connection, GRADES)
    except VxError:
        # Before the first sync there is nothing to look at; a broken file was told above.
        return
    yield from each_known("attendance label", named_labels(policies.attendance), statuses)
    yield from each_known(
        "label of insights.status_kinds", policies.insights.status_kinds, statuses | old_statuses
    )
    yield from _meanings(statuses, policies)
    yield from each_known("grade", policies.grades, grades)
    if roles:
        active = _folded(policies.active_roles) & _folded(roles)
        yield finding(
            "active roles",
            bool(active),
            ", ".join(sorted(active)) or "no student has one of them, so every student would count as left",
            f"Set policies.active_roles to some of: {', '.join(sorted(roles))}.",
        )


def _meanings(statuses: Collection[str], policies: Policies) -> Iterator[Finding]:
    """The statuses in use of which the insights know nothing, or no more than that they mean an absence."""
    for label, kind in sorted(status_kinds(statuses, policies).items()):
        if kind == UNKNOWN:
            yield finding(
                f"attendance status {label!r}",
                False,
                "nobody said what it means, so it counts neither for a student nor against",
                "Say so in policies.insights.status_kinds.",
            )
        if kind == NO_REASON:
            told = "counts as absent; policies.insights.status_kinds may say whether it is excused"
            yield finding(f"attendance status {label!r}", True, told)


def each_known(what: str, labels: Iterable[str], known: Collection[str]) -> Iterator[Finding]:
    """A finding for each label; none where nothing is known yet."""
    for label in labels if known else ():
        yield finding(
            f"{what} {label!r}",
            bool(_folded([label]) & _folded(known)),
            "in use" if _folded([label]) & _folded(known) else "not known in this school",
            f"Correct it in the policies. There are: {', '.join(sorted(known))}.",
        )


def _folded(labels: Iterable[str]) -> set[str]:
    return {label.strip().lower() for label in labels}


def _read_labels(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    """The labels that a query finds; none where its table was not read yet."""
    try:
        return {label for (label,) in connection.execute(query).fetchall() if label}
    except duckdb.CatalogException:
        return set()
