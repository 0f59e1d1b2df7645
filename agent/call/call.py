"""One call, from the answer to the hang-up. The only file that starts a call's tasks.

:meth:`Call.run` listens and decides, in one call stack from the socket to the turn table. One task
speaks the reply, another prepares the next (the draft), one watches the clock. What the caller says
reaches a draft through an :class:`~pipelines.listening.utterance.Utterance`; nothing else is
queued. The rules of turn-taking are in :mod:`pipelines.turn_taking.turns`; here they are carried
out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog

from agent.call.reply import Reply
from agent.call.speaker import TICK, Patience, Speaker
from agent.personas.script import Script
from agent.stream.line import Line, LineError
from agent.stream.protocol import CallerAudio, Connect, Ignored, StreamProtocol
from pipelines.audio import SPEECH_RATE, Audio, Chunker, Resampler, frame_bytes
from pipelines.conversation import Message, ToolResult
from pipelines.listening.detectors import VoiceDetector
from pipelines.listening.dtmf import KeypadDetector
from pipelines.listening.gate import (
    GateSettings,
    SpeechContinued,
    SpeechEnded,
    SpeechEvent,
    SpeechGate,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import ProviderError
from pipelines.reply.chain import ReplyRequest, Step, answer, say
from pipelines.reply.playout import Playout
from pipelines.stages.lineup import Lineup
from pipelines.stages.pool import DraftCost, Heard
from pipelines.stages.usage import Price
from pipelines.text.sentences import cut
from pipelines.text.speakable import speakable
from pipelines.tools.call_control import call_control
from pipelines.tools.tool import CallInfo, Tool, ToolRun
from pipelines.tools.toolbox import Toolbox
from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, TurnModel, silence_needed
from pipelines.turn_taking.turns import Action, Event, State, TurnTaking

log = structlog.get_logger()

STALLED_AFTER = 1.0
"""Seconds without a frame until a speaking caller counts as silent: five times the longest delay
that a telephone jitter buffer hides."""

WENT_ON = 0.3
"""Seconds of audio after the end that a provider heard, from which it was none: more than we need
to notice the same silence."""

SILENCE = bytes(frame_bytes(SPEECH_RATE))

IGNORED_LOGGED = 5
"""Ignored messages that are logged one by one; the rest are counted."""

KEYPAD = "Keypad: {}"
"""How keys that were pressed stand in conversation and transcript."""

MOST_KEYS = 64
"""Keys that are collected at once; a card number has 19."""

PASSED_ON = "the caller was passed on"
"""Why a call has ended whose caller talks on with somebody else."""

LISTENING = (State.HEARING, State.PAUSED, State.HELD)
"""States in which the caller has the floor, or may have."""


class TransferError(Exception):
    """The caller cannot be passed on. The message is fit for a log."""


Mover = Callable[[str], Awaitable[None]]
"""Dials a number or SIP address into the conversation; raises :class:`TransferError`. What becomes
of it is told by :meth:`Call.moved` or :meth:`Call.not_moved`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Something to say when nobody speaks."""

    text: str
    hang_up: bool = False
    transfer: str = ""
    """Whom to pass the caller on to then."""


class Journal(Protocol):
    """Where the transcript of a call goes."""

    def add(self, kind: str, **fields: object) -> None:
        """Keep one line. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What is the same for every call of a process. Times in seconds."""

    gate: GateSettings = field(default_factory=GateSettings)
    endpoint: EndOfTurnSettings = field(default_factory=EndOfTurnSettings)
    lead: float = 1.0
    drafting: bool = True
    max_drafts: int = 6
    confirm_after: float = 0.5
    decide_within: float = 0.25
    rewind_after: float = 1.5
    filler_after: float = 2.0
    tool_filler_after: float = 1.0
    idle_after: float = 12.0
    idle_times: int = 2
    keys_after: float = 2.0
    max_utterance: float = 60.0
    max_failures: int = 3
    heartbeat_after: float = 15.0
    no_audio_timeout: float = 60.0
    max_seconds: float = 3600.0
    warn_before: float = 30.0
    prices: Mapping[str, Price] = field(default_factory=dict)
    """What providers charge, by name."""


class Call:
    """A conversation with one caller. Build it once the call is answered; then :meth:`run`."""

    def __init__(
        self,
        *,
        line: Line,
        protocol: StreamProtocol,
        connect: Connect,
        lineup: Lineup,
        script: Script,
        detector: VoiceDetector,
        turn_model: TurnModel | None,
        journal: Journal,
        settings: CallSettings,
        mover: Mover | None = None,
        tools: Sequence[Tool] = (),
        about: CallInfo | None = None,
    ) -> None:
        self._line = line
        self._protocol = protocol
        self._rate = connect.rate
        self._speaker = Speaker(
            line=line,
            protocol=protocol,
            rate=connect.rate,
            script=script,
            phrases=lineup.tts,
            patience=Patience(reply=settings.filler_after, tools=settings.tool_filler_after),
            on_heard=self._understood,
            on_sounding=self._keep_said,
        )
        self._lineup = lineup
        self._script = script
        self._toolbox = Toolbox(
            tools,
            about or CallInfo(call_id=connect.call_id),
            spawn=self._spawn,
            on_kept=self._keep_result,
            on_done=self._note_tool,
        )
        self._fillers = [tool.filler for tool in tools if tool.filler]
        specs = (*call_control(script.brief), *self._toolbox.specs)
        self._brief = replace(script.brief, tools=specs)
        self._detector = detector
        self._turn_model = turn_model
        self._journal = journal
        self._settings = settings
        self._resampler = Resampler(connect.rate, SPEECH_RATE)
        self._frames = Chunker(frame_bytes(SPEECH_RATE))
        self._gate = SpeechGate(settings.gate, SPEECH_RATE)
        self._keypad = KeypadDetector()
        self._keys = ""  # pressed, and not answered
        self._key_at = 0.0
        self._mover = mover
        self._moving = ""  # whom we are dialling for the caller
        self._announcements: deque[Announcement] = deque()
        self._turns = TurnTaking()
        self._reply: Reply | None = None  # the one that sounds, or will next
        self._draft: Reply | None = None  # the one that nobody may hear yet
        self._question: asyncio.Task[None] | None = None  # to the turn model
        self._probability: float | None = None  # its answer
        self._unanswered: list[Audio] = []  # said, and in no utterance that is being answered
        self._drafts = 0  # of this turn
        self._wasted = DraftCost()
        self._discarded = 0
        self._failures = 0  # replies lost in a row
        self._ignored = 0
        self._idled = 0
        self._warned = False
        self._began = self._audio_at = self._quiet_since = 0.0
        self._ending = ""
        self.conversation: list[Message] = []

    async def run(self) -> str:
        """Talk until either side hangs up; return why the call ended, fit for a log.

        Cancelling is safe. On return nothing of the call runs any more; the socket is still open,
        and the caller of this method closes it.

        Raises:
            ExceptionGroup: If there is a bug.
        """
        self._began = self._audio_at = self._now()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                others = [
                    self._tasks.create_task(work) for work in (self._watch(), self._prepare())
                ]
                try:
                    await self._converse()
                finally:
                    for task in others:
                        task.cancel()
                    self._finish()
                    await self._toolbox.aclose()
        finally:
            for used in self._lineup.usage.lines(self._settings.prices):
                self._journal.add("usage", **used)
            self._journal.add(
                "ended",
                at=self._at(),
                reason=self._ending or "failed",
                drafts_discarded=self._discarded,
                tokens_wasted=self._wasted.tokens,
                audio_wasted=round(self._wasted.audio, 1),
            )
        return self._ending

    def end(self, reason: str) -> None:
        """Make :meth:`run` return soon. Only the first reason counts."""
        if not self._ending:
            self._ending = reason
            self._until.reschedule(self._now())

    def say_goodbye(self) -> None:
        """Say goodbye and hang up, as soon as nobody speaks."""
        self.announce(Announcement(text=self._script.brief.goodbye, hang_up=True))

    def announce(self, announcement: Announcement) -> None:
        """Say something as soon as nobody speaks."""
        self._announcements.append(announcement)

    def moved(self, *, stay: bool) -> None:
        """Leave the caller to somebody else.

        Args:
            stay: Whether the stream has to stay, in silence, because the platform would hang up on
                both with it.
        """
        if self._turns.state in (State.ENDED, State.AWAY, State.RINGING):
            return
        self._journal.add("transfer", at=self._at(), to=self._moving, status="done")
        self._moving = ""
        self._announcements.clear()
        self._happened(Event.MOVED)
        if not stay:
            self.end(PASSED_ON)

    def not_moved(self) -> None:
        """Come back to the caller: nobody took the call that they were to be passed on to."""
        if self._moving:
            self._journal.add("transfer", at=self._at(), to=self._moving, status="failed")
            self._moving = ""
            self.announce(Announcement(text=self._script.transfer_failed))

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(None) as self._until:
                self._happened(Event.ANSWERED)
                while (message := await self._line.receive()) is not None:
                    self._receive(message)
                    await self._speaker.flush()
                self._ending = "the caller hung up"
        except TimeoutError:
            if not self._ending:
                raise
        except LineError as error:
            self._ending = str(error)

    def _finish(self) -> None:
        """Cancel what runs; keep what was heard, and what the caller said last."""
        for reply in (self._reply, self._draft):
            if reply is not None:
                self._keep_said(reply)
        self._drop_reply()
        self._discard()
        self._stop_asking()

    # From the caller

    def _receive(self, message: str | bytes) -> None:
        match self._protocol.receive(message):
            case CallerAudio(pcm):
                self._audio_at = self._now()
                self._listen(pcm)
            case Ignored(reason):
                self._ignored += 1
                if self._ignored <= IGNORED_LOGGED:
                    log.warning("message ignored", reason=reason)

    def _listen(self, pcm: bytes) -> None:
        if self._turns.state is State.AWAY:
            return
        for frame in self._frames.feed(self._resampler.feed(pcm)):
            after_tone = self._keypad.sounding
            if keys := self._keypad.feed(frame):
                self._press(keys)
            # A tone is no speech; nor is its end, in the frame after.
            sound = SILENCE if after_tone or self._keypad.sounding else frame
            for event in self._gate.feed(sound, self._detector.voiced(sound)):
                if self._turns.state is State.ENDED:
                    return
                if self._may_interrupt():
                    self._heard(event)
                elif isinstance(event, SpeechStarted | SpeechContinued):
                    self._unanswered.append(event.audio)  # kept for afterwards

    def _may_interrupt(self) -> bool:
        return self._reply is None or self._reply.interruptible

    def _heard(self, event: SpeechEvent) -> None:
        state = self._turns.state
        match event:
            case SpeechStarted(audio):
                self._idled = 0
                goes_on = state is State.REPLYING and self._nothing_sounded()
                self._happened(Event.SPEECH_RESUMED if goes_on else Event.SPEECH_STARTED)
                self._add(audio)
            case SpeechContinued(audio):
                self._add(audio)
                self._judge_length()
            case SpeechPaused() if state in (State.HEARING, State.HELD):
                self._happened(Event.SPEECH_PAUSED)
            case SpeechResumed() if state in (State.PAUSED, State.HELD):
                self._happened(Event.SPEECH_RESUMED)
            case SpeechEnded() if state in LISTENING:
                self._happened(Event.TURN_ENDED)

    def _press(self, keys: str) -> None:
        """Collect keys; they stop us, if we may be interrupted."""
        if self._turns.state is State.ENDED:
            return
        self._idled = 0
        self._keys = (self._keys + keys)[:MOST_KEYS]
        self._key_at = self._now()
        if self._turns.state not in LISTENING:
            self._gate.close()  # its beginning is no speech either
        if self._may_interrupt():
            self._happened(Event.KEY_PRESSED)

    def _answer_keys(self) -> None:
        keys, self._keys = self._keys, ""
        utterance = Utterance(text=KEYPAD.format(keys))
        utterance.close()
        self._draft = self._answering(utterance)

    def _nothing_sounded(self) -> bool:
        reply = self._reply
        return reply is not None and reply.utterance is not None and not reply.playout.sent

    def _add(self, audio: Audio) -> None:
        if self._turns.state in LISTENING and self._draft is not None:
            assert self._draft.utterance is not None
            self._draft.utterance.add(audio)

    def _judge_length(self) -> None:
        """Tell a barge-in by its length, and end an utterance that does not end."""
        state = self._turns.state
        if state is State.HELD and self._means_it():
            self._happened(Event.BARGE_IN)
        elif state is State.HEARING and self._gate.spoken >= self._settings.max_utterance:
            log.info("utterance ended for its length")
            self._happened(Event.TURN_ENDED)

    def _means_it(self) -> bool:
        """Return whether a sound over our speech is a barge-in: by its length, or its words."""
        if self._gate.spoken >= self._settings.confirm_after:
            return True
        words = self._lineup.stt.so_far
        # Two at least: the first guess at an "mm-hm" is often another word.
        return " " in words and not is_backchannel(words, self._script.brief.language)

    # Turn-taking

    def _happened(self, event: Event) -> None:
        """Take an event to the table and do what it says; commands wait in the outbox."""
        before = self._turns.state
        for action in self._turns.handle(event):
            self._do(action)
        if self._turns.state is State.QUIET and before is not State.QUIET:
            self._quiet_since = self._now()

    def _do(self, action: Action) -> None:
        {
            Action.GREET: self._greet,
            Action.OPEN_UTTERANCE: self._open_utterance,
            Action.DRAFT: self._start_draft,
            Action.DISCARD: self._discard,
            Action.FORGET: self._forget,
            Action.RELEASE: self._release,
            Action.HOLD: self._hold,
            Action.RESUME: self._resume,
            Action.DROP_REPLY: self._drop_reply,
            Action.ASK_STILL_THERE: self._ask_still_there,
            Action.WARN_OF_TIME: self._warn_of_time,
            Action.ANNOUNCE: self._announce,
            Action.ANSWER_KEYS: self._answer_keys,
            Action.SAY_GOODBYE: self._say_goodbye,
            Action.HANG_UP: self._hang_up,
        }[action]()

    def _greet(self) -> None:
        greeting = self._say(
            self._script.greeting, interruptible=self._script.greeting_interruptible
        )
        greeting.hang_up = self._script.hang_up_after_greeting

    def _ask_still_there(self) -> None:
        self._say(self._script.still_there)

    def _warn_of_time(self) -> None:
        self._say(self._script.time_up)

    def _say_goodbye(self) -> None:
        self._say(self._script.brief.goodbye).hang_up = True

    def _announce(self) -> None:
        announcement = self._announcements.popleft()
        reply = self._say(announcement.text)
        reply.hang_up = announcement.hang_up
        reply.transfer = announcement.transfer

    def _hang_up(self) -> None:
        self.end("the agent hung up")

    def _forget(self) -> None:
        self._discard()
        self._unanswered = []
        self._gate.close()

    def _open_utterance(self) -> None:
        self._draft = self._answering(Utterance(before=self._unanswered))
        self._draft.over_speech = self._turns.state is State.HELD
        self._unanswered = []

    def _answering(self, utterance: Utterance) -> Reply:
        """Begin to prepare a reply to ``utterance``."""
        reply = Reply(playout=Playout(self._settings.lead), utterance=utterance)
        steps = answer(self._request(reply), utterance)
        reply.task = self._tasks.create_task(self._take_turn(reply, steps))
        return reply

    def _request(self, reply: Reply) -> ReplyRequest:
        return ReplyRequest(
            lineup=self._lineup,
            brief=self._brief,
            conversation=self.conversation,
            rate=self._rate,
            tools=self._toolbox,
            released=reply.released,
            spent=reply.spent,
        )

    def _start_draft(self) -> None:
        """Answer what was said so far, and gather evidence on whether it was all."""
        assert self._draft is not None
        assert self._draft.utterance is not None
        if self._went_on(self._draft):
            self._discard()
            self._open_utterance()
        self._drafts += 1
        held = self._turns.state is State.HELD
        if held:
            self._gate.end_after(self._settings.decide_within)
        if held or (self._settings.drafting and self._drafts <= self._settings.max_drafts):
            self._draft.utterance.close()
        if self._draft.over_at is not None:
            self._weigh()
        elif not held and (self._turn_model is not None or self._lineup.stt.detects_turns):
            self._stop_asking()
            self._question = self._tasks.create_task(self._ask(self._draft.utterance.audio))

    @staticmethod
    def _went_on(draft: Reply) -> bool:
        """Return whether the caller went on after a provider had heard the end of their turn."""
        assert draft.utterance is not None
        return draft.over_at is not None and draft.utterance.seconds > draft.over_at + WENT_ON

    def _discard(self) -> None:
        """Cancel the draft; keep what the caller said for the next."""
        self._stop_asking()
        draft, self._draft = self._draft, None
        if draft is None:
            return
        assert draft.task is not None
        assert draft.utterance is not None
        draft.task.cancel()
        self._unanswered = draft.utterance.audio
        if draft.said:
            self._discarded += 1
        self._wasted.tokens += draft.spent.tokens
        self._wasted.audio += draft.spent.audio

    def _release(self) -> None:
        reply, self._draft = self._draft, None
        assert reply is not None
        assert reply.utterance is not None
        self._stop_asking()
        self._drafts = 0
        self._reply = reply
        reply.quiet_since = self._now()
        reply.utterance.close()
        reply.released.set()

    def _hold(self) -> None:
        assert self._reply is not None
        self._speaker.hold(self._reply)

    def _resume(self) -> None:
        assert self._reply is not None
        silent = self._speaker.resume(self._reply, self._settings.rewind_after)
        self._journal.add("resumed", at=self._at(), after=round(silent, 3))

    def _drop_reply(self) -> None:
        """Cancel the reply and keep what was heard of it.

        What the caller said before a reply that did not get to sound is kept for the next: they are
        simply still speaking.
        """
        reply, self._reply = self._reply, None
        if reply is None:
            return
        assert reply.task is not None
        reply.task.cancel()
        if reply.utterance is not None and not reply.playout.sent:
            if reply.utterance.seconds < self._settings.max_utterance:
                self._unanswered = reply.utterance.audio
            else:
                self._keep_said(reply)
        if self._draft is not None:
            self._draft.over_speech = False  # it is a turn now
        self._keep_reply(reply, cut_off=True)

    # The end of a turn

    async def _ask(self, audio: list[Audio]) -> None:
        """Ask who can tell whether the caller has finished: the transcriber, or the turn model."""
        try:
            async with asyncio.timeout(self._settings.endpoint.longest):
                if self._lineup.stt.detects_turns:
                    self._probability = float(await self._lineup.stt.turn_over())
                elif self._turn_model is not None:
                    pcm = b"".join(piece.pcm for piece in audio[-_pieces(8.0, audio) :])
                    self._probability = await self._turn_model.complete(pcm)
        except (ProviderError, TimeoutError) as error:
            log.warning("nobody heard whether the turn is over", error=type(error).__name__)
            return
        self._weigh()

    def _stop_asking(self) -> None:
        if self._question is not None:
            self._question.cancel()
        self._question = self._probability = None

    def _weigh(self) -> None:
        """Set the silence that ends the turn, by what is known."""
        if self._turns.state is not State.PAUSED or self._draft is None:
            return
        language = self._script.brief.language
        transcript = self._draft.said or None
        probability = 1.0 if self._draft.over_at is not None else self._probability
        needed = silence_needed(self._settings.endpoint, probability, transcript, language)
        if needed is not None:
            self._gate.end_after(needed)

    def _understood(self, reply: Reply, heard: Heard) -> None:
        """Note what the caller said, and decide on it."""
        reply.said = text = heard.text
        if heard.turn_over and reply.utterance is not None:
            reply.over_at = reply.utterance.seconds
        if reply is not self._draft:
            return
        if not reply.over_speech:
            self._weigh()
        elif text and not is_backchannel(text, self._script.brief.language):
            self._gate.end_after(self._settings.gate.end_after)
            self._happened(Event.WORDS)
            self._weigh()
        else:
            self._happened(Event.FALSE_ALARM)

    # To the caller

    def _say(self, text: str, *, interruptible: bool = True) -> Reply:
        """Say a fixed text, from now."""
        reply = Reply(playout=Playout(self._settings.lead))
        reply.interruptible = interruptible
        reply.quiet_since = self._now()
        reply.released.set()
        steps = say(self._request(reply), _each(cut(text)))
        self._reply = reply
        reply.task = self._tasks.create_task(self._take_turn(reply, steps))
        return reply

    async def _take_turn(self, reply: Reply, steps: AsyncGenerator[Step, None]) -> None:
        """Prepare a reply, wait for its release, and play it until it was heard."""
        try:
            await self._speak(reply, steps)
        except LineError as error:
            self.end(str(error))
            return
        self._reply = None
        self._keep_said(reply)
        self._keep_reply(reply, cut_off=False)
        self._happened(Event.GOODBYE_ENDED if reply.hang_up else Event.REPLY_ENDED)
        if reply.transfer and not reply.hang_up:
            await self._pass_on(reply.transfer)
        if self._unanswered and not reply.interruptible and not reply.hang_up:
            self._answer_overheard()

    async def _pass_on(self, to: str) -> None:
        """Dial whom the caller is to be passed on to; we stay with them until that is answered."""
        if self._moving or self._mover is None:
            return
        self._moving = to
        self._journal.add("transfer", at=self._at(), to=to, status="started")
        try:
            await self._mover(self._script.numbers.get(to, to))
        except TransferError as error:
            log.warning("the caller cannot be passed on", reason=str(error))
            self.not_moved()

    def _answer_overheard(self) -> None:
        """Turn to what the caller said over words that could not be interrupted."""
        self._happened(Event.SPEECH_STARTED)
        if not self._gate.open:
            self._happened(Event.TURN_ENDED)

    async def _speak(self, reply: Reply, steps: AsyncGenerator[Step, None]) -> None:
        try:
            await self._speaker.play(reply, steps)
            await reply.released.wait()
            self._failures = 0
        except ProviderError as error:
            if reply.over_speech and reply is self._draft:
                self._happened(Event.FALSE_ALARM)  # nobody knows what it was
            await reply.released.wait()
            self._note_failure(error)
            await self._apologise(reply)
        await self._speaker.wait_until_heard(reply)

    async def _apologise(self, reply: Reply) -> None:
        sentences = cut(self._script.apology)
        if self._failures >= self._settings.max_failures:
            reply.hang_up = True
            sentences += cut(self._script.brief.goodbye)
        apology = say(self._request(reply), _each(sentences))
        try:
            await self._speaker.play(reply, apology)
        except ProviderError as error:
            log.warning("apology lost", stage=error.stage, error=str(error))

    def _note_failure(self, error: ProviderError) -> None:
        self._failures += 1
        log.warning("reply lost", stage=error.stage, error=str(error), in_a_row=self._failures)
        self._journal.add("failed", at=self._at(), stage=error.stage)

    # What is kept

    def _keep_said(self, reply: Reply) -> None:
        if reply.said and not reply.kept:
            reply.kept = True
            self.conversation.append(Message("user", reply.said))
            self._journal.add("caller", at=self._at(), text=reply.said)

    def _keep_reply(self, reply: Reply, *, cut_off: bool) -> None:
        """Add to history and transcript what the caller has heard, no word more."""
        self.conversation += reply.exchange
        if heard := reply.playout.heard(self._now()):
            self.conversation.append(Message("assistant", heard, cut_off))
            began = round(reply.started_at - self._began, 3)
            self._journal.add("agent", at=began, text=heard, cut_off=cut_off)
        if reply.playout.sent:
            self._toolbox.new_turn()
        if reply.playout.gaps:
            log.warning("the reply was heard with gaps", gaps=reply.playout.gaps)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(work)

    def _keep_result(self, result: ToolResult) -> None:
        """Tell the model, with the next turn, what became of a tool that nobody waits for."""
        self.conversation.append(Message("assistant", "", results=(result,)))

    def _note_tool(self, ran: ToolRun) -> None:
        self._journal.add(
            "tool",
            at=self._at(),
            name=ran.result.call.name,
            seconds=round(ran.seconds, 3),
            status="cancelled" if ran.cancelled else "failed" if ran.result.failed else "done",
            arguments=ran.result.call.arguments,
            result=ran.result.text,
        )

    # The clock

    async def _prepare(self) -> None:
        """Speak in advance what may be needed when nothing else works."""
        brief = self._brief
        fillers = [speakable(text, brief.language, brief.pronounce) for text in self._fillers]
        sentences = [*self._script.own_sentences, *fillers]
        try:
            await self._lineup.tts.prepare(sentences, self._rate)
        except ProviderError as error:
            log.warning("phrases cannot be prepared", error=str(error))

    async def _watch(self) -> None:
        while not self._ending:
            await asyncio.sleep(TICK)
            try:
                self._look_at_the_clock()
                await self._speaker.keep_alive(self._settings.heartbeat_after)
            except LineError as error:
                self.end(str(error))

    def _look_at_the_clock(self) -> None:
        settings, now = self._settings, self._now()
        silent = now - self._audio_at
        if self._gate.open and silent >= STALLED_AFTER:
            # A caller leg that stops sending is silent; the gate counts audio, so tell it.
            self._listen(bytes(2 * int(self._rate * TICK)))
        if silent >= settings.no_audio_timeout:
            self.end("no audio from the caller")
        elif now - self._began >= settings.max_seconds and self._turns.state is not State.AWAY:
            self.end("the call was too long")
        elif self._turns.state is State.QUIET:
            self._break_silence(now)

    def _break_silence(self, now: float) -> None:
        settings = self._settings
        if self._keys and self._draft is None:
            if self._keys.endswith("#") or now - self._key_at >= settings.keys_after:
                self._happened(Event.KEYS_ENTERED)
        elif self._announcements:
            self._happened(Event.ANNOUNCEMENT_DUE)
        elif self._moving:
            if now - self._quiet_since >= settings.filler_after * 2:
                self.announce(Announcement(text=self._speaker.next_filler()))
        elif not self._warned and now - self._began >= settings.max_seconds - settings.warn_before:
            self._warned = True
            self._happened(Event.TIME_SHORT)
        elif now - self._quiet_since >= settings.idle_after:
            self._idled += 1
            over = self._idled > settings.idle_times
            self._happened(Event.IDLED_OUT if over else Event.IDLED)

    def _at(self) -> float:
        """Seconds since the answer."""
        return round(self._now() - self._began, 3)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _pieces(seconds: float, audio: list[Audio]) -> int:
    """Return how many of the last pieces hold at least ``seconds``; all if they hold less."""
    held = 0.0
    for count, piece in enumerate(reversed(audio), 1):
        held += piece.seconds
        if held >= seconds:
            return count
    return len(audio)


async def _each(sentences: list[str]) -> AsyncGenerator[str, None]:
    for sentence in sentences:
        yield sentence
