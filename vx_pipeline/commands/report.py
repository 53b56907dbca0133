"""The report after a sync: what was read, who boards, who is matched, who left, what was written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import duckdb
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vx_pipeline.commands import plan_report
from vx_pipeline.commands.console import table
from vx_pipeline.commands.findings import Finding
from vx_pipeline.commands.runs import HELD_CHECK, Outcome
from vx_pipeline.journal.due_pushes import last_look
from vx_pipeline.journal.intents import count_outcomes
from vx_pipeline.journal.mark_counts import count_waiting_marks
from vx_pipeline.journal.open_cases import open_cases
from vx_pipeline.journal.plans import StoredPlan, latest_plan
from vx_pipeline.journal.problems import open_problems
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync.stored import to_changes
from vx_pipeline.warehouse.reads import last_whole_read

MOST_PROBLEMS = 20


def read_table(outcome: Outcome) -> Table:
    """What a run read from Veracross and Orah: rows, requests, seconds."""
    rows = [
        (
            key.replace("/", "."),
            values.get("dagster/row_count", 0),
            values.get("requests"),
            values.get("seconds"),
        )
        for key, values in outcome.read.items()
        if key.split("/")[0] in ("veracross", "orah") and key != "veracross/value_lists"
    ]
    total = (
        "together",
        sum(row[1] for row in rows),
        sum(row[2] or 0 for row in rows),
        round(sum(row[3] or 0 for row in rows), 1),
    )
    return table("What was read", ("table", "rows", "requests", "seconds"), [*sorted(rows), total])


def school_tables(connection: duckdb.DuckDBPyConnection) -> RenderableType:
    """Boarders, matches and leavers of a school, as its warehouse has them."""
    boarders = connection.execute(
        """
        SELECT CASE WHEN is_boarder THEN 'boarders' ELSE 'day students' END, count(*)
        FROM roster.boarders JOIN roster.students USING (student_id)
        WHERE is_current GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    contradictions = connection.execute(
        "SELECT 'contradiction: ' || replace(contradiction, '_', ' '), count(*) "
        "FROM roster.boarder_contradictions GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    links = connection.execute(
        "SELECT 'linked by ' || rule, count(*) FROM matching.student_links GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    waiting = connection.execute(
        """
        SELECT 'waiting: ' || reason, count(DISTINCT veracross_id) FROM matching.review_queue
        WHERE veracross_id IS NOT NULL AND coalesce(rank, 1) = 1 GROUP BY reason ORDER BY ALL
        """
    ).fetchall()
    leavers = connection.execute(
        """
        SELECT leaver.signal, count(*), count(*) FILTER (WHERE record.deactivated = FALSE), any_value(leaver.action)
        FROM roster.leavers AS leaver
        LEFT JOIN matching.student_links AS link ON link.veracross_id = leaver.student_id
        LEFT JOIN orah.students AS record ON record.id = link.orah_id
        GROUP BY leaver.signal ORDER BY ALL
        """
    ).fetchall()
    return Group(
        table("Who boards", ("", "students"), [*boarders, *contradictions]),
        Text(),
        table("Who is who", ("", "students"), [*links, *waiting]),
        Text(),
        table(
            "Who left",
            ("signal", "students", "active in Orah when read", "what happens to those"),
            leavers,
        ),
    )


def print_failures(console: Console, outcome: Outcome) -> None:
    """Each failure on its own, then the steps that were not reached."""
    for failure in outcome.failures:
        console.print(Text.assemble(("Failed  ", "bold red"), failure))
    if outcome.skipped:
        console.print(
            f"Not reached: {len(outcome.skipped)} steps that rest on it. Their tables are as they were.",
            style="dim",
        )


def print_sync(console: Console, session: SchoolSession, outcome: Outcome, plan: StoredPlan | None) -> None:
    """The whole report of a sync; of a failed one, what failed and what is as it was."""
    if outcome.read:
        console.print(read_table(outcome), Text())
    if plan is not None:
        with session.reading() as connection:
            console.print(school_tables(connection), Text())
        console.print(plan_report.counts_table(plan), Text())
        print_writes(console, session, plan)
        print_waiting(console, session)
    if plan is not None and plan.is_held:
        plan_report.print_held(console, plan)
    if plan is None or not plan.hold_reason:
        others = tuple(told for told in outcome.failures if HELD_CHECK not in told)
        print_failures(console, replace(outcome, failures=others))


def print_writes(console: Console, session: SchoolSession, plan: StoredPlan) -> None:
    """How the writes of a plan ended, from the journal."""
    ended = count_outcomes(session.journal, plan.plan_id)
    console.print(f"Written to Orah: {sum(ended.values())} records{_in_words(ended)}.")


def print_waiting(console: Console, session: SchoolSession) -> None:
    """How many questions wait for a person, and where they are answered."""
    waiting = open_cases(session.journal, session.key, limit=0).total
    if waiting:
        console.print(f"Waiting for a person: {waiting} questions of who is who. Answer them: `vx review`.")


def _in_words(counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{number} {result}" for result, number in sorted(counts.items()))
    return f" ({told})" if told else ""


def print_finding(console: Console, finding: Finding) -> None:
    """One line for what was tried, and one for the remedy."""
    mark = ("ok      ", "green") if finding.well else ("trouble ", "bold red")
    console.print(Text.assemble(mark, f"{finding.what:<40} ", (finding.told, "dim")))
    if finding.remedy:
        console.print(f"        {finding.remedy}", style="yellow", highlight=False)


def status(session: SchoolSession) -> dict[str, Any]:
    """What there is to know about a school without asking anybody: tables, their age, the last plan."""
    plan = latest_plan(session.journal, session.key)
    tables: list[dict[str, Any]] = []
    with session.reading() as connection:
        names = connection.execute(
            """
            SELECT table_schema || '.' || table_name FROM information_schema.columns
            WHERE column_name = '_last_seen_at' ORDER BY ALL
            """
        ).fetchall()
        for (name,) in names:
            row = connection.execute(
                f"SELECT count(*) FILTER (WHERE _missing_since IS NULL) FROM {name}"
            ).fetchone()
            read_at = last_whole_read(connection, name)
            tables.append({"table": name, "rows": row[0] if row else 0, "read_at_utc": read_at})
    return {
        "school": session.key,
        "tables": tables,
        "problems": [
            {"colour": one.colour, "told": one.told, "opened_at": one.opened_at, "times": one.times}
            for one in open_problems(session.journal, session.key)
        ],
        "looked_at_utc": last_look(session.journal, session.key),
        "marks_waiting": count_waiting_marks(session.journal, session.key),
        "plan": None
        if plan is None
        else {
            "plan_id": plan.plan_id,
            "created_at": plan.created_at,
            "changes": len(to_changes(plan.rows)),
            "closed": plan.hold_reason,
            "held": len(plan.held_steps),
            "writes": count_outcomes(session.journal, plan.plan_id),
        },
    }


def _print_problems(console: Console, problems: Sequence[Mapping[str, Any]]) -> None:
    if problems:
        shown = problems[:MOST_PROBLEMS]
        rows = [(one["colour"], one["told"], f"{one['opened_at']:%Y-%m-%d}", one["times"]) for one in shown]
        console.print(Text(), table("What is wrong", ("", "what", "since", "runs"), rows))
        if len(problems) > len(shown):
            console.print(f"and {len(problems) - len(shown)} more on the review page.", style="dim")


def _age(read_at: datetime | None) -> str:
    # The rows say when they were read, so a table that never had one cannot.
    return f"{read_at:%Y-%m-%d %H:%M}" if read_at else "not read yet"


def print_status(console: Console, facts: Mapping[str, Any]) -> None:
    """The status as a table."""
    rows = [(one["table"], one["rows"], _age(one["read_at_utc"])) for one in facts["tables"]]
    console.print(table(f"School {facts['school']}", ("table", "rows", "last read (UTC)"), rows), Text())
    looked = facts["looked_at_utc"]
    console.print(
        f"Orah was last looked at {looked:%Y-%m-%d %H:%M} (UTC)."
        if looked
        else "Orah was never looked at: no sensor `movements_<school>` is on."
    )
    if facts["marks_waiting"]:
        console.print(f"{facts['marks_waiting']} marks wait for a person: `vx marks`.")
    plan = facts["plan"]
    if plan is None:
        console.print("No plan yet: run `vx sync`.")
        return
    closed = f" The gate is closed: {plan['closed']}." if plan["closed"] else ""
    held = f" {plan['held']} changes wait for a person: `vx plan`." if plan["held"] else closed
    console.print(
        f"Last plan {plan['created_at']:%Y-%m-%d %H:%M} UTC: {plan['changes']} changes, "
        f"{sum(plan['writes'].values())} writes{_in_words(plan['writes'])}.{held}"
    )
    _print_problems(console, facts["problems"])
