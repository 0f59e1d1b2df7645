"""Another speech-to-text, made slower and worse: to hear how an agent behaves with a bad one.

It has no name of its own: in the settings it is ``pipelines.providers.delayed:Transcriber``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

from pydantic import Field, ValidationError, model_validator

from pipelines.audio import Audio
from pipelines.providers import find
from pipelines.providers.contracts import (
    UNTOLD,
    CertainTranscription,
    Certainty,
    NameTranscriber,
    PlainTranscriptionSession,
    TranscriptionSession,
)
from pipelines.providers.contracts import (
    Transcriber as AnyTranscriber,
)
from pipelines.settings import Section


class DelayOptions(Section):
    """Options of the delayed speech-to-text."""

    provider: str = Field("moonshine", description="The speech-to-text that really listens.")
    options: dict[str, Any] = Field({}, description="Its options.")
    delay: float = Field(
        0.5, ge=0, le=30, description="Seconds that each transcript comes later than its own."
    )
    errors: float = Field(
        0.0, ge=0, le=1, description="Share of words that are left out or said twice, at random."
    )

    @model_validator(mode="after")
    def _wraps_a_provider(self) -> DelayOptions:
        """Check the provider that listens, as the settings check one that is named there."""
        if self.provider.startswith(f"{__name__}:"):
            raise ValueError("provider: not this one again")
        try:
            find("stt", self.provider).Options.model_validate(self.options)
        except LookupError as error:
            raise ValueError(f"provider: {error.args[0]}") from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"options.{where}: {first['msg']}") from None
        return self


class Transcriber:
    """Hear what another transcriber hears, later, with some words left out or said twice.

    The same transcript has the same errors each time, so that a draft and the decision on it are
    about the same words.
    """

    Options = DelayOptions

    def __init__(self, options: DelayOptions) -> None:
        found = find("stt", options.provider)
        self._inner: AnyTranscriber = found(found.Options.model_validate(options.options))
        self._delay, self._errors = options.delay, options.errors

    async def start(self) -> None:
        """Start the one that listens."""
        await self._inner.start()

    async def warm(self) -> None:
        """Let it open what a call needs."""
        await self._inner.warm()

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    def open_session(self) -> TranscriptionSession:
        """Return the session of one call."""
        return self._late(self._inner.open_session())

    def open_session_with(self, names: Sequence[str]) -> TranscriptionSession:
        """Return the session of one call in which these may be said, if the other takes names."""
        if isinstance(self._inner, NameTranscriber):
            return self._late(self._inner.open_session_with(names))
        return self.open_session()

    def _late(self, inner: TranscriptionSession) -> TranscriptionSession:
        late = _LateSession(inner, self._delay, self._errors)
        if isinstance(inner, PlainTranscriptionSession):
            return PlainTranscriptionSession(late.transcribe)
        return late


class _LateSession:
    """A session of another, each transcript of which is held back."""

    def __init__(self, inner: TranscriptionSession, delay: float, errors: float) -> None:
        self._inner = inner
        self._delay, self._errors = delay, errors
        self.detects_turns = inner.detects_turns

    @property
    def so_far(self) -> str:
        """Nothing: what is heard is known only in the end, as of a slow one."""
        return ""

    @property
    def certainty(self) -> Certainty:
        """What the other says of its transcript."""
        inner = self._inner
        return inner.certainty if isinstance(inner, CertainTranscription) else UNTOLD

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        """Return what was said, late."""
        text = await self._inner.transcribe(speech)
        await asyncio.sleep(self._delay)
        return misheard(text, self._errors)

    async def turn_over(self) -> bool:
        """Return whether the utterance was all, as late as its transcript."""
        over = await self._inner.turn_over()
        await asyncio.sleep(self._delay)
        return over

    async def aclose(self) -> None:
        """Close the other."""
        await self._inner.aclose()


def misheard(text: str, errors: float) -> str:
    """Return a text with a share of its words left out or said twice; the same each time."""
    chance = random.Random(text)  # noqa: S311 - mistakes, no secret
    kept: list[str] = []
    for word in text.split():
        if chance.random() >= errors:
            kept.append(word)
        elif chance.random() < 0.5:
            kept += [word, word]
    return " ".join(kept)
