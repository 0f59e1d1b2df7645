"""The providers of a process, and what one call has of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from pipelines.stages.attempts import Budgets
from pipelines.stages.llm import FailoverLanguageModel
from pipelines.stages.phrases import Phrases, PhraseStore
from pipelines.stages.pool import Candidate, ProviderPool
from pipelines.stages.probe import probe
from pipelines.stages.stt import FailoverTranscriber
from pipelines.stages.tts import FailoverSynthesizer
from pipelines.stages.usage import Usage

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks at who is to be probed."""

CLOSE_WITHIN = 5.0
"""Seconds for a provider to close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """The three stages, for one call; close it with the call."""

    stt: FailoverTranscriber
    llm: FailoverLanguageModel
    tts: Phrases
    usage: Usage

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
    phrases: PhraseStore = field(default_factory=PhraseStore)

    @property
    def pools(self) -> tuple[ProviderPool[Any], ...]:
        """The three stages."""
        return (self.stt, self.llm, self.tts)

    @property
    def candidates(self) -> list[tuple[Stage, Candidate[Any]]]:
        """Everybody, with what they do."""
        return [(pool.stage, candidate) for pool in self.pools for candidate in pool.candidates]

    async def start(self) -> None:
        """Start all, side by side.

        Raises:
            ProviderError: If one cannot work as configured.
        """
        await asyncio.gather(*(candidate.provider.start() for _, candidate in self.candidates))

    async def aclose(self) -> None:
        """Close all."""
        for stage, candidate in self.candidates:
            try:
                async with asyncio.timeout(CLOSE_WITHIN):
                    await candidate.provider.aclose()
            except TimeoutError:
                log.warning("provider was not closed", stage=stage, provider=candidate.name)

    def lineup(self) -> Lineup:
        """Return what one call has of them. Begins to connect where that takes a while."""
        usage = Usage()
        return Lineup(
            stt=FailoverTranscriber(self.stt, self.budgets, usage),
            llm=FailoverLanguageModel(self.llm, self.budgets, usage),
            tts=Phrases(FailoverSynthesizer(self.tts, self.budgets, usage), self.phrases),
            usage=usage,
        )

    async def warm(self) -> None:
        """Open what a call is about to need."""
        await asyncio.gather(*(pool.first.provider.warm() for pool in self.pools))

    async def prepare(self, sentences: Sequence[str], rate: int) -> None:
        """Speak what calls are about to need; on nobody's account.

        Raises:
            ProviderError: If it cannot be spoken.
        """
        synthesizer = FailoverSynthesizer(self.tts, self.budgets, Usage())
        await Phrases(synthesizer, self.phrases).prepare(sentences, rate)

    async def watch(self, speech: Audio) -> None:
        """Probe those that failed, until they are back; runs until it is cancelled.

        Args:
            speech: A word or two, for speech-to-text to hear.
        """
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await asyncio.gather(
                *(
                    self._probe_one(pool, candidate, speech)
                    for pool in self.pools
                    for candidate in pool.to_probe()
                )
            )

    async def _probe_one(
        self, pool: ProviderPool[Any], candidate: Candidate[Any], speech: Audio
    ) -> None:
        try:
            await probe(pool.stage, candidate.provider, speech)
        except ProviderError as error:
            pool.failed(candidate, error)
        else:
            pool.worked(candidate)
