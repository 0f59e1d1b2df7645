"""Language models that are no good."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from pipelines.conversation import Brief, Message
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece, ProviderError


class LanguageModel(scripted.LanguageModel):
    """Has a bug, which one prompt brings out."""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Break, or answer."""
        if "Break" in brief.prompt:
            raise ZeroDivisionError
        async for piece in super().reply(brief, conversation):
            yield piece


class NeverStarted(scripted.LanguageModel):
    """Has no key."""

    async def start(self) -> None:
        """Fail."""
        raise ProviderError("llm", "no key")
