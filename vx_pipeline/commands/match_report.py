"""What `vx match` prints: the cases that wait, one case in full, what a decision causes, and what was decided."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vx_pipeline.commands.answering import Records, Sight
from vx_pipeline.commands.match_files import Imported
from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import ORAH, VERACROSS, Case, Person, get_person
from vx_pipeline.journal.decisions import Decision, Kind
from vx_pipeline.journal.open_cases import OpenCases
from vx_pipeline.review.effects import WHEN, Effects, effects_of

MOST_REFUSED = 20

_NUMBERS = frozenset({"number", "score", "bits", "total"})
"""Heads of columns that are set to the right."""


def effects(decision: Decision, records: Records) -> Effects:
    """What a decision causes, as far as the picture of the newest run tells."""
    if decision.kind is Kind.SAME and (records.ours is None or records.theirs is None):
        return Effects((f"{decision.told[0].upper()}{decision.told[1:]}: the next run links the two.",))
    return effects_of(decision.kind, records.ours, records.theirs, linked=records.linked)


def print_cases(console: Console, journal: Journal, school: str, found: OpenCases, *, names: bool) -> None:
    """One page of the cases that wait; ``names`` beside the ids only for eyes that may see them."""

    def who(case: Case, system: str, record: int | None) -> str:
        if record is None:
            return ""
        person = get_person(journal, school, case.entity, system, record) if names else None
        return f"{record} {_names(person)}".strip()

    if not found.cases:
        console.print("Nothing waits.")
        return
    rows = []
    for one in found.cases:
        case = one.case
        if case.veracross_id is not None:
            subject = who(case, VERACROSS, case.veracross_id)
        else:
            subject = f"Orah {who(case, ORAH, case.orah_id)}"
        open_to = (each.orah_id for each in case.candidates if each.orah_id not in one.refused | one.taken)
        best = who(case, ORAH, next(open_to, None))
        rows.append(
            (case.case_id, subject, case.reason, best, f"{case.score:.1f}", "later" if one.later else "")
        )
    heads = ("case", "who", "reason", "best candidate", "score", "")
    console.print(_table(f"{found.total} waiting", heads, rows))
    if len(rows) < found.total:
        console.print(f"and {found.total - len(rows)} more; see them with --limit.", style="dim")


def print_sight(console: Console, sight: Sight) -> None:
    """A case in full: both records side by side, the evidence with its running total, and why it waits."""
    case, candidate = sight.case, sight.candidate
    console.print(Text.assemble((case.case_id, "bold"), f"  {case.kind}: {case.reason}"))
    if sight.waiting is None:
        console.print("It does not wait any more: it was answered after the newest run.", style="yellow")
    for relative in case.relatives:
        told = f"Mind the {relative.relation}: {relative.person_id} in {relative.system.title()}."
        console.print(Text(told, style="yellow"))
    console.print(Text(), _side_by_side(sight.records), Text())
    if sight.evidence:
        rows = [
            (
                one.field.replace("_", " "),
                one.ours,
                one.theirs,
                one.level,
                f"{one.bits:+.1f}",
                f"{one.total:.1f}",
            )
            for one in sight.evidence
        ]
        heads = ("field", "Veracross", "Orah", "how well", "bits", "total")
        console.print(_table("Evidence", heads, rows), Text())
    if candidate:
        gap = (
            "no other comes near" if candidate.gap is None else f"{candidate.gap:+.1f} bits to the next best"
        )
        console.print(Text(f"{candidate.rule}; {gap}. {candidate.why}"), Text())
    if others := [one for one in case.candidates if one is not candidate]:
        rest = [(str(one.orah_id), f"{one.score:.1f}", one.rule, one.why) for one in others]
        console.print(_table("Other candidates", ("Orah id", "score", "rule", "why"), rest), Text())
    if sight.decided:
        print_history(console, sight.decided)


def _side_by_side(records: Records) -> Table:
    ours = records.ours.shown if records.ours else {}
    theirs = records.theirs.shown if records.theirs else {}
    fields = dict.fromkeys((*ours, *theirs))
    rows = [(name.replace("_", " "), ours.get(name), theirs.get(name)) for name in fields]
    heads = (
        "",
        f"Veracross {records.ours.person_id}" if records.ours else "nobody in Veracross",
        f"Orah {records.theirs.person_id}" if records.theirs else "nobody in Orah",
    )
    return _table("", heads, [row for row in rows if row[1] or row[2]])


def print_decided(console: Console, decision: Decision, effects: Effects, *, values: bool) -> None:
    """A decision, what it causes, how to take it back, and when it counts.

    ``values`` of people are shown only to eyes that may see them, else the names of the fields alone.
    """
    console.print(Text.assemble((f"Decision {decision.number}: ", "bold"), f"{decision.told}."))
    for sentence in effects.sentences:
        console.print(Text(sentence))
    if effects.changes and values:
        rows = [(change.field, change.now, change.then) for change in effects.changes]
        console.print(_table("", ("field in Orah", "now", "then"), rows))
    elif effects.changes:
        console.print(Text(f"Fields in Orah: {', '.join(change.field for change in effects.changes)}."))
    _print_days(console, decision)
    if decision.kind is not Kind.LATER:
        console.print(Text(WHEN))
    console.print(Text(f"To take it back: vx match undo {decision.number}", style="dim"))


def print_undone(console: Console, back: Decision, again: Sequence[Decision]) -> None:
    """What was taken back, and what stands again by that."""
    console.print(
        Text.assemble((f"Decision {back.number}: ", "bold"), f"{back.undoes} does not count any more.")
    )
    for one in again:
        console.print(Text(f"Decision {one.number} stands again: {one.told}."))
    console.print("The next run judges the two records anew; what was written in Orah already stays there.")
    _print_days(console, back)
    console.print(Text(WHEN))


def _print_days(console: Console, decision: Decision) -> None:
    if decision.days:
        days = ", ".join(day.isoformat() for day in decision.days)
        console.print(Text(f"Days whose marks are looked at again: {days}."))


def print_history(console: Console, decisions: Iterable[Decision]) -> None:
    """Decisions, newest first, with what became of them."""
    listed = list(decisions)
    undone = {one.undoes: one.number for one in listed if one.undoes is not None}
    rows = [
        (
            one.number,
            f"{one.at:%Y-%m-%d %H:%M}",
            f"takes back {one.undoes}" if one.undoes is not None else one.told,
            f"{one.actor} ({one.via})",
            one.note,
            f"taken back by {undone[one.number]}" if one.number in undone else "",
        )
        for one in listed
    ]
    if not rows:
        console.print("Nothing was decided yet.")
        return
    console.print(_table("Decisions", ("number", "at (UTC)", "what", "by", "note", ""), rows))


def print_imported(console: Console, imported: Imported, *, dry_run: bool) -> None:
    """How many lines became decisions, and why the others did not."""
    word = "would be decided" if dry_run else "decided"
    console.print(
        f"{imported.lines} lines: {len(imported.decided)} {word}, {imported.already} stand already, "
        f"{len(imported.repeated)} repeated, {len(imported.refused)} refused."
    )
    if imported.repeated:
        lines = ", ".join(str(line) for line in imported.repeated[:MOST_REFUSED])
        more = ", ..." if len(imported.repeated) > MOST_REFUSED else ""
        console.print(f"Decided once: lines {lines}{more} say what an earlier line says.")
    for one in imported.refused[:MOST_REFUSED]:
        console.print(Text(f"Line {one.line}: {one.reason}"))
    if len(imported.refused) > MOST_REFUSED:
        console.print(f"and {len(imported.refused) - MOST_REFUSED} more; --json names them all.", style="dim")
    if imported.decided and not dry_run:
        console.print(Text(WHEN))


def _names(person: Person | None) -> str:
    if person is None:
        return ""
    names = (
        person.shown.get("preferred_name") or person.shown.get("first_name"),
        person.shown.get("last_name"),
    )
    return " ".join(name for name in names if name)


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table. What people are called and what they write is text, whatever brackets are in it."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None)
    for head in heads:
        made.add_column(head, justify="right" if head in _NUMBERS else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return made
