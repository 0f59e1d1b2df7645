"""Sentences as audio, as voices give it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from pipelines.audio import Audio
from pipelines.reply.look_ahead import Sentences, one_sentence_ahead
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
    here = request.lineup.voice_is_here()  # one that shares its cores with what is heard
    return one_sentence_ahead(_each(request, sentences), request.released, whole=here)


async def _each(request: ReplyRequest, sentences: AsyncGenerator[str, None]) -> Sentences:
    async with aclosing(sentences):
        async for sentence in sentences:
            if words := speakable(sentence, request.brief.language, request.brief.pronounce):
                yield _sentence(request, sentence, words)


async def _sentence(request: ReplyRequest, text: str, words: str) -> AsyncGenerator[Step, None]:
    yield SentenceStarted(text, len(words_of(words)))
    with suppress(EndlessError):
        async with aclosing(request.lineup.tts.speak(words, request.rate)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Audio):
                    request.spent.audio += piece.seconds
                yield piece
    yield SentenceEnded(text)
