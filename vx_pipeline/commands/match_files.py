"""Decisions as a CSV file: what stands, out; lines that are judged one by one, in. Ids and notes, no names."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from vx_pipeline.commands.answering import completed, look_up, misgivings
from vx_pipeline.errors import VxError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.decisions import Answer, Decision, Entity, Kind, decide_each, standing

COLUMNS = ("number", "entity", "kind", "veracross_id", "orah_id", "note", "actor", "at")
NEEDED = frozenset({"entity", "kind", "veracross_id", "orah_id"})

_ID = re.compile(r"[0-9]{1,19}")
_SOURCE = " (imported; decided "
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""Beginnings of a text that a spreadsheet would reckon with instead of showing it, and the mark against that."""


@dataclass(frozen=True)
class Refused:
    """A line that was not taken in, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class Imported:
    """What became of the lines of a file.

    Args:
        lines: how many there were besides the header.
        decided: the decisions made, or that would be made.
        already: how many said what stands already; they are not decided again.
        repeated: lines that say what an earlier line of the file says; the first one counts.
        refused: the others.
    """

    lines: int
    decided: tuple[Decision, ...]
    already: int
    repeated: tuple[int, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True)
class _Line:
    number: int
    answer: Answer


def write_decisions(decisions: Iterable[Decision], file: TextIO) -> int:
    """Writes standing decisions as CSV and returns how many."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for count, one in enumerate(decisions, 1):  # noqa: B007 - the last count is the answer
        row = (one.number, one.entity.value, one.kind.value, one.veracross_id, one.orah_id)
        writer.writerow((*row, _guarded(one.note), _guarded(one.actor), one.at.isoformat()))
    return count


def import_decisions(
    journal: Journal, content: bytes, *, school: str, actor: str, at: datetime, dry_run: bool
) -> Imported:
    """Decides what the lines of a file say: the good ones in one transaction, the others told with their reason.

    The decisions are made now, by who imports; a line's own ``actor`` and ``at`` are kept in the note.

    Args:
        journal: the journal.
        content: CSV with the columns of an export; ``number``, ``note``, ``actor`` and ``at`` may be left out.
        school: the school's key.
        actor: who imports.
        at: now.
        dry_run: judge only.

    Raises:
        VxError: it is no such file; nothing was decided.
    """
    read = list(_read(_text(content)))
    refused = [line for line in read if isinstance(line, Refused)]
    stand = {_claim(one) for one in standing(journal, school)}
    said: set[object] = set()
    judge = misgivings(journal, school)
    already = 0
    repeated: list[int] = []
    good: list[_Line] = []
    for line in read:
        if isinstance(line, Refused):
            continue
        claim = _claim(line.answer)
        if claim in stand:
            already += 1
            continue
        if claim in said:
            repeated.append(line.number)
            continue
        records = look_up(journal, school, line.answer)
        if (error := judge(line.answer, records)) is not None:
            refused.append(Refused(line.number, error.what))
        else:
            said.add(claim)
            good.append(_Line(line.number, completed(line.answer, records)))
    results = decide_each(
        journal,
        [line.answer for line in good],
        school=school,
        actor=actor,
        via="import",
        at=at,
        record=not dry_run,
        action="import",
    )
    decided = []
    for line, result in zip(good, results, strict=True):
        if isinstance(result, VxError):
            refused.append(Refused(line.number, result.what))
        else:
            decided.append(result)
    refused.sort(key=lambda one: one.line)
    return Imported(len(read), tuple(decided), already, tuple(repeated), tuple(refused))


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise VxError(
            "The file is not UTF-8 text.", kept="Nothing was decided.", remedy="Save it as CSV in UTF-8."
        ) from None


def _read(text: str) -> Iterator[_Line | Refused]:
    """Each line as an answer, or what is wrong with it. Blank lines are passed over."""
    first = text.partition("\n")[0]
    # A spreadsheet of a country with decimal commas writes semicolons.
    delimiter = ";" if first.count(";") > first.count(",") else ","
    # Strict: a quote that is left open would take the lines after it for a part of its cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        header = _header(next(reader, []))
        # A note may hold line breaks: the line to look at is the one where the row begins.
        begins = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _line(begins, header, cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise VxError(
            f"The file is no CSV from line {begins} on: {error}.",
            kept="Nothing was decided.",
            remedy="Look for a quote that is not closed there, or save the file as CSV in UTF-8 again.",
        ) from None


def _header(cells: list[str]) -> list[str]:
    """The columns' names, each of ours once. Others are passed over, so they may be there several times."""
    header = [name.strip().lower() for name in cells]
    if missing := NEEDED - set(header):
        raise VxError(
            f"The file's first line lacks the columns {', '.join(sorted(missing))}.",
            kept="Nothing was decided.",
            remedy=f"Name them in the first line, as an export does: {','.join(COLUMNS)}.",
        )
    if several := [name for name in COLUMNS if header.count(name) > 1]:
        raise VxError(
            f"The file's first line names more than one column {', '.join(several)}.",
            kept="Nothing was decided.",
            remedy="Leave only the one that counts.",
        )
    return header


def _line(number: int, header: list[str], cells: list[str]) -> _Line | Refused:
    # Cells are not repeated in a reason: a column in the wrong place may hold a name.
    if len(cells) != len(header):
        return Refused(number, f"It has {len(cells)} cells, the first line {len(header)}.")
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    entities = {entity.value: entity for entity in Entity}
    kinds = {kind.value: kind for kind in Kind if kind is not Kind.UNDO}
    for name, known in (("entity", entities.keys()), ("kind", kinds.keys())):
        if row[name].lower() not in known:
            return Refused(number, f"Its {name} is none of: {', '.join(known)}.")
    for name in ("veracross_id", "orah_id"):
        if row[name] and not _ID.fullmatch(row[name]):
            return Refused(number, f"Its {name} is no whole number.")
    ours, theirs = (int(row[name]) if row[name] else None for name in ("veracross_id", "orah_id"))
    entity, kind = entities[row["entity"].lower()], kinds[row["kind"].lower()]
    return _Line(number, Answer(entity, kind, ours, theirs, note=_note(row)))


def _note(row: dict[str, str]) -> str:
    """The note, with who decided it at first, and when."""
    note, actor, at = (_unguarded(row.get(name, "")) for name in ("note", "actor", "at"))
    source = " ".join(part for part in (f"by {actor}" if actor else "", at) if part)
    return f"{note}{_SOURCE}{source})".strip() if source and _SOURCE.strip() not in note else note


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _claim(one: Answer | Decision) -> tuple[Entity, Kind, int | None, int | None]:
    return one.entity, one.kind, one.veracross_id, one.orah_id
