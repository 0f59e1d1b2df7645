"""What happens in a call, turn by turn, as the lines of its journal.

What the lines are called, and what is in them, is in :mod:`agent.records.events`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from agent.call.reply import Reply
from pipelines.clock import now
from pipelines.conversation import ToolCall
from pipelines.providers.contracts import (
    Certainty,
    ContextTooLongError,
    ProviderError,
    RequestRefusedError,
    Stage,
)
from pipelines.tools.tool import ToolRun
from pipelines.turn_taking.expectation import AnswerKind
from pipelines.turn_taking.judge import EndOfTurn
from pipelines.turn_taking.turns import Event, State

PART = 0.8
"""Seconds of a sentence that are heard until they are put on record: with the next look at the
clock, and the way to the disk, that is within a second."""

LATE = 0.005
"""Seconds that audio may leave after its time without a word on record: the bar for 99 frames of
100."""

MOST_ASKED = 64
"""Tool calls of which is known which turn has asked for them; drafts that nobody hears ask, too."""

BARGE_INS: Mapping[Event, str] = {
    Event.BARGE_IN: "length",
    Event.WORDS: "words",
    Event.KEY_PRESSED: "keys",
}
"""What the caller drops a reply by, unless it is known better."""


class Journal(Protocol):
    """Where the record of a call goes."""

    def add(self, kind: str, **fields: object) -> None:
        """Keep one line. Never raises."""
        ...


class TurnRecord:
    """The record of one call, from its answer on. Told what happens; keeps a line of it.

    A turn has its number from the first line on that tells of it, so none is left out.

    Args:
        journal: Where to.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.began = now()
        """Zero of the clock of the call."""

        self.on_floor: Callable[[State], None] = _nobody_looks
        """Told whose turn it is, each time that the table was asked. It returns at once; no line is
        written of it."""

        self._turns = 0
        self._understood: tuple[float, str, bool] = (0.0, "", False)  # what stands on record last
        self._going_on = 0  # number of a turn whose caller goes on, after all
        self._asked: deque[tuple[ToolCall, Reply]] = deque(maxlen=MOST_ASKED)

    def note(self, kind: str, reply: Reply | None = None, /, **fields: object) -> None:
        """Put down what happens now, in the turn of ``reply`` if that is given."""
        self._add(kind, reply, now(), None, **fields)

    def happened(
        self, before: State, event: Event, reply: Reply | None, why: Mapping[str, object]
    ) -> None:
        """Put down what the caller does to the reply that sounds.

        Args:
            before: Who had the floor.
            event: What they have done.
            reply: What sounds, or will next.
            why: What is held or dropped for, if that is known.
        """
        if reply is None or before not in (State.REPLYING, State.HELD):
            return
        if event is Event.SPEECH_STARTED:
            self.heard(reply, every=0.0)
            self.note("held", reply, **why)
        elif event in BARGE_INS:
            self.heard(reply, every=0.0)
            self.note(
                "barge_in",
                reply,
                **(
                    {"by": "keys"}
                    if event is Event.KEY_PRESSED
                    else {"by": BARGE_INS[event], **why}
                ),
            )

    def understood(self, reply: Reply) -> None:
        """Put down what the caller turned out to say, as far as it is known, and as it changes.

        Nothing else may be on record of it until the reply sounds, and the process may have died.
        """
        said, so_far = reply.utterance, not reply.released.is_set()
        if said is None or reply.kept or not reply.settled:
            return
        new = (said.began, reply.said, so_far)
        if new != self._understood and (reply.said or self._understood[1]):
            self._understood = new
            more = _told(reply.certainty) | ({"so_far": True} if so_far else {})
            self._add("understood", None, said.began, said.until, text=reply.said, **more)

    def backchannel(self, draft: Reply) -> None:
        """Put down words that want no answer, the caller's or somebody else's."""
        if (said := draft.utterance) is not None and draft.said and not draft.kept:
            told = {**_told(draft.certainty), **draft.background}
            self._add("backchannel", None, said.began, said.until, text=draft.said, **told)

    def caller(
        self,
        reply: Reply | None,
        text: str,
        began: float,
        until: float,
        ended_by: EndOfTurn | None = None,
    ) -> None:
        """Put down what the caller said or pressed, from ``began`` ``until``.

        Args:
            reply: What answers it, or would have; None for nothing.
            text: It.
            began: When, by the event loop's clock.
            until: The same.
            ended_by: What has ended their turn; None for the end of the call.
        """
        decided = _decided(ended_by or EndOfTurn(by="hang-up"))
        more = {"turn": self._next()} if reply is None else _told(reply.certainty)
        if reply is not None and reply.verdict is not None:
            to = "others" if reply.is_to_others else "agent"
            more = {**more, "to": to, "told_by": reply.verdict.told_by}
        self._add("caller", reply, at=began, until=until, text=text, decided=decided, **more)

    def heard(self, reply: Reply | None, *, every: float = PART) -> None:
        """Put down what was heard of a reply since the last time; and when it began to sound.

        Args:
            reply: The one that sounds, if any.
            every: Seconds of a sentence that make a part of it; 0 for all that was heard.
        """
        if reply is None or reply.started_at is None:
            return
        playout = reply.playout
        for one in playout.news(now(), every):
            more = {"more": True} if one.more else {}
            self._add("heard", reply, at=one.began, until=one.ended, text=one.text, **more)
        if playout.own_began is not None and not reply.timed:
            self._timing(reply)

    def agent(self, reply: Reply, *, cut_off: bool) -> str:
        """Put down all that was heard of a reply that is over, and what was not; return what was.

        It begins no turn: a reply that never sounded leaves nothing.
        """
        self.heard(reply, every=0.0)
        at, playout, began = now(), reply.playout, reply.started_at
        heard = playout.heard(at)
        unheard = playout.unheard(at) if began is not None else ""
        if began is not None and (heard or unheard):
            more: dict[str, object] = {"unheard": unheard} if unheard else {}
            if playout.gaps:
                more["gaps"] = playout.gaps
            if playout.late >= LATE:
                more["late"] = round(playout.late, 3)
            self._add(
                "agent",
                reply,
                at=began,
                until=playout.heard_until(at),
                text=heard,
                cut_off=cut_off,
                said=reply.occasion,
                **more,
            )
        in_full = reply.was_heard(heard)
        discloses = reply.announcement is not None and reply.announcement.discloses
        if began is not None and discloses:
            cut = {} if in_full else {"cut_off": True}
            self._add("disclosed", reply, began, playout.heard_until(at), text=heard, **cut)
        if reply.turn and not reply.timed:
            self._timing(reply)
        return heard

    def goes_on(self, reply: Reply) -> None:
        """Have the next answer be of the turn of this one: its caller had not finished."""
        self._going_on, reply.timed = reply.turn, True  # these times are of no end of a turn

    def lost(self, reply: Reply, error: ProviderError) -> None:
        """Put down that nobody was left who could make a reply."""
        self.note("failed", reply, stage=error.stage, **_why(error))

    def failover(self, stage: Stage, provider: str, to: str, error: ProviderError) -> None:
        """Put down that a provider took over from another."""
        self.note("failover", stage=stage, provider=provider, to=to, **_why(error))

    def asked(self, reply: Reply, calls: Sequence[ToolCall]) -> None:
        """Remember which reply wants these tools to be run."""
        self._asked.extend((call, reply) for call in calls)

    def tool(self, run: ToolRun) -> None:
        """Put down what became of a tool."""
        call = run.result.call
        reply = next((reply for asked, reply in self._asked if asked is call), None)
        self.note(
            "tool",
            reply,
            name=call.name,
            seconds=round(run.seconds, 3),
            status="cancelled" if run.cancelled else "failed" if run.result.failed else "done",
            arguments=run.shown_arguments,
            result=run.shown_result,
        )

    def used(self, line: Mapping[str, object]) -> None:
        """Put down what was used of a provider."""
        self._journal.add("usage", **line)

    def _timing(self, reply: Reply) -> None:
        reply.timed = True
        times: dict[str, float | None] = {
            "speech_end": None if reply.utterance is None else reply.utterance.until,
            "decided": reply.times.get("decided"),
            "transcript": reply.times.get("transcript"),
            "first_token": reply.spent.first_token,
            "first_sentence": reply.times.get("first_sentence"),
            "first_audio": reply.times.get("first_audio"),
            "heard": reply.playout.own_began,
        }
        known = {name: self._at(time) for name, time in times.items() if time is not None}
        self.note("timing", reply, **known)

    def _add(
        self,
        kind: str,
        reply: Reply | None,
        at: float,
        until: float | None = None,
        **fields: object,
    ) -> None:
        turn = {} if reply is None else {"turn": self._turn(reply)}
        end = {} if until is None else {"until": self._at(until)}
        self._journal.add(kind, at=self._at(at), **turn, **end, **fields)

    def _turn(self, reply: Reply) -> int:
        """Return the number of the turn of a reply; its own, unless it goes on with another's."""
        if not reply.turn:
            if reply.utterance is not None:
                reply.turn, self._going_on = self._going_on, 0
            reply.turn = reply.turn or self._next()
        return reply.turn

    def _next(self) -> int:
        self._turns += 1
        return self._turns

    def _at(self, time: float) -> float:
        """Return a time as it stands on the record: seconds since the answer."""
        return round(time - self.began, 3)


def _nobody_looks(_state: State) -> None:
    """Nobody is told."""


def _why(error: ProviderError) -> dict[str, object]:
    """Return why a provider was left: by the class of its error, and in words of ours."""
    if error.timed_out:
        kind = "timeout"
    elif error.limited:
        kind = "limited"
    elif isinstance(error, ContextTooLongError):
        kind = "context too long"
    else:
        refused = isinstance(error, RequestRefusedError) or not error.retryable
        kind = "refused" if refused else "failed"
    return {"error": kind, "reason": error.reason}


def _decided(ended: EndOfTurn) -> dict[str, object]:
    """Return all that ended a turn, as it stands on the record; no word of what was said."""
    numbers = {
        "silence": ended.silence,
        "probability": ended.probability,
        "asked": ended.asked or None,
        "complete": ended.complete,
        "extra": ended.extra or None,
        "late": ended.late or None,
    }
    words = {
        "words": ended.words,
        "expected": "" if ended.expected is AnswerKind.NOTHING else ended.expected.value,
    }
    known = {name: round(value, 3) for name, value in numbers.items() if value is not None}
    return {"by": ended.by} | known | {name: text for name, text in words.items() if text}


def _told(known: Certainty) -> dict[str, object]:
    """Return what a provider tells of a transcript, as it stands on the record."""
    language = {"language": known.language} if known.language else {}
    if known.confidence is None:
        return dict(language)
    return {**language, "confidence": round(known.confidence, 3)}
