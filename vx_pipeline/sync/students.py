"""What changes about one student in Orah, and why."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vx_pipeline.clock import stored
from vx_pipeline.orah import assumed
from vx_pipeline.policies import Policies
from vx_pipeline.sync.changes import Action, Change, Difference, Entity, differences, without_fields

Row = Mapping[str, Any]
"""A row of ``sync.desired_students``."""

_OWNED_TEXT = ("sis_id", "first_name", "alt_name", "last_name", "year_level")
"""Fields that Veracross owns and that are plain text in both systems."""


@dataclass(frozen=True)
class Case:
    """What the students of one plan have in common.

    Args:
        policies: the school's rules.
        now: the moment of planning.
        known_students: the Veracross ids of those whose record in Orah we ever wrote.
        made_at: when we last made a record for whom.
        standing: when we deactivated which Orah student, where nobody undid it.
        housed: dorms that have a house in Orah, or get one by this plan.
        unread: records of Orah's last read that could not be understood; each may be anybody's.
        settings_changed: whether the school's rules are not those of the plan before.
    """

    policies: Policies
    now: datetime
    known_students: frozenset[int]
    made_at: Mapping[int, datetime]
    standing: Mapping[int, datetime]
    housed: frozenset[int]
    unread: int
    settings_changed: bool = False


def student_changes(row: Row, case: Case) -> Iterator[Change]:
    """The changes of one student: usually none, at most one."""
    if row["orah_missing"]:
        reason = "the record did not come in the last read of Orah; left alone until it does"
        yield Change(Entity.STUDENT, Action.SKIP, row["veracross_id"], row["orah_id"], {}, reason)
    elif row["contested"] is not None:
        reason = f"{row['contested']}; left alone until a person says whether the link is right"
        yield Change(Entity.STUDENT, Action.SKIP, row["veracross_id"], row["orah_id"], {}, reason)
    elif row["leave_reason"] is not None:
        yield from _leaver(row, case)
    elif row["out_of_scope"] is not None:
        yield from _out_of_scope(row, case)
    elif row["orah_id"] is None:
        yield from _unlinked(row, case)
    elif row["orah_deactivated"]:
        yield _deactivated(row, case)
    elif fields := _owned_by_veracross(_student_fields(row, case.housed), case):
        reason = f"linked by {row['link_rule']}; Veracross says otherwise"
        yield Change(Entity.STUDENT, Action.UPDATE, row["veracross_id"], row["orah_id"], fields, reason)


def _leaver(row: Row, case: Case) -> Iterator[Change]:
    """Who left is deactivated; deleted only by setting, only by us, and only after a time of grace."""
    key, record = row["veracross_id"], row["orah_id"]
    if not row["orah_deactivated"]:
        fields = {"deactivated": Difference(False, True)}
        yield Change(Entity.STUDENT, Action.DEACTIVATE, key, record, fields, row["leave_reason"])
        return
    deactivated_at = case.standing.get(record)
    grace = timedelta(days=case.policies.delete_after_days)
    if row["leave_action"] == "delete" and deactivated_at and case.now - deactivated_at >= grace:
        reason = f"{row['leave_reason']}; deactivated for {grace.days} days"
        yield Change(Entity.STUDENT, Action.DELETE, key, record, {}, reason)


def _out_of_scope(row: Row, case: Case) -> Iterator[Change]:
    """Who is at the school but not synced: our own records are deactivated, anybody else's stay.

    Where only boarders are synced, nobody is left in Orah who is called a boarder and is none.
    """
    key, record = row["veracross_id"], row["orah_id"]
    if row["orah_deactivated"]:
        return
    if key in case.known_students:
        fields = {"deactivated": Difference(False, True)}
        cause = "settings" if case.settings_changed else "veracross"
        yield Change(Entity.STUDENT, Action.DEACTIVATE, key, record, fields, row["out_of_scope"], cause)
    elif not row["is_boarder"] and row["orah_student_type"] in assumed.BOARDING_TYPES:
        fields = _owned_by_veracross(_student_fields(row, case.housed), case)
        if fields:
            yield Change(Entity.STUDENT, Action.UPDATE, key, record, fields, row["out_of_scope"])


def _unlinked(row: Row, case: Case) -> Iterator[Change]:
    """A new record only for somebody whom no record in Orah could be."""
    said_new = row["said_new_at"] is not None
    if row["is_asked_about"] or not (said_new or case.policies.create_students):
        return
    key = row["veracross_id"]
    if reason := _why_not_created(row, case):
        yield Change(Entity.STUDENT, Action.SKIP, key, None, {}, reason)
        return
    fields = {
        name: difference
        for name, difference in _student_fields(row, case.housed).items()
        if difference.after not in (None, "")
    }
    yield Change(Entity.STUDENT, Action.CREATE, key, None, fields, "no record in Orah could be this student")


def _why_not_created(row: Row, case: Case) -> str | None:
    if not row["first_name"] or not row["last_name"]:
        return "Veracross has no complete name; a record in Orah needs one"
    if row["sis_id_is_taken"]:
        return (
            "a record in Orah that is not this student's carries the student's sis_id; empty it there first"
        )
    had_one = row["veracross_id"] in case.known_students or row["had_record"]
    if had_one and not _is_news(row, case):
        return "had a record in Orah that is not found now; a second one needs a person to say so"
    if case.unread:
        return f"{case.unread} records of Orah could not be read, and one of them may be this student's"
    return None


def _is_news(row: Row, case: Case) -> bool:
    """Whether a person said that the student is new, and no record was made since."""
    said_at, made_at = row["said_new_at"], case.made_at.get(row["veracross_id"])
    return said_at is not None and (made_at is None or stored(made_at) < said_at)


def _deactivated(row: Row, case: Case) -> Change:
    """Who is at the school comes back if we deactivated the record; if a person did, the person decides."""
    key, record = row["veracross_id"], row["orah_id"]
    if record in case.standing:
        others = _owned_by_veracross(_student_fields(row, case.housed), case)
        fields = {"deactivated": Difference(True, False)} | others
        return Change(Entity.STUDENT, Action.REACTIVATE, key, record, fields, "back at the school")
    reason = "at the school, but deactivated in Orah by a person; left alone"
    return Change(Entity.STUDENT, Action.SKIP, key, record, {}, reason)


def _owned_by_veracross(fields: Mapping[str, Difference], case: Case) -> dict[str, Difference]:
    """Without the fields that the school edits in Orah: those are written to a new record, and never after."""
    return without_fields(fields, case.policies.orah_owns)


def _student_fields(row: Row, housed: frozenset[int]) -> dict[str, Difference]:
    """The differences of one student, by Orah field name."""
    before = {name: row[f"orah_{name}"] for name in _OWNED_TEXT}
    fields = differences(before, {name: row[name] for name in _OWNED_TEXT})
    if row["email"] and (row["orah_email"] or "").strip().lower() != row["email"]:
        fields["email"] = Difference(row["orah_email"], row["email"])
    wanted, held = (json.loads(row[name] or "{}") for name in ("custom", "orah_custom"))
    fields |= differences({name: held.get(name) for name in wanted}, wanted)
    return fields | _type_difference(row) | _boarding_differences(row, housed)


def _type_difference(row: Row) -> dict[str, Difference]:
    """Boarding or day. A finer type that means the same, such as FlexiBoarding, is the school's choice."""
    fitting, plain = (
        (assumed.BOARDING_TYPES, assumed.BOARDING) if row["is_boarder"] else (assumed.DAY_TYPES, assumed.DAY)
    )
    if row["orah_student_type"] in fitting:
        return {}
    return {"student_type": Difference(row["orah_student_type"], plain)}


def _boarding_differences(row: Row, housed: frozenset[int]) -> dict[str, Difference]:
    """House, room and bed of a boarder. Who stopped boarding leaves a house that stands for a dorm."""
    if row["is_boarder"]:
        desired = {"room_number": row["room_number"], "bed_number": row["bed_number"]}
        fields = differences({name: row[f"orah_{name}"] for name in desired}, desired)
        if row["orah_dorm_id"] != row["dorm_id"] and row["dorm_id"] in housed:
            fields["house"] = Difference(_house_ref(row), {"dorm_id": row["dorm_id"]})
            # Room and bed were those of the other house.
            fields |= {
                name: Difference(row[f"orah_{name}"], None)
                for name, value in desired.items()
                if value is None and row[f"orah_{name}"]
            }
        return fields
    if row["orah_dorm_id"] is None:
        return {}
    occupied = {name: row[f"orah_{name}"] for name in ("room_number", "bed_number")}
    return {
        "house": Difference(_house_ref(row), None),
        **{name: Difference(value, None) for name, value in occupied.items() if value},
    }


def _house_ref(row: Row) -> dict[str, int] | None:
    return {"id": row["orah_house_id"]} if row["orah_house_id"] is not None else None
