"""The providers of a stage: who is healthy, and who cools down after a failure.

One that failed comes last until it has worked again, for a call or for a probe
(:mod:`pipelines.stages.probe`). What counts as a failure, and how the next provider takes over
within the turn, is in :mod:`pipelines.stages.attempts` and in the file of each stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import structlog

from pipelines.backoff import longer
from pipelines.clock import now
from pipelines.histogram import Histogram
from pipelines.providers.contracts import ProviderError, Stage

log = structlog.get_logger()

P = TypeVar("P")

FIRST_COOLDOWN = 10.0
"""Seconds that a provider cools down after a failure. Short: most faults are a moment's."""

LONGEST_COOLDOWN = 300.0
"""Seconds between two probes of one that stays away."""

DOWN_PROBED_EVERY = 10.0
"""The same, while nobody else of its stage works: no call comes in until a probe says that they do
again (:attr:`ProviderPool.down`)."""

FIRST_RESULTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
"""Bounds in seconds, by which first results are counted."""


@dataclass(slots=True, kw_only=True, eq=False)
class Candidate(Generic[P]):
    """A provider of a pool, and how it has been."""

    name: str
    provider: P
    requests: int = 0
    failures: int = 0
    first_results: Histogram = field(default_factory=lambda: Histogram(FIRST_RESULTS), repr=False)
    """Seconds to the first result, of ``answered`` requests."""

    answered: int = 0
    cooldown: float = 0.0
    """Seconds of the cooldown it is in; 0 while it is healthy."""

    cooldown_until: float = field(default=0.0, repr=False)
    """When the cooldown is over, by the event loop's clock."""

    waiting: list[float] = field(default_factory=list, repr=False)
    """When those requests were made that have no result yet, by the event loop's clock."""

    heard_at: float = field(default=0.0, repr=False)
    """When the last result came."""
    limited_at: float = field(default=float("-inf"), repr=False)
    """When it last said that it takes no more requests for now, by the event loop's clock."""

    thinks_first: bool = False
    """Whether its replies are known to begin within reasoning, which a template opens."""

    probing: bool = False
    """Whether it is being asked for something tiny just now."""

    @property
    def status(self) -> Literal["ok", "unused", "cooling down"]:
        """How it is, for whoever looks."""
        if not self.healthy:
            return "cooling down"
        return "ok" if self.answered else "unused"

    @property
    def silent_since(self) -> float:
        """Since when it owes somebody a result, and gives none to anybody."""
        return max(self.heard_at, min(self.waiting, default=now()))

    @property
    def healthy(self) -> bool:
        """Whether it worked when it was last asked."""
        return not self.cooldown


class ProviderPool(Generic[P]):
    """The providers of one stage. One a process.

    Args:
        stage: What they do.
        candidates: Name and provider of each, the one that is wanted most first; at least one.
    """

    def __init__(self, stage: Stage, candidates: Sequence[tuple[str, P]]) -> None:
        self.stage = stage
        self.candidates = [Candidate(name=name, provider=provider) for name, provider in candidates]

    @property
    def first(self) -> Candidate[P]:
        """Whom to ask first, as things are."""
        return self.order()[0]

    def order(self) -> list[Candidate[P]]:
        """Return whom to ask: the healthy ones, then those that cool down, each as configured."""
        return sorted(self.candidates, key=lambda candidate: not candidate.healthy)

    @property
    def down(self) -> bool:
        """Whether nobody of the stage works: each has failed twice in a row at the least.

        Once may be the request's fault; whoever is alone is probed at once then, and that decides.
        """
        return all(one.cooldown > FIRST_COOLDOWN for one in self.candidates)

    def worked(self, candidate: Candidate[P]) -> None:
        """Note that a provider has done its job."""
        if not candidate.healthy:
            log.info("provider is back", stage=self.stage, provider=candidate.name)
        candidate.cooldown = 0.0

    def failed(self, candidate: Candidate[P], error: ProviderError) -> None:
        """Let a provider cool down; twice as long each time, until it has worked again."""
        candidate.failures += 1
        if error.limited:
            candidate.limited_at = now()
        candidate.cooldown = longer(
            candidate.cooldown, first=FIRST_COOLDOWN, longest=LONGEST_COOLDOWN
        )
        candidate.cooldown_until = now() + self._pause(candidate)
        log.warning(
            "provider failed",
            stage=self.stage,
            provider=candidate.name,
            error=str(error),
            cooldown=candidate.cooldown,
        )

    def to_probe(self) -> list[Candidate[P]]:
        """Return those whose cooldown is over, and that nobody probes yet."""
        cooling = [one for one in self.candidates if not one.healthy and not one.probing]
        return [candidate for candidate in cooling if now() >= candidate.cooldown_until]

    def _pause(self, candidate: Candidate[P]) -> float:
        """Return the seconds until one that failed is probed."""
        if any(one.healthy for one in self.candidates):
            return candidate.cooldown
        first = candidate.cooldown == FIRST_COOLDOWN
        return 0.0 if first else min(candidate.cooldown, DOWN_PROBED_EVERY)
