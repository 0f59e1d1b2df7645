"""Language models that say one sentence whatever they are asked, for :mod:`tests.benchmarks.party`.

They differ in what they do with a turn of which the rules cannot tell whether it is said to the
agent: they bound what any real model makes of a line.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from pipelines.conversation import STAY_SILENT, Brief, Message, ToolCall
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece

SENTENCE = "Yes, that can be done."


class Answering:
    """Answers all that it is left."""

    Options = scripted.LanguageModelOptions

    def __init__(self, _options: scripted.LanguageModelOptions) -> None: ...

    async def start(self) -> None:
        """Be ready."""

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Hold nothing."""

    async def reply(
        self, _brief: Brief, _conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the sentence."""
        yield SENTENCE


class Silent(Answering):
    """Stays silent wherever it may."""

    async def reply(
        self, brief: Brief, _conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the sentence, or that there is none."""
        yield ToolCall(STAY_SILENT) if brief.may_stay_silent else SENTENCE


class Untold(Answering):
    """Does nothing that it is told, as the lookup stage: so it is left nothing, by rule."""

    follows_whispers = False


MODELS = {"answers": Answering, "silent": Silent, "rules": Untold}
"""By the option of the benchmark."""
