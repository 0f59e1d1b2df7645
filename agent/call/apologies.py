"""What is said in place of a reply that is lost."""

from __future__ import annotations

import structlog

from agent.call.history import History
from agent.call.reply import Reply
from agent.personas.script import Script
from pipelines.providers.contracts import ProviderError

log = structlog.get_logger()


class Apologies:
    """The apologies of one call, until the agent gives up.

    Args:
        script: Has them.
        max_failures: Lost replies in a row, from which on the agent says goodbye.
        history: Told of each.
    """

    def __init__(self, script: Script, max_failures: int, history: History) -> None:
        self._script = script
        self._max_failures = max_failures
        self._history = history
        self._failures = 0  # in a row

    def none_needed(self) -> None:
        """Note that a reply was made: it starts over."""
        self._failures = 0

    def words(self, reply: Reply, error: ProviderError) -> tuple[str, ...]:
        """Return what to say in place of ``reply``; it hangs up afterwards if that is goodbye."""
        self._failures += 1
        log.warning("reply lost", stage=error.stage, error=str(error), in_a_row=self._failures)
        self._history.note("failed", stage=error.stage)
        if self._failures < self._max_failures:
            return (self._script.apology,)
        reply.hang_up = True
        return self._script.apology, self._script.brief.goodbye
