"""The adapter: a language model that answers from the brief alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import structlog

from pipelines.conversation import (
    GO_ON,
    Brief,
    Message,
    ToolCall,
)
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.lookup.answers import Thresholds
from pipelines.providers.lookup.languages import LANGUAGES
from pipelines.providers.lookup.reply import ReplyRules
from pipelines.text.sentences import SentenceCutter

log = structlog.get_logger()

_REMEMBERED = 40
"""Messages looked back on; more only matters to a caller who keeps asking to repeat."""


class LanguageModel:
    """Answer from the brief alone; see :mod:`pipelines.providers.lookup` for how."""

    Options = Thresholds

    follows_whispers = False

    def __init__(self, options: Thresholds) -> None:
        self._thresholds = options

    async def start(self) -> None:
        """Say in the log what this is: whoever runs it may not have chosen it."""
        log.warning("answers come from the agent file; this is not a language model")

    async def warm(self) -> None:
        """Be ready already."""

    async def aclose(self) -> None:
        """Nothing is held."""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the reply sentence by sentence, each with a space after it; then a hang-up if due.

        Raises:
            ProviderError: If the brief is in a language whose sentences are not known here.
        """
        language = brief.language.partition("-")[0].lower()
        if language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise ProviderError("llm", f"lookup speaks {known}; the agent file has {language}")
        if conversation and conversation[-1].text == GO_ON:
            # Whoever broke off had said a part; what is said again of it is left out further on.
            conversation = conversation[:-2]
        rules = ReplyRules(self._thresholds, brief, LANGUAGES[language], language)
        for piece in rules.reply(conversation[-_REMEMBERED:]):
            if isinstance(piece, ToolCall):
                yield piece
            else:
                for sentence in _sentences(piece):
                    yield f"{sentence} "


def _sentences(text: str) -> list[str]:
    cutter = SentenceCutter()
    return [*cutter.feed(text), *cutter.flush()]
