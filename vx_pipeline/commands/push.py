"""`vx push`: the marks of some days, of everybody, of one student, or of one pass; and what became of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import typer
from rich.console import Console

from vx_pipeline import clock
from vx_pipeline.attendance.absences import counts_until
from vx_pipeline.attendance.days import Days
from vx_pipeline.commands import report, runs
from vx_pipeline.commands.console import console, open_session, print_json, progress_bar, table
from vx_pipeline.errors import VxError
from vx_pipeline.journal.push_memory import note_pass
from vx_pipeline.orah.assumed import read_pass
from vx_pipeline.session import SchoolSession
from vx_pipeline.warehouse.rows import read_rows

MOST_MARKS = 20

WAITS = frozenset({"conflict", "held"})
"""Results that a person has to look at."""

_QUIET = frozenset({"nothing"})


@dataclass(frozen=True)
class DaysPushed:
    """What came of the runs of some days.

    Args:
        outcomes: one for each day, in their order.
        marks: the rows that they looked at, as ``attendance.planned_updates`` has them.
    """

    outcomes: Sequence[runs.Outcome]
    marks: Sequence[Mapping[str, Any]]

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 3 something waits for a person."""
        if not all(outcome.success for outcome in self.outcomes):
            return 1
        return 3 if any(mark["result"] in WAITS for mark in self.marks) else 0


def push(
    school: str, *, first_day: date | None, student_id: int | None, leave_id: int | None, as_json: bool
) -> int:
    """Pushes, and tells what became of each mark; returns the exit code."""
    with open_session(school, quiet=as_json) as session:
        session.preflight()
        days, orah_ids = _of_pass(session, leave_id) if leave_id is not None else (None, None)
        if days is None:
            policy = session.school.policies.attendance
            days = Days.within_window(first_day, today=session.today(), days_back=policy.days_back)
            if first_day is not None and first_day < days.first and not as_json:
                console.print(
                    f"Days before {days.first} lie outside the edit window (policies.attendance.days_back) "
                    "and stay as they are."
                )
        if student_id is not None:
            orah_ids = [_orah_id(session, student_id)]
        with (
            runs.instance(session.settings) as instance,
            progress_bar("Pushing", quiet=as_json) as progress,
        ):
            pushed = push_days(instance, session, days.each(), orah_ids=orah_ids, progress=progress)
        if as_json:
            print_json(
                {
                    "run_ids": [outcome.run_id for outcome in pushed.outcomes],
                    "failures": [told for outcome in pushed.outcomes for told in outcome.failures],
                    "marks": pushed.marks,
                    "exit_code": pushed.exit_code,
                }
            )
        else:
            print_pushed(console, session, pushed)
    return pushed.exit_code


def push_days(
    instance: dg.DagsterInstance,
    session: SchoolSession,
    days: Sequence[date],
    *,
    orah_ids: Sequence[int] | None = None,
    progress: Any = None,
) -> DaysPushed:
    """Runs the push of each day, the oldest first, and waits for it."""
    started_at = clock.now()
    config = {"ops": {"push_attendance_op": {"config": {"orah_ids": list(orah_ids or [])}}}}
    outcomes = []
    for number, day in enumerate(days, start=1):
        outcomes.append(runs.run_job(instance, "push_attendance", session.key, day=day, run_config=config))
        if progress is not None:
            progress(number, len(days))
    written = [day for day, outcome in zip(days, outcomes, strict=True) if outcome.read]
    with session.reading() as connection:
        marks = (
            read_rows(
                connection,
                """
                SELECT student_id, class_id, attendance_date, block_id, outcome, source, name, share_missed,
                    coalesce(label_before, status_before) AS before,
                    coalesce(label_after, status_after) AS after, result, reason
                FROM attendance.planned_updates
                WHERE updated_at >= $started_at AND list_contains($days, attendance_date)
                ORDER BY result DESC, attendance_date, class_id, student_id
                """,
                {"started_at": clock.stored(started_at), "days": written},
            )
            if written
            else []
        )
    return DaysPushed(outcomes, marks)


def print_pushed(to: Console, session: SchoolSession, pushed: DaysPushed) -> None:
    """What became of each row, and where a person answers."""
    for outcome in pushed.outcomes:
        report.print_failures(to, outcome)
    told = [mark for mark in pushed.marks if mark["result"] not in _QUIET]
    if not told:
        if all(outcome.success for outcome in pushed.outcomes):
            already = len(pushed.marks)
            to.print(
                f"Nothing to write: {already} marks say already what they should."
                if already
                else "Nobody was away from a class."
            )
        return
    counts = Counter(mark["result"] for mark in pushed.marks)
    words = ", ".join(f"{number} {result}" for result, number in sorted(counts.items()))
    shown = ("student_id", "class_id", "attendance_date", "before", "after", "result", "reason")
    heads = ("student", "class", "day", "before", "after", "result", "reason")
    rows = [tuple(mark[name] for name in shown) for mark in told[:MOST_MARKS]]
    to.print(table(f"Marks in Veracross ({words})", heads, rows))
    if len(told) > MOST_MARKS:
        to.print(f"and {len(told) - MOST_MARKS} more in attendance.planned_updates.", style="dim")
    if any(mark["result"] in WAITS for mark in told):
        to.print(
            "A person decides about what is held or in conflict: `vx marks`, or the review page "
            f"({session.settings.review_url}/{session.key}/attendance/marks)."
        )


def _orah_id(session: SchoolSession, student_id: int) -> int:
    with session.reading() as connection:
        row = connection.execute(
            "SELECT orah_id FROM matching.student_links WHERE veracross_id = $id", {"id": student_id}
        ).fetchone()
    if row is None:
        raise VxError(
            f"Student {student_id} has no link to a record in Orah.",
            kept="Nothing was read or written.",
            remedy=f"See why: `vx why {student_id}`.",
        )
    return int(row[0])


def _of_pass(session: SchoolSession, leave_id: int) -> tuple[Days, list[int]]:
    """The days that a pass covers until today, and whose it is. From now on pushes know the pass."""
    one = read_pass(session.run(session.orah.leave(leave_id)))
    if one is None:
        raise VxError(
            f"Orah's pass {leave_id} does not tell whose it is, when, or how it stands.",
            kept="Nothing was written.",
        )
    until = counts_until(one)
    note_pass(
        session.journal,
        session.key,
        leave_id,
        at=session.now(),
        orah_id=one.orah_id,
        starts_at=one.start,
        ends_at=until,
    )
    zone, today = session.school.zone, session.today()
    first = one.start.astimezone(zone).date()
    if first > today:
        raise typer.BadParameter(f"pass {leave_id} begins on {first}", param_hint="--pass")
    days = Days.within_window(first, today=today, days_back=session.school.policies.attendance.days_back)
    last = until.astimezone(zone).date() if until else today
    return Days(days.first, max(days.first, min(last, today))), [one.orah_id]
