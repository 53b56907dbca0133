"""Plans, problems and pins of the small school, as runs would have recorded them."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vx_pipeline.journal import Journal
from vx_pipeline.journal.intents import Result, record_intent, record_outcome
from vx_pipeline.journal.pins import add_pin
from vx_pipeline.journal.plans import PlanRow, StoredPlan, get_plan, record_plan
from vx_pipeline.journal.problems import RED, YELLOW, Trouble, record_troubles
from vx_pipeline_tests.review.school import SCHOOL

MANY_LEFT = "12 of 360 active students would be removed by one run"
HOUSE_EMPTIED = "3 of 9 students of North House would be removed"
HOSTILE = "<script>alert('x')</script>"

Fields = dict[str, tuple[Any, Any]]


def step(
    number: int,
    entity: str,
    action: str,
    key: int,
    target_id: int | None,
    fields: Fields | None = None,
    *,
    reason: str = "no dorm enrolment holds today",
    verdict: str = "write",
    why: str = "",
    urgent: bool = False,
) -> list[PlanRow]:
    """The rows of one step; its fingerprint follows from what it does."""
    told = repr((entity, action, key, target_id, fields))
    change = hashlib.sha256(told.encode()).hexdigest()
    return [
        PlanRow(
            step=number,
            entity=entity,
            action=action,
            key=key,
            target_id=target_id,
            field=name,
            before=before,
            after=after,
            reason=reason,
            urgent=urgent,
            change=change,
            verdict=verdict,
            verdict_reason=why,
        )
        for name, (before, after) in (fields or {"": (None, None)}).items()
    ]


def leaver(number: int, place: int, **told: Any) -> list[PlanRow]:
    """A step that deactivates the linked student with this place."""
    values: dict[str, Any] = {"reason": "the exit date is reached", **told}
    fields: Fields = {"deactivated": (False, True)}
    return step(number, "student", "deactivate", 20_000 + place, 60_000 + place, fields, **values)


def school_rows(held: int = 11) -> list[PlanRow]:
    """What a night wants: leavers and a move that are held, a lost custody, new and changed records, one skip."""
    rows: list[PlanRow] = []
    for number in range(held):
        rows += leaver(number + 1, number, verdict="held", why=MANY_LEFT)
    after = held
    rows += step(
        after + 1,
        "student",
        "update",
        106,
        507,
        {
            "house": ({"id": 901}, {"dorm_id": 7}),
            "room_number": ("12", None),
            "last_name": ("Müller", "Lindqvist"),
        },
        verdict="held",
        why=HOUSE_EMPTIED,
        reason="moved to another dorm",
    )
    rows += leaver(after + 2, 30, verdict="held", why=HOUSE_EMPTIED)
    rows += leaver(after + 3, 31, verdict="refused", why="refused by a person at an earlier plan")
    rows += step(
        after + 4,
        "contact",
        "unlink",
        4001,
        8001,
        {"students": ({"student_id": 101}, None)},
        urgent=True,
        reason="custody was removed",
    )
    rows += step(
        after + 5,
        "student",
        "skip",
        103,
        505,
        reason="the record carries another name; left alone until a person says whether the link is right",
        verdict="skip",
    )
    rows += step(
        after + 6,
        "student",
        "create",
        104,
        None,
        {"first_name": (None, "Zofia"), "last_name": (None, "Łukaszewicz"), "year_level": (None, "Grade 8")},
        reason="no record in Orah could be this student",
    )
    rows += step(
        after + 7,
        "student",
        "update",
        102,
        503,
        {"email": (None, "h.marlowe@example.org")},
        verdict="postponed",
        why="the school year turns: new records only",
        reason="Veracross has another e-mail",
    )
    rows += step(
        after + 8,
        "contact",
        "create",
        4002,
        None,
        {
            "first_name": (None, "Ada"),
            "last_name": (None, "Boe"),
            "students": (None, [{"student_id": 101}, {"student_id": 102}]),
        },
        reason="legal custody; no contact in Orah is this person",
    )
    for number in range(60):
        place = {"year_level": ("Grade 9", "Grade 10")}
        rows += step(
            after + 9 + number,
            "student",
            "update",
            20_100 + number,
            60_100 + number,
            place,
            reason="a new year",
        )
    return rows


def record_night(
    journal: Journal,
    rows: Sequence[PlanRow] | None = None,
    *,
    school: str = SCHOOL,
    at: datetime | None = None,
    closed: str | None = None,
    **told: Any,
) -> StoredPlan:
    """Records a plan, with the rows of `school_rows` if none are given, and reads it back."""
    plan_id = record_plan(
        journal,
        school=school,
        at=at or datetime.now(UTC) - timedelta(minutes=30),
        run_id=None,
        fingerprint="0",
        hold_reason=closed,
        rows=school_rows() if rows is None else rows,
        **told,
    )
    plan = get_plan(journal, school, plan_id)
    assert plan is not None
    return plan


def land(journal: Journal, plan: StoredPlan, number: int, *, approval: int | None = None) -> None:
    """Records that a step of a plan was written."""
    row = next(row for row in plan.rows if row.step == number)
    at = datetime.now(UTC)
    intent = record_intent(
        journal,
        school=plan.school,
        at=at,
        system="orah",
        entity=row.entity,
        action=row.action,
        key=row.key,
        target_id=row.target_id,
        body={},
        cause=plan.plan_id,
        change=row.change,
        approval=approval,
    )
    record_outcome(journal, intent, Result.DONE, at=at, target_id=row.target_id)


def record_wrongs(journal: Journal, school: str = SCHOOL) -> None:
    """Three problems, one of them red and one of them old, and two pins."""
    now = datetime.now(UTC)
    lasting = [
        Trouble(YELLOW, "student", 103, "the record in Orah carries another name"),
        Trouble(YELLOW, "contact", 4002, "Veracross has no name"),
    ]
    record_troubles(journal, school, "plan", lasting[:1], at=now - timedelta(days=9))
    record_troubles(journal, school, "plan", lasting, at=now - timedelta(days=2))
    red = [Trouble(RED, "run", 0, "Orah refuses the key")]
    record_troubles(journal, school, "apply", red, at=now - timedelta(hours=3))
    common: dict[str, Any] = {"school": school, "entity": "student", "author": "Rosa Quill", "at": now}
    add_pin(journal, key=101, field="", reason="Is moving house this week", last_day=None, **common)
    add_pin(journal, key=102, field="email", reason="Uses another one", last_day=date(2099, 12, 31), **common)
