"""Audio of any rate as whole frames, at the rate of the line."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pipelines.audio import Audio, Chunker, Resampler, frame_bytes
from pipelines.reply.steps import Step


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
