"""How an error becomes a Dagster failure: in plain words, without a stack trace, and without anybody's data."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

from vx_pipeline.errors import VxError

_ABOUT_SQL = (duckdb.BinderException, duckdb.ParserException)
_NO_TABLE = re.compile(r"Table with name \"?(?P<table>[\w.]+)")


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
    except duckdb.CatalogException as error:
        # The query that DuckDB quotes is of no use to whoever runs `vx push` before the first sync.
        missing = _NO_TABLE.search(str(error))
        raise dg.Failure(
            description=f"The warehouse has no {missing['table'] if missing else 'such table'} yet. "
            "Run a sync for this school first.",
            allow_retries=False,
        ) from None
    except duckdb.Error as error:
        told = str(error) if isinstance(error, _ABOUT_SQL) else "its message may hold people's data"
        raise dg.Failure(
            description=f"DuckDB stopped with {type(error).__name__}: {told}. The last good tables are kept.",
            allow_retries=False,
        ) from None
