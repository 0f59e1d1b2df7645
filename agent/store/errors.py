"""What goes wrong with the database, told without a value that was to be stored."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

LONGEST = 200
"""Characters of a reason."""


class StoreError(Exception):
    """The database does not do what was asked: it is away, full, locked, or too slow.

    What was asked may have been done nevertheless. The message is one line for the log, without any
    value that was to be stored.
    """


class UnreadableRowError(Exception):
    """What is stored cannot be read: work in a transaction may say so, which is nobody's bug."""


def reason(error: Exception) -> str:
    """Return in a line why a database failed."""
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ or error.orig if error.orig is not None else error
        # Of rows, a message may quote the values.
        quotes = isinstance(error, DataError | IntegrityError)
        return type(cause).__name__ if quotes else _line(cause)
    if isinstance(error, SQLAlchemyError):
        return type(error).__name__
    return _line(error)


def _line(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = str(error)
    if isinstance(error, OSError):
        text = error.strerror or text
    return (text.strip().partition("\n")[0] or type(error).__name__)[:LONGEST]
