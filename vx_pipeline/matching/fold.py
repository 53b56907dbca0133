"""Names made comparable: ASCII, lower case, without punctuation."""

import re
from functools import lru_cache

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
