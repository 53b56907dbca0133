"""Judging the rows of a complete read one by one: which can be stored, which are rejected and why.

Nothing here touches the database. Reasons name fields and kinds, never values.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from vx_pipeline.errors import ContractDriftError
from vx_pipeline.schema import Collection, Field
from vx_pipeline.warehouse.kinds import (
    IN_WORDS,
    json_text,
    likely_record_id,
    read_column,
    record_id,
)
from vx_pipeline.warehouse.records import Record, Shape, has_path, keep, values_at


@dataclass(frozen=True)
class RejectedRow:
    """A row that cannot be stored. It counts as present: invalid is not gone.

    Args:
        id: the record's id, ``None`` when it cannot be told.
        reason: why, in words; without values.
        fields: the dotted paths of the fields at fault.
        content: the row as it came.
    """

    id: int | None
    reason: str
    fields: tuple[str, ...]
    content: Any


@dataclass(frozen=True)
class Sifted:
    """A read, judged.

    Args:
        columns: for each column of the collection, the values of the rows that can be stored, in one order;
            and
            ``_extra``, what the contract does not describe, as JSON text or ``None``.
        rejected: the rows that cannot.
        unknown_fields: dotted paths that the contract does not describe.
        missing_fields: unused fields that no row has.
        retyped_fields: unused fields that are of another kind in at least one row.
    """

    columns: Mapping[str, list[Any]]
    rejected: tuple[RejectedRow, ...]
    unknown_fields: tuple[str, ...]
    missing_fields: tuple[str, ...]
    retyped_fields: tuple[str, ...]


def sift(collection: Collection, rows: Sequence[Mapping[str, Any]]) -> Sifted:
    """Judge every row of a complete read.

    A row is rejected when its id is not a positive whole number, when a used field is of another kind, or
    when another row has its id and other content. Equal rows collapse to one. An unused field of another
    kind is stored as null and kept in ``_extra``.

    Raises:
        ContractDriftError: a used field is absent from every row; or it is of another kind in every row
            that has it, and these are at least two rows or all rows.
    """
    records: list[Record] = [
        row if type(row) is dict else dict(row) for row in rows if isinstance(row, Mapping)
    ]
    rejected = [
        RejectedRow(None, "The row is not a JSON object.", (), row)
        for row in rows
        if not isinstance(row, Mapping)
    ]
    records, contested = _collapse_equal(records)
    shape = Shape.of(collection.fields)
    unknown: set[str] = set()
    extras = [shape.unknown_part(record, unknown) for record in records]

    columns: dict[str, list[Any]] = {}
    faults: dict[int, list[Field]] = defaultdict(list)
    missing, retyped = [], []
    for field in collection.fields:
        given = values_at(records, field.path)
        stored, wrong = _read_ids(given) if field.path == ("id",) else read_column(field.kind, given)
        columns[field.name] = stored
        absent = bool(records) and not any(has_path(record, field.path) for record in records)
        if field.used or field.path == ("id",):
            _refuse_drift(collection, field, absent, len(wrong), len(given) - given.count(None), len(records))
            for position in wrong:
                faults[position].append(field)
            continue
        if absent:
            missing.append(_dotted(field))
        if wrong:
            retyped.append(_dotted(field))
        for position in wrong:
            keep(extras[position], records[position], field.path)

    usable = [True] * len(records)
    identities = columns[collection.field("id").name]
    for position, record in enumerate(records):
        if reason := _reason(identities[position], faults.get(position, []), position in contested):
            usable[position] = False
            paths = tuple(map(_dotted, faults.get(position, [])))
            rejected.append(RejectedRow(likely_record_id(record.get("id")), reason, paths, record))
    columns["_extra"] = [json_text(extra) if extra else None for extra in extras]
    if not all(usable):
        columns = {name: list(compress(values, usable)) for name, values in columns.items()}
    return Sifted(
        columns, tuple(rejected), tuple(sorted(unknown)), tuple(sorted(missing)), tuple(sorted(retyped))
    )


def _collapse_equal(records: list[Record]) -> tuple[list[Record], set[int]]:
    """Drop repeated equal rows; also give the positions, in what is left, of rows that dispute one id."""
    identities = [likely_record_id(record.get("id")) for record in records]
    counts = Counter(identity for identity in identities if identity is not None)
    if len(counts) == len(identities) - identities.count(None):
        return records, set()
    kept: list[Record] = []
    contents: dict[int, dict[str, int]] = defaultdict(dict)
    for identity, record in zip(identities, records, strict=True):
        if identity is not None and counts[identity] > 1:
            content = json_text(record)
            if content in contents[identity]:
                continue
            contents[identity][content] = len(kept)
        kept.append(record)
    return kept, {
        place for different in contents.values() if len(different) > 1 for place in different.values()
    }


def _read_ids(values: Sequence[Any]) -> tuple[list[int | None], list[int]]:
    identities = [record_id(value) for value in values]
    wrong = [
        position
        for position, (identity, value) in enumerate(zip(identities, values, strict=True))
        if identity is None and value is not None
    ]
    return identities, wrong


def _refuse_drift(
    collection: Collection, field: Field, absent: bool, wrong: int, present: int, rows: int
) -> None:
    if absent:
        found = "is in none of the rows"
    elif wrong and wrong == present and (wrong >= 2 or wrong == rows):
        kind = "a positive whole number" if field.path == ("id",) else IN_WORDS[field.kind]
        found = f"is not {kind} in any row that has it"
    else:
        return
    raise ContractDriftError(
        f"The contract of {collection.name} has changed: the field {_dotted(field)}, which the pipeline "
        f"rests on, {found} ({rows} rows read).",
        kept=f"Nothing of this read was stored; {collection.name} is as it was.",
        remedy="Compare the field with the other system's documentation, and update the contract.",
    )


def _reason(identity: int | None, faults: Sequence[Field], contested: bool) -> str:
    """Why a row is rejected; empty when it is not."""
    reasons = []
    if identity is None:
        reasons.append("id is not a positive whole number")
    reasons += [
        f"{_dotted(field)} is not {IN_WORDS[field.kind]}" for field in faults if field.path != ("id",)
    ]
    if contested:
        reasons.append("another row has the same id and other content")
    return "; ".join(reasons)


def _dotted(field: Field) -> str:
    return ".".join(field.path)
