"""Whose application a call is of."""

from __future__ import annotations

import structlog

from agent.settings.sinch import SinchSettings

log = structlog.get_logger()

MOST_NOTICED = 100
"""Others that are logged by a process; whoever sends one name after the other fills no log."""


class Applications:
    """Tells calls of our application, or service, from those of another.

    A call of another is carried all the same, if it is trusted: what its field holds differs
    between Sinch's documents (the application, the service), and the token is what lets a stream
    in. The first of each is logged, and its record has the name.

    Args:
        settings: The section ``sinch``.
    """

    def __init__(self, settings: SinchSettings) -> None:
        self._ours = {
            name.lower() for name in (settings.application_key, settings.service_id) if name
        }
        self._noticed: set[str] = set()

    def other(self, given: str) -> str:
        """Return the application or service that a call is of, if it is not ours; else ``""``.

        Args:
            given: As the call says; ``""`` if it does not. It counts for nothing while we have
                none.
        """
        if not self._ours or not given or given.lower() in self._ours:
            return ""
        if given not in self._noticed and len(self._noticed) < MOST_NOTICED:
            self._noticed.add(given)
            log.warning("a call is of an application that is not ours", application=given[:64])
        return given
