"""Running a derivation: a ``.sql`` file beside its module, with its parameters bound by name."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

import duckdb


def derive(
    connection: duckdb.DuckDBPyConnection,
    package: str,
    name: str,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Runs ``<package>/<name>.sql``, binding the ``$parameters`` that each of its statements mentions.

    Raises:
        KeyError: a statement mentions a parameter that was not given.
    """
    given = parameters or {}
    text = resources.files(package).joinpath(f"{name}.sql").read_text()
    for statement in duckdb.extract_statements(text):
        connection.execute(statement, {name: given[name] for name in statement.named_parameters})
