"""Veracross's Data API as the contract file has it: paths, scopes, query parameters, fields."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def operations() -> Mapping[str, Mapping[str, Any]]:
    """The operations of the contract file, by name."""
    text = files("vx_pipeline").joinpath("contracts/veracross_v3.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Mapping[str, Any]] = json.loads(text)["endpoints"]
    return loaded


def is_leaf(described: Mapping[str, Any]) -> bool:
    """Whether this is a field, not an object of fields: those have no ``type`` that is a word."""
    return isinstance(described.get("type"), str)


def leaves(record: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Dotted path and description of every field of a record."""
    for name, described in record.items():
        if is_leaf(described):
            yield above + name, described
        else:
            yield from leaves(described, f"{above}{name}.")
