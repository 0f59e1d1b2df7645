"""Sentences as audio, at the rate of the line."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from pipelines.audio import Audio, Chunker, Resampler, frame_bytes
from pipelines.reply.request import ReplyRequest
from pipelines.reply.steps import SentenceEnded, SentenceStarted, Step
from pipelines.stages.tts import EndlessError
from pipelines.text.speakable import speakable
from pipelines.text.words import words as words_of


async def say(
    request: ReplyRequest, sentences: AsyncGenerator[str, None]
) -> AsyncGenerator[Step, None]:
    """Speak sentence by sentence, as they come; skip what nobody can read out.

    Raises:
        ProviderError: If the text broke off or could not be spoken.
    """
    brief = request.brief
    async with aclosing(sentences):
        async for sentence in sentences:
            words = speakable(sentence, brief.language, brief.pronounce)
            if not words:
                continue
            yield SentenceStarted(sentence, len(words_of(words)))
            voice = request.lineup.tts.speak(words, request.rate)
            with suppress(EndlessError):
                async with aclosing(voice) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Audio):
                            request.spent.audio += piece.seconds
                        yield piece
            yield SentenceEnded(sentence)


async def at_line_rate(steps: AsyncGenerator[Step, None], rate: int) -> AsyncGenerator[Step, None]:
    """Yield ``steps`` with their audio at ``rate`` hertz, in whole 20 ms frames, several at a time.

    The resampler runs through from one sentence to the next; the last frame is filled up with
    silence.
    """
    frames = Chunker(frame_bytes(rate))
    resampler: Resampler | None = None
    source = 0
    async with aclosing(steps):
        async for step in steps:
            if not isinstance(step, Audio):
                yield step
                continue
            tail = b""
            if resampler is None or source != step.rate:
                tail = resampler.flush() if resampler else b""
                resampler, source = Resampler(step.rate, rate), step.rate
            if whole := b"".join(frames.feed(tail + resampler.feed(step.pcm))):
                yield Audio(whole, rate)
    if resampler and (rest := b"".join(frames.feed(resampler.flush())) + frames.flush()):
        yield Audio(rest, rate)
