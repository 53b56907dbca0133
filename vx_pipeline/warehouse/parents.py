"""Which parents a fan-out read asks: the dorms and classes under whose paths other collections stand."""

from collections.abc import Collection, Mapping
from datetime import date
from importlib import resources
from typing import Any

import duckdb

from vx_pipeline.errors import WarehouseError


def dorm_ids(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """The dorms that are not missing, in order of id.

    Raises:
        WarehouseError: the dorms have not been landed yet.
    """
    return _ids(connection, "dorm_ids", {})


def meeting_classes(
    connection: duckdb.DuckDBPyConnection, *, first: date, last: date, inactive_labels: Collection[str]
) -> list[int]:
    """The classes whose meeting times may fall into a period, in order of id.

    Args:
        connection: an open warehouse.
        first: the first day of the period.
        last: its last day.
        inactive_labels: labels of class statuses (any case) whose classes do not meet.

    Raises:
        WarehouseError: dorms or classes have not been landed yet.
    """
    labels = [label.lower() for label in inactive_labels]
    return _ids(connection, "meeting_classes", {"first": first, "last": last, "inactive_labels": labels})


def attended_classes(connection: duckdb.DuckDBPyConnection, *, first: date, last: date) -> list[int]:
    """The classes that meet in a period (both days included) and are not missing, in order of id.

    Raises:
        WarehouseError: classes or meeting times have not been landed yet.
    """
    return _ids(connection, "attended_classes", {"first": first, "last": last})


def _ids(connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any]) -> list[int]:
    sql = resources.files(__package__).joinpath(f"{query}.sql").read_text(encoding="utf-8")
    try:
        return [row[0] for row in connection.execute(sql, dict(parameters)).fetchall()]
    except duckdb.CatalogException as error:
        raise WarehouseError(
            "The collections that tell which dorms or classes to ask for have not been read yet.",
            remedy="Read veracross/dorms, veracross/classes and veracross/meeting_times first.",
        ) from error
