"""One call, from the answer to the hang-up. The only file that starts a call's tasks.

There are three: :meth:`Call.run` listens and decides, one task replies, one watches the clock. What
the caller says reaches the reply through an :class:`~pipelines.chain.Utterance`; nothing else is
queued. The rules of turn-taking are in :mod:`pipelines.turns`; here they are carried out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from agent.persona import Script
from agent.protocol import CallerAudio, Connect, Ignored, StreamProtocol
from pipelines.audio import SPEECH_RATE, Audio, Chunker, Resampler, frame_bytes
from pipelines.chain import (
    Budgets,
    HangUp,
    Heard,
    Saying,
    Step,
    Utterance,
    answer,
    in_frames,
    say,
)
from pipelines.playout import Playout
from pipelines.providers.base import Message, ProviderError, Voice
from pipelines.turns import Action, Event, State, TurnTaking
from pipelines.vad import (
    GateSettings,
    SpeechContinued,
    SpeechEnded,
    SpeechGate,
    SpeechStarted,
    VoiceDetector,
)

log = structlog.get_logger()

TICK = 0.25
"""Seconds between two looks at the clock: late by at most this, which no rule below minds."""

HANG_UP_MARGIN = 0.4
"""Seconds to wait after the last word by our ledger: the platform plays it a network delay and a
jitter buffer later, and closing the socket cuts it off."""

STALLED_AFTER = 1.0
"""Seconds without a frame until a speaking caller counts as silent: five times the longest delay
that a telephone jitter buffer hides."""

IGNORED_LOGGED = 5
"""Ignored messages that are logged one by one; the rest are counted."""


class LineError(Exception):
    """The line broke, or the far end abuses it: this call is over. Holds a reason fit for a log."""


class Line(Protocol):
    """The far end: a websocket, or something that stands in for one."""

    async def receive(self) -> str | bytes | None:
        """Return the next message; None once either side has closed.

        Raises:
            LineError: If the line broke.
        """
        ...

    async def send(self, message: str | bytes) -> None:
        """Send a message; within a deadline, so that a dead line is noticed.

        Raises:
            LineError: If it cannot be sent.
        """
        ...


class Journal(Protocol):
    """Where the transcript of a call goes."""

    def add(self, kind: str, **fields: object) -> None:
        """Keep one line. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What is the same for every call of a process. Times in seconds."""

    gate: GateSettings = field(default_factory=GateSettings)
    budgets: Budgets = field(default_factory=Budgets)
    lead: float = 1.0
    max_utterance: float = 60.0
    max_failures: int = 3
    heartbeat_after: float = 15.0
    no_audio_timeout: float = 60.0
    max_seconds: float = 3600.0


@dataclass(slots=True, kw_only=True)
class _Reply:
    """The reply in progress, and the utterance it answers."""

    playout: Playout
    utterance: Utterance | None = None
    said: str = ""
    """What the caller said, once it is known."""

    kept: bool = False
    """Whether ``said`` is in the history. It is from when the reply begins to sound."""

    hang_up: bool = False
    started_at: float = 0.0
    task: asyncio.Task[None] | None = None


class Call:
    """A conversation with one caller. Build it once the call is answered; then :meth:`run`."""

    def __init__(
        self,
        *,
        line: Line,
        protocol: StreamProtocol,
        connect: Connect,
        voice: Voice,
        script: Script,
        detector: VoiceDetector,
        journal: Journal,
        settings: CallSettings,
    ) -> None:
        self._line = line
        self._protocol = protocol
        self._rate = connect.rate
        self._voice = voice
        self._script = script
        self._detector = detector
        self._journal = journal
        self._settings = settings
        self._resampler = Resampler(connect.rate, SPEECH_RATE)
        self._frames = Chunker(frame_bytes(SPEECH_RATE))
        self._gate = SpeechGate(settings.gate, SPEECH_RATE)
        self._turns = TurnTaking()
        self._utterance = Utterance()
        self._unanswered: list[Audio] = []  # said, but nothing of a reply has sounded
        self._reply: _Reply | None = None
        self._inbound = asyncio.Lock()  # a frame is dealt with before the next is looked at
        self._failures = 0  # replies lost in a row
        self._ignored = 0
        self._began = self._sent_at = self._audio_at = 0.0
        self._ending = ""
        self.conversation: list[Message] = []

    async def run(self) -> str:
        """Talk until either side hangs up; return why the call ended, fit for a log.

        Cancelling is safe. On return nothing of the call runs any more; the socket is still open,
        and the caller of this method closes it.

        Raises:
            ExceptionGroup: If there is a bug.
        """
        self._began = self._sent_at = self._audio_at = self._now()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                watch = self._tasks.create_task(self._watch())
                try:
                    await self._converse()
                finally:
                    watch.cancel()
                    if self._reply is not None:
                        self._keep_said(self._reply)
                    self._drop_reply()
        finally:
            self._journal.add("ended", at=self._at(), reason=self._ending or "failed")
        return self._ending

    def end(self, reason: str) -> None:
        """Make :meth:`run` return soon. Only the first reason counts."""
        if not self._ending:
            self._ending = reason
            self._until.reschedule(self._now())

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(None) as self._until:
                await self._happened(Event.ANSWERED)
                while (message := await self._line.receive()) is not None:
                    await self._receive(message)
                self._ending = "the caller hung up"
        except TimeoutError:
            if not self._ending:
                raise
        except LineError as error:
            self._ending = str(error)

    # From the caller

    async def _receive(self, message: str | bytes) -> None:
        match self._protocol.receive(message):
            case CallerAudio(pcm):
                self._audio_at = self._now()
                async with self._inbound:
                    await self._listen(pcm)
            case Ignored(reason):
                self._ignored += 1
                if self._ignored <= IGNORED_LOGGED:
                    log.warning("message ignored", reason=reason)

    async def _listen(self, pcm: bytes) -> None:
        for frame in self._frames.feed(self._resampler.feed(pcm)):
            for event in self._gate.feed(frame, self._detector.voiced(frame)):
                match event:
                    case SpeechStarted(audio):
                        await self._happened(Event.SPEECH_STARTED)
                        self._utterance.add(audio)
                    case SpeechContinued(audio):
                        await self._continue_utterance(audio)
                    case SpeechEnded():
                        await self._happened(Event.SPEECH_ENDED)

    async def _continue_utterance(self, audio: Audio) -> None:
        if self._turns.state is not State.HEARING:
            return  # an utterance closed for its length; the caller is being answered
        self._utterance.add(audio)
        if self._utterance.seconds >= self._settings.max_utterance:
            log.info("utterance closed for its length")
            await self._happened(Event.SPEECH_ENDED)

    # Turn-taking

    async def _happened(self, event: Event) -> None:
        for action in self._turns.handle(event):
            match action:
                case Action.GREET:
                    steps = say(self._voice, _once(self._script.greeting), self._settings.budgets)
                    self._start_reply(steps, None)
                case Action.OPEN_UTTERANCE:
                    self._utterance = Utterance(before=self._unanswered)
                    self._unanswered = []
                    self._start_reply(self._answer(self._utterance), self._utterance)
                case Action.CLOSE_UTTERANCE:
                    self._utterance.close()
                case Action.INTERRUPT:
                    await self._interrupt()
                case Action.HANG_UP:
                    self.end("the agent hung up")

    def _answer(self, utterance: Utterance) -> AsyncGenerator[Step, None]:
        brief, budgets = self._script.brief, self._settings.budgets
        return answer(self._voice, brief, self.conversation, utterance, budgets)

    async def _interrupt(self) -> None:
        sounding = self._drop_reply()
        if sounding:
            await self._send(self._protocol.clear())

    def _drop_reply(self) -> bool:
        """Cancel the reply and keep what was heard; return whether it could still be heard.

        Nothing of the reply is sent once this returns. What the caller said before a reply that
        did not get to sound is kept for the next: they are simply still speaking.
        """
        reply, self._reply = self._reply, None
        if reply is None or reply.task is None:
            return False
        reply.task.cancel()
        if reply.utterance is not None and not reply.playout.sent:
            if reply.utterance.seconds < self._settings.max_utterance:
                self._unanswered = reply.utterance.audio
            else:
                self._keep_said(reply)
        left = reply.playout.left(self._now())
        self._keep_reply(reply, cut_off=True)
        return left > 0

    # To the caller

    def _start_reply(self, steps: AsyncGenerator[Step, None], utterance: Utterance | None) -> None:
        reply = _Reply(playout=Playout(self._settings.lead), utterance=utterance)
        reply.task = self._tasks.create_task(self._take_turn(reply, steps))
        self._reply = reply

    async def _take_turn(self, reply: _Reply, steps: AsyncGenerator[Step, None]) -> None:
        try:
            await self._speak(reply, steps)
        except LineError as error:
            self.end(str(error))
            return
        self._reply = None
        self._keep_said(reply)
        self._keep_reply(reply, cut_off=False)
        await self._happened(Event.GOODBYE_ENDED if reply.hang_up else Event.REPLY_ENDED)

    async def _speak(self, reply: _Reply, steps: AsyncGenerator[Step, None]) -> None:
        """Play ``steps`` until the caller has heard them; apologise if a provider fails."""
        try:
            await self._play(reply, steps)
            self._failures = 0
        except ProviderError as error:
            self._note_failure(reply, error)
            if reply.utterance is not None:
                await reply.utterance.wait_closed()
            if error.stage != "tts":
                await self._apologise(reply)
        await asyncio.sleep(reply.playout.left(self._now()))
        if reply.hang_up:
            await asyncio.sleep(HANG_UP_MARGIN)

    async def _apologise(self, reply: _Reply) -> None:
        apology = say(self._voice, _once(self._script.apology), self._settings.budgets)
        try:
            await self._play(reply, apology)
        except ProviderError as error:
            self._note_failure(reply, error)

    def _note_failure(self, reply: _Reply, error: ProviderError) -> None:
        self._failures += 1
        log.warning("reply lost", stage=error.stage, error=str(error), in_a_row=self._failures)
        self._journal.add("failed", at=self._at(), stage=error.stage)
        reply.hang_up = reply.hang_up or self._failures >= self._settings.max_failures

    async def _play(self, reply: _Reply, steps: AsyncGenerator[Step, None]) -> None:
        playout = reply.playout
        async with aclosing(in_frames(steps, self._rate)) as frames:
            async for step in frames:
                match step:
                    case Heard(text):
                        reply.said = text
                    case Saying(sentence):
                        playout.begin(sentence)
                    case HangUp():
                        reply.hang_up = True
                    case Audio():
                        if wait := playout.wait(self._now()):
                            await asyncio.sleep(wait)
                        await self._send_audio(reply, step)
        playout.finish()

    async def _send_audio(self, reply: _Reply, audio: Audio) -> None:
        now = self._now()
        if not reply.playout.sent:
            reply.started_at = now
            self._keep_said(reply)
        reply.playout.add(audio.seconds, now)
        await self._send(audio.pcm)

    async def _send(self, message: str | bytes) -> None:
        self._sent_at = self._now()
        await self._line.send(message)

    # What is kept

    def _keep_said(self, reply: _Reply) -> None:
        if reply.said and not reply.kept:
            reply.kept = True
            self.conversation.append(Message("user", reply.said))
            self._journal.add("caller", at=self._at(), text=reply.said)

    def _keep_reply(self, reply: _Reply, *, cut_off: bool) -> None:
        """Add to history and transcript what the caller has heard, no word more."""
        if heard := reply.playout.heard(self._now()):
            self.conversation.append(Message("assistant", heard))
            began = round(reply.started_at - self._began, 3)
            self._journal.add("agent", at=began, text=heard, cut_off=cut_off)
        if reply.playout.gaps:
            log.warning("the reply was heard with gaps", gaps=reply.playout.gaps)

    # The clock

    async def _watch(self) -> None:
        settings = self._settings
        while not self._ending:
            await asyncio.sleep(TICK)
            now = self._now()
            silent = now - self._audio_at
            if self._turns.state is State.HEARING and silent >= STALLED_AFTER:
                # A caller leg that stops sending is silent; the gate counts audio, so tell it.
                async with self._inbound:
                    await self._listen(bytes(2 * int(self._rate * settings.gate.end_after)))
            if silent >= settings.no_audio_timeout:
                self.end("no audio from the caller")
            elif now - self._began >= settings.max_seconds:
                self.end("the call was too long")
            elif now - self._sent_at >= settings.heartbeat_after:
                await self._heartbeat()

    async def _heartbeat(self) -> None:
        try:
            await self._send(self._protocol.heartbeat())
        except LineError as error:
            self.end(str(error))

    def _at(self) -> float:
        """Seconds since the answer."""
        return round(self._now() - self._began, 3)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def _once(text: str) -> AsyncGenerator[str, None]:
    yield text
