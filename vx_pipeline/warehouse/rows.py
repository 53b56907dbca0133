"""A query's rows as dictionaries, for what is decided one by one in Python."""

from collections.abc import Mapping
from typing import Any

import duckdb


def read_rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """All rows of a query, each by column name."""
    cursor = connection.execute(query, dict(parameters or {}))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
