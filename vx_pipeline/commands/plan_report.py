"""A plan on the terminal: counts first, then the people who would notice, then the rest."""

from collections import Counter
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vx_pipeline.commands.console import table
from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import Answer, standing_answers
from vx_pipeline.journal.plans import PlanRow, StoredPlan
from vx_pipeline.sync.changes import Action

MOST_ROWS = 40

ACTION_WORDS = {
    Action.CREATE: "made anew",
    Action.UPDATE: "updated",
    Action.DEACTIVATE: "deactivated",
    Action.REACTIVATE: "reactivated",
    Action.DELETE: "deleted",
    Action.LINK: "tied to a student",
    Action.UNLINK: "taken from a student",
    Action.SKIP: "left alone, for a person to look at",
}

VERDICT_WORDS = {
    "write": "written",
    "held": "held for a person",
    "postponed": "postponed by the rollover mode",
    "refused": "refused by a person",
    "skip": "",
}


def counts_table(plan: StoredPlan | None) -> Table:
    """How many records change how, and what the gate says of them."""
    firsts = _firsts(plan) if plan else []
    counts = Counter((row.entity, row.action, row.verdict) for row in firsts)
    rows = [
        (f"{entity}s {ACTION_WORDS[Action(action)]}", VERDICT_WORDS[verdict], number)
        for (entity, action, verdict), number in sorted(counts.items())
    ]
    title = "What changes in Orah"
    return table(title, ("", "", "records"), rows or [("nothing: Orah already says so", "", 0)])


def print_plan(console: Console, plan: StoredPlan, *, everything: bool) -> None:
    """The whole plan, for the eyes of who may see it; long parts are cut unless everything is asked for."""
    about = f" about {plan.purpose} {plan.subject}" if plan.subject else ""
    console.print(f"Plan {plan.plan_id} of {plan.created_at:%Y-%m-%d %H:%M} UTC{about}")
    console.print(counts_table(plan), Text())
    parts = {
        "Held for a person": ("held", "refused"),
        "Left alone or postponed": ("skip", "postponed"),
        "Written, if nothing has moved": ("write",),
    }
    for title, verdicts in parts.items():
        rows = [row for row in plan.rows if row.verdict in verdicts]
        if rows:
            console.print(_rows_table(title, rows if everything else rows[:MOST_ROWS]))
            if not everything and len(rows) > MOST_ROWS:
                console.print(f"and {len(rows) - MOST_ROWS} rows more: `vx plan --all`.", style="dim")
            console.print()
    print_held(console, plan)


def print_held(console: Console, plan: StoredPlan) -> None:
    """Why a plan waits, and what a person does about it."""
    if plan.hold_reason:
        console.print(Text.assemble(("Closed  ", "bold red"), f"{plan.hold_reason}."))
        console.print(
            "Nothing of this plan was written, and nobody can let it pass: mend the cause and sync again."
        )
    elif plan.held_steps:
        reasons = Counter(row.verdict_reason for row in _firsts(plan) if row.verdict == "held")
        console.print(
            Text.assemble(
                ("Held  ", "bold yellow"),
                f"{len(plan.held_steps)} changes wait for a person; the rest flows.",
            )
        )
        for reason, number in reasons.most_common(10):
            console.print(f"      {number} because: {reason}.", highlight=False)
        console.print(
            "See who it is: `vx plan`, or `vx review`. Then `vx approve` or `vx refuse`, and `vx apply`."
        )


def approved_but_moved(journal: Journal, school: str, before: StoredPlan) -> list[str]:
    """What was approved of a plan and yet not written, because something about it has moved since."""
    answers = standing_answers(journal, school)
    return [
        f"Step {row.step} ({row.action} {row.entity} {row.key}) was approved and is not as it was: "
        "Veracross, Orah or the settings moved. It was not written; look at the new plan."
        for row in _firsts(before)
        if row.verdict == "held"
        and (answer := answers.get(row.change)) is not None
        and answer.answer is Answer.APPROVE
        and answer.used_at is None
    ]


def _firsts(plan: StoredPlan) -> list[PlanRow]:
    """One row for each step."""
    return [next(rows) for _, rows in groupby(plan.rows, key=lambda row: row.step)]


def _rows_table(title: str, rows: list[PlanRow]) -> Table:
    told = [
        (
            row.step,
            row.entity,
            row.action,
            row.key,
            row.field,
            row.before,
            row.after,
            "; ".join(text for text in (row.reason, row.verdict_reason) if text),
        )
        for row in rows
    ]
    heads = ("step", "what", "action", "Veracross id", "field", "before", "after", "why")
    return table(title, heads, told)
