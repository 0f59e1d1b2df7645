"""Sentences as audio, as voices give it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from pipelines.audio import Audio
from pipelines.reply.look_ahead import one_sentence_ahead
from pipelines.reply.request import ReplyRequest
from pipelines.reply.steps import SentenceEnded, SentenceStarted, Step
from pipelines.stages.tts import EndlessError
from pipelines.text.speakable import speakable
from pipelines.text.words import words as words_of


def say(request: ReplyRequest, sentences: AsyncGenerator[str, None]) -> AsyncGenerator[Step, None]:
    """Speak sentence by sentence, the next while one is heard; skip what nobody can read out.

    Raises:
        ProviderError: If the text broke off or could not be spoken, after what came before that.
    """
    return one_sentence_ahead(_spoken(request, sentences), request.released)


async def _spoken(
    request: ReplyRequest, sentences: AsyncGenerator[str, None]
) -> AsyncGenerator[Step, None]:
    brief = request.brief
    async with aclosing(sentences):
        async for sentence in sentences:
            words = speakable(sentence, brief.language, brief.pronounce)
            if not words:
                continue
            yield SentenceStarted(sentence, len(words_of(words)))
            with suppress(EndlessError):
                async with aclosing(request.lineup.tts.speak(words, request.rate)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Audio):
                            request.spent.audio += piece.seconds
                        yield piece
            yield SentenceEnded(sentence)
