"""Who answers replayed calls: models of this machine loaded once, all else anew for each call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from agent.server.assembly import call_settings
from agent.server.call_runner import CallResources
from agent.server.providers import START_WITHIN, build
from agent.settings import Settings, SettingsError
from pipelines.listening.detectors import NewDetector
from pipelines.providers.contracts import ProviderError
from pipelines.stages.phrases import PhraseStore
from pipelines.stages.pool import Candidate
from pipelines.turn_taking.end_of_turn import TurnModel
from pipelines.turn_taking.turn_models import turn_model
from pipelines.workers import OnThisMachine


class StartedProviders:
    """The providers of the settings, for calls that are replayed. Close it in the end.

    A call depends on none that was replayed before: nobody cools down from another's failure, and
    a script begins anew. Only what takes long to be made ready is kept: the models of this machine,
    and what agents say of themselves, once it was spoken. It may be used on several loops, one
    after the other.

    Args:
        settings: Who they are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models: dict[tuple[str, str], Any] = {}
        self._phrases = PhraseStore()
        self._turn_model: TurnModel | None = None
        self._opened = AsyncExitStack()

    @asynccontextmanager
    async def for_call(self, new_detector: NewDetector) -> AsyncIterator[CallResources]:
        """Start what one call is built of. No folder of phrases is read or written.

        Args:
            new_detector: Gives each call its own voice detector.

        Raises:
            SettingsError: If one cannot be started.
        """
        settings = self._settings
        built = build(settings.providers(), settings.budget, settings.llm)
        providers = replace(built, phrases=self._phrases)
        async with AsyncExitStack() as opened:
            try:
                async with asyncio.timeout(START_WITHIN):
                    for stage, one in providers.candidates:
                        await self._start((stage, one.name), one, opened)
                    if self._turn_model is None and (model := turn_model(settings.turns)):
                        self._opened.push_async_callback(model.aclose)
                        await model.start()
                        self._turn_model = model
            except ProviderError as error:
                raise SettingsError(f"provider: {error}") from None
            except LookupError as error:
                raise SettingsError(f"turns.model: {error.args[0]}") from None
            except TimeoutError:
                raise SettingsError(f"providers: not started within {START_WITHIN:g} s") from None
            yield CallResources(
                settings=call_settings(settings),
                providers=providers,
                new_detector=new_detector,
                turn_model=self._turn_model,
            )

    async def aclose(self) -> None:
        """End the models of this machine."""
        await self._opened.aclose()

    async def _start(
        self, name: tuple[str, str], one: Candidate[Any], opened: AsyncExitStack
    ) -> None:
        """Start a provider, to be closed with the call; or take the model that is there."""
        local = isinstance(one.provider, OnThisMachine)
        if local and name in self._models:
            one.provider = self._models[name]
            return
        (self._opened if local else opened).push_async_callback(one.provider.aclose)
        await one.provider.start()
        if local:
            self._models[name] = one.provider
