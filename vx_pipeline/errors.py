"""Errors for people: what happened, what was kept safe, what to do next.

One class for each way out of the trouble, because that is what a caller decides on. Messages carry ids, never
names, birthdays, e-mails or secrets: exception text ends up in logs and in Dagster's run storage.
"""


class VxError(Exception):
    """Something went wrong that a person can understand and mend.

    Args:
        what: what happened, and to which record or part (ids only).
        kept: what stayed safe; empty when nothing was at stake.
        remedy: what to do next.
    """

    def __init__(self, what: str, *, kept: str = "", remedy: str = "") -> None:
        self.what = what
        self.kept = kept
        self.remedy = remedy
        super().__init__(" ".join(part for part in (what, kept, remedy) if part))


def in_words(error: Exception) -> str:
    """An error for a log: our own as it is; of others the kind alone, for their words may hold people's data."""
    return str(error) if isinstance(error, VxError) else f"it stopped with {type(error).__name__}"


class ConfigurationError(VxError):
    """A setting is missing or wrong; nothing was tried."""


class AccessError(VxError):
    """The other system refused us: credentials, scope, permission or school route."""


class ServiceError(VxError):
    """The other system could not be reached or could not answer; trying later may help."""


class BusyError(ServiceError):
    """The other system could not be reached or asks for patience; nothing was written, and a later try may help."""


class LostAnswerError(ServiceError):
    """A write was sent and no answer came: it may have landed. Read back before anything else."""


class ChangedError(VxError):
    """Somebody changed the record while a write waited for its turn; it was not sent. Look again."""


class NotFoundError(VxError):
    """The other system does not know the record (any more)."""


class IncompleteReadError(VxError):
    """A collection could not be read whole, so none of it was used."""


class ContractDriftError(VxError):
    """A field that the pipeline rests on is missing or has another type in every row."""


class WarehouseError(VxError):
    """A school's DuckDB file is locked, broken, or has no room to grow."""


class HeldError(VxError):
    """A plan waits for a person; nothing of it was written."""
