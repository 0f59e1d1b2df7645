"""What went wrong with a connection, in words of ours."""

from __future__ import annotations

import aiohttp
import pytest

from pipelines.connection_errors import explain


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError("secret"), "no connection"),
        (aiohttp.ClientPayloadError("secret"), "the answer broke off"),
        (aiohttp.ServerDisconnectedError("secret"), "the answer broke off"),
        (OSError("secret"), "the connection is lost"),
        (ValueError("secret"), "the server's answer cannot be read"),
    ],
)
def test_errors_are_explained_without_the_servers_words(error: Exception, says: str) -> None:
    """They may quote the prompt, what was said, or the key."""
    assert explain(error) == says
