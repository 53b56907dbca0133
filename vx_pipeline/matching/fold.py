"""Names made comparable: ASCII, lower case, without punctuation."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import duckdb
from anyascii import anyascii

_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
_APOSTROPHE = re.compile(r"['`]")


@lru_cache(maxsize=100_000)
def fold(name: str) -> str:
    """The name in lower-case ASCII: a hyphen is a blank, an apostrophe nothing. It may be left empty.

    DuckDB's string distances count bytes and its ``strip_accents`` leaves letters such as L with a stroke, so
    names are folded before any of them is compared.
    """
    plain = _APOSTROPHE.sub("", anyascii(name).lower())
    return _NOT_A_LETTER.sub(" ", plain).strip()


@contextmanager
def folding(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Makes ``fold`` known to SQL, for as long as the block lasts."""
    # It has no side effects. A function without them is called by DuckDB 1.5 for the values of a dictionary alone,
    # and storing what a Python function answers then ended the whole process (seen; with one thread nearly always).
    connection.create_function("fold", fold, ["VARCHAR"], "VARCHAR", side_effects=True)
    try:
        yield
    finally:
        connection.remove_function("fold")
