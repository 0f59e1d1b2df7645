"""What went wrong at the other end, in words of ours."""

from __future__ import annotations

import pytest

from pipelines.providers.contracts import ProviderError
from pipelines.providers.transport.failures import again, refused


@pytest.mark.parametrize(
    ("status", "retryable", "says"),
    [(401, False, "the key is refused"), (429, True, "too many requests"), (503, True, "HTTP 503")],
)
def test_a_status_says_what_it_means_and_whether_to_ask_again(
    status: int, retryable: bool, says: str
) -> None:
    """What is refused once is refused again; what is busy may not be."""
    error = refused("llm", status)
    assert says in error.reason
    assert error.retryable is retryable


def test_an_error_that_many_wait_for_is_raised_once_for_each() -> None:
    """Equal, but apart, so that their tracebacks are."""
    error = ProviderError("tts", "the server went silent", timed_out=True, retryable=False)
    other = again(error)
    assert other is not error
    assert str(other) == str(error) == "tts: the server went silent"
    assert (other.timed_out, other.retryable) == (True, False)
