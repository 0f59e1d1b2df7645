"""The first seconds of a call that we placed: is it somebody who has answered, or a machine?

Before its conversation begins, a call may be screened: :meth:`Screening.listen` takes what its line
carries, and says how the call goes on. These take part, each told things and answering:

- the listener and its voice detector: speech and silence, in audio time
- :func:`~pipelines.turn_taking.answerer.verdict`: who is it, by that and by the words?
- :class:`~pipelines.listening.beep.BeepDetector`: when a machine begins to record
- speech-to-text of the call, in the background: whoever waits for words is greeted without them

What a person has said until then stands in the record and the conversation, once it is understood;
they are greeted at once, with the greeting, which the call has spoken meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from agent.call.clock import CallClock
from agent.call.ending import CallEnded
from agent.call.history import History
from agent.call.reply import Announcement
from agent.call.turn_record import Journal
from agent.personas.machine_words import example, tells_of_a_machine
from agent.personas.script import Script
from agent.stream.channel import Channel
from pipelines.audio import Audio, silence
from pipelines.background import BackgroundTasks
from pipelines.clock import now
from pipelines.listening import speech_events as speech
from pipelines.listening.beep import BeepDetector
from pipelines.listening.caller_frames import CallerFrame, LineFrames
from pipelines.listening.detectors import VoiceDetector
from pipelines.listening.listener import KeysPressed, Listener
from pipelines.listening.settings import GateSettings
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import ProviderError
from pipelines.stages.stt import FailoverTranscriber
from pipelines.turn_taking.answerer import (
    A_WORD,
    AnswererVerdict,
    HeardSoFar,
    Told,
    says_machine,
    verdict,
)

log = structlog.get_logger()

A_MACHINE = "an answering machine answered"
"""Why a call has ended on which a machine was hung up."""

STALLED = 0.5
"""Seconds without a frame after which the line counts as silent."""

NO_BEEP = 3.0
"""Seconds of silence after a machine's greeting in which its beep would have come."""

GREETS_FOR = 45.0
"""Seconds of a machine's greeting after which the message is left all the same."""

PAUSE = 0.25
"""Seconds of silence after which what was said is transcribed: words, and not syllables."""

STILL_LOOKS = 30.0
"""Seconds after a verdict in which words may show that it was a machine after all."""


_TOLD: Mapping[str, Told] = {told: told for told in ("human", "machine", "beep", "unknown")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Screens:
    """How a call is screened."""

    machine: Literal["hangup", "message"]
    """What to do when a machine has answered."""

    message: str = ""
    """What is left on it."""


class Screening:
    """Finds out who has answered one call. Close it in the end.

    Args:
        screens: What is to be done about a machine.
        script: The agent file of the call.
        detector: Of this screening alone: it has heard nothing yet.
        transcriber: The same; it is closed with this.
        on_machine: Awaited before the call is hung up on a machine, which has to be known by then.
    """

    def __init__(
        self,
        screens: Screens,
        script: Script,
        detector: VoiceDetector,
        transcriber: FailoverTranscriber,
        on_machine: Callable[[], Awaitable[None]],
    ) -> None:
        self._screens = screens
        self._script = script
        self._detector = detector
        self._transcriber = transcriber
        self._on_machine = on_machine
        self._background = BackgroundTasks()
        self._beeps = BeepDetector()
        self._beeped = False
        self._said: list[str] = []
        self._saying: Utterance | None = None
        self._platform: Told = ""
        self._found: AnswererVerdict | None = None
        self._found_at = 0.0
        self._clock: CallClock | None = None
        self._end: Callable[[CallEnded], None] = _nobody

    async def aclose(self) -> None:
        """Stop transcribing."""
        await self._background.aclose()
        await self._transcriber.aclose()

    def watching(self, journal: Journal) -> Journal:
        """Return what passes on to ``journal``, and looks at what comes to stand in it.

        That is what the platform has found out, which counts while it is open who it is; and what
        the caller is understood to say: a machine that begins like a person is found out so, by
        "Hello?", a pause, and then the rest.
        """
        return _Watched(journal, self)

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Look at a line of the record."""
        if kind == "screened" and fields.get("by") == "platform" and "why" not in fields:
            self._platform = _TOLD.get(str(fields.get("answerer")), "")
        elif kind in ("understood", "caller", "backchannel"):
            self._overhear(str(fields.get("text", "")))

    def attach(self, end: Callable[[CallEnded], None]) -> None:
        """Have ``end`` called, if a machine that is to be hung up on is found out late."""
        self._end = end

    def _overhear(self, text: str) -> None:
        """Look at words that came after the verdict."""
        found, language = self._found, self._script.brief.language
        if found is None or found.answerer == "machine" or now() - self._found_at > STILL_LOOKS:
            return
        if not says_machine(text, language):
            return
        self._found = AnswererVerdict("machine", "words")
        log.info("screened", answerer="machine", why="words", late=True)
        if self._screens.machine == "hangup":
            self._background.start(self._hang_up(), "hanging up on a machine")
        elif self._clock is not None:
            self._clock.announce(Announcement(text=self._screens.message, hang_up=True))

    async def listen(
        self, channel: Channel, clock: CallClock, history: History
    ) -> Script | CallEnded:
        """Hear whoever has answered, until it is known who they are; return how the call goes on.

        That is the script by which they are greeted, or which leaves the message; or the end of the
        call. Cancelling is safe.

        Raises:
            LineError: If the line broke.
        """
        listener = Listener(
            channel.rate,
            self._detector,
            GateSettings(pause_after=PAUSE, end_after=5.0),
            channel.echo,
        )
        self._clock, line, seconds = clock, LineFrames(channel.rate), 0.0
        async with aclosing(_heard(channel, clock)) as pieces:
            async for pcm in pieces:
                seconds += Audio(pcm, channel.rate).seconds
                for frame in line.feed(pcm):
                    self._look_for_beep(frame, history)
                for event in listener.feed(pcm):
                    self._follow(event, listener, history)
                if self._found is None:
                    self._judge(seconds, listener, history)
                if self._found is not None and self._is_ready(listener):
                    return await self._opening(self._found)
        return CallEnded("the caller hung up", "caller")

    def _look_for_beep(self, frame: CallerFrame, history: History) -> None:
        if (beep := self._beeps.feed(frame)) is not None:
            self._beeped = True
            history.record.note("beep", hertz=beep.hertz, seconds=beep.seconds)

    def _follow(
        self, event: speech.SpeechEvent | KeysPressed, listener: Listener, history: History
    ) -> None:
        """Have what is said transcribed, from pause to pause."""
        match event:
            case speech.SpeechStarted(audio) | speech.SpeechContinued(audio):
                if self._saying is None and isinstance(event, speech.SpeechStarted):
                    self._begin(listener.spoken, history)
                if self._saying is not None:
                    self._saying.add(audio, listener.silent)
            case speech.SpeechResumed():
                self._begin(0.0, history)
            case speech.SpeechPaused() | speech.SpeechEnded() if self._saying is not None:
                self._saying.close()
                self._saying = None
                if listener.spoken < A_WORD:
                    listener.end_speech()  # a click

    def _begin(self, spoken: float, history: History) -> None:
        self._saying = Utterance(began=now() - spoken)
        work = self._transcribe(self._saying, history)
        self._background.start(work, "transcribing who has answered")

    async def _transcribe(self, utterance: Utterance, history: History) -> None:
        try:
            text = (await self._transcriber.transcribe(utterance)).text
        except ProviderError:
            return  # timing decides alone
        self._said.append(text)
        if text:
            history.caller_greeted(text, utterance.began, utterance.until)

    def _judge(self, at: float, listener: Listener, history: History) -> None:
        spoken = listener.spoken if listener.in_speech else 0.0
        heard = HeardSoFar(
            at=at,
            spoken=spoken,
            silent=listener.silent,
            text=self._text,
            beeped=self._beeped,
            tone=self._beeps.sounding,
            platform=self._platform,
        )
        found = verdict(heard, self._script.brief.language)
        if found is not None:
            self._decide(found, at, history)

    @property
    def _text(self) -> str:
        so_far = self._transcriber.so_far if self._saying is not None else ""
        return " ".join([*self._said, so_far]).strip()

    def _decide(self, found: AnswererVerdict, at: float, history: History) -> None:
        self._found, self._found_at = found, now()
        by = "platform" if found.why == "platform" else "ears"
        history.record.note(
            "screened", by=by, answerer=found.answerer, why=found.why, seconds=round(at, 2)
        )
        log.info("screened", answerer=found.answerer, why=found.why)

    def _is_ready(self, listener: Listener) -> bool:
        """Return whether the call may go on: a machine records now, if it is to record anything."""
        if self._found is None or self._found.answerer != "machine":
            return True
        if self._screens.machine == "hangup" or self._beeped:
            return True
        waited = now() - self._found_at
        quiet = listener.silent if listener.in_speech else waited
        return min(quiet, waited) >= NO_BEEP or waited >= GREETS_FOR

    async def _hang_up(self) -> None:
        await self._on_machine()
        self._end(CallEnded(A_MACHINE, "agent"))

    async def _opening(self, found: AnswererVerdict) -> Script | CallEnded:
        if found.answerer != "machine":
            return self._script
        if self._screens.machine == "hangup":
            await self._on_machine()
            return CallEnded(A_MACHINE, "agent")
        return message_script(self._script, self._screens.message)


@dataclass(slots=True)
class _Watched:
    """A journal whose lines the screening of its call looks at, until others are on the line.

    A machine that is heard then may be theirs.
    """

    journal: Journal
    screening: Screening
    alone: bool = True

    def add(self, kind: str, **fields: object) -> None:
        self.journal.add(kind, **fields)
        self.alone = self.alone and kind != "party"
        if self.alone:
            self.screening.note(kind, fields)


async def _heard(channel: Channel, clock: CallClock) -> AsyncGenerator[bytes, None]:
    """Yield what the line carries, silence where it carries nothing, until the far end hangs up."""
    while True:
        try:
            async with asyncio.timeout(STALLED):
                pcm = await channel.receive()
        except TimeoutError:
            yield silence(STALLED, channel.rate)
            continue
        if pcm is None:
            return
        await channel.flush()
        if pcm:
            clock.audio_came(now())
            yield pcm


def _nobody(_ended: CallEnded) -> None: ...


def message_script(script: Script, message: str) -> Script:
    """Return what leaves ``message`` on a machine, and hangs up.

    Whoever picks up while it is said stops it, and is talked to. Where the greeting, which is not
    said then, should have told that a machine talks, the message has to; if it does not seem to, a
    sentence that does comes before it.
    """
    disclosure, language = script.disclosure, script.brief.language
    if script.greeting_discloses and not tells_of_a_machine(message, language):
        disclosure = example(language)
    return replace(
        script,
        greeting=message,
        greeting_discloses=script.greeting_discloses and not disclosure,
        disclosure=disclosure,
        hang_up_after_greeting=True,
        recording_consent="",
    )
