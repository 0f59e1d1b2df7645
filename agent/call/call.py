"""One call, from the answer to the hang-up. The only file that starts a call's tasks.

:meth:`Call.run` hears and decides in one call stack, from the socket to the turn table, and does
what the table says. One task plays the reply, another prepares the next (the draft), one asks
whether the turn is over, one looks at the clock. These take part, each told things and answering;
none of them knows this file or asks the table:

=========== ============================================ =========================================
what        what it is                                   what it may touch
=========== ============================================ =========================================
channel     the socket, with the protocol on it          the network
listener    bytes → speech and keys, in audio time       the voice detector, the gate
turns       whose turn is it? The table                  nothing
judge       what follows from the evidence on a turn     the turn model, the transcriber
over speech what a sound over our words means            listener, replies, history
evidence    the silence that ends the turn               tasks, judge, listener
replies     the reply that sounds, and the draft         tasks, maker, speaker, history
maker       a reply, from what the caller says           the providers, once the reply is pulled
player      plays a reply, apologises for a lost one     speaker, fillers, history
speaker     a reply → paced audio, held and resumed      the channel, history
fillers     what to say while an answer is late          the reply it is put into
clock       what is due by the time                      nothing
history     what was said and heard                      its record
record      what happens, turn by turn                   the journal
transfer    whom we dial for the caller                  the platform, by its mover; history
toolbox     what the model may have done                 tasks, whatever tools do
ending      how all of it ends                           the channel, replies, the toolbox
=========== ============================================ =========================================

What the caller says reaches a draft through an :class:`~pipelines.listening.utterance.Utterance`;
nothing else is queued.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing

from agent.call import orders
from agent.call.clock import TICK, BridgeDue, CallClock
from agent.call.ending import HUNG_UP, INTERNAL_ERROR, CallEnded, wind_up
from agent.call.evidence import TurnEvidence
from agent.call.history import History
from agent.call.over_speech import DEAF, LISTENING, SILENCES, OverSpeech
from agent.call.own_words import goodbye
from agent.call.player import ReplyLost, ReplyPlayer
from agent.call.replies import Replies
from agent.call.reply import Reply
from agent.call.screening import Screening, Unscreened
from agent.call.transfer import CallTransfer, Mover
from agent.call.turn_record import Journal
from agent.personas.script import Script
from agent.settings.calls import CallSettings
from agent.stream.channel import Channel
from agent.stream.line import LineError
from pipelines.audio import silence
from pipelines.clock import now
from pipelines.listening import speech_events as speech
from pipelines.listening.detectors import VoiceDetector
from pipelines.listening.listener import KeysPressed, Listener
from pipelines.stages.lineup import Lineup
from pipelines.stages.stt import Heard
from pipelines.tools.tool import CallInfo, Tool
from pipelines.tools.toolbox import Toolbox
from pipelines.turn_taking.end_of_turn import TurnModel
from pipelines.turn_taking.judge import TurnJudge
from pipelines.turn_taking.turns import Action, Event, State, TurnTaking


class Call:
    """A conversation with one caller. Build it once the call is answered; then :meth:`run`."""

    def __init__(
        self,
        *,
        channel: Channel,
        lineup: Lineup,
        script: Script,
        detector: VoiceDetector,
        turn_model: TurnModel | None,
        journal: Journal,
        settings: CallSettings,
        about: CallInfo,
        tools: Sequence[Tool] = (),
        mover: Mover | None = None,
    ) -> None:
        self._settings, self._script, self._channel = settings, script, channel
        self._listener = Listener(channel.rate, detector, settings.vad, channel.echo)
        self._tasks, self._turns = asyncio.TaskGroup(), TurnTaking()
        self.history = history = History(
            journal, lineup.usage, settings.pricing, script, judges=lineup.llm.follows_instructions
        )
        self._clock = CallClock(settings, now(), history.pressed, history.party)
        self._transfer, done = CallTransfer(mover, script, history), history.record.tool
        self._toolbox = Toolbox(tools, about, on_kept=history.tool_gave, on_done=done)
        self._player = ReplyPlayer(lineup, script, self._toolbox, channel, history, settings)
        brief, ends = self._player.maker.script.brief, settings.end_of_turn
        judge = TurnJudge(ends, settings.vad.end_after, brief, turn_model, lineup.stt)
        self._evidence = TurnEvidence(judge, self._listener, self._tasks.create_task, history)
        self._replies = Replies(self._player, history, settings, start=self._begin)
        self._over_speech = OverSpeech(self._listener, self._replies, lineup.stt, script, settings)
        self._ended: CallEnded | None = None

    async def run(self, screening: Screening | None = None) -> CallEnded:
        """Talk until either side hangs up; return how the call has ended, within 5 seconds of that.

        A ``screening`` says how the call goes on, at first and once nobody has answered after all.
        Cancelling is safe. On return nothing of the call runs any more, and its line is closed.

        Raises:
            ExceptionGroup: If there is a bug.
        """
        self._screening = screening or Unscreened(self._script)
        try:
            async with self._tasks:
                works = (self._watch(), self._player.maker.prepare_phrases())
                others = [self._tasks.create_task(work) for work in works]
                try:
                    await self._converse()
                finally:
                    for task in others:
                        task.cancel()
                    self._evidence.drop()
                    self._ended = ended = self._ended or CallEnded("failed", code=INTERNAL_ERROR)
                    await wind_up(ended, self._channel, self._replies, self._toolbox, self._clock)
        finally:
            self.history.close(ended.reason, ended.by, self._channel.echo.own_voice)
        return ended

    def end(self, ended: CallEnded) -> None:
        """Make :meth:`run` return soon. Only the first reason counts."""
        if self._ended is None:
            self._ended = ended
            self._until.reschedule(now())

    def obey(self, order: orders.Order) -> None:
        """Do what an operator asks for, or what became of a transfer asks for. Returns at once."""
        match order:
            case orders.HangUp(goodbye=True) if self._turns.state not in DEAF:
                self._clock.announce(goodbye(self._script, order.by, order.words))
            case orders.HangUp(by=by):
                self.end(CallEnded(HUNG_UP[by], by))
            case orders.CallerMoved(introduction="", helps=False) if self._turns.takes(Event.MOVED):
                if not self._transfer.knows(order):
                    return
                self._transfer.moved(order)
                self._happened(Event.MOVED)
                if not order.stay:
                    self.end(CallEnded("the caller was passed on", "agent", moved=True))
            case orders.ReturnToCaller() if self._transfer.knows(order):
                self._clock.came_back(now(), away=(away := self._turns.takes(Event.RETURNED)))
                if away:
                    self._happened(Event.RETURNED)
                self._clock.announce(self._transfer.obey(order))
            case _:
                self._clock.announce(self._transfer.obey(order))

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(None) as self._until:
                pcm: bytes | None = b""
                while pcm is not None:
                    if self._turns.state is State.RINGING:
                        how = await self._screening.listen(self._channel, self._clock, self.history)
                        if isinstance(how, CallEnded):
                            self.end(how)
                            return
                        self._script = how
                        self._happened(Event.ANSWERED)
                    await self._channel.flush()
                    if pcm := await self._channel.receive():
                        self._clock.audio_came(now())
                        self._screening.overhear(pcm, self._channel.rate)
                        self._listen(pcm)
                self._ended = CallEnded("the caller hung up", "caller")
        except TimeoutError:
            if self._ended is None:
                raise
        except LineError as error:
            self._ended = CallEnded(str(error), error.by)

    def _listen(self, pcm: bytes) -> None:
        if self._turns.state in DEAF:
            return
        for event in self._listener.feed(pcm):
            if self._turns.state is State.ENDED:
                return
            if isinstance(event, KeysPressed):
                if keys := self._channel.tap.pressed(event.keys):
                    self._press(keys)
            elif self._replies.interruptible:
                self._heard(event)
            elif isinstance(event, speech.SpeechStarted | speech.SpeechContinued):
                self._replies.overhear(event.audio, self._listener.spoken, self._listener.silent)

    def _press(self, keys: str) -> None:
        """Collect keys; they stop us, if we may be interrupted."""
        more = self._clock.press(keys, now())
        if self._turns.state not in LISTENING:
            self._listener.end_speech()  # its beginning is no speech either
        if more and self._replies.interruptible and not self._replies.still_silent:
            self._happened(Event.KEY_PRESSED)

    def _heard(self, event: speech.SpeechEvent) -> None:
        if isinstance(event, speech.SpeechStarted):
            self._clock.caller_is_there()
        for what in self._over_speech.means(event, self._turns.state):
            if what not in SILENCES or self._turns.takes(what):
                self._happened(what)
        if isinstance(event, speech.SpeechStarted | speech.SpeechContinued):
            self._replies.hear(event.audio, self._listener.silent)

    def _happened(self, event: Event) -> None:
        """Take an event to the table and do what it says; commands wait in the channel."""
        before = self._turns.state
        self._evidence.happened(event, self._replies.sounding)
        self.history.record.happened(before, event, self._replies.sounding, self._over_speech.why)
        for action in self._turns.handle(event):
            self._do(action)
        if (quiet := self._turns.state is State.QUIET) and before is not State.QUIET:
            self._clock.fell_quiet(now())
        self._listener.levels.wait(waits=quiet)
        self.history.record.on_floor(self._turns.state)
        if quiet and self._clock.owes:
            self._happened(Event.ANNOUNCEMENT_DUE)

    def _do(self, action: Action) -> None:
        clock, replies, own_words = self._clock, self._replies, self.history.consent.own_words
        if action in (Action.DISCARD, Action.FORGET, Action.START_OVER):
            self._evidence.drop()
        done: Mapping[Action, Callable[[], object]] = {
            Action.ANNOUNCE: lambda: replies.say(clock.next_announcement()),
            Action.ANSWER_KEYS: lambda: replies.answer_keys(*clock.take_keys()),
            Action.OPEN_UTTERANCE: lambda: replies.open_utterance(self._listener.spoken),
            Action.DRAFT: self._draft,
            Action.DISCARD: replies.discard,
            Action.FORGET: self._over_speech.forget,
            Action.RELEASE: lambda: self._over_speech.release(self._evidence.decide()),
            Action.HOLD: replies.hold,
            Action.RESUME: lambda: replies.resume(self._over_speech.why),
            Action.KEEP_WORDS: self._over_speech.keep_words,
            Action.GREET_ANEW: self._over_speech.greet_anew,
            Action.DROP_REPLY: lambda: clock.announce(replies.drop()),
            Action.HEAR_OUT: replies.hear_out,
            Action.CLOSE_UTTERANCE: self._over_speech.close_utterance,
            Action.START_OVER: self._over_speech.start_over,
            Action.HANG_UP: lambda: self.end(CallEnded(HUNG_UP[(by := replies.hung_up_by)], by)),
        }
        done.get(action, lambda: replies.say(own_words(action, self._script)))()

    def _draft(self) -> None:
        """Answer what was said so far, and gather evidence on whether it was all."""
        draft = self._replies.prepare(surely=(held := self._turns.state is State.HELD))
        if held:
            self._over_speech.paused()
        else:
            self._evidence.gather(draft)

    def _begin(self, reply: Reply) -> asyncio.Task[None]:
        return self._tasks.create_task(self._take_turn(reply))

    async def _take_turn(self, reply: Reply) -> None:
        """Play a reply until it was heard, and tell the table so."""
        try:
            async with aclosing(self._player.play(reply)) as events:
                async for event in events:
                    if self._ended is not None or not self._understood(reply, event):
                        return  # these were the last words; or a machine's, that no model is shown
        except LineError as error:
            self.end(CallEnded(str(error), error.by))
            return
        self._replies.ended(reply)
        self._happened(self._transfer.ends_as(reply))
        if reply.then is not None and not reply.hang_up:
            self._clock.announce(reply.then)
            self._happened(Event.ANNOUNCEMENT_DUE)
        if reply.transfer and not reply.hang_up:
            self._clock.announce(await self._transfer.dial(reply.transfer))
        for what in self._over_speech.after(reply):
            self._happened(what)
        if reply.order is not None and self._transfer.introduced(reply.order):
            self.obey(reply.order)

    def _understood(self, reply: Reply, heard: Heard | ReplyLost) -> bool:
        """Decide on what the caller, or nobody, turned out to say; return whether to answer it."""
        if self._turns.state not in DEAF and self._screening.tells(reply, self.history):
            self._happened(Event.UNANSWERED)
            return False
        over, state = self._over_speech, self._turns.state
        if reply is self._replies.draft and state not in DEAF:
            if reply.over_speech and (event := over.understood(reply, heard, state)):
                self._happened(event)
            if self._turns.state is State.PAUSED:
                self._evidence.weigh(reply)
        return True

    async def _watch(self) -> None:
        while self._ended is None:
            await asyncio.sleep(TICK)
            try:
                self._look_at_the_clock()
                await self._channel.keep_alive(self._settings.line.heartbeat_after)
            except LineError as error:
                self.end(CallEnded(str(error), error.by))

    def _look_at_the_clock(self) -> None:
        clock, replies, at = self._clock, self._replies, now()
        self.history.record.heard(replies.sounding)
        if self._listener.in_speech and clock.is_stalled(at):
            # A caller leg that stops sending is silent; the gate counts audio, so tell it.
            self._listen(silence(TICK, self._channel.rate))
        if reason := clock.over(at, away=self._turns.state is State.AWAY):
            self.end(CallEnded(reason))
        elif self._turns.state is State.QUIET:
            match clock.due(at, drafting=bool(replies.draft), moving=self._transfer.under_way):
                case BridgeDue():
                    self._clock.announce(self._player.fillers.bridge())
                case Event() as event:
                    self._happened(event)
