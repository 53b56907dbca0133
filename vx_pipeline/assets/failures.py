"""How an error becomes a Dagster failure: in plain words, without a stack trace, and without anybody's data."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

from vx_pipeline.errors import VxError

_ABOUT_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turns our errors into failures that are not retried: the clients have tried again already.

    DuckDB quotes the value that it could not convert. Such a message would end up in Dagster's run storage, so
    only the messages that speak about the query itself pass.
    """
    try:
        yield
    except VxError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    except duckdb.Error as error:
        told = str(error) if isinstance(error, _ABOUT_SQL) else "its message may hold people's data"
        raise dg.Failure(
            description=f"DuckDB stopped with {type(error).__name__}: {told}. The last good tables are kept.",
            allow_retries=False,
        ) from None
