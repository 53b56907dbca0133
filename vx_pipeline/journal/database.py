"""Opening the journal's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from vx_pipeline.errors import ConfigurationError, ServiceError
from vx_pipeline.journal.tables import metadata


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

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()


def open_journal(home: Path, url: str | None = None) -> Journal:
    """Opens the journal and makes its tables where they are missing.

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
        engine = create_engine(url)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"VX_JOURNAL_URL cannot be used ({type(error).__name__}).",
            remedy="Write it as dialect+driver://user:password@host/database and install that driver.",
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _keep_safe)
    journal = Journal(engine)
    with journal.begin() as connection:
        metadata.create_all(connection)
    return journal


def _keep_safe(connection: Any, _record: Any) -> None:
    """A power cut must not lose an intent, and two processes wait for each other instead of failing."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
