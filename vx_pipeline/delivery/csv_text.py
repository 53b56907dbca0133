"""CSV as bytes: for a person's spreadsheet and for Orah's import, which both have to read the same file.

- RFC 4180: commas, double quotes where needed, lines end with CR LF.
- UTF-8 with a byte order mark. Without it Excel reads the file as Latin letters and shows every accented name
  wrongly, and whoever saves it then has broken the names for good, which nobody sees. An importer that did not
  know the mark would fail aloud, at the first column. ``ENCODING`` is the place to change it.
- Formulas: a spreadsheet runs a cell that begins with ``= + - @`` (or their wide forms), so that a name could send
  a file's content away. Such a cell gets one blank in front, and is text then. An apostrophe, the usual advice,
  would become a part of a child's name in Orah; a blank at the edge of a cell is no data: ours are all trimmed, and
  an importer trims, too, or shows a name that looks the same. A phone number such as ``+1 555 0100`` is left as it
  is, because signs and digits alone can run nothing. ``decode`` takes the blank away again.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

ENCODING = "utf-8-sig"

_BEGINS_FORMULA = re.compile(r"[=+\-@＝＋－＠]")  # noqa: RUF001 - the wide forms are meant
_ONLY_NUMBER = re.compile(r"[+-][0-9 ()./-]*")


def encode(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A header and rows of trimmed cells as the bytes of a file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode(ENCODING)


def decode(content: bytes) -> list[dict[str, str]]:
    """The rows of such a file by column; the opposite of ``encode``.

    Raises:
        ValueError: it is not such a file.
    """
    try:
        lines = list(csv.reader(io.StringIO(content.decode(ENCODING), newline=""), strict=True))
    except csv.Error:
        raise ValueError("not a CSV file") from None
    if not lines:
        raise ValueError("a CSV file without a header")
    columns, *rows = lines
    return [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]


def _inert(cell: str) -> str:
    return f" {cell}" if _BEGINS_FORMULA.match(cell) and not _ONLY_NUMBER.fullmatch(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith(" ") and _BEGINS_FORMULA.match(cell, 1) else cell
