"""The replies of one call: the one that sounds, or will next, and the draft that nobody hears yet.

What the table of turns says about them is done here, at once and without waiting. What is played,
and when, is in :mod:`agent.call.speaker`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from agent.call.consent import QUESTION
from agent.call.history import History
from agent.call.keys import KEYPAD
from agent.call.player import ReplyPlayer
from agent.call.reply import Announcement, Reply
from agent.records.events import HungUpBy
from agent.settings.calls import CallSettings
from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.listening.utterance import Utterance
from pipelines.stages.stt import Heard
from pipelines.turn_taking.judge import EndOfTurn


class Replies:
    """The two replies of one call.

    Args:
        player: Makes them, holds and resumes the one that sounds.
        history: Told what was heard of them, and what was not.
        settings: Of the call.
        start: Starts the task that plays a reply.
    """

    def __init__(
        self,
        player: ReplyPlayer,
        history: History,
        settings: CallSettings,
        *,
        start: Callable[[Reply], asyncio.Task[None]],
    ) -> None:
        self._maker, self._speaker = player.maker, player.speaker
        self.history = history
        self._start = start
        self._longest = settings.calls.max_utterance
        self._most_drafts = settings.turns.max_drafts if settings.turns.drafting else 0
        self._drafts = 0  # of this turn
        self._tasks: set[asyncio.Task[None]] = set()
        self.sounding: Reply | None = None
        """The one that sounds, or will next."""

        self.draft: Reply | None = None
        """The one that nobody may hear yet."""

        self.hung_up_by: HungUpBy = "agent"
        """Who wanted the end of the call after the last reply that ended."""

        self.unanswered = Utterance()
        """What was said, and is in no utterance that is being answered."""

    @property
    def interruptible(self) -> bool:
        """Whether what the caller says now may stop us."""
        return self.sounding is None or self.sounding.interruptible

    @property
    def still_silent(self) -> bool:
        """Whether there is an answer that has not begun to sound."""
        return self.sounding is not None and self.sounding.is_silent_answer

    def say(self, announcement: Announcement) -> None:
        """Say something that is no answer, from now."""
        if announcement.occasion == QUESTION:
            self.unanswered = Utterance()  # it is no answer to it
        self.sounding = self._play(self._maker.saying(announcement))
        self.sounding.release()

    def answer_keys(self, keys: str, since: float, until: float) -> None:
        """Draft an answer to keys that were pressed, the first and the last of them then."""
        pressed = Utterance(text=KEYPAD.format(keys), began=since)
        pressed.until = until
        draft = self._begin_draft(pressed)
        draft.ended_by = EndOfTurn(by="keys")
        draft.take(Heard(pressed.text))
        pressed.close()

    def open_utterance(self, spoken: float = 0.0) -> Reply:
        """Collect what the caller says, after what was not answered, and prepare to answer it.

        Over our words it may be no more than an "uh-huh".

        Args:
            spoken: Seconds that they have spoken already.
        """
        said = self.unanswered.followed_by(Utterance(began=now() - spoken))
        return self._begin_draft(said, over_speech=self.sounding is not None)

    def hear(self, audio: Audio, silent: float = 0.0) -> None:
        """Add to the utterance that is being said, which is silent for so many seconds now."""
        if self.draft is not None and self.draft.utterance is not None:
            self.draft.utterance.add(audio, silent)

    def overhear(self, audio: Audio, spoken: float = 0.0, silent: float = 0.0) -> None:
        """Keep what is said over words that cannot be interrupted, for afterwards."""
        if not self.unanswered.audio:
            self.unanswered = Utterance(began=now() - spoken)
        self.unanswered.add(audio, silent)

    def prepare(self, *, surely: bool) -> Reply:
        """Have the draft answer what was said so far; return it.

        Args:
            surely: Whether it has to, however often that was done in this turn already.
        """
        draft = _there(self.draft)
        if draft.caller_went_on:
            self.discard()
            draft = self.open_utterance()
        self._drafts += 1
        if draft.utterance is not None and (surely or self._drafts <= self._most_drafts):
            draft.utterance.close()
        return draft

    def discard(self, *, forget: bool = False) -> None:
        """Cancel the draft; keep what the caller said for the next, unless it is forgotten.

        What was overheard since is kept in any case.
        """
        draft, self.draft = self.draft, None
        if draft is None:
            return
        draft.cancel()
        self.history.discarded(draft)
        if forget:
            self.history.record.backchannel(draft)
        if not forget and draft.utterance is not None:
            since, self.unanswered = self.unanswered, draft.utterance
            if since.audio:
                self.unanswered = self.unanswered.followed_by(since)

    def close_utterance(self) -> None:
        """Hear no more of what the caller says, and find out what was said."""
        if self.draft is None and self.unanswered.audio:
            self._begin_draft(self.unanswered, over_speech=True)
        if self.draft is not None and self.draft.utterance is not None:
            self.draft.utterance.close()

    def release(self, by: EndOfTurn) -> None:
        """Let the draft sound: it is the reply now, since ``by`` has ended the turn."""
        reply, self.draft = _there(self.draft), None
        self._drafts = 0
        self.sounding = reply
        reply.release(by)
        self.history.record.understood(reply)

    def hold(self) -> None:
        """Stop speaking, and keep what was not heard."""
        self._speaker.hold(_there(self.sounding))

    def resume(self, why: Mapping[str, object]) -> None:
        """Go on where the caller stopped hearing the reply, for a reason that is put on record."""
        self._speaker.resume(_there(self.sounding), why)

    def drop(self) -> Announcement | None:
        """Cancel the reply and keep what was heard of it; return what is owed to the caller yet.

        What the caller said before a reply that did not get to sound, or before it was understood
        (a filler may have sounded), is answered with what they say next: they are still speaking.
        """
        reply, self.sounding = self.sounding, None
        if reply is None:
            return None
        reply.cancel()
        said = reply.utterance
        if said is None or said.text or said.seconds >= self._longest or reply.answers:
            self.history.caller_said(reply)
        else:
            self.history.record.goes_on(reply)
            draft = self.draft
            if draft is None:
                self.unanswered = said
            else:
                self.discard()
                self._begin_draft(said.followed_by(self.unanswered), over_speech=draft.over_speech)
        self.history.agent_said(reply, cut_off=True)
        if reply.started_at is not None:
            self._maker.toolbox.new_turn()
        return reply.then if reply.then is not None and reply.then.is_owed else None

    def hear_out(self) -> None:
        """Take what the caller says over our words for a turn."""
        _there(self.draft).over_speech = False

    def ended(self, reply: Reply) -> None:
        """Note that the caller has heard all of the reply."""
        self.sounding, self.hung_up_by = None, reply.hung_up_by
        self.history.caller_said(reply)
        self.history.agent_said(reply, cut_off=False)
        if reply.started_at is not None:
            self._maker.toolbox.new_turn()

    def stop(self) -> Reply | None:
        """Keep what was heard; cancel all but what the caller's last words are heard for."""
        last = self.sounding if self.still_silent else self.draft
        if last is not self.sounding:
            self.drop()
        for task in self._tasks - {last and last.task}:
            task.cancel()
        if last is not None:
            last.going.clear()  # nothing of it sounds any more
        return last

    def _begin_draft(self, utterance: Utterance, *, over_speech: bool = False) -> Reply:
        self.unanswered = Utterance()
        self.draft = self._maker.answering(utterance)
        self.draft.over_speech = over_speech
        return self._play(self.draft)

    def _play(self, reply: Reply) -> Reply:
        reply.task = self._start(reply)
        self._tasks.add(reply.task)
        reply.task.add_done_callback(self._tasks.discard)
        return reply


def _there(reply: Reply | None) -> Reply:
    """Return ``reply``: by the table of turns it is there now."""
    if reply is None:
        raise RuntimeError("there is no such reply: the table of turns is wrong")
    return reply
