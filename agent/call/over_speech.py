"""What the caller says over our words: from where in them it began to what it means for the table.

While it is open we are silent, so nothing is lost by waiting for the words. Asked within the call's
own stack; what follows is done there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from agent.call.replies import Replies
from agent.call.reply import Announcement, Reply
from agent.personas.script import Script
from agent.settings.calls import CallSettings
from pipelines.clock import now
from pipelines.listening import speech_events as speech
from pipelines.listening.listener import Listener
from pipelines.listening.utterance import Utterance
from pipelines.stages.stt import Heard
from pipelines.text.sentences import cut
from pipelines.text.words import joined, words
from pipelines.turn_taking.barge_in import (
    AT_THE_END,
    OF_A_QUESTION,
    BargeInJudge,
    Meaning,
    OverWords,
)
from pipelines.turn_taking.expectation import AnswerKind, expectation
from pipelines.turn_taking.judge import EndOfTurn, TurnDetector
from pipelines.turn_taking.turns import Event, State

BEGINNING = 3.0
"""Seconds of our greeting in which a greeting over it makes us begin anew: more of it than that was
not said to nobody."""

SAID_ANEW = 2
"""Times that our greeting begins anew; then it goes on where it was, whoever greets again."""

STOPPED_AFTER = 0.5
"""Seconds of silence after a greeting over ours, until we begin anew: "Hello? ... Ann Smith."."""

ALL_BUT_SAID = 2
"""Words of a question that are left at most when it is answered: a third of a second each."""

JUST_SAID = 1
"""Words of the sentence after a question that are heard at most, while its answer begins."""

ALL_HEARD = 0.1
"""Seconds of our words that are left at most when they count as heard: nothing is taken back, and
the caller speaks after us, not over us. An onset is known to two frames or so."""

PATIENT = 1.0
"""Seconds of silence after a sound at the very end of our words, until we go on without a
transcript: next to nothing of them is left, and it may be their answer."""

EVENTS: Mapping[Meaning, Event] = {
    "words": Event.WORDS,
    "answer": Event.WORDS,
    "end of ours": Event.WORDS,
    "greeting": Event.GREETED,
}
"""What words are for the table; others are a false alarm."""


LISTENING = (State.HEARING, State.PAUSED, State.HELD)
"""States in which the caller has the floor, or may have."""

DEAF = (State.AWAY, State.RINGING)
"""States in which we do not talk with whoever is on the line."""

SILENCES = frozenset({Event.SPEECH_PAUSED, Event.SPEECH_RESUMED, Event.TURN_ENDED})
"""What the caller's silences are for the table, where it takes them."""


class OverSpeech:
    """The rules of what happens over our words, in one call.

    Args:
        listener: Hears it.
        replies: What it is over, and what would answer it.
        transcriber: Knows what was heard so far.
        script: Of the call: its language, and who has dialled.
        settings: Of the call.
    """

    def __init__(
        self,
        listener: Listener,
        replies: Replies,
        transcriber: TurnDetector,
        script: Script,
        settings: CallSettings,
    ) -> None:
        self._listener, self._replies = listener, replies
        self._settings = settings
        self._language = script.brief.language
        self._judge = BargeInJudge(
            settings.turns, self._language, transcriber, outgoing=script.outgoing
        )
        self._over: Reply | None = None
        self._at = 0.0  # where in it the sound began
        self._asks = self._ends_asking = False
        self._greetings = 0
        self._greeting: Announcement | None = None  # to be begun anew
        self.why: dict[str, object] = {}
        """What the latest decision was made by, as it stands on the record."""

    def means(self, event: speech.SpeechEvent, state: State) -> Sequence[Event]:
        """Return what the caller's voice does, for the table, in order.

        Args:
            event: What it does; what was heard before is in the utterance.
            state: Who has the floor.
        """
        match event:
            case speech.SpeechStarted() if state is State.REPLYING and self._replies.still_silent:
                return [Event.SPEECH_RESUMED]
            case speech.SpeechStarted():
                return self._starts()
            case speech.SpeechContinued():
                return self._goes_on(state)
            case speech.SpeechEnded() if state is State.HELD:
                return [self._ended()]
            case speech.SpeechEnded():
                silence = Event.TURN_ENDED
            case speech.SpeechPaused():
                silence = Event.SPEECH_PAUSED
            case speech.SpeechResumed():
                silence = Event.SPEECH_RESUMED
        return [silence] if state in LISTENING else []

    def after(self, reply: Reply) -> Sequence[Event]:
        """Return what was said over a reply that could not be interrupted, now that it has ended.

        It is answered now; if more follows that cannot be interrupted, after that. Nothing is, of
        what a call screener says, now that it has heard who calls: somebody may come.
        """
        if reply.occasion == "introduction":
            return [Event.UNANSWERED]
        if not self._replies.unanswered.audio or reply.interruptible or reply.hang_up:
            return []
        if not self._replies.interruptible:  # another follows that has to be heard in full
            return []
        stopped: list[Event] = []
        if self._listener.silent >= self._settings.vad.pause_after or not self._listener.in_speech:
            stopped.append(Event.SPEECH_PAUSED)  # told to nobody while we could not be stopped
        if not self._listener.in_speech:
            stopped.append(Event.TURN_ENDED)
        return [*self._starts(), *stopped]

    def _starts(self) -> Sequence[Event]:
        """Note where in our words a sound begins; they have ended if none was left to hear."""
        at, reply = now() - self._listener.spoken, self._replies.sounding
        self._over, self.why = reply, {}
        if reply is None:
            return [Event.SPEECH_STARTED]
        self._at = max(0.0, reply.playout.position(at))
        heard, unheard = reply.playout.heard(at), reply.playout.unheard(at)
        self._asks = self._wants_yes_or_no(_just_asked(heard, unheard))
        self._ends_asking = self._wants_yes_or_no(joined([heard, unheard]))
        left = self._left()
        if left > ALL_HEARD:
            self.why = {} if left == inf else {"left": round(left, 3)}
            return [Event.SPEECH_STARTED]
        reply.cancel()
        reply.playout.end(now())
        self._replies.ended(reply)
        return [Event.REPLY_ENDED, Event.SPEECH_STARTED]

    def _goes_on(self, state: State) -> Sequence[Event]:
        """Tell a barge-in by its words or its length, and end an utterance that does not end."""
        spoken = self._listener.spoken
        if state is State.HEARING and spoken >= self._settings.calls.max_utterance:
            return [Event.TURN_ENDED]
        found = self._judge.so_far(spoken, self._over_words()) if state is State.HELD else None
        if found is None:
            return []
        self._explain(found)
        self._note_answer(found)
        return [Event.FALSE_ALARM if found == "background" else Event.BARGE_IN]

    def paused(self) -> None:
        """Set how long we wait for the words, now that the sound has paused."""
        over = self._over_words()
        answer = over.left <= AT_THE_END or over.asks
        self._listener.end_after(PATIENT if answer else self._settings.turns.decide_within)

    def understood(self, draft: Reply, heard: object, state: State) -> Event | None:
        """Return what the words turned out to be; None while it is still open.

        Args:
            draft: Would answer them.
            heard: They, or that nobody could hear them.
            state: Who has the floor.
        """
        if not self._replies.interruptible:
            self._replies.discard()  # we say our last; it is kept with what they say meanwhile
            return None
        found = self._judge.meaning(
            heard.text if isinstance(heard, Heard) else "", self._over_words()
        )
        event = EVENTS.get(found, Event.FALSE_ALARM)
        if event is Event.GREETED and state is State.HELD:
            if self._greetings < SAID_ANEW:
                self._listener.end_after(STOPPED_AFTER)
                return None
            event = Event.FALSE_ALARM
        elif event is Event.GREETED and state is not State.REPLYING:
            event = Event.WORDS  # ours has ended meanwhile
        self._explain(found)
        draft.background = self.why if found == "background" else {}
        if event is Event.WORDS:
            self._note_answer(found)
        return event

    def _ended(self) -> Event:
        """Return what the end of a sound is while we are held."""
        draft, over = self._replies.draft, self._over
        found = self._judge.meaning(draft.said if draft else "", self._over_words())
        if found != "greeting" or over is None or over.announcement is None:
            self.why = {"by": "late"}
            return Event.TURN_ENDED
        self._explain(found)
        self._greetings += 1
        self._greeting, over.tells_unheard = over.announcement, False  # it is said after all
        return Event.GREETED

    def keep_words(self) -> None:
        """Keep what the caller said; it wants no answer."""
        if (draft := self._replies.draft) is not None:
            draft.ended_by = EndOfTurn(by="silence", silence=self._listener.silent)
            self._replies.history.caller_said(draft)

    def release(self, by: EndOfTurn) -> None:
        """Let the draft sound, since ``by`` has ended the turn; learn how loud the caller is."""
        self._learn(self._replies.draft)
        self._replies.release(by)

    def forget(self) -> None:
        """Forget what was said, its beginning included."""
        self._listener.end_speech()
        self._replies.discard(forget=True)

    def close_utterance(self) -> None:
        """Hear no more of what is said, and find out what it was."""
        self._listener.end_speech()
        self._replies.close_utterance()

    def start_over(self) -> None:
        """Keep what was said on record, and answer none of it."""
        self.keep_words()
        self.forget()
        self._replies.unanswered = Utterance()

    def greet_anew(self) -> None:
        """Say our greeting from its beginning."""
        greeting, self._greeting = self._greeting, None
        if greeting is not None:
            self._replies.say(greeting)
            self._replies.history.record.note(
                "resumed", self._replies.sounding, anew=True, **self.why
            )

    def _learn(self, draft: Reply | None) -> None:
        """Learn how loud the caller is, if it is not known that nobody spoke: their turn ends."""
        heard = draft is not None and bool(draft.said or not draft.settled)
        self._listener.levels.turn_ended(theirs=heard)

    def _over_words(self) -> OverWords:
        over, levels, left = self._over, self._listener.levels, self._left()
        # Somebody who is hardly heard may be the caller yet: then they are, if they answer us.
        soft = levels.soft is not None and left > OF_A_QUESTION and not self._asks
        return OverWords(
            left=left,
            asks=self._asks,
            ends_asking=self._ends_asking,
            greeting=over is not None and over.occasion == "greeting" and self._at < BEGINNING,
            faint=levels.faint or soft,
        )

    def _left(self) -> float:
        """Return the seconds of the reply that were left to hear; infinite if more may come."""
        if self._over is None or not self._over.whole or self._over.is_followed:
            return inf
        at, playout = now(), self._over.playout
        return max(0.0, playout.audible_left(at) + playout.position(at) - self._at)

    def _wants_yes_or_no(self, said: str) -> bool:
        return expectation(said, self._language).asked is AnswerKind.YES_OR_NO

    def _note_answer(self, found: Meaning) -> None:
        """Have the model told what of its question was not heard, for this is the answer to it."""
        if self._over is not None and found in ("answer", "end of ours"):
            self._over.tells_unheard = True

    def _explain(self, found: Meaning) -> None:
        """Note what a decision was made by; a voice that is not the caller's is heard no more."""
        self.why = {"by": found}
        if found == "noise":
            self._listener.levels.turn_ended(theirs=False)
        if found == "background":
            levels = self._listener.levels
            how, by = ("level", levels.soft) if levels.below is None else ("below", levels.below)
            self.why[how] = round(by or 0.0, 1)
            levels.shun()


def _just_asked(heard: str, unheard: str) -> str:
    """Return the sentence that somebody answers who begins here; ``""`` if none is all but said."""
    count, end, before = len(words(heard)), 0, ""
    for sentence in cut(joined([heard, unheard])):
        start, end = end, end + len(words(sentence))
        if count < end:
            if count - start <= JUST_SAID:
                return before
            return sentence if end - count <= ALL_BUT_SAID else ""
        before = sentence
    return before
