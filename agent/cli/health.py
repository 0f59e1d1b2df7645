"""How the service on this machine is, for `voice-agent check`: asked over HTTP."""

from __future__ import annotations

import json
from urllib.request import urlopen

from agent.settings.server import ServerSettings


def running_service(server: ServerSettings) -> str:
    """Return how the providers of the service on this machine are, a comment line for each."""
    host = "127.0.0.1" if server.host == "0.0.0.0" else server.host  # noqa: S104 - to ask, not to listen
    try:
        with urlopen(f"http://{host}:{server.port}/health", timeout=2) as answer:
            found = json.load(answer)["providers"]
            return "\n".join(
                f"# the running service: {one['stage']} {one['provider']}: {one['status']}"
                for one in found
            )
    except (OSError, ValueError, KeyError, TypeError):
        return f"# no service answers on port {server.port}"
