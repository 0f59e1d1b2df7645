"""Before a call that we placed has a conversation: is it somebody who has answered, or a machine?

A call may be screened: :meth:`Screening.listen` takes what its line carries, and says how the call
goes on. These take part, each told things and answering:

- the listener and its voice detector: speech and silence, in audio time
- :func:`~pipelines.turn_taking.answerer.verdict`: who is it, by that and by the words? And
  :func:`~pipelines.turn_taking.answerer.verdict_on_hold`, while we wait for somebody else
- :class:`~pipelines.listening.beep.BeepDetector`: when a machine begins to record
- :class:`~agent.call.first_words.FirstWords`: speech-to-text, in the background: whoever waits for
  words is greeted without them

What a person has said until then stands in the record and the conversation, once it is understood;
they are greeted at once, with the greeting, which the call has spoken meanwhile. A call screener is
told who calls, and then the call listens again for whoever comes. So it does once the words of its
conversation show that it has greeted a machine (:meth:`Screening.tells`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Literal

import structlog

from agent.call.clock import CallClock
from agent.call.ending import CallEnded
from agent.call.first_words import Beeps, FirstSounds, FirstWords
from agent.call.history import History
from agent.call.own_words import introduction_script, message_script, silent_script
from agent.call.reply import Reply
from agent.call.turn_record import Journal
from agent.personas.script import Script
from agent.records.events import A_MACHINE
from agent.stream.channel import Channel
from pipelines.audio import Audio, silence
from pipelines.clock import now
from pipelines.listening.detectors import VoiceDetector
from pipelines.listening.listener import KeysPressed
from pipelines.stages.stt import FailoverTranscriber
from pipelines.turn_taking.answerer import (
    OPENS,
    AnswererVerdict,
    HeardSoFar,
    Told,
    asks_for_message,
    says_machine,
    says_screener,
    verdict,
    verdict_on_hold,
)

log = structlog.get_logger()

A_SCREENER = "a call screener answered"
"""Why a call has ended on which a screener was hung up, for the agent file has no word for it."""

STALLED = 0.5
"""Seconds without a frame after which the line counts as silent."""

NO_BEEP = 3.0
"""Seconds of silence after a machine's greeting in which its beep would have come."""

GREETS_FOR = 45.0
"""Seconds of a machine's greeting after which the message is left all the same."""

STILL_LOOKS = 30.0
"""Seconds after a verdict in which words may show that it was a machine after all."""

BEEPED_BEFORE = 4.0
"""Seconds that a beep may be over when words of the conversation are understood, and tell of it."""

ASKED = 1.2
"""Seconds of silence after which a screener has asked; lost packets cut holes that are shorter."""

RINGS_FOR = 60.0
"""Seconds for which a screener may ring whoever was called; telephones ring for less."""

MOST_ASKED = 2
"""Times that a screener is told who calls; if it asks again, it does not understand us."""


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
        self._language = script.brief.language
        self._detector = detector
        self._words = FirstWords(transcriber)
        self._on_machine = on_machine
        self._beeps = Beeps()
        self._platform: Told = ""
        self._found: AnswererVerdict | None = None
        self._began, self._found_at = inf, 0.0
        self._introduced = 0
        self._on_hold = False  # a screener has heard who calls
        self._alone = True

    async def aclose(self) -> None:
        """Stop transcribing."""
        await self._words.aclose()

    def watching(self, journal: Journal) -> Journal:
        """Return what passes on to ``journal``, and looks at what comes to stand in it.

        That is what the platform has found out, which counts while it is open who it is; and
        whether others are on the line, one of whom may be heard then, or their machine.
        """
        return _Watched(journal, self)

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Look at a line of the record."""
        self._alone = self._alone and kind != "party"
        if kind == "screened" and fields.get("by") == "platform" and "why" not in fields:
            self._platform = _TOLD.get(str(fields.get("answerer")), "")

    def overhear(self, pcm: bytes, rate: int) -> None:
        """Take what the line carries in the conversation: a machine that was greeted may beep."""
        if now() - self._found_at <= STILL_LOOKS:
            self._beeps.feed(pcm, rate)

    def tells(self, reply: Reply, history: History) -> bool:
        """Return whether what a reply would answer shows that nobody has answered the call.

        Nothing of it is answered then, and :meth:`listen` goes on with the machine, or the
        screener. Many a machine begins like a person: "Hello?", a pause, and then the rest.
        """
        text = reply.said
        found, late = self._found, now() - self._found_at > STILL_LOOKS
        if found is None or found.answerer == "machine" or late or not self._alone:
            return False
        if history.party.passed_on_at < inf:
            return False  # whoever takes the call over hears it, too
        if says_screener(text, self._language) and self._introduced < MOST_ASKED:
            self._decide(AnswererVerdict("screener", "words"), history)
        elif says_machine(text, self._language):
            self._decide(AnswererVerdict("machine", "words"), history)
            self._beeps.since = now() - BEEPED_BEFORE
            if self._beeps.beeped:
                self._note_beep(history)
        else:
            return False
        if reply.released.is_set():
            history.caller_said(reply)
        return True

    async def listen(
        self, channel: Channel, clock: CallClock, history: History
    ) -> Script | CallEnded:
        """Hear whoever has answered, until it is known who they are; return how the call goes on.

        That is the script by which they are greeted, or which leaves the message, or tells a call
        screener who calls, or says nothing, if somebody else takes the call over meanwhile; or the
        end of the call. Cancelling is safe. It is to be called again once a screener was told, and
        when :meth:`tells` says so.

        Raises:
            LineError: If the line broke.
        """
        ears = FirstSounds(channel, self._detector)
        self._begin()
        clock.start_over()
        if self._found is not None:
            history.start_over()
        try:
            async with aclosing(_heard(channel, clock)) as pieces:
                async for pcm in pieces:
                    if history.party.passed_on_at < inf:
                        return silent_script(self._script)
                    self._take(pcm, ears, channel.rate, history)
                    self._judge(ears, history)
                    if self._found is not None and self._is_ready(ears):
                        return await self._opening(self._found)
        finally:
            self._words.stop()
        return CallEnded("the caller hung up", "caller")

    def _begin(self) -> None:
        self._began = min(self._began, now())
        if self._on_hold:
            self._beeps.since = now()
        self._words.forget()

    def _take(self, pcm: bytes, ears: FirstSounds, rate: int, history: History) -> None:
        if self._beeps.feed(pcm, rate):
            self._note_beep(history)
        for event in ears.listener.feed(pcm):
            if isinstance(event, KeysPressed) and history.pressed.act_on(event.keys):
                self._decide(AnswererVerdict("human", "key"), history)
            self._words.follow(event, ears.listener, partial(self._understood, history))
        ears.passed(Audio(pcm, rate).seconds)

    def _note_beep(self, history: History) -> None:
        if (beep := self._beeps.last) is not None:
            history.record.note("beep", hertz=beep.hertz, seconds=beep.seconds)

    @property
    def _is_machine(self) -> bool:
        """Whether it is one, or a screener that is treated as one."""
        who = "" if self._found is None else self._found.answerer
        return who == "machine" or (who == "screener" and not self._script.screener)

    def _understood(self, history: History, text: str, began: float, until: float) -> None:
        """Put words on record; those of a machine are no part of the conversation."""
        human = self._found is None or self._found.answerer in ("human", "unknown")
        history.caller_greeted(text, began, until, answers=human)

    def _judge(self, ears: FirstSounds, history: History) -> None:
        text, to_come = self._words.text, self._words.to_come
        heard = HeardSoFar(
            at=ears.seconds,
            spoken=ears.spoken(text),
            silent=ears.silent,
            text=text,
            beeped=self._beeps.beeped,
            tone=self._beeps.sounding,
            platform=self._platform,
            words_to_come=to_come,
        )
        if self._found is not None:
            self._judge_on_hold(heard, ears, history)
        else:
            matter = bool(self._script.screener) and (to_come or not text)
            found = verdict(replace(heard, words_to_come=matter), self._language)
            if found is not None:
                self._decide(found, history)

    def _judge_on_hold(self, heard: HeardSoFar, ears: FirstSounds, history: History) -> None:
        """Look whether somebody else is there now than a machine, or a screener."""
        machine = self._is_machine
        if not (machine or self._on_hold):  # a screener that asks
            if asks_for_message(heard.text, self._language):
                self._decide(AnswererVerdict("machine", "words"), history)
            return
        found = verdict_on_hold(heard, self._language, machine=machine)
        if found is not None and found.answerer == "screener":
            again = self._script.screener and self._introduced < MOST_ASKED
            found = found if again else None
        if found is not None and not (machine and found.answerer == "machine"):
            self._decide(found, history)
            if found.answerer == "human" and heard.text:
                history.caller_answered(heard.text)
        elif self._on_hold and ears.seconds >= RINGS_FOR:
            self._decide(AnswererVerdict("machine", "time"), history)
        elif ears.silent >= OPENS and not heard.words_to_come and heard.spoken:
            self._words.forget()  # it was the screener, or the machine
            ears.listener.end_speech()

    def _decide(self, found: AnswererVerdict, history: History) -> None:
        self._found, self._found_at, self._on_hold = found, now(), False
        by = "platform" if found.why == "platform" else "ears"
        seconds = round(now() - self._began, 2)
        history.record.note(
            "screened", by=by, answerer=found.answerer, why=found.why, seconds=seconds
        )
        log.info("screened", answerer=found.answerer, why=found.why)
        if found.answerer in ("machine", "screener"):
            history.start_over()

    def _is_ready(self, ears: FirstSounds) -> bool:
        """Return whether the call may go on: it is heard now, by whom it is to be heard."""
        if self._found is None or self._on_hold:
            return False
        waited = now() - self._found_at
        if not self._is_machine:
            asked = ears.silent >= ASKED or self._beeps.beeped or waited >= GREETS_FOR
            return asked if self._found.answerer == "screener" else True
        if self._screens.machine == "hangup" or self._beeps.beeped:
            return True
        return min(ears.silent, waited) >= NO_BEEP or waited >= GREETS_FOR

    async def _opening(self, found: AnswererVerdict) -> Script | CallEnded:
        if not self._is_machine:
            if found.answerer != "screener":
                return self._script
            self._introduced, self._on_hold = self._introduced + 1, True
            return introduction_script(self._script)
        if self._screens.machine == "hangup":
            await self._on_machine()
            return CallEnded(A_SCREENER if found.answerer == "screener" else A_MACHINE, "agent")
        return message_script(self._script, self._screens.message)


@dataclass(frozen=True, slots=True)
class Unscreened:
    """In place of a :class:`Screening`, where whoever answers is a person."""

    script: Script
    """Of the call."""

    async def listen(self, _channel: Channel, _clock: CallClock, _history: History) -> Script:
        """Return how the call goes on: they are greeted."""
        return self.script

    def overhear(self, _pcm: bytes, _rate: int) -> None:
        """Take nothing."""

    def tells(self, _reply: Reply, _history: History) -> bool:
        """Return whether nobody has answered: somebody has."""
        return False


@dataclass(slots=True)
class _Watched:
    """A journal whose lines the screening of its call looks at."""

    journal: Journal
    screening: Screening

    def add(self, kind: str, **fields: object) -> None:
        self.journal.add(kind, **fields)
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
