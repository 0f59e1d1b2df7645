"""The outgoing half of a call: replies as audio, paced and held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from agent.call.clock import TICK
from agent.call.fillers import Fillers
from agent.call.history import History
from agent.call.reply import Reply
from agent.stream.channel import Channel
from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.listening import dtmf
from pipelines.reply.line_rate import at_line_rate
from pipelines.reply.look_ahead import Steps
from pipelines.reply.steps import PressKeys, SentenceEnded, SentenceStarted, Step, ToolsStarted
from pipelines.stages.stt import Heard

HANG_UP_MARGIN = 0.4
"""Seconds to wait after the last word by our ledger: the platform plays it a network delay and a
jitter buffer later, and closing the socket cuts it off."""


class Speaker:
    """Play replies to one caller.

    Args:
        channel: Where to.
        fillers: Said while a reply is late.
        rewind_after: Seconds of hold after which a sentence begins again.
        history: Told when a reply begins to sound, since what it answers was said for good then,
            and when one goes on.
    """

    def __init__(
        self, channel: Channel, fillers: Fillers, rewind_after: float, history: History
    ) -> None:
        self._channel = channel
        self._fillers = fillers
        self._rewind_after = rewind_after
        self._history = history

    def hold(self, reply: Reply) -> None:
        """Stop speaking; what was not heard is kept, to be sent again."""
        at = now()
        reply.going.clear()
        reply.held_at = at
        if reply.playout.left(at):
            self._channel.clear()
        reply.playout.hold(at)

    def resume(self, reply: Reply, why: Mapping[str, object]) -> None:
        """Go on where the caller stopped hearing it; after a long hold, with its sentence anew.

        Args:
            reply: It.
            why: For the record.
        """
        at = now()
        held = at - reply.held_at
        if held > self._rewind_after:
            reply.playout.rewind()
        reply.quiet_since = at
        reply.going.set()
        self._history.record.note("resumed", reply, after=round(held, 3), **why)

    async def play(self, reply: Reply, steps: Steps) -> AsyncGenerator[Heard, None]:
        """Prepare a reply, and send it once released; return when all has been sent.

        Yields what the caller turned out to say, as soon as it is known.

        Raises:
            ProviderError: If it broke off.
            LineError: If the line is dead.
        """
        playout, speaking = reply.playout, False
        async with aclosing(at_line_rate(steps, self._channel.rate)) as source:
            while (step := await self._next(reply, source, fill=not speaking)) is not None:
                match step:
                    case Heard():
                        yield step
                    case SentenceEnded():
                        playout.finish()
                        speaking = False
                    case Audio():
                        speaking = True
                        reply.passed("first_audio")
                        playout.put(step)
                        await self._send_pending(reply)
                    case PressKeys(keys):
                        # Tones, as a telephone does it: the stream has no other way.
                        pressed = Audio(dtmf.tones(keys, self._channel.rate), self._channel.rate)
                        playout.interject(f"(pressed {keys})", pressed)
                        await self._send_pending(reply)
                    case _:
                        if isinstance(step, ToolsStarted):
                            self._history.record.asked(reply, step.calls)
                        reply.note(step)
                        if isinstance(step, SentenceStarted) and playout.pending:  # a pause
                            await self._send_pending(reply)

    async def _next(self, reply: Reply, source: Steps, *, fill: bool) -> Step | None:
        """Return the next step, None after the last; say a filler while it is late."""
        if not fill:
            return await anext(source, None)
        pull, taken = asyncio.ensure_future(anext(source, None)), False
        try:
            while True:
                await asyncio.wait([pull], timeout=TICK)
                if taken := pull.done():
                    return pull.result()
                if filler := self._fillers.put_if_due(reply, now()):
                    self._history.record.note("filler", reply, text=filler)
                    await self._send_pending(reply)
        finally:
            if not pull.done():  # the generator cannot be closed while it runs
                pull.cancel()
                await asyncio.gather(pull, return_exceptions=True)  # cancelled twice, it waits, too
            if not (taken or pull.cancelled() or pull.exception()):
                self._history.came_too_late(pull.result())

    async def _send_pending(self, reply: Reply) -> None:
        """Send what is to be sent, as fast as the lead allows, once released and while not held."""
        await reply.released.wait()
        playout = reply.playout
        while playout.pending:
            await reply.going.wait()
            if wait := playout.wait(now()):
                await asyncio.sleep(wait)
                continue  # it may be held by now
            await self._channel.flush()
            if not reply.going.is_set():
                continue  # held while a full line took the commands: nothing may follow the `clear`
            at = now()
            if reply.started_at is None:
                reply.started_at = at
                self._history.caller_said(reply)
            audio = playout.take(at)
            reply.quiet_since = at + playout.left(at)
            await self._channel.send(audio.pcm)

    async def wait_until_heard(self, reply: Reply) -> None:
        """Return when the caller has heard the last sound of it, holds and resumes included.

        Raises:
            LineError: If the line is dead.
        """
        while True:
            await self._send_pending(reply)
            if left := reply.playout.audible_left(now()) + HANG_UP_MARGIN * reply.hang_up:
                await asyncio.sleep(left)
            await reply.going.wait()
            if not reply.playout.pending and not reply.playout.audible_left(now()):
                return
