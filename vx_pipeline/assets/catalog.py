"""What every asset says of itself in the catalogue: owner, column schema, and numbers instead of names."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import duckdb

OWNERS = ["team:school-data"]
KINDS = {"duckdb", "python"}
DERIVED_KINDS = {"duckdb", "sql"}


def table_schema(connection: duckdb.DuckDBPyConnection, table: str) -> dg.TableSchema:
    """The columns of a table as they are."""
    rows = connection.execute(f"DESCRIBE {table}").fetchall()
    return dg.TableSchema(columns=[dg.TableColumn(name=row[0], type=row[1]) for row in rows])


def table_metadata(
    connection: duckdb.DuckDBPyConnection, table: str, counts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Metadata of a materialised table: rows, columns, and the counts as a small table to look at."""
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    metadata: dict[str, Any] = {
        "dagster/row_count": row[0] if row else 0,
        "dagster/column_schema": table_schema(connection, table),
        "dagster/table_name": table,
    }
    if counts:
        metadata["counts"] = dg.MetadataValue.md(markdown_table(("", "number"), counts.items()))
    return metadata


def markdown_table(heads: tuple[str, ...], rows: Any) -> str:
    """A small Markdown table."""
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)
