"""Language models that have something wrong with them, or are far away."""

from __future__ import annotations

import asyncio
import socket
import threading
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


class OverTheNetwork(scripted.LanguageModel):
    """Has a connection open while it answers."""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Ask far away, and wait for that."""
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        later = threading.Timer(0.1, theirs.send, [b"x"])
        later.start()
        try:
            await reader.read(1)
            async for piece in super().reply(brief, conversation):
                yield piece
        finally:
            later.join()
            theirs.close()
            writer.close()
