"""A provider for services that take calls however busy the machine is that runs the tests.

Whether there is too much to do is measured in each process, of the machine that it is on, so it is
told in that process, too: whoever loads the provider measures against limits that nothing reaches.
"""

from __future__ import annotations

from agent.server import load, overload
from pipelines.providers import scripted

overload.LATE = overload.WAIT = load.FULL = 1_000.0


class Transcriber(scripted.Transcriber):
    """Hears nothing."""


ANY_LOAD = {"STT__PROVIDER": f"{__name__}:Transcriber", "SERVER__CONNECT_TIMEOUT": "60"}
"""Settings of a service that takes all calls, and gives callers time to say who they are."""
