"""The outgoing half of a call: replies as audio, paced and held, and the commands between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from agent.call.reply import Reply
from agent.personas.script import Script
from agent.stream.line import Line
from agent.stream.protocol import StreamProtocol
from pipelines.audio import Audio, at_rate
from pipelines.listening import dtmf
from pipelines.providers.contracts import Timing
from pipelines.reply.chain import (
    HangUp,
    Press,
    SentenceEnded,
    SentenceStarted,
    Step,
    ToolsEnded,
    ToolsStarted,
    Transfer,
    at_line_rate,
)
from pipelines.stages.phrases import Phrases
from pipelines.stages.pool import Heard
from pipelines.text.speakable import speakable

TICK = 0.1
"""Seconds between two looks at the clock: late by at most this, which no rule minds."""

HANG_UP_MARGIN = 0.4
"""Seconds to wait after the last word by our ledger: the platform plays it a network delay and a
jitter buffer later, and closing the socket cuts it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds of our silence, while the caller waits, until a filler."""

    reply: float
    tools: float
    """While a tool runs: that takes seconds, as everybody knows beforehand."""


class Speaker:
    """Play replies to one caller.

    Commands wait in an outbox and leave before any audio that is sent after them, so that whoever
    decides on them need not wait for the line.

    Args:
        line: Where to.
        protocol: Makes the commands.
        rate: Hertz on the line.
        script: Has the fillers.
        phrases: Has them as audio.
        patience: When one is said.
        on_heard: Told what the caller turned out to say.
        on_sounding: Told when a reply is about to sound.
    """

    def __init__(
        self,
        *,
        line: Line,
        protocol: StreamProtocol,
        rate: int,
        script: Script,
        phrases: Phrases,
        patience: Patience,
        on_heard: Callable[[Reply, Heard], None],
        on_sounding: Callable[[Reply], None],
    ) -> None:
        self._line = line
        self._protocol = protocol
        self._rate = rate
        self._script = script
        self._phrases = phrases
        self._patience = patience
        self._on_heard = on_heard
        self._on_sounding = on_sounding
        self._outbox: list[str] = []
        self._sent_at = _now()
        self._fillers = 0

    def hold(self, reply: Reply) -> None:
        """Stop speaking; what was not heard is kept, to be sent again."""
        now = _now()
        reply.going.clear()
        reply.held_at = now
        if reply.playout.left(now):
            self._outbox.append(self._protocol.clear())
        reply.playout.hold(now)

    def resume(self, reply: Reply, rewind_after: float) -> float:
        """Go on, from the start of the sentence after a hold that long; return its seconds."""
        now = _now()
        held = now - reply.held_at
        if held > rewind_after:
            reply.playout.rewind()
        reply.quiet_since = now
        reply.going.set()
        return held

    async def flush(self) -> None:
        """Send the commands that wait.

        Raises:
            LineError: If the line is dead.
        """
        while self._outbox:
            self._sent_at = _now()
            await self._line.send(self._outbox.pop(0))

    async def keep_alive(self, after: float) -> None:
        """Send the commands that wait, or a heartbeat if nothing was sent for so many seconds.

        Raises:
            LineError: If the line is dead.
        """
        if _now() - self._sent_at >= after:
            self._outbox.append(self._protocol.heartbeat())
        await self.flush()

    async def play(self, reply: Reply, steps: AsyncGenerator[Step, None]) -> None:
        """Prepare a reply, and send it once released; return when all has been sent.

        Raises:
            ProviderError: If it broke off.
            LineError: If the line is dead.
        """
        playout, speaking = reply.playout, False
        async with aclosing(at_line_rate(steps, self._rate)) as source:
            while (step := await self._next(reply, source, fill=not speaking)) is not None:
                match step:
                    case Heard():
                        self._on_heard(reply, step)
                    case SentenceEnded():
                        playout.finish()
                        speaking = False
                    case Audio():
                        speaking = True
                        playout.put(step)
                        await self._send_pending(reply)
                    case HangUp() | Transfer() | Press():
                        await self._do_afterwards(reply, step)
                    case _:
                        _note(reply, step)

    async def _next(
        self, reply: Reply, source: AsyncGenerator[Step, None], *, fill: bool
    ) -> Step | None:
        """Return the next step, None after the last; say a filler while it is late."""
        pull = asyncio.ensure_future(anext(source, None))
        try:
            while True:
                await asyncio.wait([pull], timeout=TICK if fill else None)
                if pull.done():
                    return pull.result()
                await self._fill(reply)
        finally:
            if not pull.done():  # the generator cannot be closed while it runs
                pull.cancel()
                await asyncio.wait([pull])

    async def _fill(self, reply: Reply) -> None:
        """Say that the answer is on its way, if the caller has waited for long enough."""
        now, playout = _now(), reply.playout
        patience = self._patience.tools if reply.using_tools else self._patience.reply
        if not reply.released.is_set() or not reply.going.is_set() or playout.left(now):
            return
        filler = reply.filler or self._filler()
        brief = self._script.brief
        words = speakable(filler, brief.language, brief.pronounce)
        audio = self._phrases.kept(words, self._rate)
        if now - reply.quiet_since < patience or not audio:
            return
        self._fillers += not reply.filler
        reply.filler, reply.using_tools = "", False  # once; then as in any other silence
        playout.begin(filler)
        playout.put(at_rate(audio, self._rate))
        playout.finish()
        await self._send_pending(reply)

    def next_filler(self) -> str:
        """Return words that bridge a silence; each time the next."""
        filler = self._filler()
        self._fillers += 1
        return filler

    def _filler(self) -> str:
        return self._script.fillers[self._fillers % len(self._script.fillers)]

    async def _do_afterwards(self, reply: Reply, step: HangUp | Transfer | Press) -> None:
        match step:
            case HangUp():
                reply.hang_up = True
            case Transfer(to):
                reply.transfer = to
            case Press(keys):
                await self._press(reply, keys)

    async def _press(self, reply: Reply, keys: str) -> None:
        """Send tones, as a telephone does; the stream has no other way."""
        reply.playout.begin(f"(pressed {keys})")
        reply.playout.put(Audio(dtmf.tones(keys, self._rate), self._rate))
        reply.playout.finish()
        await self._send_pending(reply)

    async def _send_pending(self, reply: Reply) -> None:
        """Send what is to be sent, as fast as the lead allows, once released and while not held."""
        await reply.released.wait()
        playout = reply.playout
        while playout.pending:
            await reply.going.wait()
            if wait := playout.wait(_now()):
                await asyncio.sleep(wait)
                continue  # it may be held by now
            await self._send_audio(reply)

    async def _send_audio(self, reply: Reply) -> None:
        now = _now()
        if not reply.playout.sent:
            reply.started_at = now
            self._on_sounding(reply)
        audio = reply.playout.take(now)
        reply.quiet_since = now + reply.playout.left(now)
        await self.flush()
        self._sent_at = now
        await self._line.send(audio.pcm)

    async def wait_until_heard(self, reply: Reply) -> None:
        """Return when the caller has heard all of it, holds and resumes included.

        Raises:
            LineError: If the line is dead.
        """
        while True:
            await self._send_pending(reply)
            left = reply.playout.left(_now())
            if left:
                await asyncio.sleep(left)
            await reply.going.wait()
            if not reply.playout.pending and not reply.playout.left(_now()):
                break
        if reply.hang_up:
            await asyncio.sleep(HANG_UP_MARGIN)


def _note(reply: Reply, step: SentenceStarted | Timing | ToolsStarted | ToolsEnded) -> None:
    match step:
        case SentenceStarted(sentence, words):
            reply.using_tools = False
            reply.playout.begin(sentence, words)
        case Timing(ends):
            reply.playout.time(ends)
        case ToolsStarted(filler):
            reply.using_tools, reply.filler = True, filler
        case ToolsEnded(message):
            reply.exchange.append(message)


def _now() -> float:
    return asyncio.get_running_loop().time()
