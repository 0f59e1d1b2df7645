"""The replies of one call: the one that sounds, or will next, and the draft that nobody hears yet.

What the table of turns says about them is done here, at once and without waiting. What is played,
and when, is in :mod:`agent.call.speaker`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.call.history import History
from agent.call.maker import ReplyMaker
from agent.call.reply import Announcement, Reply
from agent.call.speaker import Speaker
from agent.settings.calls import CallSettings
from pipelines.audio import Audio
from pipelines.listening.utterance import Utterance


class Replies:
    """The two replies of one call.

    Args:
        maker: Makes them.
        speaker: Holds and resumes the one that sounds.
        history: Told what was heard of them, and what was not.
        settings: Of the call.
        start: Starts the task that plays a reply.
    """

    def __init__(
        self,
        maker: ReplyMaker,
        speaker: Speaker,
        history: History,
        settings: CallSettings,
        *,
        start: Callable[[Reply], asyncio.Task[None]],
    ) -> None:
        self._maker = maker
        self._speaker = speaker
        self._history = history
        self._start = start
        self._longest = settings.calls.max_utterance
        self._most_drafts = settings.turns.max_drafts if settings.turns.drafting else 0
        self._drafts = 0  # of this turn
        self.sounding: Reply | None = None
        """The one that sounds, or will next."""

        self.draft: Reply | None = None
        """The one that nobody may hear yet."""

        self.unanswered: list[Audio] = []
        """What was said, and is in no utterance that is being answered."""

    @property
    def interruptible(self) -> bool:
        """Whether what the caller says now may stop us."""
        return self.sounding is None or self.sounding.interruptible

    @property
    def still_silent(self) -> bool:
        """Whether there is an answer that has not begun to sound."""
        reply = self.sounding
        return reply is not None and reply.utterance is not None and not reply.playout.sent

    def say(self, announcement: Announcement) -> None:
        """Say something that is no answer, from now."""
        reply = self._maker.saying(announcement.text)
        reply.interruptible = announcement.interruptible
        reply.hang_up, reply.transfer = announcement.hang_up, announcement.transfer
        reply.release()
        self.sounding = reply
        reply.task = self._start(reply)

    def answer_text(self, text: str) -> None:
        """Draft an answer to something that needs not be heard."""
        utterance = Utterance(text=text)
        utterance.close()
        self._begin_draft(utterance)

    def open_utterance(self, *, over_speech: bool) -> Reply:
        """Collect what the caller says, after what was not answered, and prepare to answer it.

        Args:
            over_speech: Whether it may be no more than an "uh-huh" to our words.
        """
        draft = self._begin_draft(Utterance(before=self.unanswered))
        self.unanswered = []
        draft.over_speech = over_speech
        return draft

    def hear(self, audio: Audio) -> None:
        """Add to the utterance that is being said."""
        if self.draft is not None and self.draft.utterance is not None:
            self.draft.utterance.add(audio)

    def overhear(self, audio: Audio) -> None:
        """Keep what is said over words that cannot be interrupted, for afterwards."""
        self.unanswered.append(audio)

    def prepare(self, *, surely: bool) -> Reply:
        """Have the draft answer what was said so far; return it.

        Args:
            surely: Whether it has to, however often that was done in this turn already.
        """
        draft = _there(self.draft)
        if draft.caller_went_on:
            over_speech = draft.over_speech
            self.discard()
            draft = self.open_utterance(over_speech=over_speech)
        self._drafts += 1
        if draft.utterance is not None and (surely or self._drafts <= self._most_drafts):
            draft.utterance.close()
        return draft

    def discard(self) -> None:
        """Cancel the draft; keep what the caller said for the next."""
        draft, self.draft = self.draft, None
        if draft is None:
            return
        draft.cancel()
        if draft.utterance is not None:
            self.unanswered = draft.utterance.audio
        self._history.discarded(draft)

    def forget(self) -> None:
        """Cancel the draft, and forget what was said."""
        self.discard()
        self.unanswered = []

    def release(self) -> None:
        """Let the draft sound: it is the reply now."""
        reply, self.draft = _there(self.draft), None
        self._drafts = 0
        self.sounding = reply
        reply.release()

    def hold(self) -> None:
        """Stop speaking, and keep what was not heard."""
        self._speaker.hold(_there(self.sounding))

    def resume(self) -> None:
        """Go on where the caller stopped hearing the reply."""
        self._speaker.resume(_there(self.sounding))

    def drop(self) -> None:
        """Cancel the reply and keep what was heard of it.

        What the caller said before a reply that did not get to sound is kept for the next: they are
        simply still speaking.
        """
        reply, self.sounding = self.sounding, None
        if reply is None:
            return
        reply.cancel()
        if reply.utterance is not None and not reply.playout.sent:
            if reply.utterance.seconds < self._longest:
                self.unanswered = reply.utterance.audio
            else:
                self._history.caller_said(reply)
        if self.draft is not None:
            self.draft.over_speech = False  # it is a turn now
        self._keep(reply, cut_off=True)

    def ended(self, reply: Reply) -> None:
        """Note that the caller has heard all of the reply."""
        self.sounding = None
        self._history.caller_said(reply)
        self._keep(reply, cut_off=False)

    def stop(self) -> None:
        """Cancel both; keep what was heard, and what the caller said last."""
        for reply in (self.sounding, self.draft):
            if reply is not None:
                self._history.caller_said(reply)
        self.drop()
        self.discard()

    def _begin_draft(self, utterance: Utterance) -> Reply:
        self.draft = draft = self._maker.answering(utterance)
        draft.task = self._start(draft)
        return draft

    def _keep(self, reply: Reply, *, cut_off: bool) -> None:
        self._history.agent_said(reply, cut_off=cut_off)
        if reply.playout.sent:
            self._maker.toolbox.new_turn()


def _there(reply: Reply | None) -> Reply:
    """Return ``reply``: by the table of turns it is there now."""
    if reply is None:
        raise RuntimeError("there is no such reply: the table of turns is wrong")
    return reply
