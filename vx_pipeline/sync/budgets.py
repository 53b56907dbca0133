"""Budgets: how much one run may do unseen. What goes beyond is suspect, and so is all of its kind in that run.

A feed that is wrong is wrong about many at once. Which of them are right nobody can tell from the feed, so of sixty
who vanish not four are removed, but none.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from vx_pipeline.policies import GatePolicy
from vx_pipeline.sync.changes import Action, Change, Entity, fingerprint
from vx_pipeline.sync.reads import LARGEST_LOSS

BOARDING_FIELDS = frozenset({"student_type", "house", "room_number", "bed_number"})
"""Fields that only make sense together: a type or a house is not held while the room goes."""


@dataclass(frozen=True)
class Budget:
    """How much may go unseen.

    Args:
        policy: the school's figures.
        removed_this_week: students removed in the last seven days without a person's word.
        on_pass: the Orah ids of students on an active pass; None when that could not be read.
    """

    policy: GatePolicy
    removed_this_week: int
    on_pass: Collection[int] | None


@dataclass(frozen=True)
class Suspects:
    """What a person has to look at: changes by fingerprint, and fields by entity, each with the reasons."""

    changes: Mapping[str, Sequence[str]]
    fields: Mapping[tuple[Entity, str], str]

    def divided(self, change: Change, objected: Mapping[str, str]) -> Iterator[tuple[Change, Sequence[str]]]:
        """The change, with the reasons to hold it; in two where only some of its fields are suspect.

        Args:
            change: of the plan.
            objected: why a person has to look at which of its fields besides; ``""`` for the whole change.
        """
        suspect = dict(objected)
        for name in change.fields:
            if _overwrites(change, name) and (change.entity, name) in self.fields:
                suspect[name] = self.fields[change.entity, name]
        why = [*self.changes.get(fingerprint(change), ()), *(suspect[name] for name in sorted(suspect))]
        reasons = tuple(dict.fromkeys(why))
        held = suspect.keys() & change.fields.keys()
        if held & BOARDING_FIELDS:
            held |= BOARDING_FIELDS & change.fields.keys()
        clean = {name: pair for name, pair in change.fields.items() if name not in held}
        divisible = change.action in (Action.UPDATE, Action.REACTIVATE) and "deactivated" not in held
        if fingerprint(change) in self.changes or not (held and clean and divisible):
            yield change, reasons
            return
        yield replace(change, fields=clean), ()
        fields = {name: pair for name, pair in change.fields.items() if name in held}
        yield replace(change, action=Action.UPDATE, fields=fields), reasons


def suspects(connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], budget: Budget) -> Suspects:
    """What of a plan goes beyond the budgets.

    Args:
        connection: the school's warehouse.
        changes: those of the plan that count.
        budget: how much may go unseen.
    """
    writes = [change for change in changes if change.writes and not change.urgent]
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for change, why in (
        *_removals(connection, writes, budget),
        *_creates(connection, writes, budget.policy),
        *_unlinked(connection, writes, budget.policy),
    ):
        reasons[fingerprint(change)].append(why)
    return Suspects(reasons, dict(_fields(connection, writes, budget.policy)))


def _removals(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], budget: Budget
) -> Iterator[tuple[Change, str]]:
    policy, active = budget.policy, _active_students(connection)
    removed = [change for change in changes if change.entity is Entity.STUDENT and change.action.removes]
    number, week = len(removed), len(removed) + budget.removed_this_week
    for change in removed:
        if number > max(policy.fewest_removals, active * policy.removals_per_run):
            yield change, f"{number} of {active} active students would be removed by one run"
        if week > max(policy.fewest_removals, active * policy.removals_per_week):
            yield change, f"{week} of {active} active students would be removed within seven days"
        if budget.on_pass is None:
            yield change, "where the student is could not be read from Orah"
        elif change.target_id in budget.on_pass:
            yield change, "the student is on an active pass"
    yield from _group_removals(connection, removed, policy)


_GROUPS = """
WITH active AS (
    SELECT record.id, record.house__id, record.year_level, link.veracross_id
    FROM orah.students AS record
    LEFT JOIN matching.student_links AS link ON link.orah_id = record.id
    WHERE NOT record.deactivated AND record._missing_reads <= 1
)
SELECT 'house ' || house__id AS "group", list(id) AS members
FROM active
WHERE house__id IS NOT NULL
GROUP BY house__id
UNION ALL
SELECT 'grade ' || year_level, list(id) FROM active WHERE year_level IS NOT NULL GROUP BY year_level
UNION ALL
SELECT class.kind || ' ' || class.group_id, list(active.id)
FROM roster.group_members AS member
JOIN roster.groups AS class USING (group_id)
JOIN active ON active.veracross_id = member.person_id
WHERE member.role = 'student'
GROUP BY ALL
ORDER BY ALL
"""


def _group_removals(
    connection: duckdb.DuckDBPyConnection, removed: Sequence[Change], policy: GatePolicy
) -> Iterator[tuple[Change, str]]:
    """Many of one house, grade, class or team: a dorm that was not read, a grade that a setting dropped."""
    if not removed:
        return
    by_record = {change.target_id: change for change in removed}
    for group, members in connection.execute(_GROUPS).fetchall():
        gone = [by_record[member] for member in members if member in by_record]
        if len(members) >= policy.smallest_group and len(gone) > len(members) * policy.removals_per_group:
            for change in gone:
                yield change, f"{len(gone)} of {len(members)} students of {group} would be removed"


_GONE = """
SELECT count(*) FILTER (_missing_reads > 0), count(*)
FROM orah.students
WHERE _missing_reads = 0
    OR _missing_since > (SELECT max(_last_seen_at) - INTERVAL 7 DAY FROM orah.students)
"""
"""A list of Orah that came short closes the gate once; what it left out must not be made anew the night after."""


def _creates(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], policy: GatePolicy
) -> Iterator[tuple[Change, str]]:
    created = [
        change for change in changes if change.entity is Entity.STUDENT and change.action is Action.CREATE
    ]
    active = _active_students(connection)
    gone, known = connection.execute(_GONE).fetchone() or (0, 0)
    if gone > known * LARGEST_LOSS:
        for change in created:
            yield (
                change,
                f"{gone} of {known} records left Orah's list within a week; one may be this student's",
            )
    if len(created) > max(policy.fewest_changes, active * policy.creates_per_run):
        for change in created:
            yield change, f"{len(created)} students would be made anew beside {active} active ones"


def _unlinked(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], policy: GatePolicy
) -> Iterator[tuple[Change, str]]:
    unlinked = [change for change in changes if change.action is Action.UNLINK]
    if not unlinked:
        return
    links = _one(connection, "SELECT count(*) FROM orah.contact_students")
    if len(unlinked) > max(policy.fewest_unlinked, links * policy.contacts_unlinked):
        for change in unlinked:
            yield change, f"{len(unlinked)} of {links} ties between contacts and students would end"


def _fields(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[Change], policy: GatePolicy
) -> Iterator[tuple[tuple[Entity, str], str]]:
    """Fields that would be overwritten in many records. Filling what is empty overwrites nothing."""
    counts = Counter(
        (change.entity, name)
        for change in changes
        if change.entity in (Entity.STUDENT, Entity.CONTACT)
        for name in change.fields
        if _overwrites(change, name)
    )
    if not counts:
        return
    records = {Entity.STUDENT: _active_students(connection), Entity.CONTACT: 0}
    if any(entity is Entity.CONTACT for entity, _ in counts):
        records[Entity.CONTACT] = _one(
            connection, "SELECT count(*) FROM orah.contacts WHERE _missing_reads <= 1"
        )
    for (entity, name), number in sorted(counts.items()):
        of = records[entity]
        flips = name == "student_type"
        share, fewest = (
            (policy.boarder_flips, policy.fewest_flips)
            if flips
            else (policy.field_changes, policy.fewest_changes)
        )
        if number > max(fewest, of * share):
            what = "would turn from boarding to day or back" if flips else f"would get another {name}"
            yield (entity, name), f"{number} of {of} {entity}s {what}"


def _overwrites(change: Change, name: str) -> bool:
    if change.action not in (Action.UPDATE, Action.REACTIVATE) or name == "deactivated":
        return False
    return change.fields[name].before not in (None, "")


def _active_students(connection: duckdb.DuckDBPyConnection) -> int:
    return int(
        _one(connection, "SELECT count(*) FROM orah.students WHERE NOT deactivated AND _missing_reads <= 1")
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
