"""The providers of a process, and what one call has of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from pipelines.audio import Audio
from pipelines.providers.contracts import (
    LanguageModel,
    ProviderError,
    Stage,
    Synthesizer,
    Transcriber,
)
from pipelines.stages.budgets import Budgets
from pipelines.stages.limits import ModelLimits
from pipelines.stages.llm import FailoverLanguageModel
from pipelines.stages.phrases import Phrases, PhraseStore
from pipelines.stages.pool import Candidate, ProviderPool
from pipelines.stages.probe import watch
from pipelines.stages.stt import FailoverTranscriber
from pipelines.stages.tts import FailoverSynthesizer
from pipelines.stages.usage import Usage
from pipelines.workers import OnThisMachine

log = structlog.get_logger()

CLOSE_WITHIN = 5.0
"""Seconds for a provider to close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """The three stages, for one call; close it with the call."""

    stt: FailoverTranscriber
    llm: FailoverLanguageModel
    tts: Phrases
    usage: Usage
    down: Callable[[Stage], bool]
    """Whether nobody of a stage works, as far as that is known by now."""

    voice_is_here: Callable[[], bool]
    """Whether the voice that would speak now computes on this machine."""

    async def aclose(self) -> None:
        """Close the connections of the call."""
        await self.stt.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """Whom a process can ask, stage by stage.

    Start them before any use, close them in the end, and let :meth:`watch` run in between.
    """

    stt: ProviderPool[Transcriber]
    llm: ProviderPool[LanguageModel]
    tts: ProviderPool[Synthesizer]
    budgets: Budgets = field(default_factory=Budgets)
    limits: ModelLimits = field(default_factory=ModelLimits)
    phrases: PhraseStore = field(default_factory=PhraseStore)

    @property
    def pools(self) -> tuple[ProviderPool[Any], ...]:
        """The three stages."""
        return (self.stt, self.llm, self.tts)

    @property
    def candidates(self) -> list[tuple[Stage, Candidate[Any]]]:
        """Everybody, with what they do."""
        return [(pool.stage, candidate) for pool in self.pools for candidate in pool.candidates]

    @property
    def down(self) -> tuple[Stage, ...]:
        """The stages of which nobody works: no call can be held meanwhile."""
        return tuple(pool.stage for pool in self.pools if pool.down)

    async def start(self) -> None:
        """Start all, side by side.

        Close them even if this fails: some may have started. Cancelling is safe in the same way.

        Raises:
            ProviderError: If one cannot work as configured. None is being started any more.
        """
        await _side_by_side(candidate.provider.start() for _, candidate in self.candidates)

    async def aclose(self) -> None:
        """Close all."""
        for stage, candidate in self.candidates:
            try:
                async with asyncio.timeout(CLOSE_WITHIN):
                    await candidate.provider.aclose()
            except TimeoutError:
                log.warning("provider was not closed", stage=stage, provider=candidate.name)

    def lineup(self, names: Sequence[str] = ()) -> Lineup:
        """Return what one call has of them. Begins to connect where that takes a while.

        Args:
            names: What is likely to be said in it, for the transcriber.
        """
        usage = Usage()
        return Lineup(
            stt=FailoverTranscriber(self.stt, self.budgets, usage, names),
            llm=FailoverLanguageModel(self.llm, self.budgets, usage, self.limits),
            tts=self._phrases(usage),
            usage=usage,
            down=lambda stage: stage in self.down,
            voice_is_here=lambda: isinstance(self.tts.first.provider, OnThisMachine),
        )

    def voice(self) -> Phrases:
        """Return what speaks outside of calls; on nobody's account."""
        return self._phrases(Usage())

    async def warm(self) -> None:
        """Open what a call is about to need."""
        await _side_by_side(pool.first.provider.warm() for pool in self.pools)

    async def prepare(
        self, sentences: Sequence[str], rate: int, lasting: Collection[str] = ()
    ) -> None:
        """Speak what calls are about to need; on nobody's account. See :meth:`Phrases.prepare`.

        Raises:
            ProviderError: If it cannot be spoken.
        """
        await self.voice().prepare(sentences, rate, lasting)

    async def watch(self, speech: Audio) -> None:
        """Probe those that failed until they are back; runs until it is cancelled.

        Args:
            speech: A word or two, for speech-to-text to hear;
                :func:`pipelines.stages.probe.probe_speech` has some.
        """
        await watch(self.pools, speech)

    def _phrases(self, usage: Usage) -> Phrases:
        synthesizer = FailoverSynthesizer(self.tts, self.budgets, usage)
        return Phrases(synthesizer, self.phrases, lambda: self.tts.candidates[0].healthy)


async def _side_by_side(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once.

    Raises:
        Exception: The first that a piece of work raises, when the others have ended, cancelled; a
            bug before an error of a provider's.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            for piece in work:
                tasks.create_task(piece)
    except ExceptionGroup as failures:
        bugs = [one for one in failures.exceptions if not isinstance(one, ProviderError)]
        raise (bugs or failures.exceptions)[0] from None
