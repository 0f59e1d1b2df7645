"""What went wrong with a connection to somebody else's server, without that server's own words.

Servers quote prompts, words and keys in their errors, and none of these may reach a log.
"""

from __future__ import annotations

import aiohttp


def explain(error: Exception) -> str:
    """Return what went wrong, in a few words.

    Args:
        error: Of aiohttp or below; anything else is an answer that cannot be read.
    """
    match error:
        case aiohttp.ClientConnectorError() | ConnectionRefusedError():
            return "no connection"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return "the answer broke off"
        case aiohttp.ClientError() | OSError() | RuntimeError():
            return "the connection is lost"
    return "the server's answer cannot be read"
