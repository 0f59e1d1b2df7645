"""Whom to ask for one result, one after the other, and how long to wait for each.

All within the same turn: the next provider is given what the failed one was given, and goes on
where that one stopped, so that nothing is said twice. What counts as a failure:

- an error of the provider's;
- a deadline: the stage's, or ``Budgets.patience`` while another provider is left to try;
- an empty reply, no audio.

A quick failure is tried once more at the same provider, on a fresh connection: most are a
connection that had died unnoticed. One that is not retryable is not, nor one that timed out while
there is another provider, or nothing can be heard meanwhile: no filler bridges a voice's silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from pipelines.clock import now
from pipelines.providers.contracts import ContextTooLongError, ProviderError, WrittenCallError
from pipelines.stages.pool import Candidate, ProviderPool
from pipelines.stages.usage import Usage

P = TypeVar("P")

NO_FAULT = (ContextTooLongError, WrittenCallError)
"""What costs this call a reply, and tells nothing of how the provider does for others."""


class Attempts(Generic[P]):
    """Whom to ask, one after the other, for one result.

    Args:
        pool: The providers of the stage.
        usage: The call's; is added to.
    """

    def __init__(self, pool: ProviderPool[P], usage: Usage) -> None:
        self._pool = pool
        self._usage = usage
        self._order = pool.order()
        self._again = False  # the present one is being asked for the second time
        self._began = 0.0
        self._count = 0
        self._waits = False

    @property
    def candidate(self) -> Candidate[P]:
        """Whom to ask now."""
        return self._order[0]

    @property
    def alone(self) -> bool:
        """Whether nobody is left after this one."""
        return len(self._order) == 1

    def patience(self, budget: float, patience: float) -> float:
        """Return the seconds to wait for a result: fewer where the whole stage is known to fail."""
        return budget if self.alone and not self._pool.down else min(budget, patience)

    def asked(self) -> None:
        """Note that it is being asked now."""
        used = self._usage.of(self._pool.stage, self.candidate.name)
        used.requests += 1
        used.retries += bool(self._count)
        self.candidate.requests += 1
        self._count += 1
        self._began = now()

    def answered(self, since: float = 0.0) -> None:
        """Note that its first result is there.

        Args:
            since: From when on it could be, if that is later than when it was asked.
        """
        self._waits_no_more()
        self.candidate.heard_at = now()
        seconds = max(0.0, now() - max(self._began, since))
        self.candidate.first_results.note(seconds)
        self.candidate.answered += 1
        self._usage.of(self._pool.stage, self.candidate.name).first_results.append(seconds)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Have it known, until it is answered or the block ends, that the request waits."""
        self.candidate.waiting.append(self._began)
        self._waits = True
        try:
            yield
        finally:
            self._waits_no_more()

    def _waits_no_more(self) -> None:
        if self._waits:
            self.candidate.waiting.remove(self._began)
            self._waits = False

    def worked(self) -> None:
        """Note that it has done its job."""
        self._pool.worked(self.candidate)

    def left(self, error: ProviderError) -> None:
        """Note a failure that costs nothing of this result: nobody is asked for more of it."""
        self._usage.of(self._pool.stage, self.candidate.name).failures += 1
        self._pool.failed(self.candidate, error)

    def failed(self, error: ProviderError) -> None:
        """Note a failure; afterwards :attr:`candidate` is whom to ask next.

        Raises:
            ProviderError: ``error``, if nobody is left to ask.
        """
        self._usage.of(self._pool.stage, self.candidate.name).failures += 1
        silent = self._pool.stage == "tts"  # meanwhile
        hopeless = not error.retryable or (error.timed_out and (silent or not self.alone))
        if not self._again and not hopeless:
            self._again = True
            return
        if not isinstance(error, NO_FAULT):
            self._pool.failed(self.candidate, error)
        if self.alone:
            raise error
        left, self._order = self._order[0], self._order[1:]
        self._again = False
        self._usage.left(self._pool.stage, left.name, self.candidate.name, error)
