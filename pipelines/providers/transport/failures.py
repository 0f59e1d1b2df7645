"""What went wrong at the other end, in words of ours.

The text of a :class:`ProviderError` holds a status or a close code of theirs, and nothing else:
servers quote prompts, words and keys.
"""

from __future__ import annotations

from pipelines.providers.contracts import ProviderError, Stage

TOO_MANY = 429

_STATUS = {
    401: ": the key is refused",
    402: ": no credit",
    403: ": the key is refused",
    404: ": the server does not know the model, the voice or the URL",
    TOO_MANY: ": too many requests, or no credit",
}

_REFUSALS = {400, 401, 402, 403, 404, 405, 422}
"""Statuses that come again if the same is asked again."""


def refused(stage: Stage, status: int) -> ProviderError:
    """Return the error for an HTTP status."""
    return ProviderError(
        stage,
        f"HTTP {status}{_STATUS.get(status, '')}",
        retryable=status not in _REFUSALS,
        limited=status == TOO_MANY,
    )


def again(error: ProviderError) -> ProviderError:
    """Return an equal error, to raise once more.

    Each who waits has one of their own, so that tracebacks stay apart.
    """
    return ProviderError(
        error.stage,
        error.reason,
        timed_out=error.timed_out,
        retryable=error.retryable,
        limited=error.limited,
    )
