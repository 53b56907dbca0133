"""Opening the journal's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from vx_pipeline.errors import ConfigurationError, ServiceError
from vx_pipeline.journal import attendance_view_tables, mark_tables, matching_tables, sync_tables, tables
from vx_pipeline.journal.columns import metadata

_TABLES = (tables, matching_tables, sync_tables, mark_tables, attendance_view_tables)
"""Modules whose tables ``metadata`` holds once they are imported."""

_TURN = 0x76785F6A
"""Key of the PostgreSQL lock that those hold who write alone."""


class Journal:
    """The open journal. One for a process; transactions are short."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end of the block, rolled back by an exception.

        Raises:
            ServiceError: the database cannot be reached or written; nothing may be sent without it.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise ServiceError(
                f"The journal cannot be read or written ({type(error).__name__}).",
                kept="Nothing is sent to Orah or Veracross while the journal cannot note it.",
                remedy="Look at the disk, the file's permissions, or the database behind VX_JOURNAL_URL.",
            ) from None

    @contextmanager
    def begin_alone(self) -> Iterator[Connection]:
        """One transaction that no other of its kind, in any process, comes between.

        What is looked up in it still holds when it commits, and rows that it adds are seen in the order of the
        transactions.

        Raises:
            ServiceError: as for ``begin``; also when the others did not come to an end within half a minute.
        """
        with self.begin() as connection:
            if connection.dialect.name == "sqlite":
                # The driver would begin at the first write, and what was looked up before could have changed.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(select(func.pg_advisory_xact_lock(_TURN)))
            yield connection

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()


def open_journal(home: Path, url: str | None = None) -> Journal:
    """Opens the journal and makes its tables, and columns of theirs, where they are missing.

    Args:
        home: the folder for ``journal.db`` when no URL is given. It is made with access for its owner only.
        url: an SQLAlchemy URL, such as ``postgresql+psycopg://...``.

    Raises:
        ConfigurationError: the URL cannot be understood.
        ServiceError: the database cannot be opened.
    """
    if url is None:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = home / "journal.db"
        path.touch(mode=0o600)
        url = f"sqlite:///{path}"
    try:
        # Values are people's data: they stay out of the errors of the database.
        engine = create_engine(url, hide_parameters=True)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"VX_JOURNAL_URL cannot be used ({type(error).__name__}).",
            remedy="Write it as dialect+driver://user:password@host/database and install that driver.",
        ) from None
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            f"The journal cannot be kept in {engine.dialect.name}.",
            remedy="Use PostgreSQL in VX_JOURNAL_URL, or leave it out for a SQLite file.",
        )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _keep_safe)
    journal = Journal(engine)
    with journal.begin() as connection:
        missing = _missing_columns(connection)
    if missing:
        # Alone: a page, a run and a command may meet the journal of an earlier version at the same moment.
        with journal.begin_alone() as connection:
            metadata.create_all(connection)
            # Looked up anew: another process may have been quicker.
            for column in _missing_columns(connection):
                _add(connection, column)
    return journal


def _missing_columns(connection: Connection) -> list[Column[Any]]:
    """Columns that an earlier version's database lacks; of a table that is not there, all."""
    found = inspect(connection).get_multi_columns(filter_names=list(metadata.tables))
    there = {(table, column["name"]) for (_, table), columns in found.items() for column in columns}
    return [
        column
        for table in metadata.tables.values()
        for column in table.columns
        if (table.name, column.name) not in there
    ]


def _add(connection: Connection, column: Column[Any]) -> None:
    """Adds a column to a table that may hold rows: it needs a default of the database's own, or to be nullable."""
    table = connection.dialect.identifier_preparer.format_table(column.table)
    written = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {written}")


def _keep_safe(connection: Any, _record: Any) -> None:
    """A power cut must not lose an intent, and two processes wait for each other instead of failing."""
    cursor = connection.cursor()
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
